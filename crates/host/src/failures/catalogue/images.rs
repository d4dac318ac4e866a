//! Images that do not fit the host.

use super::{ANY, FROM_2016, NOT_RECOGNIZED, PREVIEWS};
use crate::Operation;
use crate::codes::{v1, v2, win32};
use crate::era::Provenance;
use crate::failures::{Failure, FailureCode, FailureId, Simulated};

pub(super) const FAILURES: &[Failure] = &[
    Failure {
        id: FailureId("container-cmdlets-missing"),
        title: "The container cmdlets are missing",
        codes: &[NOT_RECOGNIZED],
        hosts: PREVIEWS,
        operations: &[
            Operation::CreateSystem,
            Operation::StartSystem,
            Operation::RemoveSystem,
            Operation::EnumerateSystems,
            Operation::OpenSystem,
            Operation::CreateScratch,
            Operation::ProcessBase,
            Operation::DestroyLayer,
        ],
        trigger: "The Containers module is not installed. On Nano Server it comes with the package Containers, elsewhere with the feature Containers.",
        way_out: "On Nano Server add the package Containers; elsewhere enable the feature Containers. Then restart the host.",
        source: "field report of 2015",
        provenance: Provenance::Standard,
        simulated: Simulated::Yes,
    },
    Failure {
        id: FailureId("machine-type-mismatch"),
        title: "The image is made for another edition or build",
        codes: &[FailureCode::Hresult(win32::IMAGE_MACHINE_TYPE_MISMATCH.0)],
        hosts: PREVIEWS,
        operations: &[Operation::StartSystem],
        trigger: "At start the host compares BuildNumber and ProductName in version.wcx of the image with itself. A Server Core image on a Nano Server host of the same build differs in ProductName. Nothing warns before: installing, testing and New-Container all succeed.",
        way_out: "Use an image of the same edition and build as the host, or a host of the edition of the image.",
        source: "field report of 2015",
        provenance: Provenance::Verbatim,
        simulated: Simulated::Yes,
    },
    Failure {
        id: FailureId("container-service-missing"),
        title: "Nothing in the container answers: it has no container service",
        codes: &[
            FailureCode::Hresult(win32::TIMEOUT.0),
            FailureCode::Hresult(v1::CONNECTION_TIMEOUT.0),
            FailureCode::Hresult(v2::CONNECTION_TIMEOUT.0),
        ],
        hosts: ANY,
        operations: &[Operation::StartSystem],
        trigger: "The image was not built as a container base: the service CExecSvc is not in it. Images of an install.wim and of Nano Server hosts are like that, though they install and pass every test.",
        way_out: "Use a base image that was published for containers.",
        source: "field report of 2015; moby#36635 for the code",
        provenance: Provenance::Inferred,
        simulated: Simulated::Yes,
    },
    Failure {
        id: FailureId("image-mismatch"),
        title: "The build of the image does not fit the host",
        codes: &[
            FailureCode::Hresult(v1::IMAGE_MISMATCH.0),
            FailureCode::Hresult(v2::IMAGE_MISMATCH.0),
        ],
        hosts: FROM_2016,
        operations: &[Operation::CreateSystem],
        trigger: "A process-isolated container shares the kernel of the host. Before build 20348 the builds must be equal; later hosts also take images from the last long-term release before them on. An image newer than the host never fits.",
        way_out: "Pull the tag of the image that matches the build of the host, or run it with Hyper-V isolation.",
        source: "moby#35462, dotnet-framework-docker#1265",
        provenance: Provenance::Verbatim,
        simulated: Simulated::Yes,
    },
    Failure {
        id: FailureId("windows-insider-required"),
        title: "The image is a preview for members of the Insider program",
        codes: &[
            FailureCode::Hresult(v1::WINDOWS_INSIDER_REQUIRED.0),
            FailureCode::Hresult(v2::WINDOWS_INSIDER_REQUIRED.0),
        ],
        hosts: FROM_2016,
        operations: &[Operation::CreateSystem, Operation::StartSystem],
        trigger: "The base image is an Insider build and the host is not enrolled.",
        way_out: "Enrol the host in the Windows Insider program, or use a released image.",
        source: "Microsoft Learn, HCS error codes",
        provenance: Provenance::Documented,
        simulated: Simulated::No("No Insider image is modelled."),
    },
];
