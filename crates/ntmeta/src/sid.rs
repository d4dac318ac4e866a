//! Security identifiers: MS-DTYP section 2.4.2.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 1 | revision, 1 |
//! | 1 | 1 | number of sub-authorities, at most 15 |
//! | 2 | 6 | identifier authority, big-endian |
//! | 8 | 4 each | sub-authorities, little-endian |

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use thiserror::Error;

use crate::bytes::{slice, u32_at};

const REVISION: u8 = 1;
const MAX_SUB_AUTHORITIES: usize = 15;
const MAX_AUTHORITY: u64 = 0xffff_ffff_ffff;

/// A security identifier: who owns something, or whom a right is given to. Shown as `S-1-5-32-544`; so in serde.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid {
    authority: u64,
    sub_authorities: Vec<u32>,
}

/// A text that is not a SID.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected a SID such as S-1-5-32-544, found {found:?}")]
pub struct ParseSidError {
    /// The text as given.
    pub found: String,
}

impl Sid {
    /// The SID with this authority (48 bits) and these sub-authorities; `None` if either is too large.
    pub fn new(authority: u64, sub_authorities: &[u32]) -> Option<Self> {
        let fits = authority <= MAX_AUTHORITY && sub_authorities.len() <= MAX_SUB_AUTHORITIES;
        fits.then(|| Self {
            authority,
            sub_authorities: sub_authorities.to_vec(),
        })
    }

    /// The SID at the start of the bytes, and how many bytes it takes; `None` if there is no valid SID.
    pub fn from_prefix(bytes: &[u8]) -> Option<(Self, usize)> {
        let [REVISION, count, authority @ ..] = slice(bytes, 0, 8)? else {
            return None;
        };
        let count = usize::from(*count);
        if count > MAX_SUB_AUTHORITIES {
            return None;
        }
        let authority = authority
            .iter()
            .fold(0, |value, &byte| value << 8 | u64::from(byte));
        let sub_authorities = (0..count)
            .map(|index| u32_at(bytes, 8 + 4 * index))
            .collect::<Option<_>>()?;
        Some((
            Self {
                authority,
                sub_authorities,
            },
            8 + 4 * count,
        ))
    }

    /// The SID as Windows stores it.
    pub fn to_bytes(&self) -> Vec<u8> {
        // At most 15, by construction.
        let mut bytes = vec![REVISION, self.sub_authorities.len() as u8];
        bytes.extend(self.authority.to_be_bytes().into_iter().skip(2));
        bytes.extend(
            self.sub_authorities
                .iter()
                .flat_map(|value| value.to_le_bytes()),
        );
        bytes
    }

    /// The identifier authority, 48 bits.
    pub fn authority(&self) -> u64 {
        self.authority
    }

    /// The sub-authorities; the last is the relative identifier.
    pub fn sub_authorities(&self) -> &[u32] {
        &self.sub_authorities
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.authority > u64::from(u32::MAX) {
            write!(f, "S-1-{:#014x}", self.authority)?;
        } else {
            write!(f, "S-1-{}", self.authority)?;
        }
        self.sub_authorities
            .iter()
            .try_for_each(|value| write!(f, "-{value}"))
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sid({self})")
    }
}

impl FromStr for Sid {
    type Err = ParseSidError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| ParseSidError {
            found: text.to_owned(),
        })
    }
}

impl Serialize for Sid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

fn parse(text: &str) -> Option<Sid> {
    let mut parts = text
        .strip_prefix("S-1-")
        .or_else(|| text.strip_prefix("s-1-"))?
        .split('-');
    let authority = match parts.next()? {
        hex if hex.starts_with("0x") => {
            u64::from_str_radix(plain(hex.strip_prefix("0x")?)?, 16).ok()?
        }
        decimal => plain(decimal)?.parse().ok()?,
    };
    let sub_authorities = parts
        .map(|part| plain(part)?.parse().ok())
        .collect::<Option<Vec<u32>>>()?;
    Sid::new(authority, &sub_authorities)
}

/// The text, unless it has a sign, which the number parsers would take.
fn plain(text: &str) -> Option<&str> {
    (!text.starts_with('+')).then_some(text)
}
