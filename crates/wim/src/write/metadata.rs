//! Builds an image's metadata from its entries.
//!
//! Siblings are sorted by name, upper and lower case alike and then exactly, as wimlib does. If a file has one unnamed stream and
//! nothing else, the entry itself names its blob; otherwise all streams get entries of their own, reparse data first, then the
//! unnamed data, then the named streams. A directory never gets an entry for data.

use std::collections::BTreeMap;

use wcow_ntmeta::WideName;
use wcow_tree::{Digest, Entry, EntryId, StreamRef};

use crate::metadata::dentry::{FIXED_LEN, STREAM_FIXED_LEN};
use crate::metadata::tree::NOT_FIXED;
use crate::number::as_u64;

use super::image::ImageTree;
use super::{BlobStore, ImageSummary, WriteError};

/// The metadata of `tree`, and what is in it. Counts the references to each blob.
pub(super) fn build(
    tree: &ImageTree,
    store: &mut BlobStore,
) -> Result<(Vec<u8>, ImageSummary), WriteError> {
    let layout = Layout::new(tree);
    let security = Security::new(tree)?;
    let links = Links::new(tree);
    let mut bytes = security.to_bytes()?;
    // Records are put together first, with room for the offset of their children.
    let mut summary = ImageSummary::default();
    let mut records = Vec::with_capacity(tree.entries.len());
    for (index, entry) in tree.entries.iter().enumerate() {
        let streams = Streams::new(tree, entry, links.first(entry));
        for (digest, len) in streams.all().filter(|(digest, _)| !digest.is_zero()) {
            if let Some(blob) = store.blobs.get_mut(&digest) {
                blob.references = blob.references.saturating_add(1);
            }
            summary.total_bytes = summary.total_bytes.saturating_add(len);
            if entry.link_to.is_some() {
                summary.hard_link_bytes = summary.hard_link_bytes.saturating_add(len);
            }
        }
        if entry.is_directory() && !entry.attributes.is_reparse_point() {
            summary.directories += 1;
        } else {
            summary.files += 1;
        }
        let security_id = security.id(entry);
        records.push(record(
            tree,
            entry,
            &streams,
            security_id,
            links.group(index),
        )?);
    }

    let mut offset = as_u64(bytes.len());
    let mut child_offsets = BTreeMap::new();
    let len_of = |index: &usize| {
        records
            .get(*index)
            .map_or(0, |record: &Vec<u8>| as_u64(record.len()))
    };
    offset += len_of(&0) + 8;
    for directory in &layout.directories {
        child_offsets.insert(*directory, offset);
        offset += layout.children(*directory).iter().map(len_of).sum::<u64>() + 8;
    }
    let root: &[usize] = &[0];
    for list in [root].into_iter().chain(
        layout
            .directories
            .iter()
            .map(|directory| layout.children(*directory)),
    ) {
        for index in list {
            let start = bytes.len();
            bytes.extend_from_slice(records.get(*index).map(Vec::as_slice).unwrap_or_default());
            if let (Some(offset), Some(place)) = (
                child_offsets.get(index),
                bytes.get_mut(start + 0x10..start + 0x18),
            ) {
                place.copy_from_slice(&offset.to_le_bytes());
            }
        }
        bytes.extend_from_slice(&[0; 8]);
    }
    Ok((bytes, summary))
}

/// The order of entries in the metadata.
struct Layout {
    /// Directories that can have children, each before those in it, by position in the tree's list.
    directories: Vec<usize>,
    children: BTreeMap<usize, Vec<usize>>,
}

impl Layout {
    fn new(tree: &ImageTree) -> Self {
        let ids: BTreeMap<EntryId, usize> = tree
            .entries
            .iter()
            .enumerate()
            .map(|(index, entry)| (entry.id, index))
            .collect();
        let mut children: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, entry) in tree.entries.iter().enumerate() {
            if let Some(parent) = entry.parent.and_then(|parent| ids.get(&parent)) {
                children.entry(*parent).or_default().push(index);
            }
        }
        let name = |index: &usize| tree.entries.get(*index).map(|entry| &entry.name);
        for siblings in children.values_mut() {
            siblings.sort_by(|a, b| match (name(a), name(b)) {
                (Some(a), Some(b)) => a.cmp_ignore_case(b).then_with(|| a.cmp(b)),
                (a, b) => a.is_some().cmp(&b.is_some()),
            });
        }
        let mut layout = Self {
            directories: Vec::new(),
            children,
        };
        let mut stack = vec![0];
        while let Some(index) = stack.pop() {
            let directory = tree
                .entries
                .get(index)
                .filter(|entry| entry.is_directory() && !entry.attributes.is_reparse_point());
            if directory.is_some() {
                layout.directories.push(index);
                stack.extend(layout.children(index).iter().rev());
            }
        }
        layout
    }

    fn children(&self, directory: usize) -> &[usize] {
        self.children
            .get(&directory)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }
}

/// The security descriptors, each different one once.
struct Security<'a> {
    ids: BTreeMap<&'a [u8], u32>,
    in_order: Vec<&'a [u8]>,
}

impl<'a> Security<'a> {
    fn new(tree: &'a ImageTree) -> Result<Self, WriteError> {
        let mut security = Self {
            ids: BTreeMap::new(),
            in_order: Vec::new(),
        };
        for descriptor in tree
            .entries
            .iter()
            .filter_map(|entry| entry.security.as_ref())
        {
            let next = u32::try_from(security.in_order.len())
                .ok()
                .filter(|next| *next < u32::MAX);
            let next = next.ok_or(WriteError::TooLarge {
                what: "security descriptors",
                found: as_u64(security.in_order.len()),
            })?;
            security
                .ids
                .entry(descriptor.as_bytes())
                .or_insert_with(|| {
                    security.in_order.push(descriptor.as_bytes());
                    next
                });
        }
        Ok(security)
    }

    fn id(&self, entry: &Entry) -> u32 {
        entry
            .security
            .as_ref()
            .and_then(|descriptor| self.ids.get(descriptor.as_bytes()))
            .copied()
            .unwrap_or(u32::MAX)
    }

    fn to_bytes(&self) -> Result<Vec<u8>, WriteError> {
        let mut bytes = vec![0; 8];
        for descriptor in &self.in_order {
            bytes.extend_from_slice(&as_u64(descriptor.len()).to_le_bytes());
        }
        for descriptor in &self.in_order {
            bytes.extend_from_slice(descriptor);
        }
        pad(&mut bytes);
        let total = u32::try_from(bytes.len()).map_err(|_| WriteError::TooLarge {
            what: "security descriptors of an image",
            found: as_u64(bytes.len()),
        })?;
        let count = u32::try_from(self.in_order.len()).unwrap_or(u32::MAX);
        bytes.splice(
            ..8,
            total.to_le_bytes().into_iter().chain(count.to_le_bytes()),
        );
        Ok(bytes)
    }
}

/// Which entries are names of one file.
struct Links {
    /// The first entry of each that has several names.
    first: BTreeMap<EntryId, EntryId>,
    groups: BTreeMap<usize, u64>,
}

impl Links {
    fn new(tree: &ImageTree) -> Self {
        let mut first = BTreeMap::new();
        for entry in &tree.entries {
            if let Some(to) = entry.link_to {
                // A link to a link is one to the first.
                let to = first.get(&to).copied().unwrap_or(to);
                first.insert(entry.id, to);
            }
        }
        let mut numbers = BTreeMap::new();
        for to in first.values() {
            let next = as_u64(numbers.len()) + 1;
            numbers.entry(*to).or_insert(next);
        }
        let group = |entry: &Entry| {
            numbers
                .get(first.get(&entry.id).unwrap_or(&entry.id))
                .copied()
        };
        let groups = tree
            .entries
            .iter()
            .enumerate()
            .filter_map(|(index, entry)| Some((index, group(entry)?)))
            .collect();
        Self { first, groups }
    }

    /// The entry whose streams were sent for `entry`.
    fn first(&self, entry: &Entry) -> EntryId {
        self.first.get(&entry.id).copied().unwrap_or(entry.id)
    }

    fn group(&self, index: usize) -> u64 {
        self.groups.get(&index).copied().unwrap_or(0)
    }
}

/// The streams of one entry as the format wants them.
struct Streams<'a> {
    main: (Digest, u64),
    extra: Vec<(Option<&'a WideName>, Digest, u64)>,
}

impl<'a> Streams<'a> {
    fn new(tree: &ImageTree, entry: &'a Entry, sent: EntryId) -> Self {
        let none = (Digest::ZERO, 0);
        let blob = |index| {
            tree.streams
                .get(&StreamRef { entry: sent, index })
                .copied()
                .unwrap_or(none)
        };
        let mut unnamed = Vec::new();
        if entry.attributes.is_reparse_point() {
            unnamed.push(tree.reparse.get(&entry.id).copied().unwrap_or(none));
        }
        let mut named = Vec::new();
        for (index, stream) in entry.streams.iter().enumerate() {
            if stream.name.is_empty() {
                unnamed.push(blob(index));
            } else {
                named.push((&stream.name, blob(index)));
            }
        }
        if let ([] | [_], []) = (unnamed.as_slice(), named.as_slice()) {
            return Self {
                main: unnamed.first().copied().unwrap_or(none),
                extra: Vec::new(),
            };
        }
        let unnamed = unnamed.into_iter().map(|(digest, len)| (None, digest, len));
        let named = named
            .into_iter()
            .map(|(name, (digest, len))| (Some(name), digest, len));
        Self {
            main: none,
            extra: unnamed.chain(named).collect(),
        }
    }

    fn all(&self) -> impl Iterator<Item = (Digest, u64)> {
        [self.main]
            .into_iter()
            .chain(self.extra.iter().map(|(_, digest, len)| (*digest, *len)))
    }
}

/// A directory entry with its stream entries; the offset of its children is zero.
fn record(
    tree: &ImageTree,
    entry: &Entry,
    streams: &Streams<'_>,
    security_id: u32,
    group: u64,
) -> Result<Vec<u8>, WriteError> {
    let name_len = |name: &WideName| {
        let len = u16::try_from(name.len())
            .ok()
            .and_then(|len| len.checked_mul(2));
        len.ok_or_else(|| {
            tree.error(
                entry,
                format!(
                    "expected a name of at most 32767 units, found {}",
                    name.len()
                ),
            )
        })
    };
    let name = if entry.parent.is_some() {
        &entry.name
    } else {
        &WideName::new()
    };
    let count = u16::try_from(streams.extra.len()).map_err(|_| {
        tree.error(
            entry,
            format!(
                "expected at most 65535 streams, found {}",
                streams.extra.len()
            ),
        )
    })?;
    let slot = match &entry.reparse {
        Some(reparse) if entry.attributes.is_reparse_point() => {
            u64::from(reparse.tag)
                | if entry.extra.target_not_fixed {
                    NOT_FIXED
                } else {
                    0
                }
        }
        _ => group,
    };
    let mut bytes = Vec::with_capacity(FIXED_LEN + 2 * (name.len() + entry.short_name.len()) + 16);
    bytes.extend_from_slice(&[0; 8]);
    bytes.extend_from_slice(&entry.attributes.bits().to_le_bytes());
    bytes.extend_from_slice(&security_id.to_le_bytes());
    bytes.extend_from_slice(&[0; 24]);
    for time in [
        entry.times.created,
        entry.times.accessed,
        entry.times.written,
    ] {
        bytes.extend_from_slice(&time.ticks().to_le_bytes());
    }
    bytes.extend_from_slice(&streams.main.0.0);
    bytes.extend_from_slice(&entry.extra.reserved.to_le_bytes());
    bytes.extend_from_slice(&slot.to_le_bytes());
    bytes.extend_from_slice(&count.to_le_bytes());
    bytes.extend_from_slice(&name_len(&entry.short_name)?.to_le_bytes());
    bytes.extend_from_slice(&name_len(name)?.to_le_bytes());
    for name in [name, &entry.short_name] {
        if !name.is_empty() {
            bytes.extend_from_slice(&name.to_le_bytes());
            bytes.extend_from_slice(&[0; 2]);
        }
    }
    pad(&mut bytes);
    tagged(tree, entry, &mut bytes)?;
    let len = as_u64(bytes.len());
    bytes.splice(..8, len.to_le_bytes());
    for (name, digest, _) in &streams.extra {
        let start = bytes.len();
        bytes.extend_from_slice(&[0; 16]);
        bytes.extend_from_slice(&digest.0);
        let len = name.map_or(Ok(0), name_len)?;
        bytes.extend_from_slice(&len.to_le_bytes());
        debug_assert_eq!(bytes.len() - start, STREAM_FIXED_LEN);
        if let Some(name) = name {
            bytes.extend_from_slice(&name.to_le_bytes());
            bytes.extend_from_slice(&[0; 2]);
        }
        pad(&mut bytes);
        let len = as_u64(bytes.len() - start);
        bytes.splice(start..start + 8, len.to_le_bytes());
    }
    Ok(bytes)
}

/// Adds the tagged items of `entry`.
fn tagged(tree: &ImageTree, entry: &Entry, bytes: &mut Vec<u8>) -> Result<(), WriteError> {
    let known = [
        (1, &entry.extra.object_id),
        (2, &entry.extra.extended_attributes),
    ];
    let known = known.into_iter().filter(|(_, data)| !data.is_empty());
    let unknown = entry
        .extra
        .unknown
        .iter()
        .map(|item| (item.tag, &item.data));
    for (tag, data) in known.chain(unknown) {
        let len = u32::try_from(data.len()).map_err(|_| {
            tree.error(
                entry,
                format!(
                    "expected a tagged item below 4 GiB, found {} bytes",
                    data.len()
                ),
            )
        })?;
        bytes.extend_from_slice(&u32::to_le_bytes(tag));
        bytes.extend_from_slice(&len.to_le_bytes());
        bytes.extend_from_slice(data);
        pad(bytes);
    }
    Ok(())
}

/// Fills up with zeros to a multiple of 8.
fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(8), 0);
}
