//! Files that are odd and that wimlib reads: so do we.

use wcow_tree::memory::MemoryTree;
use wcow_wim::StreamRole;

use crate::support::{first, metadata, open, put, row_at, u64_at, wim_of, with_metadata};

/// Nothing follows the name of a stream but the end of its entry.
#[test]
fn a_name_of_a_stream_without_a_nul_is_read() {
    let bytes = wim_of(&MemoryTree::new().file("f", "").stream("f", "s", "bytes"));
    let mut table = metadata(&bytes);
    let name = table.len() - 8 - 48 + 38;
    assert_eq!(table[name..name + 4], [b's', 0, 0, 0]);
    // The entry ends with the name: 38 bytes and one unit.
    let entry = name - 38;
    put(&mut table, entry, &40_u64.to_le_bytes());
    table.drain(entry + 40..entry + 48);
    let wim = open(&with_metadata(&bytes, &table)).expect("it opens");
    let image = wim.image(first()).expect("it can be read");
    let file = image.nodes().next_back().expect("it is there");
    let names: Vec<String> = image
        .streams(file)
        .iter()
        .filter(|stream| stream.role == StreamRole::Named)
        .filter_map(|stream| stream.name.as_ref()?.to_utf8())
        .collect();
    assert_eq!(names, ["s"]);
}

/// As other rows without bytes, it counts for nothing. One that says that it is an image's stays one: that image is damaged.
#[test]
fn a_row_of_metadata_without_bytes_and_of_no_image_is_ignored() {
    let mut bytes = wim_of(&MemoryTree::new().file("f", "bytes"));
    let blob = row_at(&bytes, 1);
    assert_eq!(u64_at(&bytes, blob + 16), 5);
    // The row of the blob becomes one of metadata, without bytes, and with a count that no such row has.
    put(&mut bytes, blob, &[0, 0, 0, 0, 0, 0, 0, 2]);
    put(&mut bytes, blob + 16, &[0; 8]);
    put(&mut bytes, blob + 26, &[13]);
    let wim = open(&bytes).expect("it opens");
    assert!(wim.image(first()).is_ok());
    assert!(wim.blobs().is_empty());
    let warned = wim
        .warnings()
        .iter()
        .any(|warning| warning.what.contains("without bytes"));
    assert!(warned);
}
