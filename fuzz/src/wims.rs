//! WIM files.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use wcow_tree::memory::{MemorySink, MemoryTree};
use wcow_tree::{Digest, TreeSource};
use wcow_wim::{Blob, BlobLocation, ImageIndex, Options, Problem, ReadError, VerifyReport, Wim};

use crate::budget::answer;
use crate::craft::wim_of_metadata;
use crate::image::{Rules, check_tree, told};

/// Images that are read at most.
const IMAGES: u32 = 8;

/// Uncompressed bytes of all blobs that are read at most: a small file can stand for gigabytes.
const BLOB_BYTES: u64 = 8 << 20;

/// A WIM file: opened, all images listed and read, blobs read, everything verified, by one worker and by two.
///
/// # Panics
/// If an image's tree does not hold together, a source breaks the rules of [`TreeSink`](wcow_tree::TreeSink), a blob has another length
/// than the lookup table says, the report depends on the number of workers, or `verify` says something that reading does not confirm.
pub fn wim(data: &[u8]) {
    let len = data.len();
    let Some(wim) = answer(len, "open", || open(data, 1)) else {
        assert!(
            open(data, 2).is_none(),
            "two workers open what one does not"
        );
        return;
    };
    let small = is_small(&wim);
    for number in 1..=wim.image_count().min(IMAGES) {
        let Some(index) = ImageIndex::new(number) else {
            continue;
        };
        let Ok(image) = answer(len, "image", || wim.image(index)) else {
            continue;
        };
        check_tree(&image);
        let bytes = if small { BLOB_BYTES } else { 0 };
        let sent = [1, 2].map(|workers| {
            let mut rules = Rules::new(bytes, u64::MAX);
            let sent = wim
                .extractor(&image)
                .workers(count(workers))
                .send(&mut rules);
            (rules.calls(), sent.err().map(|error| told(&error)))
        });
        let [one, two] = sent;
        assert_eq!(one, two, "what is sent depends on the number of workers");
    }
    if !small {
        return;
    }
    let report = answer(len, "verify", || verify(&wim, 1));
    let second = open(data, 2);
    let other = second
        .as_ref()
        .map(|wim| answer(len, "verify with two workers", || verify(wim, 2)));
    assert_eq!(
        Some(summary(&report)),
        other.as_ref().map(summary),
        "the report depends on the number of workers"
    );
    let good = wim
        .blobs()
        .iter()
        .filter(|blob| check_blob(&wim, blob))
        .count();
    if report.is_ok() {
        assert_eq!(
            good,
            wim.blobs().len(),
            "verify accepts the file, but not all of its blobs can be read"
        );
    }
    check_report(&wim, &report);
}

/// The metadata resource of an image, inside a WIM file whose hashes are right. What can be read whole is written again and read
/// again.
///
/// # Panics
/// As [`wim`]; and if what was written is not what was read.
pub fn metadata(data: &[u8]) {
    let file = wim_of_metadata(data);
    wim(&file);
    let Some(wim) = open(&file, 1) else { return };
    let Some(image) = ImageIndex::new(1).and_then(|index| wim.image(index).ok()) else {
        return;
    };
    let mut sink = MemorySink::with_limit(BLOB_BYTES);
    if wim.extractor(&image).send(&mut sink).is_err() {
        return;
    }
    let tree = sink.finish();
    let mut again = MemorySink::with_limit(BLOB_BYTES);
    let second = wim.extractor(&image).send(&mut again);
    assert!(second.is_ok(), "an image can be read only once");
    assert_same(&tree, &again.finish(), "two readings of an image differ");
}

/// Opens a file for this many workers.
pub(crate) fn open(data: &[u8], workers: usize) -> Option<Wim> {
    let mut options = Options::default();
    options.workers = count(workers);
    Wim::open_with(data.to_vec(), options).ok()
}

/// True if reading all blobs costs little.
pub(crate) fn is_small(wim: &Wim) -> bool {
    let sizes = wim.blobs().iter().map(|blob| blob.size);
    sizes.fold(0_u64, u64::saturating_add) <= BLOB_BYTES
}

pub(crate) fn verify(wim: &Wim, workers: usize) -> VerifyReport {
    wim.verifier().workers(count(workers)).run()
}

/// So many workers.
pub(crate) fn count(workers: usize) -> NonZeroUsize {
    NonZeroUsize::new(workers).unwrap_or(NonZeroUsize::MIN)
}

fn assert_same(one: &MemoryTree, other: &MemoryTree, what: &str) {
    let differences = one.differences(other);
    let first = differences.first();
    assert!(first.is_none(), "{what}: {first:?}");
}

/// All that a report says, in its order.
pub(crate) fn summary(report: &VerifyReport) -> (Vec<String>, Vec<String>, u32, u64, u64, bool) {
    let problems = report.problems.iter().map(|problem| told(problem));
    let warnings = report.warnings.iter().map(ToString::to_string);
    (
        problems.collect(),
        warnings.collect(),
        report.images,
        report.blobs,
        report.bytes,
        report.integrity_checked,
    )
}

/// What the report says of a blob or an image, reading it confirms.
pub(crate) fn check_report(wim: &Wim, report: &VerifyReport) {
    for problem in report.problems.iter().take(64) {
        match problem {
            // Blobs of a solid resource that overlap are reported so, and can each be read.
            Problem::Blob {
                source: ReadError::BlobOverlap { .. },
                digest,
            } if is_solid(wim, digest) => {}
            Problem::Blob { digest, .. } => assert!(
                wim.read_blob_to_vec(digest, BLOB_BYTES).is_err(),
                "verify reports a blob that can be read"
            ),
            Problem::Missing { digest, .. } => assert!(
                wim.find_blob(digest).is_none(),
                "verify misses a blob that is there"
            ),
            _ => {}
        }
    }
}

fn is_solid(wim: &Wim, digest: &Digest) -> bool {
    wim.find_blob(digest)
        .is_some_and(|blob| matches!(blob.location, BlobLocation::Solid { .. }))
}

/// Reads a blob in pieces and whole. True if it is good.
pub(crate) fn check_blob(wim: &Wim, blob: &Blob) -> bool {
    let mut pieces = Vec::new();
    let read = wim.read_blob(&blob.digest, &mut |piece| {
        pieces.extend_from_slice(piece);
        ControlFlow::Continue(())
    });
    let whole = wim.read_blob_to_vec(&blob.digest, BLOB_BYTES);
    assert_eq!(
        read.is_ok(),
        whole.is_ok(),
        "a blob is good in pieces or whole only"
    );
    if let Ok(bytes) = whole {
        assert_eq!(
            u64::try_from(bytes.len()).ok(),
            Some(blob.size),
            "a blob has another length than the table says"
        );
        assert!(bytes == pieces, "a blob differs in pieces and whole");
        seek(wim, blob, &bytes);
    }
    read.is_ok()
}

/// Bytes from the middle are those of the whole.
fn seek(wim: &Wim, blob: &Blob, whole: &[u8]) {
    let Ok(Some(mut reader)) = wim.blob_reader(&blob.digest) else {
        assert!(whole.is_empty(), "a blob that can be read has no reader");
        return;
    };
    for at in [whole.len() / 2, whole.len() - 1, 0, whole.len() / 3] {
        let mut bytes = [0; 5];
        let from = reader.seek(SeekFrom::Start(u64::try_from(at).unwrap_or(u64::MAX)));
        let read = from.and_then(|_| reader.read(&mut bytes)).unwrap_or(0);
        assert!(read > 0, "a reader ends early");
        assert_eq!(
            bytes.get(..read),
            whole.get(at..at + read),
            "a reader gives other bytes at {at}"
        );
    }
}
