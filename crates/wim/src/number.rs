//! Conversions between lengths in memory and numbers of bytes in a file.

/// A length in memory as a number of bytes; `usize` is never wider than 64 bits here.
pub(crate) fn as_u64(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// A number of bytes as a length in memory; what does not fit becomes a length that nothing has.
pub(crate) fn as_usize(len: u64) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}
