//! Trees in memory: building, sending, comparing.

use wcow_ntmeta::{FileAttributes, FileTime, RelPath, ReparsePoint, SecurityDescriptor};
use wcow_tree::memory::{MemorySink, MemoryTree};
use wcow_tree::{Entry, EntryId, SendError, StreamEnd, StreamRef, Times, TreeSink, TreeSource};

/// A tree with a bit of everything.
pub(crate) fn rich() -> MemoryTree {
    MemoryTree::new()
        .dir(r"Windows\System32\config")
        .file(r"Windows\System32\ntdll.dll", [0x4d, 0x5a, 0, 1, 2, 3])
        .hard_link(r"Windows\ntdll copy.dll", r"Windows\System32\ntdll.dll")
        .file("empty.txt", "")
        .stream("empty.txt", "Zone.Identifier", "ZoneId=3")
        .short_name("empty.txt", "EMPTY~1.TXT")
        .times(
            "empty.txt",
            Times {
                created: FileTime::from_unix(1_400_000_000, 0).expect("in range"),
                accessed: FileTime::from_unix(1_450_000_000, 100).expect("in range"),
                written: FileTime::from_unix(1_439_567_515, 51_000_000).expect("in range"),
            },
        )
        .attributes("Windows", FileAttributes::SYSTEM | FileAttributes::HIDDEN)
        .security(
            "Windows",
            SecurityDescriptor::from_sddl("O:BAG:SYD:P(A;;FA;;;SY)").expect("valid"),
        )
        .reparse(
            "link",
            ReparsePoint::symlink(r"Windows\System32", "", true).expect("short"),
        )
}

#[test]
fn a_tree_survives_being_sent() {
    let tree = rich();
    let copy = MemoryTree::collect(&mut tree.clone()).unwrap();
    assert_eq!(copy.differences(&tree), [""; 0]);
    assert_eq!(copy, tree);
    assert_eq!(
        copy.contents("WINDOWS/NTDLL copy.dll"),
        Some(&[0x4d, 0x5a, 0, 1, 2, 3][..])
    );
    assert_eq!(
        copy.stream_contents("empty.txt", "zone.identifier"),
        Some(&b"ZoneId=3"[..])
    );
    assert!(
        copy.get("Windows")
            .unwrap()
            .attributes
            .contains(FileAttributes::DIRECTORY | FileAttributes::SYSTEM)
    );
    assert_eq!(copy.contents("Windows"), None);
    assert_eq!(copy.contents("nothing"), None);
}

#[test]
fn the_order_of_calls_does_not_count() {
    let one = MemoryTree::new()
        .file("a/x", "1")
        .file("b", "2")
        .hard_link("c", "b")
        .stream("b", "s", "3");
    let other = MemoryTree::new()
        .file("c", "wrong")
        .stream("c", "s", "3")
        .hard_link("b", "c")
        .file("c", "2")
        .file("a/x", "1");
    assert_eq!(one, other);
}

#[test]
fn differences_say_what_and_where() {
    #[track_caller]
    fn check(changed: MemoryTree, expected: &[&str]) {
        assert_eq!(rich().differences(&changed), expected);
    }
    check(rich().file("new", ""), &["new: only there"]);
    check(
        rich().file("empty.txt", "x"),
        &[
            "empty.txt: contents differ",
            r#"empty.txt: streams: "" Data 0, "Zone.Identifier" Data 8 here, "" Data 1, "Zone.Identifier" Data 8 there"#,
        ],
    );
    check(
        rich().short_name("empty.txt", ""),
        &[r#"empty.txt: short name: "EMPTY~1.TXT" here, "" there"#],
    );
    check(
        rich().attributes("Windows", FileAttributes::HIDDEN),
        &["Windows: attributes: HIDDEN|SYSTEM|DIRECTORY here, HIDDEN|DIRECTORY there"],
    );
    check(
        rich().hard_link("z", "link"),
        &[
            r#"link: hard links: [["link"]] here, [["link"], ["z"]] there"#,
            "z: only there",
        ],
    );
}

#[test]
fn a_file_that_gets_children_becomes_a_directory() {
    let tree = MemoryTree::new().file("a", "x").file("a/b", "y");
    assert!(tree.get("a").unwrap().is_directory());
    assert_eq!(tree.contents("a"), None);
    assert_eq!(tree, MemoryTree::new().dir("a").file("a/b", "y"));
}

#[test]
fn hostile_entries_can_be_built() {
    let entry = |name: &str| Entry {
        name: name.into(),
        ..MemoryTree::new().file("x", "").get("x").unwrap().clone()
    };
    let tree = MemoryTree::new()
        .entry("", entry(".."), vec![b"one".to_vec()])
        .entry("", entry(".."), vec![b"two".to_vec()]);
    assert_eq!(tree.entries().count(), 3);
    assert_eq!(tree.entries().nth(2).unwrap().1.streams[0].len, 3);
    let copy = MemoryTree::collect(&mut tree.clone()).unwrap();
    assert_eq!(copy, tree);
    assert_ne!(
        copy,
        MemoryTree::new().entry("", entry(".."), vec![b"one".to_vec()])
    );
    assert_eq!(copy.paths(), vec![RelPath::parse(".."); 2]);
}

#[test]
fn the_sink_stops_at_its_limit() {
    let mut sink = MemorySink::with_limit(5);
    let error = MemoryTree::new()
        .file("a", "123")
        .file("b", "456")
        .send(&mut sink)
        .unwrap_err();
    assert!(matches!(error, SendError::Sink(_)), "{error}");
    assert_eq!(error.to_string(), "the tree is too large for memory");
}

#[test]
fn damaged_streams_have_no_contents() {
    let mut sink = MemorySink::new();
    let source = MemoryTree::new().file("a", "123");
    for (_, entry) in source.entries() {
        sink.entry(entry).unwrap();
    }
    assert!(
        sink.open_stream(StreamRef {
            entry: EntryId(1),
            index: 0
        })
        .unwrap()
    );
    sink.write(b"12").unwrap();
    sink.close_stream(StreamEnd::Damaged).unwrap();
    assert_eq!(sink.finish().contents("a"), None);
}

#[test]
fn entries_without_a_parent_are_refused() {
    let mut entry = MemoryTree::new().file("a", "").get("a").unwrap().clone();
    entry.parent = Some(EntryId(7));
    let error = MemorySink::new().entry(&entry).unwrap_err();
    assert_eq!(error.to_string(), "entry 1: its parent 7 was not sent");
    let stray = StreamRef {
        entry: EntryId(3),
        index: 0,
    };
    assert_eq!(
        MemorySink::new()
            .open_stream(stray)
            .unwrap_err()
            .to_string(),
        "entry 3: a stream came before it"
    );
}

#[test]
fn a_linked_file_that_gets_children_leaves_its_links_behind() {
    let tree = MemoryTree::new()
        .file("a", "x")
        .hard_link("b", "a")
        .hard_link("c", "a")
        .file("a/inner", "y");
    assert_eq!(
        tree,
        MemoryTree::new()
            .file("b", "x")
            .hard_link("c", "b")
            .file("a/inner", "y")
    );
    let below = MemoryTree::new().file("a", "x").hard_link("a/b", "a");
    assert_eq!(below, MemoryTree::new().file("a/b", ""));
}

#[test]
fn a_link_can_move_to_another_file() {
    let tree = MemoryTree::new()
        .file("a", "1")
        .hard_link("b", "a")
        .file("c", "2")
        .hard_link("a", "c");
    assert_eq!(
        tree,
        MemoryTree::new()
            .file("a", "2")
            .hard_link("b", "a")
            .hard_link("c", "b")
    );
}
