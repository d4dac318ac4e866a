//! Which image a host runs.

use serde::{Deserialize, Serialize};
use wcow_ntmeta::Hresult;

use super::generation::RS1;
use super::{insider_only, rules};
use crate::codes::{v1, win32};
use crate::failures::FailureId;
use crate::{EditionClass, HostInfo};

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

/// Which of the published readings of the stable container ABI to go by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StableAbiRule {
    /// hcsshim's, which agrees with measurements: build 26200 refuses an image of build 20348.
    #[default]
    Hcsshim,
    /// containerd's own, one long-term release more generous.
    Containerd,
    /// Microsoft's table: servers as hcsshim has it; Windows 10 and 11 run images of exactly their own build, and all others with
    /// Hyper-V isolation.
    Published,
}

impl StableAbiRule {
    /// Every reading.
    pub const ALL: &'static [Self] = &[Self::Hcsshim, Self::Containerd, Self::Published];
}

/// The long-term releases whose containers later hosts run.
const STABLE: [u32; 2] = [20348, 26100];

/// What a host answers to a process-isolated container of an image.
///
/// Technical previews compare version.wcx with themselves at start; later hosts compare builds when the system is created. An
/// image without the container service gets no further than start on any of them. Goes by hcsshim's reading of the stable
/// container ABI; [`start_verdict_by`] goes by any.
#[must_use]
pub fn start_verdict(host: &HostInfo, image: &ImageFacts) -> Verdict {
    start_verdict_by(host, image, StableAbiRule::default())
}

/// What a host that goes by this reading of the stable container ABI answers to a process-isolated container of an image.
#[must_use]
pub fn start_verdict_by(host: &HostInfo, image: &ImageFacts, abi: StableAbiRule) -> Verdict {
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
    if !build_fits(host, image.build, abi) {
        let rule = match (image.build > host.build, host.build < STABLE[0]) {
            (true, _) => rules::NEWER_IMAGE,
            (false, true) => rules::EXACT_BUILD,
            (false, false) => rules::STABLE_ABI,
        };
        return refused(Stage::Create, v1::IMAGE_MISMATCH, "image-mismatch", rule);
    }
    if host.class == EditionClass::Nano && !is_nano_edition(&image.product_name) {
        return refused(
            Stage::Create,
            v1::IMAGE_MISMATCH,
            "image-mismatch",
            rules::NANO_HOST,
        );
    }
    if insider_only(host.build, image.build) {
        return refused(
            Stage::Create,
            v1::WINDOWS_INSIDER_REQUIRED,
            "windows-insider-required",
            rules::INSIDER,
        );
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

/// Whether a server from build 14393 on runs process-isolated containers of an image, by build alone.
#[must_use]
pub fn build_allowed(host: u32, image: u32, rule: StableAbiRule) -> bool {
    image <= host && image >= oldest_build(host, rule)
}

/// Whether a host from build 14393 on runs process-isolated containers of an image, by its build and kind of installation.
#[must_use]
pub fn build_fits(host: &HostInfo, image: u32, rule: StableAbiRule) -> bool {
    if rule == StableAbiRule::Published && host.class == EditionClass::Client {
        return image == host.build;
    }
    build_allowed(host.build, image, rule)
}

/// Whether an EditionID is one of Nano Server: `ServerTuva` of the technical previews, `ServerDatacenterNano` and
/// `ServerStandardNano` later.
#[must_use]
pub fn is_nano_edition(edition: &str) -> bool {
    const SUFFIX: &str = "Nano";
    let at = edition.len().saturating_sub(SUFFIX.len());
    edition.eq_ignore_ascii_case("ServerTuva")
        || edition
            .get(at..)
            .is_some_and(|end| end.eq_ignore_ascii_case(SUFFIX))
}

/// What an image may name under `os.features` and a host of this kind has: `win32k`, which Nano Server lacks.
#[must_use]
pub fn os_features(class: EditionClass) -> &'static [&'static str] {
    match class {
        EditionClass::Nano => &[],
        EditionClass::Core | EditionClass::Full | EditionClass::Client => &["win32k"],
    }
}

/// Whether a host of this kind has all that an image names under `os.features`. If not, the image needs Hyper-V isolation: its utility
/// virtual machine brings them.
#[must_use]
pub fn has_os_features(class: EditionClass, wanted: &[impl AsRef<str>]) -> bool {
    let there = os_features(class);
    wanted.iter().all(|wanted| there.contains(&wanted.as_ref()))
}

fn oldest_build(host: u32, rule: StableAbiRule) -> u32 {
    let mut earlier = STABLE.into_iter().rev().filter(|stable| *stable < host);
    let newest = earlier.next();
    let oldest = match rule {
        StableAbiRule::Hcsshim | StableAbiRule::Published => newest,
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
