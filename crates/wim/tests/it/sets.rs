//! Split sets, references, resolvers: blobs that are in other files.

use std::ops::ControlFlow;
use std::sync::Arc;

use wcow_tree::memory::MemoryTree;
use wcow_tree::{Digest, TreeSource as _};
use wcow_wim::{BlobResolver, ImageError, OpenError, Options, Problem, ReadError, Wim};

use crate::build::{Codec, Contents, Style, open_parts};
use crate::record::{Recorder, outcome};
use crate::support::{chain, first, put, runs, sha1, tree_of, verify};

fn tree() -> MemoryTree {
    (0..9_u8).fold(MemoryTree::new(), |tree, number| {
        tree.file(
            format!("file {number}"),
            runs(number.into(), 2000 * usize::from(number + 1)),
        )
    })
}

const SPLIT: Style = Style {
    parts: 4,
    integrity: Some(1000),
    ..Style::PLAIN
};

fn parts() -> Vec<Vec<u8>> {
    SPLIT.files(&Contents::of(&[tree()]))
}

/// The problems of a file, one line each.
fn lines(wim: &Wim) -> Vec<String> {
    let problems = verify(wim).problems;
    problems.iter().map(|problem| chain(problem)).collect()
}

#[test]
fn parts_are_of_one_set_and_each_is_there_once() {
    #[track_caller]
    fn check(files: Vec<Vec<u8>>, expected: &str) {
        let error = open_parts(files, Options::default()).expect_err("they are no set");
        assert!(matches!(error, OpenError::Parts { .. }), "{error:?}");
        assert_eq!(error.to_string(), expected);
    }
    let changed = |index: usize, at: usize, value: &[u8]| {
        let mut files = parts();
        put(&mut files[index], at, value);
        files
    };
    check(
        Vec::new(),
        "part 1 of the files that were given: expected a file, found none",
    );
    check(
        [parts(), vec![parts()[2].clone()]].concat(),
        "part 5 of the files that were given: expected each part once, found part 3 again",
    );
    check(
        changed(1, 0x18, &[8]),
        "part 2 of the files that were given: expected GUID 07070707-0707-0707-0707-070707070707, as in the first, \
         found 07070708-0707-0707-0707-070707070707",
    );
    check(
        changed(2, 0x2A, &[9]),
        "part 3 of the files that were given: expected 4 parts and 1 images, as in the first, found 9 parts and 1 images",
    );
    check(
        changed(3, 0x2C, &[2]),
        "part 4 of the files that were given: expected 4 parts and 1 images, as in the first, found 4 parts and 2 images",
    );
}

#[test]
fn a_missing_part_is_told_once() {
    let mut files = parts();
    files.remove(2);
    files.reverse();
    let wim = open_parts(files, Options::default()).expect("it opens");
    assert_eq!(wim.missing_parts(), [3]);
    assert_eq!(wim.header().part, 1);
    assert_eq!(wim.blobs().len(), 7);
    assert_eq!(
        lines(&wim),
        ["3 of the 4 parts of the split set were given: what the others hold was not checked"]
    );
    let image = wim
        .image(first())
        .expect("the metadata is in the first part");
    let mut extractor = wim.extractor(&image);
    assert_eq!((extractor.plan().missing, extractor.plan().streams), (2, 9));
    let mut sink = Recorder::default();
    let error = extractor
        .send(&mut sink)
        .expect_err("some blobs are missing");
    drop(extractor);
    sink.check_order();
    let told = outcome(&error);
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(
        told[1..]
            .iter()
            .all(|line| line.ends_with("is missing: 3 of the 4 parts of the split set were given")),
        "{told:#?}"
    );
    let complete = sink.calls.iter().filter(|call| *call == "close Complete");
    assert_eq!(complete.count(), 7);
}

#[test]
fn a_later_part_alone_has_blobs_and_no_image() {
    let files = parts();
    let wim = Wim::open(files[3].clone()).expect("it opens");
    assert_eq!(wim.missing_parts(), [1, 2, 3]);
    assert_eq!((wim.image_count(), wim.blobs().len()), (1, 2));
    let error = wim.image(first()).expect_err("it is in the first part");
    assert!(
        matches!(error, ImageError::FirstPartMissing { total: 4, .. }),
        "{error}"
    );
    let report = verify(&wim);
    assert_eq!((report.images, report.blobs), (0, 2));
    assert!(
        matches!(
            report.problems[..],
            [Problem::MissingParts { given: 1, total: 4 }]
        ),
        "{:?}",
        report.problems
    );
}

#[test]
fn damage_in_a_part_is_found_by_its_integrity_table() {
    let mut files = parts();
    // In the second of its pieces.
    files[2][208 + 1500] ^= 1;
    let wim = open_parts(files.clone(), Options::default()).expect("it opens");
    let found = lines(&wim);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found[0].starts_with("integrity table: bytes 0x4b8 to 0x8a0: expected SHA-1"),
        "{found:#?}"
    );
    assert!(found[1].starts_with("blob "), "{found:#?}");
    assert!(verify(&wim).integrity_checked);
    // Without one in every part, not all was checked.
    put(&mut files[1], 0x7C, &[0; 24]);
    let wim = open_parts(files, Options::default()).expect("it opens");
    let report = verify(&wim);
    assert!(!report.integrity_checked && report.problems.len() == 2);
}

#[test]
fn metadata_in_a_later_part_is_ignored() {
    let mut contents = Contents::of(&[tree()]);
    let files = SPLIT.files(&contents);
    // A second part that has the metadata too: as the first one of another set has it.
    contents.blobs.truncate(2);
    let mut other = Style::PLAIN.file(&contents);
    put(&mut other, 0x28, &[2, 0, 4, 0]);
    let wim = open_parts(vec![files[0].clone(), other], Options::default()).expect("it opens");
    let warnings: Vec<String> = wim.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "lookup table at offset 0x0: metadata of an image outside of the first part; ignored",
            "lookup table at offset 0x32: a row of another part; ignored",
            "lookup table at offset 0x64: a row of another part; ignored"
        ]
    );
}

#[test]
fn tens_of_thousands_of_parts_cost_nothing() {
    let mut file = Style::PLAIN.file(&Contents::of(&[tree()]));
    put(&mut file, 0x2A, &[255, 255]);
    let wim = Wim::open(file).expect("it opens");
    assert_eq!(wim.missing_parts().len(), 65534);
    assert_eq!(lines(&wim).len(), 1);
}

/// The tree without some of its blobs, and a WIM of each of them.
fn delta(missing: &[usize]) -> (Vec<u8>, Vec<Wim>) {
    let whole = Contents::of(&[tree()]);
    let mut rest = whole.clone();
    let mut index = 0..;
    rest.blobs
        .retain(|_| !missing.contains(&index.next().expect("it is endless")));
    let bases = missing.iter().map(|index| {
        let mut base = Contents::of(&[MemoryTree::new()]);
        base.blobs = vec![whole.blobs[*index].clone()];
        Style::compressed(Codec::XPRESS).open(&base)
    });
    let bases = bases.collect();
    (Style::PLAIN.file(&rest), bases)
}

#[test]
fn blobs_are_found_in_references() {
    let (file, bases) = delta(&[1, 4, 5]);
    let alone = Wim::open(file.clone()).expect("it opens");
    assert_eq!(lines(&alone).len(), 3);
    let mut options = Options::default();
    options.references = bases;
    let wim = Wim::open_with(file, options).expect("it opens");
    assert_eq!(tree_of(&wim, first()), tree());
    let report = verify(&wim);
    assert!(report.is_ok(), "{:?}", report.problems);
    assert_eq!((report.blobs, wim.blobs().len()), (9, 6));
    for blob in Contents::of(&[tree()]).blobs {
        let digest = sha1(&blob);
        assert_eq!(wim.blob_size(&digest), Some(blob.len() as u64));
        assert_eq!(
            wim.read_blob_to_vec(&digest, u64::MAX)
                .expect("it is there"),
            blob
        );
    }
}

#[test]
fn damage_in_a_reference_is_found() {
    let (file, _) = delta(&[3]);
    let mut base = Contents::of(&[MemoryTree::new()]);
    base.blobs = vec![Contents::of(&[tree()]).blobs[3].clone()];
    let mut base = Style::PLAIN.file(&base);
    let blob = base
        .windows(20)
        .position(|bytes| bytes.iter().all(|byte| *byte == bytes[0] && *byte != 0));
    base[blob.expect("a run")] ^= 0x80;
    let mut options = Options::default();
    options.references = vec![Wim::open(base).expect("it opens")];
    let wim = Wim::open_with(file, options).expect("it opens");
    let found = lines(&wim);
    assert!(
        found.len() == 1 && found[0].contains("expected SHA-1"),
        "{found:#?}"
    );
}

/// Takes pieces of a blob, until it breaks off.
type Receiver<'a> = &'a mut dyn FnMut(&[u8]) -> ControlFlow<()>;

/// Says that it has a blob, and fails at it in one way or another.
struct Odd(fn(Receiver<'_>) -> Result<(), ReadError>);

impl BlobResolver for Odd {
    fn size(&self, _: &Digest) -> Option<u64> {
        Some(1000)
    }

    fn read(
        &self,
        _: &Digest,
        receive: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        (self.0)(receive)
    }
}

#[test]
fn a_resolver_is_asked_last() {
    let (file, mut bases) = delta(&[2, 6]);
    let mut options = Options::default();
    options.resolver = Some(Arc::new(bases.pop().expect("two")));
    options.references = bases;
    let wim = Wim::open_with(file.clone(), options).expect("it opens");
    assert_eq!(tree_of(&wim, first()), tree());
    assert!(verify(&wim).is_ok());

    let mut options = Options::default();
    options.resolver = Some(Arc::new(Odd(|receive| {
        let _ = receive(&[0; 500]);
        Err(ReadError::Missing {
            digest: Digest([1; 20]),
        })
    })));
    assert_eq!(
        format!("{options:?}").matches("resolver: true").count(),
        1,
        "{options:?}"
    );
    let wim = Wim::open_with(file.clone(), options).expect("it opens");
    let image = wim.image(first()).expect("it is there");
    let mut sink = Recorder::default();
    let error = wim.extractor(&image).send(&mut sink).expect_err("it fails");
    sink.check_order();
    let told = outcome(&error);
    assert!(
        told.len() == 3 && told[1].contains("is missing"),
        "{told:#?}"
    );
    assert_eq!(sink.calls.last().map(String::as_str), Some("close Damaged"));

    // The sink that fails within a resolver's blob is not asked again.
    let mut options = Options::default();
    options.resolver = Some(Arc::new(Odd(|receive| match receive(&[0; 500]) {
        ControlFlow::Break(()) => Err(ReadError::Stopped),
        ControlFlow::Continue(()) => Ok(()),
    })));
    let wim = Wim::open_with(file, options).expect("it opens");
    let image = wim.image(first()).expect("it is there");
    let mut whole = Recorder::default();
    wim.extractor(&image)
        .send(&mut whole)
        .expect("the resolver vouches");
    let last = whole.calls.len() - 2;
    assert!(whole.calls[last].starts_with("write 500"));
    for fail_at in last - 1..last + 2 {
        let mut sink = Recorder {
            fail_at: Some(fail_at),
            ..Recorder::default()
        };
        let error = wim
            .extractor(&image)
            .send(&mut sink)
            .expect_err("the sink fails");
        assert_eq!(chain(&error), "the sink is full");
        assert_eq!(sink.calls[..], whole.calls[..=fail_at]);
    }
}

#[test]
fn images_that_were_replaced_are_left_out() {
    let mut contents = Contents::of(&[tree(), MemoryTree::new().file("new", "new")]);
    contents.xml = Contents::of(&[tree()]).xml;
    let mut file = Style::PLAIN.file(&contents);
    let table = u64::from_le_bytes(file[0x38..0x40].try_into().expect("8 bytes")) as usize;
    // The first image's metadata, with a reference count of zero.
    put(&mut file, table + 26, &[0; 4]);
    put(&mut file, 0x2C, &[1]);
    let wim = Wim::open(file).expect("it opens");
    assert_eq!((wim.superseded_image_count(), wim.image_count()), (1, 1));
    assert_eq!(tree_of(&wim, first()), MemoryTree::new().file("new", "new"));
}
