//! Reads a tree from a directory.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, Metadata, OpenOptions};
use thiserror::Error;
use wcow_ntmeta::{FileAttributes, FileTime, RelPath, ReparsePoint, WideName};

use merged::Merged;

use super::metadata::Metadata as Known;
use super::sink::identity;
use super::time::from_system;
use super::{OpenError, Problem, without_waiting};
use crate::{
    Entry, EntryId, Extra, SendError, Stream, StreamEnd, StreamKind, StreamRef, Times, TreeSink,
    TreeSource,
};

mod merged;

/// Directories below each other that are read; each holds a handle while it is.
const MAX_DEPTH: usize = 128;
/// Problems that are listed; the others are only counted.
const MAX_PROBLEMS: usize = 1000;
const BUFFER: usize = 64 * 1024;

/// Reads a directory with everything below it, in the exact order of names, each directory's entries after it.
///
/// Symbolic links become reparse points and are not followed. Files with several names (on Unix) are sent once. What is
/// neither file, directory nor link is a problem, and so is what cannot be read; the rest is sent all the same, and the
/// problems are told at the end.
#[derive(Debug)]
pub struct DiskSource {
    root: Dir,
    path: PathBuf,
    metadata: Option<Known>,
}

/// A tree was sent, but not all that lay on the disk.
#[derive(Debug, Error)]
#[error("{}: {count} entries could not be read, first {}: {}", root.display(), first.path, first.what)]
pub struct CaptureError {
    /// The directory that was read.
    pub root: PathBuf,
    /// How many there were.
    pub count: u64,
    /// The first one.
    pub first: Problem,
    /// All of them, up to a thousand.
    pub problems: Vec<Problem>,
}

impl DiskSource {
    /// Opens the directory to read.
    ///
    /// # Errors
    /// It is not there, is no directory, or cannot be opened.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let root = Dir::open_ambient_dir(path, ambient_authority());
        let root = root.map_err(|source| OpenError::Directory {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            root,
            path: path.to_owned(),
            metadata: None,
        })
    }

    /// Takes back what a [`DiskSink`](super::DiskSink) kept beside the tree. The entries come in the order in which they
    /// were written, and after them what the metadata does not know.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Known) -> Self {
        self.metadata = Some(metadata);
        self
    }
}

impl TreeSource for DiskSource {
    fn send(&mut self, sink: &mut dyn TreeSink) -> Result<(), SendError> {
        let root = self.root.try_clone().map_err(SendError::source)?;
        let mut walk = Walk {
            sink,
            top: &self.root,
            path: RelPath::root(),
            next: 0,
            first_names: BTreeMap::new(),
            problems: Vec::new(),
            count: 0,
            buffer: vec![0; BUFFER],
        };
        match &self.metadata {
            Some(known) => Merged::new(&mut walk, known, root).send()?,
            None => {
                let metadata = root.dir_metadata().map_err(SendError::source)?;
                let id = walk.announce(None, WideName::new(), &metadata, Kind::Directory)?;
                walk.directory(&root, id, 1)?;
            }
        }
        let (count, problems) = (walk.count, walk.problems);
        match problems.first().cloned() {
            None => Ok(()),
            Some(first) => Err(SendError::source(CaptureError {
                root: self.path.clone(),
                count,
                first,
                problems,
            })),
        }
    }
}

/// What an entry is, with what only that kind has.
enum Kind {
    Directory,
    File {
        len: u64,
        link_to: Option<EntryId>,
    },
    Link {
        reparse: ReparsePoint,
        to_directory: bool,
    },
}

struct Walk<'a> {
    sink: &'a mut dyn TreeSink,
    top: &'a Dir,
    /// Where the walk is.
    path: RelPath,
    next: u32,
    /// The entries of files that have further names, by device and inode.
    first_names: BTreeMap<(u64, u64), EntryId>,
    problems: Vec<Problem>,
    count: u64,
    buffer: Vec<u8>,
}

impl Walk<'_> {
    fn directory(&mut self, dir: &Dir, id: EntryId, depth: usize) -> Result<(), SendError> {
        if depth > MAX_DEPTH {
            self.problem(format!("it lies deeper than {MAX_DEPTH} directories"));
            return Ok(());
        }
        let names = match self.names(dir) {
            Ok(names) => names,
            Err(error) => {
                self.problem(format!("it cannot be listed: {error}"));
                return Ok(());
            }
        };
        let here = self.path.clone();
        for (wide, name) in names {
            self.path = here.join(&wide);
            self.one(dir, id, &wide, Path::new(&name), depth)?;
        }
        self.path = here;
        Ok(())
    }

    /// The names in a directory, sorted.
    fn names(&mut self, dir: &Dir) -> io::Result<Vec<(WideName, std::ffi::OsString)>> {
        let mut names = Vec::new();
        for entry in dir.entries()? {
            let name = entry?.file_name();
            match wide_name(&name) {
                Some(wide) => names.push((wide, name)),
                None => self.problem(format!(
                    "it holds a name that is not UTF-8: {}",
                    name.display()
                )),
            }
        }
        names.sort();
        Ok(names)
    }

    fn one(
        &mut self,
        dir: &Dir,
        parent: EntryId,
        wide: &WideName,
        name: &Path,
        depth: usize,
    ) -> Result<(), SendError> {
        let metadata = match dir.symlink_metadata(name) {
            Ok(metadata) => metadata,
            Err(error) => {
                self.problem(format!("it cannot be read: {error}"));
                return Ok(());
            }
        };
        if metadata.is_dir() {
            let id = self.announce(Some(parent), wide.clone(), &metadata, Kind::Directory)?;
            match dir.open_dir_nofollow(name) {
                Ok(inner) => self.directory(&inner, id, depth + 1)?,
                Err(error) => self.problem(format!("it cannot be opened: {error}")),
            }
        } else if metadata.is_symlink() {
            match self.link(dir, name) {
                Ok(kind) => {
                    self.announce(Some(parent), wide.clone(), &metadata, kind)?;
                }
                Err(what) => self.problem(what),
            }
        } else if metadata.is_file() {
            self.file(dir, parent, wide, name)?;
        } else {
            self.problem("it is neither file, directory nor link".to_owned());
        }
        Ok(())
    }

    fn file(
        &mut self,
        dir: &Dir,
        parent: EntryId,
        wide: &WideName,
        name: &Path,
    ) -> Result<(), SendError> {
        let (metadata, mut file) = match open_file(dir, name) {
            Ok(opened) => opened,
            Err(what) => {
                self.problem(what);
                return Ok(());
            }
        };
        let identity = has_further_names(&metadata)
            .then(|| identity(&metadata))
            .flatten();
        let link_to = identity.and_then(|identity| self.first_names.get(&identity).copied());
        let len = metadata.len();
        let id = self.announce(
            Some(parent),
            wide.clone(),
            &metadata,
            Kind::File { len, link_to },
        )?;
        if link_to.is_some() {
            return Ok(());
        }
        if let Some(identity) = identity {
            self.first_names.insert(identity, id);
        }
        if self.sink.open_stream(StreamRef {
            entry: id,
            index: 0,
        })? {
            let end = self.contents(&mut file, len)?;
            self.sink.close_stream(end)?;
        }
        Ok(())
    }

    /// Sends exactly `len` bytes, or fewer and says that they are damaged.
    fn contents(&mut self, file: &mut File, len: u64) -> Result<StreamEnd, SendError> {
        let mut left = len;
        while left > 0 {
            let want = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(self.buffer.len());
            let buffer = self.buffer.get_mut(..want).unwrap_or_default();
            let got = match file.read(buffer) {
                Ok(0) => {
                    self.problem(format!(
                        "it became shorter while it was read: {left} of {len} bytes are missing"
                    ));
                    return Ok(StreamEnd::Damaged);
                }
                Ok(got) => got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.problem(format!("its contents cannot be read: {error}"));
                    return Ok(StreamEnd::Damaged);
                }
            };
            self.sink.write(buffer.get(..got).unwrap_or_default())?;
            left = left.saturating_sub(got as u64);
        }
        Ok(StreamEnd::Complete)
    }

    /// Reads a symbolic link. An absolute target is taken for one on drive C.
    fn link(&self, dir: &Dir, name: &Path) -> Result<Kind, String> {
        let target = dir
            .read_link_contents(name)
            .map_err(|error| format!("its target cannot be read: {error}"))?;
        let text = target
            .to_str()
            .ok_or("its target is not UTF-8")?
            .replace('/', r"\");
        let reparse = match text.strip_prefix('\\') {
            Some(rest) => {
                ReparsePoint::symlink(format!(r"\??\C:\{rest}"), format!(r"C:\{rest}"), false)
            }
            None => ReparsePoint::symlink(text.as_str(), text.as_str(), true),
        };
        // The only look through a link. It reads no contents and cannot leave the directory that is being read.
        let below = self
            .path
            .components()
            .iter()
            .map(ToString::to_string)
            .collect::<PathBuf>();
        let to_directory = self
            .top
            .metadata(below)
            .is_ok_and(|metadata| metadata.is_dir());
        let reparse = reparse.map_err(|error| error.to_string())?;
        Ok(Kind::Link {
            reparse,
            to_directory,
        })
    }

    fn announce(
        &mut self,
        parent: Option<EntryId>,
        name: WideName,
        metadata: &Metadata,
        kind: Kind,
    ) -> Result<EntryId, SendError> {
        let mut entry = Entry {
            id: EntryId(0),
            parent,
            name,
            short_name: WideName::new(),
            attributes: attributes(metadata),
            times: times(metadata),
            security: None,
            reparse: None,
            link_to: None,
            streams: Vec::new(),
            extra: Extra::default(),
        };
        match kind {
            Kind::Directory => entry.attributes.insert(FileAttributes::DIRECTORY),
            Kind::File { len, link_to } => {
                entry.streams.push(Stream {
                    name: WideName::new(),
                    kind: StreamKind::Data,
                    len,
                    digest: None,
                });
                entry.link_to = link_to;
            }
            Kind::Link {
                reparse,
                to_directory,
            } => {
                entry.attributes = FileAttributes::REPARSE_POINT;
                if to_directory {
                    entry.attributes.insert(FileAttributes::DIRECTORY);
                }
                entry.reparse = Some(reparse);
            }
        }
        self.announce_entry(entry)
    }

    /// Gives an entry its id, and announces it.
    fn announce_entry(&mut self, mut entry: Entry) -> Result<EntryId, SendError> {
        entry.id = EntryId(self.next);
        self.next = self
            .next
            .checked_add(1)
            .ok_or_else(|| SendError::source("more than 2^32 entries"))?;
        self.sink.entry(&entry)?;
        Ok(entry.id)
    }

    fn problem(&mut self, what: String) {
        self.count += 1;
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem {
                path: self.path.clone(),
                what,
            });
        }
    }
}

/// Opens a file, and nothing else.
fn open_file(dir: &Dir, name: &Path) -> Result<(Metadata, File), String> {
    let mut options = OpenOptions::new();
    options.read(true).follow(FollowSymlinks::No);
    without_waiting(&mut options);
    let opened = dir
        .open_with(name, &options)
        .and_then(|file| Ok((file.metadata()?, file)));
    match opened {
        Ok((metadata, file)) if metadata.is_file() => Ok((metadata, file)),
        Ok(_) => Err("it was replaced while it was read".to_owned()),
        Err(error) => Err(format!("it cannot be opened: {error}")),
    }
}

fn times(metadata: &Metadata) -> Times {
    let convert = |time: io::Result<cap_std::time::SystemTime>| {
        time.ok().map(|time| from_system(time.into_std()))
    };
    let written = convert(metadata.modified()).unwrap_or(FileTime::ZERO);
    Times {
        created: convert(metadata.created()).unwrap_or(written),
        accessed: convert(metadata.accessed()).unwrap_or(written),
        written,
    }
}

#[cfg(windows)]
fn attributes(metadata: &Metadata) -> FileAttributes {
    use cap_std::fs::MetadataExt;

    FileAttributes::from_bits(metadata.file_attributes())
}

#[cfg(not(windows))]
fn attributes(metadata: &Metadata) -> FileAttributes {
    let mut attributes = if metadata.is_dir() {
        FileAttributes::DIRECTORY
    } else {
        FileAttributes::ARCHIVE
    };
    if metadata.is_file() && metadata.permissions().readonly() {
        attributes.insert(FileAttributes::READONLY);
    }
    attributes
}

#[cfg(windows)]
fn wide_name(name: &std::ffi::OsStr) -> Option<WideName> {
    use std::os::windows::ffi::OsStrExt;

    Some(name.encode_wide().collect())
}

#[cfg(not(windows))]
fn wide_name(name: &std::ffi::OsStr) -> Option<WideName> {
    name.to_str().map(WideName::from)
}

#[cfg(unix)]
fn has_further_names(metadata: &Metadata) -> bool {
    use cap_fs_ext::MetadataExt;

    metadata.nlink() > 1
}

#[cfg(not(unix))]
fn has_further_names(_: &Metadata) -> bool {
    false
}
