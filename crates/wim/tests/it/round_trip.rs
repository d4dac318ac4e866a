//! What is written is what is read.

use std::io::Cursor;

use wcow_ntmeta::FileTime;
use wcow_tree::memory::MemoryTree;
use wcow_tree::{Entry, TaggedItem};
use wcow_wim::{
    Architecture, ImageIndex, IntegrityChoice, NewImage, Summary, WindowsInfo, WindowsVersion,
    WriteError, WriteOptions, write_uncompressed,
};

use crate::support::{chain, first, open, options, rich_tree, small_tree, tree_of, verify, wim_of};

fn write(
    trees: &mut [(&str, MemoryTree)],
    options: &WriteOptions,
) -> Result<(Vec<u8>, Summary), WriteError> {
    let mut out = Cursor::new(Vec::new());
    let images = trees
        .iter_mut()
        .map(|(name, tree)| NewImage::new(*name, tree))
        .collect();
    let summary = write_uncompressed(&mut out, images, options)?;
    Ok((out.into_inner(), summary))
}

#[track_caller]
fn check(tree: &MemoryTree) {
    let bytes = wim_of(tree);
    let wim = open(&bytes).expect("it opens");
    let report = verify(&wim);
    assert!(report.is_ok(), "{:?}", report.problems);
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    assert_eq!(
        tree_of(&wim, first()).differences(tree),
        Vec::<String>::new()
    );
    assert!(wim_of(tree) == bytes, "the same tree gives the same bytes");
}

#[test]
fn everything_survives() {
    check(&rich_tree());
    check(&small_tree());
    check(&MemoryTree::new());
}

#[test]
fn tagged_items_survive() {
    let mut entry: Entry = small_tree().get("c.txt").expect("it is there").clone();
    entry.name = "tagged".into();
    entry.extra.object_id = vec![1; 16];
    entry.extra.extended_attributes = vec![5, 0, 1, 0, b'a', 0, 1, 2, 3, 4, 5];
    entry.extra.unknown = vec![
        TaggedItem {
            tag: 0x337D_D873,
            data: vec![9; 16],
        },
        TaggedItem {
            tag: 77,
            data: vec![1],
        },
    ];
    entry.extra.reserved = 0xDEAD_BEEF;
    let tree = small_tree().entry("dir", entry.clone(), vec![b"bytes".to_vec()]);
    let wim = open(&wim_of(&tree)).expect("it opens");
    assert_eq!(
        tree_of(&wim, first())
            .get(r"dir\tagged")
            .expect("it is there")
            .extra,
        entry.extra
    );
}

#[test]
fn identical_bytes_are_stored_once() {
    // 3 MiB is more than the writer holds back, so the second one is taken back from the file.
    let large = vec![3; 3 << 20];
    let tree = MemoryTree::new()
        .file("a", &large)
        .file("b", &large)
        .file("c", "small")
        .file("d", "small");
    let (bytes, summary) = write(
        &mut [("one", tree.clone()), ("two", tree.clone())],
        &options(),
    )
    .expect("it is written");
    assert_eq!((summary.blobs, summary.blob_bytes), (2, (3 << 20) + 5));
    assert_eq!(bytes.len() as u64, summary.file_len);
    let wim = open(&bytes).expect("it opens");
    assert!(verify(&wim).is_ok());
    assert!(wim.blobs().iter().all(|blob| blob.references == 4));
    assert_eq!(tree_of(&wim, ImageIndex::new(2).expect("2")), tree);
}

#[test]
fn an_integrity_table_covers_the_blobs() {
    let with_table = WriteOptions {
        integrity: IntegrityChoice::Table,
        ..options()
    };
    let tree = small_tree().file("large", vec![1; (10 << 20) + 5]);
    let (mut bytes, _) = write(&mut [("one", tree)], &with_table).expect("it is written");
    let report = verify(&open(&bytes).expect("it opens"));
    assert!(report.is_ok() && report.integrity_checked);
    bytes[300] ^= 1;
    let report = verify(&open(&bytes).expect("it opens"));
    let found: Vec<String> = report
        .problems
        .iter()
        .map(|problem| chain(problem))
        .collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("integrity table: bytes 0xd0 to 0xa000d0: expected SHA-1 "),
        "{}",
        found[0]
    );
    assert!(found[1].starts_with("blob "), "{}", found[1]);
}

#[test]
fn properties_survive() {
    let windows = WindowsInfo {
        architecture: Some(Architecture::X64),
        product_name: Some("Microsoft® Windows® <Operating> & System".to_owned()),
        edition_id: Some("SERVERSTANDARDCORE".to_owned()),
        installation_type: Some("Server Core".to_owned()),
        languages: vec!["en-US".to_owned(), "de-DE".to_owned()],
        default_language: Some("en-US".to_owned()),
        version: Some(WindowsVersion {
            major: 10,
            minor: 0,
            build: 10514,
            sp_build: 3,
            sp_level: 1,
            branch: Some("th2".to_owned()),
        }),
        system_root: Some("WINDOWS".to_owned()),
        ..WindowsInfo::default()
    };
    let mut tree = rich_tree();
    let image = NewImage {
        description: Some("two\r\nlines".to_owned()),
        flags: Some("ServerStandardCore".to_owned()),
        windows: Some(windows.clone()),
        created: FileTime::from_ticks(0x01D0_1234_0000_0005),
        ..NewImage::new("Windows Server 2012 R2 SERVERSTANDARDCORE", &mut tree)
    };
    let mut out = Cursor::new(Vec::new());
    let boot = WriteOptions {
        boot: Some(first()),
        ..options()
    };
    let summary = write_uncompressed(&mut out, vec![image], &boot).expect("it is written");
    let wim = open(&out.into_inner()).expect("it opens");
    let info = &wim.images()[0];
    assert_eq!(info.windows.as_ref(), Some(&windows));
    assert_eq!(info.description.as_deref(), Some("two\r\nlines"));
    assert_eq!(info.flags.as_deref(), Some("ServerStandardCore"));
    assert_eq!(
        info.created,
        Some(FileTime::from_ticks(0x01D0_1234_0000_0005))
    );
    assert_eq!(info.directories, Some(summary.images[0].directories));
    assert_eq!(info.total_bytes, Some(summary.images[0].total_bytes));
    assert_eq!(
        info.hard_link_bytes,
        Some(15),
        "the contents and a stream of one file with two names"
    );
    assert_eq!(wim.boot_index(), Some(first()));
    assert_eq!(wim.header().boot_metadata.flags, 2);
    assert_eq!(
        wim.find_image("windows server 2012 r2 serverstandardcore"),
        Ok(first())
    );
    assert_eq!(wim.find_image("1"), Ok(first()));
    let error = wim.find_image("2").expect_err("there is one image");
    assert_eq!(
        error.to_string(),
        "there is no image \"2\": the file holds 1 (Windows Server 2012 R2 SERVERSTANDARDCORE)"
    );
}

#[test]
fn what_no_wim_can_hold_is_refused() {
    #[track_caller]
    fn check(trees: &mut [(&str, MemoryTree)], expected: &str) {
        let error = write(trees, &options()).expect_err("it cannot be written");
        assert_eq!(chain(&error), expected);
    }
    check(
        &mut [("", small_tree())],
        "image 1: expected a name, found none",
    );
    check(
        &mut [("a", small_tree()), ("a", small_tree())],
        "image 2: expected a name of its own, found \"a\" again",
    );
    check(
        &mut [("a\u{1}", small_tree())],
        "image 1: expected a text of characters that XML has, found \"a\\u{1}\"",
    );
    let mut dots = small_tree().get("c.txt").expect("it is there").clone();
    dots.name = "..".into();
    let tree = small_tree().entry("", dots, vec![b"x".to_vec()]);
    check(
        &mut [("a", tree)],
        "image 1: `..`: expected a name that is one path component, found another",
    );
}
