//! Hyper-V isolation: containers in a utility virtual machine of their own.

use super::generation::{RS1, TP4, TP5};
use super::{ImageFacts, Stage, Verdict, rules};
use crate::codes::{v1, win32};
use crate::failures::FailureId;
use crate::{EditionClass, Feature, FeatureState, HostInfo, Package};

/// What a host goes by beside builds when a container is to be isolated by Hyper-V.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HyperVFacts {
    /// The Hyper-V role is there and needs no restart: see [`has_hyper_v`].
    pub role: bool,
    /// The processors let this Windows run virtual machines; in a virtual machine that is nested virtualization.
    pub virtualization: bool,
    /// A layer of the image has a utility virtual machine (`UtilityVM`).
    pub utility_vm: bool,
}

/// Whether the Hyper-V role is there and needs no restart: the package Compute on Nano Server, the feature Hyper-V elsewhere.
#[must_use]
pub fn has_hyper_v(class: EditionClass, packages: &[Package], features: &[Feature]) -> bool {
    let package =
        |package: &Package| package.name.eq_ignore_ascii_case("Compute") && !package.reboot_pending;
    let feature = |feature: &Feature| {
        feature.name.eq_ignore_ascii_case("Hyper-V")
            && matches!(
                feature.state,
                FeatureState::Enabled | FeatureState::DisablePending
            )
    };
    if class == EditionClass::Nano {
        packages.iter().any(package)
    } else {
        features.iter().any(feature)
    }
}

/// What a host answers to a Hyper-V isolated container of an image: older images run, newer ones do not come up.
///
/// That the host has Hyper-V and the image a utility virtual machine is another matter: see [`hyperv_verdict_on`].
#[must_use]
pub fn hyperv_verdict(host: &HostInfo, image: &ImageFacts) -> Verdict {
    let refused = |stage, code, failure, rule| Verdict::Refused {
        stage,
        code,
        failure: FailureId(failure),
        rule,
    };
    if host.build < TP4 {
        let (code, rule) = (win32::NOT_SUPPORTED, rules::HYPER_V_FROM_TP4);
        return refused(Stage::Create, code, "hyper-v-not-installed", rule);
    }
    if host.build < RS1 && image.build != host.build {
        let (code, rule) = (win32::FILE_NOT_FOUND, rules::HYPER_V_PREVIEW);
        return refused(Stage::Create, code, "utility-vm-missing", rule);
    }
    if (TP5..RS1).contains(&host.build) && host.class == EditionClass::Nano {
        let (code, rule) = (v1::CONNECT_FAILED, rules::HYPER_V_NANO_TP5);
        return refused(Stage::Start, code, "utility-vm-unreachable", rule);
    }
    if image.build > host.build {
        let (code, rule) = (v1::IMAGE_MISMATCH, rules::NEWER_GUEST);
        return refused(Stage::Start, code, "image-mismatch", rule);
    }
    if !image.container_service {
        let (code, rule) = (v1::CONNECTION_TIMEOUT, rules::SERVICE);
        return refused(Stage::Start, code, "container-service-missing", rule);
    }
    Verdict::Runs
}

/// The same, with what the host has and the image brings for it. Whether the host has containers at all is asked of
/// [`reboot_needed`](super::reboot_needed) before.
#[must_use]
pub fn hyperv_verdict_on(host: &HostInfo, facts: HyperVFacts, image: &ImageFacts) -> Verdict {
    let refused = |code, failure, rule| Verdict::Refused {
        stage: Stage::Create,
        code,
        failure: FailureId(failure),
        rule,
    };
    if host.build >= TP4 && !(facts.role && facts.virtualization) {
        let code = v1::HYPERV_NOT_INSTALLED;
        return refused(code, "hyper-v-not-installed", rules::HYPER_V_ROLE);
    }
    if host.build >= TP4 && !facts.utility_vm {
        let code = win32::FILE_NOT_FOUND;
        return refused(code, "utility-vm-missing", rules::HYPER_V_UTILITY_VM);
    }
    hyperv_verdict(host, image)
}
