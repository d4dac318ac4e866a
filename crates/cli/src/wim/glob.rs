//! Path patterns, without case, as Windows compares names.
//!
//! | pattern | stands for |
//! |---|---|
//! | `*` | any units of one name |
//! | `?` | one unit of a name |
//! | `[a-z_]`, `[!a-z]`, `[^a-z]` | one unit that is, or is not, one of these; a `]` right at the start is one of them |
//! | `**` as a whole component | any number of directories; at the end, everything below |
//!
//! A `[` without its `]` stands for itself.

use wcow_ntmeta::WideStr;
use wcow_ntmeta::upcase::upcase_unit;

/// Components a pattern may have: one bit of [`Reached`] for each, and one for its end.
const MAX_PARTS: usize = 63;

/// A path pattern.
#[derive(Debug)]
pub(crate) struct Glob {
    parts: Vec<Part>,
}

/// How far into a pattern the components of a path lead: a bit for each place that can be next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reached(u64);

/// One component of a pattern.
#[derive(Debug)]
enum Part {
    /// `**`
    Directories,
    Name(Vec<Piece>),
}

/// A piece of a pattern for one name.
#[derive(Debug)]
enum Piece {
    /// This unit, upcased.
    Unit(u16),
    /// `?`
    One,
    /// `*`
    Many,
    /// `[...]`
    Class {
        negated: bool,
        ranges: Vec<(u16, u16)>,
    },
}

impl Glob {
    /// Reads a pattern; `/` and `\` separate components. `None` if it has more than 63 of them.
    pub(crate) fn new(pattern: &str) -> Option<Self> {
        let parts: Vec<Part> = pattern
            .split(['/', '\\'])
            .filter(|part| !part.is_empty())
            .map(Part::new)
            .collect();
        (parts.len() <= MAX_PARTS).then_some(Self { parts })
    }

    /// True if it stands for more than one path.
    pub(crate) fn has_wildcards(&self) -> bool {
        let is_wild = |part: &Part| match part {
            Part::Directories => true,
            Part::Name(pieces) => pieces.iter().any(|piece| !matches!(piece, Piece::Unit(_))),
        };
        self.parts.iter().any(is_wild)
    }

    /// Before the first component.
    pub(crate) fn start(&self) -> Reached {
        self.through(Reached(1))
    }

    /// One component further.
    pub(crate) fn step(&self, reached: Reached, name: WideStr<'_>) -> Reached {
        let mut next = 0;
        for (place, part) in self.parts.iter().enumerate() {
            if reached.0 & (1 << place) == 0 {
                continue;
            }
            match part {
                Part::Directories if self.is_last(place) => next |= 0b11 << place,
                Part::Directories => next |= 1 << place,
                Part::Name(pieces) if matches(pieces, name) => next |= 0b10 << place,
                Part::Name(_) => {}
            }
        }
        self.through(Reached(next))
    }

    /// True if the components so far are a path that the pattern stands for.
    pub(crate) fn is_match(&self, reached: Reached) -> bool {
        reached.0 & (1 << self.parts.len()) != 0
    }

    /// True if there can be a match further down.
    pub(crate) fn leads_on(&self, reached: Reached) -> bool {
        reached.0 & !(1 << self.parts.len()) != 0
    }

    /// `**` may stand for no directory at all, but not at the end.
    fn through(&self, mut reached: Reached) -> Reached {
        for (place, part) in self.parts.iter().enumerate() {
            if matches!(part, Part::Directories)
                && !self.is_last(place)
                && reached.0 & (1 << place) != 0
            {
                reached.0 |= 0b10 << place;
            }
        }
        reached
    }

    fn is_last(&self, place: usize) -> bool {
        place + 1 == self.parts.len()
    }
}

impl Part {
    fn new(text: &str) -> Self {
        if text == "**" {
            return Self::Directories;
        }
        let units: Vec<u16> = text.encode_utf16().collect();
        let mut pieces = Vec::new();
        let mut rest = units.as_slice();
        while let Some((&unit, behind)) = rest.split_first() {
            let (piece, behind) = match char::from_u32(unit.into()) {
                Some('*') => (Piece::Many, behind),
                Some('?') => (Piece::One, behind),
                Some('[') => class(behind).unwrap_or((Piece::Unit(unit), behind)),
                _ => (Piece::Unit(upcase_unit(unit)), behind),
            };
            pieces.push(piece);
            rest = behind;
        }
        Self::Name(pieces)
    }
}

/// A class whose `[` was read, and what is behind its `]`.
fn class(units: &[u16]) -> Option<(Piece, &[u16])> {
    const END: u16 = b']' as u16;
    const DASH: u16 = b'-' as u16;
    let not = [u16::from(b'!'), u16::from(b'^')];
    let (negated, mut rest) = match units.split_first() {
        Some((unit, rest)) if not.contains(unit) => (true, rest),
        _ => (false, units),
    };
    let mut ranges = Vec::new();
    loop {
        let (&first, behind) = rest.split_first()?;
        if first == END && !ranges.is_empty() {
            return Some((Piece::Class { negated, ranges }, behind));
        }
        (ranges, rest) = match behind {
            [DASH, last, behind @ ..] if *last != END => {
                ranges.push((first, *last));
                (ranges, behind)
            }
            _ => {
                ranges.push((first, first));
                (ranges, behind)
            }
        };
    }
}

/// One name against one pattern, in time of at most their product.
fn matches(pattern: &[Piece], name: WideStr<'_>) -> bool {
    let mut pieces = pattern;
    let mut units = name.units();
    // Behind the last star, and what is left of the name where it may begin to be something else.
    let mut star = None;
    loop {
        if let Some((Piece::Many, behind)) = pieces.split_first() {
            star = Some((behind, units.clone()));
            pieces = behind;
            continue;
        }
        let Some(unit) = units.next() else {
            return pieces.is_empty();
        };
        match pieces.split_first() {
            Some((piece, behind)) if piece.matches(unit) => pieces = behind,
            _ => {
                let Some((behind, from)) = &mut star else {
                    return false;
                };
                from.next();
                (pieces, units) = (*behind, from.clone());
            }
        }
    }
}

impl Piece {
    fn matches(&self, unit: u16) -> bool {
        let upper = upcase_unit(unit);
        match self {
            Self::Unit(wanted) => *wanted == upper,
            Self::One | Self::Many => true,
            Self::Class { negated, ranges } => {
                let within = |(first, last): &(u16, u16)| {
                    (*first..=*last).contains(&unit)
                        || (upcase_unit(*first)..=upcase_unit(*last)).contains(&upper)
                };
                ranges.iter().any(within) != *negated
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use wcow_ntmeta::{WideName, WideStr};

    use super::Glob;

    #[track_caller]
    fn check(pattern: &str, path: &str, expected: bool) {
        let glob = Glob::new(pattern).expect("short");
        let mut reached = glob.start();
        for name in path.split('\\') {
            let bytes = WideName::from(name).to_le_bytes();
            let name = WideStr::from_le_bytes(&bytes).expect("an even number");
            reached = glob.step(reached, name);
        }
        assert_eq!(
            glob.is_match(reached),
            expected,
            "{pattern:?} against {path:?}"
        );
    }

    #[test]
    fn patterns_match_whole_paths_without_case() {
        check("windows", "Windows", true);
        check("/Windows/*.exe", r"Windows\NOTEPAD.EXE", true);
        check("*", r"Windows\notepad.exe", false);
        check("Windows/*/c*g", r"Windows\System32\config", true);
        check("a?c", "abc", true);
        check("a?c", "ac", false);
        check("a*", "a", true);
        check("*a*a*b", &"a".repeat(60), false);
        check("*ab", "aab", true);
        check("ÄRGER*", "ärger.txt", true);
    }

    #[test]
    fn classes_are_of_units_without_case() {
        check("[abc]x", "BX", true);
        check("[a-c]", "C", true);
        check("[A-C]", "b", true);
        check("[a-c]", "d", false);
        check("[!a-c]", "d", true);
        check("[^a-c]", "B", false);
        check("[]a]", "]", true);
        check("[a-]", "-", true);
        check("file[0-9][0-9].txt", "FILE42.TXT", true);
        check("a[b", "a[B", true);
        check("[]", "[]", true);
    }

    #[test]
    fn double_stars_are_directories() {
        check("**", "anything", true);
        check("**", r"a\b\c", true);
        check("a/**", "a", false);
        check("a/**", r"a\b", true);
        check("a/**", r"a\b\c", true);
        check("**/c", "c", true);
        check("**/c", r"a\b\c", true);
        check("a/**/c", r"a\c", true);
        check("a/**/c", r"a\b\b\c", true);
        check("a/**/c", r"b\c", false);
        check("**/b/**/*.txt", r"a\b\x\y.TXT", true);
        check("a**b", r"axxb", true);
    }

    #[test]
    fn a_pattern_ends_somewhere() {
        assert!(Glob::new(&"a/".repeat(63)).is_some());
        assert!(Glob::new(&"a/".repeat(64)).is_none());
        assert!(Glob::new("a[b/c").is_some_and(|glob| !glob.has_wildcards()));
        assert!(Glob::new("a[b]").is_some_and(|glob| glob.has_wildcards()));
    }
}
