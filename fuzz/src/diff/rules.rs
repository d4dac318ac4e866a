//! The differences that are meant. Each predicate is a row of the README's table.

mod xml;

use std::collections::BTreeSet;

use wcow_wim::{
    Compression, Image, ImageError, IntegrityError, NodeId, OpenError, Part, Problem, ReadError,
    VerifyReport, Wim,
};

use crate::codecs::{Codec, CodecInput};
use crate::field::{number, size, wide};
use crate::mutate::explodes;
use crate::mutate::format::{
    HEADER, MAGIC_PIPABLE, ROW, Resource, SOLID_HEADER, SOLID_MARK, Shape, at, flag, unpack,
};
use crate::wimlib::{Item, Judged};

pub(super) use xml::{as_we_read, is_freed_twice};

/// Error codes of wimlib.
const DECOMPRESSION: i32 = 2;
const INTEGRITY: i32 = 13;
const INVALID_CHUNK_SIZE: i32 = 15;
const INVALID_COMPRESSION: i32 = 16;
const INVALID_INTEGRITY: i32 = 19;
const INVALID_TABLE: i32 = 20;
const INVALID_HASH: i32 = 28;
const NO_SUCH_PATH: i32 = 49;
/// Of a place that no file can have.
const READ: i32 = 50;
const NO_SUCH_BLOB: i32 = 55;
const END_OF_FILE: i32 = 65;
const INVALID_XML: i32 = 73;

/// Larger resources are not given to wimlib.
const LARGEST: u64 = 8 << 20;

/// Larger chunks are not given to wimlib, which takes twice their size at once.
const LARGEST_CHUNK: u64 = 4 << 20;

/// True for files that would keep wimlib busy for long, or make it take much memory: with directories that share lists of children,
/// with large resources, with large chunks.
pub(super) fn is_too_much(data: &[u8]) -> bool {
    let Some(shape) = Shape::read(data) else {
        return false;
    };
    if number(data, shape.header + at::CHUNK_SIZE, 4) > Some(LARGEST_CHUNK) {
        return true;
    }
    let places = [at::TABLE, at::XML, at::INTEGRITY];
    let own = places.map(|place| Resource::read(data, shape.header + place).unwrap_or_default());
    // A compressed table would have to be read to be looked at.
    if own
        .iter()
        .any(|own| own.size > LARGEST || own.is(flag::COMPRESSED | flag::SOLID))
    {
        return true;
    }
    let Some(table) = shape.table(data) else {
        return false;
    };
    let rows = data.get(table).unwrap_or_default().chunks_exact(ROW);
    let mut total = 0_u64;
    for resource in rows.filter_map(|row| Resource::read(row, 0)) {
        let solid = resource.is(flag::SOLID) && shape.solid;
        if solid && resource.size == SOLID_MARK {
            let place = usize::try_from(resource.offset).unwrap_or(usize::MAX);
            let chunk = size(data, place.saturating_add(8), 4).unwrap_or(0);
            total = total.saturating_add(number(data, place, 8).unwrap_or(0));
            if u64::try_from(chunk).is_ok_and(|chunk| chunk > LARGEST_CHUNK) {
                return true;
            }
        } else {
            total = total.saturating_add(resource.size);
        }
        if resource.is(flag::METADATA)
            && unpack(data, shape, &resource).is_some_and(|metadata| explodes(&metadata))
        {
            return true;
        }
    }
    total > LARGEST
}

/// True for what we name and do not read: encrypted files, and one part of a split set, which wimlib is not given the others of either.
pub(super) fn is_refused_for_its_form(wim: Option<&Wim>) -> bool {
    wim.is_some_and(|wim| wim.unsupported().is_some() || wim.header().parts > 1)
}

/// True for files with an image whose row has no bytes: to us it is damaged, wimlib passes it over and counts the next one in its place.
pub(super) fn has_empty_image(data: &[u8]) -> bool {
    let table = Shape::read(data).and_then(|shape| data.get(shape.table(data)?));
    let rows = table.unwrap_or_default().chunks_exact(ROW);
    let mut rows = rows.filter_map(|row| Resource::read(row, 0));
    rows.any(|row| row.is(flag::METADATA) && row.size == 0)
}

/// True for files that we refuse to open on purpose, and wimlib does not.
pub(super) fn is_refused_by_us_alone(data: &[u8], error: Option<&OpenError>) -> bool {
    if let Some(OpenError::Xml { source, .. }) = error {
        return xml::is_refused_by_us_alone(source);
    }
    // It does not look at the stored size of a lookup table or XML data that is not compressed.
    let Some(shape) = Shape::read(data) else {
        return false;
    };
    // It does not look at the magic of the last header of a pipable file.
    if shape.pipable
        && !data
            .get(shape.header..)
            .is_some_and(|last| last.starts_with(MAGIC_PIPABLE))
    {
        return true;
    }
    // It does not look for a lookup table without bytes.
    let table = Resource::read(data, shape.header + at::TABLE).unwrap_or_default();
    if table.size == 0 && table.stored == 0 && matches!(error, Some(OpenError::Truncated { .. })) {
        return true;
    }
    [at::TABLE, at::XML].iter().any(|place| {
        let own = Resource::read(data, shape.header + place);
        own.is_some_and(|own| !own.is(flag::COMPRESSED) && own.stored != own.size)
    })
}

/// True for files that wimlib refuses to open on purpose, and we do not.
pub(super) fn is_refused_by_wimlib_alone(data: &[u8], wim: &Wim, code: i32) -> bool {
    code == INVALID_TABLE && has_refused_row(data)
        || code == INVALID_INTEGRITY && has_table_in_header(data)
        // It reads as many bytes as the uncompressed size says, whatever the stored one is.
        || matches!(code, INTEGRITY | INVALID_INTEGRITY) && has_empty_integrity(data)
        || matches!(code, END_OF_FILE | READ) && has_solid_outside(data)
        || code == INVALID_XML && xml::is_refused_by_wimlib_alone(data, wim)
        // We warn of a chunk size in an uncompressed file.
        || code == INVALID_CHUNK_SIZE
            && wim.header().compression == Compression::None
            && wim.header().chunk_size != 0
}

/// True if an integrity table without bytes, which is none to us, has a place or a size.
fn has_empty_integrity(data: &[u8]) -> bool {
    let table =
        Shape::read(data).and_then(|shape| Resource::read(data, shape.header + at::INTEGRITY));
    table.is_some_and(|table| table.stored == 0 && (table.offset, table.size) != (0, 0))
}

/// True if a solid resource, which no blob need be in, has its header outside of the file.
fn has_solid_outside(data: &[u8]) -> bool {
    let Some(shape) = Shape::read(data).filter(|shape| shape.solid) else {
        return false;
    };
    let table = shape.table(data).and_then(|table| data.get(table));
    let rows = table.unwrap_or_default().chunks_exact(ROW);
    rows.filter_map(|row| Resource::read(row, 0))
        .filter(|row| row.is(flag::SOLID) && row.size == SOLID_MARK)
        .any(|row| row.offset.saturating_add(wide(SOLID_HEADER)) > wide(data.len()))
}

/// True if the lookup table, with which the bytes end that an integrity table is of, ends before they begin.
fn has_table_in_header(data: &[u8]) -> bool {
    let table = Shape::read(data).and_then(|shape| Resource::read(data, shape.header + at::TABLE));
    table.is_some_and(|table| table.offset.saturating_add(table.stored) < wide(HEADER))
}

/// True if the lookup table has a row for which wimlib refuses the whole file, and we do not: one that counts for nothing and
/// contradicts itself, the metadata of an image in a solid run, or a blob that lies in two of the resources of its solid run.
fn has_refused_row(data: &[u8]) -> bool {
    let Some(shape) = Shape::read(data) else {
        return false;
    };
    let table = shape.table(data).and_then(|table| data.get(table));
    let rows = table.unwrap_or_default().chunks_exact(ROW);
    let rows: Vec<Resource> = rows.filter_map(|row| Resource::read(row, 0)).collect();
    let is_solid = |row: &Resource| shape.solid && row.is(flag::SOLID);
    let is_impossible =
        |row: &Resource| !row.is(flag::COMPRESSED) && !is_solid(row) && row.stored != row.size;
    let is_solid_image = |row: &Resource| is_solid(row) && row.is(flag::METADATA);
    rows.iter()
        .any(|row| is_impossible(row) || is_solid_image(row))
        || rows
            .chunk_by(|one, other| is_solid(one) == is_solid(other))
            .filter(|run| run.first().is_some_and(is_solid))
            .any(|run| is_in_two(data, run))
}

/// True if a blob of a solid run does not lie within one of the run's resources.
fn is_in_two(data: &[u8], run: &[Resource]) -> bool {
    let (resources, blobs): (Vec<&Resource>, Vec<&Resource>) =
        run.iter().partition(|row| row.size == SOLID_MARK);
    let mut ends = vec![0_u64];
    for resource in resources {
        let place = usize::try_from(resource.offset).unwrap_or(usize::MAX);
        let last = ends.last().copied().unwrap_or(0);
        ends.push(last.saturating_add(number(data, place, 8).unwrap_or(0)));
    }
    blobs.iter().any(|blob| {
        let end = blob.offset.saturating_add(blob.stored);
        !ends
            .iter()
            .zip(ends.iter().skip(1))
            .any(|(from, to)| *from <= blob.offset && end <= *to)
    })
}

/// True for images that we read and wimlib does not.
pub(super) fn is_image_refused_by_wimlib_alone(image: &Image, code: i32) -> bool {
    // It lists nothing of an image without entries, not even a root.
    code == NO_SUCH_PATH && image.is_empty()
}

/// True for images that wimlib reads and we do not.
pub(super) fn is_image_refused_by_us_alone(data: &[u8], error: &ImageError) -> bool {
    match error {
        ImageError::Damaged { offset, .. } => has_length_beyond_all(data, *offset),
        // A list of children belongs to one directory, and lies beside the others.
        ImageError::SharedChildren { .. } | ImageError::OverlappingChildren { .. } => true,
        ImageError::Read { source, .. } => is_read_by_wimlib(data, source),
        _ => false,
    }
}

/// True if the metadata of an image has a length at this offset, of the security data or of an entry, that is too large to be rounded
/// up to a multiple of 8: to wimlib it is 0.
fn has_length_beyond_all(data: &[u8], offset: u64) -> bool {
    let Some(shape) = Shape::read(data) else {
        return false;
    };
    let place = usize::try_from(offset).unwrap_or(usize::MAX);
    let (len, most) = match place {
        0 => (4, u64::from(u32::MAX)),
        _ => (8, u64::MAX),
    };
    let table = shape.table(data).and_then(|table| data.get(table));
    let rows = table.unwrap_or_default().chunks_exact(ROW);
    rows.filter_map(|row| Resource::read(row, 0))
        .filter(|row| row.is(flag::METADATA))
        .filter_map(|row| unpack(data, shape, &row))
        .any(|metadata| number(&metadata, place, len) > Some(most - 7))
}

/// True for resources that wimlib reads and we do not.
fn is_read_by_wimlib(data: &[u8], error: &ReadError) -> bool {
    match error {
        // It looks at the chunk table alone, gives the last chunk of a solid resource what is left, looks for no overlaps, and for no
        // sizes of chunks that are not compressed.
        ReadError::ChunkPrefix { .. }
        | ReadError::SolidChunks { .. }
        | ReadError::SolidChunkSize { .. }
        | ReadError::BlobOverlap { .. } => true,
        // Of the stored size of a single chunk it takes the lower 32 bits.
        ReadError::OutOfFile { size, .. } => *size > u64::from(u32::MAX),
        // It does not look at a solid resource from which it reads no blob.
        ReadError::Resource { offset, .. } => has_idle_solid(data, *offset),
        _ => false,
    }
}

/// True if the resource at this offset is one of a solid run, and no blob of the run lies in it. A row of another part is no blob, nor is
/// one whose digest an earlier row has.
fn has_idle_solid(data: &[u8], offset: u64) -> bool {
    let Some(shape) = Shape::read(data).filter(|shape| shape.solid) else {
        return false;
    };
    let table = shape.table(data).and_then(|table| data.get(table));
    let mut seen = BTreeSet::new();
    let rows: Vec<(Resource, bool)> = table
        .unwrap_or_default()
        .chunks_exact(ROW)
        .filter_map(|row| {
            let resource = Resource::read(row, 0)?;
            let counts = number(row, 24, 2) == Some(1) && seen.insert(row.get(30..)?);
            Some((resource, counts))
        })
        .collect();
    let is_idle = |run: &[(Resource, bool)]| {
        let mut end = 0_u64;
        run.iter()
            .filter(|(row, _)| row.size == SOLID_MARK)
            .any(|(resource, _)| {
                let start = end;
                let place = usize::try_from(resource.offset).unwrap_or(usize::MAX);
                end = end.saturating_add(number(data, place, 8).unwrap_or(0));
                let is_in = |(row, counts): &(Resource, bool)| {
                    *counts
                        && row.size != SOLID_MARK
                        && row.offset < end
                        && row.offset.saturating_add(row.stored) > start
                };
                resource.offset == offset && !run.iter().any(is_in)
            })
    };
    rows.chunk_by(|(one, _), (other, _)| one.is(flag::SOLID) == other.is(flag::SOLID))
        .filter(|run| run.first().is_some_and(|(row, _)| row.is(flag::SOLID)))
        .any(is_idle)
}

/// True for problems that only we look for, and for those that follow from them; `all` are those of the file.
pub(super) fn is_strictness(data: &[u8], problem: &Problem, all: &[Problem]) -> bool {
    match problem {
        // The first blob of a solid resource says why the others cannot be read.
        Problem::Blob {
            source: ReadError::SolidResource { digest: first, .. },
            ..
        } => all.iter().any(|other| {
            matches!(other, Problem::Blob { digest, .. } if digest == first)
                && is_own_strictness(data, other)
        }),
        _ => is_own_strictness(data, problem),
    }
}

fn is_own_strictness(data: &[u8], problem: &Problem) -> bool {
    match problem {
        Problem::Overlap { .. } => true,
        Problem::Integrity(IntegrityError::Table { field, .. }) => *field == "stored size",
        // To wimlib, the chunks of a solid resource in a pipable file are elsewhere.
        Problem::Blob { source, .. } => is_read_by_wimlib(data, source) || has_solid(data, true),
        Problem::Image(error) => is_image_refused_by_us_alone(data, error),
        _ => false,
    }
}

/// True for files that we verify and wimlib does not.
pub(super) fn is_verified_by_us_alone(data: &[u8], report: &VerifyReport, judged: &Judged) -> bool {
    // A solid resource in a pipable file, which has no prefixes to its chunks there either.
    if matches!(judged.verify, DECOMPRESSION | INVALID_HASH) && has_solid(data, true) {
        return true;
    }
    // A solid resource that names no algorithm, the chunks of which are stored as they are.
    if judged.verify == INVALID_COMPRESSION && has_solid(data, false) {
        return true;
    }
    // Data of a directory, and streams without a name that stand for nothing: we leave them out with a warning, and wimlib wants to
    // have them. Warnings have no kinds.
    let mut warnings = report.warnings.iter();
    judged.verify == NO_SUCH_BLOB
        && warnings.any(|warning| {
            matches!(warning.part, Part::Metadata(_))
                && (warning.what.contains("directory with data")
                    || warning.what.contains("stands for nothing"))
        })
}

/// True if a file, a pipable one if it must be that, has a solid resource.
fn has_solid(data: &[u8], pipable: bool) -> bool {
    let is_it = |shape: &Shape| shape.solid && (shape.pipable || !pipable);
    let Some(shape) = Shape::read(data).filter(is_it) else {
        return false;
    };
    let table = shape.table(data).and_then(|table| data.get(table));
    let rows = table.unwrap_or_default().chunks_exact(ROW);
    let mut rows = rows.filter_map(|row| Resource::read(row, 0));
    rows.any(|row| row.is(flag::SOLID) && row.size == SOLID_MARK)
}

/// The nodes of files that have several names, to one of the two at least: of a group with an encrypted file wimlib compares the data,
/// of which that has none, and we what the entry stands for.
pub(super) fn nodes_of_files_with_several_names(image: &Image) -> BTreeSet<NodeId> {
    let is_encrypted = |node: &NodeId| image.attributes(*node).bits() & 0x4000 != 0;
    let encrypted = image.nodes().filter(is_encrypted);
    let groups: BTreeSet<u64> = encrypted
        .filter_map(|node| image.link_group(node))
        .collect();
    let is_meant = |node: &NodeId| {
        image.first_link(*node).is_some()
            || image
                .link_group(*node)
                .is_some_and(|group| groups.contains(&group))
    };
    image.nodes().filter(is_meant).collect()
}

/// True if a blob is missing that is needed by names of files that have others too: wimlib takes one name for all, and looks for what
/// that one needs.
pub(super) fn is_needed_by_a_name_alone(wim: &Wim, problem: &Problem) -> bool {
    let Problem::Missing { image, digest, .. } = problem else {
        return false;
    };
    let Ok(image) = wim.image(*image) else {
        return false;
    };
    let linked = nodes_of_files_with_several_names(&image);
    let mut users = image.nodes().filter(|node| {
        let mut streams = image.streams(*node).iter();
        streams.any(|stream| stream.digest == *digest)
    });
    users.all(|node| linked.contains(&node))
}

/// Takes out of both lists what is meant to differ; `linked` are the paths of files with several names.
pub(super) fn soften(ours: &mut [Item], theirs: &mut [Item], linked: &BTreeSet<Vec<u16>>) {
    for item in theirs.iter_mut() {
        // A descriptor that is none is no descriptor to us; wimlib gives its bytes out.
        if wcow_ntmeta::SecurityDescriptor::parse(item.security.clone()).is_err() {
            item.security.clear();
        }
    }
    for item in ours.iter_mut() {
        // wimlib gives names out as C strings.
        let names = item.named.iter_mut().map(|(name, _)| name);
        for name in names.chain([&mut item.short_name]) {
            let end = name.iter().position(|unit| *unit == 0);
            name.truncate(end.unwrap_or(name.len()));
        }
    }
    for item in ours.iter_mut().chain(theirs.iter_mut()) {
        // Where wimlib shows an encrypted file's backup, a reparse point's or a directory's data, we have no data of the file.
        if item.attributes & 0x4410 != 0 {
            item.data = [0; 20];
        }
        // Streams with names beside the backup of an encrypted file: wimlib does not list them.
        if item.attributes & 0x4000 != 0 {
            item.named.clear();
        }
        // Names of one file that do not agree: wimlib takes one for all, we keep what each entry says.
        if linked.contains(&item.path) {
            (item.named, item.attributes, item.security) = (Vec::new(), 0, Vec::new());
        }
    }
}

/// True for what no WIM file gives a decoder: a chunk that is not shorter than what it stands for is stored as it is. On such an LZMS
/// chunk wimlib 1.14.4 ended with SIGBUS in `make_canonical_huffman_code`.
pub(super) fn is_no_chunk(input: &CodecInput<'_>) -> bool {
    input.chunk.len() >= input.len || input.chunk.is_empty()
}

/// True for chunks on which we disagree on purpose; `ours` says whether we decode it.
pub(super) fn is_chunk_meant_to_differ(input: &CodecInput<'_>, ours: bool) -> bool {
    if ours {
        return false;
    }
    let mut output = vec![0; input.len];
    match input.codec {
        // Input that ends before the last item: wimlib goes on with zeros.
        Codec::Lzms => matches!(
            wcow_lzms::Decoder::new().decode(input.chunk, &mut output),
            Err(wcow_lzms::DecodeError::InputEnded { .. })
        ),
        // A symbol of a code that has none: wimlib takes the first there could be.
        Codec::Lzx => {
            wcow_lzx::WindowSize::from_chunk_size(input.chunk_size).is_some_and(|window| {
                matches!(
                    wcow_lzx::Decoder::new(window).decode(input.chunk, &mut output),
                    Err(wcow_lzx::DecodeError::EmptyCode { .. })
                )
            })
        }
        Codec::Xpress => false,
    }
}
