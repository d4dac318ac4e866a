//! Copies of earlier output, which may overlap what they write.

/// Bytes behind a match that [`copy_wide`] may overwrite.
pub(crate) const SLACK: usize = 32;

/// Multiplying the low `distance` bytes of a u64 by this repeats them up to its top (for 1..=7).
const REPEAT: [u64; 8] = [
    0,
    0x0101_0101_0101_0101,
    0x0001_0001_0001_0001,
    0x0001_0000_0100_0001,
    0x0000_0001_0000_0001,
    0x0000_0100_0000_0001,
    0x0001_0000_0000_0001,
    0x0100_0000_0000_0001,
];

/// The largest multiple of the distance that fits 8 bytes.
const STEP: [usize; 8] = [8, 8, 8, 6, 8, 5, 6, 7];

/// Copies `length` bytes from `distance` bytes before `position`, in pieces of 8 to 32 bytes.
///
/// `distance` is 1..=`position`. Up to [`SLACK`] bytes behind the match are overwritten; they must exist. Returns false, with
/// the copy incomplete, if they do not.
#[inline(always)]
#[must_use]
pub(crate) fn copy_wide(
    output: &mut [u8],
    position: usize,
    distance: usize,
    length: usize,
) -> bool {
    let end = position + length;
    let from = position - distance;
    let mut to = position;
    if distance >= 32 {
        return copy_pieces::<32>(output, from, to, end);
    }
    if distance >= 16 {
        return copy_pieces::<16>(output, from, to, end);
    }
    if distance >= 8 {
        return copy_pieces::<8>(output, from, to, end);
    }
    let Some(seed) = output
        .get(from..)
        .and_then(|bytes| bytes.first_chunk::<8>())
    else {
        return false;
    };
    let mask = (1_u64 << (8 * (distance & 7))) - 1;
    let pattern = (u64::from_le_bytes(*seed) & mask)
        .wrapping_mul(REPEAT[distance & 7])
        .to_le_bytes();
    let step = STEP[distance & 7];
    loop {
        let Some(piece) = output
            .get_mut(to..)
            .and_then(|bytes| bytes.first_chunk_mut::<8>())
        else {
            return false;
        };
        *piece = pattern;
        to += step;
        if to >= end {
            return true;
        }
    }
}

/// Copies like [`copy_wide`], but touches only the match. `position + length` is within `output`.
pub(crate) fn copy_exact(output: &mut [u8], position: usize, distance: usize, length: usize) {
    let from = position - distance;
    if distance == 1 {
        let byte = output[from];
        output[position..position + length].fill(byte);
        return;
    }
    // Each round doubles the stretch that is known to repeat.
    let mut copied = 0;
    while copied < length {
        let count = (distance + copied).min(length - copied);
        output.copy_within(from..from + count, position + copied);
        copied += count;
    }
}

#[inline(always)]
fn copy_pieces<const N: usize>(
    output: &mut [u8],
    mut from: usize,
    mut to: usize,
    end: usize,
) -> bool {
    loop {
        if !copy_piece::<N>(output, from, to) {
            return false;
        }
        from += N;
        to += N;
        if to >= end {
            return true;
        }
    }
}

#[inline(always)]
fn copy_piece<const N: usize>(output: &mut [u8], from: usize, to: usize) -> bool {
    let Some(&piece) = output
        .get(from..)
        .and_then(|bytes| bytes.first_chunk::<N>())
    else {
        return false;
    };
    let Some(target) = output
        .get_mut(to..)
        .and_then(|bytes| bytes.first_chunk_mut::<N>())
    else {
        return false;
    };
    *target = piece;
    true
}

/// Makes `length` bytes whose differences over `span` bytes are those that stand `distance` bytes before them.
///
/// `distance + span` is at most `position`, and `position + length` is within `output`.
pub(crate) fn copy_delta(
    output: &mut [u8],
    position: usize,
    span: usize,
    distance: usize,
    length: usize,
) {
    let Some(window) = output.get_mut(position - distance - span..position + length) else {
        return;
    };
    for place in distance + span..window.len() {
        let step = window[place - distance].wrapping_sub(window[place - distance - span]);
        window[place] = window[place - span].wrapping_add(step);
    }
}
