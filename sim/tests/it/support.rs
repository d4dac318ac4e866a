//! What the tests share.

use std::future::Future;

use wcow_host::{Code, HostError, Precaution};
use wcow_ntmeta::HostPath;
use wcow_sim::{Profile, Sim, SimHost};

/// The durable steps of tests in which it does not matter which is which.
pub(crate) const STEP: Precaution = Precaution::new("test");

/// A host and a client of it.
pub(crate) fn host(profile: Profile) -> (Sim, SimHost) {
    let sim = Sim::new(profile, 1);
    let client = sim.client();
    (sim, client)
}

/// Runs a future that must end.
#[track_caller]
pub(crate) fn run<T>(sim: &Sim, future: impl Future<Output = T>) -> T {
    sim.run(future).unwrap()
}

pub(crate) fn path(text: &str) -> HostPath {
    HostPath::parse(text).unwrap()
}

/// The code of a refusal: the HRESULT in hexadecimal, or the FullyQualifiedErrorId.
pub(crate) fn code<T>(result: Result<T, HostError>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => match error.code {
            Code::Hresult(code) => code.to_string(),
            Code::PowerShell(error) => error.id,
        },
    }
}

pub(crate) fn win32(error: u16) -> String {
    format!("0x8007{error:04X}")
}
