//! What technical previews lack.

use wcow_host::failures::Hosts;
use wcow_host::{EditionClass, Machine};

use super::verdict::{Verdict, need};
use super::{Check, PREVIEWS, SUPPORT, Seen, Theme, hosts};

/// Microsoft's own documents of that preview.
const DOCUMENTS: &str = "documents of Technical Preview 3; field report of 2015";
const TP3: Hosts = hosts("Technical Preview 3", 0, 10585);
/// The processors that a second container asks for there.
const FEW_PROCESSORS: u32 = 4;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "preview-packages",
        title: "A Nano Server has the packages that containers need",
        theme: Theme::Previews,
        source: DOCUMENTS,
        hosts: PREVIEWS,
        finds: &["hyper-v-cmdlets-missing", "external-switch-no-adapter"],
        run: packages,
    },
    Check {
        id: "preview-modules",
        title: "The PowerShell modules of containers, switches and NAT are there",
        theme: Theme::Previews,
        source: SUPPORT,
        hosts: PREVIEWS,
        finds: &[
            "netnat-missing",
            "container-cmdlets-missing",
            "hyper-v-cmdlets-missing",
        ],
        run: modules,
    },
    Check {
        id: "preview-switches",
        title: "Every type of virtual switch can be made",
        theme: Theme::Previews,
        source: DOCUMENTS,
        hosts: TP3,
        finds: &["switch-no-matching-element"],
        run: switches,
    },
    Check {
        id: "preview-processors",
        title: "There are processors enough to start a second container in time",
        theme: Theme::Previews,
        source: DOCUMENTS,
        hosts: TP3,
        finds: &["container-start-timeout-few-processors"],
        run: processors,
    },
];

fn packages(seen: &Seen) -> Verdict {
    if seen.info.class != EditionClass::Nano {
        return Verdict::not_applicable("only Nano Server has packages");
    }
    let there = need!(seen.packages);
    let mut verdict = Verdict::ok();
    let names: Vec<&str> = there.iter().map(|package| package.name.as_str()).collect();
    verdict.note(format!(
        "installed: {}",
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    ));
    let lacks = |name: &str| !names.contains(&name);
    if lacks("Compute") {
        verdict
            .warn("without Compute there are no virtual switches")
            .cause("hyper-v-cmdlets-missing")
            .way_out("Add it: wcow host enable Compute; wcow host reboot");
    }
    if lacks("Guest") && seen.info.machine == Machine::Virtual {
        verdict
            .warn("without Guest a virtual machine has no network adapter")
            .cause("external-switch-no-adapter")
            .way_out("Add it: wcow host enable Guest; wcow host reboot");
    }
    verdict
}

fn modules(seen: &Seen) -> Verdict {
    need!(seen.modules);
    let mut verdict = Verdict::ok();
    let lacks = |name: &str| seen.has_module(name) == Some(false);
    if lacks("Containers") {
        verdict
            .fail("the module Containers is not there")
            .cause("container-cmdlets-missing")
            .way_out("It comes with the feature, or on Nano Server the package, Containers.");
    }
    if lacks("Hyper-V") {
        verdict
            .warn("the module Hyper-V is not there: no virtual switch can be made")
            .cause("hyper-v-cmdlets-missing")
            .way_out("It comes with the feature Hyper-V, or on Nano Server the package Compute.");
    }
    if lacks("NetNat") {
        verdict
            .warn("the module NetNat is not there: no NAT can be made, and no port published")
            .cause("netnat-missing")
            .way_out("Nothing brings it to this build of Nano Server. Use Server Core, or Technical Preview 4.");
    }
    if verdict.evidence.is_empty() {
        return verdict.saw("Containers, Hyper-V and NetNat are there");
    }
    verdict
}

fn switches(seen: &Seen) -> Verdict {
    let mut verdict = Verdict::ok();
    if seen.info.class != EditionClass::Nano {
        return verdict.saw("this is no Nano Server");
    }
    verdict
        .warn("Nano Server of this preview makes switches of type NAT only")
        .cause("switch-no-matching-element")
        .way_out(
            "Use Server Core, or Technical Preview 4, for external, internal and private networks.",
        );
    verdict
}

fn processors(seen: &Seen) -> Verdict {
    let hardware = need!(seen.hardware);
    let mut verdict = Verdict::ok();
    let text = format!("{} processors", hardware.processors);
    if hardware.processors >= FEW_PROCESSORS {
        return verdict.saw(text);
    }
    verdict
        .warn(text)
        .cause("container-start-timeout-few-processors")
        .way_out("Give the machine four, or start one container after the other.");
    verdict
}
