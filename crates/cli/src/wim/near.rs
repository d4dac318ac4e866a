//! Names that are like one that is not there.

use wcow_ntmeta::RelPath;
use wcow_ntmeta::upcase::upcase_unit;
use wcow_wim::{Image, NodeId};

use super::paths::Paths;

/// Folders with more names are not searched.
const MAX_NAMES: usize = 10_000;
/// Longer names are not compared.
const MAX_UNITS: usize = 64;
/// So many names are told.
const MAX_TOLD: usize = 3;

/// Paths in the last folder on the way that is there, whose names begin like the missing one or differ in few letters.
pub(super) fn near(image: &Image, path: &str) -> Vec<String> {
    let path = RelPath::parse(path);
    let mut folder = image.root();
    for name in path.components() {
        if let Some(next) = image.child(folder, name) {
            folder = next;
            continue;
        }
        let children = image.children(folder);
        if children.len() > MAX_NAMES || name.len() > MAX_UNITS {
            return Vec::new();
        }
        let wanted = name.upcased();
        let mut best: Vec<(usize, NodeId)> = children
            .filter_map(|child| Some((distance(wanted.units(), image.name(child).units())?, child)))
            .collect();
        best.sort_unstable();
        best.truncate(MAX_TOLD);
        let mut paths = Paths::new(image);
        return best
            .into_iter()
            .map(|(_, node)| paths.shown(node).to_owned())
            .collect();
    }
    Vec::new()
}

/// How far a name is from the wanted one, which is upcased: 0 if it begins with it, else the edits between them; `None` if these are too many.
pub(super) fn distance(wanted: &[u16], name: impl Iterator<Item = u16>) -> Option<usize> {
    let upper: Vec<u16> = name.take(MAX_UNITS + 1).map(upcase_unit).collect();
    if wanted.len() > 1 && upper.starts_with(wanted) {
        return Some(0);
    }
    let allowed = wanted.len().div_ceil(4).min(2);
    if upper.len().abs_diff(wanted.len()) > allowed {
        return None;
    }
    // The row of edit distances from each start of the name to what was taken of the wanted one.
    let mut row: Vec<usize> = (0..=upper.len()).collect();
    for (taken, wanted) in wanted.iter().enumerate() {
        let mut above = taken;
        let mut left = taken + 1;
        for (cell, unit) in row.iter_mut().skip(1).zip(&upper) {
            let edits = (above + usize::from(wanted != unit))
                .min(*cell + 1)
                .min(left + 1);
            above = std::mem::replace(cell, edits);
            left = edits;
        }
    }
    row.last().copied().filter(|edits| *edits <= allowed)
}

#[cfg(test)]
mod tests {
    use wcow_ntmeta::WideName;

    use super::distance;

    #[test]
    fn names_are_near_if_few_letters_differ() {
        for (wanted, name, expected) in [
            ("note", "Notepad.exe", Some(0)),
            ("notpad.exe", "Notepad.exe", Some(1)),
            ("ntoepad.exe", "Notepad.exe", Some(2)),
            ("config", "conf", Some(2)),
            ("config", "con", None),
            ("ab", "ac", Some(1)),
            ("a", "b", Some(1)),
            ("system", "windows", None),
        ] {
            let wanted = WideName::from(wanted).upcased();
            let found = distance(wanted.units(), name.encode_utf16());
            assert_eq!(found, expected, "{wanted} {name}");
        }
    }
}
