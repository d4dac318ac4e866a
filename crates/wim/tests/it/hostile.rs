//! Small files that would like to cost much: what is made of them is bounded, whatever they say.

use wcow_tree::TreeSource as _;
use wcow_tree::memory::MemoryTree;
use wcow_wim::{Budget, ExtractError, ReadError, Wim};

use crate::build::{Algorithm, Codec, Contents, File, Style};
use crate::encode::encode;
use crate::record::{Recorder, extract, verify};
use crate::support::{first, put, resource, sha1};

const MIB: u64 = 1 << 20;

/// Such a file in a folder, where `WCOW_HOSTILE` names one: to be measured by hand.
fn keep(name: &str, file: &[u8]) {
    if let Some(folder) = std::env::var_os("WCOW_HOSTILE") {
        std::fs::write(std::path::Path::new(&folder).join(name), file).expect("it can be written");
    }
}

/// Bytes that are made of the file by a verification, and by an extraction.
fn work(file: &[u8]) -> (u64, u64) {
    let wim = Wim::open(file.to_vec()).expect("it opens");
    let done = |course: &crate::record::Course| course.progress.map_or(0, |progress| progress.done);
    let (verified, extracted) = (verify(&wim, 1), extract(&wim, 1));
    assert_eq!(verify(&wim, 2), verified);
    assert_eq!(extract(&wim, 2), extracted);
    (done(&verified), done(&extracted))
}

/// An image of `count` files, each with a blob of its own: the digests of these.
fn image_of(count: usize) -> (Contents, Vec<Vec<u8>>) {
    let names: Vec<Vec<u8>> = (0..count).map(|number| number.to_string().into()).collect();
    let tree = names.iter().fold(MemoryTree::new(), |tree, name| {
        tree.file(&*String::from_utf8_lossy(name), name)
    });
    (Contents::of(&[tree]), names)
}

/// One resource of one chunk that holds nothing but matches.
fn bomb(codec: Codec) -> Vec<u8> {
    let chunk = vec![0; codec.chunk_size as usize];
    encode(codec.algorithm, codec.chunk_size, &chunk).expect("it shrinks")
}

#[test]
fn many_rows_on_one_resource() {
    for (name, codec) in [
        ("rows-xpress.wim", Codec::new(Algorithm::Xpress, 1 << 16)),
        ("rows-lzx.wim", Codec::new(Algorithm::Lzx, 1 << 21)),
        ("rows-lzms.wim", Codec::new(Algorithm::Lzms, 1 << 26)),
    ] {
        let (contents, names) = image_of(30);
        let mut file = File::with_image(codec, &contents);
        let stored = bomb(codec);
        let header = resource(stored.len(), 4, file.bytes.len(), codec.chunk_size as usize);
        file.bytes.extend(&stored);
        for name in &names {
            file.row(header, name);
        }
        let bytes = file.finish(&contents.xml, 1, None);
        keep(name, &bytes);
        assert!(bytes.len() < 16_000, "{}", bytes.len());
        let (verified, extracted) = work(&bytes);
        assert_eq!(verified, u64::from(codec.chunk_size), "it is read once");
        assert!(extracted <= 256 * MIB + 2048 * bytes.len() as u64);
    }
}

#[test]
fn many_runs_on_one_solid_resource() {
    let codec = Codec::new(Algorithm::Lzms, 1 << 26);
    let (contents, names) = image_of(30);
    let mut file = File::with_image(Codec::XPRESS, &contents);
    let stored = bomb(codec);
    let offset = file.bytes.len();
    file.bytes.extend((64 * MIB).to_le_bytes());
    file.bytes.extend(codec.chunk_size.to_le_bytes());
    file.bytes.extend(3_u32.to_le_bytes());
    file.bytes.extend((stored.len() as u32).to_le_bytes());
    file.bytes.extend(&stored);
    let header = resource(20 + stored.len(), 0x14, offset, 1 << 32);
    for name in &names {
        file.row([0; 24], &[]);
        file.row(header, &[]);
        file.row(resource(MIB as usize, 0x14, 0, MIB as usize), name);
    }
    let bytes = file.finish(&contents.xml, 1, None);
    keep("runs.wim", &bytes);
    let (verified, extracted) = work(&bytes);
    // One of the runs is read.
    assert_eq!((verified, extracted), (MIB, MIB));
}

#[test]
fn one_blob_in_each_of_many_large_chunks() {
    let codec = Codec::new(Algorithm::Lzms, 1 << 26);
    let (contents, names) = image_of(30);
    let mut file = File::with_image(Codec::XPRESS, &contents);
    let stored = bomb(codec);
    let offset = file.bytes.len();
    let count = names.len();
    file.bytes.extend((64 * MIB * count as u64).to_le_bytes());
    file.bytes.extend(codec.chunk_size.to_le_bytes());
    file.bytes.extend(3_u32.to_le_bytes());
    for _ in &names {
        file.bytes.extend((stored.len() as u32).to_le_bytes());
    }
    file.bytes.extend(stored.repeat(count));
    let header = resource(file.bytes.len() - offset, 0x14, offset, 1 << 32);
    file.row(header, &[]);
    for (number, name) in names.iter().enumerate() {
        file.row(resource(1, 0x14, number << 26, 1), name);
    }
    let bytes = file.finish(&contents.xml, 1, None);
    keep("chunks.wim", &bytes);
    let wim = Wim::open(bytes.clone()).expect("it opens");
    let report = wim.verifier().run();
    // Four chunks are within the budget; all blobs have another hash than their one byte.
    let (budget, hash): (Vec<_>, Vec<_>) = report.problems.iter().partition(|problem| {
        matches!(
            problem,
            wcow_wim::Problem::Blob {
                source: ReadError::Budget {
                    budget: Budget::Output,
                    ..
                },
                ..
            }
        )
    });
    assert_eq!(
        (hash.len(), budget.len()),
        (4, 26),
        "{:#?}",
        report.problems
    );
    assert_eq!(verify(&wim, 2), verify(&wim, 1));
}

#[test]
fn a_file_that_promises_too_much_is_not_sent_at_all() {
    let codec = Codec::new(Algorithm::Lzms, 1 << 26);
    let (contents, names) = image_of(30);
    let mut file = File::with_image(codec, &contents);
    let stored = bomb(codec);
    for name in &names {
        let header = resource(stored.len(), 4, file.bytes.len(), 1 << 26);
        file.bytes.extend(&stored);
        file.row(header, name);
    }
    let bytes = file.finish(&contents.xml, 1, None);
    keep("promises.wim", &bytes);
    let wim = Wim::open(bytes).expect("it opens");
    let image = wim.image(first()).expect("it is there");
    let mut sink = Recorder::default();
    let error = wim
        .extractor(&image)
        .send(&mut sink)
        .expect_err("it is too much");
    let wcow_tree::SendError::Source(error) = error else {
        panic!("the sink was not asked");
    };
    assert!(
        matches!(error.downcast_ref(), Some(ExtractError::Budget { needed, .. }) if *needed == 30 * 64 * MIB)
    );
    assert!(sink.calls.is_empty());
    let read = wim.verifier().run();
    assert_eq!(read.problems.len(), 30);
}

#[test]
fn a_chunk_larger_than_a_worker_may_hold_is_refused() {
    let codec = Codec::new(Algorithm::Lzms, 1 << 30);
    let contents = Contents::of(&[MemoryTree::new()]);
    let mut file = File::with_image(codec, &contents);
    let header = resource(30, 4, file.bytes.len(), 1 << 30);
    file.bytes.extend([0; 30]);
    file.row(header, b"large");
    let wim = Wim::open(file.finish(&contents.xml, 1, None)).expect("it opens");
    let error = wim
        .blob_reader(&sha1(b"large"))
        .expect_err("its chunks are larger");
    assert!(
        matches!(
            error,
            ReadError::Budget {
                budget: Budget::ChunkMemory,
                needed: 0x4000_0000,
                limit: 0x400_0000,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn an_integrity_table_of_single_bytes() {
    let style = Style {
        integrity: Some(1),
        ..Style::PLAIN
    };
    let bytes = style.file(&Contents::of(&[MemoryTree::new().file("a", "some bytes")]));
    keep("pieces.wim", &bytes);
    let (verified, _) = work(&bytes);
    assert!(verified < bytes.len() as u64);
}

#[test]
fn image_metadata_that_blows_up_is_refused() {
    let codec = Codec::new(Algorithm::Lzms, 1 << 26);
    let mut contents = Contents::of(&[MemoryTree::new()]);
    contents.images.clear();
    let mut file = File::with_image(codec, &contents);
    let stored = bomb(codec);
    let mut header = resource(stored.len(), 6, file.bytes.len(), 1 << 26);
    file.bytes.extend(&stored);
    put(&mut header, 7, &[6]);
    file.row(header, &[]);
    let bytes = file.finish(&contents.xml, 1, None);
    keep("metadata.wim", &bytes);
    let wim = Wim::open(bytes).expect("it opens");
    let error = wim.image(first()).expect_err("it is too much");
    assert!(
        matches!(
            error,
            wcow_wim::ImageError::Read {
                source: ReadError::Budget {
                    budget: Budget::Metadata,
                    ..
                },
                ..
            }
        ),
        "{error}"
    );
}
