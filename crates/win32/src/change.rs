//! What is set on an open file.

use std::ffi::c_void;
use std::io::{self, ErrorKind};
use std::os::windows::io::{AsRawHandle, BorrowedHandle};
use std::ptr;

use windows_sys::Wdk::Storage::FileSystem::{
    FILE_BASIC_INFORMATION, FileBasicInformation, FileShortNameInformation, NtSetEaFile,
    NtSetInformationFile,
};
use windows_sys::Win32::Security::SetKernelObjectSecurity;
use windows_sys::Win32::Storage::FileSystem::GetVolumeInformationByHandleW;
use windows_sys::Win32::System::IO::{DeviceIoControl, IO_STATUS_BLOCK};
use windows_sys::Win32::System::Ioctl::{
    FSCTL_SET_COMPRESSION, FSCTL_SET_OBJECT_ID, FSCTL_SET_REPARSE_POINT, FSCTL_SET_SPARSE,
};
use windows_sys::core::BOOL;

use crate::open::{checked, component, length_of};

/// `COMPRESSION_FORMAT_DEFAULT`.
const DEFAULT_COMPRESSION: u16 = 1;
/// Header and longest contents of a security descriptor that Windows takes.
const MAX_DESCRIPTOR: usize = 0x2_0000;
/// A self-relative descriptor's header.
const DESCRIPTOR_HEADER: usize = 20;

/// Attributes and times. What is 0 stays as it is. Times are ticks of 100 ns since 1601; Windows takes none from 2^63 on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Basic {
    /// Creation time.
    pub created: i64,
    /// Last access time.
    pub accessed: i64,
    /// Last write time.
    pub written: i64,
    /// `FILE_ATTRIBUTE_*` bits; `NORMAL` (0x80) alone takes all away.
    pub attributes: u32,
}

/// Sets attributes and times. Needs `WRITE_ATTRIBUTES`.
///
/// # Errors
/// What Windows says.
pub fn set_basic(file: BorrowedHandle<'_>, basic: &Basic) -> io::Result<()> {
    let information = FILE_BASIC_INFORMATION {
        CreationTime: basic.created,
        LastAccessTime: basic.accessed,
        LastWriteTime: basic.written,
        ChangeTime: 0,
        FileAttributes: basic.attributes,
    };
    let mut status = IO_STATUS_BLOCK::default();
    // SAFETY: the structure is the one of this class, and lives until the call returns, which the handle is synchronous for.
    checked(unsafe {
        NtSetInformationFile(
            file.as_raw_handle(),
            &raw mut status,
            (&raw const information).cast(),
            length_of::<FILE_BASIC_INFORMATION>(),
            FileBasicInformation,
        )
    })
}

/// Sets the parts of a security descriptor that `parts` (`*_SECURITY_INFORMATION` bits) says. Needs `WRITE_OWNER` for owner and
/// group, `WRITE_DAC` for the DACL, `SYSTEM_SECURITY` for the SACL.
///
/// # Errors
/// The bytes are no self-relative descriptor whose parts lie within it ([`ErrorKind::InvalidInput`]); or what Windows says.
pub fn set_security(file: BorrowedHandle<'_>, parts: u32, descriptor: &[u8]) -> io::Result<()> {
    if !is_descriptor(descriptor) {
        return Err(ErrorKind::InvalidInput.into());
    }
    // Windows wants it aligned.
    let mut aligned = vec![0u64; descriptor.len().div_ceil(8)];
    let words = aligned.iter_mut().zip(descriptor.chunks(8));
    for (word, bytes) in words {
        let mut whole = [0; 8];
        whole
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = *from);
        *word = u64::from_ne_bytes(whole);
    }
    // SAFETY: the bytes are a self-relative descriptor whose parts begin within it, checked above; Windows captures it and checks what
    // is in the parts, each of which has its own length, and refuses what does not fit. Behind the descriptor lie zeros only up to the
    // next word.
    succeeded(unsafe {
        SetKernelObjectSecurity(
            file.as_raw_handle(),
            parts,
            aligned.as_ptr().cast_mut().cast(),
        )
    })
}

/// Makes the file or directory a reparse point: a whole `REPARSE_DATA_BUFFER`. Needs `WRITE_DATA`.
///
/// # Errors
/// What Windows says.
pub fn set_reparse_point(file: BorrowedHandle<'_>, buffer: &[u8]) -> io::Result<()> {
    control(file, FSCTL_SET_REPARSE_POINT, buffer)
}

/// Gives the file an object id, and the three ids of its birth. Needs `SeRestorePrivilege`.
///
/// # Errors
/// What Windows says.
pub fn set_object_id(file: BorrowedHandle<'_>, ids: &[u8; 64]) -> io::Result<()> {
    control(file, FSCTL_SET_OBJECT_ID, ids)
}

/// Compresses a file, or says that new files in a directory are. Needs `READ_DATA` and `WRITE_DATA`.
///
/// # Errors
/// What Windows says.
pub fn set_compressed(file: BorrowedHandle<'_>) -> io::Result<()> {
    control(
        file,
        FSCTL_SET_COMPRESSION,
        &DEFAULT_COMPRESSION.to_ne_bytes(),
    )
}

/// Lets a file have holes. Needs `WRITE_DATA`.
///
/// # Errors
/// What Windows says.
pub fn set_sparse(file: BorrowedHandle<'_>) -> io::Result<()> {
    control(file, FSCTL_SET_SPARSE, &[])
}

/// Sets extended attributes: a chain of `FILE_FULL_EA_INFORMATION`. Needs `WRITE_EA`.
///
/// # Errors
/// What Windows says.
pub fn set_extended_attributes(file: BorrowedHandle<'_>, chain: &[u8]) -> io::Result<()> {
    let length = u32::try_from(chain.len()).map_err(|_| ErrorKind::InvalidInput)?;
    // Windows wants it aligned.
    let mut aligned = vec![0u32; chain.len().div_ceil(4)];
    for (word, bytes) in aligned.iter_mut().zip(chain.chunks(4)) {
        let mut whole = [0; 4];
        whole
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = *from);
        *word = u32::from_ne_bytes(whole);
    }
    let mut status = IO_STATUS_BLOCK::default();
    // SAFETY: the buffer has the length that is told, and Windows checks the chain within it.
    checked(unsafe {
        NtSetEaFile(
            file.as_raw_handle(),
            &raw mut status,
            aligned.as_ptr().cast(),
            length,
        )
    })
}

/// Gives a file this 8.3 name. Needs `DELETE`, `WRITE_DATA`, `SeRestorePrivilege`, and a volume with short names.
///
/// # Errors
/// The name is no component ([`ErrorKind::InvalidInput`]); or what Windows says.
pub fn set_short_name(file: BorrowedHandle<'_>, name: &[u16]) -> io::Result<()> {
    let name = component(name)?;
    let bytes = u32::try_from(size_of_val(name)).map_err(|_| ErrorKind::InvalidFilename)?;
    // The length of the name in bytes, and two units a word.
    let pairs = name.chunks(2).map(|pair| {
        let unit = |at: usize| u32::from(pair.get(at).copied().unwrap_or(0));
        unit(0) | unit(1) << 16
    });
    let buffer: Vec<u32> = [bytes].into_iter().chain(pairs).collect();
    let length = bytes.saturating_add(length_of::<u32>());
    let mut status = IO_STATUS_BLOCK::default();
    // SAFETY: the buffer is a `FILE_NAME_INFORMATION`, aligned, and holds as many bytes as are told. (`SetFileShortNameW` does the same,
    // and ends the program under systems that do not have it.)
    checked(unsafe {
        NtSetInformationFile(
            file.as_raw_handle(),
            &raw mut status,
            buffer.as_ptr().cast(),
            length,
            FileShortNameInformation,
        )
    })
}

/// What the volume of an open file can hold: `FILE_*` file system flags.
///
/// # Errors
/// What Windows says.
pub fn volume_flags(file: BorrowedHandle<'_>) -> io::Result<u32> {
    let mut flags = 0;
    // SAFETY: all that is not asked for is null with length 0; the flags are written into a live number.
    succeeded(unsafe {
        GetVolumeInformationByHandleW(
            file.as_raw_handle(),
            ptr::null_mut(),
            0,
            ptr::null_mut(),
            ptr::null_mut(),
            &raw mut flags,
            ptr::null_mut(),
            0,
        )
    })?;
    Ok(flags)
}

fn control(file: BorrowedHandle<'_>, code: u32, input: &[u8]) -> io::Result<()> {
    let length = u32::try_from(input.len()).map_err(|_| ErrorKind::InvalidInput)?;
    let mut returned = 0;
    // SAFETY: the input has the length that is told, there is no output, and the handle is synchronous, so nothing is used after
    // the call returns.
    succeeded(unsafe {
        DeviceIoControl(
            file.as_raw_handle(),
            code,
            input.as_ptr().cast::<c_void>(),
            length,
            ptr::null_mut(),
            0,
            &raw mut returned,
            ptr::null_mut(),
        )
    })
}

fn succeeded(result: BOOL) -> io::Result<()> {
    if result == 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Whether the bytes are a self-relative descriptor, each part of which begins within it and has the length that it says.
fn is_descriptor(bytes: &[u8]) -> bool {
    let byte = |at: usize| bytes.get(at).copied();
    let number = |at: usize| -> Option<usize> {
        let four = bytes.get(at..at.checked_add(4)?)?;
        usize::try_from(u32::from_le_bytes(four.try_into().ok()?)).ok()
    };
    let within = |at: usize, length: usize| {
        at >= DESCRIPTOR_HEADER && at.checked_add(length).is_some_and(|end| end <= bytes.len())
    };
    let sid = |at: usize| -> Option<bool> {
        let offset = number(at)?;
        if offset == 0 {
            return Some(true);
        }
        let count = usize::from(byte(offset.checked_add(1)?)?);
        Some(within(offset, 8 + 4 * count))
    };
    let acl = |at: usize| -> Option<bool> {
        let offset = number(at)?;
        if offset == 0 {
            return Some(true);
        }
        let two = bytes.get(offset.checked_add(2)?..offset.checked_add(4)?)?;
        Some(within(
            offset,
            usize::from(u16::from_le_bytes(two.try_into().ok()?)).max(8),
        ))
    };
    let self_relative = byte(3).is_some_and(|high| high & 0x80 != 0);
    self_relative
        && byte(0) == Some(1)
        && bytes.len() <= MAX_DESCRIPTOR
        && bytes.len() >= DESCRIPTOR_HEADER
        && [sid(4), sid(8), acl(12), acl(16)]
            .iter()
            .all(|part| *part == Some(true))
}
