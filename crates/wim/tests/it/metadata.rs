//! Image metadata that lies.

use wcow_tree::memory::MemoryTree;
use wcow_wim::{Image, NodeId, Options, StreamRole, Wim};

use crate::support::{
    first, metadata, open, problems, put, small_tree, tree_of, verify, wim_of, with_metadata,
};

/// Length of the security data of [`small_tree`]'s image: no descriptors.
const ROOT: usize = 8;

/// A directory entry without streams.
pub(crate) fn entry(name: &[u16], directory: bool, children: usize) -> Vec<u8> {
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
pub(crate) fn metadata_of(lists: &[Vec<Vec<u8>>], root_children: usize) -> Vec<u8> {
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

#[test]
fn limits_of_depth_hold() {
    let depth = 40;
    let len = entry(&[A], true, 0).len();
    let lists: Vec<_> = (1..=depth)
        .map(|level| vec![entry(&[A], true, LIST + level * (len + 8))])
        .chain([Vec::new()])
        .collect();
    let bytes = with_metadata(&wim_of(&MemoryTree::new()), &metadata_of(&lists, LIST));
    let open = |limit| {
        let mut options = Options::default();
        options.limits.depth = limit;
        Wim::open_with(bytes.clone(), options)
            .expect("it opens")
            .image(first())
    };
    let image = open(40).expect("just deep enough");
    let deepest = image.nodes().last().expect("there is a root");
    assert_eq!(image.path(deepest).depth(), depth);
    let error = open(39).expect_err("too deep").to_string();
    assert!(
        error.ends_with("expected at most 39 directories within each other, found more"),
        "{error}"
    );
}

#[test]
fn equal_names_far_apart_are_found() {
    // Not in order, as DISM writes them; every seventh name is there twice, and once more in another case.
    let name = |number: usize| [0x4E00 + (number * 7919 % 1009) as u16, A];
    let mut list: Vec<_> = (0..1009)
        .map(|number| entry(&name(number), false, 0))
        .collect();
    for number in (0..1009).step_by(7) {
        list.push(entry(&name(number), true, 0));
        let [unit, _] = name(number);
        list.push(entry(&[unit, 0x41], false, 0));
    }
    let image = image_of(&metadata_of(&[list], LIST));
    assert_eq!(image.len(), 1 + 1009 + 145);
    assert_eq!(image.warnings().len(), 145);
    assert!(image.nodes().skip(1).all(|id| !image.is_directory(id)));
    for number in 0..1009 {
        let exact = wcow_ntmeta::WideName::from_units(name(number).to_vec());
        let found = image.child(image.root(), &exact).expect("it is there");
        assert_eq!(image.name(found), exact);
        let upper = exact.upcased();
        let found = image.child(image.root(), &upper).expect("in any case");
        assert_eq!(
            image.name(found) == upper,
            number % 7 == 0,
            "the exact name wins"
        );
    }
    let missing = wcow_ntmeta::WideName::from("nothing");
    assert_eq!(image.child(image.root(), &missing), None);
}

#[test]
fn short_names_are_found_in_long_directories() {
    let mut list: Vec<_> = (0..100)
        .map(|number| entry(&[0x4E00 + number, A], false, 0))
        .collect();
    list.push(entry_with(&[B], &[A, A], &[], &[]));
    let image = image_of(&metadata_of(&[list.clone()], LIST));
    let last = image.nodes().last();
    let find = |image: &Image, name: &str| image.child(image.root(), &name.into());
    assert_eq!(find(&image, "AA"), last);
    assert_eq!(
        image.short_name(last.expect("some")).expect("it has one"),
        "aa"
    );
    // The long name of another file wins, in any case.
    list.push(entry(&[0x41, A], false, 0));
    let image = image_of(&metadata_of(&[list], LIST));
    assert_eq!(find(&image, "aA"), image.nodes().last());
}

/// An entry of a file with a short name, tagged items and stream entries.
fn entry_with(name: &[u16], short: &[u16], tagged: &[u8], streams: &[(&[u16], u8)]) -> Vec<u8> {
    let mut bytes = entry(name, false, 0);
    let names_end = 0x66 + 2 * name.len() + 2;
    bytes.truncate(names_end);
    if !short.is_empty() {
        bytes.extend(short.iter().flat_map(|unit| unit.to_le_bytes()));
        bytes.extend([0; 2]);
    }
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes.extend(tagged);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let len = bytes.len() as u64;
    put(&mut bytes, 0, &len.to_le_bytes());
    put(&mut bytes, 0x62, &((2 * short.len()) as u16).to_le_bytes());
    put(&mut bytes, 0x60, &(streams.len() as u16).to_le_bytes());
    for (name, digest) in streams {
        let mut stream = vec![0; 0x26];
        put(&mut stream, 0x10, &[*digest; 20]);
        put(&mut stream, 0x24, &((2 * name.len()) as u16).to_le_bytes());
        stream.extend(name.iter().flat_map(|unit| unit.to_le_bytes()));
        stream.resize((stream.len() + 2).next_multiple_of(8), 0);
        let len = stream.len() as u64;
        put(&mut stream, 0, &len.to_le_bytes());
        bytes.extend(stream);
    }
    bytes
}

/// A tagged item.
fn item(tag: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = tag.to_le_bytes().to_vec();
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

#[track_caller]
fn image_of(metadata: &[u8]) -> Image {
    let bytes = with_metadata(&wim_of(&MemoryTree::new()), metadata);
    let wim = open(&bytes).expect("it opens");
    wim.image(first()).expect("it can be read")
}

/// An image with one file, and that file.
#[track_caller]
fn with_file(entry: Vec<u8>) -> (Image, NodeId) {
    let image = image_of(&metadata_of(&[vec![entry]], LIST));
    let node = image.nodes().last().expect("there is a root");
    (image, node)
}

fn roles(image: &Image, node: NodeId) -> Vec<(StreamRole, u8, String)> {
    let streams = image.streams(node).iter();
    streams
        .map(|stream| {
            let name = stream.name.as_ref().map(ToString::to_string);
            (stream.role, stream.digest.0[0], name.unwrap_or_default())
        })
        .collect()
}

#[test]
fn streams_without_types_are_told_apart() {
    use StreamRole::{Data, EncryptedRaw, Named, Reparse};
    #[track_caller]
    fn check(
        attributes: u32,
        main: u8,
        streams: &[(&[u16], u8)],
        expected: &[(StreamRole, u8, &str)],
    ) {
        let mut entry = entry_with(&[A], &[], &[], streams);
        put(&mut entry, 8, &attributes.to_le_bytes());
        put(&mut entry, 0x40, &[main; 20]);
        let (image, node) = with_file(entry);
        let expected: Vec<_> = expected
            .iter()
            .map(|(role, digest, name)| (*role, *digest, (*name).to_owned()))
            .collect();
        assert_eq!(roles(&image, node), expected);
    }
    const REPARSE: u32 = 0x400;
    const ENCRYPTED: u32 = 0x4000;
    const DIRECTORY: u32 = 0x10;
    let empty: &[u16] = &[];
    check(0, 1, &[], &[(Data, 1, "")]);
    check(0, 0, &[], &[(Data, 0, "")]);
    // The main digest wins; if there is none, the first entry does, though it be empty.
    check(0, 1, &[(empty, 2)], &[(Data, 1, "")]);
    check(0, 0, &[(empty, 0), (empty, 2)], &[(Data, 0, "")]);
    check(
        0,
        0,
        &[(&[A], 3), (empty, 2), (&[B], 0)],
        &[(Data, 2, ""), (Named, 3, "a"), (Named, 0, "b")],
    );
    check(REPARSE, 1, &[], &[(Data, 0, ""), (Reparse, 1, "")]);
    check(
        REPARSE,
        0,
        &[(empty, 1), (empty, 2), (&[A], 3)],
        &[(Data, 2, ""), (Reparse, 1, ""), (Named, 3, "a")],
    );
    check(REPARSE | DIRECTORY, 1, &[], &[(Reparse, 1, "")]);
    check(REPARSE | DIRECTORY, 0, &[], &[(Reparse, 0, "")]);
    check(ENCRYPTED, 1, &[(empty, 2)], &[(EncryptedRaw, 1, "")]);
    check(
        ENCRYPTED,
        0,
        &[(empty, 0), (empty, 0), (empty, 0), (empty, 4), (&[A], 3)],
        &[(EncryptedRaw, 4, ""), (Named, 3, "a")],
    );
    check(ENCRYPTED, 0, &[], &[]);
    check(DIRECTORY, 0, &[(empty, 0), (&[A], 3)], &[(Named, 3, "a")]);
    check(DIRECTORY, 1, &[], &[]);
}

#[test]
fn a_directory_with_data_and_a_strange_security_id_are_warned_of() {
    let mut list = entry(&[A], true, 0);
    put(&mut list, 0x40, &[1; 20]);
    put(&mut list, 12, &[7, 0, 0, 0]);
    check_warnings(
        &metadata_of(&[vec![list]], LIST),
        &["a"],
        &[
            "metadata of image 1 at offset 0x78: a directory with data; the data is ignored",
            "metadata of image 1 at offset 0x78: security id 7 of 0 descriptors; taken as none",
        ],
    );
}

#[test]
fn streams_without_a_name_that_stand_for_nothing_are_warned_of() {
    let empty: &[u16] = &[];
    let file = entry_with(&[A], &[], &[], &[(empty, 0), (empty, 2), (empty, 0)]);
    let stream = LIST + 0x70 + 40;
    check_warnings(
        &metadata_of(&[vec![file]], LIST),
        &["a"],
        &[&format!(
            "metadata of image 1 at offset {stream:#x}: a stream without a name that stands for nothing; ignored"
        )],
    );
}

#[test]
fn a_root_with_a_name_and_a_link_group_is_accepted() {
    let mut root = entry(&[A], true, 0);
    put(&mut root, 0x58, &[1]);
    let mut bytes = vec![8, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend(root);
    check_warnings(
        &bytes,
        &[],
        &[
            "metadata of image 1 at offset 0x8: the root has the name \"a\"; ignored",
            "metadata of image 1 at offset 0x0: 1 directories with a hard link group; ignored",
        ],
    );
    assert!(image_of(&bytes).name(image_of(&bytes).root()).is_empty());
}

#[test]
fn rare_items_are_read() {
    const UNIX: u32 = 0x337D_D873;
    let eas = [&[3, 0, 2, 0x80][..], b"ab\0xyz", &[0, 0, 1, 0], b"c\0"].concat();
    let tagged = [
        item(1, &[9; 64]),
        item(2, &eas),
        item(UNIX, &[1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0]),
        item(77, b"odd"),
        item(1, &[8; 16]),
    ]
    .concat();
    let (image, node) = with_file(entry_with(&[A], &[B], &tagged, &[]));
    assert_eq!(image.warnings(), []);
    assert_eq!(image.object_id(node), Some(&[9; 64][..]));
    let attributes: Vec<_> = image
        .extended_attributes(node)
        .map(|attribute| (attribute.name, attribute.value, attribute.flags))
        .collect();
    assert_eq!(
        attributes,
        [(&b"ab"[..], &b"xyz"[..], 0x80), (b"c", b"", 0)]
    );
    let unix = image.unix_data(node).expect("it has an owner");
    assert_eq!((unix.uid, unix.gid, unix.mode, unix.rdev), (1, 2, 3, 4));
    let tags: Vec<u32> = image.tagged_items(node).map(|(tag, _)| tag).collect();
    assert_eq!(tags, [1, 2, UNIX, 77, 1]);
    let extra = image.extra(node);
    assert_eq!(
        (extra.object_id.len(), extra.extended_attributes),
        (64, eas)
    );
    let unknown: Vec<_> = extra
        .unknown
        .iter()
        .map(|item| (item.tag, item.data.len()))
        .collect();
    assert_eq!(unknown, [(UNIX, 16), (77, 3), (1, 16)]);

    let (image, node) = with_file(entry(&[A], false, 0));
    assert_eq!((image.object_id(node), image.unix_data(node)), (None, None));
    assert_eq!(image.extended_attributes(node).count(), 0);
}

#[test]
fn extended_attributes_of_old_wimlib_are_read() {
    let old = [
        &[3, 0, 0, 0, 2, 0, 0, 0][..],
        b"abcxy\0\0\0",
        &[1, 0, 0, 0, 0, 0, 0, 0],
        b"d\0\0\0",
    ]
    .concat();
    let (image, node) = with_file(entry_with(&[A], &[], &item(0x337D_D874, &old), &[]));
    assert_eq!(image.warnings(), []);
    let attributes: Vec<_> = image
        .extended_attributes(node)
        .map(|attribute| (attribute.name, attribute.value))
        .collect();
    assert_eq!(attributes, [(&b"abc"[..], &b"xy"[..]), (b"d", b"")]);
    assert_eq!(image.extra(node).unknown.len(), 1, "it is kept as it is");
}

#[test]
fn items_that_do_not_fit_end_the_list() {
    let mut tagged = item(77, b"fine");
    tagged.extend([1, 0, 0, 0, 200, 0, 0, 0]);
    let (image, node) = with_file(entry_with(&[A], &[], &tagged, &[]));
    let warnings: Vec<String> = image.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "metadata of image 1 at offset 0xf8: a tagged item of 200 bytes that does not fit its entry; ignored, with any behind it"
        ]
    );
    assert_eq!(image.tagged_items(node).count(), 1);
    // An object id of the wrong size is kept as something unknown.
    let (image, node) = with_file(entry_with(&[A], &[], &item(1, &[1; 15]), &[]));
    assert_eq!(image.object_id(node), None);
    assert_eq!(image.extra(node).unknown.len(), 1);
    // An attribute that does not fit, behind one that does.
    let eas = [&[0, 0, 1, 0][..], b"c\0", &[9, 0, 1, 0], b"d\0"].concat();
    let (image, node) = with_file(entry_with(&[A], &[], &item(2, &eas), &[]));
    assert_eq!(image.extended_attributes(node).count(), 1);
    let [warning] = image.warnings() else {
        panic!("{:?}", image.warnings());
    };
    assert!(
        warning
            .what
            .starts_with("extended attributes of which one does not fit")
    );
    // Zeros at the end are no attribute.
    let eas = [&[0, 0, 1, 0][..], b"c\0", &[0; 10]].concat();
    let (image, node) = with_file(entry_with(&[A], &[], &item(2, &eas), &[]));
    assert_eq!(image.extended_attributes(node).count(), 1);
    assert_eq!(image.warnings(), []);
}

#[test]
fn links_are_of_one_group_and_the_same_data() {
    let file = |unit: u16, group: u8, digest: u8| {
        let mut bytes = entry(&[unit], false, 0);
        put(&mut bytes, 0x58, &[group]);
        put(&mut bytes, 0x40, &[digest; 20]);
        bytes
    };
    let list = vec![
        file(0x61, 1, 1),
        file(0x62, 2, 1),
        file(0x63, 1, 2),
        file(0x64, 1, 1),
        file(0x65, 1, 2),
        file(0x66, 0, 1),
        file(0x67, 1, 1),
    ];
    let image = image_of(&metadata_of(&[list], LIST));
    let links: Vec<Option<u32>> = image
        .nodes()
        .skip(1)
        .map(|id| image.first_link(id).map(NodeId::index))
        .collect();
    assert_eq!(
        links,
        [Some(1), None, Some(3), Some(1), Some(3), None, Some(1)]
    );
    let groups: Vec<Option<u64>> = image
        .nodes()
        .skip(1)
        .map(|id| image.link_group(id))
        .collect();
    assert_eq!(groups[1], Some(2));
    assert_eq!(groups[5], None);
}

#[test]
fn nodes_of_another_image_are_nothing() {
    let many = image_of(&metadata_of(
        &[(0..9).map(|unit| entry(&[A + unit], false, 0)).collect()],
        LIST,
    ));
    let stranger = many.nodes().last().expect("there is a root");
    let image = image_of(&metadata_of(&[], 0));
    assert!(image.name(stranger).is_empty() && image.streams(stranger).is_empty());
    assert_eq!(image.attributes(stranger).bits(), 0);
    assert_eq!(image.times(stranger), wcow_tree::Times::default());
    assert_eq!(image.security(stranger), None);
    assert_eq!(image.extra(stranger), wcow_tree::Extra::default());
    assert_eq!(
        (
            image.parent(stranger),
            image.first_link(stranger),
            image.reparse_tag(stranger)
        ),
        (None, None, None)
    );
    assert!(image.is_empty() && image.path(stranger).is_root());
    assert_eq!(
        format!("{image:?}"),
        "Image { index: ImageIndex(1), nodes: 1, .. }"
    );
}
