//! Windows strings: sequences of 16-bit units, which need not be valid UTF-16.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt::{self, Write};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::upcase::{cmp_ignore_case, eq_ignore_case, with_upcased};

/// A Windows string, most often one component of a path. Lone surrogates survive; clones are cheap.
///
/// Order and equality are exact, by units. Shown lossily (U+FFFD for a lone surrogate). In serde it is a string if it is
/// valid UTF-16, and an array of its units if not.
#[derive(Clone)]
pub struct WideName(Units);

/// Most names of files are short: those lie in place, and to make or clone one takes no memory of its own.
#[derive(Clone)]
enum Units {
    Short { len: u8, units: [u16; SHORT] },
    Long(Arc<[u16]>),
}

/// The longest name that lies in place: as many units as there is room for beside a pointer's.
const SHORT: usize = 11;

impl WideName {
    /// The empty string.
    pub const fn new() -> Self {
        Self(Units::Short {
            len: 0,
            units: [0; SHORT],
        })
    }

    /// The string of these units.
    pub fn from_units(units: Vec<u16>) -> Self {
        units.as_slice().into()
    }

    fn short(from: &[u16]) -> Option<Self> {
        let len = u8::try_from(from.len()).ok()?;
        let mut units = [0; SHORT];
        units.get_mut(..from.len())?.copy_from_slice(from);
        Some(Self(Units::Short { len, units }))
    }

    /// The units.
    #[inline]
    pub fn units(&self) -> &[u16] {
        match &self.0 {
            Units::Short { len, units } => units.get(..usize::from(*len)).unwrap_or_default(),
            Units::Long(units) => units,
        }
    }

    /// Whether there are no units.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of units, which is half the number of bytes.
    pub fn len(&self) -> usize {
        match &self.0 {
            Units::Short { len, .. } => usize::from(*len),
            Units::Long(units) => units.len(),
        }
    }

    /// The string of these little-endian bytes; `None` if their number is odd.
    pub fn from_le_bytes(bytes: &[u8]) -> Option<Self> {
        let (pairs, rest) = bytes.as_chunks::<2>();
        rest.is_empty()
            .then(|| pairs.iter().map(|&pair| u16::from_le_bytes(pair)).collect())
    }

    /// The units as little-endian bytes, without an end mark.
    pub fn to_le_bytes(&self) -> Vec<u8> {
        let units = self.units().iter();
        units.flat_map(|unit| unit.to_le_bytes()).collect()
    }

    /// The string as UTF-8; `None` if it has a lone surrogate.
    pub fn to_utf8(&self) -> Option<String> {
        let mut text = String::with_capacity(self.len());
        append(self.units(), &mut text).then_some(text)
    }

    /// Whether both are the same name to a Windows file system.
    pub fn eq_ignore_case(&self, other: &Self) -> bool {
        eq_ignore_case(self.units(), other.units())
    }

    /// Compares the upcased units, one by one. Names that differ in case only are equal here.
    pub fn cmp_ignore_case(&self, other: &Self) -> Ordering {
        cmp_ignore_case(self.units(), other.units())
    }

    /// The string with every unit upcased; it keeps its length.
    pub fn upcased(&self) -> Self {
        with_upcased(self.units(), |upcased| {
            if upcased == self.units() {
                self.clone()
            } else {
                upcased.into()
            }
        })
    }

    /// Whether this can be one component of a Windows path: not empty, not `.` or `..`, and without `\`, `/` and NUL.
    pub fn is_component(&self) -> bool {
        is_component(self.units())
    }
}

/// Whether units can be one component of a Windows path.
pub(crate) fn is_component(units: &[u16]) -> bool {
    const DOT: u16 = b'.' as u16;
    const SLASH: u16 = b'/' as u16;
    const BACKSLASH: u16 = b'\\' as u16;
    let separates = |units: &[u16]| {
        units.iter().fold(false, |any, &unit| {
            any | (unit == 0) | (unit == SLASH) | (unit == BACKSLASH)
        })
    };
    !matches!(units, [] | [DOT] | [DOT, DOT])
        && match units.last_chunk::<8>() {
            // Eight units at once, the last ones twice where they are no eight: almost no name has one that separates.
            Some(last) => {
                let (eights, _) = units.as_chunks::<8>();
                !eights.iter().any(|eight| separates(eight)) && !separates(last)
            }
            None => !separates(units),
        }
}

/// Adds units to a text; false if a lone surrogate became U+FFFD.
fn append(units: &[u16], text: &mut String) -> bool {
    if units.iter().fold(0, |all, &unit| all | unit) < 0x80 {
        // Almost every name: bytes in pieces instead of one character after the other.
        text.reserve(units.len());
        for units in units.chunks(64) {
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
    for unit in char::decode_utf16(units.iter().copied()) {
        text.push(unit.unwrap_or_else(|_| {
            whole = false;
            char::REPLACEMENT_CHARACTER
        }));
    }
    whole
}

/// What `ask` makes of the text of some units; the second argument is false if a lone surrogate became U+FFFD. A short text of ASCII
/// takes no memory of its own.
pub(crate) fn with_text<T>(units: &[u16], ask: impl FnOnce(&str, bool) -> T) -> T {
    let mut short = [0; 128];
    if let Some(bytes) = short.get_mut(..units.len()) {
        let mut all = 0;
        for (to, &unit) in bytes.iter_mut().zip(units) {
            all |= unit;
            [*to, _] = unit.to_le_bytes();
        }
        if all < 0x80
            && let Ok(text) = str::from_utf8(bytes)
        {
            return ask(text, true);
        }
    }
    let mut text = String::with_capacity(units.len());
    let whole = append(units, &mut text);
    ask(&text, whole)
}

impl PartialEq for WideName {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            // What is behind the end is zero in both.
            (
                Units::Short { len, units },
                Units::Short {
                    len: n,
                    units: theirs,
                },
            ) => len == n && units == theirs,
            _ => self.units() == other.units(),
        }
    }
}

impl Eq for WideName {}

impl PartialOrd for WideName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for WideName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.units().cmp(other.units())
    }
}

/// As the units do: see [`Borrow`].
impl Hash for WideName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.units().hash(state);
    }
}

impl Default for WideName {
    fn default() -> Self {
        Self::new()
    }
}

impl From<&str> for WideName {
    fn from(text: &str) -> Self {
        match u8::try_from(text.len()) {
            _ if !text.is_ascii() => text.encode_utf16().collect(),
            Ok(len) if text.len() <= SHORT => {
                let mut units = [0; SHORT];
                for (to, byte) in units.iter_mut().zip(text.bytes()) {
                    *to = u16::from(byte);
                }
                Self(Units::Short { len, units })
            }
            _ => Self(Units::Long(text.bytes().map(u16::from).collect())),
        }
    }
}

impl From<String> for WideName {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&[u16]> for WideName {
    fn from(units: &[u16]) -> Self {
        Self::short(units).unwrap_or_else(|| Self(Units::Long(units.into())))
    }
}

impl From<&WideName> for WideName {
    fn from(name: &WideName) -> Self {
        name.clone()
    }
}

impl FromIterator<u16> for WideName {
    fn from_iter<I: IntoIterator<Item = u16>>(units: I) -> Self {
        let mut units = units.into_iter();
        let mut short = [0; SHORT];
        let mut len = 0_u8;
        for to in &mut short {
            let Some(unit) = units.next() else {
                return Self(Units::Short { len, units: short });
            };
            *to = unit;
            len += 1;
        }
        match units.next() {
            None => Self(Units::Short { len, units: short }),
            Some(next) => {
                let all = short.into_iter().chain([next]).chain(units);
                Self(Units::Long(all.collect()))
            }
        }
    }
}

/// A map by names can be asked with units; they compare alike.
impl Borrow<[u16]> for WideName {
    fn borrow(&self) -> &[u16] {
        self.units()
    }
}

impl PartialEq<str> for WideName {
    fn eq(&self, other: &str) -> bool {
        self.units().iter().copied().eq(other.encode_utf16())
    }
}

impl PartialEq<&str> for WideName {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl fmt::Display for WideName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        with_text(self.units(), |text, _| f.pad(text))
    }
}

impl fmt::Debug for WideName {
    /// The string in quotes, lone surrogates as `\u{d800}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for unit in char::decode_utf16(self.units().iter().copied()) {
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
        with_text(self.units(), |text, whole| {
            if whole {
                serializer.serialize_str(text)
            } else {
                serializer.collect_seq(self.units())
            }
        })
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
