//! Images in part, blobs that are damaged or elsewhere, paths.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wcow_ntmeta::RelPath;
use wcow_tree::TreeSource as _;
use wcow_tree::memory::{MemorySink, MemoryTree};
use wcow_wim::{Options, ReadAt, ReadError, Wim};

use crate::support::{
    chain, first, open, problems, put, rich_tree, row_at, sha1, small_tree, verify, wim_of,
};

#[test]
fn paths_are_found_as_windows_finds_them() {
    #[track_caller]
    fn check(path: &str, expected: Option<&str>) {
        let wim =
            open(&wim_of(&rich_tree().file("Case", "1").file("cASE", "2"))).expect("it opens");
        let image = wim.image(first()).expect("it is there");
        let found = image
            .lookup(&RelPath::parse(path))
            .map(|id| image.path(id).to_string());
        assert_eq!(found.as_deref(), expected);
    }
    check(
        r"windows\SYSTEM32\WIN.ini",
        Some(r"Windows\System32\win.ini"),
    );
    check(
        r"windows/system~1/win.ini",
        Some(r"Windows\System32\win.ini"),
    );
    check("cASE", Some("cASE"));
    check("Case", Some("Case"));
    check(r"Windows\missing", None);
    check(r"Windows\win.ini\more", None);
    check("", Some(""));
}

/// A file that counts how often it is read.
struct Counted(Vec<u8>, Arc<AtomicU64>);

impl ReadAt for Counted {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.read_at(offset, buf)
    }

    fn len(&self) -> io::Result<u64> {
        ReadAt::len(&self.0)
    }
}

#[test]
fn an_image_is_read_once_if_it_is_kept() {
    #[track_caller]
    fn check(keep_images: bool, expected: u64) {
        let reads = Arc::new(AtomicU64::new(0));
        let mut options = Options::default();
        options.keep_images = keep_images;
        let file = Counted(wim_of(&rich_tree()), Arc::clone(&reads));
        let wim = Wim::open_with(file, options).expect("it opens");
        let before = reads.load(Ordering::Relaxed);
        let images = [(); 3].map(|()| wim.image(first()).expect("it is there"));
        assert_eq!(reads.load(Ordering::Relaxed) - before, expected);
        for image in &images {
            let tree = MemoryTree::collect(&mut wim.extractor(image));
            assert_eq!(tree.expect("it can be sent"), rich_tree());
        }
    }
    check(false, 3);
    check(true, 1);
}

#[test]
fn a_selection_has_its_parents_and_all_that_is_in_it() {
    let wim = open(&wim_of(&rich_tree())).expect("it opens");
    let image = wim.image(first()).expect("it is there");
    let select = |path| image.lookup(&RelPath::parse(path)).expect("it is there");
    let mut source = wim.extractor(&image).only([select(r"Windows\System32")]);
    let tree = MemoryTree::collect(&mut source).expect("it can be sent");
    let paths: Vec<String> = tree.paths().iter().map(ToString::to_string).collect();
    assert_eq!(
        paths,
        [
            "Windows",
            r"Windows\System32",
            r"Windows\System32\empty",
            r"Windows\System32\win.ini"
        ]
    );
    assert_eq!(
        tree.contents(r"Windows\System32\win.ini"),
        Some(&b"[fonts]"[..]),
        "its first name was not selected"
    );
}

#[test]
fn a_damaged_blob_is_named_and_the_rest_is_sent() {
    let tree = small_tree().file("again.txt", "second");
    let mut bytes = wim_of(&tree);
    let at = bytes
        .windows(6)
        .position(|window| window == b"second")
        .expect("it is stored");
    bytes[at] ^= 1;
    let wim = open(&bytes).expect("it opens");
    let image = wim.image(first()).expect("it is there");
    let mut sink = MemorySink::new();
    let error = wim
        .extractor(&image)
        .send(&mut sink)
        .expect_err("a blob is damaged");
    assert_eq!(
        chain(&error),
        r"the tree could not be read: 2 of the image's streams could not be read, the first in `dir\b.txt`"
            .replace(r"dir\b.txt", if chain(&error).contains("again") { "again.txt" } else { r"dir\b.txt" })
    );
    let sent = sink.finish();
    assert_eq!(sent.contents("c.txt"), Some(&b"third"[..]));
    assert_eq!(sent.contents(r"dir\b.txt"), None);
    let digest = sha1(b"second");
    let error = wim
        .read_blob_to_vec(&digest, 100)
        .expect_err("it is damaged");
    assert!(matches!(error, ReadError::Digest { expected, .. } if expected == digest));
    assert!(problems(&bytes).starts_with(&format!(
        "blob {digest}: the resource at offset {at:#x}: expected SHA-1 {digest}"
    )));
}

#[test]
fn a_blob_of_another_file_is_found_through_the_resolver() {
    let whole = wim_of(&small_tree());
    let mut delta = whole.clone();
    // The first blob's row loses its digest, and is no blob any more.
    let row = row_at(&delta, 1);
    put(&mut delta, row + 30, &[0; 20]);
    let text = problems(&delta);
    assert!(
        text.starts_with("image 1: blob ") && text.contains(" is missing, which `"),
        "{text}"
    );
    let mut options = Options::default();
    options.resolver = Some(Arc::new(open(&whole).expect("it opens")));
    let wim = Wim::open_with(delta, options).expect("it opens");
    assert!(verify(&wim).is_ok());
    let image = wim.image(first()).expect("it is there");
    assert_eq!(
        MemoryTree::collect(&mut wim.extractor(&image)).expect("it can be sent"),
        small_tree()
    );
}

#[test]
fn a_blob_larger_than_asked_for_is_refused() {
    let wim = open(&wim_of(&small_tree())).expect("it opens");
    let error = wim
        .read_blob_to_vec(&sha1(b"second"), 5)
        .expect_err("it has 6 bytes");
    assert!(matches!(
        error,
        ReadError::TooLarge {
            size: 6,
            limit: 5,
            ..
        }
    ));
    let error = wim
        .read_blob_to_vec(&sha1(b"fourth"), 5)
        .expect_err("it is not there");
    assert!(matches!(error, ReadError::Missing { .. }));
}
