//! Programs: those that manage containers, the services themselves, and those in containers.

use super::{ANY, FROM_2016, FROM_TP5};
use crate::Operation;
use crate::codes::{nt, win32};
use crate::era::Provenance;
use crate::failures::{Cause, Failure, FailureCode, FailureId, Simulated};

pub(super) const FAILURES: &[Failure] = &[
    Failure {
        id: FailureId("memory-limit-reached"),
        title: "The container has no memory left for a program",
        codes: &[
            FailureCode::Hresult(win32::COMMITMENT_LIMIT.0),
            FailureCode::ExitCode(nt::COMMITMENT_LIMIT.0),
        ],
        hosts: FROM_2016,
        operations: &[Operation::CreateProcess],
        trigger: "The programs of the container have committed as much memory as its limit allows together. Who asks for more is refused; the others go on.",
        way_out: "Give the container a higher limit, or run less in it: wcow container stats shows what it uses.",
        source: "Microsoft Learn, System Error Codes (1300-1699), and Job Objects",
        provenance: Provenance::Documented,
        reported: &[],
        cause: Cause::Passing,
        simulated: Simulated::Yes,
    },
    Failure {
        id: FailureId("notification-lost"),
        title: "The client waits for a notification that does not come",
        codes: &[FailureCode::Text("timeout waiting for notification")],
        hosts: FROM_TP5,
        operations: &[
            Operation::CreateSystem,
            Operation::StartSystem,
            Operation::WaitSystem,
        ],
        trigger: "The compute service hangs, or its answer came before the client listened. After four minutes most clients give up; what they asked for may have happened.",
        way_out: "Look what there is, restart the service vmcompute, and give the command again.",
        source: "moby#39622, hcsshim#763, moby#22543, #30605",
        provenance: Provenance::Verbatim,
        reported: &[21],
        cause: Cause::Passing,
        simulated: Simulated::No(
            "The text is a client's own; wcow asks the service again instead of giving up.",
        ),
    },
    Failure {
        id: FailureId("compute-service-crashes"),
        title: "The compute service crashes",
        codes: &[FailureCode::ExitCode(nt::STACK_BUFFER_OVERRUN.0)],
        hosts: FROM_2016,
        operations: &[],
        trigger: "A fault in vmcompute.exe. Windows writes an event of source Application Error, and starts the service again.",
        way_out: "Install the current update of Windows. Containers that ran are gone: start them again.",
        source: "docker/for-win#9399",
        provenance: Provenance::Verbatim,
        reported: &[48],
        cause: Cause::Lasting,
        simulated: Simulated::No(
            "A simulated service crashes when it is told to, and leaves no exit code.",
        ),
    },
    Failure {
        id: FailureId("desktop-heap-exhausted"),
        title: "A program ends before it begins: a DLL could not initialise",
        codes: &[FailureCode::ExitCode(nt::DLL_INIT_FAILED.0)],
        hosts: ANY,
        operations: &[],
        trigger: "The session has no desktop heap left, mostly because a service account starts very many programs.",
        way_out: "Run the program that starts them under an account of its own, start fewer at once, or enlarge the desktop heap of non-interactive sessions.",
        source: "moby#43685",
        provenance: Provenance::Documented,
        reported: &[49],
        cause: Cause::Passing,
        simulated: Simulated::No("Simulated programs use no desktop heap."),
    },
];
