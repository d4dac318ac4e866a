//! The file system of this machine, by the trait of `wcow-host`.
//!
//! | call | how |
//! |---|---|
//! | `write`, `read`, `lock` | `CreateFile`; a lock shares with nobody |
//! | `copy_file` | `CopyFile`, which replaces nothing |
//! | `sync_file`, `sync_dir` | `FlushFileBuffers` on a handle that may write |
//! | `rename`, `replace` | `NtSetInformationFile` by handles, POSIX semantics for `replace` where there are any |
//! | `remove_file`, `remove_dir_all` | by handles, POSIX semantics where there are any, never through a link |
//! | trees | `wcow_tree::disk::DiskSink` with all that Windows keeps, flushed file by file |
//!
//! Calls happen at once: a future is ready when it is first asked. Paths go to Windows with the prefix `\\?\`, so that no name is
//! changed on the way; names that Win32 would not create are refused (0x7B).
//!
//! `SeBackupPrivilege` and `SeRestorePrivilege` are switched on, where the process has them: trees hold files that refuse their own
//! administrators.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::future::{Future, ready};
use std::io::{self, ErrorKind, Read, Write};
use std::os::windows::ffi::{OsStrExt, OsStringExt};
use std::os::windows::fs::{MetadataExt, OpenOptionsExt};
use std::os::windows::io::AsHandle;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use wcow_host::{
    DirEntry, FileBytes, FileKind, FileLock, FileMetadata, FileSystem, HostError, Operation,
    Precaution, TreeSummary, WriteMode,
};
use wcow_ntmeta::{FileAttributes, FileTime, HostPath, Hresult, WideName};
use wcow_tree::disk::Refused;
use wcow_tree::names::{NameRule, written_name};
use wcow_win32::{Kind, Opening, ReadOnly, Taken, access};

use remove::remove_tree;
pub use tree::WinTree;

mod remove;
mod tree;

const FILE_NOT_FOUND: i32 = 2;
const PATH_NOT_FOUND: i32 = 3;
const ACCESS_DENIED: i32 = 5;
const INVALID_HANDLE: i32 = 6;
const WRITE_FAULT: i32 = 29;
const SHARING_VIOLATION: i32 = 32;
const INVALID_NAME: i32 = 123;
const ALREADY_EXISTS: i32 = 183;
const FILE_TOO_LARGE: i32 = 223;
const DIRECTORY: i32 = 267;

/// The files of this machine.
#[derive(Debug)]
pub struct WinFiles {
    locks: Mutex<Locks>,
    refused: Mutex<Vec<Refused>>,
}

#[derive(Debug, Default)]
struct Locks {
    next: u64,
    held: BTreeMap<u64, File>,
}

impl WinFiles {
    /// Opens nothing yet; switches the two privileges on.
    #[must_use]
    pub fn new() -> Self {
        for privilege in ["SeBackupPrivilege", "SeRestorePrivilege"] {
            // Without it, what needs it fails by itself.
            let _ = wcow_win32::enable_privilege(privilege);
        }
        Self {
            locks: Mutex::default(),
            refused: Mutex::default(),
        }
    }

    /// What Windows refused to set in the trees that were finished since this was last asked: once for each kind and tree.
    pub fn take_refused(&self) -> Vec<Refused> {
        std::mem::take(&mut *self.refused.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn locks(&self) -> std::sync::MutexGuard<'_, Locks> {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for WinFiles {
    fn default() -> Self {
        Self::new()
    }
}

impl FileSystem for WinFiles {
    type Tree = WinTree;

    fn metadata(
        &self,
        path: &HostPath,
    ) -> impl Future<Output = Result<Option<FileMetadata>, HostError>> + Send {
        answer(Operation::FileMetadata, path, look(path))
    }

    fn list(
        &self,
        path: &HostPath,
    ) -> impl Future<Output = Result<Vec<DirEntry>, HostError>> + Send {
        answer(Operation::ListDirectory, path, list(path))
    }

    fn create_dir_all(
        &self,
        path: &HostPath,
    ) -> impl Future<Output = Result<(), HostError>> + Send {
        answer(Operation::CreateDirectory, path, create_dir_all(path))
    }

    fn read(
        &self,
        path: &HostPath,
        max: u64,
    ) -> impl Future<Output = Result<FileBytes, HostError>> + Send {
        answer(Operation::ReadFile, path, read(path, max))
    }

    fn write(
        &self,
        path: &HostPath,
        bytes: &[u8],
        mode: WriteMode,
    ) -> impl Future<Output = Result<(), HostError>> + Send {
        answer(Operation::WriteFile, path, write(path, bytes, mode))
    }

    fn copy_file(
        &self,
        from: &HostPath,
        to: &HostPath,
    ) -> impl Future<Output = Result<(), HostError>> + Send {
        let copied = existing(from).and_then(|from| wcow_win32::copy_new(&from, &new_path(to)?));
        answer(Operation::CopyFile, to, copied)
    }

    fn sync_file(
        &self,
        path: &HostPath,
        _: Precaution,
    ) -> impl Future<Output = Result<(), HostError>> + Send {
        let synced = at(
            path,
            Opening {
                kind: Kind::File,
                ..Opening::existing(access::WRITE_DATA)
            },
        );
        let synced = synced.and_then(|file| file.sync_all());
        answer(Operation::FlushFile, path, synced)
    }

    fn sync_dir(
        &self,
        path: &HostPath,
        _: Precaution,
    ) -> impl Future<Output = Result<(), HostError>> + Send {
        let synced = directory(path, access::WRITE_DATA | access::APPEND_DATA);
        let synced = synced.and_then(|directory| directory.sync_all());
        answer(Operation::FlushFile, path, synced)
    }

    fn rename(
        &self,
        from: &HostPath,
        to: &HostPath,
    ) -> impl Future<Output = Result<(), HostError>> + Send {
        answer(Operation::MoveFile, from, rename(from, to, Taken::Refuse))
    }

    fn replace(
        &self,
        from: &HostPath,
        to: &HostPath,
    ) -> impl Future<Output = Result<(), HostError>> + Send {
        answer(Operation::MoveFile, from, rename(from, to, Taken::Replace))
    }

    fn remove_file(&self, path: &HostPath) -> impl Future<Output = Result<(), HostError>> + Send {
        let opened = at(
            path,
            Opening {
                kind: Kind::File,
                ..Opening::existing(access::DELETE)
            },
        );
        let removed = opened.and_then(|file| wcow_win32::delete(file.as_handle(), ReadOnly::Stays));
        answer(Operation::DeleteFile, path, removed)
    }

    fn remove_dir_all(
        &self,
        path: &HostPath,
    ) -> impl Future<Output = Result<(), HostError>> + Send {
        answer(Operation::RemoveDirectory, path, remove_dir_all(path))
    }

    fn lock(&self, path: &HostPath) -> impl Future<Output = Result<FileLock, HostError>> + Send {
        let held = new_path(path).and_then(|path| {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            options.share_mode(0).open(path)
        });
        let lock = held.map_err(|error| no_parent(path, error)).map(|file| {
            let mut locks = self.locks();
            locks.next += 1;
            let id = locks.next;
            locks.held.insert(id, file);
            FileLock(id)
        });
        answer(Operation::LockFile, path, lock)
    }

    fn unlock(&self, lock: FileLock) -> impl Future<Output = Result<(), HostError>> + Send {
        let held = self.locks().held.remove(&lock.0);
        let error = |_| {
            let object = format!("lock {}", lock.0);
            HostError::new(Operation::LockFile, object, hresult(&os(INVALID_HANDLE)))
        };
        ready(held.map(drop).ok_or(()).map_err(error))
    }

    fn create_tree(
        &self,
        path: &HostPath,
    ) -> impl Future<Output = Result<WinTree, HostError>> + Send {
        answer(Operation::WriteTree, path, create_tree(path))
    }

    fn finish_tree(
        &self,
        tree: WinTree,
        _: Precaution,
    ) -> impl Future<Output = Result<TreeSummary, HostError>> + Send {
        ready(tree.finish().map(|(summary, refused)| {
            self.refused
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(refused);
            summary
        }))
    }
}

fn answer<T: Send>(
    operation: Operation,
    path: &HostPath,
    result: io::Result<T>,
) -> impl Future<Output = Result<T, HostError>> + Send + use<T> {
    ready(result.map_err(|error| HostError::new(operation, path.to_string(), hresult(&error))))
}

fn os(code: i32) -> io::Error {
    io::Error::from_raw_os_error(code)
}

fn hresult(error: &io::Error) -> Hresult {
    match error.raw_os_error() {
        Some(code) => Hresult::from_win32(code.cast_unsigned()),
        None if error.kind() == ErrorKind::InvalidInput => {
            Hresult::from_win32(INVALID_NAME.cast_unsigned())
        }
        None => Hresult(0x8000_4005),
    }
}

/// The path as it goes to Windows.
fn long(path: &HostPath) -> PathBuf {
    let prefix: Vec<u16> = r"\\?\".encode_utf16().collect();
    let wide = path.to_wide();
    let mut units = Vec::with_capacity(prefix.len() + wide.len());
    if !wide.units().starts_with(&prefix) {
        units.extend(&prefix);
    }
    units.extend(wide.units());
    OsString::from_wide(&units).into()
}

/// The path of what may be there. Nothing is behind a name with a colon: that would be a stream.
fn existing(path: &HostPath) -> io::Result<PathBuf> {
    let colon = u16::from(b':');
    if path.components().any(|name| name.contains(&colon)) {
        return Err(os(FILE_NOT_FOUND));
    }
    Ok(long(path))
}

/// The path of what may be made.
fn new_path(path: &HostPath) -> io::Result<PathBuf> {
    if path.components().all(is_plain) {
        Ok(long(path))
    } else {
        Err(os(INVALID_NAME))
    }
}

/// Whether Win32 creates a file of this name, as it is: the rule of `wcow_tree::names` leaves it alone, but for the `%` that it uses
/// itself.
fn is_plain(name: &[u16]) -> bool {
    let percent = u16::from(b'%');
    let harmless = |unit: &u16| {
        if *unit == percent {
            u16::from(b'_')
        } else {
            *unit
        }
    };
    let name = WideName::from_units(name.iter().map(harmless).collect());
    name == *written_name(&name, NameRule::Windows)
}

fn look(path: &HostPath) -> io::Result<Option<FileMetadata>> {
    let found = existing(path).and_then(fs::symlink_metadata);
    match found {
        Ok(found) => Ok(Some(metadata(&found))),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_missing(error: &io::Error) -> bool {
    let missing = [FILE_NOT_FOUND, PATH_NOT_FOUND, INVALID_NAME, DIRECTORY];
    error.kind() == ErrorKind::NotFound
        || error
            .raw_os_error()
            .is_some_and(|code| missing.contains(&code))
}

fn metadata(found: &fs::Metadata) -> FileMetadata {
    let attributes = FileAttributes::from_bits(found.file_attributes());
    let (kind, len) = if attributes.is_directory() {
        (FileKind::Directory, 0)
    } else {
        (FileKind::File, found.file_size())
    };
    FileMetadata {
        kind,
        len,
        attributes,
        written: FileTime::from_ticks(found.last_write_time()),
    }
}

/// A directory that is there; 0x3 if nothing is, 0x10B if it is a file.
fn must_be_directory(path: &HostPath) -> io::Result<()> {
    match look(path)? {
        None => Err(os(PATH_NOT_FOUND)),
        Some(found) if found.kind == FileKind::Directory => Ok(()),
        Some(_) => Err(os(DIRECTORY)),
    }
}

/// An open directory.
fn directory(path: &HostPath, access: u32) -> io::Result<File> {
    must_be_directory(path)?;
    wcow_win32::open_directory(&long(path), access)
}

/// The directory that a path lies in, open, and the name there.
fn parent(path: &HostPath) -> io::Result<(File, Vec<u16>)> {
    let (Some(above), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(os(ACCESS_DENIED));
    };
    let opened =
        directory(&above, access::READ_ATTRIBUTES).map_err(|error| match error.raw_os_error() {
            Some(DIRECTORY) => os(PATH_NOT_FOUND),
            _ => error,
        })?;
    Ok((opened, name.to_vec()))
}

/// What lies at a path, opened by its directory.
fn at(path: &HostPath, how: Opening) -> io::Result<File> {
    existing(path)?;
    let (above, name) = parent(path)?;
    wcow_win32::open_at(above.as_handle(), &name, how).map(File::from)
}

/// Windows does not tell a missing directory from a missing file everywhere.
fn no_parent(path: &HostPath, error: io::Error) -> io::Error {
    let parent_is_there = path
        .parent()
        .is_none_or(|above| must_be_directory(&above).is_ok());
    if error.kind() == ErrorKind::NotFound && !parent_is_there {
        os(PATH_NOT_FOUND)
    } else {
        error
    }
}

fn list(path: &HostPath) -> io::Result<Vec<DirEntry>> {
    must_be_directory(path)?;
    let mut entries = Vec::new();
    for entry in fs::read_dir(long(path))? {
        let entry = entry?;
        let metadata = match entry.metadata() {
            Ok(found) => metadata(&found),
            // Deleted since.
            Err(error) if is_missing(&error) => continue,
            Err(error) => return Err(error),
        };
        let name = WideName::from_units(entry.file_name().encode_wide().collect());
        entries.push(DirEntry { name, metadata });
    }
    entries.sort_by_cached_key(|entry| entry.name.upcased());
    Ok(entries)
}

fn create_dir_all(path: &HostPath) -> io::Result<()> {
    new_path(path)?;
    // From the deepest directory that is there: those above it may refuse to be asked for more.
    let mut missing = vec![];
    let mut next = Some(path.clone());
    while let Some(path) = next {
        match look(&path)? {
            Some(found) if found.kind == FileKind::Directory => break,
            Some(_) => return Err(os(ALREADY_EXISTS)),
            None => {
                next = path.parent();
                if next.is_none() {
                    return Err(os(PATH_NOT_FOUND));
                }
                missing.push(path);
            }
        }
    }
    for path in missing.iter().rev() {
        match fs::create_dir(long(path)) {
            // Somebody else was faster.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                must_be_directory(path).map_err(|_| os(ALREADY_EXISTS))?
            }
            other => other?,
        }
    }
    Ok(())
}

fn read(path: &HostPath, max: u64) -> io::Result<FileBytes> {
    let file = existing(path)
        .and_then(File::open)
        .map_err(|error| no_parent(path, error))?;
    let len = file.metadata()?.len();
    if len > max {
        return Err(os(FILE_TOO_LARGE));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or_default());
    // It may grow while it is read.
    file.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len > max) {
        return Err(os(FILE_TOO_LARGE));
    }
    Ok(bytes.into())
}

fn write(path: &HostPath, bytes: &[u8], mode: WriteMode) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true);
    match mode {
        WriteMode::CreateNew => options.create_new(true),
        WriteMode::Overwrite => options.create(true).truncate(true),
    };
    let mut file = new_path(path)
        .and_then(|path| options.open(path))
        .map_err(|error| no_parent(path, error))?;
    file.write_all(bytes)
}

fn rename(from: &HostPath, to: &HostPath, taken: Taken) -> io::Result<()> {
    new_path(to)?;
    let kind = match taken {
        Taken::Refuse => Kind::Any,
        Taken::Replace => Kind::File,
    };
    let source = at(
        from,
        Opening {
            kind,
            ..Opening::existing(access::DELETE)
        },
    )?;
    let (above, name) = parent(to)?;
    let renamed = wcow_win32::rename(source.as_handle(), above.as_handle(), &name, taken);
    renamed.map_err(|error| match error.raw_os_error() {
        // A file that is in the way and held open is denied like one that is read-only; opening it tells which.
        Some(ACCESS_DENIED) if taken == Taken::Replace && is_held(to) => os(SHARING_VIOLATION),
        _ => error,
    })
}

fn is_held(path: &HostPath) -> bool {
    let opened = at(path, Opening::existing(access::READ_DATA));
    opened.is_err_and(|error| error.raw_os_error() == Some(SHARING_VIOLATION))
}

fn remove_dir_all(path: &HostPath) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| os(ACCESS_DENIED))?;
    must_be_directory(path)?;
    let (above, _) = parent(path)?;
    remove_tree(&above, &name.into(), &long(path))
}

fn create_tree(path: &HostPath) -> io::Result<WinTree> {
    if path.is_root() {
        return Err(os(ALREADY_EXISTS));
    }
    fs::create_dir(new_path(path)?).map_err(|error| no_parent(path, error))?;
    WinTree::open(path)
}
