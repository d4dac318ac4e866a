//! The hosts that a command can work on: simulated ones everywhere, and the machine itself where it runs Windows.

use wcow_sim::SimHost;
pub(crate) use wcow_winhost::block_on;

use crate::failure::Failure;

/// A host that a command works on.
#[cfg(windows)]
pub(crate) type AnyHost = wcow_host::Either<SimHost, wcow_winhost::WinHost>;
/// A host that a command works on.
#[cfg(not(windows))]
pub(crate) type AnyHost = SimHost;

/// A simulated host, as a command takes it.
#[cfg(windows)]
pub(crate) fn simulated(host: SimHost) -> AnyHost {
    AnyHost::Left(host)
}

/// A simulated host, as a command takes it.
#[cfg(not(windows))]
pub(crate) fn simulated(host: SimHost) -> AnyHost {
    host
}

/// The machine that this runs on.
#[cfg(windows)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there is none")]
pub(crate) fn this() -> Result<AnyHost, Failure> {
    Ok(AnyHost::Right(wcow_winhost::WinHost::default()))
}

/// The machine that this runs on.
///
/// # Errors
/// It does not run Windows.
#[cfg(not(windows))]
pub(crate) fn this() -> Result<AnyHost, Failure> {
    use crate::failure::exit;

    Err(Failure::new(
        exit::NOT_SUPPORTED,
        "this machine does not run Windows, so it is no container host",
    )
    .help("use a simulated one: --host sim, or --host sim:NAME after wcow host new NAME"))
}
