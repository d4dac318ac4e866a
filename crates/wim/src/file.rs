//! One file on disk: a whole WIM, or one part of a split set.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wcow_tree::Digest;

use crate::codec::Codec;
use crate::layout::Layout;
use crate::plan::Item;
use crate::read_at::Input;
use crate::{BlobLocation, Header, ReadError, ResourceHeader};

/// A file, and what it takes to read its resources.
pub(crate) struct WimFile {
    pub(crate) input: Input,
    pub(crate) header: Header,
    /// The resources of each solid run of its lookup table.
    pub(crate) solid_runs: Vec<Vec<ResourceHeader>>,
    /// Uncompressed bytes that a chunk may have.
    pub(crate) max_chunk: u64,
    /// Runs that cannot be read, because they share bytes of the file with others.
    overlapping: BTreeMap<u32, Overlap>,
    /// Runs whose chunk tables were read.
    runs: Mutex<BTreeMap<u32, Arc<SolidRun>>>,
    /// Blobs that had their SHA-1, of a file whose bytes never change.
    sound: Mutex<BTreeMap<Digest, BlobLocation>>,
}

/// The resources of a solid run, which count as one string of bytes.
#[derive(Debug)]
pub(crate) struct SolidRun {
    /// Each resource, with the position of its first byte in the run.
    pub(crate) resources: Vec<(u64, Layout)>,
    /// Uncompressed bytes of all of them.
    pub(crate) size: u64,
}

impl WimFile {
    pub(crate) fn new(
        input: Input,
        header: Header,
        solid_runs: Vec<Vec<ResourceHeader>>,
        max_chunk: u64,
    ) -> Self {
        Self {
            overlapping: overlapping(&solid_runs),
            input,
            header,
            solid_runs,
            max_chunk,
            runs: Mutex::default(),
            sound: Mutex::default(),
        }
    }

    /// True if the blob had its SHA-1 before, and cannot have changed.
    pub(crate) fn is_sound(&self, item: &Item) -> bool {
        self.input.is_in_memory() && self.sound().get(&item.digest) == Some(&item.location)
    }

    /// The blob has its SHA-1.
    pub(crate) fn found_sound(&self, item: &Item) {
        if self.input.is_in_memory() {
            self.sound().insert(item.digest, item.location);
        }
    }

    fn sound(&self) -> MutexGuard<'_, BTreeMap<Digest, BlobLocation>> {
        self.sound.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The chunks of a resource that is not solid.
    pub(crate) fn layout(&self, resource: &ResourceHeader) -> Result<Layout, ReadError> {
        layout_of(&self.input, &self.header, resource, self.max_chunk)
    }

    /// The chunks of a solid run.
    pub(crate) fn solid_run(&self, run: u32) -> Result<Arc<SolidRun>, ReadError> {
        let runs = || self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(run) = runs().get(&run) {
            return Ok(Arc::clone(run));
        }
        if let Some(Overlap { offset, other }) = self.overlapping.get(&run) {
            return Err(ReadError::Resource {
                offset: *offset,
                what: format!(
                    "expected bytes of its own, found those of the solid resource at offset {other:#x}"
                ),
            });
        }
        let headers = usize::try_from(run)
            .ok()
            .and_then(|run| self.solid_runs.get(run));
        let mut resources = Vec::new();
        let mut size = 0_u64;
        for header in headers.map(Vec::as_slice).unwrap_or_default() {
            let layout = Layout::solid(&self.input, header, self.max_chunk)?;
            let start = size;
            size = size.checked_add(layout.size).ok_or_else(|| ReadError::Resource {
                offset: header.offset,
                what: format!("expected a run of solid resources below 2^64 bytes, found {size} before one of {}", layout.size),
            })?;
            resources.push((start, layout));
        }
        let read = Arc::new(SolidRun { resources, size });
        runs().insert(run, Arc::clone(&read));
        Ok(read)
    }

    /// Where the solid run begins in the file.
    pub(crate) fn run_offset(&self, run: u32) -> u64 {
        let headers = usize::try_from(run)
            .ok()
            .and_then(|run| self.solid_runs.get(run));
        headers
            .and_then(|headers| headers.first())
            .map_or(u64::MAX, |header| header.offset)
    }
}

/// Where a resource begins, and one before it that it shares bytes with.
struct Overlap {
    offset: u64,
    other: u64,
}

/// The runs with a resource that begins within another one, which may be of the same run.
///
/// Each run keeps the chunk tables of its resources: if they could share them, a small file could take any amount of memory.
fn overlapping(solid_runs: &[Vec<ResourceHeader>]) -> BTreeMap<u32, Overlap> {
    let mut resources: Vec<_> = (0_u32..)
        .zip(solid_runs)
        .flat_map(|(run, resources)| resources.iter().map(move |resource| (run, resource)))
        .collect();
    resources.sort_by_key(|(_, resource)| (resource.offset, resource.stored_size));
    let mut found = BTreeMap::new();
    let mut before: Option<&ResourceHeader> = None;
    for (run, resource) in resources {
        match before.filter(|before| resource.offset < before.end()) {
            Some(before) => {
                found.entry(run).or_insert(Overlap {
                    offset: resource.offset,
                    other: before.offset,
                });
            }
            None => before = Some(resource),
        }
    }
    found
}

/// Bytes of all files.
pub(crate) fn stored_len(files: &[Arc<WimFile>]) -> u64 {
    files
        .iter()
        .map(|file| file.input.len())
        .fold(0, u64::saturating_add)
}

/// The chunks of a resource that is not solid, of a file with this header.
pub(crate) fn layout_of(
    input: &Input,
    header: &Header,
    resource: &ResourceHeader,
    max_chunk: u64,
) -> Result<Layout, ReadError> {
    let codec = Codec {
        compression: header.compression,
        chunk_size: header.chunk_size,
    };
    Layout::new(input, codec, header.is_pipable(), resource, max_chunk)
}

impl SolidRun {
    /// The resource with the byte at `position`, by its place in the list.
    pub(crate) fn resource_at(&self, position: u64) -> Option<usize> {
        // Resources without bytes hold no position; the last one that begins at or before it is the right one.
        self.resources
            .partition_point(|(start, _)| *start <= position)
            .checked_sub(1)
            .filter(|_| position < self.size)
    }
}
