//! Seeds out of files.

use super::Seed;
use crate::codecs::CodecInput;
use crate::field::wide;
use crate::mutate::format::{Resource, Shape, at, chunks, flag, unpack};
use crate::mutate::trimmed;

/// Most chunks that are cut out of one file.
const CHUNKS_PER_FILE: usize = 24;

/// Larger chunks only make the fuzzer slow.
const LARGEST_CHUNK: usize = 1 << 16;

/// Larger files are cut down before they become a seed.
const LARGEST_FILE: usize = 1 << 16;

/// Rows of a lookup table that make a seed.
const ROWS: usize = 64;

/// Seeds out of a WIM file: itself, cut down if it is large, its structures, its first chunks; out of a registry hive, itself. `name`
/// becomes a part of their names. Anything else gives none.
#[must_use]
pub fn cut_from(name: &str, file: &[u8]) -> Vec<Seed> {
    let mut seeds: Vec<Seed> = Vec::new();
    if file.starts_with(b"regf") && file.len() <= LARGEST_FILE {
        seeds.push(("hive", name.to_owned(), file.to_vec()));
    }
    let Some(shape) = Shape::read(file) else {
        return seeds;
    };
    let whole = if file.len() <= LARGEST_FILE {
        Some(file.to_vec())
    } else {
        trimmed(file, LARGEST_FILE)
    };
    for target in ["wim", "extract", "diff_wim"] {
        seeds.extend(
            whole
                .iter()
                .map(|bytes| (target, name.to_owned(), bytes.clone())),
        );
    }
    let mut add = |target, bytes: Vec<u8>| seeds.push((target, name.to_owned(), bytes));
    let header = file.get(shape.header..shape.header + 208);
    add("header", header.unwrap_or_default().to_vec());
    let resource = |place| Resource::read(file, shape.header + place);
    let text = resource(at::XML).and_then(|xml| unpack(file, shape, &xml));
    if let Some(text) = text.filter(|text| text.len() <= LARGEST_FILE) {
        let (units, _) = text.as_chunks::<2>();
        let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
        let images = text.windows(12).filter(|tag| {
            let tag: Vec<u8> = tag.iter().copied().filter(|byte| *byte != 0).collect();
            tag == b"<IMAGE"
        });
        let first = u8::try_from(images.count().min(3)).unwrap_or(0);
        add(
            "xml",
            [&[first], String::from_utf16_lossy(&units).as_bytes()].concat(),
        );
    }
    let Some(table) = shape.table(file).and_then(|range| file.get(range)) else {
        return seeds;
    };
    let few = table.get(..50 * ROWS).unwrap_or(table);
    add("lookup_table", [&[2 | u8::from(shape.solid)], few].concat());
    let rows = table.chunks_exact(50);
    let resources: Vec<Resource> = rows.filter_map(|row| Resource::read(row, 0)).collect();
    for (number, resource) in resources.iter().enumerate() {
        if resource.is(flag::METADATA)
            && let Some(bytes) = unpack(file, shape, resource)
        {
            let bytes = bytes.get(..crate::MAX_METADATA).unwrap_or(&bytes);
            seeds.push(("metadata", format!("{name}-{number}"), bytes.to_vec()));
        }
    }
    let mut left = CHUNKS_PER_FILE;
    for (number, resource) in resources.iter().enumerate() {
        let list = chunks(file, shape, resource).unwrap_or_default();
        let list = list.into_iter().filter(|chunk| !chunk.is_raw());
        for (index, chunk) in list.enumerate() {
            let (Some(codec), Some(stored)) = (chunk.codec, file.get(chunk.stored.clone())) else {
                continue;
            };
            if left == 0 || stored.len() > LARGEST_CHUNK {
                continue;
            }
            left -= 1;
            let bytes = CodecInput::seed(codec, chunk.chunk_size, chunk.size, stored);
            let mut both = vec![codec.number()];
            both.extend(&bytes);
            let name = format!("{name}-{number}-{index}");
            seeds.push(("diff_codec", name.clone(), both));
            seeds.push((codec.target(), name, bytes));
        }
    }
    debug_assert!(seeds.iter().all(|(_, _, bytes)| wide(bytes.len()) > 0));
    seeds
}
