//! Windows strings: sequences of 16-bit units, which need not be valid UTF-16.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt::{self, Write};
use std::sync::Arc;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::upcase::upcase_unit;

/// A Windows string, most often one component of a path. Lone surrogates survive; clones are cheap.
///
/// Order and equality are exact, by units. Shown lossily (U+FFFD for a lone surrogate). In serde it is a string if it is
/// valid UTF-16, and an array of its units if not.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WideName(Arc<[u16]>);

impl WideName {
    /// The empty string.
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// The string of these units.
    pub fn from_units(units: Vec<u16>) -> Self {
        Self(units.into())
    }

    /// The units.
    pub fn units(&self) -> &[u16] {
        &self.0
    }

    /// Whether there are no units.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of units, which is half the number of bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The string of these little-endian bytes; `None` if their number is odd.
    pub fn from_le_bytes(bytes: &[u8]) -> Option<Self> {
        let (pairs, rest) = bytes.as_chunks::<2>();
        rest.is_empty()
            .then(|| pairs.iter().map(|&pair| u16::from_le_bytes(pair)).collect())
    }

    /// The units as little-endian bytes, without an end mark.
    pub fn to_le_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|unit| unit.to_le_bytes()).collect()
    }

    /// The string as UTF-8; `None` if it has a lone surrogate.
    pub fn to_utf8(&self) -> Option<String> {
        let mut text = String::with_capacity(self.len());
        self.append_to(&mut text).then_some(text)
    }

    /// Adds the string to a text; false if a lone surrogate became U+FFFD.
    pub(crate) fn append_to(&self, text: &mut String) -> bool {
        if self.0.iter().fold(0, |all, &unit| all | unit) < 0x80 {
            // Almost every name: bytes in pieces instead of one character after the other.
            text.reserve(self.len());
            for units in self.0.chunks(64) {
                let mut bytes = [0; 64];
                for (to, unit) in bytes.iter_mut().zip(units) {
                    [*to, _] = unit.to_le_bytes();
                }
                let ascii = bytes.get(..units.len());
                text.push_str(
                    ascii
                        .and_then(|ascii| str::from_utf8(ascii).ok())
                        .unwrap_or_default(),
                );
            }
            return true;
        }
        let mut whole = true;
        for unit in char::decode_utf16(self.0.iter().copied()) {
            text.push(unit.unwrap_or_else(|_| {
                whole = false;
                char::REPLACEMENT_CHARACTER
            }));
        }
        whole
    }

    /// Whether both are the same name to a Windows file system.
    pub fn eq_ignore_case(&self, other: &Self) -> bool {
        let same = |(&a, &b): (&u16, &u16)| a == b || upcase_unit(a) == upcase_unit(b);
        self.len() == other.len() && self.0.iter().zip(&*other.0).all(same)
    }

    /// Compares the upcased units, one by one. Names that differ in case only are equal here.
    pub fn cmp_ignore_case(&self, other: &Self) -> Ordering {
        let [ours, theirs] = [self, other].map(|name| name.0.iter().map(|&unit| upcase_unit(unit)));
        ours.cmp(theirs)
    }

    /// The string with every unit upcased; it keeps its length.
    pub fn upcased(&self) -> Self {
        self.with_upcased(|upcased| {
            if *upcased == *self.0 {
                self.clone()
            } else {
                Self(upcased.into())
            }
        })
    }

    /// What `ask` makes of the [upcased](Self::upcased) units. A short name is upcased without new memory.
    pub fn with_upcased<T>(&self, ask: impl FnOnce(&[u16]) -> T) -> T {
        let mut buffer = [0; 64];
        match buffer.get_mut(..self.len()) {
            Some(upcased) => {
                // Almost every name is ASCII: that is done without a branch for each unit.
                let mut all = 0;
                for (to, &from) in upcased.iter_mut().zip(&*self.0) {
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
                let upcased: Vec<u16> = self.0.iter().map(|&unit| upcase_unit(unit)).collect();
                ask(&upcased)
            }
        }
    }

    /// Whether this can be one component of a Windows path: not empty, not `.` or `..`, and without `\`, `/` and NUL.
    pub fn is_component(&self) -> bool {
        const DOT: u16 = b'.' as u16;
        const SLASH: u16 = b'/' as u16;
        const BACKSLASH: u16 = b'\\' as u16;
        let separates = |unit: &u16| matches!(*unit, 0 | SLASH | BACKSLASH);
        !matches!(*self.0, [] | [DOT] | [DOT, DOT]) && !self.0.iter().any(separates)
    }
}

impl Default for WideName {
    fn default() -> Self {
        Self::new()
    }
}

impl From<&str> for WideName {
    fn from(text: &str) -> Self {
        if text.is_ascii() {
            text.bytes().map(u16::from).collect()
        } else {
            text.encode_utf16().collect()
        }
    }
}

impl From<String> for WideName {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&WideName> for WideName {
    fn from(name: &WideName) -> Self {
        name.clone()
    }
}

impl FromIterator<u16> for WideName {
    fn from_iter<I: IntoIterator<Item = u16>>(units: I) -> Self {
        Self(units.into_iter().collect())
    }
}

/// A map by names can be asked with units; they compare alike.
impl Borrow<[u16]> for WideName {
    fn borrow(&self) -> &[u16] {
        &self.0
    }
}

impl PartialEq<str> for WideName {
    fn eq(&self, other: &str) -> bool {
        self.0.iter().copied().eq(other.encode_utf16())
    }
}

impl PartialEq<&str> for WideName {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl fmt::Display for WideName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(self.len());
        self.append_to(&mut text);
        f.pad(&text)
    }
}

impl fmt::Debug for WideName {
    /// The string in quotes, lone surrogates as `\u{d800}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for unit in char::decode_utf16(self.0.iter().copied()) {
            match unit {
                Ok(character) => write!(f, "{}", character.escape_debug())?,
                Err(lone) => write!(f, "\\u{{{:x}}}", lone.unpaired_surrogate())?,
            }
        }
        f.write_char('"')
    }
}

impl Serialize for WideName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.to_utf8() {
            Some(text) => serializer.serialize_str(&text),
            None => serializer.collect_seq(self.0.iter()),
        }
    }
}

impl<'de> Deserialize<'de> for WideName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameVisitor)
    }
}

/// Takes either form of a name.
struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = WideName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, or an array of 16-bit units")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<WideName, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut units: A) -> Result<WideName, A::Error> {
        let mut name = Vec::new();
        while let Some(unit) = units.next_element()? {
            name.push(unit);
        }
        Ok(WideName::from_units(name))
    }
}
