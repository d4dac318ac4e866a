//! What does not work until a host has been restarted.

use super::generation::TP5;
use super::images::{Stage, Verdict};
use super::rules;
use crate::codes;
use crate::failures::FailureId;
use crate::{EditionClass, Feature, FeatureState, HostInfo, Package};

/// The package and the feature that bring containers.
const CONTAINERS: &str = "Containers";

/// Whether a host that has (or gets) containers must be restarted, or must get them, before a container can be created.
///
/// A technical preview with the package added and no restart since fails in the creation of the scratch layer with 0x8000FFFF.
/// On one without the package the cmdlets are missing instead: ask [`cmdlet`](super::cmdlet). From build 14300 on the compute
/// service's library is not there (0x7E).
#[must_use]
pub fn reboot_needed(host: &HostInfo, packages: &[Package], features: &[Feature]) -> Verdict {
    let refused = |code, failure, rule| Verdict::Refused {
        stage: Stage::Create,
        code,
        failure: FailureId(failure),
        rule,
    };
    let presence = presence(host, packages, features);
    match presence {
        Presence::Usable => Verdict::Runs,
        Presence::Pending if host.build < TP5 => refused(
            codes::UNEXPECTED,
            "container-before-reboot",
            rules::PREVIEW_RESTART,
        ),
        Presence::Absent if host.build < TP5 => Verdict::Runs,
        Presence::Pending | Presence::Absent => refused(
            codes::win32::MOD_NOT_FOUND,
            "compute-service-missing",
            rules::COMPUTE_SERVICE,
        ),
    }
}

enum Presence {
    Absent,
    Pending,
    Usable,
}

fn presence(host: &HostInfo, packages: &[Package], features: &[Feature]) -> Presence {
    let package = packages
        .iter()
        .find(|package| package.name.eq_ignore_ascii_case(CONTAINERS));
    if host.class == EditionClass::Nano
        && let Some(package) = package
    {
        return if package.reboot_pending {
            Presence::Pending
        } else {
            Presence::Usable
        };
    }
    let feature = features
        .iter()
        .find(|feature| feature.name.eq_ignore_ascii_case(CONTAINERS));
    match feature.map(|feature| feature.state) {
        Some(FeatureState::Enabled | FeatureState::DisablePending) => Presence::Usable,
        Some(FeatureState::EnablePending) => Presence::Pending,
        Some(FeatureState::Disabled) | None => Presence::Absent,
    }
}
