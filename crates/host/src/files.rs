//! NTFS, as a store on a host needs it.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use wcow_ntmeta::{FileAttributes, FileTime, HostPath, WideName};
use wcow_tree::TreeSink;

use crate::{HostError, Precaution};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileKind {
    /// A file.
    File,
    /// A directory.
    Directory,
}

/// What the file system tells about a file or directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMetadata {
    /// File or directory.
    pub kind: FileKind,
    /// Length in bytes of the unnamed stream; 0 for a directory.
    pub len: u64,
    /// Its attributes.
    pub attributes: FileAttributes,
    /// Last write time.
    pub written: FileTime,
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirEntry {
    /// Its name.
    pub name: WideName,
    /// What it stands for.
    pub metadata: FileMetadata,
}

/// The bytes of a file, shared: clones are cheap.
#[derive(Clone)]
pub struct FileBytes {
    bytes: Arc<[u8]>,
    sha256: Option<[u8; 32]>,
    readings: Option<Arc<Readings>>,
}

/// What was made of one content by those who read it. A host that keeps contents by their hash can keep this with them.
#[derive(Default)]
pub struct Readings(Mutex<Vec<Arc<dyn Any + Send + Sync>>>);

impl fmt::Debug for Readings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readings").finish_non_exhaustive()
    }
}

/// Contents that a program wrote last, with what it wrote them from. What it does next reads one of them, as a rule, and whoever finds
/// the same bytes in the file needs not make the same of them again.
#[derive(Default)]
pub struct Written(Mutex<VecDeque<Writing>>);

/// Bytes, and what they were written from.
type Writing = (Vec<u8>, Arc<dyn Any + Send + Sync>);

/// How many contents are kept.
const WRITTEN: usize = 8;

impl Written {
    /// Keeps what was written as `bytes`, for as long as it is one of the last eight. To read the bytes must come to the same.
    pub fn keep<T: Any + Send + Sync>(&self, bytes: Vec<u8>, from: T) {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if written.len() == WRITTEN {
            written.pop_front();
        }
        written.push_back((bytes, Arc::new(from)));
    }

    /// What was written as `bytes`, if it is kept, and is a `T`.
    pub fn find<T: Any + Send + Sync>(&self, bytes: &[u8]) -> Option<Arc<T>> {
        let written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, from) = written.iter().rev().find(|(written, _)| written == bytes)?;
        Arc::clone(from).downcast().ok()
    }
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Written").finish_non_exhaustive()
    }
}

impl FileBytes {
    /// Bytes of a host that keeps contents by their SHA-256, and so knows it.
    #[must_use]
    pub fn with_sha256(bytes: Arc<[u8]>, sha256: [u8; 32]) -> Self {
        Self {
            bytes,
            sha256: Some(sha256),
            readings: None,
        }
    }

    /// The same bytes, together with what was made of them before.
    #[must_use]
    pub fn with_readings(self, readings: Arc<Readings>) -> Self {
        Self {
            readings: Some(readings),
            ..self
        }
    }

    /// What `read` makes of the bytes. Where the host keeps what was made of them, they are not read a second time as the same type:
    /// `read` goes by nothing but the bytes, and a type stands for one way to read them. Failures are not kept.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn read_as<T: Any + Send + Sync, E>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let Some(Readings(kept)) = self.readings.as_deref() else {
            return read(self).map(Arc::new);
        };
        let known = kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .find(|reading| reading.is::<T>())
            .cloned();
        if let Some(known) = known.and_then(|reading| reading.downcast().ok()) {
            return Ok(known);
        }
        let reading = Arc::new(read(self)?);
        let shared: Arc<T> = Arc::clone(&reading);
        kept.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(shared);
        Ok(reading)
    }

    /// Their SHA-256, where the host knows it without reading them for that.
    #[must_use]
    pub fn known_sha256(&self) -> Option<[u8; 32]> {
        self.sha256
    }
}

impl From<Vec<u8>> for FileBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self {
            bytes: bytes.into(),
            sha256: None,
            readings: None,
        }
    }
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsRef<[u8]> for FileBytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl<T: AsRef<[u8]> + ?Sized> PartialEq<T> for FileBytes {
    fn eq(&self, other: &T) -> bool {
        **self == *other.as_ref()
    }
}

impl Eq for FileBytes {}

impl fmt::Debug for FileBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes.fmt(f)
    }
}

/// What to do when the file to be written is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WriteMode {
    /// Fail (0x50).
    CreateNew,
    /// Replace its contents, not atomically.
    Overwrite,
}

/// A file held open so that nobody else can open it. Ends with [`FileSystem::unlock`], or with the process that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileLock(pub u64);

/// What a finished tree holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeSummary {
    /// Directories, the root included.
    pub directories: u64,
    /// Files, every name of a hard-linked file counted.
    pub files: u64,
    /// Bytes of all streams, a hard-linked file counted once.
    pub bytes: u64,
}

/// The host's file system, in two speeds: the few steps that must be atomic or durable are calls of their own; bulk content
/// goes into a [`TreeSink`].
///
/// Nothing is durable before it is synced: contents by [`sync_file`](Self::sync_file), names by
/// [`sync_dir`](Self::sync_dir) of the directory that holds them, a whole tree by [`finish_tree`](Self::finish_tree).
/// Names compare without case. Common errors: 0x2 file not found, 0x3 path not found, 0x5 access denied, 0x20 in use,
/// 0x50 exists, 0x70 disk full, 0x91 directory not empty, 0xB7 exists.
pub trait FileSystem: Send + Sync {
    /// Takes a tree's entries and bytes.
    type Tree: TreeSink + 'static;

    /// What is at `path`; `None` if nothing is.
    ///
    /// # Errors
    /// The volume cannot be read.
    fn metadata(
        &self,
        path: &HostPath,
    ) -> impl Future<Output = Result<Option<FileMetadata>, HostError>> + Send;

    /// The names in a directory, in the order of the file system (by upper-cased name).
    ///
    /// # Errors
    /// Not found (0x3), not a directory (0x10B).
    fn list(
        &self,
        path: &HostPath,
    ) -> impl Future<Output = Result<Vec<DirEntry>, HostError>> + Send;

    /// Creates a directory, and its parents where they are missing. One that is there is no error.
    ///
    /// # Errors
    /// A file is in the way (0xB7).
    fn create_dir_all(&self, path: &HostPath)
    -> impl Future<Output = Result<(), HostError>> + Send;

    /// Reads a whole file of at most `max` bytes.
    ///
    /// # Errors
    /// Not found (0x2, 0x3), in use (0x20), longer than `max` (0xDF: file too large).
    fn read(
        &self,
        path: &HostPath,
        max: u64,
    ) -> impl Future<Output = Result<FileBytes, HostError>> + Send;

    /// Writes a whole file.
    ///
    /// # Errors
    /// Exists (0x50, for [`WriteMode::CreateNew`]), path not found (0x3), disk full (0x70).
    fn write(
        &self,
        path: &HostPath,
        bytes: &[u8],
        mode: WriteMode,
    ) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Copies a file to a name that is not there yet.
    ///
    /// # Errors
    /// As for [`read`](Self::read) and [`write`](Self::write).
    fn copy_file(
        &self,
        from: &HostPath,
        to: &HostPath,
    ) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Makes a file's contents durable. `step` says which precaution that is; it changes nothing on a real host.
    ///
    /// # Errors
    /// Not found (0x2), an I/O error (0x45D).
    fn sync_file(
        &self,
        path: &HostPath,
        step: Precaution,
    ) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Makes a directory's names durable. `step` as for [`sync_file`](Self::sync_file).
    ///
    /// # Errors
    /// Not found (0x3), an I/O error (0x45D).
    fn sync_dir(
        &self,
        path: &HostPath,
        step: Precaution,
    ) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Makes the name of a directory durable, and the names of all directories above it: what [`create_dir_all`](Self::create_dir_all)
    /// made is not durable before. That they are there proves nothing; whoever made them may have died before syncing them.
    ///
    /// # Errors
    /// As for [`sync_dir`](Self::sync_dir).
    fn sync_ancestors(
        &self,
        path: &HostPath,
        step: Precaution,
    ) -> impl Future<Output = Result<(), HostError>> + Send {
        async move {
            let mut next = path.parent();
            while let Some(directory) = next {
                self.sync_dir(&directory, step).await?;
                next = directory.parent();
            }
            Ok(())
        }
    }

    /// Renames a file or directory on the same volume, atomically for readers, to a name that is not there.
    ///
    /// # Errors
    /// The target exists (0xB7), something below is open (0x5).
    fn rename(
        &self,
        from: &HostPath,
        to: &HostPath,
    ) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Renames a file over another, atomically for readers.
    ///
    /// # Errors
    /// Not found (0x2), in use (0x20).
    fn replace(
        &self,
        from: &HostPath,
        to: &HostPath,
    ) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Deletes a file.
    ///
    /// # Errors
    /// Not found (0x2), in use (0x20), read-only (0x5).
    fn remove_file(&self, path: &HostPath) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Deletes a directory and all below it. Not atomic: rename it away first.
    ///
    /// # Errors
    /// Not found (0x3), something below is in use (0x20).
    fn remove_dir_all(&self, path: &HostPath)
    -> impl Future<Output = Result<(), HostError>> + Send;

    /// Opens a file, created if missing, so that nobody else can: a lock that ends with the process.
    ///
    /// # Errors
    /// Somebody has it (0x20).
    fn lock(&self, path: &HostPath) -> impl Future<Output = Result<FileLock, HostError>> + Send;

    /// Gives a lock back. It closes a handle: whatever is wrong with the disk, the lock is gone.
    ///
    /// # Errors
    /// Not held (0x6).
    fn unlock(&self, lock: FileLock) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Begins a tree whose root will be `path`, which must not be there; its parent must.
    ///
    /// # Errors
    /// The path exists (0xB7), the parent does not (0x3).
    fn create_tree(
        &self,
        path: &HostPath,
    ) -> impl Future<Output = Result<Self::Tree, HostError>> + Send;

    /// Ends a tree: when this returns, everything sent is there and durable. A tree that is never finished may leave any part
    /// of itself behind. `step` as for [`sync_file`](Self::sync_file).
    ///
    /// # Errors
    /// Disk full (0x70), an I/O error (0x45D).
    fn finish_tree(
        &self,
        tree: Self::Tree,
        step: Precaution,
    ) -> impl Future<Output = Result<TreeSummary, HostError>> + Send;
}
