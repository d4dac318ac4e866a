//! Verification: every kind of problem, progress, cancellation.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use wcow_tree::memory::MemoryTree;
use wcow_wim::{
    Extent, ImageError, IntegrityError, OpenError, Options, Problem, ReadAt, ReadError,
    Unsupported, Wim,
};

use crate::build::{Algorithm, Codec, Contents, File, Style};
use crate::metadata::{entry, metadata_of};
use crate::support::{chain, first, put, runs, sha1, u64_at, verify, with_xml};

fn tree() -> MemoryTree {
    MemoryTree::new()
        .file("a", runs(1, 20_000))
        .file("b", runs(2, 30_000))
        .stream("b", "name", runs(3, 100))
}

fn lines(wim: &Wim) -> Vec<String> {
    let problems = verify(wim).problems;
    problems.iter().map(|problem| chain(problem)).collect()
}

#[test]
fn an_encrypted_file_is_named() {
    let file = Style::PLAIN.file(&Contents::of(&[tree()]));
    let text =
        "\u{feff}<WIM><ESD><ENCRYPTED/></ESD><IMAGE INDEX=\"1\"><NAME>x</NAME></IMAGE></WIM>";
    let file = with_xml(&file, &crate::support::utf16(text));
    let wim = Wim::open(file).expect("it opens");
    assert_eq!(wim.unsupported(), Some(Unsupported::EncryptedEsd));
    let report = verify(&wim);
    assert_eq!(report.unsupported(), Some(&Unsupported::EncryptedEsd));
    assert_eq!(lines(&wim), ["an encrypted ESD file cannot be verified"]);
    assert!(matches!(
        wim.image(first()),
        Err(ImageError::Unsupported { .. })
    ));
    let digest = wim.blobs()[0].digest;
    assert!(matches!(
        wim.read_blob_to_vec(&digest, u64::MAX),
        Err(ReadError::Unsupported { .. })
    ));
}

#[test]
fn versions_from_before_vista_are_named() {
    for version in [0x10900_u32, 0x10A00, 0x10B00, 0x10C00] {
        let mut file = Style::PLAIN.file(&Contents::of(&[tree()]));
        put(&mut file, 12, &version.to_le_bytes());
        let error = Wim::open(file).expect_err("it is too old");
        assert!(
            matches!(error, OpenError::Unsupported { what: Unsupported::Version(found) } if found == version),
            "{error}"
        );
        let expected = format!("a WIM of pre-release version {version:#x} cannot be opened");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn an_uncompressed_file_may_have_any_chunk_size() {
    for size in [1_u32, 32768, u32::MAX] {
        let mut file = Style::PLAIN.file(&Contents::of(&[tree()]));
        put(&mut file, 0x14, &size.to_le_bytes());
        let wim = Wim::open(file).expect("it opens");
        assert_eq!(lines(&wim), Vec::<String>::new());
        assert_eq!(wim.warnings().len(), 1);
    }
}

#[test]
fn what_shares_bytes_is_named() {
    let blobs = [runs(1, 20_000), runs(2, 30_000), runs(3, 100)];
    let contents = Contents::of(&[tree()]);
    let mut file = File::with_image(Codec::XPRESS, &contents);
    let raw = Codec::new(Algorithm::None, 4096);
    let solid = file.solid_resource(raw, &blobs[0]);
    let solid_at = u64_at(&solid, 8);
    file.row(solid, &[]);
    file.solid_blob(0, &blobs[0]);
    // Two blobs within the solid resource, another solid resource within it too.
    let inner = |file: &mut File, blob: &[u8], offset: u64| {
        let header = crate::support::resource(100, 0, offset as usize, 100);
        file.row(header, blob);
    };
    inner(&mut file, &blobs[1], solid_at + 500);
    inner(&mut file, &blobs[2], solid_at + 550);
    let mut other = solid;
    put(&mut other, 8, &(solid_at + 20).to_le_bytes());
    file.row(other, &[]);
    file.solid_blob(0, b"x");
    let wim = Wim::open(file.finish(&contents.xml, 1, None)).expect("it opens");
    let report = verify(&wim);
    let found: Vec<(Extent, u64, Extent)> = report
        .problems
        .iter()
        .filter_map(|problem| match problem {
            Problem::Overlap {
                what,
                offset,
                other,
            } => Some((*what, *offset, *other)),
            _ => None,
        })
        .collect();
    let solid = Extent::Solid(solid_at);
    assert_eq!(
        found,
        [
            (Extent::Solid(solid_at + 20), solid_at + 20, solid),
            (Extent::Blob(sha1(&blobs[1])), solid_at + 500, solid),
            (Extent::Blob(sha1(&blobs[2])), solid_at + 550, solid),
        ]
    );
    assert_eq!((report.blobs, report.problems.len()), (1, 3));
    let text = report.problems[1].to_string();
    assert_eq!(
        text,
        format!(
            "blob {}: expected bytes of its own at offset {:#x}, found those of the solid resource at offset {solid_at:#x}",
            sha1(&blobs[1]),
            solid_at + 500
        )
    );
}

#[test]
fn missing_blobs_are_named_with_the_stream_that_needs_them() {
    let tree = tree()
        .file(r"dir\b again", runs(2, 30_000))
        .file(r"dir\b too", runs(2, 30_000));
    let mut contents = Contents::of(&[tree]);
    contents.blobs.retain(|blob| blob.len() == 20_000);
    let wim = Style::solid(Codec::XPRESS, 9, usize::MAX).open(&contents);
    let mut expected = [
        (sha1(&runs(2, 30_000)), "`b` needs, and 2 others"),
        (sha1(&runs(3, 100)), "`b` (stream `name`) needs"),
    ];
    expected.sort_unstable();
    assert_eq!(
        lines(&wim),
        expected.map(|(digest, which)| format!("image 1: blob {digest} is missing, which {which}"))
    );
}

#[test]
fn paths_of_missing_blobs_are_told_as_far_as_there_is_room() {
    // 100 files within 16000 directories: a million directories are room for 65 of them.
    let depth = 16_000;
    let list = |level: usize| 8 + 104 + 8 + level * (entry(&[0x41], true, 0).len() + 8);
    let mut lists: Vec<Vec<Vec<u8>>> = (1..=depth)
        .map(|level| vec![entry(&[0x41], true, list(level))])
        .collect();
    let files = (0..100_u8).map(|number| {
        let mut file = entry(&[0x100 + u16::from(number)], false, 0);
        put(&mut file, 0x40, &sha1(&[number]).0);
        file
    });
    lists.push(files.collect());
    let mut contents = Contents::of(&[MemoryTree::new()]);
    contents.images = vec![metadata_of(&lists, list(0))];
    let wim = Style::PLAIN.open(&contents);
    let report = verify(&wim);
    assert_eq!(report.problems.len(), 66);
    assert!(
        matches!(
            report.problems[65],
            Problem::FurtherMissing { blobs: 35, .. }
        ),
        "{:?}",
        report.problems[65]
    );
    assert_eq!(
        report.problems[65].to_string(),
        "image 1: 35 further blobs are missing"
    );
    let course = crate::record::extract(&wim, 1);
    assert_eq!(course.outcome.len(), 66);
    assert!(
        course.outcome[0].starts_with(
            "the tree could not be read: 100 of the image's streams could not be read"
        )
    );
}

#[test]
fn an_integrity_table_that_contradicts_itself_is_refused() {
    #[track_caller]
    fn check(at: usize, value: &[u8], expected: &str) {
        let style = Style {
            integrity: Some(1000),
            ..Style::PLAIN
        };
        let mut file = style.file(&Contents::of(&[tree()]));
        let table = u64_at(&file, 0x7C + 8) as usize;
        // Negative places are in the header.
        let at = if at < 1000 { table + at } else { at - 1000 };
        put(&mut file, at, value);
        let wim = Wim::open(file).expect("it opens");
        let report = verify(&wim);
        assert!(!report.integrity_checked);
        let [Problem::Integrity(error @ IntegrityError::Table { .. })] = &report.problems[..]
        else {
            panic!("{:?}", report.problems);
        };
        assert!(error.to_string().contains(expected), "{error}");
    }
    check(0, &[1, 0, 0, 0], "as size, found 1");
    check(4, &[1, 0, 0, 0], "as number of entries, found 1");
    check(8, &[0; 4], "expected 1 as piece size, found 0");
    check(8, &[255, 255, 0, 0], "expected 1 as number of entries");
    let header = 1000 + 0x7C;
    check(header + 7, &[4], "as stored size");
    check(header + 8, &[0, 0, 0, 0, 1], "as end of the file");
    check(header, &[9, 0, 0], "as stored size, found 9");
}

/// Bytes of which some cannot be read.
struct Failing {
    bytes: Vec<u8>,
    from: u64,
}

impl ReadAt for Failing {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        if offset + buf.len() as u64 > self.from && offset < self.from + 10 {
            return Err(io::Error::other("a bad sector"));
        }
        self.bytes.read_at(offset, buf)
    }

    fn len(&self) -> io::Result<u64> {
        ReadAt::len(&self.bytes)
    }
}

#[test]
fn what_the_file_system_says_is_handed_on() {
    let blob = runs(1, 20_000);
    let style = Style {
        integrity: Some(100_000),
        ..Style::compressed(Codec::XPRESS)
    };
    let bytes = style.file(&Contents::of(&[tree()]));
    let open = |from: u64| {
        let bytes = bytes.clone();
        Wim::open(Arc::new(Failing { bytes, from }))
    };
    for from in [0, u64_at(&bytes, 0x38), u64_at(&bytes, 0x50)] {
        let error = open(from).expect_err("it cannot be read");
        assert!(chain(&error).ends_with("a bad sector"), "{}", chain(&error));
    }
    let table = u64_at(&bytes, 0x38) as usize;
    let row = (table..)
        .step_by(50)
        .find(|row| bytes[row + 30..row + 50] == sha1(&blob).0)
        .expect("its row");
    let resource = u64_at(&bytes, row + 8);
    // In its table, and in a chunk.
    for at in [resource, resource + 100] {
        let wim = open(at).expect("it opens");
        let found = lines(&wim);
        assert_eq!(found.len(), 2, "{found:#?}");
        assert!(found[0].starts_with("integrity table: the file could not be read at offset 0xd0"));
        assert!(
            found[1].starts_with(&format!(
                "blob {}: the resource at offset {resource:#x} could not be read at offset",
                sha1(&blob)
            )),
            "{found:#?}"
        );
        let mut reader = wim
            .blob_reader(&sha1(&blob))
            .expect("nothing is read yet")
            .expect("it is there");
        let error = io::Read::read(&mut reader, &mut [0; 10]).expect_err("it cannot be read");
        assert_eq!(error.kind(), io::ErrorKind::Other);
    }
    let integrity = open(u64_at(&bytes, 0x7C + 8)).expect("it opens");
    assert!(
        lines(&integrity)[0].starts_with("integrity table: the file could not be read at offset")
    );
    let metadata = open(208).expect("it opens");
    let found = lines(&metadata);
    assert!(
        found
            .iter()
            .any(|line| line.starts_with("the metadata of image 1 could not be read")),
        "{found:#?}"
    );
}

#[test]
fn a_cancelled_verification_tells_what_it_has_found() {
    let style = Style {
        integrity: Some(500),
        ..Style::compressed(Codec::XPRESS)
    };
    let wim = style.open(&Contents::of(&[tree()]));
    let mut calls = 0_u32;
    let mut count = |_| calls += 1;
    assert!(wim.verifier().progress(&mut count).run().is_ok());
    assert!(calls > 5, "{calls}");
    for stop_at in 1..=calls {
        for workers in [1, 2, 5] {
            let cancel = AtomicBool::new(false);
            let mut seen = 0;
            let mut done = 0;
            let mut progress = |now: wcow_wim::Progress| {
                seen += 1;
                assert!(now.done >= done && now.done <= now.total);
                done = now.done;
                if seen == stop_at {
                    cancel.store(true, Ordering::Relaxed);
                }
            };
            let report = wim
                .verifier()
                .workers(workers.try_into().expect("at least one"))
                .progress(&mut progress)
                .cancel(&cancel)
                .run();
            assert!(report.cancelled && !report.is_ok());
            assert!(report.problems.is_empty(), "{:?}", report.problems);
            assert_eq!(seen, stop_at, "nothing is done after it");
        }
    }
}

#[test]
fn metadata_above_its_budget_is_refused() {
    let contents = Contents::of(&[tree()]);
    let mut options = Options::default();
    options.limits.metadata_bytes = 300;
    let file = Style::PLAIN.file(&contents);
    let wim = Wim::open_with(file.clone(), options).expect("it opens");
    let error = wim.image(first()).expect_err("it is larger");
    assert!(
        chain(&error).contains("bytes of metadata are needed, the budget is 300"),
        "{}",
        chain(&error)
    );
    let mut options = Options::default();
    options.limits.xml_bytes = 10;
    let error = Wim::open_with(file, options).expect_err("it is larger");
    assert!(
        chain(&error).contains("bytes of XML data are needed, the budget is 10"),
        "{}",
        chain(&error)
    );
}
