//! Which image a host runs.

use serde::{Deserialize, Serialize};
use wcow_ntmeta::Hresult;

use super::generation::RS1;
use super::rules;
use crate::HostInfo;
use crate::codes::{v1, win32};
use crate::failures::FailureId;

/// What a host goes by when it decides whether a container of an image may run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFacts {
    /// The build in its version.
    pub build: u32,
    /// The revision in its version.
    pub revision: u32,
    /// `ProductName` of its version.wcx: an EditionID such as `ServerDatacenter`.
    pub product_name: String,
    /// True if the container service (`CExecSvc.exe`) is in it.
    pub container_service: bool,
}

/// The call of the compute service in which an answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The compute system, or its storage, is created. A refusal leaves nothing behind.
    Create,
    /// The compute system is started.
    Start,
}

/// What a host will answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It runs.
    Runs,
    /// The host refuses.
    Refused {
        /// The call that fails.
        stage: Stage,
        /// The code it fails with.
        code: Hresult,
        /// The catalogue entry that explains it.
        failure: FailureId,
        /// The rule behind it, in one sentence.
        rule: &'static str,
    },
}

/// Which of the two shipped readings of the stable container ABI to go by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StableAbiRule {
    /// hcsshim's, which agrees with measurements: build 26200 refuses an image of build 20348.
    #[default]
    Hcsshim,
    /// containerd's own, one long-term release more generous.
    Containerd,
}

/// The long-term releases whose containers later hosts run.
const STABLE: [u32; 2] = [20348, 26100];

/// What a host answers to a process-isolated container of an image.
///
/// Technical previews compare version.wcx with themselves at start; later hosts compare builds when the system is created. An
/// image without the container service gets no further than start on any of them.
#[must_use]
pub fn start_verdict(host: &HostInfo, image: &ImageFacts) -> Verdict {
    let refused = |stage, code, failure, rule| Verdict::Refused {
        stage,
        code,
        failure: FailureId(failure),
        rule,
    };
    if host.build < RS1 {
        if image.build != host.build || !image.product_name.eq_ignore_ascii_case(&host.edition) {
            let code = win32::IMAGE_MACHINE_TYPE_MISMATCH;
            return refused(
                Stage::Start,
                code,
                "machine-type-mismatch",
                rules::PREVIEW_IDENTITY,
            );
        }
        if !image.container_service {
            return refused(
                Stage::Start,
                win32::TIMEOUT,
                "container-service-missing",
                rules::PREVIEW_SERVICE,
            );
        }
        return Verdict::Runs;
    }
    if !build_allowed(host.build, image.build, StableAbiRule::default()) {
        let rule = match (image.build > host.build, host.build < STABLE[0]) {
            (true, _) => rules::NEWER_IMAGE,
            (false, true) => rules::EXACT_BUILD,
            (false, false) => rules::STABLE_ABI,
        };
        return refused(Stage::Create, v1::IMAGE_MISMATCH, "image-mismatch", rule);
    }
    if !image.container_service {
        return refused(
            Stage::Start,
            v1::CONNECTION_TIMEOUT,
            "container-service-missing",
            rules::SERVICE,
        );
    }
    Verdict::Runs
}

/// Whether a host from build 14393 on runs process-isolated containers of an image, by build alone.
#[must_use]
pub fn build_allowed(host: u32, image: u32, rule: StableAbiRule) -> bool {
    image <= host && image >= oldest_build(host, rule)
}

fn oldest_build(host: u32, rule: StableAbiRule) -> u32 {
    let mut earlier = STABLE.into_iter().rev().filter(|stable| *stable < host);
    let newest = earlier.next();
    let oldest = match rule {
        StableAbiRule::Hcsshim => newest,
        StableAbiRule::Containerd => earlier.next().or(newest),
    };
    oldest.unwrap_or(host)
}

/// Whether an image of another revision of the same build may fail to start: build 14393 only. The host does not say so in
/// advance; the container just does not come up.
#[must_use]
pub fn revision_matters(build: u32) -> bool {
    build == RS1
}
