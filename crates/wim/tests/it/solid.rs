//! Solid resources that are damaged, and runs that lie.

use std::io::{Read as _, Seek as _, SeekFrom};

use wcow_tree::TreeSource as _;
use wcow_tree::memory::MemoryTree;
use wcow_wim::{BlobLocation, Options, ReadError, Wim};

use crate::build::{Algorithm, Codec, Contents, File, Style};
use crate::record::{Recorder, extract, outcome};
use crate::support::{chain, first, put, resource, sha1, verify};

const RAW: Codec = Codec::new(Algorithm::None, 4096);

/// A file whose image has these blobs as `0`, `1`, ..., with what `add` adds.
fn file_of(blobs: &[Vec<u8>], add: impl FnOnce(&mut File)) -> Vec<u8> {
    let files = blobs.iter().enumerate();
    let tree = files.fold(MemoryTree::new(), |tree, (name, blob)| {
        tree.file(&*name.to_string(), blob)
    });
    let contents = Contents::of(&[tree]);
    let mut file = File::with_image(Codec::XPRESS, &contents);
    add(&mut file);
    file.finish(&contents.xml, 1, None)
}

/// Bytes that differ from those of other numbers.
fn blob(number: u8, len: usize) -> Vec<u8> {
    (0..len).map(|at| number ^ (at / 7) as u8).collect()
}

/// What is wrong with the file, and how its extraction goes.
#[track_caller]
fn outcomes(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    let wim = Wim::open(bytes.to_vec()).expect("it opens");
    let problems = verify(&wim).problems;
    let course = extract(&wim, 1);
    for workers in [2, 5] {
        assert_eq!(extract(&wim, workers), course);
    }
    (
        problems.iter().map(|problem| chain(problem)).collect(),
        course.outcome,
    )
}

#[test]
fn a_blob_that_cannot_be_read_does_not_come_within_another() {
    // The second overlaps the first; the third spans several units of work.
    let blobs = [blob(1, 10_000), blob(2, 3000), blob(3, 5 << 20)];
    let bytes = file_of(&blobs, |file| {
        let mut all = blobs[0].clone();
        all.extend(&blobs[2]);
        let header = file.solid_resource(RAW, &all);
        file.row(header, &[]);
        file.solid_blob(0, &blobs[0]);
        file.solid_blob(5000, &blobs[1]);
        file.solid_blob(10_000, &blobs[2]);
    });
    let (problems, extracted) = outcomes(&bytes);
    let expected = format!(
        "expected blobs that do not overlap, found blob {} at 5000, and one before it up to 10000",
        sha1(&blobs[1])
    );
    assert!(
        problems.len() == 1 && problems[0].ends_with(&expected),
        "{problems:#?}"
    );
    assert!(
        extracted.len() == 2 && extracted[1].ends_with(&expected),
        "{extracted:#?}"
    );
}

#[test]
fn a_damaged_chunk_hurts_only_the_blobs_in_it() {
    let blobs: Vec<Vec<u8>> = (0..9).map(|number| blob(number, 3000)).collect();
    let all = blobs.concat();
    let start = |bytes: &[u8]| {
        let found = bytes.windows(100).position(|window| *window == all[..100]);
        found.expect("it is stored raw")
    };
    let codec = Codec::XPRESS;
    let raw = file_of(&blobs, |file| {
        let blobs: Vec<&[u8]> = blobs.iter().map(Vec::as_slice).collect();
        file.solid_run(RAW, usize::MAX, &blobs);
    });
    // A raw chunk: the one blob with the damaged byte has another hash.
    let mut flipped = raw.clone();
    flipped[start(&raw) + 3000 * 4 + 5] ^= 1;
    let (problems, extracted) = outcomes(&flipped);
    let name = sha1(&blobs[4]);
    assert!(
        problems.len() == 1 && problems[0].contains(&format!("expected SHA-1 {name}")),
        "{problems:#?}"
    );
    assert_eq!(extracted.len(), 2, "{extracted:#?}");

    // A chunk that does not decompress: every blob with bytes in it, the first with the reason.
    let mut bytes = file_of(&blobs, |file| {
        let blobs: Vec<&[u8]> = blobs.iter().map(Vec::as_slice).collect();
        file.solid_run(codec, usize::MAX, &blobs);
    });
    let wim = Wim::open(bytes.clone()).expect("it opens");
    assert!(verify(&wim).is_ok());
    // Behind metadata that shrinks lies the solid resource: 16 bytes, then the sizes of seven chunks.
    let header = bytes
        .windows(16)
        .position(|window| {
            *window
                == [
                    &27_000_u64.to_le_bytes()[..],
                    &4096_u32.to_le_bytes(),
                    &1_u32.to_le_bytes(),
                ]
                .concat()
        })
        .expect("its header");
    let sizes: Vec<usize> = (0..7)
        .map(|chunk| {
            let at = header + 16 + 4 * chunk;
            u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes")) as usize
        })
        .collect();
    assert!(sizes.iter().all(|size| *size < 4096), "{sizes:?}");
    let second = header + 16 + 28 + sizes[0];
    // Code lengths that are no code.
    bytes[second..second + 256].fill(0x11);
    let (problems, extracted) = outcomes(&bytes);
    // Chunk 1 is bytes 4096 to 8192: blobs 1 (3000 to 6000) and 2 (6000 to 9000).
    let [one, two] = [1, 2].map(|blob: usize| sha1(&blobs[blob]));
    let decompress = "chunk 1 of the resource";
    assert_eq!(problems.len(), 2, "{problems:#?}");
    assert!(
        problems[0].starts_with(&format!("blob {one}: {decompress}")),
        "{problems:#?}"
    );
    assert!(
        problems[1].starts_with(&format!(
            "blob {two}: the solid resource at offset {header:#x} could not be read here"
        )),
        "{problems:#?}"
    );
    assert_eq!(extracted.len(), 3, "{extracted:#?}");
}

#[test]
fn headers_of_solid_resources_are_checked() {
    #[track_caller]
    fn check(at: usize, value: &[u8], expected: &str) {
        let blobs = [blob(1, 9000), blob(2, 100)];
        let bytes = file_of(&blobs, |file| {
            let header = file.solid_resource(RAW, &blobs.concat());
            let start = file.bytes.len() - 9100 - 16 - 12;
            put(&mut file.bytes, start + at, value);
            file.row(header, &[]);
            file.solid_blob(0, &blobs[0]);
            file.solid_blob(9000, &blobs[1]);
        });
        let (problems, extracted) = outcomes(&bytes);
        assert!(problems[0].contains(expected), "{problems:#?}");
        assert!(
            problems[1].contains("could not be read here, as for blob"),
            "{problems:#?}"
        );
        assert!(extracted[1].contains(expected), "{extracted:#?}");
    }
    check(
        0,
        &[0; 4],
        "expected chunks of 9112 stored bytes in all, found 0",
    );
    check(0, &[255; 8], "stored bytes for");
    check(
        8,
        &[1, 2],
        "expected a power of two as the chunk size of none, found 0x201",
    );
    check(
        8,
        &[0; 4],
        "expected a power of two as the chunk size of none, found 0x0",
    );
    check(
        12,
        &[4],
        "expected an algorithm of 0 to 3 in a solid resource, found 0x4",
    );
    check(
        12,
        &[2],
        "expected a power of two from 0x8000 to 0x200000 as the chunk size of LZX, found 0x1000",
    );
    check(
        12,
        &[3],
        "expected a power of two from 0x8000 to 0x40000000 as the chunk size of LZMS, found 0x1000",
    );
    check(
        16,
        &[1, 0],
        "expected chunks of 9100 stored bytes in all, found 5005",
    );
}

#[test]
fn resources_out_of_the_file_or_too_short_are_refused() {
    #[track_caller]
    fn check(stored: usize, offset: usize, expected: &str) {
        let blobs = [blob(1, 100)];
        let bytes = file_of(&blobs, |file| {
            file.row(resource(stored, 0x14, offset, 1 << 32), &[]);
            file.solid_blob(0, &blobs[0]);
        });
        let (problems, extracted) = outcomes(&bytes);
        assert!(problems[0].contains(expected), "{problems:#?}");
        assert!(extracted[1].contains(expected), "{extracted:#?}");
    }
    check(1000, 1 << 40, "has 1000 stored bytes, but the file ends at");
    check(
        15,
        208,
        "expected a solid resource of 16 bytes or more, found 15",
    );
    check(
        0,
        208,
        "expected a solid resource of 16 bytes or more, found 0",
    );
}

#[test]
fn a_run_without_resources_has_no_blobs() {
    let blobs = [blob(1, 100)];
    let bytes = file_of(&blobs, |file| file.solid_blob(0, &blobs[0]));
    let (problems, extracted) = outcomes(&bytes);
    let expected = format!(
        "expected blob {} within its 0 bytes, found it at 0 to 100",
        sha1(&blobs[0])
    );
    assert!(problems[0].ends_with(&expected), "{problems:#?}");
    assert!(extracted[1].ends_with(&expected), "{extracted:#?}");
    let wim = Wim::open(bytes).expect("it opens");
    let error = wim
        .blob_reader(&sha1(&blobs[0]))
        .expect_err("it is not there");
    assert!(chain(&error).ends_with(&expected), "{}", chain(&error));
}

#[test]
fn resources_that_overlap_are_read_once() {
    // Two runs on the same resource, and one that has it twice.
    let blobs = [blob(1, 9000), blob(2, 100), blob(3, 100)];
    let all = [blobs.concat(), blob(4, 5000)].concat();
    let bytes = file_of(&blobs, |file| {
        let header = file.solid_resource(RAW, &all);
        file.row(header, &[]);
        file.solid_blob(0, &blobs[0]);
        file.row([0; 24], &[]);
        file.row(header, &[]);
        file.solid_blob(9000, &blobs[1]);
        file.row([0; 24], &[]);
        file.row(header, &[]);
        file.row(header, &[]);
        file.solid_blob(9100, &blobs[2]);
    });
    let wim = Wim::open(bytes.clone()).expect("it opens");
    let (problems, extracted) = outcomes(&bytes);
    assert_eq!(problems.len(), 3, "{problems:#?}");
    assert!(
        problems
            .iter()
            .all(|problem| problem.contains("expected bytes of its own at offset")),
        "{problems:#?}"
    );
    // What verification does not read cannot be extracted either.
    assert_eq!(extracted.len(), 3, "{extracted:#?}");
    assert!(
        extracted[1..].iter().all(|line| line
            .contains("expected bytes of its own, found those of the solid resource at offset")),
        "{extracted:#?}"
    );
    let read = |blob: &[u8]| wim.read_blob_to_vec(&sha1(blob), u64::MAX).ok();
    assert_eq!(read(&blobs[0]).as_deref(), Some(&blobs[0][..]));
    assert_eq!(read(&blobs[1]), None);
    assert_eq!(read(&blobs[2]), None);
}

#[test]
fn runs_follow_the_rows_of_the_table() {
    let blobs: Vec<Vec<u8>> = (0..12).map(|number| blob(number, 1000)).collect();
    let tree = blobs
        .iter()
        .enumerate()
        .fold(MemoryTree::new(), |tree, (name, blob)| {
            tree.file(&*name.to_string(), blob)
        });
    let wim = Style::solid(RAW, 5, 1500).open(&Contents::of(&[tree]));
    let mut runs: Vec<u32> = wim
        .blobs()
        .iter()
        .filter_map(|blob| match blob.location {
            BlobLocation::Solid { run, .. } => Some(run),
            _ => None,
        })
        .collect();
    runs.sort_unstable();
    assert_eq!(runs, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2]);
    assert_eq!(wim.solid_resource_count(), 4 + 4 + 2);
}

#[test]
fn a_file_without_the_version_of_solid_resources_has_none() {
    let blobs = [blob(1, 100)];
    let mut bytes = file_of(&blobs, |file| {
        let header = file.solid_resource(RAW, &blobs[0]);
        file.row(header, &[]);
        file.solid_blob(0, &blobs[0]);
    });
    put(&mut bytes, 12, &0x10D00_u32.to_le_bytes());
    let wim = Wim::open(bytes).expect("it opens");
    assert_eq!(wim.solid_resource_count(), 0);
    assert!(!verify(&wim).is_ok());
}

#[test]
fn a_reader_that_fails_at_the_end_fails_there_again() {
    // The last bytes alone have the digest of the row: they must not pass for the blob.
    let tail = blob(9, 256 << 10);
    let long = [blob(1, 256 << 10), tail.clone()].concat();
    let bytes = file_of(std::slice::from_ref(&long), |file| {
        let header = file.solid_resource(RAW, &long);
        file.row(header, &[]);
        let whole = resource(long.len(), 0x14, 0, long.len());
        file.row(whole, &tail);
    });
    let wim = Wim::open(bytes).expect("it opens");
    let mut reader = wim
        .blob_reader(&sha1(&tail))
        .expect("it can be read")
        .expect("it is there");
    let mut read = Vec::new();
    for _ in 0..3 {
        let error = reader
            .read_to_end(&mut read)
            .expect_err("it has another hash");
        assert!(error.to_string().contains("expected SHA-1"), "{error}");
        assert_eq!(
            read.len(),
            256 << 10,
            "what is behind the first half is not given"
        );
    }
    reader.seek(SeekFrom::Start(0)).expect("it can");
    read.clear();
    reader
        .read_to_end(&mut read)
        .expect_err("it still has another hash");
}

#[test]
fn a_blob_in_the_solid_resource_of_a_reference_is_found() {
    let tree = MemoryTree::new()
        .file("a", blob(1, 9000))
        .file("b", blob(2, 9000));
    let contents = Contents::of(std::slice::from_ref(&tree));
    let base = Style::solid(Codec::XPRESS, 1, 5000).open(&contents);
    let mut delta = contents.clone();
    delta.blobs.pop();
    let mut options = Options::default();
    options.references = vec![base];
    let wim = Wim::open_with(Style::solid(Codec::XPRESS, 1, 5000).file(&delta), options)
        .expect("it opens");
    assert_eq!(wim.blobs().len(), 1);
    let image = wim.image(first()).expect("it is there");
    assert_eq!(
        MemoryTree::collect(&mut wim.extractor(&image)).expect("it can be sent"),
        tree
    );
    let report = verify(&wim);
    assert!(report.is_ok(), "{:?}", report.problems);
    assert_eq!(report.blobs, 2, "the one of the reference is read as well");
    for blob in &contents.blobs {
        assert_eq!(
            wim.read_blob_to_vec(&sha1(blob), u64::MAX).as_deref().ok(),
            Some(&blob[..])
        );
    }
}

#[test]
fn a_declined_stream_is_left_out() {
    let tree = MemoryTree::new()
        .file("a", blob(1, 9000))
        .file("b", blob(2, 9000));
    let contents = Contents::of(&[tree]);
    let wim = Style::solid(Codec::XPRESS, 9, usize::MAX).open(&contents);
    let image = wim.image(first()).expect("it is there");
    let mut sink = Recorder {
        declines: Some(|stream| stream.entry.0 == 1),
        ..Recorder::default()
    };
    wim.extractor(&image)
        .send(&mut sink)
        .expect("it can be sent");
    sink.check_order();
    let streams: Vec<&str> = sink
        .calls
        .iter()
        .map(String::as_str)
        .filter(|call| !call.starts_with("entry"))
        .collect();
    assert_eq!(
        streams
            .iter()
            .filter(|call| call.starts_with("write"))
            .count(),
        1
    );
    assert!(streams.contains(&"open 1.0 declined"), "{streams:?}");
}

#[test]
fn budgets_hold_for_solid_resources() {
    let blobs: Vec<Vec<u8>> = (0..4).map(|number| vec![number; 100_000]).collect();
    let contents = {
        let tree = blobs
            .iter()
            .enumerate()
            .fold(MemoryTree::new(), |tree, (name, blob)| {
                tree.file(&*name.to_string(), blob)
            });
        Contents::of(&[tree])
    };
    let style = Style::solid(Codec::new(Algorithm::Lzms, 1 << 17), 99, usize::MAX);
    let mut options = Options::default();
    options.limits.output_bytes = 1 << 18;
    options.limits.output_ratio = 0;
    let wim = Wim::open_with(style.file(&contents), options.clone()).expect("it opens");
    // 400000 bytes in four chunks: the first two are within the budget.
    let report = verify(&wim);
    assert_eq!(
        (report.blobs, report.problems.len()),
        (2, 2),
        "{:?}",
        report.problems
    );
    let image = wim.image(first()).expect("it is there");
    let mut sink = Recorder::default();
    let error = wim
        .extractor(&image)
        .send(&mut sink)
        .expect_err("it has more bytes");
    assert_eq!(
        outcome(&error),
        [
            "the tree could not be read: the image has 400000 bytes of files, the output budget for a file of this size is 262144"
        ]
    );
    assert!(sink.calls.is_empty());
    let mut plenty = Options::default();
    plenty.limits.chunk_bytes = 1 << 16;
    let wim = Wim::open_with(style.file(&contents), plenty).expect("it opens");
    let error = wim
        .read_blob_to_vec(&sha1(&blobs[0]), u64::MAX)
        .expect_err("its chunks are larger");
    assert!(
        matches!(
            error,
            ReadError::Budget {
                budget: wcow_wim::Budget::ChunkMemory,
                needed: 0x20000,
                limit: 0x10000,
                ..
            }
        ),
        "{error}"
    );
}
