//! Every layout holds the same: trees, blobs, hashes.

use std::io::Read as _;

use proptest::prelude::*;
use wcow_tree::memory::MemoryTree;
use wcow_wim::{Options, Wim};

use crate::build::{Algorithm, Codec, Contents, Solid, Style, open_parts};
use crate::record::{extract, verify};
use crate::support::{first, noise, rich_tree, runs, sha1, tree_of};

/// A tree with files below, at and above the chunk sizes, some of them twice.
fn tree() -> MemoryTree {
    let mut tree = rich_tree();
    for (index, len) in [
        1, 100, 4095, 4096, 4097, 8192, 32768, 40_000, 100_001, 300_000,
    ]
    .into_iter()
    .enumerate()
    {
        tree = tree.file(&*format!("runs {index}"), runs(index as u64, len));
    }
    tree.file("again", runs(8, 100_001))
        .file("noise", noise(70_000))
}

/// Tree, blobs and verification are what they must be, whatever the number of workers.
#[track_caller]
fn check(style: Style, tree: &MemoryTree) {
    let contents = Contents::of(std::slice::from_ref(tree));
    let wim = style.open(&contents);
    assert_eq!(
        tree_of(&wim, first()).differences(tree),
        Vec::<String>::new(),
        "{style:?}"
    );
    assert_eq!(wim.blobs().len(), contents.blobs.len(), "{style:?}");
    for blob in &contents.blobs {
        let digest = sha1(blob);
        let whole = wim
            .read_blob_to_vec(&digest, u64::MAX)
            .expect("it can be read");
        assert!(whole == *blob, "{style:?}: blob {digest}");
        let mut reader = wim
            .blob_reader(&digest)
            .expect("it can be read")
            .expect("it is there");
        let mut piecemeal = Vec::new();
        reader.read_to_end(&mut piecemeal).expect("it can be read");
        assert!(piecemeal == *blob, "{style:?}: blob {digest}");
    }
    let report = wim.verifier().run();
    assert!(report.is_ok(), "{style:?}: {:?}", report.problems);
    let bytes: usize = contents.blobs.iter().map(Vec::len).sum();
    assert_eq!(
        (report.blobs, report.bytes, report.integrity_checked),
        (
            contents.blobs.len() as u64,
            bytes as u64,
            style.integrity.is_some()
        ),
        "{style:?}"
    );
    let (extracted, verified) = (extract(&wim, 1), verify(&wim, 1));
    for course in [&extracted, &verified] {
        let progress = course.progress.expect("something was done");
        assert_eq!(progress.done, progress.total, "{style:?}");
    }
    for workers in [2, 5] {
        assert_eq!(extract(&wim, workers), extracted, "{style:?}");
        assert_eq!(verify(&wim, workers), verified, "{style:?}");
    }
}

const ALL: [Codec; 7] = [
    Codec::XPRESS,
    Codec::new(Algorithm::Xpress, 1 << 16),
    Codec::new(Algorithm::Lzx, 1 << 15),
    Codec::new(Algorithm::Lzx, 1 << 17),
    Codec::new(Algorithm::Lzx, 1 << 21),
    Codec::new(Algorithm::Lzms, 1 << 15),
    Codec::new(Algorithm::Lzms, 1 << 17),
];

#[test]
fn compressed_files() {
    let tree = tree();
    check(Style::PLAIN, &tree);
    for codec in ALL {
        check(Style::compressed(codec), &tree);
    }
}

#[test]
fn compressed_chunks_are_really_compressed() {
    let contents = Contents::of(&[MemoryTree::new().file("a", runs(3, 300_000))]);
    let plain = Style::PLAIN.file(&contents).len();
    for codec in ALL {
        let len = Style::compressed(codec).file(&contents).len();
        assert!(len * 5 < plain, "{codec:?}: {len} of {plain} bytes");
    }
}

#[test]
fn pipable_files() {
    for codec in ALL {
        let style = Style {
            pipable: true,
            ..Style::compressed(codec)
        };
        check(style, &tree());
        let contents = Contents::of(&[tree()]);
        assert!(style.open(&contents).header().is_pipable());
    }
}

#[test]
fn solid_files() {
    let tree = tree();
    for codec in ALL.into_iter().chain([Codec::new(Algorithm::None, 4096)]) {
        check(Style::solid(codec, usize::MAX, usize::MAX), &tree);
    }
    for blobs in [1, 3, usize::MAX] {
        // Resources that end within blobs, and within chunks.
        for resource in [5000, 32768, 100_000] {
            check(Style::solid(Codec::XPRESS, blobs, resource), &tree);
        }
    }
    let contents = Contents::of(&[tree]);
    let wim = Style::solid(Codec::XPRESS, 5, usize::MAX).open(&contents);
    assert_eq!(wim.solid_resource_count(), contents.blobs.len().div_ceil(5));
}

#[test]
fn split_sets_with_integrity_tables() {
    let tree = tree();
    for parts in [2, 3, 40] {
        let style = Style {
            parts,
            integrity: Some(20_000),
            ..Style::compressed(Codec::XPRESS)
        };
        check(style, &tree);
        let solid = Style::solid(Codec::XPRESS, 4, 50_000);
        check(Style { parts, ..solid }, &tree);
    }
    let contents = Contents::of(std::slice::from_ref(&tree));
    let style = Style {
        parts: 5,
        ..Style::compressed(Codec::XPRESS)
    };
    let mut files = style.files(&contents);
    files.reverse();
    files.swap(0, 3);
    let wim = open_parts(files, Options::default()).expect("any order will do");
    assert_eq!(
        wim.headers().map(|header| header.part).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5]
    );
    assert_eq!(tree_of(&wim, first()), tree);
}

/// Trees of some files with contents of all kinds.
fn trees() -> impl Strategy<Value = MemoryTree> {
    let file = (0..12_u8, any::<u64>(), 0..60_000_usize, any::<bool>());
    prop::collection::vec(file, 1..8).prop_map(|files| {
        files
            .into_iter()
            .fold(MemoryTree::new(), |tree, (name, seed, len, shrinks)| {
                let bytes = if shrinks {
                    runs(seed % 8, len)
                } else {
                    noise(len % 3000)
                };
                let path = format!(r"dir {}\file {name}", name % 3);
                tree.file(&*path, bytes)
            })
    })
}

fn styles() -> impl Strategy<Value = Style> {
    let codec = prop::sample::select(&ALL[..]);
    let solid = (codec.clone(), 1..6_usize, 1000..200_000_usize);
    let solid = prop::option::of(solid.prop_map(|(codec, blobs, resource)| Solid {
        codec,
        blobs,
        resource,
    }));
    let integrity = prop::option::of(500..50_000_usize);
    (codec, any::<bool>(), solid, 1..4_u16, integrity).prop_map(
        |(codec, pipable, solid, parts, integrity)| Style {
            codec,
            pipable,
            solid,
            parts,
            integrity,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_tree_in_any_layout(tree in trees(), style in styles()) {
        check(style, &tree);
    }

    #[test]
    fn damage_is_told_alike_by_any_number_of_workers(
        tree in trees(),
        style in styles(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut files = style.files(&Contents::of(&[tree]));
        let last = files.last_mut().expect("there is a part");
        // The tables stay, or few files would open.
        let end = crate::support::u64_at(if style.pipable { &last[last.len() - 208..] } else { last }, 0x38) as usize;
        for (at, value) in damage {
            if end > 208 {
                last[208 + at.index(end - 208)] ^= value;
            }
        }
        let open = |workers: usize| -> Option<Wim> {
            let mut options = Options::default();
            options.workers = workers.try_into().expect("at least one");
            open_parts(files.clone(), options).ok()
        };
        let Some(one) = open(1) else { return Ok(()) };
        let (extracted, verified) = (extract(&one, 1), verify(&one, 1));
        for workers in [2, 5] {
            let many = open(workers).expect("it opened before");
            prop_assert_eq!(&extract(&many, workers), &extracted);
            prop_assert_eq!(&verify(&many, workers), &verified);
        }
    }
}
