//! Which of the two surfaces of the compute service is used.

use wcow_host::ComputeApi;

/// The first build that has version 2, and schema 2 with it.
const SECOND_FROM: u32 = 17_763;

/// From this build on processes can be sent signals.
const SIGNALS_FROM: u32 = 17_763;

/// What a host has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Surfaces {
    /// Its build.
    pub(crate) build: u32,
    /// Whether vmcompute.dll creates compute systems.
    pub(crate) first: bool,
    /// Whether computecore.dll does.
    pub(crate) second: bool,
}

impl Surfaces {
    /// The surface for somebody who has no wish.
    ///
    /// It is version 1 wherever there is one. Every generation has it; it takes schema 1, which alone tells of a container with Hyper-V
    /// isolation without describing its virtual machine; from build 17763 on it takes schema 2 as well. Where only version 2 is left,
    /// it is that. Where there is neither, calls through version 1 say what is missing.
    pub(crate) fn choose(self) -> ComputeApi {
        if !self.first && self.second && self.build >= SECOND_FROM {
            ComputeApi::V2
        } else {
            ComputeApi::V1
        }
    }
}

/// Whether processes of this build can be sent signals.
pub(crate) fn has_signals(build: u32) -> bool {
    build >= SIGNALS_FROM
}

#[cfg(test)]
mod tests {
    use wcow_host::ComputeApi::{self, V1, V2};

    use super::{Surfaces, has_signals};

    #[track_caller]
    fn check(build: u32, first: bool, second: bool, expected: ComputeApi) {
        let host = Surfaces {
            build,
            first,
            second,
        };
        assert_eq!(host.choose(), expected, "{host:?}");
    }

    #[test]
    fn version_1_is_used_where_it_is() {
        for build in [0, 10_514, 14_393, 17_134, 17_763, 20_348, 26_100, u32::MAX] {
            check(build, true, false, V1);
            check(build, true, true, V1);
        }
        check(26_100, false, true, V2);
        check(17_763, false, true, V2);
    }

    #[test]
    fn what_is_there_too_early_is_not_believed() {
        check(17_134, false, true, V1);
        check(26_100, false, false, V1);
        assert!(!has_signals(17_134) && has_signals(17_763));
    }
}
