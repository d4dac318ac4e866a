//! Writes a tree below a directory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::FileTimes;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::Arc;

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt, OpenOptionsMaybeDirExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, OpenOptions};
use wcow_ntmeta::{FileAttributes, FileTime, RelPath, ReparseTarget, WideName};

pub(super) use place::identity;

use super::link::relative_target;
use super::probe::{Probe, probe};
use super::time::to_system;
use super::{DiskOptions, DiskReport, Links, OpenError, Problem, Renamed, SkippedLink};
use crate::names::written_name;
use crate::{Entry, EntryId, SinkError, Stream, StreamEnd, StreamKind, StreamRef, Times, TreeSink};

mod place;

/// Directories below each other that are written; a tree that goes deeper is cut off there, with a problem for each
/// entry.
const MAX_DEPTH: usize = 1024;
/// Handles kept open from the destination down.
const MAX_HANDLES: usize = 48;

/// Writes a tree below a directory, and never outside it.
///
/// Files get their final names at once, and their contents when they come. A file whose contents were damaged, or never
/// came, is removed again; [`finish`](Self::finish) does the last of it, so call it after a failed transfer too.
#[derive(Debug)]
pub struct DiskSink {
    root: Arc<Dir>,
    probe: Probe,
    options: DiskOptions,
    report: DiskReport,
    nodes: BTreeMap<EntryId, Node>,
    /// Names written so far in each directory, as the disk compares them, with the highest number given to each.
    taken: BTreeMap<EntryId, BTreeMap<WideName, u32>>,
    /// Device and inode of everything written, to tell own entries from others under names the disk takes for the same.
    ours: BTreeSet<(u64, u64)>,
    /// Further names of files whose contents may still be damaged.
    links: BTreeMap<EntryId, Vec<EntryId>>,
    /// Open directories from the destination down to the one used last.
    chain: Vec<(EntryId, Arc<Dir>)>,
    /// The directory used last, if it lies deeper than the chain goes.
    deep: Option<(EntryId, Arc<Dir>)>,
    /// The file made last, still open.
    latest: Option<(EntryId, File)>,
    open: Option<OpenStream>,
}

#[derive(Debug)]
struct Node {
    parent: Option<EntryId>,
    name: WideName,
    /// The name on the disk.
    written: String,
    depth: usize,
    times: Times,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Directory,
    /// A file that waits for the contents of the stream at `stream`, `len` bytes.
    Waiting {
        stream: usize,
        len: u64,
    },
    /// A file that has all it gets.
    File,
    NotWritten,
}

#[derive(Debug)]
struct OpenStream {
    entry: EntryId,
    /// `None` once writing failed, and for streams without bytes.
    file: Option<File>,
    expected: u64,
    received: u64,
}

impl DiskSink {
    /// Opens the destination, and makes it if it is not there.
    ///
    /// # Errors
    /// It cannot be made, opened or written to.
    pub fn open(path: &Path, options: DiskOptions) -> Result<Self, OpenError> {
        let directory = |source| OpenError::Directory {
            path: path.to_owned(),
            source,
        };
        Dir::create_ambient_dir_all(path, ambient_authority()).map_err(directory)?;
        let root = Dir::open_ambient_dir(path, ambient_authority()).map_err(directory)?;
        let probe = probe(&root).map_err(|source| OpenError::Probe {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            root: Arc::new(root),
            probe,
            options,
            report: DiskReport::default(),
            nodes: BTreeMap::new(),
            taken: BTreeMap::new(),
            ours: BTreeSet::new(),
            links: BTreeMap::new(),
            chain: Vec::new(),
            deep: None,
            latest: None,
            open: None,
        })
    }

    /// Removes files whose contents never came, sets the times of directories, and tells what was done.
    ///
    /// # Errors
    /// The disk is full or cannot be written to any more.
    pub fn finish(mut self) -> Result<DiskReport, SinkError> {
        self.latest = None;
        // A file whose stream was not closed still waits, and goes with the others.
        self.open = None;
        let waiting = self
            .nodes
            .iter()
            .filter(|(_, node)| matches!(node.state, State::Waiting { .. }));
        for id in waiting.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.remove(id, "its contents never came");
        }
        let directories = self
            .nodes
            .iter()
            .filter(|(_, node)| node.state == State::Directory);
        for (id, times) in directories
            .map(|(id, node)| (*id, node.times))
            .collect::<Vec<_>>()
        {
            let set = self.dir(id).and_then(|dir| {
                let itself = dir.open_with(".", OpenOptions::new().read(true).maybe_dir(true))?;
                set_times(itself, times)
            });
            self.note_times(set)?;
        }
        Ok(self.report)
    }
}

impl TreeSink for DiskSink {
    fn entry(&mut self, entry: &Entry) -> Result<(), SinkError> {
        self.latest = None;
        let id = entry.id;
        if self.nodes.contains_key(&id) {
            return Err(SinkError::message(format!(
                "entry {}: it was sent twice",
                id.0
            )));
        }
        let Some(parent) = entry.parent else {
            if !entry.is_directory() {
                return Err(SinkError::message(
                    "the root of the tree is not a directory",
                ));
            }
            self.count_not_kept(entry);
            self.add(entry, String::new(), 0, State::Directory);
            return Ok(());
        };
        let Some(parent) = self.nodes.get(&parent) else {
            return Err(SinkError::message(format!(
                "entry {}: its parent {} was not sent",
                id.0, parent.0
            )));
        };
        let (parent_state, depth) = (parent.state, parent.depth + 1);
        let written = written_name(&entry.name, self.probe.rule);
        self.add(entry, written, depth, State::NotWritten);
        if parent_state != State::Directory {
            self.problem(id, "its directory was not written".to_owned());
            return Ok(());
        }
        if depth > MAX_DEPTH {
            self.problem(id, format!("it lies deeper than {MAX_DEPTH} directories"));
            return Ok(());
        }
        match self.write_entry(entry) {
            Ok(()) => Ok(()),
            Err(error) => self.failed(id, "it cannot be written", error),
        }
    }

    fn open_stream(&mut self, stream: StreamRef) -> Result<bool, SinkError> {
        let state = self.nodes.get(&stream.entry).map(|node| node.state);
        let Some(State::Waiting { stream: index, len }) = state else {
            return Ok(false);
        };
        if index != stream.index {
            return Ok(false);
        }
        let file = match self.latest.take() {
            Some((id, file)) if id == stream.entry => Ok(file),
            _ => self.reopen(stream.entry),
        };
        match file {
            Ok(file) => {
                self.open = Some(OpenStream {
                    entry: stream.entry,
                    file: Some(file),
                    expected: len,
                    received: 0,
                });
                Ok(true)
            }
            Err(error) => {
                self.failed(stream.entry, "it cannot be opened again", error)?;
                Ok(false)
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        let Some(open) = &mut self.open else {
            return Err(SinkError::message("bytes came without an open stream"));
        };
        open.received = open.received.saturating_add(bytes.len() as u64);
        if open.received > open.expected {
            open.file = None;
        }
        let Some(file) = &mut open.file else {
            return Ok(());
        };
        if let Err(error) = file.write_all(bytes) {
            let entry = open.entry;
            open.file = None;
            return self.failed(entry, "its contents cannot be written", error);
        }
        self.report.bytes += bytes.len() as u64;
        Ok(())
    }

    fn close_stream(&mut self, end: StreamEnd) -> Result<(), SinkError> {
        let Some(open) = self.open.take() else {
            return Err(SinkError::message("a stream was closed that was not open"));
        };
        if self
            .nodes
            .get(&open.entry)
            .is_none_or(|node| node.state == State::NotWritten)
        {
            // Writing failed, which was told when it did.
            return Ok(());
        }
        match (end, open.file) {
            (StreamEnd::Complete, Some(file)) if open.received == open.expected => {
                self.complete(open.entry, file)
            }
            (StreamEnd::Complete, _) => {
                let what = format!(
                    "expected {} bytes of contents, {} came",
                    open.expected, open.received
                );
                self.remove(open.entry, &what);
                Ok(())
            }
            (StreamEnd::Damaged, _) => {
                self.remove(open.entry, "its contents are damaged");
                Ok(())
            }
        }
    }
}

impl DiskSink {
    fn add(&mut self, entry: &Entry, written: String, depth: usize, state: State) {
        let node = Node {
            parent: entry.parent,
            name: entry.name.clone(),
            written,
            depth,
            times: entry.times,
            state,
        };
        self.nodes.insert(entry.id, node);
    }

    /// Writes an entry whose directory is there. An error is told as a problem by the caller.
    fn write_entry(&mut self, entry: &Entry) -> io::Result<()> {
        let Some(parent) = entry.parent else {
            return Ok(());
        };
        if let Some(first) = entry.link_to {
            return self.write_hard_link(entry.id, parent, first);
        }
        if let Some(target) = entry.reparse.as_ref().and_then(|reparse| reparse.target()) {
            return self.write_symlink(entry, parent, target);
        }
        let contents = entry
            .streams
            .iter()
            .position(|stream| stream.name.is_empty());
        let contents = contents.and_then(|index| Some((index, entry.streams.get(index)?)));
        if let Some((
            _,
            Stream {
                kind: StreamKind::EncryptedRaw,
                ..
            },
        )) = contents
        {
            self.problem(
                entry.id,
                "its contents are encrypted, and only Windows can write them".to_owned(),
            );
            return Ok(());
        }
        if entry.is_directory() {
            self.place(entry.id, parent, |sink, dir, name| sink.make_dir(dir, name))?;
            self.set_state(entry.id, State::Directory);
            self.report.directories += 1;
        } else {
            let file = self.place(entry.id, parent, |sink, dir, name| {
                sink.make_file(dir, name)
            })?;
            self.report.files += 1;
            match contents {
                Some((stream, Stream { len: len @ 1.., .. })) => {
                    self.set_state(entry.id, State::Waiting { stream, len: *len });
                    self.latest = Some((entry.id, file));
                }
                _ => {
                    self.set_state(entry.id, State::File);
                    let set = set_times(file, entry.times);
                    self.report.not_kept.times += u64::from(set.is_err());
                }
            }
        }
        self.count_not_kept(entry);
        Ok(())
    }

    fn write_hard_link(&mut self, id: EntryId, parent: EntryId, first: EntryId) -> io::Result<()> {
        let source = self
            .nodes
            .get(&first)
            .map(|node| (node.parent, node.state, node.written.clone()));
        let Some((Some(source_parent), state @ (State::File | State::Waiting { .. }), source_name)) =
            source
        else {
            self.problem(
                id,
                "the file it is a further name of was not written".to_owned(),
            );
            return Ok(());
        };
        let source_dir = self.dir(source_parent)?;
        self.place(id, parent, |sink, dir, name| {
            sink.clear(dir, name)?;
            source_dir.hard_link(&source_name, dir, name)
        })?;
        self.report.hard_links += 1;
        // The bytes are the first name's business; this name only goes with it if they are damaged.
        self.set_state(id, State::File);
        if state != State::File {
            self.links.entry(first).or_default().push(id);
        }
        Ok(())
    }

    fn write_symlink(
        &mut self,
        entry: &Entry,
        parent: EntryId,
        target: ReparseTarget,
    ) -> io::Result<()> {
        let path = self.path(parent);
        let text = match self.options.links {
            Links::Relative if cfg!(unix) => {
                relative_target(path.components(), &target, self.probe.rule)
            }
            _ => None,
        };
        let Some(text) = text else {
            self.report.skipped_link_count += 1;
            if self.report.skipped_links.len() < self.options.list_at_most {
                self.report.skipped_links.push(SkippedLink {
                    path: self.path(entry.id),
                    target,
                });
            }
            return Ok(());
        };
        self.place(entry.id, parent, |sink, dir, name| {
            sink.clear(dir, name)?;
            make_symlink(dir, &text, name)
        })?;
        self.report.symlinks += 1;
        self.count_not_kept(entry);
        Ok(())
    }

    fn reopen(&mut self, id: EntryId) -> io::Result<File> {
        let node = self.nodes.get(&id);
        let (parent, name) = node
            .and_then(|node| Some((node.parent?, node.written.clone())))
            .ok_or(ErrorKind::NotFound)?;
        self.dir(parent)?.open_with(
            name,
            OpenOptions::new()
                .write(true)
                .truncate(true)
                .follow(FollowSymlinks::No),
        )
    }

    fn complete(&mut self, id: EntryId, file: File) -> Result<(), SinkError> {
        self.set_state(id, State::File);
        self.links.remove(&id);
        let times = self
            .nodes
            .get(&id)
            .map(|node| node.times)
            .unwrap_or_default();
        let set = set_times(file, times);
        self.note_times(set)
    }

    /// Removes a file under all its names, with a problem for each.
    fn remove(&mut self, id: EntryId, why: &str) {
        let names = self.links.remove(&id).unwrap_or_default();
        self.report.files = self.report.files.saturating_sub(1);
        self.report.hard_links = self.report.hard_links.saturating_sub(names.len() as u64);
        for id in std::iter::once(id).chain(names) {
            let place = self
                .nodes
                .get(&id)
                .and_then(|node| Some((node.parent?, node.written.clone())));
            let removed = place.map(|(parent, name)| self.dir(parent)?.remove_file(name));
            match removed {
                Some(Err(error)) => {
                    self.problem(id, format!("{why}, and it cannot be removed: {error}"))
                }
                _ => self.problem(id, why.to_owned()),
            }
            self.set_state(id, State::NotWritten);
        }
    }

    fn path(&self, id: EntryId) -> RelPath {
        self.way(id)
            .into_iter()
            .map(|node| node.name.clone())
            .collect()
    }

    /// The nodes from below the root down to an entry.
    fn way(&self, id: EntryId) -> Vec<&Node> {
        let mut way = Vec::new();
        let mut at = self.nodes.get(&id);
        while let Some(node) = at
            && let Some(parent) = node.parent
        {
            way.push(node);
            at = self.nodes.get(&parent);
        }
        way.reverse();
        way
    }

    fn set_state(&mut self, id: EntryId, state: State) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.state = state;
        }
    }

    fn note_name(&mut self, id: EntryId, written: String) {
        let Some(node) = self.nodes.get_mut(&id) else {
            return;
        };
        let renamed = node.name != *written.as_str();
        node.written = written;
        if !renamed {
            return;
        }
        self.report.renamed_count += 1;
        if self.report.renamed.len() < self.options.list_at_most {
            let way: Vec<&str> = self
                .way(id)
                .into_iter()
                .map(|node| node.written.as_str())
                .collect();
            let written = way.join("/");
            self.report.renamed.push(Renamed {
                original: self.path(id),
                written,
            });
        }
    }

    fn note_times(&mut self, set: io::Result<()>) -> Result<(), SinkError> {
        match set {
            Err(error) if ends_everything(&error) => {
                Err(SinkError::new("times cannot be set", error))
            }
            other => {
                self.report.not_kept.times += u64::from(other.is_err());
                Ok(())
            }
        }
    }

    fn problem(&mut self, id: EntryId, what: String) {
        self.report.problem_count += 1;
        if self.report.problems.len() < self.options.list_at_most {
            self.report.problems.push(Problem {
                path: self.path(id),
                what,
            });
        }
    }

    /// Tells a failed step of one entry: as a problem, or as the end if nothing further can be written.
    fn failed(&mut self, id: EntryId, what: &str, error: io::Error) -> Result<(), SinkError> {
        if matches!(
            self.nodes.get(&id).map(|node| node.state),
            Some(State::Waiting { .. })
        ) {
            self.remove(id, &format!("{what}: {error}"));
        } else {
            self.problem(id, format!("{what}: {error}"));
        }
        if ends_everything(&error) {
            return Err(SinkError::new(format!("{}: {what}", self.path(id)), error));
        }
        Ok(())
    }

    fn count_not_kept(&mut self, entry: &Entry) {
        let kept = FileAttributes::DIRECTORY
            | FileAttributes::ARCHIVE
            | FileAttributes::NORMAL
            | FileAttributes::REPARSE_POINT;
        let mut other = entry.attributes;
        other.remove(kept);
        let reparse = match &entry.reparse {
            Some(reparse) => reparse.target().is_none(),
            None => entry.attributes.is_reparse_point(),
        };
        let extra = &entry.extra;
        let has_extra = !(extra.object_id.is_empty()
            && extra.extended_attributes.is_empty()
            && extra.unknown.is_empty());
        let named = entry
            .streams
            .iter()
            .filter(|stream| !stream.name.is_empty())
            .count();

        let not_kept = &mut self.report.not_kept;
        not_kept.attributes += u64::from(!other.is_empty());
        not_kept.creation_times += u64::from(entry.times.created != FileTime::ZERO);
        not_kept.security += u64::from(entry.security.is_some());
        not_kept.short_names += u64::from(!entry.short_name.is_empty());
        not_kept.named_streams += named as u64;
        not_kept.reparse_points += u64::from(reparse);
        not_kept.extra += u64::from(has_extra);
    }
}

/// Sets the times that there are. (The `cap_fs_ext` way to do it panics on times before 1970.)
fn set_times(file: File, times: Times) -> io::Result<()> {
    let mut wanted = FileTimes::new();
    if let Some(time) = to_system(times.accessed) {
        wanted = wanted.set_accessed(time);
    }
    if let Some(time) = to_system(times.written) {
        wanted = wanted.set_modified(time);
    }
    file.into_std().set_times(wanted)
}

/// Whether nothing further can be written after this error.
fn ends_everything(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::ReadOnlyFilesystem
    )
}

#[cfg(unix)]
fn make_symlink(dir: &Dir, target: &str, name: &str) -> io::Result<()> {
    dir.symlink(target, name)
}

#[cfg(not(unix))]
fn make_symlink(_: &Dir, _: &str, _: &str) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TreeSource;
    use crate::memory::MemoryTree;
    use crate::names::NameRule;

    /// Writes a tree as if the destination were another kind of disk, and lists what lies there.
    #[track_caller]
    fn check(probe: Probe, mut tree: MemoryTree, expected: &[&str]) -> DiskReport {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut sink = DiskSink::open(dir.path(), DiskOptions::default()).expect("a new directory");
        sink.probe = probe;
        tree.send(&mut sink).expect("an empty disk");
        let report = sink.finish().expect("an empty disk");
        let entries = std::fs::read_dir(dir.path()).expect("a directory");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("a name").file_name())
            .collect();
        names.sort();
        assert_eq!(names, expected);
        report
    }

    #[test]
    fn names_that_differ_in_case_are_numbered() {
        let tree = MemoryTree::new()
            .file("Name", "1")
            .file("NAME", "2")
            .file("name", "3")
            .file("n\u{e9}", "")
            .file("N\u{c9}", "");
        let probe = Probe {
            ignores_case: true,
            rule: NameRule::Unix,
        };
        let report = check(
            probe,
            tree,
            &["NAME%~2", "Name", "N\u{c9}%~2", "name%~3", "n\u{e9}"],
        );
        assert_eq!(report.renamed_count, 3);
        let renamed = Renamed {
            original: RelPath::parse("NAME"),
            written: "NAME%~2".to_owned(),
        };
        assert_eq!(report.renamed.first(), Some(&renamed));
    }

    #[test]
    fn windows_names_are_escaped() {
        let tree = MemoryTree::new()
            .file("a:b", "")
            .file("aux", "")
            .file("end.", "")
            .file("fine", "");
        let probe = Probe {
            ignores_case: true,
            rule: NameRule::Windows,
        };
        let report = check(probe, tree, &["%0061ux", "a%003Ab", "end%002E", "fine"]);
        assert_eq!((report.renamed_count, report.problem_count), (3, 0));
    }

    #[test]
    fn a_full_disk_ends_everything() {
        let ends = |kind: ErrorKind| ends_everything(&kind.into());
        assert!(
            ends(ErrorKind::StorageFull)
                && ends(ErrorKind::QuotaExceeded)
                && !ends(ErrorKind::NotFound)
        );
    }
}
