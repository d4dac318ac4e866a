//! Files that belong together: the parts of a split set, and files that refer to others.

use std::sync::OnceLock;

use wcow_tree::{Digest, TreeSource as _};
use wcow_wim::{Blob, ImageIndex, Options, ReadAt, Wim};

use crate::budget::answer;
use crate::image::{Rules, check_tree, told};
use crate::mutate::{delta, split};
use crate::seeds::rich;
use crate::wims::{check_blob, check_report, count, is_small, summary, verify};

/// Parts of the set.
pub(crate) const PARTS: usize = 3;

/// Images that are read at most.
const IMAGES: u32 = 4;

/// Bytes that are sent at most.
const BYTES: u64 = 8 << 20;

/// One file of several that belong together, the others of which are good. Byte 0 says which one it is, see `Role`; byte 1 which
/// of the others are at hand, a bit each; the rest is the file.
///
/// # Panics
/// If the answer depends on the order in which the parts are given, or on the number of workers; if an image does not hold together or
/// breaks the rules of [`TreeSink`](wcow_tree::TreeSink); if `verify` says something that reading does not confirm; or if what is in
/// the files that are good cannot be read any more.
pub fn parts(data: &[u8]) {
    let Some((&[role, at_hand], file)) = data.split_first_chunk::<2>() else {
        return;
    };
    match Role::of(role) {
        Role::Part(part) => split_set(part, at_hand, file),
        Role::Delta => refers(file.to_vec(), rich(), Kept::Reference),
        Role::Reference => refers(delta(&rich()), file.to_vec(), Kept::Own),
    }
}

/// What the file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A part of a split set, from 0.
    Part(usize),
    /// A file that refers to a good one.
    Delta,
    /// The file that a good one refers to.
    Reference,
}

impl Role {
    pub(crate) const ALL: [Self; PARTS + 2] = [
        Self::Part(0),
        Self::Part(1),
        Self::Part(2),
        Self::Delta,
        Self::Reference,
    ];

    fn of(byte: u8) -> Self {
        let at = usize::from(byte) % Self::ALL.len();
        Self::ALL.get(at).copied().unwrap_or(Self::Delta)
    }
}

/// The good set.
pub(crate) fn good_set() -> &'static [Vec<u8>] {
    static SET: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    SET.get_or_init(|| split(&rich(), PARTS))
}

fn split_set(changed: usize, at_hand: u8, file: &[u8]) {
    let mut set = Vec::new();
    for (at, good) in good_set().iter().enumerate() {
        if at == changed {
            set.push(file.to_vec());
        } else if at_hand >> at & 1 == 1 {
            set.push(good.clone());
        }
    }
    let len = set.iter().map(Vec::len).sum();
    let one = answer(len, "open", || open(&set, 1));
    set.reverse();
    let two = answer(len, "open in another order", || open(&set, 2));
    assert_eq!(
        one.is_some(),
        two.is_some(),
        "a set opens in one order of its parts only"
    );
    let (Some(one), Some(two)) = (one, two) else {
        return;
    };
    assert_eq!(one.missing_parts(), two.missing_parts());
    agree(len, &one, &two);
    // A part that says that it is another one may be taken for that.
    let Some(own) = Wim::open(file.to_vec()).ok().map(|wim| wim.header().part) else {
        return;
    };
    let others = one.blobs().iter().filter(|blob| blob.part != own);
    for Blob { digest, .. } in others {
        assert!(
            one.read_blob_to_vec(digest, BYTES).is_ok(),
            "a blob of a good part cannot be read"
        );
    }
}

/// Which of two files is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Own,
    Reference,
}

fn refers(own: Vec<u8>, reference: Vec<u8>, kept: Kept) {
    let len = own.len() + reference.len();
    let Ok(reference) = Wim::open(reference) else {
        return;
    };
    let [one, two] = [1, 2].map(|workers| {
        answer(len, "open", || {
            let mut options = Options::default();
            options.workers = count(workers);
            options.references = vec![reference.clone()];
            Wim::open_with(own.clone(), options).ok()
        })
    });
    assert_eq!(
        one.is_some(),
        two.is_some(),
        "two workers open what one does not"
    );
    let (Some(one), Some(two)) = (one, two) else {
        return;
    };
    agree(len, &one, &two);
    let good: Vec<Digest> = match kept {
        Kept::Own => one.blobs().iter().map(|blob| blob.digest).collect(),
        // The file itself comes first.
        Kept::Reference => {
            let blobs = reference.blobs().iter().map(|blob| blob.digest);
            blobs
                .filter(|digest| one.find_blob(digest).is_none())
                .collect()
        }
    };
    for digest in good {
        let readable = one.unsupported().is_some() || one.read_blob_to_vec(&digest, BYTES).is_ok();
        assert!(readable, "a blob of a good file cannot be read");
    }
}

/// Both send and report the same, and what they report is so.
fn agree(len: usize, one: &Wim, two: &Wim) {
    assert_eq!(one.image_count(), two.image_count());
    if !is_small(one) {
        return;
    }
    for number in 1..=one.image_count().min(IMAGES) {
        let Some(index) = ImageIndex::new(number) else {
            continue;
        };
        let [first, second] = [one, two].map(|wim| {
            answer(len, "image", || wim.image(index)).ok().map(|image| {
                check_tree(&image);
                let mut rules = Rules::new(BYTES, u64::MAX);
                let sent = wim.extractor(&image).send(&mut rules);
                (rules.calls(), sent.err().map(|error| told(&error)))
            })
        });
        assert_eq!(first, second, "image {number}");
    }
    let reports = [(one, 1), (two, 2)].map(|(wim, workers)| {
        let report = answer(len, "verify", || verify(wim, workers));
        check_report(wim, &report);
        let mut summary = summary(&report);
        // Headers are read in the order in which the parts are given.
        summary.1.sort();
        summary
    });
    let [first, second] = reports;
    assert_eq!(first, second, "the report depends on order or workers");
    for blob in one.blobs() {
        check_blob(one, blob);
    }
}

fn open(set: &[Vec<u8>], workers: usize) -> Option<Wim> {
    let mut options = Options::default();
    options.workers = count(workers);
    let sources = set
        .iter()
        .map(|file| -> Box<dyn ReadAt> { Box::new(file.clone()) });
    Wim::open_parts(sources.collect(), options).ok()
}
