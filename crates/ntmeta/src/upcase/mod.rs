//! Upper case the way a Windows file system compares names: one UTF-16 unit to one unit, by a frozen table.
//!
//! The same names are equal on every operating system and with every compiler; the standard library's own case tables
//! are never asked.

mod table;

/// The upper-case form of one UTF-16 unit; units without one, surrogates among them, are answered as they are.
///
/// ```
/// use wcow_ntmeta::upcase::upcase_unit;
///
/// assert_eq!(upcase_unit(u16::from(b'q')), u16::from(b'Q'));
/// assert_eq!(upcase_unit(0x00ff), 0x0178);
/// assert_eq!(upcase_unit(0x0131), 0x0131, "dotless i is not I");
/// ```
#[inline]
pub fn upcase_unit(unit: u16) -> u16 {
    match unit {
        0x61..=0x7a => unit - 0x20,
        0..=0x7f => unit,
        _ => upcase_by_table(unit),
    }
}

fn upcase_by_table(unit: u16) -> u16 {
    let after = table::RUNS.partition_point(|run| run.0 <= unit);
    match after
        .checked_sub(1)
        .and_then(|index| table::RUNS.get(index))
    {
        Some(&(first, last, step, delta))
            if unit <= last && (unit - first).is_multiple_of(step) =>
        {
            unit.wrapping_add(delta)
        }
        _ => unit,
    }
}
