//! Utility virtual machines of Hyper-V containers, and guests that do not answer.

use super::{FROM_2016, FROM_TP5, TP5};
use crate::Operation;
use crate::codes::{v1, v2, win32};
use crate::era::Provenance;
use crate::failures::{Cause, Failure, FailureCode, FailureId, Simulated};

pub(super) const FAILURES: &[Failure] = &[
    Failure {
        id: FailureId("guest-not-answering"),
        title: "The virtual machine of a Hyper-V container does not answer",
        codes: &[
            FailureCode::Hresult(v1::CONNECTION_TIMEOUT.0),
            FailureCode::Hresult(v2::CONNECTION_TIMEOUT.0),
        ],
        hosts: FROM_TP5,
        operations: &[Operation::CreateSystem, Operation::StartSystem],
        trigger: "The utility virtual machine hangs while it starts: the host has too little free memory, is itself a slow virtual machine, or the image is newer than the host.",
        way_out: "Free memory or give the container more, restart the host, and use an image that is not newer than the host.",
        source: "docker/for-win#1067, #1846, #8770, moby#36635, iis-docker#27, nav-docker#472",
        provenance: Provenance::Verbatim,
        reported: &[14],
        cause: Cause::Passing,
        simulated: Simulated::No(
            "Simulated utility virtual machines do not hang: one without memory ends, see unexpected-exit.",
        ),
    },
    Failure {
        id: FailureId("utility-vm-unreachable"),
        title: "No connection to the virtual machine of a Hyper-V container comes about",
        codes: &[
            FailureCode::Hresult(v1::CONNECT_FAILED.0),
            FailureCode::Hresult(v2::CONNECT_FAILED.0),
        ],
        hosts: FROM_TP5,
        operations: &[
            Operation::CreateSystem,
            Operation::StartSystem,
            Operation::CreateProcess,
        ],
        trigger: "The utility virtual machine runs, but what should answer in it does not: the host is a Nano Server of Technical Preview 5, image and host do not fit each other, or the machine stopped at once.",
        way_out: "Use an image of the build of the host, on a host that is no preview, and start the container again; the Hyper-V-Worker event log says how the machine ended.",
        source: "Virtualization-Documentation#358",
        provenance: Provenance::Verbatim,
        reported: &[58],
        cause: Cause::Passing,
        simulated: Simulated::Yes,
    },
    Failure {
        id: FailureId("utility-vm-incomplete"),
        title: "The image cannot run in a virtual machine: its utility VM is incomplete",
        codes: &[
            FailureCode::Hresult(win32::PATH_NOT_FOUND.0),
            FailureCode::Text("ProcessUtilityVMImage"),
        ],
        hosts: FROM_TP5,
        operations: &[Operation::ProcessUtilityVm],
        trigger: "The folder UtilityVM of the base layer lacks the EFI boot files, as it does in images that were put together by hand.",
        way_out: "Take the base image from its original source, or run the container process-isolated.",
        source: "docker/for-win#3889",
        provenance: Provenance::Verbatim,
        reported: &[13],
        cause: Cause::Passing,
        simulated: Simulated::Yes,
    },
    Failure {
        id: FailureId("utility-vm-of-another-preview"),
        title: "The image of an earlier preview has no utility VM for this one",
        codes: &[
            FailureCode::Hresult(win32::FILE_NOT_FOUND.0),
            FailureCode::Text("create vm utility error: The system cannot find the file specified"),
        ],
        hosts: TP5,
        operations: &[Operation::CreateSystem],
        trigger: "An image of Technical Preview 4 was kept when the host became Technical Preview 5, which keeps utility virtual machines elsewhere.",
        way_out: "Remove the image, and install the one of Technical Preview 5.",
        source: "Virtualization-Documentation#252",
        provenance: Provenance::Verbatim,
        reported: &[56],
        cause: Cause::Lasting,
        simulated: Simulated::No("Simulated hosts are not updated in place."),
    },
    Failure {
        id: FailureId("disk-access-missing"),
        title: "The virtual machine may not open the disk of the container",
        codes: &[FailureCode::Hresult(win32::ACCESS_DENIED.0)],
        hosts: FROM_2016,
        operations: &[
            Operation::CreateSystem,
            Operation::StartSystem,
            Operation::ModifySystem,
        ],
        trigger: "A disk of a Hyper-V container or of a virtual machine does not grant access to the account of virtual machines (S-1-5-83-0 or the machine's own). Where the service tells more than the code, it is that the machine could not be made: \"Detail\":\"Construct\".",
        way_out: "Grant the access with HcsGrantVmAccess, or with icacls for the group NT VIRTUAL MACHINE\\Virtual Machines.",
        source: "appsandbox#99",
        provenance: Provenance::Verbatim,
        reported: &[45],
        cause: Cause::Lasting,
        simulated: Simulated::Yes,
    },
];
