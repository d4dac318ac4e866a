//! The lookup table: one row of 50 bytes per blob, and one per image.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 24 | resource header |
//! | 24 | 2 | part number |
//! | 26 | 4 | reference count (unreliable in real files; shown, never trusted) |
//! | 30 | 20 | SHA-1 of the uncompressed bytes |
//!
//! Rows with the metadata flag belong to the images, in this order; one with reference count 0 is left over from an image that
//! was replaced. Rows with a zero digest, without bytes, of another part, or with a digest that an earlier row has, are skipped
//! with a warning, as wimlib does. Rows with the solid flag form runs: a row whose uncompressed size is exactly 2^32 is a solid
//! resource, any other is a blob in the resources of its run: its stored size is the blob's size, its offset the blob's place in
//! the run, whose resources count as one string of bytes in the order of their rows.

use std::mem::replace;

use wcow_tree::Digest;

use crate::bytes::{array_at, u16_at, u32_at};
use crate::error::Warnings;
use crate::number::as_u64;
use crate::resource::{METADATA, SOLID};
use crate::{Header, OpenError, Part, ResourceHeader};

pub(crate) const ROW_LEN: usize = 50;
/// The uncompressed size by which a row says that it is a solid resource.
const SOLID_RESOURCE: u64 = 1 << 32;

/// One blob: bytes that streams refer to by their SHA-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Blob {
    /// SHA-1 of the bytes.
    pub digest: Digest,
    /// How many bytes it has.
    pub size: u64,
    /// Which part of a split set it is in, from 1.
    pub part: u16,
    /// Where it is.
    pub location: BlobLocation,
    /// How many streams use it, as the file says; real files get this wrong.
    pub references: u32,
}

/// Where a blob is in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlobLocation {
    /// In a resource of its own.
    Plain(ResourceHeader),
    /// In the solid resources of a run, which count as one string of bytes.
    Solid {
        /// Which run, from 0.
        run: u32,
        /// Where in the run's uncompressed bytes.
        offset: u64,
    },
}

/// The metadata of one image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MetadataRow {
    pub(crate) resource: ResourceHeader,
    pub(crate) digest: Digest,
}

/// The rows of the lookup table that count.
#[derive(Debug, Default)]
pub(crate) struct LookupTable {
    /// Sorted by digest, each digest once.
    blobs: Vec<Blob>,
    /// In the order of the images.
    pub(crate) metadata: Vec<MetadataRow>,
    /// Rows of metadata whose image was replaced.
    pub(crate) superseded: u64,
}

impl LookupTable {
    /// Reads the rows of one file, and returns its solid runs: the resources of each. Takes memory in proportion to `bytes`.
    /// [`finish`](Self::finish) comes after the last file.
    pub(crate) fn add(
        &mut self,
        bytes: &[u8],
        header: &Header,
        warnings: &mut Warnings,
    ) -> Result<Vec<Vec<ResourceHeader>>, OpenError> {
        let (rows, rest) = bytes.as_chunks::<ROW_LEN>();
        if !rest.is_empty() {
            let at = as_u64(bytes.len() - rest.len());
            warnings.push(Part::LookupTable, at, || {
                format!("{} bytes that are no whole row; ignored", rest.len())
            });
        }
        self.blobs.reserve(rows.len());
        let mut solid_runs: Vec<Vec<ResourceHeader>> = Vec::new();
        let mut in_run = false;
        for (index, bytes) in (0_u64..).zip(rows) {
            let Some(row) = Row::parse(bytes) else {
                continue;
            };
            let solid = row.resource.flags & SOLID != 0 && header.version == 0xE00;
            if solid && !in_run {
                solid_runs.push(Vec::new());
            }
            in_run = solid;
            // A run was begun before its first blob.
            let run = solid_runs.len().checked_sub(1).filter(|_| solid);
            if solid && row.resource.size == SOLID_RESOURCE {
                if let Some(run) = solid_runs.last_mut() {
                    run.push(row.resource);
                }
            } else if !solid && row.resource.flags & METADATA != 0 {
                self.add_metadata(index, &row, header, warnings)?;
            } else {
                self.add_blob(index, &row, run, header, warnings);
            }
        }
        Ok(solid_runs)
    }

    /// Sorts the blobs, and leaves out those that are there twice.
    pub(crate) fn finish(&mut self, warnings: &mut Warnings) {
        sort_by_digest(&mut self.blobs);
        let before = self.blobs.len();
        self.blobs.dedup_by_key(|blob| blob.digest);
        let doubles = before - self.blobs.len();
        if doubles > 0 {
            warnings.push(Part::LookupTable, 0, || {
                format!("{doubles} rows with a digest that an earlier row has; ignored")
            });
        }
    }

    /// All blobs, sorted by digest.
    pub(crate) fn blobs(&self) -> &[Blob] {
        &self.blobs
    }

    /// The blob with this digest.
    pub(crate) fn find(&self, digest: &Digest) -> Option<&Blob> {
        let first = beginning(digest);
        self.blobs
            .binary_search_by(|blob| {
                let by_beginning = beginning(&blob.digest).cmp(&first);
                by_beginning.then_with(|| blob.digest.cmp(digest))
            })
            .ok()
            .and_then(|at| self.blobs.get(at))
    }

    fn add_metadata(
        &mut self,
        index: u64,
        row: &Row,
        header: &Header,
        warnings: &mut Warnings,
    ) -> Result<(), OpenError> {
        let at = index.saturating_mul(as_u64(ROW_LEN));
        if header.part != 1 {
            warnings.push(Part::LookupTable, at, || {
                "metadata of an image outside of the first part; ignored".to_owned()
            });
            return Ok(());
        }
        if row.part != header.part {
            warnings.push(Part::LookupTable, at, || {
                "metadata of an image in a row of another part; ignored".to_owned()
            });
            return Ok(());
        }
        match row.references {
            0 => {
                self.superseded += 1;
                warnings.push(Part::LookupTable, at, || {
                    "metadata of an image that was replaced; ignored".to_owned()
                });
            }
            1 if as_u64(self.metadata.len()) >= u64::from(header.image_count) => {
                warnings.push(Part::LookupTable, at, || {
                    "metadata of more images than the header counts; ignored".to_owned()
                });
            }
            1 => self.metadata.push(MetadataRow {
                resource: row.resource,
                digest: row.digest,
            }),
            _ if row.resource.size == 0 => {
                warnings.push(Part::LookupTable, at, || {
                    "metadata of no image, in a row without bytes; ignored".to_owned()
                });
            }
            found => {
                let expected = "a reference count of 0 or 1 for image metadata";
                return Err(OpenError::LookupTable {
                    row: index,
                    expected,
                    found: found.into(),
                });
            }
        }
        Ok(())
    }

    fn add_blob(
        &mut self,
        index: u64,
        row: &Row,
        run: Option<usize>,
        header: &Header,
        warnings: &mut Warnings,
    ) {
        let at = index.saturating_mul(as_u64(ROW_LEN));
        let size = if run.is_some() {
            row.resource.stored_size
        } else {
            row.resource.size
        };
        let wrong = if row.digest.is_zero() {
            "a row with a digest of zero; ignored"
        } else if size == 0 {
            "a row without bytes; ignored"
        } else if row.part != header.part {
            "a row of another part; ignored"
        } else {
            let location = match run {
                Some(run) => BlobLocation::Solid {
                    // Every run takes a row of the table.
                    run: u32::try_from(run).unwrap_or(u32::MAX),
                    offset: row.resource.offset,
                },
                None => BlobLocation::Plain(row.resource),
            };
            self.blobs.push(Blob {
                digest: row.digest,
                size,
                part: row.part,
                location,
                references: row.references,
            });
            return;
        };
        warnings.push(Part::LookupTable, at, || wrong.to_owned());
    }
}

/// The first eight bytes of a digest, in the order of the digests.
fn beginning(digest: &Digest) -> u64 {
    digest
        .0
        .first_chunk()
        .map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// Sorts `blobs`, and keeps the first of equal digests first. What is moved about is small: the beginnings of the digests, which in
/// honest files settle nearly every comparison. Each blob moves once.
fn sort_by_digest(blobs: &mut [Blob]) {
    let beginnings = blobs.iter().map(|blob| beginning(&blob.digest));
    let mut order: Vec<(u64, usize)> = beginnings.zip(0..).collect();
    let whole = |at: usize| blobs.get(at).map(|blob| blob.digest);
    order.sort_unstable_by(|a, b| {
        a.0.cmp(&b.0)
            .then_with(|| whole(a.1).cmp(&whole(b.1)))
            .then(a.1.cmp(&b.1))
    });
    // Round each cycle of the permutation once: the blob that belongs at a place is put there, which frees the place it was at.
    for start in 0..order.len() {
        let Some(held) = blobs.get(start).copied() else {
            return;
        };
        let mut to = start;
        while let Some(from) = order.get_mut(to).map(|entry| replace(&mut entry.1, to)) {
            let next = if from == start {
                Some(held)
            } else {
                blobs.get(from).copied()
            };
            if let (Some(place), Some(blob)) = (blobs.get_mut(to), next) {
                *place = blob;
            }
            if from == start {
                break;
            }
            to = from;
        }
    }
}

struct Row {
    resource: ResourceHeader,
    part: u16,
    references: u32,
    digest: Digest,
}

impl Row {
    fn parse(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            resource: ResourceHeader::parse(bytes)?,
            part: u16_at(bytes, 24)?,
            references: u32_at(bytes, 26)?,
            digest: Digest(array_at(bytes, 30)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Digests of which many are equal, and many differ behind their first eight bytes alone.
    fn digest() -> impl Strategy<Value = Digest> {
        (0_u8..3, 0_u8..3, 0_u8..4).prop_map(|(first, eighth, last)| {
            let mut digest = [7; 20];
            digest[0] = first;
            digest[8] = eighth;
            digest[19] = last;
            Digest(digest)
        })
    }

    proptest! {
        #[test]
        fn blobs_are_sorted_as_a_stable_sort_does(digests in vec(digest(), 0..200)) {
            let mut blobs: Vec<Blob> = (0_u64..)
                .zip(digests)
                .map(|(row, digest)| Blob {
                    digest,
                    size: row,
                    part: 1,
                    location: BlobLocation::Solid { run: 0, offset: row },
                    references: 1,
                })
                .collect();
            let mut expected = blobs.clone();
            expected.sort_by_key(|blob| blob.digest);
            sort_by_digest(&mut blobs);
            prop_assert_eq!(blobs, expected);
        }
    }
}
