//! What the safe layer costs: `HcsGetComputeSystemProperties` of vmcompute.dll through it, and through the bare function.
//!
//! Run it on a host with HCS and the id of a system, or with the stand-in of `tests/stand_in` in `System32` and any id:
//! `cargo run -p wcow-hcs --example overhead -- ID`.

#[cfg(not(windows))]
fn main() {
    println!("there is something to measure on Windows only");
}

#[cfg(windows)]
fn main() -> Result<(), wcow_hcs::Error> {
    measure::run(&std::env::args().nth(1).unwrap_or_default())
}

#[cfg(windows)]
#[expect(unsafe_code, reason = "calls the bare function to compare")]
mod measure {
    use std::ptr;
    use std::time::{Duration, Instant};

    use wcow_hcs::raw::{combase, vmcompute};
    use wcow_hcs::{Error, v1};

    const CALLS: u32 = 10_000;
    const ROUNDS: u32 = 9;

    pub(super) fn run(id: &str) -> Result<(), Error> {
        let system = v1::ComputeSystem::open(id)?;
        let wide: Vec<u16> = id.encode_utf16().chain([0]).collect();
        let query: Vec<u16> = "{}".encode_utf16().chain([0]).collect();
        let mut handle = ptr::null_mut();
        let mut result = ptr::null_mut();
        // SAFETY: the text ends with a NUL, and the places live until the call returns.
        unsafe {
            vmcompute::HcsOpenComputeSystem(wide.as_ptr(), &raw mut handle, &raw mut result)?;
        }
        let (mut safe, mut bare) = (Duration::MAX, Duration::MAX);
        for _ in 0..ROUNDS {
            safe = safe.min(time(|| system.properties("{}").map(drop))?);
            bare = bare.min(time(|| {
                let mut properties = ptr::null_mut();
                // SAFETY: the handle is open, the text ends with a NUL, the places live until the call returns; what is handed out
                // is freed once.
                unsafe {
                    vmcompute::HcsGetComputeSystemProperties(
                        handle,
                        query.as_ptr(),
                        &raw mut properties,
                        &raw mut result,
                    )?;
                    combase::CoTaskMemFree(properties.cast_const().cast())
                }
            })?);
        }
        // SAFETY: it was opened above, and is closed once.
        unsafe { vmcompute::HcsCloseComputeSystem(handle)? };
        println!(
            "a call: {} ns through the safe layer, {} ns bare; the least of {ROUNDS} rounds of {CALLS}",
            safe.as_nanos() / u128::from(CALLS),
            bare.as_nanos() / u128::from(CALLS)
        );
        Ok(())
    }

    fn time(mut call: impl FnMut() -> Result<(), Error>) -> Result<Duration, Error> {
        let start = Instant::now();
        for _ in 0..CALLS {
            call()?;
        }
        Ok(start.elapsed())
    }
}
