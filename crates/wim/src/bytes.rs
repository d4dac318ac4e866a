//! Little-endian integers at a place in a slice, without a way to panic.

/// The `u16` at `at`, if it lies within `bytes`.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array_at(bytes, at).map(u16::from_le_bytes)
}

/// The `u32` at `at`, if it lies within `bytes`.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array_at(bytes, at).map(u32::from_le_bytes)
}

/// The `u64` at `at`, if it lies within `bytes`.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array_at(bytes, at).map(u64::from_le_bytes)
}

/// The `N` bytes at `at`, if they lie within `bytes`.
pub(crate) fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// `value` rounded up to a multiple of 8, unless that overflows.
pub(crate) fn round_up_8(value: u64) -> Option<u64> {
    value.checked_next_multiple_of(8)
}
