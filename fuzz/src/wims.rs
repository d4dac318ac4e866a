//! WIM files.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use wcow_tree::TreeSource;
use wcow_tree::memory::{MemorySink, MemoryTree};
use wcow_wim::{Blob, ImageIndex, Options, Problem, VerifyOptions, VerifyReport, Wim};

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
        let mut rules = Rules::new(bytes, u64::MAX);
        let _ = wim.image_source(&image).send(&mut rules);
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
    if wim.image_source(&image).send(&mut sink).is_err() {
        return;
    }
    let tree = sink.finish();
    let mut again = MemorySink::with_limit(BLOB_BYTES);
    let second = wim.image_source(&image).send(&mut again);
    assert!(second.is_ok(), "an image can be read only once");
    assert_same(&tree, &again.finish(), "two readings of an image differ");
}

/// Opens a file for this many workers.
pub(crate) fn open(data: &[u8], workers: usize) -> Option<Wim> {
    let mut options = Options::default();
    options.workers = NonZeroUsize::new(workers).unwrap_or(NonZeroUsize::MIN);
    Wim::open_with(data.to_vec(), options).ok()
}

/// True if reading all blobs costs little.
pub(crate) fn is_small(wim: &Wim) -> bool {
    let sizes = wim.blobs().iter().map(|blob| blob.size);
    sizes.fold(0_u64, u64::saturating_add) <= BLOB_BYTES
}

pub(crate) fn verify(wim: &Wim, workers: usize) -> VerifyReport {
    let mut options = VerifyOptions::default();
    options.workers = NonZeroUsize::new(workers).unwrap_or(NonZeroUsize::MIN);
    wim.verify(&options, &mut |_| {})
}

fn assert_same(one: &MemoryTree, other: &MemoryTree, what: &str) {
    let differences = one.differences(other);
    let first = differences.first();
    assert!(first.is_none(), "{what}: {first:?}");
}

/// All that a report says, in its order.
fn summary(report: &VerifyReport) -> (Vec<String>, Vec<String>, u32, u64, u64, bool) {
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
fn check_report(wim: &Wim, report: &VerifyReport) {
    for problem in report.problems.iter().take(64) {
        match problem {
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

/// Reads a blob in pieces and whole. True if it is good.
fn check_blob(wim: &Wim, blob: &Blob) -> bool {
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
    }
    read.is_ok()
}
