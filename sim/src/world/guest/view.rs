//! What a container sees of its disk: the writes of its scratch layer over the files of its image.
//!
//! The scratch layer is a map from paths to files, directories and removals. Whatever it does not name is looked up in the
//! image layers, nearest first. Nothing here can change an image: it is only ever borrowed for reading.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wcow_host::codes::win32;
use wcow_host::{FileKind, FileMetadata, WriteMode};
use wcow_ntmeta::{FileAttributes, FileTime, Hresult, RelPath, WideName};

use crate::blobs::BlobId;
use crate::call::ContentRef;
use crate::fs::{EMPTY, Fs, Spot, is_plain};
use crate::serial;
use crate::world::Outside;
use crate::world::guest::mapped::{Mapped, OnHost, on_host};

/// The size of a container's disk in bytes.
const DISK_BYTES: u64 = 20 << 30;
/// What a disk without files takes of it.
const DISK_OVERHEAD: u64 = 98 << 20;
/// The longest file that is made out of pieces, in bytes.
const LONGEST_COMPOSED: u64 = 64 << 20;

/// The writes of a scratch layer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Overlay {
    /// By upcased path, so that what is below a directory stands together.
    #[serde(with = "serial::pairs")]
    entries: BTreeMap<RelPath, Upper>,
}

impl Overlay {
    /// Collects the blobs that its files name.
    pub(crate) fn blobs(&self, blobs: &mut BTreeSet<BlobId>) {
        for upper in self.entries.values() {
            if let Upper::File(file) = upper {
                blobs.extend(file.content.blob);
            }
        }
    }

    /// A path of the image is not seen, unless the scratch layer has something there.
    pub(crate) fn hide(&mut self, path: &RelPath) {
        self.entries.entry(path.upcased()).or_insert(Upper::Removed);
    }

    /// What differs from the image, by upcased path, directories before what is in them.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (&RelPath, Change)> {
        self.entries.iter().map(|(path, upper)| {
            let change = match upper {
                Upper::Removed => Change::Removed,
                Upper::Directory { .. } => Change::Directory,
                Upper::File(file) => Change::File(file.attributes, file.content),
            };
            (path, change)
        })
    }

    /// The last name of an upcased path, as it was given in the container; `None` if the container made nothing there.
    pub(crate) fn name(&self, path: &RelPath) -> Option<&WideName> {
        match self.entries.get(path)? {
            Upper::Removed => None,
            Upper::Directory { name, .. } => Some(name),
            Upper::File(file) => Some(&file.name),
        }
    }

    fn used(&self) -> u64 {
        self.entries
            .values()
            .map(|upper| match upper {
                Upper::File(file) => file.content.len,
                Upper::Directory { .. } | Upper::Removed => 0,
            })
            .fold(0, u64::saturating_add)
    }
}

/// How a path of a scratch layer differs from the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is not there.
    Removed,
    /// A directory of its own.
    Directory,
    /// A file of its own.
    File(FileAttributes, ContentRef),
}

/// What the scratch layer says of a path.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Upper {
    /// It is not there, whatever the image says.
    Removed,
    /// A directory that was made in the container; the image has nothing to do with it.
    Directory { name: WideName, written: FileTime },
    /// A file that was written in the container.
    File(UpperFile),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct UpperFile {
    name: WideName,
    attributes: FileAttributes,
    written: FileTime,
    content: ContentRef,
}

/// A file or directory as the container sees it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Its name: in a listing as the disk spells it, otherwise as the caller did; empty for the root.
    pub(crate) name: WideName,
    /// What is known of it.
    pub(crate) metadata: FileMetadata,
    /// The contents of a file.
    pub(crate) content: ContentRef,
}

impl Seen {
    /// Whether it is a directory.
    pub(crate) fn is_directory(&self) -> bool {
        self.metadata.kind == FileKind::Directory
    }
}

/// A container's disk, open for one step of a program.
pub(crate) struct View<'w, 'o> {
    pub(crate) fs: &'w mut Fs,
    pub(crate) overlay: &'w mut Overlay,
    /// Folders of the host that it sees.
    pub(crate) mapped: &'w [Mapped],
    /// The roots of the image layers, nearest first.
    pub(crate) lower: Vec<Spot>,
    pub(crate) out: &'w mut Outside<'o>,
    pub(crate) now: FileTime,
}

/// Where a walk came to.
struct Place {
    /// The upcased path.
    key: RelPath,
    /// What is there.
    seen: Seen,
    /// What the image has there and the scratch layer does not hide.
    lower: Vec<Spot>,
}

impl View<'_, '_> {
    /// What is at a path; `None` if nothing is.
    pub(crate) fn stat(&mut self, path: &RelPath) -> Result<Option<Seen>, Hresult> {
        if let Some(OnHost { path: there, .. }) = on_host(self.mapped, path)? {
            let spot = self.fs.find(&there, self.out)?;
            let name = path.file_name().cloned().unwrap_or_default();
            return Ok(spot.map(|spot| self.seen_below(name, &spot)));
        }
        Ok(self.place(path)?.map(|place| place.seen))
    }

    /// Whether a path names a directory.
    pub(crate) fn is_directory(&mut self, path: &RelPath) -> bool {
        matches!(self.stat(path), Ok(Some(seen)) if seen.is_directory())
    }

    /// Whether a path names a file.
    pub(crate) fn is_file(&mut self, path: &RelPath) -> bool {
        matches!(self.stat(path), Ok(Some(seen)) if !seen.is_directory())
    }

    /// What a directory holds, by upcased name.
    pub(crate) fn list(&mut self, path: &RelPath) -> Result<Vec<Seen>, Hresult> {
        if let Some(OnHost { path: there, .. }) = on_host(self.mapped, path)? {
            let spot = self.fs.find(&there, self.out)?;
            let spot = spot.ok_or(win32::PATH_NOT_FOUND)?;
            if !self.fs.is_directory(&spot) {
                return Err(win32::DIRECTORY);
            }
            let children = self.fs.children(&spot, self.out)?;
            let seen = |(name, child)| self.seen_below(name, &child);
            return Ok(children.into_iter().map(seen).collect());
        }
        let place = self.place(path)?.ok_or(win32::PATH_NOT_FOUND)?;
        if !place.seen.is_directory() {
            return Err(win32::DIRECTORY);
        }
        let mut all: BTreeMap<WideName, Seen> = BTreeMap::new();
        for spot in place.lower.iter().rev() {
            for (name, child) in self.fs.children(spot, self.out)? {
                all.insert(name.upcased(), self.seen_below(name, &child));
            }
        }
        let depth = place.key.depth();
        let below = self
            .overlay
            .entries
            .range(place.key.clone()..)
            .take_while(|(key, _)| key.components().starts_with(place.key.components()))
            .filter(|(key, _)| key.depth() == depth + 1);
        for (key, upper) in below {
            let Some(name) = key.file_name() else {
                continue;
            };
            match seen_upper(upper) {
                Some(seen) => all.insert(name.clone(), seen),
                None => all.remove(name),
            };
        }
        Ok(all.into_values().collect())
    }

    /// The bytes of a content of at most `max` bytes.
    pub(crate) fn bytes(&mut self, content: ContentRef, max: u64) -> Result<Vec<u8>, Hresult> {
        if content.len > max {
            return Err(win32::DISK_FULL);
        }
        match content.blob {
            None => Ok(vec![
                0;
                usize::try_from(content.len)
                    .map_err(|_| win32::DISK_FULL)?
            ]),
            Some(blob) => match self.out.blobs.get(blob) {
                Ok(Some(bytes)) => Ok(bytes.to_vec()),
                Ok(None) | Err(_) => Err(win32::IO_DEVICE),
            },
        }
    }

    /// Makes a file of these contents, over one that is there.
    pub(crate) fn write(&mut self, path: &RelPath, content: ContentRef) -> Result<(), Hresult> {
        let name = path.file_name().ok_or(win32::ACCESS_DENIED)?;
        if let Some(there) = on_host(self.mapped, path)? {
            let there = there.writable()?;
            if let Some(seen) = self.stat(path)?
                && (seen.is_directory()
                    || seen.metadata.attributes.contains(FileAttributes::READONLY))
            {
                return Err(win32::ACCESS_DENIED);
            }
            let mode = WriteMode::Overwrite;
            let written = self.fs.write(&there, content, mode, self.now, self.out);
            return written.map(drop);
        }
        let parent = path.parent().unwrap_or_default();
        let Some(parent) = self
            .place(&parent)?
            .filter(|place| place.seen.is_directory())
        else {
            return Err(win32::PATH_NOT_FOUND);
        };
        let key = parent.key.join(name.upcased());
        let mut file = UpperFile {
            name: name.clone(),
            attributes: FileAttributes::ARCHIVE,
            written: self.now,
            content,
        };
        let mut replaced = 0;
        match self.stat(path)? {
            None if !is_plain(name.units()) => return Err(win32::INVALID_NAME),
            None => {}
            Some(seen) => {
                let attributes = seen.metadata.attributes;
                if seen.is_directory() || attributes.contains(FileAttributes::READONLY) {
                    return Err(win32::ACCESS_DENIED);
                }
                file.name = self.spelled(path)?.unwrap_or(seen.name);
                file.attributes = attributes | FileAttributes::ARCHIVE;
                if let Some(Upper::File(old)) = self.overlay.entries.get(&key) {
                    replaced = old.content.len;
                }
            }
        }
        if content.len > self.free_bytes().saturating_add(replaced) {
            return Err(win32::DISK_FULL);
        }
        self.overlay.entries.insert(key, Upper::File(file));
        Ok(())
    }

    /// The last name of a path as the disk spells it.
    pub(crate) fn spelled(&mut self, path: &RelPath) -> Result<Option<WideName>, Hresult> {
        if let Some(upper) = self.overlay.entries.get(&path.upcased()) {
            return Ok(seen_upper(upper).map(|seen| seen.name));
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(None);
        };
        let mut names = self.list(&parent)?.into_iter().map(|seen| seen.name);
        Ok(names.find(|known| known.eq_ignore_case(name)))
    }

    /// Adds bytes to the end of a file, made if it is not there.
    pub(crate) fn append(&mut self, path: &RelPath, more: &[u8]) -> Result<(), Hresult> {
        let old = self.stat(path)?.map_or(EMPTY, |seen| seen.content);
        let mut bytes = self.bytes(old, LONGEST_COMPOSED)?;
        bytes.extend_from_slice(more);
        let content = self.keep(&bytes)?;
        self.write(path, content)
    }

    /// Puts bytes where files have theirs.
    pub(crate) fn keep(&mut self, bytes: &[u8]) -> Result<ContentRef, Hresult> {
        if bytes.is_empty() {
            return Ok(EMPTY);
        }
        let blob = self.out.blobs.put(bytes).map_err(|_| win32::IO_DEVICE)?;
        Ok(ContentRef {
            blob: Some(blob),
            len: bytes.len() as u64,
        })
    }

    /// Deletes a file.
    pub(crate) fn remove_file(&mut self, path: &RelPath) -> Result<(), Hresult> {
        if let Some(there) = on_host(self.mapped, path)? {
            let there = there.writable()?;
            return self.fs.remove_file(&there, self.now, self.out);
        }
        let place = self.place(path)?.ok_or(win32::FILE_NOT_FOUND)?;
        let attributes = place.seen.metadata.attributes;
        if place.seen.is_directory() || attributes.contains(FileAttributes::READONLY) {
            return Err(win32::ACCESS_DENIED);
        }
        // The removal has to be remembered only where the image would show a file of that name again.
        let in_image = {
            let parent = self.place(&path.parent().unwrap_or_default())?;
            let name = path.file_name().ok_or(win32::FILE_NOT_FOUND)?;
            let lower = parent.map(|place| place.lower).unwrap_or_default();
            !self.below(&lower, name)?.is_empty()
        };
        if in_image {
            self.overlay.entries.insert(place.key, Upper::Removed);
        } else {
            self.overlay.entries.remove(&place.key);
        }
        Ok(())
    }

    /// Creates a directory and its missing parents.
    pub(crate) fn create_directory(&mut self, path: &RelPath) -> Result<(), Hresult> {
        if self.stat(path)?.is_some() {
            return Err(win32::ALREADY_EXISTS);
        }
        if let Some(there) = on_host(self.mapped, path)? {
            let there = there.writable()?;
            let made = self.fs.create_dir_all(&there, self.now, self.out);
            return made.map(drop);
        }
        let mut made = RelPath::root();
        for name in path.components() {
            made.push(name.clone());
            match self.stat(&made)? {
                Some(seen) if seen.is_directory() => {}
                Some(_) => return Err(win32::PATH_NOT_FOUND),
                None if !is_plain(name.units()) => return Err(win32::INVALID_NAME),
                None => {
                    let directory = Upper::Directory {
                        name: name.clone(),
                        written: self.now,
                    };
                    self.overlay.entries.insert(made.upcased(), directory);
                }
            }
        }
        Ok(())
    }

    /// Free space in bytes.
    pub(crate) fn free_bytes(&self) -> u64 {
        DISK_BYTES.saturating_sub(DISK_OVERHEAD.saturating_add(self.overlay.used()))
    }

    fn place(&mut self, path: &RelPath) -> Result<Option<Place>, Hresult> {
        let mut place = Place {
            key: RelPath::root(),
            seen: seen_directory(WideName::new(), FileTime::ZERO),
            lower: self.lower.clone(),
        };
        for name in path.components() {
            if !place.seen.is_directory() {
                return Ok(None);
            }
            place.lower = self.below(&place.lower, name)?;
            place.key.push(name.upcased());
            match self.overlay.entries.get(&place.key) {
                Some(upper) => {
                    place.lower.clear();
                    match seen_upper(upper) {
                        Some(seen) => place.seen = seen,
                        None => return Ok(None),
                    }
                }
                None => match place.lower.first() {
                    Some(spot) => place.seen = self.seen_below(name.clone(), spot),
                    None => return Ok(None),
                },
            }
        }
        Ok(Some(place))
    }

    /// What directories of the image hold under a name: a file, or directories that are shown as one.
    fn below(&mut self, directories: &[Spot], name: &WideName) -> Result<Vec<Spot>, Hresult> {
        let mut found: Vec<Spot> = Vec::new();
        for directory in directories {
            let Some(child) = self.fs.child(directory, name.units(), self.out)? else {
                continue;
            };
            if self.fs.is_directory(&child) {
                found.push(child);
            } else {
                if found.is_empty() {
                    found.push(child);
                }
                break;
            }
        }
        Ok(found)
    }

    fn seen_below(&self, name: WideName, spot: &Spot) -> Seen {
        Seen {
            name,
            metadata: self.fs.metadata(spot),
            content: self.fs.content(spot).unwrap_or(EMPTY),
        }
    }
}

fn seen_upper(upper: &Upper) -> Option<Seen> {
    match upper {
        Upper::Removed => None,
        Upper::Directory { name, written } => Some(seen_directory(name.clone(), *written)),
        Upper::File(file) => Some(Seen {
            name: file.name.clone(),
            metadata: FileMetadata {
                kind: FileKind::File,
                len: file.content.len,
                attributes: file.attributes,
                written: file.written,
            },
            content: file.content,
        }),
    }
}

fn seen_directory(name: WideName, written: FileTime) -> Seen {
    Seen {
        name,
        metadata: FileMetadata {
            kind: FileKind::Directory,
            len: 0,
            attributes: FileAttributes::DIRECTORY,
            written,
        },
        content: EMPTY,
    }
}
