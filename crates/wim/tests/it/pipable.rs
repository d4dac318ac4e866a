//! Pipable files: the header at the end counts, every chunk has its size before it.

use wcow_tree::memory::MemoryTree;
use wcow_wim::{OpenError, Wim};

use crate::build::{Codec, Contents, Style};
use crate::support::{chain, first, put, runs, sha1, tree_of};

const STYLE: Style = Style {
    pipable: true,
    codec: Codec::XPRESS,
    ..Style::PLAIN
};

fn tree() -> MemoryTree {
    MemoryTree::new().file("a", runs(1, 20_000))
}

/// Where the blob's resource begins and ends, of a file with the metadata first.
fn blob_at(file: &[u8]) -> (usize, usize) {
    let header = file.len() - 208;
    let field = |at: usize| u64::from_le_bytes(file[at..at + 8].try_into().expect("8 bytes"));
    let row = field(header + 0x38) as usize + 50;
    let start = field(row + 8) as usize;
    (start, start + (field(row) & 0xFF_FFFF) as usize)
}

#[test]
fn the_header_at_the_end_counts() {
    let mut file = STYLE.file(&Contents::of(&[tree()]));
    // That at the start has no tables.
    assert!(file[0x30..0x60].iter().all(|byte| *byte == 0));
    put(&mut file, 0x18, &[9; 16]);
    let wim = Wim::open(file.clone()).expect("it opens");
    assert!(wim.header().is_pipable());
    assert_eq!(
        wim.header().guid.to_string(),
        "07070707-0707-0707-0707-070707070707"
    );
    assert_eq!(tree_of(&wim, first()), tree());
    // What stands before the last header is cut off.
    let short = file.len() - 1;
    let error = Wim::open(file[..short].to_vec()).expect_err("the end is missing");
    assert!(
        matches!(
            error,
            OpenError::Truncated {
                what: "the header at the end of a pipable WIM",
                ..
            }
        ),
        "{error}"
    );
    let error = Wim::open(file[..100].to_vec()).expect_err("nearly all is missing");
    assert!(
        matches!(
            error,
            OpenError::Truncated {
                what: "the header",
                ..
            }
        ),
        "{error}"
    );
    // The first header alone has no lookup table, and is its own last one.
    let wim = Wim::open(file[..208].to_vec());
    assert!(wim.is_err_and(|error| chain(&error).contains("XML")));
}

#[test]
fn sizes_before_chunks_are_checked() {
    let blob = runs(1, 20_000);
    let good = STYLE.file(&Contents::of(&[tree()]));
    let (start, end) = blob_at(&good);
    let stored = u32::from_le_bytes(good[start..start + 4].try_into().expect("4 bytes"));
    #[track_caller]
    fn check(file: Vec<u8>, blob: &[u8], expected: &str) {
        let wim = Wim::open(file).expect("it opens");
        let error = wim
            .read_blob_to_vec(&sha1(blob), u64::MAX)
            .expect_err("it is damaged");
        assert!(chain(&error).contains(expected), "{}", chain(&error));
    }
    let with = |at: usize, value: &[u8]| {
        let mut file = good.clone();
        put(&mut file, at, value);
        file
    };
    check(
        with(start, &(stored + 1).to_le_bytes()),
        &blob,
        &format!(
            "expected {stored} as the size before chunk 0, found {}",
            stored + 1
        ),
    );
    // The second chunk's size, where the table has it begin.
    let second = start + 4 + stored as usize;
    check(
        with(second, &[0; 4]),
        &blob,
        "as the size before chunk 1, found 0",
    );
    // The table behind the chunks: four entries for five chunks.
    check(
        with(end - 16, &(stored - 1).to_le_bytes()),
        &blob,
        &format!(
            "expected {} as the size before chunk 0, found {stored}",
            stored - 1
        ),
    );
    check(with(end - 4, &[0; 4]), &blob, "chunk 3 of the resource");
    check(with(end - 4, &[255; 4]), &blob, "chunk 3 of the resource");
}
