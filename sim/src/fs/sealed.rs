//! Sealed trees: a whole directory tree in one blob.
//!
//! Little-endian. Text is a `u16` count of UTF-16 units and the units; bytes are a `u32` count and the bytes.
//!
//! | part | contents |
//! |---|---|
//! | magic | the 8 bytes `wcowtre1` |
//! | security | `u32` count, then each descriptor as bytes |
//! | entries | `u32` count, then the entries, the root first, the children of one directory together and by upcased name |
//!
//! | field of an entry | form |
//! |---|---|
//! | name, short name | text |
//! | attributes | `u32` |
//! | created, accessed, written | `u64` each |
//! | security | `u32` index, `0xFFFFFFFF` for none |
//! | linked to | `u32` entry that is the same file, `0xFFFFFFFF` for none |
//! | children | `u32` first, `u32` count |
//! | reparse point | `u8` 0, or `u8` 1, `u32` tag, bytes |
//! | object id, extended attributes | bytes |
//! | streams | `u16` count, then each: name as text, `u64` length, `u8` 0 for zeros or `u8` 1 and the 32 bytes of its blob |
//!
//! A reader refuses what is cut off, has a child before its directory or an index out of range.

use std::ops::Range;
use std::sync::Arc;

use wcow_ntmeta::upcase::cmp_ignore_case;
use wcow_ntmeta::{FileAttributes, FileTime, ReparsePoint, SecurityDescriptor, WideName};

use super::{EMPTY, Extra, FileStreams, Node, StreamData};
use crate::blobs::{BlobId, BlobStore};
use crate::call::ContentRef;

const MAGIC: &[u8; 8] = b"wcowtre1";
const NONE: u32 = u32::MAX;
/// How long an entry usually is, in bytes.
const USUAL: usize = 160;

/// How many entries the trees that are kept have together, at most. An entry takes a few hundred bytes.
const KEPT_ENTRIES: usize = 1 << 20;

/// Sealed trees that were read, by blob; the one that was used last stands last. The last one is kept whatever its size.
#[derive(Default)]
pub(crate) struct TreeCache(Vec<(BlobId, Arc<SealedTree>)>);

impl TreeCache {
    /// Keeps a tree that was just written as the blob `id`.
    pub(crate) fn keep(&mut self, id: BlobId, tree: Arc<SealedTree>) {
        self.0.retain(|(there, _)| *there != id);
        self.0.push((id, tree));
        self.forget_above(KEPT_ENTRIES);
    }

    /// The tree of a blob; `None` if the blob is missing or damaged.
    pub(crate) fn load(&mut self, id: BlobId, blobs: &dyn BlobStore) -> Option<Arc<SealedTree>> {
        if let Some(place) = self.0.iter().rposition(|(there, _)| *there == id) {
            self.0.get_mut(place..)?.rotate_left(1);
            return self.0.last().map(|(_, tree)| Arc::clone(tree));
        }
        let tree = Arc::new(SealedTree::decode(&blobs.get(id).ok()??)?);
        self.keep(id, Arc::clone(&tree));
        Some(tree)
    }

    /// Forgets the trees that were not used for longest, until those that are left have at most `most` entries.
    fn forget_above(&mut self, most: usize) {
        let mut kept = 0_usize;
        let fits = |(_, tree): &&(BlobId, Arc<SealedTree>)| {
            kept = kept.saturating_add(tree.entries.len());
            kept <= most
        };
        let fitting = self.0.iter().rev().take_while(fits).count();
        let forgotten = self.0.len().saturating_sub(fitting.max(1));
        self.0.drain(..forgotten);
    }
}

/// A tree that does not change.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct SealedTree {
    pub(super) security: Vec<SecurityDescriptor>,
    pub(super) entries: Vec<SealedEntry>,
    /// Bytes of all streams of an entry and of what is below it; nothing for a further name of a file.
    bytes: Vec<u64>,
}

/// An entry of a sealed tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SealedEntry {
    pub(super) name: WideName,
    pub(super) attributes: FileAttributes,
    pub(super) created: FileTime,
    pub(super) accessed: FileTime,
    pub(super) written: FileTime,
    pub(super) security: Option<u32>,
    pub(super) link_to: Option<u32>,
    pub(super) first_child: u32,
    pub(super) child_count: u32,
    pub(super) reparse: Option<ReparsePoint>,
    pub(super) extra: Extra,
    pub(super) streams: FileStreams,
}

impl SealedTree {
    /// A tree of entries in the order of the format.
    pub(super) fn new(security: Vec<SecurityDescriptor>, entries: Vec<SealedEntry>) -> Self {
        let mut tree = Self {
            security,
            entries,
            bytes: Vec::new(),
        };
        tree.count_bytes();
        tree
    }

    pub(super) fn name(&self, entry: u32) -> WideName {
        self.entry(entry)
            .map(|entry| entry.name.clone())
            .unwrap_or_default()
    }

    pub(super) fn is_directory(&self, entry: u32) -> bool {
        self.entry(entry)
            .is_some_and(|entry| entry.attributes.is_directory())
    }

    pub(super) fn children(&self, entry: u32) -> Range<u32> {
        self.entry(entry).map_or(0..0, |entry| {
            entry.first_child..entry.first_child + entry.child_count
        })
    }

    pub(super) fn child(&self, entry: u32, name: &[u16]) -> Option<u32> {
        let range = self.children(entry);
        let children = self.entries.get(range.start as usize..range.end as usize)?;
        let place = children
            .binary_search_by(|child| cmp_ignore_case(child.name.units(), name))
            .ok()?;
        Some(range.start + u32::try_from(place).ok()?)
    }

    /// The entry at the end of some names below another.
    pub(super) fn walk<'n>(
        &self,
        from: u32,
        names: impl IntoIterator<Item = &'n [u16]>,
    ) -> Option<u32> {
        names
            .into_iter()
            .try_fold(from, |entry, name| self.child(entry, name))
    }

    pub(super) fn attributes_and_written(&self, entry: u32) -> (FileAttributes, FileTime) {
        self.entry(entry)
            .map(|entry| (entry.attributes, entry.written))
            .unwrap_or_default()
    }

    pub(super) fn streams(&self, entry: u32) -> Option<&FileStreams> {
        let entry = self.entry(entry)?;
        let file = entry.link_to.and_then(|file| self.entry(file));
        Some(&file.unwrap_or(entry).streams)
    }

    pub(super) fn content(&self, entry: u32) -> Option<ContentRef> {
        if self.is_directory(entry) {
            return None;
        }
        Some(
            self.streams(entry)
                .and_then(FileStreams::first)
                .map_or(EMPTY, |stream| stream.content),
        )
    }

    pub(super) fn bytes_below(&self, entry: u32) -> u64 {
        self.bytes.get(entry as usize).copied().unwrap_or_default()
    }

    /// Gives a node what an entry says, except names and contents.
    pub(super) fn describe(&self, entry: u32, node: &mut Node) {
        let Some(entry) = self.entry(entry) else {
            return;
        };
        node.attributes = entry.attributes;
        node.created = entry.created;
        node.accessed = entry.accessed;
        node.written = entry.written;
        node.security = entry
            .security
            .and_then(|index| self.security.get(index as usize))
            .cloned();
        node.reparse = entry.reparse.clone();
        node.extra = (entry.extra != Extra::default()).then(|| Box::new(entry.extra.clone()));
    }

    /// The blobs of all streams.
    pub(super) fn blobs(&self) -> impl Iterator<Item = BlobId> {
        self.entries
            .iter()
            .flat_map(|entry| entry.streams.iter())
            .filter_map(|stream| stream.content.blob)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Writer(Vec::with_capacity(self.entries.len().saturating_mul(USUAL)));
        out.0.extend_from_slice(MAGIC);
        out.u32(count(&self.security));
        for descriptor in &self.security {
            out.bytes(descriptor.as_bytes());
        }
        out.u32(count(&self.entries));
        for entry in &self.entries {
            out.entry(entry);
        }
        out.0
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut input = Reader(bytes.strip_prefix(MAGIC)?);
        // Counts are only believed as far as there are bytes: every item takes at least one.
        let mut security = Vec::new();
        for _ in 0..input.u32()? {
            security.push(SecurityDescriptor::parse(input.bytes()?.to_vec()).ok()?);
        }
        let mut entries = Vec::new();
        for _ in 0..input.u32()? {
            entries.push(input.entry()?);
        }
        let all = count(&entries);
        let mut next_child = 1;
        for (index, entry) in (0_u32..).zip(&entries) {
            let in_order = entry.child_count == 0
                || (entry.first_child == next_child && entry.first_child > index);
            next_child = next_child.checked_add(entry.child_count)?;
            let linked = entry.link_to.is_none_or(|file| file < all);
            let secured = entry.security.is_none_or(|index| index < count(&security));
            if !in_order || !linked || !secured || next_child > all.max(1) {
                return None;
            }
        }
        (input.0.is_empty() && all > 0 && next_child == all).then(|| Self::new(security, entries))
    }

    fn entry(&self, entry: u32) -> Option<&SealedEntry> {
        self.entries.get(entry as usize)
    }

    /// Children stand behind their directory, so one pass from the end adds everything up.
    fn count_bytes(&mut self) {
        let mut bytes = vec![0_u64; self.entries.len()];
        for (index, entry) in self.entries.iter().enumerate().rev() {
            let own: u64 = if entry.link_to.is_some() {
                0
            } else {
                entry
                    .streams
                    .iter()
                    .fold(0, |sum, stream| sum.saturating_add(stream.content.len))
            };
            let below = entry.first_child as usize
                ..(entry.first_child as usize + entry.child_count as usize);
            let below = bytes
                .get(below)
                .unwrap_or_default()
                .iter()
                .fold(0_u64, |sum, more| sum.saturating_add(*more));
            if let Some(total) = bytes.get_mut(index) {
                *total = own.saturating_add(below);
            }
        }
        self.bytes = bytes;
    }
}

/// Trees are far smaller than four thousand million entries: an entry's id has 32 bits already.
fn count<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(NONE)
}

struct Writer(Vec<u8>);

impl Writer {
    fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.u32(count(bytes));
        self.0.extend_from_slice(bytes);
    }

    fn count16(&mut self, len: usize) {
        self.0
            .extend_from_slice(&u16::try_from(len).unwrap_or(u16::MAX).to_le_bytes());
    }

    fn text(&mut self, text: &WideName) {
        self.count16(text.len());
        self.0.reserve(2 * text.len());
        for unit in text.units() {
            self.0.extend_from_slice(&unit.to_le_bytes());
        }
    }

    fn entry(&mut self, entry: &SealedEntry) {
        self.text(&entry.name);
        self.text(&entry.extra.short_name);
        self.u32(entry.attributes.bits());
        self.u64(entry.created.ticks());
        self.u64(entry.accessed.ticks());
        self.u64(entry.written.ticks());
        self.u32(entry.security.unwrap_or(NONE));
        self.u32(entry.link_to.unwrap_or(NONE));
        self.u32(entry.first_child);
        self.u32(entry.child_count);
        match &entry.reparse {
            None => self.0.push(0),
            Some(reparse) => {
                self.0.push(1);
                self.u32(reparse.tag);
                self.bytes(&reparse.data);
            }
        }
        self.bytes(&entry.extra.object_id);
        self.bytes(&entry.extra.extended_attributes);
        self.count16(entry.streams.len());
        for stream in entry.streams.iter() {
            self.text(&stream.name);
            self.u64(stream.content.len);
            match stream.content.blob {
                None => self.0.push(0),
                Some(blob) => {
                    self.0.push(1);
                    self.0.extend_from_slice(&blob.0);
                }
            }
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.u32()?;
        self.take(usize::try_from(len).ok()?)
    }

    fn text(&mut self) -> Option<WideName> {
        let len = u16::from_le_bytes(self.array()?);
        WideName::from_le_bytes(self.take(usize::from(len) * 2)?)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.array()? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    fn index(&mut self) -> Option<Option<u32>> {
        self.u32().map(|index| (index != NONE).then_some(index))
    }

    fn entry(&mut self) -> Option<SealedEntry> {
        let name = self.text()?;
        let short_name = self.text()?;
        let mut entry = SealedEntry {
            name,
            attributes: FileAttributes::from_bits(self.u32()?),
            created: FileTime::from_ticks(self.u64()?),
            accessed: FileTime::from_ticks(self.u64()?),
            written: FileTime::from_ticks(self.u64()?),
            security: self.index()?,
            link_to: self.index()?,
            first_child: self.u32()?,
            child_count: self.u32()?,
            ..SealedEntry::default()
        };
        if self.flag()? {
            entry.reparse = Some(ReparsePoint {
                tag: self.u32()?,
                data: self.bytes()?.to_vec(),
            });
        }
        entry.extra = Extra {
            short_name,
            object_id: self.bytes()?.to_vec(),
            extended_attributes: self.bytes()?.to_vec(),
        };
        for _ in 0..u16::from_le_bytes(self.array()?) {
            let name = self.text()?;
            let len = self.u64()?;
            let blob = if self.flag()? {
                Some(BlobId(self.array()?))
            } else {
                None
            };
            entry.streams.push(StreamData {
                name,
                content: ContentRef { blob, len },
            });
        }
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blobs::MemoryBlobs;

    fn tree() -> SealedTree {
        let directory = |name: &str, first_child, child_count| SealedEntry {
            name: name.into(),
            attributes: FileAttributes::DIRECTORY,
            first_child,
            child_count,
            ..SealedEntry::default()
        };
        let file = |name: &str, len| SealedEntry {
            name: name.into(),
            streams: FileStreams::from(StreamData {
                name: WideName::new(),
                content: ContentRef {
                    blob: Some(BlobId::of(b"x")),
                    len,
                },
            }),
            ..SealedEntry::default()
        };
        let mut other_name = file("z", 0);
        other_name.link_to = Some(2);
        SealedTree::new(
            Vec::new(),
            vec![
                directory("", 1, 3),
                directory("Dir", 4, 1),
                file("file.TXT", 10),
                other_name,
                file("inner", 5),
            ],
        )
    }

    #[test]
    fn a_tree_survives_its_encoding() {
        let tree = tree();
        assert_eq!(SealedTree::decode(&tree.encode()), Some(tree));
    }

    #[test]
    fn a_tree_cut_off_anywhere_is_refused() {
        let bytes = tree().encode();
        for len in 0..bytes.len() {
            assert_eq!(SealedTree::decode(&bytes[..len]), None, "{len} bytes");
        }
    }

    #[test]
    fn a_tree_with_a_cycle_is_refused() {
        let mut tree = tree();
        tree.entries[1].first_child = 0;
        assert_eq!(SealedTree::decode(&tree.encode()), None);
    }

    #[test]
    fn the_cache_forgets_what_was_not_used_for_longest() {
        let blobs = MemoryBlobs::default();
        let mut cache = TreeCache::default();
        let [a, b, c] = [b"a", b"b", b"c"].map(|name| BlobId::of(name));
        for id in [a, b, c] {
            cache.keep(id, Arc::new(tree()));
        }
        assert!(cache.load(a, &blobs).is_some());
        cache.forget_above(11);
        let kept: Vec<BlobId> = cache.0.iter().map(|(id, _)| *id).collect();
        assert_eq!(kept, [c, a], "two trees of five entries");
        cache.forget_above(1);
        let kept: Vec<BlobId> = cache.0.iter().map(|(id, _)| *id).collect();
        assert_eq!(kept, [a], "the last one stays, whatever its size");
        assert!(cache.load(b, &blobs).is_none());
    }

    #[test]
    fn names_are_found_without_case_and_bytes_are_counted_once() {
        let tree = tree();
        assert_eq!(tree.child(0, WideName::from("FILE.txt").units()), Some(2));
        assert_eq!(tree.child(1, WideName::from("INNER").units()), Some(4));
        assert_eq!(tree.child(2, WideName::from("x").units()), None);
        assert_eq!(tree.bytes_below(0), 15);
        assert_eq!(tree.content(3).map(|content| content.len), Some(10));
    }
}
