//! Makes a sealed tree of what a tree source sends.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use wcow_host::TreeSummary;
use wcow_ntmeta::{SecurityDescriptor, WideName};
use wcow_tree::{Entry, EntryId, SinkError, StreamEnd, StreamRef, TreeSink};

use super::names::is_storable;
use super::sealed::{SealedEntry, SealedTree};
use super::{EMPTY, Extra, FileStreams, StreamData};
use crate::blobs::{BlobId, BlobStore, BlobWriter};
use crate::call::ContentRef;

/// How much of a stream is collected before it goes to the blob store, in bytes.
const PIECE: usize = 1 << 20;

/// Room for so many entries is there from the start.
const USUAL: usize = 32;

/// Takes entries and bytes: bytes go into the blob store at once, entries wait for the end.
pub(crate) struct TreeBuilder {
    blobs: Arc<dyn BlobStore>,
    entries: Vec<Built>,
    ids: Ids,
    security: BTreeMap<SecurityDescriptor, u32>,
    open: Option<OpenStream>,
    buffer: Vec<u8>,
}

/// Where the entries are in the order in which they were sent, by their ids.
#[derive(Default)]
struct Ids {
    /// Ids below this one are places: most sources count what they send.
    counted: usize,
    others: BTreeMap<EntryId, usize>,
}

impl Ids {
    fn get(&self, id: EntryId) -> Option<usize> {
        match usize::try_from(id.0) {
            Ok(place) if place < self.counted => Some(place),
            _ => self.others.get(&id).copied(),
        }
    }

    /// Adds an id that is not there yet.
    fn add(&mut self, id: EntryId, place: usize) {
        if place == self.counted && usize::try_from(id.0) == Ok(place) {
            self.counted += 1;
        } else {
            self.others.insert(id, place);
        }
    }
}

/// The stream whose bytes come now. One that comes in one piece goes to the store from where it is, a short one is collected in the
/// builder's buffer, a long one goes to the store in pieces.
struct OpenStream {
    stream: StreamRef,
    /// How long it will be, if that is known: a source sends as much as it announced.
    announced: Option<u64>,
    len: u64,
    /// All of it, if that came at once.
    whole: Option<BlobId>,
    writer: Option<Box<dyn BlobWriter>>,
}

struct Built {
    entry: SealedEntry,
    /// Length of its first stream in bytes, as it was announced.
    first_len: u64,
    /// Positions in `entries`, in the order of the upcased names.
    children: Vec<usize>,
    /// Position of the entry that is the same file.
    link_to: Option<usize>,
}

/// A directory has a name already.
struct Twice;

/// A builder that the host can reach when its client is killed; empty once the tree is finished.
pub(crate) type SharedBuilder = Arc<Mutex<Option<TreeBuilder>>>;

/// A finished tree, before anybody has put it anywhere.
pub(crate) struct BuiltTree {
    pub(crate) content: BlobId,
    pub(crate) summary: TreeSummary,
    /// What `content` says.
    pub(crate) tree: Arc<SealedTree>,
}

impl TreeBuilder {
    pub(crate) fn new(blobs: Arc<dyn BlobStore>) -> Self {
        Self {
            blobs,
            entries: Vec::with_capacity(USUAL),
            ids: Ids::default(),
            security: BTreeMap::new(),
            open: None,
            buffer: Vec::new(),
        }
    }

    /// Encodes the tree and puts it into the blob store.
    pub(crate) fn finish(mut self) -> std::io::Result<BuiltTree> {
        if self.entries.is_empty() {
            let entry = SealedEntry {
                attributes: wcow_ntmeta::FileAttributes::DIRECTORY,
                ..SealedEntry::default()
            };
            self.entries.push(Built {
                entry,
                first_len: 0,
                children: Vec::new(),
                link_to: None,
            });
        }
        let tree = self.sealed();
        let mut summary = TreeSummary {
            bytes: tree.bytes_below(0),
            ..TreeSummary::default()
        };
        for entry in &tree.entries {
            if entry.attributes.is_directory() {
                summary.directories += 1;
            } else {
                summary.files += 1;
            }
        }
        Ok(BuiltTree {
            content: self.blobs.put(&tree.encode())?,
            summary,
            tree: Arc::new(tree),
        })
    }

    /// How many entries were sent.
    pub(crate) fn len(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Forgets all entries but the first `len`, as a disk may when nobody asked it to keep them.
    pub(crate) fn truncate(&mut self, len: u64) {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        self.entries.truncate(len);
        for built in &mut self.entries {
            built.children.retain(|child| *child < len);
            built.link_to = built.link_to.filter(|file| *file < len);
        }
    }

    /// The entries in the order of the format: level by level, the children of a directory together.
    fn sealed(&mut self) -> SealedTree {
        let mut order = Vec::with_capacity(self.entries.len());
        order.push(0);
        let mut place = vec![0_u32; self.entries.len()];
        let mut next = 0;
        while let Some(&index) = order.get(next) {
            let first = order.len();
            if let Some(built) = self.entries.get_mut(index) {
                built.entry.child_count = narrow(built.children.len());
                built.entry.first_child = if built.children.is_empty() {
                    0
                } else {
                    narrow(first)
                };
                order.extend(&built.children);
            }
            if let Some(place) = place.get_mut(index) {
                *place = narrow(next);
            }
            next += 1;
        }
        let mut entries = Vec::with_capacity(order.len());
        for index in order {
            if let Some(built) = self.entries.get_mut(index) {
                let mut entry = std::mem::take(&mut built.entry);
                entry.link_to = built.link_to.and_then(|file| place.get(file)).copied();
                entries.push(entry);
            }
        }
        let mut security: Vec<(u32, SecurityDescriptor)> = std::mem::take(&mut self.security)
            .into_iter()
            .map(|(descriptor, index)| (index, descriptor))
            .collect();
        security.sort_by_key(|(index, _)| *index);
        SealedTree::new(
            security
                .into_iter()
                .map(|(_, descriptor)| descriptor)
                .collect(),
            entries,
        )
    }

    /// Where a new name comes among the children of a directory; `None` if that was not sent.
    fn place_in(&self, directory: EntryId, name: &WideName) -> Option<Result<usize, Twice>> {
        let directory = self.entries.get(self.ids.get(directory)?)?;
        if !directory.entry.attributes.is_directory() {
            return None;
        }
        let order = |child: &usize| match self.entries.get(*child) {
            Some(child) => child.entry.name.cmp_ignore_case(name),
            None => Ordering::Less,
        };
        let children = &directory.children;
        // Most sources send them in their order.
        if children.last().is_none_or(|last| order(last).is_lt()) {
            return Some(Ok(children.len()));
        }
        Some(match children.binary_search_by(order) {
            Ok(_) => Err(Twice),
            Err(place) => Ok(place),
        })
    }

    fn built(&mut self, id: EntryId) -> Option<&mut Built> {
        let index = self.ids.get(id)?;
        self.entries.get_mut(index)
    }
}

impl TreeSink for TreeBuilder {
    fn entry(&mut self, entry: &Entry) -> Result<(), SinkError> {
        let index = self.entries.len();
        if self.ids.get(entry.id).is_some() {
            return Err(SinkError::message(format!(
                "entry {} was sent twice",
                entry.id.0
            )));
        }
        match entry.parent {
            None if index > 0 => return Err(SinkError::message("a second root was sent")),
            None => {}
            Some(parent) => {
                let name = &entry.name;
                if !is_storable(name.units()) {
                    return Err(SinkError::message(format!(
                        "expected a name that NTFS can hold, found {name:?}"
                    )));
                }
                let place = self.place_in(parent, name).ok_or_else(|| {
                    SinkError::message(format!("{name:?} was sent before its directory"))
                })?;
                let place = place.map_err(|Twice| {
                    SinkError::message(format!("{name:?} is twice in its directory"))
                })?;
                if let Some(parent) = self.built(parent) {
                    parent.children.insert(place, index);
                }
            }
        }
        let link_to = entry.link_to.and_then(|file| self.ids.get(file));
        let security = entry.security.as_ref().map(|descriptor| {
            let next = narrow(self.security.len());
            *self.security.entry(descriptor.clone()).or_insert(next)
        });
        let streams = match link_to {
            Some(_) => FileStreams::default(),
            None => entry
                .streams
                .iter()
                .map(|stream| StreamData {
                    name: stream.name.clone(),
                    content: EMPTY,
                })
                .collect(),
        };
        let sealed = SealedEntry {
            name: if entry.parent.is_some() {
                entry.name.clone()
            } else {
                WideName::new()
            },
            attributes: entry.attributes,
            created: entry.times.created,
            accessed: entry.times.accessed,
            written: entry.times.written,
            security,
            reparse: entry.reparse.clone(),
            extra: Extra {
                short_name: entry.short_name.clone(),
                object_id: entry.extra.object_id.clone(),
                extended_attributes: entry.extra.extended_attributes.clone(),
            },
            streams,
            ..SealedEntry::default()
        };
        self.entries.push(Built {
            entry: sealed,
            first_len: entry.streams.first().map_or(0, |stream| stream.len),
            children: Vec::new(),
            link_to,
        });
        self.ids.add(entry.id, index);
        Ok(())
    }

    fn open_stream(&mut self, stream: StreamRef) -> Result<bool, SinkError> {
        let announced = self
            .built(stream.entry)
            .filter(|built| stream.index < built.entry.streams.len());
        let Some(built) = announced else {
            return Err(SinkError::message(format!(
                "stream {} of entry {} was sent without having been announced",
                stream.index, stream.entry.0
            )));
        };
        let announced = Some(built.first_len).filter(|len| stream.index == 0 && *len > 0);
        self.open = Some(OpenStream {
            stream,
            announced,
            len: 0,
            whole: None,
            writer: None,
        });
        self.buffer.clear();
        Ok(true)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        let Some(open) = &mut self.open else {
            return Err(SinkError::message("bytes were sent without a stream"));
        };
        if bytes.is_empty() {
            return Ok(());
        }
        let before = open.len;
        // Lossless: no slice is longer than 2^63 bytes.
        open.len = before.saturating_add(bytes.len() as u64);
        if open.whole.is_some() {
            return Err(SinkError::message(format!(
                "more bytes of a stream were sent than the {before} announced"
            )));
        }
        if before == 0 && open.announced == Some(open.len) && bytes.len() <= PIECE {
            open.whole = Some(self.blobs.put(bytes).map_err(failed)?);
        } else if self.buffer.len().saturating_add(bytes.len()) > PIECE {
            let writer = match &mut open.writer {
                Some(writer) => writer,
                None => open.writer.insert(self.blobs.writer().map_err(failed)?),
            };
            writer.write(&self.buffer).map_err(failed)?;
            self.buffer.clear();
            writer.write(bytes).map_err(failed)?;
        } else {
            self.buffer.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn close_stream(&mut self, end: StreamEnd) -> Result<(), SinkError> {
        let Some(OpenStream {
            stream,
            len,
            whole,
            writer,
            ..
        }) = self.open.take()
        else {
            return Err(SinkError::message("a stream was closed that was not open"));
        };
        if end == StreamEnd::Damaged || len == 0 {
            return Ok(());
        }
        let blob = match (whole, writer) {
            (Some(whole), _) => Ok(whole),
            (None, Some(mut writer)) => writer
                .write(&self.buffer)
                .and_then(|()| writer.finish(&*self.blobs)),
            (None, None) => self.blobs.put(&self.buffer),
        }
        .map_err(failed)?;
        let content = ContentRef {
            blob: Some(blob),
            len,
        };
        if let Some(stream) = self
            .built(stream.entry)
            .and_then(|built| built.entry.streams.get_mut(stream.index))
        {
            stream.content = content;
        }
        Ok(())
    }
}

fn failed(cause: std::io::Error) -> SinkError {
    SinkError::new("the blob store failed", cause)
}

/// Numbers of entries fit: their ids have 32 bits.
fn narrow(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_whatever_order_they_came() {
        for sent in [
            vec![0, 1, 2, 3],
            vec![1, 0, 2, 3],
            vec![0, 1, 9, 3, 4, 2],
            vec![7],
        ] {
            let mut ids = Ids::default();
            for (place, id) in sent.iter().enumerate() {
                assert_eq!(ids.get(EntryId(*id)), None);
                ids.add(EntryId(*id), place);
            }
            for id in 0..12 {
                let place = sent.iter().position(|sent| *sent == id);
                assert_eq!(ids.get(EntryId(id)), place);
            }
        }
    }
}
