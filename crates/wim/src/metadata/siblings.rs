//! The names in one directory: which cannot be, and which are there twice.

use std::cmp::Ordering;

use wcow_ntmeta::WideStr;

/// What becomes of an entry with a faulty name.
#[derive(Clone, Copy)]
pub(super) enum Fate {
    LeftOut,
    Kept,
}

/// What is wrong with a name.
pub(super) fn name_fault(name: WideStr<'_>) -> Option<(&'static str, Fate)> {
    const DOT: u16 = b'.' as u16;
    const SLASH: u16 = b'/' as u16;
    const BACKSLASH: u16 = b'\\' as u16;
    // No early end: such names are rare, and this way several units are looked at in one step.
    let (mut nul, mut separator) = (false, false);
    for unit in name.units() {
        nul |= unit == 0;
        separator |= unit == SLASH || unit == BACKSLASH;
    }
    if name.len() <= 2 && name.units().all(|unit| unit == DOT) {
        return Some(if name.is_empty() {
            ("has no name", Fate::LeftOut)
        } else {
            ("would lead out of its directory", Fate::LeftOut)
        });
    }
    if nul {
        Some(("has a NUL in its name", Fate::LeftOut))
    } else if separator {
        Some(("has a path separator in its name", Fate::Kept))
    } else {
        None
    }
}

/// Watches names as they come. While each is greater than the one before it, none is there twice; wimlib writes them so.
#[derive(Default)]
pub(super) struct Order<'a> {
    last: Option<WideStr<'a>>,
    broken: bool,
}

impl<'a> Order<'a> {
    pub(super) fn add(&mut self, name: WideStr<'a>) {
        self.broken = self.broken
            || self
                .last
                .is_some_and(|last| compare(last, name) != Ordering::Less);
        self.last = Some(name);
    }

    pub(super) fn is_strict(&self) -> bool {
        !self.broken
    }
}

/// The positions of names that came before, in order.
pub(super) fn doubles<'a>(names: impl Iterator<Item = WideStr<'a>>) -> Vec<usize> {
    let mut sorted: Vec<(&[u8], usize)> = names
        .enumerate()
        .map(|(position, name)| (name.as_le_bytes(), position))
        .collect();
    sorted.sort_unstable();
    let mut doubles: Vec<usize> = sorted
        .chunk_by(|a, b| a.0 == b.0)
        .flat_map(|same| same.iter().skip(1).map(|(_, position)| *position))
        .collect();
    doubles.sort_unstable();
    doubles
}

fn compare(a: WideStr<'_>, b: WideStr<'_>) -> Ordering {
    a.cmp_ignore_case(b).then_with(|| a.cmp(&b))
}
