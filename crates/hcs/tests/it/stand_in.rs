//! The stand-ins of `tests/stand_in`, as the tests see them.

use std::ffi::CStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wcow_hcs::{Dll, raw};

/// Long enough for a loaded machine; a test that waits so long fails.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// What a stand-in counts. The same structure stands in `stand_in.h`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) systems: u32,
    pub(crate) processes: u32,
    pub(crate) callbacks: u32,
    pub(crate) operations: u32,
    pub(crate) bad_handles: u32,
    pub(crate) strings: u32,
    pub(crate) live_strings: u32,
    pub(crate) freed_twice: u32,
    pub(crate) calls: u32,
}

/// A stand-in, for one test at a time.
pub(crate) struct StandIn {
    dll: Dll,
    before: Counters,
    _alone: MutexGuard<'static, ()>,
}

impl StandIn {
    /// The stand-in for this DLL. None where there is none: on a real host, and where `cargo test` runs alone under Wine.
    pub(crate) fn find(dll: Dll) -> Option<Self> {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        if std::env::var_os("WCOW_HCS_STAND_IN").is_none() {
            eprintln!("WCOW_HCS_STAND_IN is not set: no stand-in for {dll}");
            return None;
        }
        assert!(
            raw::is_there(dll, c"StandInCounters"),
            "{dll} of System32 is no stand-in"
        );
        let mut found = Self {
            dll,
            before: Counters::default(),
            _alone: alone,
        };
        found.before = found.counters();
        Some(found)
    }

    pub(crate) fn counters(&self) -> Counters {
        let mut counters = Counters::default();
        let address = raw::address(self.dll, c"StandInCounters").expect("it was there");
        // SAFETY: the export of this name in both stand-ins has this signature; the structure is the same on both sides.
        unsafe {
            let function: unsafe extern "system" fn(*mut Counters) =
                std::mem::transmute(address.as_ptr());
            function(&raw mut counters);
        }
        counters
    }

    /// Calls `StandInLate` or `StandInFinish`.
    pub(crate) fn run(&self, name: &'static CStr) {
        let address = raw::address(self.dll, name).expect("the stand-in has it");
        // SAFETY: the exports that are named so take nothing and return nothing.
        unsafe {
            let function: unsafe extern "system" fn() = std::mem::transmute(address.as_ptr());
            function();
        }
    }

    /// Calls every registered callback so often, each on a thread of its own.
    pub(crate) fn storm(&self, times: u32) {
        let address = raw::address(self.dll, c"StandInStorm").expect("the stand-in has it");
        // SAFETY: the export of this name takes a number and returns nothing.
        unsafe {
            let function: unsafe extern "system" fn(u32) = std::mem::transmute(address.as_ptr());
            function(times);
        }
    }

    /// Every handle that the test opened is closed, once; every string is freed, once and by the right function.
    #[track_caller]
    pub(crate) fn assert_nothing_is_left(&self) {
        let (before, now) = (self.before, self.counters());
        let kept = Counters {
            strings: now.strings,
            calls: now.calls,
            ..before
        };
        assert_eq!(now, kept, "left: now, right: as it should be");
    }

    /// How many strings were handed out since the test began.
    pub(crate) fn strings(&self) -> u32 {
        self.counters().strings - self.before.strings
    }
}
