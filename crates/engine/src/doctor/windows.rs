//! The Windows on the host: builds, features, policies, rights, what its event logs say.

use wcow_host::codes::{v2, win32};
use wcow_host::era::{self, Verdict as Answered};
use wcow_host::failures::Hosts;
use wcow_host::{EditionClass, EventLevel, FeatureState, Identity, Machine, RegistryData};

use super::gather::{BITLOCKER_KEY, CONTAINERS_KEY, DOCKER_SOURCE_KEY};
use super::verdict::{Verdict, answer, need};
use super::{ANY, Check, FROM_2016, Fix, SCRIPT, SUPPORT, Seen, Theme, hosts};

/// The first build that had containers: Technical Preview 3.
const FIRST_BUILD: u32 = 10514;
/// Windows Server 2016.
const RS1: u32 = 14393;
/// The first revision of build 14393 that containers work on.
const FIRST_REVISION: u32 = 351;
/// Preview builds whose container stack does not work.
const BROKEN_BUILDS: [u32; 2] = [14931, 14936];
/// Memory in MiB below which starts fail.
const LITTLE_MEMORY: u64 = 1024;
/// How many entries of the event logs are shown.
const SHOWN_EVENTS: usize = 5;

const ONLY_2016: Hosts = hosts("build 14393 (Windows Server 2016)", RS1, RS1);

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "windows-build",
        title: "Windows is new enough for containers",
        theme: Theme::Windows,
        source: SCRIPT,
        hosts: ANY,
        finds: &[],
        run: build,
    },
    Check {
        id: "update-level",
        title: "Windows Server 2016 has revision 351 or later",
        theme: Theme::Windows,
        source: SCRIPT,
        hosts: ONLY_2016,
        finds: &[],
        run: update_level,
    },
    Check {
        id: "broken-builds",
        title: "Windows is none of the preview builds with a broken container stack",
        theme: Theme::Windows,
        source: SCRIPT,
        hosts: FROM_2016,
        finds: &[],
        run: broken_builds,
    },
    Check {
        id: "containers-feature",
        title: "The container feature (on Nano Server the package) is there",
        theme: Theme::Windows,
        source: SCRIPT,
        hosts: ANY,
        finds: &["compute-service-missing", "container-cmdlets-missing"],
        run: containers_feature,
    },
    Check {
        id: "restart-pending",
        title: "No restart is pending",
        theme: Theme::Windows,
        source: SUPPORT,
        hosts: ANY,
        finds: &["container-before-reboot", "compute-service-missing"],
        run: restart_pending,
    },
    Check {
        id: "hyper-v",
        title: "Hyper-V is there, for switches and for Hyper-V isolation",
        theme: Theme::Windows,
        source: SUPPORT,
        hosts: ANY,
        finds: &["hyper-v-not-installed", "hyper-v-cmdlets-missing"],
        run: hyper_v,
    },
    Check {
        id: "virtualization",
        title: "The processors let the host run virtual machines",
        theme: Theme::Windows,
        source: SUPPORT,
        hosts: FROM_2016,
        finds: &["hyper-v-not-installed"],
        run: virtualization,
    },
    Check {
        id: "memory",
        title: "The machine has memory for containers",
        theme: Theme::Windows,
        source: SUPPORT,
        hosts: ANY,
        finds: &["unexpected-exit"],
        run: memory,
    },
    Check {
        id: "rights",
        title: "The caller may manage containers",
        theme: Theme::Windows,
        source: SCRIPT,
        hosts: ANY,
        finds: &[
            "not-an-administrator",
            "privilege-missing",
            "elevation-missing",
            "hyper-v-cmdlet-denied",
        ],
        run: rights,
    },
    Check {
        id: "vsmb-oplocks",
        title: "VSmbDisableOplocks is not set",
        theme: Theme::Windows,
        source: SCRIPT,
        hosts: FROM_2016,
        finds: &[],
        run: vsmb_oplocks,
    },
    Check {
        id: "template-overrides",
        title: "No template of containers is overridden in the registry",
        theme: Theme::Windows,
        source: SCRIPT,
        hosts: FROM_2016,
        finds: &[],
        run: template_overrides,
    },
    Check {
        id: "bitlocker-policy",
        title: "No policy keeps containers from writing to their disks",
        theme: Theme::Windows,
        source: SCRIPT,
        hosts: ANY,
        finds: &[],
        run: bitlocker_policy,
    },
    Check {
        id: "event-source",
        title: "Docker's entries in the event log can be read",
        theme: Theme::Windows,
        source: SCRIPT,
        hosts: ANY,
        finds: &[],
        run: event_source,
    },
    Check {
        id: "recent-events",
        title: "The event logs of the last 24 hours tell of no errors of containers",
        theme: Theme::Windows,
        source: SCRIPT,
        hosts: ANY,
        finds: &["unexpected-exit", "layer-filter-conflict"],
        run: recent_events,
    },
];

fn build(seen: &Seen) -> Verdict {
    let info = &seen.info;
    let text = format!("{}, build {}.{}", info.product, info.build, info.revision);
    let mut verdict = Verdict::ok();
    match info.build {
        ..FIRST_BUILD => verdict
            .fail(text)
            .way_out("Use a later Windows: the first with containers is build 10514."),
        FIRST_BUILD..RS1 => verdict
            .warn(format!("{text}: a technical preview"))
            .way_out("Expect what the catalogue tells of previews. Microsoft's own check asks for build 14393 or later."),
        _ => return verdict.saw(text),
    };
    verdict
}

fn update_level(seen: &Seen) -> Verdict {
    let text = format!("revision {}", seen.info.revision);
    let mut verdict = Verdict::ok();
    if seen.info.revision >= FIRST_REVISION {
        return verdict.saw(text);
    }
    verdict
        .fail(text)
        .way_out("Install the updates for Windows.");
    verdict
}

fn broken_builds(seen: &Seen) -> Verdict {
    let text = format!("build {}", seen.info.build);
    let mut verdict = Verdict::ok();
    if !BROKEN_BUILDS.contains(&seen.info.build) {
        return verdict.saw(text);
    }
    verdict
        .fail(text)
        .way_out("Update Windows to a later build.");
    verdict
}

fn containers_feature(seen: &Seen) -> Verdict {
    const NAME: &str = "Containers";
    let mut verdict = Verdict::ok();
    let nano = seen.info.class == EditionClass::Nano;
    let missing = if nano {
        let packages = need!(seen.packages);
        match packages.iter().find(|package| package.name == NAME) {
            Some(_) => return verdict.saw("the package Containers is installed"),
            None => "the package Containers is not installed".to_owned(),
        }
    } else {
        let features = need!(seen.features);
        match features.iter().find(|feature| feature.name == NAME) {
            Some(feature) if feature.state == FeatureState::Enabled => {
                return verdict.saw("the feature Containers is on");
            }
            Some(feature) if feature.state == FeatureState::EnablePending => {
                return verdict.saw("the feature Containers is on after the next restart");
            }
            Some(feature) if feature.state == FeatureState::DisablePending => {
                verdict
                    .warn("the feature Containers goes with the next restart")
                    .way_out("Turn it on again if containers are to work then: wcow host enable Containers")
                    .fix(Fix::EnableFeature(NAME.to_owned()));
                return verdict;
            }
            Some(_) => "the feature Containers is off".to_owned(),
            None => "Windows lists no feature Containers".to_owned(),
        }
    };
    let cause = if era::containers_persist(seen.info.build) {
        "container-cmdlets-missing"
    } else {
        "compute-service-missing"
    };
    verdict
        .fail(missing)
        .cause(cause)
        .way_out("Enable it and restart the host: wcow host enable Containers; wcow host reboot")
        .fix(Fix::EnableFeature(NAME.to_owned()));
    verdict
}

fn restart_pending(seen: &Seen) -> Verdict {
    let (packages, features) = (need!(seen.packages), need!(seen.features));
    let mut verdict = Verdict::ok();
    let waiting: Vec<&str> = packages
        .iter()
        .filter(|package| package.reboot_pending)
        .map(|package| package.name.as_str())
        .chain(
            features
                .iter()
                .filter(|feature| {
                    matches!(
                        feature.state,
                        FeatureState::EnablePending | FeatureState::DisablePending
                    )
                })
                .map(|feature| feature.name.as_str()),
        )
        .collect();
    if waiting.is_empty() && !seen.info.reboot_pending {
        return verdict.saw("nothing waits for a restart");
    }
    let text = if waiting.is_empty() {
        "Windows says that a restart is pending".to_owned()
    } else {
        format!("waiting for a restart: {}", waiting.join(", "))
    };
    match era::reboot_needed(&seen.info, packages, features) {
        // Where the package is not there at all, another check says so.
        Answered::Refused { failure, .. } if waiting.contains(&"Containers") => {
            verdict.fail(text).cause_id(failure)
        }
        _ => verdict.warn(text),
    }
    .way_out("Restart the host: wcow host reboot. Containers that run on it end.");
    verdict
}

fn hyper_v(seen: &Seen) -> Verdict {
    let mut verdict = Verdict::ok();
    let nano = seen.info.class == EditionClass::Nano;
    let name = if nano { "Compute" } else { "Hyper-V" };
    let state = if nano {
        need!(seen.packages)
            .iter()
            .find(|package| package.name == name)
            .map(|package| match package.reboot_pending {
                true => FeatureState::EnablePending,
                false => FeatureState::Enabled,
            })
    } else {
        need!(seen.features)
            .iter()
            .find(|feature| feature.name == name)
            .map(|feature| feature.state)
    };
    match state {
        Some(FeatureState::Enabled | FeatureState::DisablePending) => {
            verdict.note(format!("{name} is on"));
        }
        Some(FeatureState::EnablePending) => {
            verdict.note(format!("{name} is on after the next restart"));
        }
        Some(FeatureState::Disabled) | None => {
            verdict
                .warn(format!("{name} is off: containers run process-isolated only"))
                .cause("hyper-v-not-installed")
                .way_out(format!("To use switches of your own or Hyper-V isolation: wcow host enable {name}; wcow host reboot"))
                .fix(Fix::EnableFeature(name.to_owned()));
        }
    }
    if seen.has_module("Hyper-V") == Some(false) {
        verdict
            .warn("the PowerShell module Hyper-V is not there")
            .cause("hyper-v-cmdlets-missing");
    }
    verdict
}

fn virtualization(seen: &Seen) -> Verdict {
    let hardware = need!(seen.hardware);
    let mut verdict = Verdict::ok();
    if hardware.virtualization {
        return verdict.saw("the processors offer virtualization");
    }
    let way_out = match seen.info.machine {
        Machine::Virtual => {
            "On the machine below, with this one off: Set-VMProcessor -VMName NAME -ExposeVirtualizationExtensions $true"
        }
        Machine::Physical => "Turn virtualization on in the firmware of the machine.",
    };
    verdict
        .warn("the processors offer no virtualization: Hyper-V isolation cannot work")
        .cause("hyper-v-not-installed")
        .way_out(way_out);
    verdict
}

fn memory(seen: &Seen) -> Verdict {
    let hardware = need!(seen.hardware);
    let text = format!("{} MiB", hardware.memory_mib);
    let mut verdict = Verdict::ok();
    if hardware.memory_mib >= LITTLE_MEMORY {
        return verdict.saw(text);
    }
    verdict
        .warn(text)
        .cause("unexpected-exit")
        .way_out("Give the machine 1 GiB or more, and 2 GiB for Hyper-V isolation.");
    verdict
}

fn rights(seen: &Seen) -> Verdict {
    let refused: Vec<_> = seen
        .errors
        .iter()
        .filter_map(|error| {
            let code = error.hresult()?;
            let privilege = code == win32::PRIVILEGE_NOT_HELD;
            let access = [win32::ACCESS_DENIED, v2::ACCESS_DENIED];
            (privilege || access.contains(&code)).then_some((error, privilege))
        })
        .collect();
    let identity = need!(&seen.identity);
    let mut verdict = Verdict::ok();
    match identity {
        Identity::Administrator if refused.is_empty() => {
            return verdict.saw(format!(
                "the caller is {identity}, and every call that looks at the host was allowed"
            ));
        }
        Identity::Administrator => {}
        Identity::HyperVAdministrator => {
            verdict
                .warn(format!(
                    "the caller is {identity}: layers cannot be attached or mounted"
                ))
                .cause("privilege-missing")
                .cause("elevation-missing");
        }
        Identity::PlainUser => {
            verdict
                .fail(format!("the caller is {identity}"))
                .cause("not-an-administrator")
                .cause("hyper-v-cmdlet-denied")
                .cause("elevation-missing");
        }
    }
    for (error, privilege) in refused {
        let found = verdict.fail(answer(error));
        if privilege {
            found.cause("privilege-missing");
        } else {
            found
                .cause("not-an-administrator")
                .cause("elevation-missing");
        }
    }
    verdict.way_out("Run elevated, or join the group Hyper-V Administrators and log on again.");
    verdict
}

fn vsmb_oplocks(seen: &Seen) -> Verdict {
    let mut verdict = Verdict::ok();
    match need!(seen.value(CONTAINERS_KEY, "VSmbDisableOplocks")) {
        Some(RegistryData::Dword(1)) => {
            verdict
                .fail(format!(r"HKLM\{CONTAINERS_KEY}: VSmbDisableOplocks = 1"))
                .way_out("Delete the value and restart the host: it was a work-around for builds that are long gone.");
            verdict
        }
        Some(data) => verdict.saw(format!("VSmbDisableOplocks = {data}")),
        None => verdict.saw("no such value"),
    }
}

fn template_overrides(seen: &Seen) -> Verdict {
    let mut verdict = Verdict::ok();
    for value in need!(seen.registry) {
        let is_override = value.key.eq_ignore_ascii_case(CONTAINERS_KEY)
            && value.name.to_lowercase().starts_with("zz");
        if is_override {
            verdict
                .fail(format!(r"HKLM\{}: {} = {}", value.key, value.name, value.data))
                .way_out("Delete the values whose names begin with zz, and restart the service vmcompute.");
        }
    }
    if verdict.evidence.is_empty() {
        verdict.note("no value whose name begins with zz");
    }
    verdict
}

fn bitlocker_policy(seen: &Seen) -> Verdict {
    let mut verdict = Verdict::ok();
    match need!(seen.value(BITLOCKER_KEY, "FDVDenyWriteAccess")) {
        Some(RegistryData::Dword(1)) => {
            verdict
                .fail(format!(r"HKLM\{BITLOCKER_KEY}: FDVDenyWriteAccess = 1"))
                .way_out("Take the policy away that denies writing to drives without BitLocker: the disks of containers are such drives.");
            verdict
        }
        Some(data) => verdict.saw(format!("FDVDenyWriteAccess = {data}")),
        None => verdict.saw("no such policy"),
    }
}

/// Docker's, not ours: it is told for whoever uses both.
fn event_source(seen: &Seen) -> Verdict {
    let values = need!(seen.registry);
    let registered = values
        .iter()
        .any(|value| value.key.eq_ignore_ascii_case(DOCKER_SOURCE_KEY));
    Verdict::ok().saw(if registered {
        "the event source docker is registered"
    } else {
        "the event source docker is not registered; wcow does without it"
    })
}

fn recent_events(seen: &Seen) -> Verdict {
    let events = need!(seen.events);
    let mut verdict = Verdict::ok();
    let bad: Vec<_> = events
        .iter()
        .filter(|event| event.level >= EventLevel::Error)
        .filter(|event| {
            // The general logs are full of what is not about containers.
            let general = matches!(event.channel.as_str(), "System" | "Application");
            let text = event.message.to_lowercase();
            !general
                || ["container", "vmcompute", "hns", "wcifs"]
                    .iter()
                    .any(|word| text.contains(word))
        })
        .collect();
    for event in bad.iter().take(SHOWN_EVENTS) {
        verdict.warn(format!(
            "{} {} {} {}: {}",
            event.time, event.channel, event.provider, event.id, event.message
        ));
        if event.message.to_uppercase().contains("C03A001C") {
            verdict
                .warn("0xC03A001C is what a foreign filter driver makes of a layer")
                .cause("layer-filter-conflict");
        }
    }
    if let Some(more) = bad.len().checked_sub(SHOWN_EVENTS).filter(|more| *more > 0) {
        verdict.note(format!("and {more} more"));
    }
    if bad.is_empty() {
        return verdict.saw(format!(
            "{} entries, none of them an error of containers",
            events.len()
        ));
    }
    verdict.cause("unexpected-exit").way_out(
        "Read them in full: Get-WinEvent -LogName NAME. wcow explain CODE says what a code means.",
    );
    verdict
}
