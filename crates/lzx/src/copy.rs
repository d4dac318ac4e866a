//! Copies of earlier output, which may overlap what they write.

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

/// Length up to which [`copy_short`] copies all of a match.
pub(crate) const SHORT_MATCH: usize = 16;

/// Copies [`SHORT_MATCH`] bytes from `distance` bytes before `position`, if none of them is at `position` or behind it and there
/// is room for them. Otherwise it returns false.
#[inline(always)]
#[must_use]
pub(crate) fn copy_short(output: &mut [u8], position: usize, distance: usize) -> bool {
    let Some((done, rest)) = output.split_at_mut_checked(position) else {
        return false;
    };
    let Some(source) = done
        .get(position.wrapping_sub(distance)..)
        .and_then(|bytes| bytes.first_chunk::<SHORT_MATCH>())
    else {
        return false;
    };
    let Some(target) = rest.first_chunk_mut::<SHORT_MATCH>() else {
        return false;
    };
    *target = *source;
    true
}

/// Copies `length` bytes from `distance` bytes before `position`; both matches and what is behind them is within `output`.
#[inline(never)]
pub(crate) fn copy_any(output: &mut [u8], position: usize, distance: usize, length: usize) {
    if !copy_wide(output, position, distance, length) {
        copy_exact(output, position, distance, length);
    }
}

/// Copies in pieces of 8 or 16 bytes, if there is room for the last of them. Otherwise it returns false, with the copy
/// incomplete.
#[inline(always)]
fn copy_wide(output: &mut [u8], position: usize, distance: usize, length: usize) -> bool {
    let end = position + length;
    let mut from = position - distance;
    let mut to = position;
    if distance >= 16 {
        loop {
            if !copy_piece::<16>(output, from, to) {
                return false;
            }
            from += 16;
            to += 16;
            if to >= end {
                return true;
            }
        }
    }
    if distance >= 8 {
        loop {
            if !copy_piece::<8>(output, from, to) {
                return false;
            }
            from += 8;
            to += 8;
            if to >= end {
                return true;
            }
        }
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
