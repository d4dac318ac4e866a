//! Image metadata that lies.

use wcow_tree::memory::MemoryTree;

use crate::support::{
    first, metadata, open, problems, put, small_tree, tree_of, verify, wim_of, with_metadata,
};

/// Length of the security data of [`small_tree`]'s image: no descriptors.
const ROOT: usize = 8;

/// A directory entry without streams.
fn entry(name: &[u16], directory: bool, children: usize) -> Vec<u8> {
    let name_len = if name.is_empty() {
        0
    } else {
        2 * name.len() + 2
    };
    let len = (0x66 + name_len).next_multiple_of(8);
    let mut bytes = vec![0; len];
    put(&mut bytes, 0, &(len as u64).to_le_bytes());
    put(&mut bytes, 8, &[if directory { 0x10 } else { 0x80 }]);
    put(&mut bytes, 12, &[255; 4]);
    put(&mut bytes, 16, &(children as u64).to_le_bytes());
    put(&mut bytes, 0x64, &((2 * name.len()) as u16).to_le_bytes());
    for (index, unit) in name.iter().enumerate() {
        put(&mut bytes, 0x66 + 2 * index, &unit.to_le_bytes());
    }
    bytes
}

/// Metadata of a root and lists of children; offsets of the lists are 8 + 104 + 8 and so on.
fn metadata_of(lists: &[Vec<Vec<u8>>], root_children: usize) -> Vec<u8> {
    let mut bytes = vec![8, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend(entry(&[], true, root_children));
    bytes.extend([0; 8]);
    for list in lists {
        bytes.extend(list.concat());
        bytes.extend([0; 8]);
    }
    bytes
}

#[track_caller]
fn check(metadata: &[u8], expected: &str) {
    let bytes = with_metadata(&wim_of(&MemoryTree::new()), metadata);
    assert_eq!(problems(&bytes), expected);
}

#[track_caller]
fn check_warnings(metadata: &[u8], paths: &[&str], expected: &[&str]) {
    let wim = open(&with_metadata(&wim_of(&MemoryTree::new()), metadata)).expect("it opens");
    let report = verify(&wim);
    assert!(report.is_ok(), "{:?}", report.problems);
    let warnings: Vec<String> = report.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings, expected);
    let image = wim.image(first()).expect("it is there");
    let found: Vec<String> = image
        .nodes()
        .skip(1)
        .map(|id| image.path(id).to_string())
        .collect();
    assert_eq!(found, paths);
}

const A: u16 = b'a' as u16;
const B: u16 = b'b' as u16;
const LIST: usize = 8 + 104 + 8;

#[test]
fn lists_are_visited_once() {
    let once = "expected a list of children that belongs to one directory, found a second one that uses it";
    // A directory that contains itself, and two that share their children.
    check(
        &metadata_of(&[vec![entry(&[A], true, LIST)]], LIST),
        &format!("the metadata of image 1 at offset 0x78: {once}"),
    );
    let second = LIST + 2 * 112 - 8 + 8;
    let shared = metadata_of(
        &[
            vec![entry(&[A], true, second), entry(&[B], true, second)],
            vec![entry(&[A], false, 0)],
        ],
        LIST,
    );
    let second = format!("{:#x}", LIST + 2 * entry(&[A], true, 0).len() + 8);
    let mut shared = shared;
    let target = u64::from_str_radix(&second[2..], 16).expect("hexadecimal");
    put(&mut shared, LIST + 16, &target.to_le_bytes());
    put(
        &mut shared,
        LIST + entry(&[A], true, 0).len() + 16,
        &target.to_le_bytes(),
    );
    check(
        &shared,
        &format!("the metadata of image 1 at offset {second}: {once}"),
    );
}

#[test]
fn lists_within_lists_are_no_way_around() {
    // Each of many directories begins at another entry of the same list.
    let count = 64;
    let len = entry(&[A], true, 0).len();
    let list = (0..count)
        .map(|index| {
            entry(
                &[0x100 + index as u16],
                true,
                LIST + len * ((index + 1) % count),
            )
        })
        .collect();
    let text = problems(&with_metadata(
        &wim_of(&MemoryTree::new()),
        &metadata_of(&[list], LIST),
    ));
    assert!(
        text.ends_with("expected lists of children that do not overlap, found more entries than the metadata has room for")
            || text.ends_with("found a second one that uses it"),
        "{text}"
    );
}

#[test]
fn shared_empty_lists_are_accepted() {
    let len = entry(&[A], true, 0).len();
    let empty = LIST + 2 * len + 8;
    let bytes = metadata_of(
        &[
            vec![entry(&[A], true, empty), entry(&[B], true, empty)],
            vec![],
        ],
        LIST,
    );
    check_warnings(&bytes, &["a", "b"], &[]);
}

#[test]
fn names_that_lead_elsewhere_are_left_out() {
    let (dot, slash, nul) = (u16::from(b'.'), u16::from(b'/'), 0);
    let names: [&[u16]; 6] = [&[dot], &[dot, dot], &[], &[A, nul], &[A, slash, B], &[A]];
    let list = names.iter().map(|name| entry(name, false, 0)).collect();
    check_warnings(
        &metadata_of(&[list], LIST),
        &["a/b", "a"],
        &[
            "metadata of image 1 at offset 0x78: entry \".\" would lead out of its directory; left out",
            "metadata of image 1 at offset 0xe8: entry \"..\" would lead out of its directory; left out",
            "metadata of image 1 at offset 0x158: entry \"\" has no name; left out",
            "metadata of image 1 at offset 0x1c0: entry \"a\\0\" has a NUL in its name; left out",
            "metadata of image 1 at offset 0x230: entry \"a/b\" has a path separator in its name",
        ],
    );
}

#[test]
fn the_first_of_equal_names_stays() {
    let list = vec![
        entry(&[A], false, 0),
        entry(&[A], true, 0),
        entry(&[0x41], false, 0),
    ];
    check_warnings(
        &metadata_of(&[list], LIST),
        &["a", "A"],
        &[
            "metadata of image 1 at offset 0x78: a second entry with the name \"a\" in one directory; left out",
        ],
    );
}

#[test]
fn children_of_a_file_are_ignored() {
    let len = entry(&[A], true, 0).len();
    let bytes = metadata_of(
        &[
            vec![entry(&[A], false, LIST + len + 8)],
            vec![entry(&[B], false, 0)],
        ],
        LIST,
    );
    let at = format!(
        "metadata of image 1 at offset {:#x}: children of something that is no directory; ignored",
        LIST + len + 8
    );
    check_warnings(&bytes, &["a"], &[&at]);
}

#[test]
fn fields_of_an_entry_are_checked() {
    #[track_caller]
    fn field(at: usize, value: &[u8], expected: &str) {
        let mut bytes = metadata_of(&[vec![entry(&[A], false, 0)]], LIST);
        put(&mut bytes, at, value);
        check(&bytes, expected);
    }
    let entry = "the metadata of image 1 at offset 0x78:";
    field(
        LIST,
        &[9],
        &format!("{entry} expected an entry of 104 to 120 bytes, found 9"),
    );
    field(
        LIST,
        &[255; 8],
        &format!("{entry} expected an entry of 104 to 120 bytes, found 18446744073709551615"),
    );
    field(
        LIST + 0x64,
        &[3],
        "the metadata of image 1 at offset 0xdc: expected an even length of the long name, found 3",
    );
    field(
        LIST + 0x62,
        &[1],
        "the metadata of image 1 at offset 0xda: expected an even length of the short name, found 1",
    );
    field(
        LIST + 0x64,
        &[254, 255],
        &format!("{entry} expected room for both names in 112 bytes, found longer names"),
    );
    field(
        LIST + 0x60,
        &[255, 255],
        "the metadata of image 1 at offset 0xe8: expected a stream entry with an even name length and room for its name, found 0 bytes",
    );
    field(
        ROOT + 16,
        &[0xF0],
        "the metadata of image 1 at offset 0xf0: expected a directory entry or the end of a list, found the end of the metadata",
    );
    field(
        ROOT + 8,
        &[0x80],
        "the metadata of image 1 at offset 0x8: expected a directory as the root, found attributes 0x80",
    );
    field(
        ROOT + 9,
        &[4],
        "the metadata of image 1 at offset 0x8: expected a directory as the root, found attributes 0x410",
    );
    field(
        0,
        &[255; 4],
        "the metadata of image 1 at offset 0x0: expected at most 240 bytes of security data, found 4294967295",
    );
    field(
        4,
        &[255; 4],
        "the metadata of image 1 at offset 0x4: expected a number of security descriptors that 8 bytes can hold, found 4294967295",
    );
    field(
        0,
        &[16, 0, 0, 0, 1, 0, 0, 0, 255],
        "the metadata of image 1 at offset 0x8: expected security descriptor 0 to have at most 0 bytes, found 255",
    );
}

#[test]
fn an_empty_image_has_a_root() {
    let wim = open(&with_metadata(&wim_of(&MemoryTree::new()), &[0; 16])).expect("it opens");
    assert!(verify(&wim).is_ok());
    assert!(tree_of(&wim, first()).paths().is_empty());
}

#[test]
fn metadata_that_is_cut_off_is_refused() {
    let whole = wim_of(&small_tree());
    let data = metadata(&whole);
    for len in 0..data.len() {
        let text = problems(&with_metadata(&whole, &data[..len]));
        assert!(
            text.starts_with("the metadata of image 1 "),
            "the first {len} bytes pass for all of it: {text}"
        );
    }
}
