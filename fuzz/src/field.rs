//! Little-endian fields at places that may not be there.

/// The number in `len` bytes at `at`, at most 8.
pub(crate) fn number(bytes: &[u8], at: usize, len: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(len)?)?;
    let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    Some(field.iter().rev().fold(0, fold))
}

/// As [`number`], as a position or length.
pub(crate) fn size(bytes: &[u8], at: usize, len: usize) -> Option<usize> {
    usize::try_from(number(bytes, at, len)?).ok()
}

/// Writes the low `len` bytes of `value` at `at`, as far as they are there.
pub(crate) fn set(bytes: &mut [u8], at: usize, len: usize, value: u64) {
    let value = value.to_le_bytes();
    let field = bytes.get_mut(at..at.saturating_add(len));
    if let (Some(field), Some(value)) = (field, value.get(..len)) {
        field.copy_from_slice(value);
    }
}

/// A length or position as a field.
pub(crate) fn wide(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}
