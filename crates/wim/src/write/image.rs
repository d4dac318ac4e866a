//! Takes one image's tree: keeps its entries, writes its streams.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Seek, Write};

use sha1::{Digest as _, Sha1};
use wcow_ntmeta::{RelPath, WideName};
use wcow_tree::{Digest, Entry, EntryId, SendError, SinkError, StreamEnd, StreamRef, TreeSink};

use crate::ImageIndex;
use crate::number::as_u64;

use super::output::{self, Mark, Output};
use super::{BlobStore, StoredBlob, WriteError};

/// A stream is held back up to this size, so that a double need not be taken back from the file.
const HELD_BACK: usize = 1 << 20;

/// The entries of one image, with the blobs of their streams.
pub(super) struct ImageTree {
    pub(super) index: ImageIndex,
    /// In the order in which they came; the root is the first.
    pub(super) entries: Vec<Entry>,
    /// Blob and length of each stream that has bytes.
    pub(super) streams: BTreeMap<StreamRef, (Digest, u64)>,
    /// Blob of each reparse point that has data.
    pub(super) reparse: BTreeMap<EntryId, (Digest, u64)>,
}

impl ImageTree {
    /// An error about `entry`.
    pub(super) fn error(&self, entry: &Entry, what: String) -> WriteError {
        WriteError::Tree {
            image: self.index,
            path: self.path(entry),
            what,
        }
    }

    fn path(&self, entry: &Entry) -> RelPath {
        let by_id: BTreeMap<EntryId, &Entry> =
            self.entries.iter().map(|entry| (entry.id, entry)).collect();
        let mut names: Vec<&WideName> = vec![&entry.name];
        let mut at = entry.parent;
        // Parents were announced before, so this ends.
        while let Some(parent) = at.and_then(|id| by_id.get(&id)) {
            names.push(&parent.name);
            at = parent.parent;
        }
        names
            .into_iter()
            .rev()
            .filter(|name| !name.is_empty())
            .cloned()
            .collect()
    }
}

/// Receives the tree of one image.
pub(super) struct ImageSink<'o, 'a, W> {
    out: &'o mut Output<'a, W>,
    store: &'o mut BlobStore,
    tree: ImageTree,
    ids: BTreeMap<EntryId, usize>,
    /// Streams that were announced and have neither been sent nor ended.
    missing: BTreeSet<StreamRef>,
    open: Option<OpenStream>,
    /// The first error of this side; the source only sees that the sink gave up.
    error: Option<WriteError>,
}

struct OpenStream {
    stream: StreamRef,
    start: u64,
    len: u64,
    hash: Sha1,
    held_back: Vec<u8>,
    /// Where the stream begins in the file, once some of it is there.
    mark: Option<Mark>,
}

impl<'o, 'a, W: Write + Seek + Send> ImageSink<'o, 'a, W> {
    pub(super) fn new(
        index: ImageIndex,
        out: &'o mut Output<'a, W>,
        store: &'o mut BlobStore,
    ) -> Self {
        Self {
            out,
            store,
            tree: ImageTree {
                index,
                entries: Vec::new(),
                streams: BTreeMap::new(),
                reparse: BTreeMap::new(),
            },
            ids: BTreeMap::new(),
            missing: BTreeSet::new(),
            open: None,
            error: None,
        }
    }

    /// The tree, after the source has sent it with the result `sent`.
    pub(super) fn finish(self, sent: Result<(), SendError>) -> Result<ImageTree, WriteError> {
        let image = self.tree.index;
        if let Some(error) = self.error {
            return Err(error);
        }
        sent.map_err(|source| WriteError::Source { image, source })?;
        if self.tree.entries.is_empty() {
            return Err(WriteError::Tree {
                image,
                path: RelPath::root(),
                what: "expected a root, found no entry".to_owned(),
            });
        }
        if let Some((stream, entry)) = self
            .missing
            .first()
            .and_then(|stream| Some((stream, self.entry_of(*stream)?)))
        {
            let what = format!("expected the bytes of stream {}, found none", stream.index);
            return Err(self.tree.error(entry, what));
        }
        Ok(self.tree)
    }

    fn add(&mut self, entry: &Entry) -> Result<(), WriteError> {
        let fail = |tree: &ImageTree, what: &str| Err(tree.error(entry, what.to_owned()));
        match entry.parent {
            None if !self.tree.entries.is_empty() => {
                return fail(&self.tree, "expected one root, found a second one");
            }
            None if !entry.is_directory() || entry.attributes.is_reparse_point() => {
                return fail(
                    &self.tree,
                    "expected a directory as the root, found something else",
                );
            }
            Some(parent) if !self.ids.contains_key(&parent) => {
                return fail(&self.tree, "expected a parent that came before, found none");
            }
            _ => {}
        }
        if entry.parent.is_some() && !is_plain(&entry.name) {
            return fail(
                &self.tree,
                "expected a name that is one path component, found another",
            );
        }
        if entry.attributes.is_reparse_point() && entry.reparse.is_none() {
            return fail(
                &self.tree,
                "expected the data of its reparse point, found none",
            );
        }
        if let Some(first) = entry.link_to
            && self
                .entry_by_id(first)
                .is_none_or(|first| first.is_directory() || first.attributes.is_reparse_point())
        {
            return fail(
                &self.tree,
                "expected a link to a file that came before, found another",
            );
        }
        if self.ids.insert(entry.id, self.tree.entries.len()).is_some() {
            return fail(
                &self.tree,
                "expected an id of its own, found one that came before",
            );
        }
        if let Some(reparse) = entry
            .reparse
            .as_ref()
            .filter(|reparse| entry.attributes.is_reparse_point() && !reparse.data.is_empty())
        {
            let digest = output::digest(&reparse.data);
            self.keep(digest, &reparse.data)?;
            self.tree
                .reparse
                .insert(entry.id, (digest, as_u64(reparse.data.len())));
        }
        if entry.link_to.is_none() {
            let streams = entry
                .streams
                .iter()
                .enumerate()
                .filter(|(_, stream)| stream.len > 0);
            self.missing.extend(streams.map(|(index, _)| StreamRef {
                entry: entry.id,
                index,
            }));
        }
        self.tree.entries.push(entry.clone());
        Ok(())
    }

    /// Writes a blob, unless it is there.
    fn keep(&mut self, digest: Digest, bytes: &[u8]) -> Result<(), WriteError> {
        if !self.store.blobs.contains_key(&digest) {
            let offset = self.out.position();
            self.out.write(bytes)?;
            self.store.blobs.insert(
                digest,
                StoredBlob {
                    offset,
                    size: as_u64(bytes.len()),
                    references: 0,
                },
            );
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        open.hash.update(bytes);
        open.len = open.len.saturating_add(as_u64(bytes.len()));
        if open.mark.is_none() && open.held_back.len().saturating_add(bytes.len()) <= HELD_BACK {
            open.held_back.extend_from_slice(bytes);
            return Ok(());
        }
        if open.mark.is_none() {
            open.mark = Some(self.out.mark());
            open.start = self.out.position();
            self.out.write(&open.held_back)?;
            open.held_back = Vec::new();
        }
        self.out.write(bytes)
    }

    fn close(&mut self, end: StreamEnd) -> Result<(), WriteError> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        self.missing.remove(&open.stream);
        let digest = Digest(open.hash.finalize().into());
        if end == StreamEnd::Damaged {
            // The source tells at its end what is wrong; should it not, this is wrong enough.
            self.missing.insert(open.stream);
            return open.mark.map_or(Ok(()), |mark| self.out.back_to(mark));
        }
        if let Some((entry, expected)) = self.announced(open.stream)
            && expected != open.len
        {
            let what = format!(
                "expected {expected} bytes in stream {}, found {}",
                open.stream.index, open.len
            );
            return Err(self.tree.error(entry, what));
        }
        if open.len == 0 {
            return Ok(());
        }
        self.tree.streams.insert(open.stream, (digest, open.len));
        match open.mark {
            None => self.keep(digest, &open.held_back),
            Some(mark) if self.store.blobs.contains_key(&digest) => self.out.back_to(mark),
            Some(_) => {
                self.store.blobs.insert(
                    digest,
                    StoredBlob {
                        offset: open.start,
                        size: open.len,
                        references: 0,
                    },
                );
                Ok(())
            }
        }
    }

    /// A stream's entry and its length.
    fn announced(&self, stream: StreamRef) -> Option<(&Entry, u64)> {
        let entry = self.entry_of(stream)?;
        Some((entry, entry.streams.get(stream.index)?.len))
    }

    fn entry_of(&self, stream: StreamRef) -> Option<&Entry> {
        self.entry_by_id(stream.entry)
    }

    fn entry_by_id(&self, id: EntryId) -> Option<&Entry> {
        self.ids.get(&id).and_then(|at| self.tree.entries.get(*at))
    }

    /// Keeps the error, and tells the source that this is the end.
    fn settle<T>(&mut self, result: Result<T, WriteError>) -> Result<T, SinkError> {
        result.map_err(|error| {
            let message = SinkError::message(error.to_string());
            self.error.get_or_insert(error);
            message
        })
    }
}

impl<W: Write + Seek + Send> TreeSink for ImageSink<'_, '_, W> {
    fn entry(&mut self, entry: &Entry) -> Result<(), SinkError> {
        let result = self.add(entry);
        self.settle(result)
    }

    fn open_stream(&mut self, stream: StreamRef) -> Result<bool, SinkError> {
        let known = self.announced(stream).and_then(|(entry, len)| {
            let digest = entry.streams.get(stream.index)?.digest?;
            self.store
                .blobs
                .get(&digest)
                .filter(|blob| blob.size == len)?;
            Some((digest, len))
        });
        if let Some(blob) = known {
            self.missing.remove(&stream);
            self.tree.streams.insert(stream, blob);
            return Ok(false);
        }
        self.open = Some(OpenStream {
            stream,
            start: 0,
            len: 0,
            hash: Sha1::new(),
            held_back: Vec::new(),
            mark: None,
        });
        Ok(true)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        let result = self.append(bytes);
        self.settle(result)
    }

    fn close_stream(&mut self, end: StreamEnd) -> Result<(), SinkError> {
        let result = self.close(end);
        self.settle(result)
    }
}

/// True for a name that a reader will not leave out: not empty, not `.` or `..`, without NUL.
fn is_plain(name: &WideName) -> bool {
    let dot = u16::from(b'.');
    !name.is_empty()
        && !name.units().contains(&0)
        && name.units() != [dot]
        && name.units() != [dot, dot]
}
