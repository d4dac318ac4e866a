//! The differences that are meant. Each predicate is a row of the README's table.

use wcow_wim::{Compression, Image, ImageError, Problem, Wim};

use crate::codecs::CodecInput;
use crate::field::{number, size};
use crate::mutate::explodes;
use crate::mutate::format::{ROW, Resource, SOLID_MARK, Shape, at, flag, unpack};
use crate::wimlib::{Item, Judged};

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

/// True for files that we refuse to open on purpose, and wimlib does not.
pub(super) fn is_refused_by_us_alone(_data: &[u8]) -> bool {
    false
}

/// True for files that wimlib refuses to open on purpose, and we do not.
pub(super) fn is_refused_by_wimlib_alone(wim: &Wim, _code: i32) -> bool {
    // A chunk size in an uncompressed file: we warn.
    wim.header().compression == Compression::None && wim.header().chunk_size != 0
}

/// True for images that we read and wimlib does not.
pub(super) fn is_image_refused_by_wimlib_alone(_image: &Image) -> bool {
    false
}

/// True for images that wimlib reads and we do not.
pub(super) fn is_image_refused_by_us_alone(_error: &ImageError) -> bool {
    false
}

/// True for problems that only we look for.
pub(super) fn is_strictness(problem: &Problem) -> bool {
    matches!(problem, Problem::Overlap { .. })
}

/// True for files that we verify and wimlib does not.
pub(super) fn is_verified_by_us_alone(_wim: &Wim, _judged: &Judged) -> bool {
    false
}

/// Takes out of both lists what is meant to differ.
pub(super) fn soften(ours: &mut [Item], theirs: &mut [Item]) {
    for item in theirs.iter_mut() {
        // A descriptor that is none is no descriptor to us; wimlib gives its bytes out.
        if wcow_ntmeta::SecurityDescriptor::parse(item.security.clone()).is_err() {
            item.security.clear();
        }
    }
    for item in ours.iter_mut().chain(theirs.iter_mut()) {
        // Where wimlib shows an encrypted file's backup or a directory's data, we have no data of the file.
        if item.attributes & 0x4010 != 0 {
            item.data = [0; 20];
        }
    }
}

/// True for chunks on which we disagree on purpose; `ours` says whether we decode it.
pub(super) fn is_chunk_meant_to_differ(_input: &CodecInput<'_>, _ours: bool) -> bool {
    false
}
