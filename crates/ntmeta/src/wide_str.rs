//! Windows strings that stay where they are: little-endian units inside a file's bytes.

use std::cmp::Ordering;
use std::fmt::{self, Write};

use serde::{Serialize, Serializer};

use crate::WideName;
use crate::upcase::upcase_unit;

/// A Windows string borrowed from the bytes of a file, where its units lie in little-endian order at any alignment.
///
/// What [`WideName`] is for strings that are kept. Order and equality are exact, by units. Shown lossily (U+FFFD for a lone
/// surrogate); in serde as a [`WideName`] is.
///
/// ```
/// use wcow_ntmeta::{WideName, WideStr};
///
/// let name = WideStr::from_le_bytes(b"a\0.\0b\0").expect("an even number of bytes");
/// assert_eq!(name, "a.b");
/// assert!(name.eq_ignore_case(&WideName::from("A.B")));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct WideStr<'a>(&'a [[u8; 2]]);

impl<'a> WideStr<'a> {
    /// The string of these little-endian bytes; `None` if their number is odd.
    pub fn from_le_bytes(bytes: &'a [u8]) -> Option<Self> {
        let (pairs, rest) = bytes.as_chunks();
        rest.is_empty().then_some(Self(pairs))
    }

    /// The units.
    pub fn units(self) -> impl DoubleEndedIterator<Item = u16> + ExactSizeIterator + Clone + 'a {
        self.0.iter().map(|&pair| u16::from_le_bytes(pair))
    }

    /// The units as little-endian bytes.
    pub fn as_le_bytes(self) -> &'a [u8] {
        self.0.as_flattened()
    }

    /// Whether there are no units.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The number of units, which is half the number of bytes.
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// A copy that can be kept.
    pub fn to_name(self) -> WideName {
        self.units().collect()
    }

    /// The characters, and the lone surrogates between them.
    pub fn chars(self) -> impl Iterator<Item = Result<char, u16>> + 'a {
        char::decode_utf16(self.units()).map(|unit| unit.map_err(|lone| lone.unpaired_surrogate()))
    }

    /// Whether both are the same name to a Windows file system.
    pub fn eq_ignore_case(self, other: &WideName) -> bool {
        let other = other.units();
        let same = |(a, &b): (u16, &u16)| a == b || upcase_unit(a) == upcase_unit(b);
        self.len() == other.len() && self.units().zip(other).all(same)
    }

    /// Compares the upcased units, one by one. Names that differ in case only are equal here.
    pub fn cmp_ignore_case(self, other: WideStr<'_>) -> Ordering {
        for (&a, &b) in self.0.iter().zip(other.0) {
            if a != b {
                let [a, b] = [a, b].map(|pair| upcase_unit(u16::from_le_bytes(pair)));
                if a != b {
                    return a.cmp(&b);
                }
            }
        }
        self.len().cmp(&other.len())
    }
}

impl Ord for WideStr<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.units().cmp(other.units())
    }
}

impl PartialOrd for WideStr<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<WideStr<'_>> for WideName {
    fn from(text: WideStr<'_>) -> Self {
        text.to_name()
    }
}

impl PartialEq<WideName> for WideStr<'_> {
    fn eq(&self, other: &WideName) -> bool {
        self.len() == other.len() && self.units().eq(other.units().iter().copied())
    }
}

impl PartialEq<str> for WideStr<'_> {
    fn eq(&self, other: &str) -> bool {
        self.units().eq(other.encode_utf16())
    }
}

impl PartialEq<&str> for WideStr<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl fmt::Display for WideStr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self
            .chars()
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER));
        if f.width().is_some() || f.precision().is_some() {
            return f.pad(&characters.collect::<String>());
        }
        characters.try_for_each(|character| f.write_char(character))
    }
}

impl fmt::Debug for WideStr<'_> {
    /// As [`WideName`] is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_name(), f)
    }
}

impl Serialize for WideStr<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_name().serialize(serializer)
    }
}
