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

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
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

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every record of a container is full of them, so the text is made in one piece.
        let mut text = [b'-'; 38];
        let mut rest = self.to_u128();
        for (place, to) in text.iter_mut().enumerate().skip(1).take(36) {
            if !matches!(place, 9 | 14 | 19 | 24) {
                rest = rest.rotate_left(4);
                let [low, ..] = rest.to_le_bytes();
                let digit = low & 0xf;
                *to = digit + if digit < 10 { b'0' } else { b'a' - 10 };
            }
        }
        let [first, .., last] = &mut text;
        (*first, *last) = (b'{', b'}');
        let shown = if f.alternate() { 0..38 } else { 1..37 };
        let shown = text.get(shown).and_then(|text| str::from_utf8(text).ok());
        f.write_str(shown.unwrap_or_default())
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
        let mut value: u128 = 0;
        for (index, byte) in inner.bytes().enumerate() {
            match index {
                8 | 13 | 18 | 23 if byte == b'-' => {}
                8 | 13 | 18 | 23 | 36.. => return Err(error()),
                _ => {
                    value =
                        value << 4 | u128::from(char::from(byte).to_digit(16).ok_or_else(error)?)
                }
            }
        }
        if inner.len() == 36 {
            Ok(Self::from_u128(value))
        } else {
            Err(error())
        }
    }
}

impl Serialize for Guid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Guid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

/// Turns memory layout into the order of the digits, and back.
const fn swap(b: [u8; 16]) -> [u8; 16] {
    [
        b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13],
        b[14], b[15],
    ]
}
