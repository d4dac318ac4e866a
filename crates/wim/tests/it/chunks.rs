//! Compressed resources: good ones, and chunk tables that lie.

use crate::support::{
    CHUNK_SIZE, FLAGS, chain, open, problems, put, resource, row_at, sha1, small_tree, wim_of,
};

const XPRESS: u8 = 2;
const LZX: u8 = 4;

/// A chunk of XPRESS for `aaaa`.
fn xpress_aaaa() -> Vec<u8> {
    let mut chunk = vec![0; 260];
    chunk[0x61 / 2] = 0x10;
    chunk[0x100 / 2] = 0x01;
    put(&mut chunk, 256, &[0, 0x40, 0, 0]);
    chunk
}

/// A WIM with one more blob: `contents`, stored as `stored`, in a file of this algorithm and chunk size.
fn wim_with(
    algorithm: u8,
    chunk_size: u32,
    stored: &[u8],
    size: usize,
    contents: &[u8],
) -> Vec<u8> {
    let mut bytes = wim_of(&small_tree());
    put(&mut bytes, FLAGS, &[2, 0, algorithm]);
    put(&mut bytes, CHUNK_SIZE, &chunk_size.to_le_bytes());
    let row = row_at(&bytes, 1);
    let header = resource(stored.len(), 4, bytes.len(), size);
    put(&mut bytes, row, &header);
    put(&mut bytes, row + 30, &sha1(contents).0);
    bytes.extend_from_slice(stored);
    bytes
}

#[track_caller]
fn check(bytes: &[u8], contents: &[u8]) {
    let wim = open(bytes).expect("it opens");
    let read = wim
        .read_blob_to_vec(&sha1(contents), u64::MAX)
        .map_err(|error| chain(&error));
    assert_eq!(read.as_deref(), Ok(contents));
}

#[track_caller]
fn check_error(bytes: &[u8], contents: &[u8], expected: &str) {
    let wim = open(bytes).expect("it opens");
    let error = wim
        .read_blob_to_vec(&sha1(contents), u64::MAX)
        .expect_err("it cannot be read");
    let text = chain(&error);
    let offset = wim.find_blob(&sha1(contents)).map(|blob| blob.location);
    assert!(text.contains(expected), "{text} ({offset:?})");
}

/// Two raw chunks with a table whose one entry is `entry`.
fn two_raw(entry: u32, contents: &[u8]) -> Vec<u8> {
    [&entry.to_le_bytes()[..], contents].concat()
}

#[test]
fn raw_chunks_are_read() {
    let contents: Vec<u8> = (0..5000_u32).map(|number| number as u8).collect();
    check(
        &wim_with(XPRESS, 4096, &two_raw(4096, &contents), 5000, &contents),
        &contents,
    );
    let contents: Vec<u8> = (0..40000_u32).map(|number| number as u8).collect();
    check(
        &wim_with(LZX, 32768, &two_raw(32768, &contents), 40000, &contents),
        &contents,
    );
}

#[test]
fn compressed_chunks_are_read() {
    let mut padded = xpress_aaaa();
    // Stored chunks are smaller than what they hold, so the chunk has to hold more than 260 bytes.
    padded.truncate(260);
    let text = problems(&wim_with(XPRESS, 4096, &padded, 4, b"aaaa"));
    assert!(
        text.contains("chunk 0 of the resource")
            && text.contains("expected a stored size of 1 to 4, found 260"),
        "{text}"
    );
    // One uncompressed LZX block of 32768 bytes would be larger than the chunk; 1-bit codes make "a" x 300 in XPRESS.
    let mut chunk = vec![0; 256];
    chunk[0x61 / 2] = 0x10;
    // Symbol 0x10F: length nibble 15, offset 1.
    chunk[0x10F / 2] |= 0x10;
    // Bits 0, 1: a literal, then the match whose length byte is 299 - 18 - more than a byte: 255, then u16 296.
    chunk.extend([0x00, 0x40, 0x00, 0x00, 255, 40, 1]);
    let contents = vec![b'a'; 300];
    check(&wim_with(XPRESS, 4096, &chunk, 300, &contents), &contents);
}

#[test]
fn chunk_tables_are_checked() {
    let contents = vec![1; 5000];
    for (entry, found) in [
        (0, "found 0"),
        (4097, "found 4097"),
        (u32::MAX, "found 4294967295"),
    ] {
        let bytes = wim_with(XPRESS, 4096, &two_raw(entry, &contents), 5000, &contents);
        check_error(
            &bytes,
            &contents,
            &format!("expected a stored size of 1 to 4096, {found}"),
        );
    }
    let short = two_raw(4000, &contents[..4800]);
    let bytes = wim_with(XPRESS, 4096, &short, 5000, &contents);
    check_error(&bytes, &contents, "does not decompress");
    // Backwards: three chunks, the second ends before it begins.
    let contents = vec![1; 10000];
    let stored = [
        &4096_u32.to_le_bytes()[..],
        &4000_u32.to_le_bytes(),
        &contents,
    ]
    .concat();
    check_error(
        &wim_with(XPRESS, 4096, &stored, 10000, &contents),
        &contents,
        "expected a stored size of 1 to 4096, found -96",
    );
    // A size that needs more table than there are bytes, also one with 8-byte entries.
    for size in [1 << 30, 1 << 40, usize::MAX] {
        check_error(
            &wim_with(XPRESS, 4096, &[0; 100], size, b"x"),
            b"x",
            "stored bytes for",
        );
    }
}

#[test]
fn large_resources_with_lying_tables_are_refused() {
    // More than is read at once, so the table is read in pieces.
    let contents = vec![7; 2 << 20];
    let count = contents.len() / 4096;
    let table: Vec<u8> = (1..count)
        .flat_map(|index| ((index * 4096) as u32).to_le_bytes())
        .collect();
    let mut stored = [&table[..], &contents].concat();
    check(
        &wim_with(XPRESS, 4096, &stored, contents.len(), &contents),
        &contents,
    );
    put(&mut stored, 4 * 400, &[0; 4]);
    check_error(
        &wim_with(XPRESS, 4096, &stored, contents.len(), &contents),
        &contents,
        "chunk 400 of the resource",
    );
    put(&mut stored, 4 * 400, &[255; 4]);
    check_error(
        &wim_with(XPRESS, 4096, &stored, contents.len(), &contents),
        &contents,
        "chunk 400 of the resource",
    );
}

#[test]
fn compressed_data_in_an_uncompressed_file_is_refused() {
    let mut bytes = wim_with(XPRESS, 4096, &[0; 100], 1000, b"x");
    put(&mut bytes, FLAGS, &[0; 4]);
    check_error(
        &bytes,
        b"x",
        "expected no compressed resource in an uncompressed file",
    );
}
