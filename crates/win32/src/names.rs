//! Names of open files: changed, added, taken away.

use std::io::{self, ErrorKind};
use std::mem::offset_of;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::{AsRawHandle, BorrowedHandle};
use std::path::Path;

use windows_sys::Wdk::Storage::FileSystem::{
    FILE_DISPOSITION_DELETE, FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE,
    FILE_DISPOSITION_POSIX_SEMANTICS, FILE_INFORMATION_CLASS, FILE_RENAME_INFORMATION,
    FILE_RENAME_POSIX_SEMANTICS, FILE_RENAME_REPLACE_IF_EXISTS, FileDispositionInformation,
    FileDispositionInformationEx, FileLinkInformation, FileRenameInformation,
    FileRenameInformationEx, NtSetInformationFile,
};
use windows_sys::Win32::Foundation::{
    NTSTATUS, STATUS_INVALID_INFO_CLASS, STATUS_INVALID_PARAMETER, STATUS_NOT_IMPLEMENTED,
    STATUS_NOT_SUPPORTED,
};
use windows_sys::Win32::Storage::FileSystem::CopyFileW;
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

use crate::open::{checked, component};

/// What happens when the new name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The call fails.
    Refuse,
    /// The file of that name is replaced.
    Replace,
}

/// What happens when a file that is deleted is read-only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadOnly {
    /// The call fails.
    Stays,
    /// It is deleted, where the system knows how to.
    Goes,
}

/// Gives an open file or directory another name, in the directory `dir`. Needs `DELETE`.
///
/// Windows 10 version 1607 and later replace a file that others have open for sharing of deletion; earlier systems and other file
/// systems refuse with access denied (5), as all do with a read-only one.
///
/// # Errors
/// The name is no component ([`ErrorKind::InvalidInput`]); or what Windows says.
pub fn rename(
    file: BorrowedHandle<'_>,
    dir: BorrowedHandle<'_>,
    name: &[u16],
    taken: Taken,
) -> io::Result<()> {
    let replaces = taken == Taken::Replace;
    if replaces {
        let flags = FILE_RENAME_REPLACE_IF_EXISTS | FILE_RENAME_POSIX_SEMANTICS;
        let buffer = name_buffer(dir, name, flags)?;
        let status = set(file, &buffer, FileRenameInformationEx);
        if !is_unknown(status) {
            return checked(status);
        }
    }
    let buffer = name_buffer(dir, name, u32::from(replaces))?;
    checked(set(file, &buffer, FileRenameInformation))
}

/// Gives an open file a further name, in the directory `dir`, which must be free. Needs `WRITE_ATTRIBUTES`.
///
/// # Errors
/// As for [`rename`].
pub fn link(file: BorrowedHandle<'_>, dir: BorrowedHandle<'_>, name: &[u16]) -> io::Result<()> {
    // The structure is that of a rename, field by field.
    let buffer = name_buffer(dir, name, 0)?;
    checked(set(file, &buffer, FileLinkInformation))
}

/// Takes the name of an open file or empty directory away. Needs `DELETE`.
///
/// Windows 10 version 1607 and later do so at once; earlier systems and other file systems when the last handle is closed, and never
/// with a read-only one.
///
/// # Errors
/// It is read-only and shall stay (5), or what else Windows says.
pub fn delete(file: BorrowedHandle<'_>, read_only: ReadOnly) -> io::Result<()> {
    let flags = FILE_DISPOSITION_DELETE | FILE_DISPOSITION_POSIX_SEMANTICS;
    let flags = match read_only {
        ReadOnly::Stays => flags,
        ReadOnly::Goes => flags | FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE,
    };
    let status = set_bytes(file, &flags.to_ne_bytes(), FileDispositionInformationEx);
    if !is_unknown(status) {
        return checked(status);
    }
    checked(set_bytes(file, &[1], FileDispositionInformation))
}

/// Copies a file with its attributes, last write time and alternate streams to a path where nothing is.
///
/// # Errors
/// Something is there (80), or what else Windows says.
pub fn copy_new(from: &Path, to: &Path) -> io::Result<()> {
    let text = |path: &Path| -> io::Result<Vec<u16>> {
        let units: Vec<u16> = path.as_os_str().encode_wide().collect();
        if units.contains(&0) {
            return Err(ErrorKind::InvalidInput.into());
        }
        Ok(units.into_iter().chain([0]).collect())
    };
    let (from, to) = (text(from)?, text(to)?);
    // SAFETY: both texts end with their only NUL and live until the call returns.
    if unsafe { CopyFileW(from.as_ptr(), to.as_ptr(), 1) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Whether the system or the file system does not know the call.
fn is_unknown(status: NTSTATUS) -> bool {
    [
        STATUS_INVALID_INFO_CLASS,
        STATUS_INVALID_PARAMETER,
        STATUS_NOT_IMPLEMENTED,
        STATUS_NOT_SUPPORTED,
    ]
    .contains(&status)
}

/// A `FILE_RENAME_INFORMATION` with its name, in words so that it is aligned, and its length in bytes.
fn name_buffer(dir: BorrowedHandle<'_>, name: &[u16], flags: u32) -> io::Result<(Vec<u64>, usize)> {
    let name = component(name)?;
    if name.is_empty() {
        return Err(ErrorKind::InvalidInput.into());
    }
    let root = offset_of!(FILE_RENAME_INFORMATION, RootDirectory);
    let length = offset_of!(FILE_RENAME_INFORMATION, FileNameLength);
    let text = offset_of!(FILE_RENAME_INFORMATION, FileName);
    let name_bytes = u32::try_from(size_of_val(name)).map_err(|_| ErrorKind::InvalidFilename)?;
    let whole = (text + size_of_val(name)).max(size_of::<FILE_RENAME_INFORMATION>());
    let mut bytes = vec![0u8; whole];
    let mut put = |at: usize, part: &[u8]| {
        let to = bytes.iter_mut().skip(at);
        to.zip(part).for_each(|(to, from)| *to = *from);
    };
    put(0, &flags.to_ne_bytes());
    put(root, &dir.as_raw_handle().expose_provenance().to_ne_bytes());
    put(length, &name_bytes.to_ne_bytes());
    for (index, unit) in name.iter().enumerate() {
        put(text + 2 * index, &unit.to_ne_bytes());
    }
    let words = bytes.chunks(8).map(|part| {
        let mut word = [0; 8];
        word.iter_mut().zip(part).for_each(|(to, from)| *to = *from);
        u64::from_ne_bytes(word)
    });
    Ok((words.collect(), whole))
}

fn set(
    file: BorrowedHandle<'_>,
    (words, length): &(Vec<u64>, usize),
    class: FILE_INFORMATION_CLASS,
) -> NTSTATUS {
    let Ok(length) = u32::try_from(*length) else {
        return STATUS_INVALID_PARAMETER;
    };
    let mut status = IO_STATUS_BLOCK::default();
    // SAFETY: the buffer is the structure of a rename or a link, whole, aligned, with the length that is told; the handle is
    // synchronous, so nothing is used after the call returns.
    unsafe {
        NtSetInformationFile(
            file.as_raw_handle(),
            &raw mut status,
            words.as_ptr().cast(),
            length,
            class,
        )
    }
}

fn set_bytes(file: BorrowedHandle<'_>, bytes: &[u8], class: FILE_INFORMATION_CLASS) -> NTSTATUS {
    let mut word = [0; 4];
    word.iter_mut()
        .zip(bytes)
        .for_each(|(to, from)| *to = *from);
    let word = u32::from_ne_bytes(word);
    let Ok(length) = u32::try_from(bytes.len().min(4)) else {
        return STATUS_INVALID_PARAMETER;
    };
    let mut status = IO_STATUS_BLOCK::default();
    // SAFETY: at most four bytes are told, and there are four, aligned.
    unsafe {
        NtSetInformationFile(
            file.as_raw_handle(),
            &raw mut status,
            (&raw const word).cast(),
            length,
            class,
        )
    }
}
