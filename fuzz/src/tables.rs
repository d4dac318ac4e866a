//! The file header, the lookup table, the integrity table: each in a file that is good but for it, and each beside a second reading
//! by the plain rules of the format.

use std::collections::BTreeMap;

use sha1::{Digest as _, Sha1};
use wcow_wim::{BlobLocation, Problem, Wim};

use crate::budget::answer;
use crate::craft::Parts;
use crate::field::{number, size, wide};
use crate::mutate::format::{HEADER, MAGIC, ROW, Resource, at, flag};
use crate::wims::{open, verify};

/// A file header, before the rest of a good file.
///
/// # Panics
/// If a header is taken that no WIM has, fields are read from the wrong place, or a file is taken that ends within its header.
pub fn header(data: &[u8]) {
    let mut file = Parts::default().build();
    let given = data.get(..HEADER).unwrap_or(data);
    if let Some(place) = file.get_mut(..given.len()) {
        place.copy_from_slice(given);
    }
    for end in [given.len().saturating_sub(1), HEADER - 1] {
        let cut = file.get(..end).unwrap_or_default();
        assert!(open(cut, 1).is_none(), "a file that ends within its header");
    }
    let Some(wim) = answer(file.len(), "open", || open(&file, 1)) else {
        return;
    };
    let field = |at, len| number(&file, at, len).unwrap_or(0);
    if !file.starts_with(MAGIC) {
        return;
    }
    let faults = faults(&file);
    assert!(faults.is_empty(), "taken, though wrong: {faults:?}");
    let header = wim.header();
    let read = [
        u64::from(header.version),
        header.flags.into(),
        header.chunk_size.into(),
        header.part.into(),
        header.parts.into(),
        header.image_count.into(),
        header.lookup_table.offset,
        header.lookup_table.stored_size,
        header.lookup_table.flags.into(),
        header.xml.offset,
        header.xml.size,
        header.boot_metadata.offset,
        header.integrity.offset,
        header.integrity.size,
    ];
    let plain = [
        field(at::VERSION, 4),
        field(at::FLAGS, 4),
        field(at::CHUNK_SIZE, 4),
        field(at::PART, 2),
        field(at::PART + 2, 2),
        field(at::IMAGES, 4),
        field(at::TABLE + 8, 8),
        field(at::TABLE, 7),
        field(at::TABLE + 7, 1),
        field(at::XML + 8, 8),
        field(at::XML + 16, 8),
        field(at::BOOT + 8, 8),
        field(at::INTEGRITY + 8, 8),
        field(at::INTEGRITY + 16, 8),
    ];
    assert_eq!(read, plain, "fields are read from the wrong place");
    assert_eq!(
        wim.boot_index().map(|index| u64::from(index.get())),
        Some(field(0x78, 4)).filter(|boot| (1..=u64::from(wim.image_count())).contains(boot)),
        "the boot index is that of an image, or none"
    );
    assert!(u64::from(wim.image_count()) <= field(at::IMAGES, 4));
    let named = wim.images().iter().map(|image| image.index.get());
    assert!(named.eq(1..=wim.image_count()), "images out of order");
}

/// What is wrong with a header by the format's plain rules.
fn faults(file: &[u8]) -> Vec<&'static str> {
    let field = |at, len| number(file, at, len).unwrap_or(0);
    let len = wide(file.len());
    let (part, parts) = (field(at::PART, 2), field(at::PART + 2, 2));
    let (flags, chunk) = (field(at::FLAGS, 4), field(at::CHUNK_SIZE, 4));
    let range = match flags {
        _ if flags & 0x2 == 0 => None,
        _ if flags & 0x4_0000 != 0 => Some(1 << 15..=1 << 21),
        _ if flags & 0x22_0000 != 0 => Some(1 << 12..=1 << 16),
        _ => Some(1 << 15..=1 << 30),
    };
    let rules = [
        (field(8, 4) == 208, "header size"),
        (
            [0x1_0D00, 0xE00].contains(&field(at::VERSION, 4)),
            "version",
        ),
        (part > 0 && part <= parts, "part number"),
        (field(at::IMAGES, 4) <= 0xFFFF, "image count"),
        (flags & 0x2 == 0 || flags & 0x2E_0000 != 0, "algorithm"),
        (
            range.is_none_or(|range| chunk.is_power_of_two() && range.contains(&chunk)),
            "chunk size",
        ),
        (field(at::TABLE + 16, 8) <= len, "lookup table"),
        (field(at::XML + 16, 8) <= len, "XML data"),
        (field(at::INTEGRITY + 16, 8) <= len, "integrity table"),
    ];
    let broken = rules.into_iter().filter(|(holds, _)| !holds);
    broken.map(|(_, what)| what).collect()
}

/// A lookup table: byte 0 gives the version (bit 0) and the number of images (bits 1 and 2), the rest are rows.
///
/// # Panics
/// If the blobs are not those that the plain rules of the format give, or not in order.
pub fn lookup_table(data: &[u8]) {
    let Some((&first, rows)) = data.split_first() else {
        return;
    };
    let images = u32::from(first >> 1 & 3);
    let file = Parts {
        table: Some(rows.to_vec()),
        images: Some(images),
        solid: first & 1 != 0,
        ..Parts::default()
    }
    .build();
    let wim = answer(file.len(), "open", || open(&file, 1));
    // A reference count of metadata that cannot be is the only fault that keeps a table from being read.
    let mut left = images;
    let mut in_range = true;
    let (list, _) = rows.as_chunks::<ROW>();
    for row in list {
        let resource = Resource::read(row, 0).unwrap_or_default();
        let solid = first & 1 != 0 && resource.is(flag::SOLID);
        let own = number(row, 24, 2) == Some(1);
        if own && !solid && resource.is(flag::METADATA) {
            match number(row, 26, 4).unwrap_or(0) {
                0 => {}
                1 => left = left.saturating_sub(1),
                // A row without bytes belongs to no image, whatever it counts.
                _ if resource.size == 0 => {}
                _ => in_range = false,
            }
        }
    }
    let Some(wim) = wim else {
        assert!(
            !in_range || first & 1 != 0,
            "an uncompressed file's table is refused without a reason"
        );
        return;
    };
    assert!(
        in_range,
        "image metadata with a reference count of 2 or more"
    );
    assert_eq!(wim.image_count(), images - left, "images");
    let ordered = wim
        .blobs()
        .windows(2)
        .all(|pair| matches!(pair, [a, b] if a.digest < b.digest));
    assert!(ordered, "blobs out of order, or twice");
    if first & 1 == 0 {
        check_rows(&wim, list);
    }
    let _ = answer(file.len(), "verify", || verify(&wim, 1));
}

/// The blobs are those of the rows that count, the first of each digest.
fn check_rows(wim: &Wim, rows: &[[u8; ROW]]) {
    let mut expected = BTreeMap::new();
    for row in rows {
        let resource = Resource::read(row, 0).unwrap_or_default();
        let digest = row.get(30..50).unwrap_or_default();
        let counts = !resource.is(flag::METADATA)
            && digest.iter().any(|byte| *byte != 0)
            && resource.size > 0
            && number(row, 24, 2) == Some(1);
        if counts {
            expected.entry(digest.to_vec()).or_insert((
                resource.offset,
                resource.stored,
                resource.size,
            ));
        }
    }
    let found = wim.blobs().iter().map(|blob| {
        let place = match blob.location {
            BlobLocation::Plain(resource) => (resource.offset, resource.stored_size, blob.size),
            _ => (u64::MAX, u64::MAX, blob.size),
        };
        (blob.digest.0.to_vec(), place)
    });
    assert!(
        found.eq(expected),
        "the blobs are not those of the rows that count"
    );
}

/// An integrity table. Byte 0: its pieces have 2 to the power of that, modulo 16, bytes where bit 7 is clear, and the table begins as
/// a good one; the rest is laid over it (exclusive or), and lengthens it.
///
/// # Panics
/// If verification does not find what comparing hash by hash finds.
pub fn integrity(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else {
        return;
    };
    let plain = Parts::default().build();
    let end = size(&plain, at::TABLE + 8, 8)
        .zip(size(&plain, at::TABLE, 7))
        .map_or(HEADER, |(offset, stored)| offset + stored);
    let mut table = if first & 0x80 == 0 {
        good_table(&plain, HEADER..end, 1 << (first % 16))
    } else {
        Vec::new()
    };
    if table.len() < rest.len() {
        table.resize(rest.len(), 0);
    }
    for (byte, over) in table.iter_mut().zip(rest) {
        *byte ^= over;
    }
    let file = Parts {
        integrity: Some(table.clone()),
        ..Parts::default()
    }
    .build();
    let Some(wim) = open(&file, 1) else {
        assert!(
            table.is_empty(),
            "the integrity table keeps a file from being opened"
        );
        return;
    };
    if !wim.header().has_integrity_table() {
        return;
    }
    let report = answer(file.len(), "verify", || verify(&wim, 1));
    let found = report
        .problems
        .iter()
        .any(|problem| matches!(problem, Problem::Integrity(_)));
    let good = size(&table, 8, 4)
        .filter(|piece| *piece > 0)
        .is_some_and(|piece| table == good_table(&file, HEADER..end, piece));
    assert_eq!(found, !good, "the verdict is not that of the hashes");
    assert_eq!(report.is_ok(), good, "a good file");
}

/// The table that vouches for `covered`.
fn good_table(file: &[u8], covered: std::ops::Range<usize>, piece: usize) -> Vec<u8> {
    let covered = file.get(covered).unwrap_or_default();
    let digests: Vec<u8> = covered
        .chunks(piece)
        .flat_map(|piece| <[u8; 20]>::from(Sha1::digest(piece)))
        .collect();
    let head = [12 + digests.len(), digests.len() / 20, piece];
    let head = head.map(|value| u32::try_from(value).unwrap_or(0).to_le_bytes());
    [head.concat(), digests].concat()
}

#[cfg(test)]
mod tests {
    use wcow_wim::Compression;

    use super::{Parts, faults, open};

    #[test]
    fn the_good_file_is_good() {
        let file = Parts::default().build();
        assert!(faults(&file).is_empty());
        let wim = open(&file, 1).unwrap();
        assert_eq!(wim.header().compression, Compression::None);
        assert_eq!(wim.image_count(), 1);
    }
}
