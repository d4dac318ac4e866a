//! Contents by hash: the bytes of a simulated host live outside its world.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::known;

/// The SHA-256 of a content. In serde and on display: 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BlobId(pub [u8; 32]);

/// As the bytes do. Almost all are told apart by the first eight, looked at as one number.
impl Ord for BlobId {
    fn cmp(&self, other: &Self) -> Ordering {
        let first = |id: &Self| id.0.first_chunk().map(|first| u64::from_be_bytes(*first));
        let by_first = first(self).cmp(&first(other));
        by_first.then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for BlobId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl BlobId {
    /// The id of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let (digits, rest) = text.as_bytes().as_chunks::<2>();
        if digits.len() != bytes.len() || !rest.is_empty() {
            return None;
        }
        for (byte, &[high, low]) in bytes.iter_mut().zip(digits) {
            let value = char::from(high).to_digit(16)? << 4 | char::from(low).to_digit(16)?;
            *byte = u8::try_from(value).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobId({self})")
    }
}

impl Serialize for BlobId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format!("expected 64 hexadecimal digits, found {text:?}"))
        })
    }
}

/// Where the bytes are. A blob that was put stays; what is no longer needed is for the owner of the store to find out
/// ([`Sim::blobs_in_use`](crate::Sim::blobs_in_use)).
pub trait BlobStore: Send + Sync {
    /// The bytes of a blob; `None` if the store does not have it. A store whose bytes can change behind its back checks them here:
    /// whoever is given them takes their hash for known.
    ///
    /// # Errors
    /// The store cannot be read, or its bytes are not those of the blob any more.
    fn get(&self, id: BlobId) -> io::Result<Option<Arc<[u8]>>>;

    /// Keeps the bytes and tells their id. Keeping the same bytes again changes nothing.
    ///
    /// # Errors
    /// The store cannot be written.
    fn put(&self, bytes: &[u8]) -> io::Result<BlobId>;

    /// Begins a blob whose bytes come in pieces; long contents are kept this way. Unless a store says otherwise, the pieces
    /// are collected in memory and [`put`](Self::put) at the end.
    ///
    /// # Errors
    /// The store cannot be written.
    fn writer(&self) -> io::Result<Box<dyn BlobWriter>> {
        Ok(Box::new(Collected::default()))
    }
}

/// A blob on its way into a store. One that is dropped before it is finished leaves nothing behind.
pub trait BlobWriter: Send {
    /// Adds bytes to the end.
    ///
    /// # Errors
    /// The store cannot be written.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Keeps what was written and tells its id. `store` is the store that made the writer.
    ///
    /// # Errors
    /// The store cannot be written.
    fn finish(self: Box<Self>, store: &dyn BlobStore) -> io::Result<BlobId>;
}

/// Pieces in memory, for stores without a writer of their own.
#[derive(Default)]
struct Collected(Vec<u8>);

impl BlobWriter for Collected {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>, store: &dyn BlobStore) -> io::Result<BlobId> {
        store.put(&self.0)
    }
}

/// Blobs in memory.
#[derive(Default)]
pub struct MemoryBlobs {
    blobs: Mutex<BTreeMap<BlobId, Arc<[u8]>>>,
}

impl BlobStore for MemoryBlobs {
    fn get(&self, id: BlobId) -> io::Result<Option<Arc<[u8]>>> {
        Ok(self
            .blobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned())
    }

    fn put(&self, bytes: &[u8]) -> io::Result<BlobId> {
        let (id, bytes) = known::content(bytes);
        self.blobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(id)
            .or_insert(bytes);
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_in_the_order_of_their_bytes() {
        let ids: Vec<BlobId> = (0..64_usize)
            .flat_map(|number| {
                let mut alike = [7; 32];
                if let Some(byte) = alike.get_mut(number) {
                    *byte = 200;
                }
                [BlobId(alike), BlobId::of(&number.to_le_bytes())]
            })
            .collect();
        for one in &ids {
            for other in &ids {
                assert_eq!(one.cmp(other), one.0.cmp(&other.0));
            }
        }
    }
}
