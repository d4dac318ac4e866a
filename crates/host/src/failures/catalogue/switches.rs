//! Virtual switches and NAT objects.

use super::{ANY, FROM_TP5, NANO_TP3, NOT_RECOGNIZED};
use crate::Operation;
use crate::codes::{self, win32};
use crate::era::Provenance;
use crate::failures::{Failure, FailureCode, FailureId, Simulated};

pub(super) const FAILURES: &[Failure] = &[
    Failure {
        id: FailureId("netnat-missing"),
        title: "The NetNat module is missing, so no NAT can be made",
        codes: &[NOT_RECOGNIZED],
        hosts: NANO_TP3,
        operations: &[
            Operation::NewNat,
            Operation::ListNats,
            Operation::RemoveNat,
            Operation::AddStaticMapping,
            Operation::ListStaticMappings,
            Operation::RemoveStaticMapping,
        ],
        trigger: "Nano Server has no NetNat module before Technical Preview 4. A NAT switch can be created, but nothing translates its addresses.",
        way_out: "There is none on this host. Use a host of Technical Preview 4 or later, or a Server Core host of the same build.",
        source: "field report of 2015",
        provenance: Provenance::Verbatim,
        simulated: Simulated::Yes,
    },
    Failure {
        id: FailureId("hyper-v-cmdlets-missing"),
        title: "The Hyper-V cmdlets are missing",
        codes: &[NOT_RECOGNIZED],
        hosts: ANY,
        operations: &[
            Operation::NewSwitch,
            Operation::ListSwitches,
            Operation::RemoveSwitch,
        ],
        trigger: "The Hyper-V PowerShell module is not installed. On Nano Server it comes with the package Compute, elsewhere with the feature Hyper-V.",
        way_out: "On Nano Server add the package Compute; elsewhere enable the feature Hyper-V. Then restart the host.",
        source: "field report of 2015",
        provenance: Provenance::Standard,
        simulated: Simulated::Yes,
    },
    Failure {
        id: FailureId("switch-no-matching-element"),
        title: "Nano Server TP3 cannot create this type of switch",
        codes: &[FailureCode::PowerShellId(
            "InvalidOperation,Microsoft.HyperV.PowerShell.Commands.NewVMSwitch",
        )],
        hosts: NANO_TP3,
        operations: &[Operation::NewSwitch],
        trigger: "New-VMSwitch of Nano Server TP3 looks for a management class that this edition lacks. Types External, Internal and Private all fail, and nothing is created.",
        way_out: "There is none on this host. A switch of type NAT can be created; every type works on a Server Core host of the same build and from Technical Preview 4 on.",
        source: "field report of 2015",
        provenance: Provenance::Verbatim,
        simulated: Simulated::Yes,
    },
    Failure {
        id: FailureId("nat-switch-type-gone"),
        title: "Virtual switches of type NAT do not exist on this host",
        codes: &[FailureCode::PowerShellId(
            "NamedParameterNotFound,Microsoft.HyperV.PowerShell.Commands.NewVMSwitch",
        )],
        hosts: FROM_TP5,
        operations: &[Operation::NewSwitch],
        trigger: "The switch type NAT was taken out with Technical Preview 5, when the Host Network Service came.",
        way_out: "Create a NAT network of the Host Network Service instead.",
        source: "documents of TP3 to TP5",
        provenance: Provenance::Inferred,
        simulated: Simulated::Yes,
    },
    Failure {
        id: FailureId("external-switch-no-adapter"),
        title: "The physical adapter for an external switch is not there",
        codes: &[FailureCode::PowerShellId(
            "ObjectNotFound,Microsoft.HyperV.PowerShell.Commands.NewVMSwitch",
        )],
        hosts: ANY,
        operations: &[Operation::NewSwitch],
        trigger: "No physical adapter has the name that was given.",
        way_out: "List the adapters with Get-NetAdapter, and name one that is physical and up. In a virtual machine a Nano Server needs the package Guest to have one.",
        source: "Hyper-V switch rules",
        provenance: Provenance::Inferred,
        simulated: Simulated::Yes,
    },
    Failure {
        id: FailureId("adapter-in-use"),
        title: "The physical adapter belongs to another switch",
        codes: &[FailureCode::PowerShellId(
            "InvalidParameter,Microsoft.HyperV.PowerShell.Commands.NewVMSwitch",
        )],
        hosts: ANY,
        operations: &[Operation::NewSwitch],
        trigger: "An adapter carries one external switch or one transparent network at a time.",
        way_out: "Use the switch that is there, remove it first, or name another adapter.",
        source: "Hyper-V switch rules",
        provenance: Provenance::Inferred,
        simulated: Simulated::Yes,
    },
    Failure {
        id: FailureId("nat-prefix-conflict"),
        title: "The NAT prefix conflicts with one that is there",
        codes: &[
            FailureCode::PowerShellId("Windows System Error 87,New-NetNat"),
            FailureCode::Hresult(win32::INVALID_PARAMETER.0),
        ],
        hosts: ANY,
        operations: &[Operation::NewNat, Operation::CreateNetwork],
        trigger: "WinNAT takes one internal prefix per host up to Windows Server 2022, and no two that overlap on any host. Something translates already: a NetNat, or a NAT network.",
        way_out: "Look at Get-NetNat and at the NAT networks. Remove what is no longer used, or choose a subnet inside the prefix that is there (before version 1709) or one that overlaps none (later).",
        source: "Virtualization-Documentation#361, moby#30280, microsoft/SDN#177",
        provenance: Provenance::Verbatim,
        simulated: Simulated::Yes,
    },
    Failure {
        id: FailureId("netnat-provider-missing"),
        title: "The NetNat cmdlets are there, but not what is behind them",
        codes: &[
            FailureCode::PowerShellId("HRESULT 0x80041010,New-NetNat"),
            FailureCode::Hresult(codes::WMI_INVALID_CLASS.0),
        ],
        hosts: ANY,
        operations: &[Operation::NewNat, Operation::ListNats],
        trigger: "The management class MSFT_NetNat is not registered: a component of Windows is only partly installed.",
        way_out: "Enable the feature Containers or Hyper-V completely and restart the host.",
        source: "WgServerforWindows#30",
        provenance: Provenance::Verbatim,
        simulated: Simulated::No("Simulated hosts are never half installed."),
    },
];
