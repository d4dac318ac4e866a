//! Makes the hashes of a file right, in place, so that what lies behind them is reached.

use std::collections::BTreeMap;
use std::ops::Range;

use sha1::{Digest as _, Sha1};

use super::format::{
    BLOB_HEADER, BLOB_MAGIC, HEADER, LARGEST, ROW, Resource, SOLID_MARK, Shape, at, chunks, flag,
    unpack,
};
use crate::field::{number, set, size, wide};

/// Resources that are unpacked at most.
const MOST: usize = 512;

/// Bytes that are unpacked at most, in all.
const MOST_BYTES: usize = 4 << 20;

type Sha = [u8; 20];

/// Makes right what can be: the SHA-1 of every row of the lookup table, of every blob header of a pipable file, and of every piece in
/// the integrity table. Streams that name a blob whose SHA-1 changes are changed too, where the metadata is not compressed.
///
/// What cannot be unpacked keeps its hash.
pub fn repair(file: &mut [u8]) {
    let Some(shape) = Shape::read(file) else {
        return;
    };
    if let Some(table) = shape.table(file) {
        let mut budget = MOST_BYTES;
        let renamed = rows(file, shape, table.clone(), Kind::Blobs, &mut budget);
        rename(file, shape, table.clone(), &renamed);
        rows(file, shape, table, Kind::Metadata, &mut budget);
    }
    integrity(file, shape);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blobs,
    Metadata,
}

/// Repairs the rows of one kind. Returns the new SHA-1 of each old one that changed.
fn rows(
    file: &mut [u8],
    shape: Shape,
    table: Range<usize>,
    kind: Kind,
    budget: &mut usize,
) -> BTreeMap<Sha, Sha> {
    let mut renamed = BTreeMap::new();
    let mut run: Option<Vec<u8>> = None;
    for row in table.step_by(ROW).take(MOST) {
        let Some(resource) = Resource::read(file, row) else {
            break;
        };
        let solid = shape.solid && resource.is(flag::SOLID);
        if !solid {
            run = None;
        }
        let is_metadata = !solid && resource.is(flag::METADATA);
        if (kind == Kind::Metadata) != is_metadata || resource.size > wide(LARGEST) && !solid {
            continue;
        }
        let bytes = if solid {
            if run.is_none() {
                run = Some(run_bytes(file, shape, row, budget));
            }
            let start = usize::try_from(resource.offset).unwrap_or(usize::MAX);
            let end = start.saturating_add(usize::try_from(resource.stored).unwrap_or(usize::MAX));
            if resource.size == SOLID_MARK {
                None
            } else {
                run.as_ref()
                    .and_then(|run| run.get(start..end))
                    .map(<[u8]>::to_vec)
            }
        } else {
            unpack_within(file, shape, &resource, budget)
        };
        let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) else {
            continue;
        };
        let sha: Sha = Sha1::digest(&bytes).into();
        let old = replace(file, row + 30, sha);
        if let Some(old) = old.filter(|old| *old != sha && *old != [0; 20]) {
            renamed.entry(old).or_insert(sha);
        }
        if shape.pipable {
            blob_header(file, &resource, sha);
        }
    }
    renamed
}

/// The uncompressed bytes of the run of solid rows that begins at `row`.
fn run_bytes(file: &[u8], shape: Shape, row: usize, budget: &mut usize) -> Vec<u8> {
    let rows = (row..file.len()).step_by(ROW).take(MOST);
    let run = rows
        .map_while(|row| Resource::read(file, row))
        .take_while(|resource| resource.is(flag::SOLID));
    let mut bytes = Vec::new();
    for resource in run.filter(|resource| resource.size == SOLID_MARK) {
        match unpack_within(file, shape, &resource, budget) {
            Some(more) => bytes.extend(more),
            None => break,
        }
    }
    bytes
}

fn unpack_within(
    file: &[u8],
    shape: Shape,
    resource: &Resource,
    budget: &mut usize,
) -> Option<Vec<u8>> {
    let bytes = if *budget == 0 {
        None
    } else {
        unpack(file, shape, resource)
    };
    // What fails has cost something too.
    let cost = bytes.as_ref().map_or(1 << 16, Vec::len);
    *budget = budget.saturating_sub(cost);
    bytes
}

/// Writes `sha` at `at`, and returns what was there.
fn replace(file: &mut [u8], at: usize, sha: Sha) -> Option<Sha> {
    let place = file.get_mut(at..at.checked_add(20)?)?;
    let old = Sha::try_from(&*place).ok();
    place.copy_from_slice(&sha);
    old
}

/// Repairs the header before a payload of a pipable file, if there is one.
fn blob_header(file: &mut [u8], resource: &Resource, sha: Sha) {
    let Some(start) = usize::try_from(resource.offset)
        .ok()
        .and_then(|offset| offset.checked_sub(BLOB_HEADER))
    else {
        return;
    };
    if number(file, start, 8) == Some(BLOB_MAGIC) {
        replace(file, start + 16, sha);
    }
}

/// Changes the SHA-1s in the metadata of every image, where it is stored as it is.
fn rename(file: &mut [u8], shape: Shape, table: Range<usize>, renamed: &BTreeMap<Sha, Sha>) {
    if renamed.is_empty() {
        return;
    }
    for row in table.step_by(ROW).take(MOST) {
        let Some(resource) = Resource::read(file, row)
            .filter(|resource| resource.is(flag::METADATA) && !resource.is(flag::SOLID))
        else {
            continue;
        };
        let raw = chunks(file, shape, &resource).unwrap_or_default();
        for chunk in raw.into_iter().filter(super::format::Chunk::is_raw) {
            // SHA-1s stand at multiples of 8.
            for at in chunk.stored.clone().step_by(8) {
                let old = file
                    .get(at..at + 20)
                    .filter(|_| at + 20 <= chunk.stored.end);
                let new = old
                    .and_then(|old| Sha::try_from(old).ok())
                    .and_then(|old| renamed.get(&old));
                if let Some(new) = new {
                    replace(file, at, *new);
                }
            }
        }
    }
}

fn integrity(file: &mut [u8], shape: Shape) {
    let resource = |place| Resource::read(file, shape.header + place);
    let (Some(table), Some(lookup)) = (resource(at::INTEGRITY), resource(at::TABLE)) else {
        return;
    };
    let (Some(range), Some(covered)) = (table.range(file), lookup.range(file)) else {
        return;
    };
    let Some(piece) = size(file, range.start + 8, 4).filter(|piece| *piece > 0) else {
        return;
    };
    let covered = HEADER..covered.end;
    for (index, start) in covered.clone().step_by(piece).enumerate().take(4096) {
        let place = range.start + 12 + 20 * index;
        if place + 20 > range.end {
            break;
        }
        let end = start.saturating_add(piece).min(covered.end);
        let sha: Sha = Sha1::digest(file.get(start..end).unwrap_or_default()).into();
        replace(file, place, sha);
    }
}

/// Writes an integrity table's fixed part for pieces of `piece` bytes over `covered` bytes; the digests come with [`repair`].
pub(crate) fn blank_integrity(covered: usize, piece: usize) -> Vec<u8> {
    let count = covered.div_ceil(piece.max(1));
    let mut table = vec![0; 12 + 20 * count];
    let len = table.len();
    for (at, value) in [(0, len), (4, count), (8, piece)] {
        set(&mut table, at, 4, wide(value));
    }
    table
}
