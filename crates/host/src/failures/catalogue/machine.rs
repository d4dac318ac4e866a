//! The machine itself: its disk, its being there, other programs on it.

use super::ANY;
use crate::Operation;
use crate::codes::win32;
use crate::era::Provenance;
use crate::failures::{Cause, Failure, FailureCode, FailureId, Simulated};

pub(super) const FAILURES: &[Failure] = &[
    Failure {
        id: FailureId("host-unreachable"),
        title: "The host is down, or the connection to it was lost",
        codes: &[
            FailureCode::Hresult(win32::RPC_S_SERVER_UNAVAILABLE.0),
            FailureCode::Hresult(win32::RPC_S_CALL_FAILED.0),
            FailureCode::Hresult(win32::RPC_S_CALL_FAILED_DNE.0),
        ],
        hosts: ANY,
        operations: Operation::ALL,
        trigger: "The host, or the service behind the call, restarts while a call is on its way.",
        way_out: "Wait until the host is up, look what is there, and give the command again: of 0x6BE nobody knows whether the call took effect.",
        source: "Microsoft Learn, System Error Codes (1700-3999)",
        provenance: Provenance::Standard,
        reported: &[],
        cause: Cause::Passing,
        simulated: Simulated::Yes,
    },
    Failure {
        id: FailureId("disk-error"),
        title: "A disk of the host returns errors",
        codes: &[FailureCode::Hresult(win32::IO_DEVICE.0)],
        hosts: ANY,
        operations: ON_DISK,
        trigger: "A disk, its cable or its driver fails; of a virtual machine, the storage below it.",
        way_out: "Look for Disk and Ntfs events in the System log and check the disk; then give the command again.",
        source: "Microsoft Learn, System Error Codes (1000-1299)",
        provenance: Provenance::Standard,
        reported: &[],
        cause: Cause::Passing,
        simulated: Simulated::Yes,
    },
    Failure {
        id: FailureId("file-in-use"),
        title: "Another program has a file open",
        codes: &[FailureCode::Hresult(win32::SHARING_VIOLATION.0)],
        hosts: ANY,
        operations: ON_DISK,
        trigger: "A scanner, an indexer or a backup has the file open, or another command of wcow that is under way.",
        way_out: "Give the command again; if it stays, exclude wcow's folders from the scanner, or find the program with handle.exe.",
        source: "Microsoft Learn, System Error Codes (0-499)",
        provenance: Provenance::Standard,
        reported: &[],
        cause: Cause::Passing,
        simulated: Simulated::Yes,
    },
];

/// The calls of the file system.
const ON_DISK: &[Operation] = &[
    Operation::FileMetadata,
    Operation::ListDirectory,
    Operation::CreateDirectory,
    Operation::ReadFile,
    Operation::WriteFile,
    Operation::CopyFile,
    Operation::FlushFile,
    Operation::MoveFile,
    Operation::DeleteFile,
    Operation::RemoveDirectory,
    Operation::LockFile,
    Operation::WriteTree,
];
