//! Upper case the way a Windows file system compares names: one UTF-16 unit to one unit, by a frozen table.
//!
//! The same names are equal on every operating system and with every compiler; the standard library's own case tables
//! are never asked.

mod table;

use std::cmp::Ordering;

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

/// Whether both are the same name to a Windows file system.
pub fn eq_ignore_case(ours: &[u16], theirs: &[u16]) -> bool {
    let same = |(&a, &b): (&u16, &u16)| a == b || upcase_unit(a) == upcase_unit(b);
    ours.len() == theirs.len() && behind_same(ours, theirs).all(same)
}

/// Compares the upcased units, one by one. Names that differ in case only are equal here.
pub fn cmp_ignore_case(ours: &[u16], theirs: &[u16]) -> Ordering {
    for (&a, &b) in behind_same(ours, theirs) {
        if a != b {
            let [a, b] = [a, b].map(upcase_unit);
            if a != b {
                return a.cmp(&b);
            }
        }
    }
    ours.len().cmp(&theirs.len())
}

/// The pairs of units behind those that are the same in both, or most of these: they are told apart four at a time.
fn behind_same<'a>(ours: &'a [u16], theirs: &'a [u16]) -> impl Iterator<Item = (&'a u16, &'a u16)> {
    let pairs = ours.as_chunks::<4>().0.iter().zip(theirs.as_chunks().0);
    let same = 4 * pairs.take_while(|(a, b)| a == b).count();
    let [ours, theirs] = [ours, theirs].map(|units| units.get(same..).unwrap_or_default());
    ours.iter().zip(theirs)
}

/// What `ask` makes of the upcased units, which are as many. Those of a name or a short path take no new memory.
pub fn with_upcased<T>(units: &[u16], ask: impl FnOnce(&[u16]) -> T) -> T {
    let mut buffer = [0; 160];
    match buffer.get_mut(..units.len()) {
        Some(upcased) => {
            // Almost every name is ASCII: that is done without a branch for each unit.
            let mut all = 0;
            for (to, &from) in upcased.iter_mut().zip(units) {
                let is_lower = from.wrapping_sub(u16::from(b'a')) < 26;
                *to = from - u16::from(is_lower) * 0x20;
                all |= from;
            }
            if all >= 0x80 {
                upcased
                    .iter_mut()
                    .for_each(|unit| *unit = upcase_unit(*unit));
            }
            ask(upcased)
        }
        None => {
            let upcased: Vec<u16> = units.iter().map(|&unit| upcase_unit(unit)).collect();
            ask(&upcased)
        }
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
