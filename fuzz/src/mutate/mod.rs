//! Mutators that know what a WIM file is made of.
//!
//! A file is taken apart loosely (`loose`), one to four of its structures are changed, and it is put together again with its
//! offsets and sizes right. Then fields of it may be changed where nothing repairs them, and at last its hashes are made right
//! ([`repair`]), so that a mutant is refused for what was changed and for nothing before that.

pub(crate) mod format;
mod loose;
mod metadata;
mod rebuild;
mod repair;
pub(crate) mod xml;

use crate::field::{number, set, wide};
use crate::rng::Rng;
use format::at;
use loose::{Body, Built, Kind, Loose};

#[cfg(feature = "wimlib")]
pub(crate) use metadata::explodes;
pub(crate) use rebuild::trimmed;
pub use rebuild::{Form, reshaped};
pub(crate) use rebuild::{delta, split};
pub use repair::repair;

/// Changes bytes without knowing what they are, to a length of at most the second argument. A fuzzer gives its own, which knows the
/// dictionary; [`any_bytes`] is another.
pub type Havoc<'a> = &'a mut dyn FnMut(&mut Vec<u8>, usize);

/// A mutator: the input, the largest length of a mutant, a seed, and what changes bytes.
pub type Mutator = fn(&[u8], usize, u32, Havoc<'_>) -> Vec<u8>;

/// A mutant of a WIM file, of at most `max` bytes.
#[must_use]
pub fn wim(data: &[u8], max: usize, seed: u32, havoc: Havoc<'_>) -> Vec<u8> {
    let mut rng = Rng::new(seed.into());
    let parts = Loose::read(data).filter(|_| !rng.one_in(16));
    let Some(mut parts) = parts else {
        let mut bytes = data.to_vec();
        havoc(&mut bytes, max);
        if rng.one_in(2) {
            repair(&mut bytes);
        }
        return bytes;
    };
    for _ in 0..=rng.below(4) {
        change(&mut parts, &mut rng, havoc, max);
    }
    let mut built = parts.build();
    if rng.one_in(2) {
        patch(&mut built, &mut rng);
    }
    let mut file = built.file;
    if !rng.one_in(16) {
        repair(&mut file);
    }
    if file.len() > max {
        file = data.to_vec();
        havoc(&mut file, max);
    }
    file
}

/// A mutant of an input of [`parts`](crate::parts): of its file, rarely of what it is.
#[must_use]
pub fn parts(data: &[u8], max: usize, seed: u32, havoc: Havoc<'_>) -> Vec<u8> {
    let mut rng = Rng::new(u64::from(seed) << 32);
    let Some((choice, file)) = data.split_first_chunk::<2>() else {
        let mut bytes = data.to_vec();
        havoc(&mut bytes, max);
        return bytes;
    };
    let mut mutant = choice.to_vec();
    if rng.one_in(8) {
        let at = rng.below(2);
        set(&mut mutant, at, 1, rng.bits());
    }
    mutant.extend(wim(file, max.saturating_sub(2), seed, havoc));
    mutant
}

/// A mutant of an image's metadata, of at most `max` bytes.
#[must_use]
pub fn metadata(data: &[u8], max: usize, seed: u32, havoc: Havoc<'_>) -> Vec<u8> {
    let mut rng = Rng::new(seed.into());
    let mut bytes = data.to_vec();
    for _ in 0..=rng.below(4) {
        if rng.one_in(8) {
            havoc(&mut bytes, max);
        } else {
            metadata::mutate(&mut bytes, &mut rng);
        }
    }
    if bytes.len() > max {
        bytes = data.to_vec();
        havoc(&mut bytes, max);
    }
    bytes
}

/// Changes some bytes: flips, numbers, copies, cuts.
pub fn any_bytes(bytes: &mut Vec<u8>, max: usize, rng: &mut Rng) {
    let (from, to) = (rng.below(bytes.len() + 1), rng.below(bytes.len() + 1));
    match rng.below(6) {
        0 | 1 => {
            let bit = 1 << rng.below(8);
            if let Some(byte) = bytes.get_mut(from) {
                *byte ^= bit;
            }
        }
        2 | 3 => {
            let len = 1 << rng.below(4);
            let old = number(bytes, from, len).unwrap_or(0);
            set(bytes, from, len, rng.number(old));
        }
        4 => {
            let copy: Vec<u8> = bytes.iter().skip(from).take(64).copied().collect();
            bytes.splice(to..to, copy);
        }
        _ => {
            let end = from.saturating_add(rng.below(64)).min(bytes.len());
            bytes.drain(from..end);
        }
    }
    bytes.truncate(max);
}

/// Changes one structure.
fn change(parts: &mut Loose, rng: &mut Rng, havoc: Havoc<'_>, max: usize) {
    match rng.below(20) {
        0..=5 => change_metadata(parts, rng),
        6 | 7 => xml::mutate(&mut parts.xml, rng),
        8 => change_header(parts, rng),
        9 | 10 => rows(parts, rng),
        11 | 12 => payload(parts, rng, havoc, max),
        13 => rebuild::chunk(parts, rng),
        14 => rebuild::chunked(parts, rng),
        15 => rebuild::solid(parts, rng),
        16 => parts.pipable = !parts.pipable,
        17 => rebuild::image(parts, rng),
        18 => {
            parts.integrity = match parts.integrity {
                Some(_) if rng.one_in(2) => None,
                _ => Some(1 << rng.below(16)),
            }
        }
        _ => solid_field(parts, rng),
    }
}

fn change_metadata(parts: &mut Loose, rng: &mut Rng) {
    let images: Vec<usize> = (0..parts.rows.len())
        .filter(|row| parts.rows.get(*row).is_some_and(loose::Row::is_metadata))
        .collect();
    let Some(&row) = rng.pick(&images) else {
        return;
    };
    let Some(mut bytes) = parts.bytes_of(row) else {
        return;
    };
    metadata::mutate(&mut bytes, rng);
    if let Some(row) = parts.rows.get_mut(row) {
        row.body = Body::Plain(bytes);
    }
    if parts.codec().is_some() && rng.one_in(2) {
        rebuild::chunk_row(parts, row);
    }
}

/// Values of the header that are read as they are: version, flags, chunk size, parts, images, boot index.
fn change_header(parts: &mut Loose, rng: &mut Rng) {
    const FLAGS: &[u64] = &[
        0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80, 0x2_0000, 0x4_0000, 0x8_0000, 0x20_0000,
    ];
    let header = &mut parts.header;
    let flags = number(header, at::FLAGS, 4).unwrap_or(0);
    let small = wide(rng.below(4));
    match rng.below(6) {
        0 => {
            let version = *rng.pick(&[0xE00, 0xE00, 0x10D00, 0x10C00]).unwrap_or(&0);
            set(header, at::VERSION, 4, version);
        }
        1 => set(
            header,
            at::FLAGS,
            4,
            flags ^ rng.pick(FLAGS).copied().unwrap_or(0),
        ),
        2 => set(header, at::CHUNK_SIZE, 4, 1 << (10 + rng.below(22))),
        3 => set(header, at::PART + 2 * rng.below(2), 2, small),
        4 => set(header, at::IMAGES, 4, small),
        _ => set(header, 0x78, 4, small),
    }
}

/// Repeats a row, takes one away, swaps two, or changes its flags, part or count.
fn rows(parts: &mut Loose, rng: &mut Rng) {
    let (one, other) = (rng.below(parts.rows.len()), rng.below(parts.rows.len()));
    match rng.below(6) {
        0 => {
            if let Some(row) = parts.rows.get(one) {
                let mut copy = row.clone();
                if rng.one_in(2) && !matches!(copy.body, Body::Shared(_)) {
                    copy.body = Body::Shared(one);
                }
                parts.rows.push(copy);
            }
        }
        // Later rows may share the body of one that goes: they keep their place in the file, which is as good as any.
        1 if one < parts.rows.len() => drop(parts.rows.remove(one)),
        2 if one.max(other) < parts.rows.len() => parts.rows.swap(one, other),
        choice => {
            let Some(row) = parts.rows.get_mut(one) else {
                return;
            };
            let mut resource = row.resource();
            match choice {
                3 => {
                    resource.flags ^= 1 << rng.below(5);
                    row.set_resource(&resource);
                }
                4 => set(&mut row.bytes, 24, 2, wide(rng.below(3))),
                _ => set(&mut row.bytes, 26, 4, wide(rng.below(3))),
            }
        }
    }
}

/// Changes the bytes of a payload, or of one of its chunks.
fn payload(parts: &mut Loose, rng: &mut Rng, havoc: Havoc<'_>, max: usize) {
    let at = rng.below(parts.rows.len());
    match parts.rows.get_mut(at).map(|row| &mut row.body) {
        Some(Body::Plain(bytes) | Body::Opaque(bytes)) => havoc(bytes, max),
        Some(Body::Chunked { chunks, .. } | Body::Solid { chunks, .. }) => {
            let at = rng.below(chunks.len());
            if let Some(chunk) = chunks.get_mut(at) {
                havoc(chunk, max);
            }
        }
        Some(Body::Elsewhere | Body::Shared(_)) | None => {}
    }
}

/// Changes what a solid resource says of itself.
fn solid_field(parts: &mut Loose, rng: &mut Rng) {
    for row in &mut parts.rows {
        if let Body::Solid {
            size,
            chunk_size,
            algorithm,
            ..
        } = &mut row.body
        {
            match rng.below(3) {
                0 => *size = rng.number(*size),
                1 => *chunk_size = rng.number(*chunk_size),
                _ => *algorithm = wide(rng.below(5)),
            }
            return;
        }
    }
    change_metadata(parts, rng);
}

/// Changes one field of a built file, which nothing puts right but hashes.
fn patch(built: &mut Built, rng: &mut Rng) {
    let Some((kind, range)) = rng
        .pick(&built.spans)
        .map(|span| (span.kind, span.range.clone()))
    else {
        return;
    };
    let resource = [(0, 7), (7, 1), (8, 8), (16, 8)];
    let fields: Vec<(usize, usize)> = match kind {
        Kind::Header => {
            let own = [
                (0, 8),
                (8, 4),
                (12, 4),
                (16, 4),
                (20, 4),
                (40, 2),
                (42, 2),
                (44, 4),
                (0x78, 4),
            ];
            let places = [at::TABLE, at::XML, at::BOOT, at::INTEGRITY];
            let places = places
                .iter()
                .flat_map(|place| resource.map(|(at, len)| (place + at, len)));
            own.into_iter().chain(places).collect()
        }
        Kind::Row => resource
            .into_iter()
            .chain([(24, 2), (26, 4), (30, 8)])
            .collect(),
        Kind::Solid => [(0, 8), (8, 4), (12, 4)]
            .into_iter()
            .chain((16..range.len()).step_by(4).map(|at| (at, 4)))
            .collect(),
        Kind::BlobHeader => vec![(0, 8), (8, 8), (16, 8), (36, 4)],
        Kind::Integrity => vec![(0, 4), (4, 4), (8, 4), (12, 8)],
        Kind::ChunkTable | Kind::ChunkPrefix => {
            (0..range.len()).step_by(4).map(|at| (at, 4)).collect()
        }
        Kind::Metadata | Kind::Data | Kind::Xml => vec![(rng.below(range.len()), 4)],
    };
    let Some(&(at, len)) = rng.pick(&fields) else {
        return;
    };
    let place = range.start + at;
    let old = number(&built.file, place, len).unwrap_or(0);
    // Another structure's place is a good value for an offset.
    let other = rng.pick(&built.spans).map_or(0, |span| span.range.start);
    let value = if rng.one_in(4) {
        wide(other)
    } else {
        rng.number(old)
    };
    set(&mut built.file, place, len, value);
}

#[cfg(test)]
mod tests;
