//! Writes a tree below a directory.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, ErrorKind};
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use links::Link;
use named::{Named, Parts};
use nodes::{Nodes, State};
use output::Output;
pub(super) use place::identity;
use place::{Made, Taken};
use times::set_times;

use super::handles::{Handles, Slot};
use super::metadata::{Beside, MetadataWriter};
use super::native::{self, Native, Places, Sealed};
use super::probe::{Probe, probe};
use super::{DiskOptions, DiskReport, Durability, Keep, Names, OpenError, Problem};
use crate::names::NameRule;
use crate::{Entry, SinkError, StreamEnd, StreamKind, StreamRef, TreeSink};

mod kept;
mod links;
mod named;
mod nodes;
mod output;
mod place;
mod sealing;
mod times;

/// Directories below each other that are written; a tree that goes deeper is cut off there, with a problem for each
/// entry.
const MAX_DEPTH: u16 = 1024;
/// Contents that come in one piece of at most this many bytes are written under the file's own name at once.
const WHOLE: usize = 1 << 20;

/// Writes a tree below a directory, and never outside it.
///
/// A file is made when its contents come. If they come in one piece of at most 1 MiB they are written under the file's name
/// at once, and the file is removed if that fails; otherwise they are written under a temporary name in the same directory
/// (`.wcow-part-0`), which is changed when all of them are there. So no file has its name and a part of its contents: not when
/// the contents are damaged or never come, the disk is full, an error happens, or the sink is dropped at any moment.
/// Of a killed process at most the file in progress is left, and files whose alternate streams were still to come. Further names are made when the file is complete, symbolic
/// links by [`finish`](Self::finish), which also sets the times of directories and, where the system keeps more than that, all that it
/// keeps; call it after a failed transfer too, or [`abort`](Self::abort).
///
/// For a file in one piece that is four system calls: create, write, set the times, close.
#[derive(Debug)]
pub struct DiskSink {
    handles: Handles,
    probe: Probe,
    options: DiskOptions,
    report: DiskReport,
    nodes: Nodes,
    taken: Taken,
    made_in: HashMap<Slot, Made>,
    /// Names to make when a file has its contents, by the file.
    further: HashMap<Slot, Vec<Slot>>,
    /// Symbolic links to make, with what they say.
    links: Vec<(Slot, Link)>,
    open: Option<Open>,
    /// The system, where it keeps more than names, contents and times.
    native: Option<Box<dyn Native>>,
    /// What it is still to set, on what is there.
    sealed: BTreeMap<Slot, Sealed>,
    /// Files that are not there yet because they have several streams.
    parts: HashMap<Slot, Parts>,
    /// How many of those there were.
    waited: u32,
    metadata: Beside,
    /// The transfer was given up.
    stopped: bool,
    /// For tests: how many bytes the disk still takes.
    #[cfg(test)]
    room: Option<u64>,
}

#[derive(Debug)]
enum Open {
    File(OpenFile),
    /// An alternate stream that the disk takes.
    Named(Named),
    /// A stream that goes to the metadata.
    Beside {
        slot: Slot,
        left: Option<u64>,
    },
}

#[derive(Debug)]
struct OpenFile {
    slot: Slot,
    /// From the first bytes on, until writing fails.
    output: Option<Output>,
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
        let mut probe = probe(&root).map_err(|source| OpenError::Probe {
            path: path.to_owned(),
            source,
        })?;
        if options.names == Names::Windows {
            probe.ignores_case = true;
            if probe.rule == NameRule::Unix {
                probe.rule = NameRule::Both;
            }
        }
        let native = match options.keep {
            Keep::System => native::of_system(&root),
            Keep::Portable => None,
        };
        Ok(Self {
            handles: Handles::new(root),
            probe,
            options,
            report: DiskReport::default(),
            nodes: Nodes::default(),
            taken: Taken::new(),
            made_in: HashMap::new(),
            further: HashMap::new(),
            links: Vec::new(),
            open: None,
            native,
            sealed: BTreeMap::new(),
            parts: HashMap::new(),
            waited: 0,
            metadata: Beside::default(),
            stopped: false,
            #[cfg(test)]
            room: None,
        })
    }

    /// Keeps what the disk has no place for in a metadata file. [`finish`](Self::finish) completes it.
    #[must_use]
    pub fn with_metadata(mut self, writer: MetadataWriter) -> Self {
        self.metadata = Beside::new(writer);
        self
    }

    /// Makes the symbolic links, sets the times of directories and all that was left for the end, completes the metadata, and tells what was done.
    ///
    /// After a call of this sink that failed, neither links nor metadata are made.
    ///
    /// # Errors
    /// The disk is full or cannot be written to any more.
    pub fn finish(mut self) -> Result<DiskReport, SinkError> {
        // A file whose stream was not closed still waits, and goes with the others.
        self.open = None;
        for slot in self
            .nodes
            .with_state(|state| matches!(state, State::Waiting { .. }))
        {
            self.give_up_waiting(slot)?;
        }
        self.note_missing_streams();
        if !self.stopped {
            self.make_links()?;
        }
        if self.native.is_some() {
            self.seal_all()?;
        } else {
            self.finish_directories()?;
        }
        if !self.stopped {
            self.metadata.finish()?;
        }
        Ok(self.report)
    }

    /// Ends an interrupted transfer at once: the file in progress is removed, links and metadata are not made, and
    /// directories keep the times they have. Dropping the sink does the same.
    #[must_use]
    pub fn abort(mut self) -> DiskReport {
        self.open = None;
        self.parts.clear();
        self.report
    }
}

impl TreeSink for DiskSink {
    fn entry(&mut self, entry: &Entry) -> Result<(), SinkError> {
        let result = self.announce(entry);
        self.ended(result)
    }

    fn open_stream(&mut self, stream: StreamRef) -> Result<bool, SinkError> {
        self.open = None;
        let Some(slot) = self.nodes.slot(stream.entry) else {
            return Ok(false);
        };
        let state = self.nodes.state(slot);
        let main = self.nodes.get(slot).and_then(|node| node.main);
        let is_main = main.is_some_and(|main| usize::try_from(main) == Ok(stream.index));
        match state {
            State::Waiting { len } if is_main && self.has_contents(slot) => {
                debug_assert_eq!(len, 0, "contents come once");
            }
            State::Waiting { len } if is_main => {
                self.open = Some(Open::File(OpenFile {
                    slot,
                    output: None,
                    expected: len,
                    received: 0,
                }));
            }
            State::Waiting { .. } | State::Directory if self.takes_streams() => {
                let opened = self.open_named(slot, stream.index);
                self.ended(opened)?;
            }
            State::File | State::NotWritten if is_main || state == State::NotWritten => {}
            _ => {
                let left = self.metadata.open_stream(slot, stream.index);
                self.open = left.map(|len| Open::Beside {
                    slot,
                    left: Some(len),
                });
            }
        }
        let wanted = self.open.is_some();
        let result = self.metadata.check();
        self.ended(result)?;
        Ok(wanted)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        let result = match self.open.take() {
            Some(Open::File(mut file)) => {
                let result = self.write_file(&mut file, bytes);
                self.open = Some(Open::File(file));
                result
            }
            Some(Open::Named(mut named)) => {
                let result = self.write_named(&mut named, bytes);
                self.open = Some(Open::Named(named));
                result
            }
            Some(Open::Beside { slot, left }) => {
                let left = left.and_then(|left| left.checked_sub(as_u64(bytes.len())));
                if left.is_some() {
                    self.metadata.write(bytes);
                }
                self.open = Some(Open::Beside { slot, left });
                self.metadata.check()
            }
            None => Err(SinkError::message("bytes came without an open stream")),
        };
        self.ended(result)
    }

    fn close_stream(&mut self, end: StreamEnd) -> Result<(), SinkError> {
        let result = match self.open.take() {
            Some(Open::File(file)) => self.close_file(file, end),
            Some(Open::Named(named)) => self.close_named(named, end),
            Some(Open::Beside { slot, left }) => {
                let whole = end == StreamEnd::Complete && left == Some(0);
                self.metadata.close_stream(whole);
                if !whole {
                    self.problem(slot, "one of its streams is damaged".to_owned());
                }
                self.metadata.check()
            }
            None => Err(SinkError::message("a stream was closed that was not open")),
        };
        self.ended(result)
    }
}

impl DiskSink {
    fn announce(&mut self, entry: &Entry) -> Result<(), SinkError> {
        let id = entry.id.0;
        if self.nodes.slot(entry.id).is_some() {
            return Err(SinkError::message(format!("entry {id}: it was sent twice")));
        }
        let Some(parent_id) = entry.parent else {
            if !entry.is_directory() {
                return Err(SinkError::message(
                    "the root of the tree is not a directory",
                ));
            }
            if self.nodes.get(0).is_some() {
                return Err(SinkError::message(format!(
                    "entry {id}: it is a second root"
                )));
            }
            let slot = self.add(entry, None, 0)?;
            self.nodes.set_state(slot, State::Directory);
            self.count_not_kept(entry);
            self.seal_later(slot, entry);
            self.expect_streams(slot, entry);
            return self.metadata.check();
        };
        let parent = self.nodes.slot(parent_id);
        let Some((slot_of_parent, parent)) =
            parent.and_then(|slot| Some((slot, self.nodes.get(slot)?)))
        else {
            return Err(SinkError::message(format!(
                "entry {id}: its parent {} was not sent",
                parent_id.0
            )));
        };
        let (parent_state, depth) = (parent.state, parent.depth.saturating_add(1));
        let slot = self.add(entry, Some(slot_of_parent), depth)?;
        if parent_state != State::Directory {
            self.lose(slot, "its directory was not written");
        } else if depth > MAX_DEPTH {
            self.lose(
                slot,
                &format!("it lies deeper than {MAX_DEPTH} directories"),
            );
        } else {
            self.claim(slot, slot_of_parent);
            self.place_entry(entry, slot, slot_of_parent)?;
        }
        self.metadata.check()
    }

    fn add(&mut self, entry: &Entry, parent: Option<Slot>, depth: u16) -> Result<Slot, SinkError> {
        let slot = self.nodes.add(entry, parent, depth);
        let slot = slot.ok_or_else(|| SinkError::message("more than 2^32 entries"))?;
        let first = entry.link_to.and_then(|first| self.nodes.slot(first));
        self.metadata.entry(slot, parent, first, entry);
        Ok(slot)
    }

    /// Writes an entry whose directory is there, or decides when it will be.
    fn place_entry(&mut self, entry: &Entry, slot: Slot, parent: Slot) -> Result<(), SinkError> {
        if let Some(first) = entry.link_to {
            return self.further_name(slot, first);
        }
        if let Some(target) = entry.reparse.as_ref().and_then(|reparse| reparse.target()) {
            self.symbolic_link(entry, slot, target);
            return Ok(());
        }
        let contents = entry.streams.iter().find(|stream| stream.name.is_empty());
        if contents.is_some_and(|stream| stream.kind == StreamKind::EncryptedRaw) {
            if self.metadata.is_on() {
                self.report.not_kept.encrypted += 1;
                self.aside(slot);
                self.count_not_kept(entry);
            } else {
                self.lose(
                    slot,
                    "its contents are encrypted, and only Windows can write them",
                );
            }
            return Ok(());
        }
        self.count_not_kept(entry);
        self.seal_later(slot, entry);
        self.expect_streams(slot, entry);
        if entry.is_directory() {
            let made = self.place(slot, |sink, dir, name| sink.make_dir(parent, dir, name));
            return match made {
                Ok(()) => {
                    self.report.directories += 1;
                    self.made(slot, State::Directory);
                    Ok(())
                }
                Err(error) => self.failed(slot, "it cannot be written", error),
            };
        }
        let len = contents.map_or(0, |stream| stream.len);
        self.nodes.set_state(slot, State::Waiting { len });
        if len == 0 && !self.waits_for_streams(slot) {
            return match self.make_file(slot, true) {
                Ok(output) => self.complete(slot, output, 0),
                Err(error) => self.failed(slot, "it cannot be written", error),
            };
        }
        Ok(())
    }

    fn write_file(&mut self, file: &mut OpenFile, bytes: &[u8]) -> Result<(), SinkError> {
        let is_first = file.received == 0;
        file.received = file.received.saturating_add(as_u64(bytes.len()));
        if file.received > file.expected {
            file.output = None;
            return Ok(());
        }
        if bytes.is_empty() {
            return Ok(());
        }
        if is_first {
            let whole = file.received == file.expected && bytes.len() <= WHOLE;
            match self.output_of(file.slot, whole) {
                Ok(output) => file.output = Some(output),
                Err(error) => return self.failed(file.slot, "it cannot be written", error),
            }
        }
        let Some(output) = &mut file.output else {
            return Ok(());
        };
        #[cfg(test)]
        let written = write_into(output, bytes, &mut self.room);
        #[cfg(not(test))]
        let written = output.write(bytes);
        let Err(error) = written else { return Ok(()) };
        let mut what = "its contents cannot be written".to_owned();
        if let Some(Err(error)) = file.output.take().map(Output::discard) {
            what = format!("{what}, and it cannot be removed ({error})");
        }
        self.failed(file.slot, &what, error)
    }

    fn close_file(&mut self, file: OpenFile, end: StreamEnd) -> Result<(), SinkError> {
        let (slot, expected, received) = (file.slot, file.expected, file.received);
        if !matches!(self.nodes.state(slot), State::Waiting { .. }) {
            // Writing failed, which was told when it did.
            return Ok(());
        }
        let mut why = match (end, file.output) {
            (StreamEnd::Complete, Some(output)) if received == expected => {
                return self.contents_are_there(slot, output, expected);
            }
            (StreamEnd::Complete, output) => (
                format!("expected {expected} bytes of contents, {received} came"),
                output,
            ),
            (StreamEnd::Damaged, output) => ("its contents are damaged".to_owned(), output),
        };
        if let Some(Err(error)) = why.1.map(Output::discard) {
            why.0 = format!("{}, and it cannot be removed: {error}", why.0);
        }
        self.give_up(slot, &why.0);
        Ok(())
    }

    /// Gives a file that has its contents its times, its name, and its further names.
    fn complete(&mut self, slot: Slot, mut output: Output, len: u64) -> Result<(), SinkError> {
        let durable = self.options.durability == Durability::Flushed && self.native.is_none();
        match (output.take_file(), self.nodes.get(slot)) {
            (Some(file), Some(node)) if self.native.is_none() => {
                if durable && let Err(error) = file.sync_all() {
                    return self.failed(slot, "it cannot be made durable", error);
                }
                let set = set_times(file, node.accessed, node.written);
                self.note_times(slot, set)?;
            }
            _ => {}
        }
        if output.is_temporary() {
            let parent = self.nodes.get(slot).and_then(|node| node.parent);
            let renamed = self.place(slot, |sink, dir, name| {
                sink.must_be_free(parent.unwrap_or(0), dir, name)?;
                sink.release(dir, name);
                output.rename(name)
            });
            if let Err(error) = renamed {
                return self.failed(slot, "it cannot get its name", error);
            }
        } else {
            output.keep();
        }
        self.report.files += 1;
        self.report.bytes = self.report.bytes.saturating_add(len);
        self.made(slot, State::File);
        for further in self.further.remove(&slot).unwrap_or_default() {
            self.make_further(further, slot)?;
        }
        Ok(())
    }

    fn problem(&mut self, slot: Slot, what: String) {
        self.report.problem_count += 1;
        if self.report.problems.len() < self.options.list_at_most {
            let path = self.nodes.path(slot);
            self.report.problems.push(Problem { path, what });
        }
    }

    /// Leaves an entry out, with a problem.
    fn lose(&mut self, slot: Slot, why: &str) {
        self.forget(slot);
        self.nodes.set_state(slot, State::NotWritten);
        self.metadata.lost(slot);
        self.problem(slot, why.to_owned());
    }

    /// Leaves a file out under all its names, with a problem for each.
    fn give_up(&mut self, slot: Slot, why: &str) {
        self.lose(slot, why);
        for further in self.further.remove(&slot).unwrap_or_default() {
            self.lose(further, why);
        }
    }

    /// Leaves an entry to the metadata alone, if there is any.
    fn aside(&mut self, slot: Slot) {
        self.forget(slot);
        let on = self.metadata.is_on();
        let state = if on { State::Aside } else { State::NotWritten };
        self.nodes.set_state(slot, state);
        self.metadata.aside(slot);
    }

    /// Tells a failed step of one entry: as a problem, or as the end if nothing further can be written.
    fn failed(&mut self, slot: Slot, what: &str, error: io::Error) -> Result<(), SinkError> {
        self.give_up(slot, &format!("{what}: {error}"));
        self.unless_it_ends_everything(slot, what, error)
    }

    /// As [`failed`](Self::failed), of an entry that is there all the same.
    fn failed_here(&mut self, slot: Slot, what: &str, error: io::Error) -> Result<(), SinkError> {
        self.problem(slot, format!("{what}: {error}"));
        self.unless_it_ends_everything(slot, what, error)
    }

    fn unless_it_ends_everything(
        &self,
        slot: Slot,
        what: &str,
        error: io::Error,
    ) -> Result<(), SinkError> {
        if ends_everything(&error) {
            return Err(SinkError::new(
                format!("{}: {what}", self.nodes.path(slot)),
                error,
            ));
        }
        Ok(())
    }

    fn ended(&mut self, result: Result<(), SinkError>) -> Result<(), SinkError> {
        self.stopped |= result.is_err();
        result
    }
}

/// Whether nothing further can be written after this error.
fn ends_everything(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::ReadOnlyFilesystem
    )
}

fn as_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Writes as a disk does that has room for so many bytes more.
#[cfg(test)]
fn write_into(output: &mut Output, bytes: &[u8], room: &mut Option<u64>) -> io::Result<()> {
    let Some(left) = room else {
        return output.write(bytes);
    };
    let fits = usize::try_from(*left).unwrap_or(usize::MAX);
    let (now, rest) = bytes.split_at(bytes.len().min(fits));
    *left -= as_u64(now.len());
    output.write(now)?;
    if rest.is_empty() {
        Ok(())
    } else {
        Err(ErrorKind::StorageFull.into())
    }
}

#[cfg(test)]
mod native_tests;
#[cfg(test)]
mod tests;
