//! Which image a host runs with Hyper-V isolation.

use super::{ImageFacts, Stage, Verdict, rules};
use crate::HostInfo;
use crate::codes::v1;
use crate::failures::FailureId;

/// What a host answers to a Hyper-V isolated container of an image: older images run, newer ones do not come up.
///
/// That the host has Hyper-V and the image a utility virtual machine is another matter.
#[must_use]
pub fn hyperv_verdict(host: &HostInfo, image: &ImageFacts) -> Verdict {
    let refused = |code, failure, rule| Verdict::Refused {
        stage: Stage::Start,
        code,
        failure: FailureId(failure),
        rule,
    };
    if image.build > host.build {
        return refused(v1::IMAGE_MISMATCH, "image-mismatch", rules::NEWER_GUEST);
    }
    if !image.container_service {
        return refused(
            v1::CONNECTION_TIMEOUT,
            "container-service-missing",
            rules::SERVICE,
        );
    }
    Verdict::Runs
}
