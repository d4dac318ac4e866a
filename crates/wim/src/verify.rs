//! Checks a whole file and collects every problem.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use wcow_ntmeta::{RelPath, WideName};
use wcow_tree::Digest;

use crate::integrity::IntegrityTable;
use crate::metadata::PathBudget;
use crate::resource::{ResourceReader, as_u64};
use crate::{
    Blob, BlobLocation, Image, ImageError, ImageIndex, IntegrityError, ReadError, ResourceHeader,
    Unsupported, Warning, Wim,
};

/// How to verify.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VerifyOptions {
    /// Threads that may decode at once. This version uses one, whatever is asked for.
    pub workers: NonZeroUsize,
}

impl Default for VerifyOptions {
    fn default() -> Self {
        Self {
            workers: NonZeroUsize::MIN,
        }
    }
}

/// How far a verification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes done: raw ones for the integrity table, then uncompressed ones.
    pub done: u64,
    /// Bytes in all, as far as the file tells the truth.
    pub total: u64,
}

/// What a verification found.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct VerifyReport {
    /// Everything that is wrong.
    pub problems: Vec<Problem>,
    /// What is unusual, and does not keep the file from being used.
    pub warnings: Vec<Warning>,
    /// Images whose metadata was read.
    pub images: u32,
    /// Blobs that were read.
    pub blobs: u64,
    /// Uncompressed bytes of these blobs.
    pub bytes: u64,
    /// True if there is an integrity table, and all of it was checked.
    pub integrity_checked: bool,
}

impl VerifyReport {
    /// True if nothing is wrong; warnings do not count.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.problems.is_empty()
    }

    /// The part of the format that kept the file from being verified, if that is what happened.
    #[must_use]
    pub fn unsupported(&self) -> Option<&Unsupported> {
        self.problems.iter().find_map(|problem| match problem {
            Problem::Unsupported { what }
            | Problem::Image(ImageError::Unsupported { what })
            | Problem::Blob {
                source: ReadError::Unsupported { what },
                ..
            } => Some(what),
            _ => None,
        })
    }
}

/// One thing that is wrong with a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The file as a whole cannot be verified.
    #[error("{what} cannot be verified by this version")]
    Unsupported {
        /// What it is.
        what: Unsupported,
    },
    /// The integrity table is damaged, or has found damage.
    #[error("integrity table")]
    Integrity(#[source] IntegrityError),
    /// An image cannot be read.
    #[error(transparent)]
    Image(ImageError),
    /// A blob cannot be read.
    #[error("blob {digest}")]
    Blob {
        /// The blob.
        digest: Digest,
        /// Why.
        #[source]
        source: ReadError,
    },
    /// Two blobs claim the same bytes of the file.
    #[error(
        "blob {digest}: expected bytes of its own at offset {offset:#x}, found those of blob {other}"
    )]
    Overlap {
        /// The blob.
        digest: Digest,
        /// Where it begins.
        offset: u64,
        /// The other blob.
        other: Digest,
    },
    /// A stream's blob is in no file at hand.
    #[error("image {image}: blob {digest} is missing, which `{path}`{} needs{}", stream_name(stream), others(*count))]
    Missing {
        /// The image.
        image: ImageIndex,
        /// The first file that needs it.
        path: RelPath,
        /// The stream of that file; empty for its own data.
        stream: WideName,
        /// The blob.
        digest: Digest,
        /// How many streams of the image need it.
        count: u64,
    },
    /// So much is missing that not every path can be told.
    #[error("image {image}: {blobs} further blobs are missing")]
    FurtherMissing {
        /// The image.
        image: ImageIndex,
        /// How many further blobs.
        blobs: u64,
    },
}

fn stream_name(name: &WideName) -> String {
    if name.is_empty() {
        String::new()
    } else {
        format!(" (stream `{name}`)")
    }
}

fn others(count: u64) -> String {
    if count > 1 {
        format!(", and {} others", count - 1)
    } else {
        String::new()
    }
}

impl Wim {
    /// Checks the integrity table, the metadata of every image, that every stream's blob is there, and the SHA-1 of every blob.
    ///
    /// Blobs are read in the order in which they lie in the file. Those of other files (see
    /// [`BlobResolver`](crate::BlobResolver)) are looked up, but not read.
    pub fn verify(
        &self,
        options: &VerifyOptions,
        progress: &mut dyn FnMut(Progress),
    ) -> VerifyReport {
        // The order of the report does not depend on workers, of which there is one so far.
        let _ = options.workers;
        let mut report = VerifyReport {
            warnings: self.warnings().to_vec(),
            ..VerifyReport::default()
        };
        if let Some(what) = self.unsupported() {
            report.problems.push(Problem::Unsupported { what });
            return report;
        }
        let integrity = self
            .header()
            .has_integrity_table()
            .then(|| IntegrityTable::read(self.file(), self.header()));
        let covered = integrity
            .as_ref()
            .and_then(|table| table.as_ref().ok())
            .map_or(0, IntegrityTable::covered);
        let blobs = self
            .blobs()
            .iter()
            .map(|blob| blob.size)
            .fold(0, u64::saturating_add);
        let mut state = Progress {
            done: 0,
            total: covered.saturating_add(blobs),
        };
        let mut advance = |bytes| {
            state.done = state.done.saturating_add(bytes);
            progress(state);
        };
        match integrity {
            Some(Ok(table)) => {
                report.integrity_checked = true;
                table.check(self.file(), &mut advance, |error| {
                    report.problems.push(Problem::Integrity(error))
                });
            }
            Some(Err(error)) => report.problems.push(Problem::Integrity(error)),
            None => {}
        }
        self.verify_images(&mut report);
        self.with_reader(|reader| self.verify_blobs(reader, &mut report, &mut advance));
        report
    }

    fn verify_images(&self, report: &mut VerifyReport) {
        // Images that share their metadata could make a small file take forever, so it is read once.
        let mut read: BTreeMap<u64, (u64, Digest)> = BTreeMap::new();
        for info in self.images() {
            if let Some(row) = self.metadata_row(info.index) {
                let (start, digest) = (row.resource.offset, row.digest);
                let end = start.saturating_add(row.resource.stored_size.max(1));
                if read.get(&start) == Some(&(end, digest)) {
                    report.images += 1;
                    continue;
                }
                if let Some((_, (_, other))) = read
                    .range(..end)
                    .next_back()
                    .filter(|(_, (end, _))| *end > start)
                {
                    report.problems.push(Problem::Overlap {
                        digest,
                        offset: start,
                        other: *other,
                    });
                    continue;
                }
                read.insert(start, (end, digest));
            }
            match self.image(info.index) {
                Ok(image) => {
                    report.images += 1;
                    report.warnings.extend_from_slice(image.warnings());
                    report.problems.extend(missing_blobs(&image));
                }
                Err(error) => report.problems.push(Problem::Image(error)),
            }
        }
    }

    fn verify_blobs(
        &self,
        reader: &mut ResourceReader,
        report: &mut VerifyReport,
        advance: &mut dyn FnMut(u64),
    ) {
        let mut previous: Option<(u64, Digest)> = None;
        let mut solid = 0_u64;
        for (blob, resource) in self.blobs_in_file_order() {
            let Some(resource) = resource else {
                solid += 1;
                continue;
            };
            // Blobs that overlap could make a small file take forever.
            let end = resource.offset.saturating_add(resource.stored_size);
            if let Some((_, other)) = previous.filter(|(end, _)| resource.offset < *end) {
                report.problems.push(Problem::Overlap {
                    digest: blob.digest,
                    offset: resource.offset,
                    other,
                });
                continue;
            }
            previous = Some((end, blob.digest));
            let result = self.read_known_blob(reader, blob, &mut |bytes| {
                advance(as_u64(bytes.len()));
                ControlFlow::Continue(())
            });
            match result {
                Ok(()) => {
                    report.blobs += 1;
                    report.bytes = report.bytes.saturating_add(blob.size);
                }
                // One such problem stands for all.
                Err(ReadError::Unsupported { what }) => {
                    if !report.problems.iter().any(|problem| matches!(problem, Problem::Unsupported { what: known } if *known == what)) {
                        report.problems.push(Problem::Unsupported { what });
                    }
                }
                Err(source) => report.problems.push(Problem::Blob { digest: blob.digest, source }),
            }
        }
        if solid > 0 {
            report.problems.push(Problem::Unsupported {
                what: Unsupported::Solid,
            });
        }
    }

    /// All blobs as they lie in the file; those in solid resources come last.
    pub(crate) fn blobs_in_file_order(&self) -> Vec<(&Blob, Option<&ResourceHeader>)> {
        let mut blobs: Vec<_> = self
            .blobs()
            .iter()
            .map(|blob| match &blob.location {
                BlobLocation::Plain(resource) => (blob, Some(resource)),
                BlobLocation::Solid { .. } => (blob, None),
            })
            .collect();
        blobs.sort_by_key(|(_, resource)| resource.map_or(u64::MAX, |resource| resource.offset));
        blobs
    }
}

/// The blobs that an image needs and that are nowhere.
fn missing_blobs(image: &Image) -> Vec<Problem> {
    let mut missing = BTreeMap::new();
    for node in image.nodes() {
        for stream in image.streams(node) {
            if image.stream_len(stream).is_none() {
                missing.entry(stream.digest).or_insert((node, stream, 0)).2 += 1;
            }
        }
    }
    let mut budget = PathBudget::default();
    let mut problems = Vec::new();
    let mut further = 0;
    for (digest, (node, stream, count)) in missing {
        if budget.take(image, node) {
            let stream = stream.name.clone().unwrap_or_default();
            problems.push(Problem::Missing {
                image: image.index(),
                path: image.path(node),
                stream,
                digest,
                count,
            });
        } else {
            further += 1;
        }
    }
    if further > 0 {
        problems.push(Problem::FurtherMissing {
            image: image.index(),
            blobs: further,
        });
    }
    problems
}
