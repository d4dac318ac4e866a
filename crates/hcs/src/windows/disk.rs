//! Virtual disks, as far as scratch disks need them.
//!
//! A scratch disk is a VHDX: a dynamic one of 20 GB with blocks of 1 MiB, or one that differs from a parent.
#![expect(unsafe_code, reason = "calls virtdisk.dll")]

use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr;

use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Storage::Vhd::{
    ATTACH_VIRTUAL_DISK_FLAG_NO_DRIVE_LETTER, ATTACH_VIRTUAL_DISK_FLAG_NONE,
    ATTACH_VIRTUAL_DISK_FLAG_PERMANENT_LIFETIME, ATTACH_VIRTUAL_DISK_FLAG_READ_ONLY,
    ATTACH_VIRTUAL_DISK_PARAMETERS, ATTACH_VIRTUAL_DISK_VERSION_1, CREATE_VIRTUAL_DISK_FLAG_NONE,
    CREATE_VIRTUAL_DISK_PARAMETERS, CREATE_VIRTUAL_DISK_PARAMETERS_0,
    CREATE_VIRTUAL_DISK_PARAMETERS_0_1, CREATE_VIRTUAL_DISK_VERSION_2,
    DETACH_VIRTUAL_DISK_FLAG_NONE, OPEN_VIRTUAL_DISK_FLAG_NONE, OPEN_VIRTUAL_DISK_PARAMETERS,
    OPEN_VIRTUAL_DISK_PARAMETERS_0, OPEN_VIRTUAL_DISK_PARAMETERS_0_1, OPEN_VIRTUAL_DISK_VERSION_2,
    VIRTUAL_DISK_ACCESS_NONE, VIRTUAL_STORAGE_TYPE, VIRTUAL_STORAGE_TYPE_DEVICE_VHDX,
    VIRTUAL_STORAGE_TYPE_VENDOR_MICROSOFT,
};
use windows_sys::core::GUID;

use super::answer;
use crate::error::{Dll, Error};
use crate::raw::virtdisk as raw;
use crate::text::{Wide, from_units};

/// The most that a path of a disk takes, in units; they are short: `\\.\PhysicalDrive12`.
const LONGEST_PATH: u32 = 1024;

/// What a new disk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// Empty, and as large as this. It takes the room that is written to.
    Dynamic {
        /// The size that a reader sees.
        bytes: u64,
        /// What it grows by; 0 leaves it to the host.
        block_bytes: u32,
    },
    /// What the parent is, until it is written to.
    Differencing {
        /// The file of the parent. It must not change any more.
        parent: &'a str,
    },
}

/// Whether a disk can be written to where it is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It can.
    ReadWrite,
    /// It cannot.
    ReadOnly,
}

/// How long a disk stays attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// As long as the [`VirtualDisk`] lives.
    Handle,
    /// Until it is detached, or the host restarts.
    Host,
}

/// An open VHDX file.
#[derive(Debug)]
pub struct VirtualDisk {
    handle: OwnedHandle,
}

impl VirtualDisk {
    /// Makes the file and opens it.
    ///
    /// # Errors
    /// It is there (0x80070050); see [`Error`].
    pub fn create(path: &str, content: Content<'_>) -> Result<Self, Error> {
        const CALL: &str = "CreateVirtualDisk";
        let path = wide(CALL, path)?;
        let mut version2 = CREATE_VIRTUAL_DISK_PARAMETERS_0_1::default();
        let parent;
        match content {
            Content::Dynamic { bytes, block_bytes } => {
                version2.MaximumSize = bytes;
                version2.BlockSizeInBytes = block_bytes;
            }
            Content::Differencing { parent: file } => {
                parent = wide(CALL, file)?;
                version2.ParentPath = parent.as_ptr();
            }
        }
        let parameters = CREATE_VIRTUAL_DISK_PARAMETERS {
            Version: CREATE_VIRTUAL_DISK_VERSION_2,
            Anonymous: CREATE_VIRTUAL_DISK_PARAMETERS_0 { Version2: version2 },
        };
        let mut handle = ptr::null_mut();
        // SAFETY: all that is pointed to lives until the call returns, the parent's path too; without an OVERLAPPED it has ended
        // then. Version 2 is the member that is set, and asks for no access mask.
        let answer = unsafe {
            raw::CreateVirtualDisk(
                &VHDX,
                path.as_ptr(),
                VIRTUAL_DISK_ACCESS_NONE,
                ptr::null_mut(),
                CREATE_VIRTUAL_DISK_FLAG_NONE,
                0,
                &raw const parameters,
                ptr::null(),
                &raw mut handle,
            )?
        };
        Self::opened(CALL, answer, handle)
    }

    /// Opens the file.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn open(path: &str, access: Access) -> Result<Self, Error> {
        const CALL: &str = "OpenVirtualDisk";
        let path = wide(CALL, path)?;
        let parameters = OPEN_VIRTUAL_DISK_PARAMETERS {
            Version: OPEN_VIRTUAL_DISK_VERSION_2,
            Anonymous: OPEN_VIRTUAL_DISK_PARAMETERS_0 {
                Version2: OPEN_VIRTUAL_DISK_PARAMETERS_0_1 {
                    GetInfoOnly: 0,
                    ReadOnly: i32::from(access == Access::ReadOnly),
                    ResiliencyGuid: GUID::from_u128(0),
                },
            },
        };
        let mut handle = ptr::null_mut();
        // SAFETY: all that is pointed to lives until the call returns. Version 2 is the member that is set, and asks for no access
        // mask.
        let answer = unsafe {
            raw::OpenVirtualDisk(
                &VHDX,
                path.as_ptr(),
                VIRTUAL_DISK_ACCESS_NONE,
                OPEN_VIRTUAL_DISK_FLAG_NONE,
                &raw const parameters,
                &raw mut handle,
            )?
        };
        Self::opened(CALL, answer, handle)
    }

    fn opened(call: &'static str, answer: u32, handle: HANDLE) -> Result<Self, Error> {
        answer::win32(call, Dll::VirtDisk, answer)?;
        let handle = (!handle.is_null() && handle != INVALID_HANDLE_VALUE).then(|| {
            // SAFETY: the call went well, so the handle is open, and nobody else's.
            unsafe { OwnedHandle::from_raw_handle(handle) }
        });
        answer::handle(call, Dll::VirtDisk, handle).map(|handle| Self { handle })
    }

    /// Attaches it as a disk of the host, without a drive letter.
    ///
    /// # Errors
    /// A privilege is missing (0x80070522), it is in use (0x80070020); see [`Error`].
    pub fn attach(&self, access: Access, lifetime: Lifetime) -> Result<(), Error> {
        let flag = |set: bool, flag| {
            if set {
                flag
            } else {
                ATTACH_VIRTUAL_DISK_FLAG_NONE
            }
        };
        let flags = ATTACH_VIRTUAL_DISK_FLAG_NO_DRIVE_LETTER
            | flag(
                access == Access::ReadOnly,
                ATTACH_VIRTUAL_DISK_FLAG_READ_ONLY,
            )
            | flag(
                lifetime == Lifetime::Host,
                ATTACH_VIRTUAL_DISK_FLAG_PERMANENT_LIFETIME,
            );
        let parameters = ATTACH_VIRTUAL_DISK_PARAMETERS {
            Version: ATTACH_VIRTUAL_DISK_VERSION_1,
            ..ATTACH_VIRTUAL_DISK_PARAMETERS::default()
        };
        // SAFETY: the disk is open and the parameters live until the call returns; without an OVERLAPPED it has ended then.
        let answer = unsafe {
            raw::AttachVirtualDisk(
                self.handle.as_raw_handle(),
                ptr::null_mut(),
                flags,
                0,
                &raw const parameters,
                ptr::null(),
            )?
        };
        answer::win32("AttachVirtualDisk", Dll::VirtDisk, answer)
    }

    /// Detaches it.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn detach(&self) -> Result<(), Error> {
        // SAFETY: the disk is open.
        let answer = unsafe {
            raw::DetachVirtualDisk(
                self.handle.as_raw_handle(),
                DETACH_VIRTUAL_DISK_FLAG_NONE,
                0,
            )?
        };
        answer::win32("DetachVirtualDisk", Dll::VirtDisk, answer)
    }

    /// What it is called where it is attached: `\\.\PhysicalDrive3`.
    ///
    /// # Errors
    /// It is not attached; see [`Error`].
    pub fn physical_path(&self) -> Result<String, Error> {
        let mut buffer = vec![0_u16; LONGEST_PATH as usize];
        let mut bytes = LONGEST_PATH * 2;
        // SAFETY: the disk is open; the buffer has room for as many bytes as are said.
        let answer = unsafe {
            raw::GetVirtualDiskPhysicalPath(
                self.handle.as_raw_handle(),
                &raw mut bytes,
                buffer.as_mut_ptr(),
            )?
        };
        answer::win32("GetVirtualDiskPhysicalPath", Dll::VirtDisk, answer)?;
        let end = buffer.iter().position(|&unit| unit == 0);
        Ok(from_units(
            buffer.get(..end.unwrap_or(0)).unwrap_or_default(),
        ))
    }
}

impl AsHandle for VirtualDisk {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.handle.as_handle()
    }
}

const VHDX: VIRTUAL_STORAGE_TYPE = VIRTUAL_STORAGE_TYPE {
    DeviceId: VIRTUAL_STORAGE_TYPE_DEVICE_VHDX,
    VendorId: VIRTUAL_STORAGE_TYPE_VENDOR_MICROSOFT,
};

fn wide(call: &'static str, text: &str) -> Result<Wide, Error> {
    Wide::new(call, Dll::VirtDisk, text)
}
