//! Headers and lookup tables that lie, and files that are cut off.

use wcow_wim::{NewImage, write_uncompressed};

use crate::support::{
    CHUNK_SIZE, FLAGS, LOOKUP_TABLE, XML, open, options, problems, put, row_at, small_tree, verify,
    wim_of,
};

#[track_caller]
fn check(at: usize, value: &[u8], expected: &str) {
    let mut bytes = wim_of(&small_tree());
    put(&mut bytes, at, value);
    assert_eq!(problems(&bytes), expected);
}

#[test]
fn each_field_is_checked() {
    check(
        0,
        b"WLPWM",
        "not opened: the header at the end of a pipable WIM needs bytes 0x702 to 0x7d2, but the file ends at 0x702",
    );
    check(
        0,
        b"MSWIN",
        r"not opened: expected the magic of a WIM (`MSWIM`) at offset 0x0, found MSWIN\x00\x00\x00",
    );
    check(
        8,
        &[212],
        "not opened: header: expected 0xd0 as header size at offset 0x8, found 0xd4",
    );
    check(
        12,
        &[0, 9, 1],
        "not opened: a WIM of pre-release version 0x10900 cannot be opened",
    );
    check(
        12,
        &[1, 2, 3, 4],
        "not opened: header: expected 0x10d00 or 0xe00 as version at offset 0xc, found 0x4030201",
    );
    check(
        FLAGS,
        &[2],
        "not opened: header: expected an algorithm beside the compression bit as flags at offset 0x10, found 0x2",
    );
    check(
        0x28,
        &[0],
        "not opened: header: expected 1 or more as part number at offset 0x28, found 0x0",
    );
    check(
        0x2A,
        &[0],
        "not opened: header: expected at least the part number as number of parts at offset 0x2a, found 0x0",
    );
    check(
        0x2C,
        &[0, 0, 1],
        "not opened: header: expected at most 0xffff as image count at offset 0x2c, found 0x10000",
    );
    check(
        0x2A,
        &[3],
        "1 of the 3 parts of the split set were given: what the others hold was not checked",
    );
    let sizes = [
        ("lookup table", LOOKUP_TABLE),
        ("XML data", XML),
        ("integrity table", 0x7C),
    ];
    for (what, at) in sizes {
        check(
            at + 16,
            &u64::MAX.to_le_bytes(),
            &format!(
                "not opened: header: expected no more than the file has as uncompressed size of the {what} at offset {:#x}, \
                 found 0xffffffffffffffff",
                at + 16
            ),
        );
    }
    check(0x78, &[9], "");
    check(FLAGS, &[0x40], "");
    check(CHUNK_SIZE, &[1], "");
}

#[test]
fn oddities_are_warned_of() {
    let mut bytes = wim_of(&small_tree());
    put(&mut bytes, FLAGS, &[0x40]);
    put(&mut bytes, CHUNK_SIZE, &[1]);
    put(&mut bytes, 0x78, &[9]);
    let wim = open(&bytes).expect("it opens");
    let warnings: Vec<String> = verify(&wim)
        .warnings
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        warnings,
        [
            "header at offset 0x14: chunk size 1 in an uncompressed file; ignored",
            "header at offset 0x10: the file was being written when its writer stopped",
            "header at offset 0x78: boot index 9 of 1 images; taken as none",
        ]
    );
}

#[test]
fn chunk_sizes_are_checked_for_each_algorithm() {
    #[track_caller]
    fn check(algorithm: u8, chunk_size: u32, valid: bool) {
        let mut bytes = wim_of(&small_tree());
        put(&mut bytes, FLAGS, &[2, 0, algorithm]);
        put(&mut bytes, CHUNK_SIZE, &chunk_size.to_le_bytes());
        assert_eq!(open(&bytes).is_ok(), valid, "{:?}", open(&bytes).err());
    }
    for (algorithm, min, max) in [
        (2, 1 << 12, 1 << 16),
        (0x20, 1 << 12, 1 << 16),
        (4, 1 << 15, 1 << 21),
        (8, 1 << 15, 1 << 30),
    ] {
        check(algorithm, min, true);
        check(algorithm, max, true);
        check(algorithm, min / 2, false);
        check(algorithm, max * 2, false);
        check(algorithm, min * 3 / 2, false);
        check(algorithm, 0, false);
    }
}

#[test]
fn rows_are_checked() {
    #[track_caller]
    fn check(row: usize, at: usize, value: &[u8], expected: &str) {
        let mut bytes = wim_of(&small_tree());
        let row = row_at(&bytes, row);
        put(&mut bytes, row + at, value);
        let text = problems(&bytes);
        assert!(text.starts_with(expected), "{text}");
    }
    check(
        0,
        26,
        &[2],
        "not opened: lookup table row 0: expected a reference count of 0 or 1 for image metadata, found 0x2",
    );
    check(1, 26, &[200], "");
    check(1, 24, &[9], "image 1: blob ");
    check(1, 30, &[0; 20], "image 1: blob ");
    check(1, 16, &[0; 8], "image 1: blob ");
    // A data resource with other sizes, beyond the end, with an offset that overflows, on another one's bytes.
    check(1, 16, &[9], "blob ");
    check(1, 8, &[0, 0, 1], "blob ");
    check(1, 8, &[255; 8], "blob ");
    check(2, 8, &[0xD0, 0], "blob ");
    check(1, 7, &[4], "blob ");
    check(
        0,
        8,
        &[255; 8],
        "the metadata of image 1 could not be read: the resource at offset 0xffffffffffffffff has ",
    );
    check(
        0,
        16,
        &[255; 8],
        "the metadata of image 1 could not be read: the resource at offset ",
    );
    check(
        0,
        30,
        &[1, 2, 3],
        "the metadata of image 1 could not be read: the resource at offset ",
    );
    // Left over from an image that was replaced: then there is none.
    check(0, 26, &[0], "");
}

#[test]
fn a_file_that_is_cut_off_is_refused_or_reported() {
    let bytes = wim_of(&small_tree());
    for len in 0..bytes.len() {
        let text = problems(&bytes[..len]);
        assert!(
            !text.is_empty(),
            "the first {len} bytes pass for a whole file"
        );
    }
    assert_eq!(problems(&bytes), "");
}

#[test]
fn images_that_share_metadata_are_read_once() {
    let mut tree = small_tree();
    let mut again = small_tree().file("more", "more");
    let images = vec![
        NewImage::new("one", &mut tree),
        NewImage::new("two", &mut again),
    ];
    let mut out = std::io::Cursor::new(Vec::new());
    write_uncompressed(&mut out, images, &options()).expect("it is written");
    let bytes = out.into_inner();
    let (first, second) = (row_at(&bytes, 0), row_at(&bytes, 1));

    let mut same = bytes.clone();
    same.copy_within(first..first + 50, second);
    let report = verify(&open(&same).expect("it opens"));
    assert!(
        report.is_ok() && report.images == 2,
        "{:?}",
        report.problems
    );

    // The same bytes, called compressed: to one image they are something else.
    let mut called = same.clone();
    called[second + 7] |= 4;
    let text = problems(&called);
    assert!(
        text.contains("expected bytes of its own at offset"),
        "{text}"
    );

    let mut shifted = same;
    shifted[second + 8] = shifted[second + 8].wrapping_add(8);
    let text = problems(&shifted);
    assert!(
        text.contains("expected bytes of its own at offset"),
        "{text}"
    );
}

#[test]
fn metadata_in_a_row_of_another_part_belongs_to_no_image() {
    let mut bytes = wim_of(&small_tree());
    let row = row_at(&bytes, 0);
    put(&mut bytes, row + 24, &[2]);
    let wim = open(&bytes).expect("it opens");
    assert_eq!(wim.image_count(), 0);
    let warnings: Vec<String> = wim.warnings().iter().map(ToString::to_string).collect();
    assert!(
        warnings[0].contains("metadata of an image in a row of another part; ignored"),
        "{warnings:?}"
    );
}
