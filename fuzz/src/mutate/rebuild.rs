//! Changes of form: the same bytes in chunks, in a solid resource, in more images.

use super::format::{SOLID_MARK, at, flag};
use super::loose::{Body, Loose, Row};
use crate::field::{number, set, wide};
use crate::rng::Rng;

/// Takes a chunk away, repeats one, swaps two, cuts one, empties one.
pub(super) fn chunk(parts: &mut Loose, rng: &mut Rng) {
    let at = rng.below(parts.rows.len());
    let Some(Body::Chunked { chunks, .. } | Body::Solid { chunks, .. }) =
        parts.rows.get_mut(at).map(|row| &mut row.body)
    else {
        return;
    };
    let (one, other) = (rng.below(chunks.len()), rng.below(chunks.len()));
    if chunks.is_empty() {
        return;
    }
    match rng.below(5) {
        0 => drop(chunks.remove(one)),
        1 => chunks.extend(chunks.get(one).cloned()),
        2 => chunks.swap(one, other),
        3 => {
            if let Some(chunk) = chunks.get_mut(one) {
                chunk.truncate(chunk.len().saturating_sub(1 + rng.below(4)));
            }
        }
        _ => {
            if let Some(chunk) = chunks.get_mut(one) {
                chunk.clear();
            }
        }
    }
}

/// Stores a row in chunks that are not compressed: a chunk table without a compressor.
pub(super) fn chunked(parts: &mut Loose, rng: &mut Rng) {
    if parts.codec().is_none() {
        let flags = number(&parts.header, at::FLAGS, 4).unwrap_or(0);
        let (codec, size) = *rng
            .pick(&[
                (0x2_0000, 1 << 12),
                (0x4_0000, 1 << 15),
                (0x8_0000, 1 << 15),
            ])
            .unwrap_or(&(0x2_0000, 1 << 12));
        set(&mut parts.header, at::FLAGS, 4, flags | 0x2 | codec);
        set(&mut parts.header, at::CHUNK_SIZE, 4, size);
    }
    let row = rng.below(parts.rows.len());
    chunk_row(parts, row);
}

/// Stores one row in chunks, if its bytes can be had.
pub(super) fn chunk_row(parts: &mut Loose, row: usize) {
    let (Some(bytes), chunk_size) = (parts.bytes_of(row), parts.chunk_size()) else {
        return;
    };
    if chunk_size == 0 || bytes.is_empty() {
        return;
    }
    let body = Body::Chunked {
        size: bytes.len(),
        chunks: bytes.chunks(chunk_size).map(<[u8]>::to_vec).collect(),
    };
    if let Some(row) = parts.rows.get_mut(row) {
        row.body = body;
    }
}

/// Puts blobs into one solid resource, of chunks that are not compressed.
pub(super) fn solid(parts: &mut Loose, rng: &mut Rng) {
    let mut bytes = Vec::new();
    let (mut kept, mut blobs) = (Vec::new(), Vec::new());
    let old: Vec<Row> = parts.rows.clone();
    // Rows that share a body would share another one afterwards.
    if old.iter().any(|row| matches!(row.body, Body::Shared(_))) {
        return;
    }
    for (index, row) in old.into_iter().enumerate() {
        let taken = parts
            .bytes_of(index)
            .filter(|_| !row.is_metadata() && !rng.one_in(8));
        match taken {
            Some(blob) => {
                let mut row = row;
                let mut resource = row.resource();
                resource.flags = flag::SOLID;
                (resource.offset, resource.stored, resource.size) =
                    (wide(bytes.len()), wide(blob.len()), 0);
                row.set_resource(&resource);
                row.body = Body::Elsewhere;
                bytes.extend(blob);
                blobs.push(row);
            }
            None => kept.push(row),
        }
    }
    if bytes.is_empty() {
        return;
    }
    set(&mut parts.header, at::VERSION, 4, 0xE00);
    // A run of one or two resources; its rows in any order.
    let split = if rng.one_in(3) {
        rng.below(bytes.len())
    } else {
        0
    };
    let (first, second) = bytes.split_at(split);
    let mut run: Vec<Row> = [first, second]
        .into_iter()
        .filter(|bytes| !bytes.is_empty())
        .map(|bytes| resource_row(bytes, rng))
        .collect();
    run.extend(blobs);
    if rng.one_in(4) {
        run.rotate_left(1);
    }
    kept.extend(run);
    parts.rows = kept;
}

fn resource_row(bytes: &[u8], rng: &mut Rng) -> Row {
    let algorithm = rng.below(4);
    let chunk_size = 1_usize << if algorithm == 1 { 12 } else { 15 };
    let chunk_size = if rng.one_in(4) {
        chunk_size << rng.below(12)
    } else {
        chunk_size
    };
    let mut row = Row::new(
        flag::SOLID,
        Body::Solid {
            size: wide(bytes.len()),
            chunk_size: wide(chunk_size),
            algorithm: wide(algorithm),
            chunks: bytes.chunks(chunk_size).map(<[u8]>::to_vec).collect(),
        },
    );
    let mut resource = row.resource();
    resource.size = SOLID_MARK;
    row.set_resource(&resource);
    row
}

/// A further image, with the metadata of another one; or one less.
pub(super) fn image(parts: &mut Loose, rng: &mut Rng) {
    let images: Vec<usize> = (0..parts.rows.len())
        .filter(|row| parts.rows.get(*row).is_some_and(Row::is_metadata))
        .collect();
    let Some(&row) = rng.pick(&images) else {
        return;
    };
    let count = if images.len() > 1 && rng.one_in(2) {
        // Taken out of use, not out of the table: others may share its body.
        if let Some(row) = parts.rows.get_mut(row) {
            set(&mut row.bytes, 26, 4, 0);
        }
        images.len() - 1
    } else {
        let copy = parts.rows.get(row).cloned();
        parts.rows.extend(copy);
        images.len() + 1
    };
    set(&mut parts.header, at::IMAGES, 4, wide(count));
    let images: String = (1..=count)
        .map(|index| format!("<IMAGE INDEX=\"{index}\"><NAME>{index}</NAME></IMAGE>"))
        .collect();
    let text = format!("\u{feff}<WIM>{images}</WIM>");
    parts.xml = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
}

/// A form that a file can be brought into without a compressor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Resources in chunks, with chunk tables; the chunks are stored raw.
    Chunked,
    /// Blobs in solid resources.
    Solid,
    /// Pipable, uncompressed.
    Pipable,
    /// Pipable, in chunks.
    PipableChunked,
}

impl Form {
    /// A name for files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Chunked => "chunked",
            Self::Solid => "solid",
            Self::Pipable => "pipable",
            Self::PipableChunked => "pipable-chunked",
        }
    }
}

/// The same file in another form, with every hash right; the file itself where that cannot be.
#[must_use]
pub fn reshaped(file: &[u8], form: Form) -> Vec<u8> {
    let Some(mut parts) = Loose::read(file) else {
        return file.to_vec();
    };
    parts.pipable = matches!(form, Form::Pipable | Form::PipableChunked);
    match form {
        Form::Chunked | Form::PipableChunked => {
            let flags = number(&parts.header, at::FLAGS, 4).unwrap_or(0);
            set(&mut parts.header, at::FLAGS, 4, flags | 0x2_0002);
            set(&mut parts.header, at::CHUNK_SIZE, 4, 1 << 12);
            for row in 0..parts.rows.len() {
                chunk_row(&mut parts, row);
            }
        }
        Form::Solid => solid(&mut parts, &mut Rng::new(1)),
        Form::Pipable => {}
    }
    let mut file = parts.build().file;
    super::repair(&mut file);
    file
}

/// A file as `count` parts of a split set: the metadata in the first, the blobs in turn.
pub(crate) fn split(file: &[u8], count: usize) -> Vec<Vec<u8>> {
    const SPANNED: u64 = 0x8;
    let Some(whole) = Loose::read(file) else {
        return Vec::new();
    };
    let part = |part: usize| {
        let mut parts = whole.clone();
        let flags = number(&parts.header, at::FLAGS, 4).unwrap_or(0);
        set(&mut parts.header, at::FLAGS, 4, flags | SPANNED);
        set(&mut parts.header, at::PART, 2, wide(part + 1));
        set(&mut parts.header, at::PART + 2, 2, wide(count));
        let mut row = 0;
        parts.rows.retain_mut(|kept| {
            set(&mut kept.bytes, 24, 2, wide(part + 1));
            let own = if kept.is_metadata() { 0 } else { row % count };
            row += 1;
            own == part
        });
        let mut file = parts.build().file;
        super::repair(&mut file);
        file
    };
    (0..count).map(part).collect()
}

/// A file without every other blob, so that it has to be read with what it was made from.
pub(crate) fn delta(file: &[u8]) -> Vec<u8> {
    let Some(mut parts) = Loose::read(file) else {
        return file.to_vec();
    };
    let mut row = 0_usize;
    parts.rows.retain(|kept| {
        row += 1;
        kept.is_metadata() || row.is_multiple_of(2)
    });
    let mut file = parts.build().file;
    super::repair(&mut file);
    file
}

/// A file of at most `max` bytes that has the structures of a larger one, and as many of its blobs as there is room for.
pub(crate) fn trimmed(file: &[u8], max: usize) -> Option<Vec<u8>> {
    let mut parts = Loose::read(file)?;
    while parts.rows.len() > 1 {
        let built = parts.build();
        if built.file.len() <= max {
            let mut file = built.file;
            super::repair(&mut file);
            return Some(file);
        }
        // The last eighth goes; metadata comes first in most files.
        let keep = parts.rows.len() - parts.rows.len().div_ceil(8);
        parts.rows.truncate(keep);
    }
    None
}
