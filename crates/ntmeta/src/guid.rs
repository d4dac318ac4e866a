//! GUIDs in their memory layout: MS-DTYP section 2.3.4.
//!
//! | offset | size | field | order |
//! |---|---|---|---|
//! | 0 | 4 | Data1 | little-endian |
//! | 4 | 2 | Data2 | little-endian |
//! | 6 | 2 | Data3 | little-endian |
//! | 8 | 8 | Data4 | as written |

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// A GUID, held as the 16 bytes that Windows writes to disk.
///
/// Shown in lower case with hyphens; `{:#}` adds braces. In serde it is that string.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid([u8; 16]);

/// A text that is not a GUID.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected a GUID of 32 hexadecimal digits in groups of 8-4-4-4-12, found {found:?}")]
pub struct ParseGuidError {
    /// The text as given.
    pub found: String,
}

impl Guid {
    /// The GUID of sixteen zero bytes.
    pub const NIL: Self = Self([0; 16]);

    /// The GUID with these bytes, in memory layout.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes in memory layout.
    pub const fn bytes(&self) -> [u8; 16] {
        self.0
    }

    /// The GUID whose 32 digits, read as one number, are `value`.
    pub const fn from_u128(value: u128) -> Self {
        Self(swap(value.to_be_bytes()))
    }

    /// The 32 digits, read as one number.
    pub const fn to_u128(&self) -> u128 {
        u128::from_be_bytes(swap(self.0))
    }

    /// A version 4 GUID (RFC 9562) of 128 random bits, six of which are replaced by version and variant.
    pub const fn v4_from(random: u128) -> Self {
        let version = random & !(0xf << 76) | 0x4 << 76;
        Self::from_u128(version & !(0x3 << 62) | 0x2 << 62)
    }

    /// The text in upper case, without braces.
    pub fn to_upper_string(&self) -> String {
        self.to_string().to_ascii_uppercase()
    }
}

impl Guid {
    /// The text with braces. Every record of a container is full of them, so it is made in one piece.
    fn text(self) -> [u8; 38] {
        /// Where the digits of each byte stand.
        const PLACES: [usize; 16] = [1, 3, 5, 7, 10, 12, 15, 17, 20, 22, 25, 27, 29, 31, 33, 35];
        let digit = |value: u8| value + if value < 10 { b'0' } else { b'a' - 10 };
        let mut text = *b"{------------------------------------}";
        for (place, byte) in PLACES.into_iter().zip(swap(self.0)) {
            if let Some([high, low]) = text.get_mut(place..place + 2) {
                (*high, *low) = (digit(byte >> 4), digit(byte & 0xf));
            }
        }
        text
    }
}

/// The part of a GUID's text that is asked for; all of it is ASCII.
fn shown(text: &[u8; 38], part: std::ops::Range<usize>) -> &str {
    let part = text.get(part).and_then(|part| str::from_utf8(part).ok());
    part.unwrap_or_default()
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = if f.alternate() { 0..38 } else { 1..37 };
        f.write_str(shown(&self.text(), part))
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guid({self})")
    }
}

impl FromStr for Guid {
    type Err = ParseGuidError;

    /// Reads a GUID with or without braces, in any case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseGuidError {
            found: text.to_owned(),
        };
        let inner = match text.strip_prefix('{') {
            Some(rest) => rest.strip_suffix('}').ok_or_else(error)?,
            None => text,
        };
        let mut digits = [0; 32];
        let mut to = digits.iter_mut();
        for (index, byte) in inner.bytes().enumerate() {
            let is_hyphen = matches!(index, 8 | 13 | 18 | 23);
            let digit = match byte {
                b'-' if is_hyphen => continue,
                _ if is_hyphen => return Err(error()),
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                b'A'..=b'F' => byte - b'A' + 10,
                _ => return Err(error()),
            };
            *to.next().ok_or_else(error)? = digit;
        }
        if to.next().is_some() {
            return Err(error());
        }
        let mut bytes = [0; 16];
        let (pairs, _) = digits.as_chunks::<2>();
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = high << 4 | low;
        }
        Ok(Self(swap(bytes)))
    }
}

impl Serialize for Guid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(shown(&self.text(), 1..37))
    }
}

impl<'de> Deserialize<'de> for Guid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(GuidVisitor)
    }
}

struct GuidVisitor;

impl Visitor<'_> for GuidVisitor {
    type Value = Guid;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a GUID")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Guid, E> {
        text.parse().map_err(E::custom)
    }
}

/// Turns memory layout into the order of the digits, and back.
const fn swap(b: [u8; 16]) -> [u8; 16] {
    [
        b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13],
        b[14], b[15],
    ]
}
