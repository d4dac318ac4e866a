//! The types of the boundary, by the names that Microsoft's headers have for them, so that a signature here reads as it does in the
//! tables of `wcow-hcs`. On Windows they are the same types as those of windows-sys.

#![expect(
    non_snake_case,
    non_camel_case_types,
    reason = "the names of the headers"
)]

use std::ffi::c_void;

/// 0 or positive for success.
pub type HRESULT = i32;
/// UTF-16 with a NUL at its end, to be read.
pub type PCWSTR = *const u16;
/// UTF-16 with a NUL at its end, to be written or handed over.
pub type PWSTR = *mut u16;
/// Something of the system's. On Unix a file descriptor as a number.
pub type HANDLE = *mut c_void;
/// A compute system.
pub type HCS_SYSTEM = *mut c_void;
/// A process in one.
pub type HCS_PROCESS = *mut c_void;
/// An operation.
pub type HCS_OPERATION = *mut c_void;
/// What an operation does.
pub type HCS_OPERATION_TYPE = i32;
/// What a registration asks for.
pub type HCS_EVENT_OPTIONS = i32;
/// What an operation tells of itself.
pub type HCS_OPERATION_OPTIONS = i32;
/// What a resource of an operation is.
pub type HCS_RESOURCE_TYPE = i32;
/// Called when an operation has ended.
pub type HCS_OPERATION_COMPLETION =
    Option<unsafe extern "system" fn(operation: HCS_OPERATION, context: *const c_void)>;
/// Called with events of the second generation.
pub type HCS_EVENT_CALLBACK =
    Option<unsafe extern "system" fn(event: *const HCS_EVENT, context: *const c_void)>;
/// Called with notifications of the first generation.
pub type HCS_NOTIFICATION_CALLBACK = Option<
    unsafe extern "system" fn(
        notificationtype: u32,
        context: *const c_void,
        notificationstatus: HRESULT,
        notificationdata: PCWSTR,
    ),
>;
/// Called with notifications of networks.
pub type HCN_NOTIFICATION_CALLBACK = HCS_NOTIFICATION_CALLBACK;

/// A protocol that ports are reserved for: 1 TCP, 2 UDP, 3 both.
pub type HCN_PORT_PROTOCOL = i32;
/// Who may use reserved ports: 1 one, 2 all who reserve them so.
pub type HCN_PORT_ACCESS = i32;

/// Ports that are reserved.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct HCN_PORT_RANGE_RESERVATION {
    /// The first.
    pub startingPort: u16,
    /// The last.
    pub endingPort: u16,
}

/// Ports that are reserved, in a list.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HCN_PORT_RANGE_ENTRY {
    /// The service that reserved them.
    pub OwningPartitionId: GUID,
    /// Where what arrives there goes.
    pub TargetPartitionId: GUID,
    /// For which protocols.
    pub Protocol: HCN_PORT_PROTOCOL,
    /// 0.
    pub Priority: u64,
    /// 0.
    pub ReservationType: u32,
    /// 0.
    pub SharingFlags: u32,
    /// 0.
    pub DeliveryMode: u32,
    /// The first port.
    pub StartingPort: u16,
    /// The last port.
    pub EndingPort: u16,
}

/// An event of the second generation.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HCS_EVENT {
    /// What it is about.
    pub Type: i32,
    /// A document, or null.
    pub EventData: PCWSTR,
    /// The operation that it is about, or null.
    pub Operation: HCS_OPERATION,
}

/// A process and its streams.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HCS_PROCESS_INFORMATION {
    /// Its id in the container.
    pub ProcessId: u32,
    /// 0.
    pub Reserved: u32,
    /// Where its standard input is written; null if there is no pipe.
    pub StdInput: HANDLE,
    /// Where its standard output is read; null if there is no pipe.
    pub StdOutput: HANDLE,
    /// Where its standard error is read; null if there is no pipe.
    pub StdError: HANDLE,
}

impl Default for HCS_PROCESS_INFORMATION {
    fn default() -> Self {
        Self {
            ProcessId: 0,
            Reserved: 0,
            StdInput: std::ptr::null_mut(),
            StdOutput: std::ptr::null_mut(),
            StdError: std::ptr::null_mut(),
        }
    }
}

/// What a creation is given beside its document; not looked into.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HCS_CREATE_OPTIONS {
    /// 0x10000 for the first form.
    pub Version: u32,
}

/// Who may do what; not looked into.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SECURITY_DESCRIPTOR {
    _private: [u8; 0],
}

/// An id.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GUID {
    /// The first group.
    pub data1: u32,
    /// The second.
    pub data2: u16,
    /// The third.
    pub data3: u16,
    /// The rest.
    pub data4: [u8; 8],
}

impl From<wcow_ntmeta::Guid> for GUID {
    fn from(id: wcow_ntmeta::Guid) -> Self {
        let number = id.to_u128();
        let bytes = number.to_be_bytes();
        let [.., a, b, c, d, e, f, g, h] = bytes;
        Self {
            data1: (number >> 96) as u32,
            data2: (number >> 80 & 0xFFFF) as u16,
            data3: (number >> 64 & 0xFFFF) as u16,
            data4: [a, b, c, d, e, f, g, h],
        }
    }
}

impl From<GUID> for wcow_ntmeta::Guid {
    fn from(id: GUID) -> Self {
        let rest = u64::from_be_bytes(id.data4);
        Self::from_u128(
            u128::from(id.data1) << 96
                | u128::from(id.data2) << 80
                | u128::from(id.data3) << 64
                | u128::from(rest),
        )
    }
}

/// What a layer function is told of the driver.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DriverInfo {
    /// 1, the filter driver.
    pub flavour: i32,
    /// The folder that layer ids are relative to; empty where ids are whole paths.
    pub home: PCWSTR,
}

/// A parent of a layer.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct LayerDescriptor {
    /// Its id.
    pub id: GUID,
    /// Bit 31: it was not closed well.
    pub flags: u32,
    /// Its folder.
    pub path: PCWSTR,
}

#[cfg(target_pointer_width = "64")]
const _: () = {
    assert!(size_of::<HCS_PROCESS_INFORMATION>() == 32);
    assert!(size_of::<HCS_EVENT>() == 24);
    assert!(size_of::<GUID>() == 16);
    assert!(size_of::<HCN_PORT_RANGE_ENTRY>() == 64);
    assert!(size_of::<DriverInfo>() == 16);
    assert!(size_of::<LayerDescriptor>() == 32);
};
