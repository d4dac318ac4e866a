//! The stand-ins for vmcompute.dll and computecore.dll that the tests of `wcow-hcs` have, for one test at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wcow_hcs::{v1, v2};
use wcow_host::ComputeApi;
use wcow_winhost::CallLimits;
use wcow_winhost::compute::WinCompute;

/// A build that has everything.
pub(crate) const BUILD: u32 = 20_348;

/// Both surfaces.
pub(crate) const APIS: [ComputeApi; 2] = [ComputeApi::V1, ComputeApi::V2];

/// The stand-ins, for one test at a time.
pub(crate) struct StandIns {
    before: [String; 2],
    _alone: MutexGuard<'static, ()>,
}

impl StandIns {
    /// None where there are none: on a real host, and where `cargo test` runs alone under Wine.
    pub(crate) fn find() -> Option<Self> {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        if std::env::var_os("WCOW_HCS_STAND_IN").is_none() {
            println!("skipped: WCOW_HCS_STAND_IN is not set, so there are no stand-ins");
            return None;
        }
        Some(Self {
            before: counters(),
            _alone: alone,
        })
    }

    /// Every handle that the test opened is closed, once.
    #[track_caller]
    pub(crate) fn assert_nothing_is_left(&self) {
        assert_eq!(counters(), self.before, "left: now, right: as it should be");
    }

    /// The same, after calls that were given up have come to their end.
    #[track_caller]
    pub(crate) fn assert_nothing_is_left_soon(&self) {
        for _ in 0..100_000 {
            if counters() == self.before {
                return;
            }
            std::thread::yield_now();
        }
        self.assert_nothing_is_left();
    }
}

/// What is open now, in each of them, as text.
fn counters() -> [String; 2] {
    let first = v1::service_properties("counters").expect("the stand-in counts");
    let second = v2::service_properties(Some("counters")).expect("the stand-in counts");
    assert!(first.contains("Callbacks") && second.contains("Operations"));
    [first, second]
}

/// The compute service through that surface; as long as any test may take.
pub(crate) fn compute(api: ComputeApi) -> WinCompute {
    let limits = CallLimits {
        call: Duration::from_secs(60),
        ..CallLimits::default()
    };
    WinCompute::through(api, BUILD, limits)
}

/// One that gives up soon.
pub(crate) fn impatient(api: ComputeApi) -> WinCompute {
    let limits = CallLimits {
        call: Duration::from_millis(50),
        ..CallLimits::default()
    };
    WinCompute::through(api, BUILD, limits)
}
