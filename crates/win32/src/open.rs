//! Opening files relative to a handle.

use std::ffi::c_void;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::path::Path;
use std::ptr;

use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Wdk::Storage::FileSystem::{
    FILE_CREATE, FILE_DIRECTORY_FILE, FILE_NON_DIRECTORY_FILE, FILE_OPEN,
    FILE_OPEN_FOR_BACKUP_INTENT, FILE_OPEN_REPARSE_POINT, FILE_SYNCHRONOUS_IO_NONALERT,
    NtCreateFile,
};
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS, RtlNtStatusToDosError, UNICODE_STRING};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_BACKUP_SEMANTICS, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE,
};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

const SYNCHRONIZE: u32 = 0x10_0000;
const CASE_INSENSITIVE: u32 = 0x40;
const SHARE_ALL: u32 = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;

/// What is opened, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Rights, of [`access`](crate::access).
    pub access: u32,
    /// What happens when it is there, or is not.
    pub create: Create,
    /// What it has to be.
    pub kind: Kind,
}

impl Opening {
    /// Something that is there already, file or directory.
    #[must_use]
    pub fn existing(access: u32) -> Self {
        Self {
            access,
            create: Create::Never,
            kind: Kind::Any,
        }
    }

    /// A file that is not there yet.
    #[must_use]
    pub fn new_file(access: u32) -> Self {
        Self {
            access,
            create: Create::New,
            kind: Kind::File,
        }
    }
}

/// What happens when the name is there, or is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Create {
    /// It must be there.
    Never,
    /// It must not be there, and is made.
    New,
}

/// What has to be behind the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file or a stream.
    File,
    /// A directory.
    Directory,
    /// Either.
    Any,
}

/// Opens a name in an open directory, for backup and without following a reparse point.
///
/// An empty name opens the same object once more. `:stream` relative to a file is one of its streams. A name has one component: it holds
/// no separator, and only a stream's has a colon, as its first unit.
///
/// # Errors
/// The name has several components ([`ErrorKind::InvalidInput`]); or what Windows says.
pub fn open_at(dir: BorrowedHandle<'_>, name: &[u16], how: Opening) -> io::Result<OwnedHandle> {
    let name = component(name)?;
    let bytes = u16::try_from(size_of_val(name)).map_err(|_| ErrorKind::InvalidFilename)?;
    let text = UNICODE_STRING {
        Length: bytes,
        MaximumLength: bytes,
        Buffer: name.as_ptr().cast_mut(),
    };
    let object = OBJECT_ATTRIBUTES {
        Length: length_of::<OBJECT_ATTRIBUTES>(),
        RootDirectory: dir.as_raw_handle(),
        ObjectName: &raw const text,
        Attributes: CASE_INSENSITIVE,
        SecurityDescriptor: ptr::null(),
        SecurityQualityOfService: ptr::null(),
    };
    let create = match how.create {
        Create::Never => FILE_OPEN,
        Create::New => FILE_CREATE,
    };
    let kind = match how.kind {
        Kind::File => FILE_NON_DIRECTORY_FILE,
        Kind::Directory => FILE_DIRECTORY_FILE,
        Kind::Any => 0,
    };
    let mut handle: HANDLE = ptr::null_mut();
    let mut status = IO_STATUS_BLOCK::default();
    // SAFETY: the structures are whole, live until the call returns, and point into each other and to the borrowed name and handle.
    // Windows reads the name and writes the handle and the status block, nothing else.
    let result = unsafe {
        NtCreateFile(
            &raw mut handle,
            how.access | SYNCHRONIZE,
            &raw const object,
            &raw mut status,
            ptr::null(),
            0,
            SHARE_ALL,
            create,
            kind | FILE_OPEN_FOR_BACKUP_INTENT
                | FILE_OPEN_REPARSE_POINT
                | FILE_SYNCHRONOUS_IO_NONALERT,
            ptr::null::<c_void>(),
            0,
        )
    };
    checked(result)?;
    // SAFETY: the call succeeded, so this is an open handle, and nobody else has it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// Opens a directory by its path, which may lead through links.
///
/// # Errors
/// What Windows says.
pub fn open_directory(path: &Path, access: u32) -> io::Result<File> {
    OpenOptions::new()
        .access_mode(access | SYNCHRONIZE)
        .share_mode(SHARE_ALL)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
        .open(path)
}

/// The name, if it is one component or a stream.
pub(crate) fn component(name: &[u16]) -> io::Result<&[u16]> {
    let separators = [u16::from(b'\\'), u16::from(b'/'), 0];
    let rest = name.strip_prefix(&[u16::from(b':')]).unwrap_or(name);
    let one = !rest
        .iter()
        .any(|unit| separators.contains(unit) || *unit == u16::from(b':'));
    let dots =
        rest.len() <= 2 && !rest.is_empty() && rest.iter().all(|unit| *unit == u16::from(b'.'));
    if one && !dots {
        Ok(name)
    } else {
        Err(ErrorKind::InvalidInput.into())
    }
}

/// A status of the native calls as a result.
pub(crate) fn checked(status: NTSTATUS) -> io::Result<()> {
    if status >= 0 {
        return Ok(());
    }
    // SAFETY: it takes a number and gives a number.
    let code = unsafe { RtlNtStatusToDosError(status) };
    Err(io::Error::from_raw_os_error(code.cast_signed()))
}

/// The size of a type, as Windows takes it.
pub(crate) fn length_of<T>() -> u32 {
    u32::try_from(size_of::<T>()).unwrap_or(u32::MAX)
}
