//! Security descriptors in self-relative form: MS-DTYP section 2.4.6.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 1 | revision, 1 |
//! | 1 | 1 | reserved |
//! | 2 | 2 | control bits |
//! | 4 | 4 | offset of the owner's SID, or 0 |
//! | 8 | 4 | offset of the group's SID, or 0 |
//! | 12 | 4 | offset of the SACL, or 0 |
//! | 16 | 4 | offset of the DACL, or 0 |

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use thiserror::Error;

pub use sddl::SddlError;

use crate::bytes::{slice, u16_at, u32_at};
use crate::{Sid, hex};

mod acl;
mod sddl;

const HEADER_LEN: usize = 20;
const REVISION: u8 = 1;
const DACL_PRESENT: u16 = 0x0004;
const SACL_PRESENT: u16 = 0x0010;
const SELF_RELATIVE: u16 = 0x8000;
/// Far above what Windows stores (64 KiB), and low enough to hold many.
const MAX_LEN: usize = 1 << 20;

/// A checked security descriptor, kept as its self-relative bytes. Clones are cheap. In serde, hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecurityDescriptor(Arc<[u8]>);

/// Why bytes are not a valid self-relative security descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SecurityDescriptorError {
    /// The header is not there, or the whole is larger than 1 MiB.
    #[error("security descriptor: expected 20 to 1048576 bytes, found {found}")]
    Length {
        /// Bytes found.
        found: usize,
    },
    /// The revision is not 1.
    #[error("security descriptor: expected revision 1, found {found}")]
    Revision {
        /// The revision found.
        found: u8,
    },
    /// The control bits do not say self-relative.
    #[error("security descriptor: expected the self-relative bit in control, found {found:#06x}")]
    NotSelfRelative {
        /// The control bits found.
        found: u16,
    },
    /// An offset leads into the header, or past the end, or to no valid SID.
    #[error("security descriptor: expected a SID for the {part} at offset {offset:#x}, found none")]
    Sid {
        /// Whose SID: `owner` or `group`.
        part: &'static str,
        /// Where it was looked for, in bytes.
        offset: u32,
    },
    /// An offset leads into the header, or past the end, or to no valid ACL.
    #[error(
        "security descriptor: expected an access list for the {part} at offset {offset:#x}, found {problem}"
    )]
    Acl {
        /// Which list: `SACL` or `DACL`.
        part: &'static str,
        /// Where it was looked for, in bytes.
        offset: u32,
        /// What is wrong with it.
        problem: String,
    },
}

impl SecurityDescriptor {
    /// Checks every offset and length: owner, group, both lists, each entry, each SID.
    ///
    /// # Errors
    /// Anything lies outside the bytes or overlaps the header, or has a size that its contents contradict.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, SecurityDescriptorError> {
        let (Some(&[revision, _]), Some(control)) = (bytes.first_chunk::<2>(), u16_at(&bytes, 2))
        else {
            return Err(SecurityDescriptorError::Length { found: bytes.len() });
        };
        if !(HEADER_LEN..=MAX_LEN).contains(&bytes.len()) {
            return Err(SecurityDescriptorError::Length { found: bytes.len() });
        }
        if revision != REVISION {
            return Err(SecurityDescriptorError::Revision { found: revision });
        }
        if control & SELF_RELATIVE == 0 {
            return Err(SecurityDescriptorError::NotSelfRelative { found: control });
        }
        for (part, field) in [("owner", 4), ("group", 8)] {
            let offset = u32_at(&bytes, field).unwrap_or(0);
            if offset != 0 && body(&bytes, offset).and_then(Sid::from_prefix).is_none() {
                return Err(SecurityDescriptorError::Sid { part, offset });
            }
        }
        for (part, field) in [("SACL", 12), ("DACL", 16)] {
            let offset = u32_at(&bytes, field).unwrap_or(0);
            if offset != 0 {
                let list = body(&bytes, offset).ok_or_else(|| "nothing there".to_owned());
                list.and_then(acl::check)
                    .map_err(|problem| SecurityDescriptorError::Acl {
                        part,
                        offset,
                        problem,
                    })?;
            }
        }
        Ok(Self(bytes.into()))
    }

    /// Reads SDDL, the text form (MS-DTYP section 2.5.1), as far as it is common: `O:`, `G:`, `D:` and `S:` with flags,
    /// entries of the types A, D, AU, AL, OA, OD, OU, ML and SP, the SID and right abbreviations that need no domain, and
    /// `(HEX;...)` as [`to_sddl`](Self::to_sddl) writes it.
    ///
    /// # Errors
    /// The text is not such SDDL; the error says where.
    pub fn from_sddl(text: &str) -> Result<Self, SddlError> {
        sddl::parse(text)
    }

    /// The text form. Entries of other types are written whole, as `(HEX;<digits>)`, which only this crate reads.
    pub fn to_sddl(&self) -> String {
        sddl::write(self)
    }

    /// The self-relative bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The control bits.
    pub fn control(&self) -> u16 {
        u16_at(&self.0, 2).unwrap_or(0)
    }

    /// The owner, if there is one.
    pub fn owner(&self) -> Option<Sid> {
        self.sid(4)
    }

    /// The primary group, if there is one.
    pub fn group(&self) -> Option<Sid> {
        self.sid(8)
    }

    fn sid(&self, field: usize) -> Option<Sid> {
        Some(Sid::from_prefix(self.part(field)?)?.0)
    }

    /// The bytes from the offset in the header field on; `None` for offset 0.
    fn part(&self, field: usize) -> Option<&[u8]> {
        u32_at(&self.0, field)
            .filter(|&offset| offset != 0)
            .and_then(|offset| body(&self.0, offset))
    }
}

impl fmt::Debug for SecurityDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecurityDescriptor({})", self.to_sddl())
    }
}

impl Serialize for SecurityDescriptor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        hex::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for SecurityDescriptor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(hex::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// The bytes from an offset on, which must lie past the header.
fn body(bytes: &[u8], offset: u32) -> Option<&[u8]> {
    let offset = usize::try_from(offset)
        .ok()
        .filter(|&offset| offset >= HEADER_LEN)?;
    slice(bytes, offset, bytes.len().checked_sub(offset)?)
}
