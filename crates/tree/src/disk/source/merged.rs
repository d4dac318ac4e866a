//! A directory read together with the metadata that was kept beside it.

use std::collections::{HashMap, HashSet};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use cap_std::fs::{Dir, File, Metadata};
use wcow_ntmeta::RelPath;

use super::{Known as KnownTree, Walk, has_further_names, open_file, times};
use crate::disk::handles::Handles;
use crate::disk::metadata::{Bytes, Known, Place};
use crate::disk::sink::identity;
use crate::{Entry, EntryId, SendError, Stream, StreamEnd, StreamKind, StreamRef, Times};

/// From 1980 to 2038: times that every disk can hold. Others may have been changed when they were set.
const EVERY_DISK: std::ops::Range<i64> = 315_532_800..2_147_483_648;
/// Times of the disk that differ by less are the same: some disks keep them by two seconds.
const COARSEST_TICKS: u64 = 2 * 10_000_000;

/// Sends what the metadata knows, in its order, and then what only the disk knows.
pub(super) struct Merged<'a, 'w> {
    walk: &'w mut Walk<'a>,
    known: &'a KnownTree,
    handles: Handles,
    /// What became of each known entry; `None` if it was left out.
    sent: Vec<Option<Sent>>,
    /// The files that were sent, by the position of their first name.
    files: HashMap<EntryId, SentFile>,
    /// The names on the disk that are known, by the position of their directory.
    names: HashMap<EntryId, HashSet<&'a str>>,
    /// Directories and names of entries that were written, if there are any that were not.
    written: HashSet<(EntryId, &'a str)>,
}

#[derive(Clone, Copy)]
struct Sent {
    id: EntryId,
    /// A directory on the disk, where more may lie.
    directory: bool,
}

#[derive(Clone, Copy)]
struct SentFile {
    id: EntryId,
    identity: Option<(u64, u64)>,
    /// Length of the file on the disk; `None` if it is not there.
    len: Option<u64>,
}

/// Where the bytes of a stream come from.
enum Contents {
    Disk { len: u64 },
    Known { len: u64, bytes: Bytes },
}

impl<'a, 'w> Merged<'a, 'w> {
    pub(super) fn new(walk: &'w mut Walk<'a>, known: &'a KnownTree, root: Dir) -> Self {
        let is_written = |known: &&Known| matches!(known.place, Place::Disk | Place::Link(_));
        let written = if known.entries.iter().all(|known| is_written(&known)) {
            HashSet::new()
        } else {
            let written = known.entries.iter().filter(is_written);
            written
                .filter_map(|known| Some((known.entry.parent?, known.written.as_str())))
                .collect()
        };
        Self {
            walk,
            known,
            handles: Handles::new(root),
            sent: Vec::new(),
            files: HashMap::new(),
            names: HashMap::new(),
            written,
        }
    }

    pub(super) fn send(mut self) -> Result<(), SendError> {
        for known in &self.known.entries {
            let sent = self.one(known)?;
            self.sent.push(sent);
        }
        for known in &self.known.entries {
            if let Some(sent) = self.sent_as(known.entry.id).filter(|sent| sent.directory) {
                self.unknown(known.entry.id, sent.id)?;
            }
        }
        Ok(())
    }

    fn one(&mut self, known: &'a Known) -> Result<Option<Sent>, SendError> {
        let Some(above) = known.entry.parent else {
            let metadata = self.handles.root().dir_metadata();
            let metadata = metadata.map_err(SendError::source)?;
            return self.directory(known, None, &metadata);
        };
        let Some(parent) = self.sent_as(above) else {
            return Ok(None);
        };
        if known.place == Place::Lost {
            return Ok(None);
        }
        // Beside an entry of the metadata alone may lie another one that was written under its name.
        let name_is_of_another =
            known.place == Place::Aside && self.written.contains(&(above, &*known.written));
        let found = if parent.directory && !known.written.is_empty() && !name_is_of_another {
            self.directory_of(above).and_then(|dir| {
                let metadata = dir.symlink_metadata(&known.written)?;
                Ok(Some((dir, metadata)))
            })
        } else {
            Ok(None)
        };
        let found = match found {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                self.problem(known, format!("it cannot be read: {error}"));
                return Ok(None);
            }
            Ok(found) => found,
        };
        let sent = match (&known.place, found) {
            (Place::Aside, None) => return self.aside(known, parent),
            (Place::Link(target), Some((dir, metadata)))
                if metadata.is_symlink()
                    && dir
                        .read_link_contents(&known.written)
                        .is_ok_and(|found| found == Path::new(target)) =>
            {
                let streams = self.streams(known, known, None);
                self.announce(known, parent, known.entry.times, None, streams, None)?
            }
            // A reparse point as Windows has it: what it says is in the metadata.
            (Place::Disk, Some((_, metadata)))
                if known.entry.reparse.is_some() && metadata.is_symlink() =>
            {
                let streams = self.streams(known, known, None);
                self.announce(known, parent, known.entry.times, None, streams, None)?
            }
            (Place::Disk, Some((_, metadata)))
                if known.entry.is_directory() && metadata.is_dir() =>
            {
                self.directory(known, Some(parent), &metadata)?
            }
            (Place::Disk, Some((dir, metadata)))
                if !known.entry.is_directory() && metadata.is_file() =>
            {
                self.file(known, parent, &dir)?
            }
            // Gone, or something else now, which is read with all that is not known.
            _ => return Ok(None),
        };
        self.names.entry(above).or_default().insert(&known.written);
        Ok(sent)
    }

    fn directory(
        &mut self,
        known: &'a Known,
        parent: Option<Sent>,
        metadata: &Metadata,
    ) -> Result<Option<Sent>, SendError> {
        let (streams, contents) = self.streams(known, known, None);
        let id = self.walk.announce_entry(Entry {
            parent: parent.map(|parent| parent.id),
            times: times_of(known, metadata),
            streams,
            ..known.entry.clone()
        })?;
        self.contents(known, id, contents, None)?;
        Ok(Some(Sent {
            id,
            directory: true,
        }))
    }

    /// An entry that only the metadata has.
    fn aside(&mut self, known: &'a Known, parent: Sent) -> Result<Option<Sent>, SendError> {
        let first = known.entry.link_to.map(|first| self.files.get(&first));
        let link_to = match first {
            Some(None) => return Ok(None),
            Some(Some(file)) => Some(file.id),
            None => None,
        };
        let len = first.flatten().and_then(|file| file.len);
        let streams = self.streams(known, self.first(known), len);
        let sent = self.announce(known, parent, known.entry.times, link_to, streams, None)?;
        if let (Some(sent), None) = (sent, link_to) {
            let file = SentFile {
                id: sent.id,
                identity: None,
                len: None,
            };
            self.files.insert(known.entry.id, file);
        }
        Ok(sent)
    }

    fn file(
        &mut self,
        known: &'a Known,
        parent: Sent,
        dir: &Dir,
    ) -> Result<Option<Sent>, SendError> {
        let (metadata, file) = match open_file(dir, Path::new(&known.written)) {
            Ok(opened) => opened,
            Err(what) => {
                self.problem(known, what);
                return Ok(None);
            }
        };
        let identity = has_further_names(&metadata)
            .then(|| identity(&metadata))
            .flatten();
        let first = known.entry.link_to.unwrap_or(known.entry.id);
        let before = self.files.get(&first).copied();
        // Where the system tells nothing of further names, the metadata is believed.
        let same = |file: &SentFile| !cfg!(unix) || identity.is_some() && file.identity == identity;
        let link_to = before.filter(same).map(|file| file.id);
        let len = metadata.len();
        let streams = self.streams(known, self.first(known), Some(len));
        let times = times_of(known, &metadata);
        let sent = self.announce(known, parent, times, link_to, streams, Some(file))?;
        if let (Some(sent), None) = (sent, link_to) {
            let id = sent.id;
            if before.is_none() {
                let len = Some(len);
                self.files.insert(first, SentFile { id, identity, len });
            }
            if let Some(identity) = identity {
                self.walk.first_names.entry(identity).or_insert(id);
            }
        }
        Ok(sent)
    }

    fn announce(
        &mut self,
        known: &'a Known,
        parent: Sent,
        times: Times,
        link_to: Option<EntryId>,
        (streams, contents): (Vec<Stream>, Vec<Contents>),
        file: Option<File>,
    ) -> Result<Option<Sent>, SendError> {
        let id = self.walk.announce_entry(Entry {
            parent: Some(parent.id),
            times,
            link_to,
            streams,
            ..known.entry.clone()
        })?;
        if link_to.is_none() {
            self.contents(known, id, contents, file)?;
        }
        Ok(Some(Sent {
            id,
            directory: false,
        }))
    }

    /// The streams of an entry that have bytes: `on_disk` of them in the file itself, the others with its first name.
    fn streams(
        &self,
        known: &Known,
        first: &Known,
        on_disk: Option<u64>,
    ) -> (Vec<Stream>, Vec<Contents>) {
        let main = known
            .entry
            .streams
            .iter()
            .position(|stream| stream.name.is_empty())
            .filter(|_| on_disk.is_some());
        let mut both = (Vec::new(), Vec::new());
        if let (None, Some(len @ 1..)) = (main, on_disk) {
            both.0.push(Stream {
                name: wcow_ntmeta::WideName::new(),
                kind: StreamKind::Data,
                len,
                digest: None,
            });
            both.1.push(Contents::Disk { len });
        }
        for (index, stream) in known.entry.streams.iter().enumerate() {
            let mut stream = stream.clone();
            let bytes = first.bytes.get(&index);
            let len = first.entry.streams.get(index).map(|stream| stream.len);
            match (bytes, on_disk) {
                (_, Some(len)) if main == Some(index) => {
                    (stream.kind, stream.len) = (StreamKind::Data, len);
                    both.1.push(Contents::Disk { len });
                }
                (Some(bytes), _) if len == Some(stream.len) => {
                    both.1.push(Contents::Known {
                        len: stream.len,
                        bytes: bytes.clone(),
                    });
                }
                _ => continue,
            }
            both.0.push(stream);
        }
        both
    }

    fn contents(
        &mut self,
        known: &Known,
        id: EntryId,
        contents: Vec<Contents>,
        mut file: Option<File>,
    ) -> Result<(), SendError> {
        for (index, contents) in contents.into_iter().enumerate() {
            if !self.walk.sink.open_stream(StreamRef { entry: id, index })? {
                continue;
            }
            let end = match (contents, &mut file) {
                (Contents::Disk { len }, Some(file)) => {
                    self.walk.path = self.path(known);
                    self.walk.contents(file, len)?
                }
                (Contents::Disk { .. }, None) => StreamEnd::Damaged,
                (Contents::Known { len, bytes }, _) => match bytes {
                    Bytes::Here(bytes) => {
                        if !bytes.is_empty() {
                            self.walk.sink.write(&bytes)?;
                        }
                        StreamEnd::Complete
                    }
                    Bytes::There(offset) => self.stored(known, offset, len)?,
                },
            };
            self.walk.sink.close_stream(end)?;
        }
        Ok(())
    }

    /// Sends bytes of the file beside the metadata.
    fn stored(&mut self, known: &Known, offset: u64, len: u64) -> Result<StreamEnd, SendError> {
        let mut left = len;
        let result = (|| {
            let mut file = self.known.streams.as_ref().ok_or(ErrorKind::NotFound)?;
            file.seek(SeekFrom::Start(offset))?;
            while left > 0 {
                let want = usize::try_from(left).unwrap_or(usize::MAX);
                let want = want.min(self.walk.buffer.len());
                let buffer = self.walk.buffer.get_mut(..want).unwrap_or_default();
                file.read_exact(buffer)?;
                left -= u64::try_from(want).unwrap_or(left);
                if let Err(error) = self.walk.sink.write(buffer) {
                    return Ok(Err(error));
                }
            }
            Ok::<_, io::Error>(Ok(()))
        })();
        match result {
            Ok(sent) => {
                sent?;
                Ok(StreamEnd::Complete)
            }
            Err(error) => {
                self.problem(known, format!("a stream beside it cannot be read: {error}"));
                Ok(StreamEnd::Damaged)
            }
        }
    }

    /// Sends what lies in a known directory and is not known.
    fn unknown(&mut self, at: EntryId, id: EntryId) -> Result<(), SendError> {
        let Some(known) = self.entry(at) else {
            return Ok(());
        };
        let here = self.path(known);
        self.walk.path = here.clone();
        let dir = self.directory_of(at);
        let names = dir.and_then(|dir| Ok((self.walk.names(&dir)?, dir)));
        let (names, dir) = match names {
            Ok(names) => names,
            Err(error) => {
                self.problem(known, format!("it cannot be listed: {error}"));
                return Ok(());
            }
        };
        for (wide, name) in names {
            let is_known =
                |names: &HashSet<&str>| name.to_str().is_some_and(|name| names.contains(name));
            if !self.names.get(&at).is_some_and(is_known) {
                self.walk.path = here.join(&wide);
                let depth = here.depth().saturating_add(1);
                self.walk.one(&dir, id, &wide, Path::new(&name), depth)?;
            }
        }
        Ok(())
    }

    fn directory_of(&mut self, at: EntryId) -> io::Result<Arc<Dir>> {
        let entries = &self.known.entries;
        self.handles.directory(at.0, |slot| {
            let known = entries.get(usize::try_from(slot).ok()?)?;
            Some((known.entry.parent?.0, known.written.as_str().into()))
        })
    }

    fn entry(&self, at: EntryId) -> Option<&'a Known> {
        self.known.entries.get(usize::try_from(at.0).ok()?)
    }

    /// The entry that has the bytes of a file's streams.
    fn first(&self, known: &'a Known) -> &'a Known {
        let first = known.entry.link_to.and_then(|first| self.entry(first));
        first.unwrap_or(known)
    }

    fn sent_as(&self, at: EntryId) -> Option<Sent> {
        *self.sent.get(usize::try_from(at.0).ok()?)?
    }

    fn problem(&mut self, known: &Known, what: String) {
        self.walk.path = self.path(known);
        self.walk.problem(what);
    }

    fn path(&self, known: &Known) -> RelPath {
        let mut names = Vec::new();
        let mut at = Some(known);
        while let Some(known) = at
            && let Some(parent) = known.entry.parent
        {
            names.push(known.entry.name.clone());
            at = self.entry(parent);
        }
        names.into_iter().rev().collect()
    }
}

/// The times of the metadata, or of a file that was written to since.
fn times_of(known: &Known, metadata: &Metadata) -> Times {
    let kept = known.entry.times;
    if known.times_unset || !EVERY_DISK.contains(&kept.written.to_unix().0) {
        return kept;
    }
    let found = times(metadata);
    if found.written.ticks().abs_diff(kept.written.ticks()) < COARSEST_TICKS {
        kept
    } else {
        Times {
            created: kept.created,
            ..found
        }
    }
}
