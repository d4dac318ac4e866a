//! One blob as something to read and to seek in.

use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::ops::ControlFlow;

use proptest::prelude::*;
use wcow_tree::memory::MemoryTree;
use wcow_wim::{BlobReader, Budget, Options, ReadError, Wim};

use crate::build::{Algorithm, Codec, Contents, Style};
use crate::support::{chain, runs, sha1};

/// The blob between two others, and a reader over it, in this layout.
fn reader(style: Style, len: usize) -> (Vec<u8>, BlobReader) {
    let blob = runs(1, len);
    let tree = MemoryTree::new()
        .file("before", runs(2, 10_000))
        .file("blob", &blob)
        .file("behind", runs(3, 10_000));
    let wim = style.open(&Contents::of(&[tree]));
    let reader = wim.blob_reader(&sha1(&blob)).expect("it can be read");
    (blob, reader.expect("it is there"))
}

fn styles() -> Vec<Style> {
    let lzms = Codec::new(Algorithm::Lzms, 1 << 15);
    vec![
        Style::PLAIN,
        Style::compressed(Codec::XPRESS),
        Style::compressed(lzms),
        Style {
            pipable: true,
            ..Style::compressed(Codec::XPRESS)
        },
        Style::solid(Codec::XPRESS, 9, usize::MAX),
        Style::solid(lzms, 9, 100_000),
        Style::solid(Codec::new(Algorithm::None, 4096), 9, 7777),
    ]
}

#[test]
fn a_reader_tells_what_it_reads() {
    let (blob, reader) = reader(Style::PLAIN, 1000);
    assert_eq!((reader.len(), reader.is_empty()), (1000, false));
    assert_eq!(reader.digest(), sha1(&blob));
    assert_eq!(reader.wim().blobs().len(), 3);
    let shown = format!("{reader:?}");
    assert!(
        shown.contains("len: 1000") && shown.contains("position: 0"),
        "{shown}"
    );
}

#[test]
fn positions_behind_the_end_read_nothing_and_before_the_start_are_refused() {
    for style in styles() {
        let (blob, mut reader) = reader(style, 600_000);
        let mut bytes = [0; 10];
        assert_eq!(reader.seek(SeekFrom::End(5)).expect("it can"), 600_005);
        assert_eq!(reader.read(&mut bytes).expect("nothing"), 0);
        assert_eq!(
            reader.seek(SeekFrom::Start(u64::MAX)).expect("it can"),
            u64::MAX
        );
        assert_eq!(reader.read(&mut bytes).expect("nothing"), 0);
        let error = reader.seek(SeekFrom::Current(1)).expect_err("it overflows");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        reader
            .seek(SeekFrom::End(-600_001))
            .expect_err("before the start");
        assert_eq!(reader.seek(SeekFrom::End(-3)).expect("it can"), 599_997);
        assert_eq!(reader.read(&mut []).expect("nothing"), 0);
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).expect("it can be read");
        assert_eq!(rest, blob[599_997..]);
        assert_eq!(reader.seek(SeekFrom::Current(-600_000)).expect("it can"), 0);
        rest.clear();
        reader.read_to_end(&mut rest).expect("it can be read");
        assert!(rest == blob);
    }
}

#[test]
fn a_wrong_hash_is_found_by_whoever_reads_everything_in_order() {
    for style in styles() {
        let blob = runs(1, 600_000);
        let tree = MemoryTree::new().file("blob", &blob);
        let mut contents = Contents::of(&[tree]);
        let image = contents.images.pop().expect("one");
        let digest = sha1(&blob);
        // The same file with another digest in the row and in the image.
        let mut file = style.file(&Contents {
            images: vec![image],
            ..contents
        });
        let rows: Vec<usize> = file
            .windows(20)
            .enumerate()
            .filter(|(_, bytes)| **bytes == digest.0)
            .map(|(at, _)| at)
            .collect();
        for at in rows {
            file[at] ^= 1;
        }
        let mut wrong = digest;
        wrong.0[0] ^= 1;
        let wim = Wim::open(file).expect("it opens");
        let open = || {
            wim.blob_reader(&wrong)
                .expect("it can be read")
                .expect("it is there")
        };
        let mut bytes = Vec::new();
        let error = open().read_to_end(&mut bytes).expect_err("another hash");
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        let source = error.into_inner().expect("the cause");
        assert!(
            matches!(source.downcast_ref(), Some(ReadError::Digest { expected, .. }) if *expected == wrong)
        );
        // Whoever has left out the first byte cannot know.
        let mut reader = open();
        reader.seek(SeekFrom::Start(599_999)).expect("it can");
        bytes.clear();
        if style.codec.algorithm != Algorithm::None || style.solid.is_some() {
            reader.read_to_end(&mut bytes).expect("nobody knows");
            assert_eq!(bytes, blob[599_999..]);
        }
        // Reading some of it twice, then the rest, is everything in order as well.
        let mut reader = open();
        let mut some = vec![0; 5000];
        for _ in 0..2 {
            reader.seek(SeekFrom::Start(0)).expect("it can");
            reader.read_exact(&mut some).expect("the first bytes");
        }
        bytes.clear();
        reader.read_to_end(&mut bytes).expect_err("another hash");
    }
}

#[test]
fn a_receiver_can_stop() {
    let (blob, reader) = reader(Style::compressed(Codec::XPRESS), 600_000);
    let mut pieces = 0;
    let error = reader
        .wim()
        .read_blob(&sha1(&blob), &mut |_| {
            pieces += 1;
            ControlFlow::Break(())
        })
        .expect_err("it was stopped");
    assert!(
        matches!(error, ReadError::Stopped) && pieces == 1,
        "{error}"
    );
}

#[test]
fn a_blob_is_sent_by_any_number_of_workers() {
    // Large enough to be cut into units.
    let blob = runs(1, (2 << 20) + 100_000);
    let contents = Contents::of(&[MemoryTree::new().file("blob", &blob)]);
    for style in [
        Style::compressed(Codec::XPRESS),
        Style::solid(Codec::XPRESS, 9, usize::MAX),
    ] {
        let file = style.file(&contents);
        for workers in [1_usize, 3] {
            let mut options = Options::default();
            options.workers = workers.try_into().expect("at least one");
            let wim = Wim::open_with(file.clone(), options).expect("it opens");
            let mut sent = Vec::new();
            let mut keep = |bytes: &[u8]| {
                sent.extend_from_slice(bytes);
                ControlFlow::Continue(())
            };
            wim.send_blob(&sha1(&blob), &mut keep)
                .expect("it can be read");
            assert!(sent == blob);
            let error = wim
                .send_blob(&sha1(&blob), &mut |_| ControlFlow::Break(()))
                .expect_err("it was stopped");
            assert!(matches!(error, ReadError::Stopped), "{error}");
            let error = wim
                .send_blob(&sha1(b"other"), &mut |_| ControlFlow::Continue(()))
                .expect_err("it is not there");
            assert!(matches!(error, ReadError::Missing { .. }), "{error}");
        }
    }
}

#[test]
fn errors_keep_their_kind() {
    #[track_caller]
    fn check(file: Vec<u8>, blob: &[u8], kind: ErrorKind, expected: &str) {
        let wim = Wim::open(file).expect("it opens");
        match wim.blob_reader(&sha1(blob)) {
            Ok(reader) => {
                let error = reader
                    .expect("it is there")
                    .read_to_end(&mut Vec::new())
                    .expect_err("it is damaged");
                assert_eq!(error.kind(), kind);
                assert!(error.to_string().contains(expected), "{error}");
            }
            Err(error) => assert!(chain(&error).contains(expected), "{}", chain(&error)),
        }
    }
    let blob = runs(1, 30_000);
    let contents = Contents::of(&[MemoryTree::new().file("blob", &blob)]);
    let mut file = Style::compressed(Codec::XPRESS).file(&contents);
    let table = u64::from_le_bytes(file[0x38..0x40].try_into().expect("8 bytes")) as usize;
    let row = table + 50;
    let start = u64::from_le_bytes(file[row + 8..row + 16].try_into().expect("8 bytes")) as usize;
    let good = file.clone();
    // The first of seven entries, and the code lengths of the first chunk.
    file[start + 1] ^= 0x40;
    check(
        file.clone(),
        &blob,
        ErrorKind::InvalidData,
        "expected a stored size of 1 to 4096",
    );
    file.clone_from(&good);
    file[start + 28..start + 28 + 256].fill(0x11);
    check(
        file.clone(),
        &blob,
        ErrorKind::InvalidData,
        "does not decompress",
    );
    file.clone_from(&good);
    file[row + 14] = 1;
    check(file, &blob, ErrorKind::InvalidData, "but the file ends at");
}

#[test]
fn a_blob_above_the_budget_has_no_reader() {
    let blob = runs(1, 30_000);
    let contents = Contents::of(&[MemoryTree::new().file("blob", &blob)]);
    let mut options = Options::default();
    options.limits.output_bytes = 29_999;
    options.limits.output_ratio = 0;
    for style in styles() {
        let wim = Wim::open_with(style.file(&contents), options.clone()).expect("it opens");
        let error = wim.blob_reader(&sha1(&blob)).expect_err("too large");
        assert!(
            matches!(
                error,
                ReadError::Budget {
                    budget: Budget::Output,
                    needed: 30_000,
                    limit: 29_999,
                    ..
                }
            ),
            "{error}"
        );
    }
}

/// Where to seek and how much to read there.
fn reads() -> impl Strategy<Value = Vec<(u64, usize)>> {
    let place = prop_oneof![0..700_000_u64, (0..20_u64).prop_map(|chunk| chunk * 32768)];
    prop::collection::vec((place, prop_oneof![0..10_usize, 0..300_000_usize]), 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_place_is_read_as_it_is(reads in reads(), style in prop::sample::select(styles())) {
        let (blob, mut reader) = reader(style, 650_000);
        for (place, len) in reads {
            reader.seek(SeekFrom::Start(place)).expect("it can");
            let mut bytes = Vec::new();
            Read::by_ref(&mut reader).take(len as u64).read_to_end(&mut bytes).expect("it can be read");
            let start = blob.len().min(place as usize);
            let end = blob.len().min(start + len);
            prop_assert!(bytes == blob[start..end], "{len} bytes at {place}");
        }
        reader.seek(SeekFrom::Start(0)).expect("it can");
        let mut whole = Vec::new();
        reader.read_to_end(&mut whole).expect("its hash is right");
        prop_assert!(whole == blob);
    }
}
