//! Codes of the Host Compute Service: facility 0x37, in the spelling of version 1 (0xC037....) and of version 2 (0x8037....).
//!
//! Names and texts: Microsoft's HCS reference, "HCS error codes", and the SDK header `computecore.h`. Texts end with a full stop
//! at run time, though the reference leaves it out. Older wordings: threads of 2016 to 2018, named beside each.
//!
//! A host answers in the spelling of the entry point that was called, and the two are different answers. Only the customer bit
//! (0x40000000) tells them apart; 0x0103 and 0x0104 exist in version 1 only, everything from 0x0114 on in version 2 only.

use super::Row;

macro_rules! hcs {
    ($($low:literal $both:tt $name:ident = $public:literal, $text:expr;)*) => {
        /// Version 1, `vmcompute.dll`: 0xC037....
        pub mod v1 {
            use wcow_ntmeta::Hresult;
            $(hcs!(@v1 $both $name $low $public);)*
        }

        /// Version 2, `computecore.dll`: 0x8037....
        pub mod v2 {
            use wcow_ntmeta::Hresult;
            $(hcs!(@v2 $both $name $low $public);)*
        }

        /// Every code by its low word.
        const ROWS: &[HcsRow] = &[$(HcsRow {
            low: $low,
            v1: hcs!(@in_v1 $both),
            v2: hcs!(@in_v2 $both),
            name: $public,
            text: $text,
        },)*];
    };
    (@v1 v2 $name:ident $low:literal $public:literal) => {};
    (@v1 $both:tt $name:ident $low:literal $public:literal) => {
        #[doc = concat!("`", $public, "`")]
        pub const $name: Hresult = Hresult(0xC037_0000 | $low);
    };
    (@v2 v1 $name:ident $low:literal $public:literal) => {};
    (@v2 $both:tt $name:ident $low:literal $public:literal) => {
        #[doc = concat!("`", $public, "`")]
        pub const $name: Hresult = Hresult(0x8037_0000 | $low);
    };
    (@in_v1 v2) => { false };
    (@in_v1 $both:tt) => { true };
    (@in_v2 v1) => { false };
    (@in_v2 $both:tt) => { true };
}

struct HcsRow {
    low: u32,
    v1: bool,
    v2: bool,
    name: &'static str,
    text: Option<&'static str>,
}

/// Every code of both spellings.
pub(super) fn rows() -> impl Iterator<Item = Row> {
    ROWS.iter().flat_map(|row| {
        let v1 = row.v1.then_some(Row {
            code: 0xC037_0000 | row.low,
            name: row.name,
            text: row.text,
        });
        let v2 = row.v2.then_some(Row {
            code: 0x8037_0000 | row.low,
            name: row.name,
            text: row.text,
        });
        v1.into_iter().chain(v2)
    })
}

/// Whether there is such a code.
pub(super) fn is_known(code: wcow_ntmeta::Hresult) -> bool {
    let low = code.0 & 0xFFFF;
    ROWS.iter().any(|row| {
        row.low == low
            && match code.0 & 0xFFFF_0000 {
                0xC037_0000 => row.v1,
                0x8037_0000 => row.v2,
                _ => false,
            }
    })
}

/// The code of version 1 by its name in `winerror.h`, `ERROR_VMCOMPUTE_...`: its ending is that of the name here, except for the
/// timeout.
pub(super) fn by_old_name(name: &str) -> Option<u32> {
    let name = name.to_ascii_uppercase();
    let ending = match name.strip_prefix("ERROR_VMCOMPUTE_")? {
        "TIMEOUT" => "CONNECTION_TIMEOUT",
        other => other,
    };
    ROWS.iter()
        .find(|row| row.v1 && row.name.strip_prefix("HCS_E_") == Some(ending))
        .map(|row| 0xC037_0000 | row.low)
}

/// The wording of 2016 to 2018 builds, where a thread of the time shows it.
pub(super) fn older_text(code: u32) -> Option<&'static str> {
    if code & !0x4000_0000 & 0xFFFF_0000 != 0x8037_0000 {
        return None;
    }
    let low = code & 0xFFFF;
    OLDER
        .iter()
        .find(|(known, _)| *known == low)
        .map(|(_, text)| *text)
}

const OLDER: &[(u32, &str)] = &[
    // moby#35462
    (
        0x0101,
        "The operating system of the container does not match the operating system of the host.",
    ),
    // docker/for-win#2030
    (0x0106, "The compute system exited unexpectedly."),
    // Virtualization-Documentation#358
    (
        0x0108,
        "A connection could not be established with the Virtual Machine hosting the Container.",
    ),
    // moby#36635, docker/for-win#1067
    (
        0x0109,
        "The operation timed out because a response was not received from the Virtual Machine hosting the Container.",
    ),
    // azure-container-networking#235
    (
        0x010E,
        "A Compute System with the specified identifier does not exist.",
    ),
    // navcontainerhelper#35
    (
        0x010F,
        "A Compute System with the specified identifier already exists.",
    ),
];

hcs! {
    0x0100 both TERMINATED_DURING_START = "HCS_E_TERMINATED_DURING_START", Some("The virtual machine or container exited unexpectedly while starting.");
    0x0101 both IMAGE_MISMATCH = "HCS_E_IMAGE_MISMATCH", Some("The container operating system does not match the host operating system.");
    0x0102 both HYPERV_NOT_INSTALLED = "HCS_E_HYPERV_NOT_INSTALLED", Some("The virtual machine could not be started because a required feature is not installed.");
    0x0103 v1 OPERATION_PENDING = "ERROR_VMCOMPUTE_OPERATION_PENDING", None;
    0x0104 v1 TOO_MANY_NOTIFICATIONS = "ERROR_VMCOMPUTE_TOO_MANY_NOTIFICATIONS", None;
    0x0105 both INVALID_STATE = "HCS_E_INVALID_STATE", Some("The requested virtual machine or container operation is not valid in the current state.");
    0x0106 both UNEXPECTED_EXIT = "HCS_E_UNEXPECTED_EXIT", Some("The virtual machine or container exited unexpectedly.");
    0x0107 both TERMINATED = "HCS_E_TERMINATED", Some("The virtual machine or container was forcefully exited.");
    0x0108 both CONNECT_FAILED = "HCS_E_CONNECT_FAILED", Some("A connection could not be established with the container or virtual machine.");
    0x0109 both CONNECTION_TIMEOUT = "HCS_E_CONNECTION_TIMEOUT", Some("The operation timed out because a response was not received from the virtual machine or container.");
    0x010A both CONNECTION_CLOSED = "HCS_E_CONNECTION_CLOSED", Some("The connection with the virtual machine or container was closed.");
    0x010B both UNKNOWN_MESSAGE = "HCS_E_UNKNOWN_MESSAGE", Some("An unknown internal message was received by the virtual machine or container.");
    0x010C both UNSUPPORTED_PROTOCOL_VERSION = "HCS_E_UNSUPPORTED_PROTOCOL_VERSION", Some("The virtual machine or container does not support an available version of the communication protocol with the host.");
    0x010D both INVALID_JSON = "HCS_E_INVALID_JSON", Some("The virtual machine or container JSON document is invalid.");
    0x010E both SYSTEM_NOT_FOUND = "HCS_E_SYSTEM_NOT_FOUND", Some("A virtual machine or container with the specified identifier does not exist.");
    0x010F both SYSTEM_ALREADY_EXISTS = "HCS_E_SYSTEM_ALREADY_EXISTS", Some("A virtual machine or container with the specified identifier already exists.");
    0x0110 both SYSTEM_ALREADY_STOPPED = "HCS_E_SYSTEM_ALREADY_STOPPED", Some("The virtual machine or container with the specified identifier is not running.");
    0x0111 both PROTOCOL_ERROR = "HCS_E_PROTOCOL_ERROR", Some("A communication protocol error has occurred between the virtual machine or container and the host.");
    0x0112 both INVALID_LAYER = "HCS_E_INVALID_LAYER", Some("The container image contains a layer with an unrecognized format.");
    0x0113 both WINDOWS_INSIDER_REQUIRED = "HCS_E_WINDOWS_INSIDER_REQUIRED", Some("To use this container image, you must join the Windows Insider Program.");
    0x0114 v2 SERVICE_NOT_AVAILABLE = "HCS_E_SERVICE_NOT_AVAILABLE", Some("The operation could not be started because a required feature is not installed.");
    0x0115 v2 OPERATION_NOT_STARTED = "HCS_E_OPERATION_NOT_STARTED", Some("The operation has not started.");
    0x0116 v2 OPERATION_ALREADY_STARTED = "HCS_E_OPERATION_ALREADY_STARTED", Some("The operation is already running.");
    0x0117 v2 OPERATION_PENDING = "HCS_E_OPERATION_PENDING", Some("The operation is still running.");
    0x0118 v2 OPERATION_TIMEOUT = "HCS_E_OPERATION_TIMEOUT", Some("The operation did not complete in time.");
    0x0119 v2 OPERATION_SYSTEM_CALLBACK_ALREADY_SET = "HCS_E_OPERATION_SYSTEM_CALLBACK_ALREADY_SET", Some("An event callback has already been registered on this handle.");
    0x011A v2 OPERATION_RESULT_ALLOCATION_FAILED = "HCS_E_OPERATION_RESULT_ALLOCATION_FAILED", Some("Not enough memory available to return the result of the operation.");
    0x011B v2 ACCESS_DENIED = "HCS_E_ACCESS_DENIED", Some("Insufficient privileges. Only administrators or users that are members of the Hyper-V Administrators user group are permitted to access virtual machines or containers. To add yourself to the Hyper-V Administrators user group, please see https://aka.ms/hcsadmin for more information.");
    0x011C v2 GUEST_CRITICAL_ERROR = "HCS_E_GUEST_CRITICAL_ERROR", Some("The virtual machine or container reported a critical error and was stopped or restarted.");
    0x011D v2 PROCESS_INFO_NOT_AVAILABLE = "HCS_E_PROCESS_INFO_NOT_AVAILABLE", Some("The process information is not available.");
    0x011E v2 SERVICE_DISCONNECT = "HCS_E_SERVICE_DISCONNECT", Some("The host compute system service has disconnected unexpectedly.");
    0x011F v2 PROCESS_ALREADY_STOPPED = "HCS_E_PROCESS_ALREADY_STOPPED", Some("The process has already exited.");
    0x0120 v2 SYSTEM_NOT_CONFIGURED_FOR_OPERATION = "HCS_E_SYSTEM_NOT_CONFIGURED_FOR_OPERATION", None;
    0x0121 v2 OPERATION_ALREADY_CANCELLED = "HCS_E_OPERATION_ALREADY_CANCELLED", None;
}
