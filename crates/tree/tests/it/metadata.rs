//! What the disk does not hold: kept beside the tree, and taken back whole.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;
use wcow_ntmeta::{
    FileAttributes, FileTime, RelPath, ReparsePoint, SecurityDescriptor, TAG_WOF, WideName,
};
use wcow_tree::disk::{
    DiskOptions, DiskReport, DiskSink, DiskSource, Existing, Links, Metadata, MetadataWriter, Names,
};
use wcow_tree::memory::MemoryTree;
use wcow_tree::{
    Entry, EntryId, Extra, Stream, StreamEnd, StreamKind, StreamRef, TaggedItem, Times, TreeSink,
    TreeSource,
};

use crate::memory::rich;

struct Place {
    _outer: TempDir,
    dest: PathBuf,
    metadata: PathBuf,
}

impl Place {
    fn new() -> Self {
        let outer = tempfile::tempdir().expect("a temporary directory");
        Self {
            dest: outer.path().join("dest"),
            metadata: outer.path().join("meta"),
            _outer: outer,
        }
    }

    fn sink(&self, options: DiskOptions) -> DiskSink {
        let writer = MetadataWriter::create(&self.metadata, options.existing);
        DiskSink::open(&self.dest, options)
            .expect("a new directory")
            .with_metadata(writer.expect("a new file"))
    }

    fn write(&self, tree: &MemoryTree, options: DiskOptions) -> DiskReport {
        let mut sink = self.sink(options);
        tree.clone().send(&mut sink).expect("room");
        sink.finish().expect("room")
    }

    fn read(&self) -> MemoryTree {
        let metadata = Metadata::read(&self.metadata).expect("what was just written");
        let source = DiskSource::open(&self.dest).expect("a directory");
        MemoryTree::collect(&mut source.with_metadata(metadata)).expect("a readable tree")
    }

    fn names(&self) -> Vec<String> {
        let parent = self.metadata.parent().expect("a file");
        let mut names: Vec<_> = fs::read_dir(parent)
            .expect("a directory")
            .map(|entry| entry.expect("a name").file_name().display().to_string())
            .collect();
        names.sort();
        names
    }
}

fn links() -> DiskOptions {
    let mut options = DiskOptions::default();
    options.links = Links::Relative;
    options
}

fn times(secs: i64) -> Times {
    let at = |secs| FileTime::from_unix(secs, 700).expect("in range");
    Times {
        created: at(secs),
        accessed: at(secs + 1),
        written: at(secs + 2),
    }
}

#[test]
fn a_rich_tree_comes_back() {
    for options in [DiskOptions::default(), links()] {
        let place = Place::new();
        let tree = rich()
            .stream("empty.txt", "long", vec![7; 5000])
            .stream("empty.txt", "longer", vec![8; 70_000])
            .stream("Windows", "of a directory", "x");
        let report = place.write(&tree, options);
        assert_eq!(report.problems, []);
        assert_eq!(place.names(), ["dest", "meta", "meta.streams"]);
        let streams = fs::metadata(place.dest.with_file_name("meta.streams"));
        assert_eq!(streams.expect("just seen").len(), 75_000);
        assert_eq!(place.read().differences(&tree), [""; 0]);
    }
}

#[test]
fn the_file_is_as_documented() {
    let place = Place::new();
    let tree = MemoryTree::new()
        .file("a:b", "x")
        .stream("a:b", "s", "yz")
        .security("a:b", SecurityDescriptor::from_sddl("O:BA").expect("valid"))
        .attributes("a:b", FileAttributes::HIDDEN)
        .hard_link("c", "a:b");
    let mut options = DiskOptions::default();
    options.names = Names::Windows;
    place.write(&tree, options);
    let text = fs::read_to_string(&place.metadata).expect("just written");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.first(), Some(&r#"{"schema":"wcow.metadata/1"}"#));
    assert_eq!(
        lines.get(1),
        Some(&r#"{"entry":{"id":0,"attributes":16,"times":[0,0,0]}}"#)
    );
    assert!(
        lines
            .get(2)
            .is_some_and(|line| line.starts_with(r#"{"security":{"id":0,"descriptor":"0100"#)),
        "{text}"
    );
    assert_eq!(
        lines.get(3..),
        Some(
            &[
                r#"{"entry":{"id":1,"parent":0,"name":"a:b","attributes":2,"times":[0,0,0],"security":0,"streams":[{"len":1},{"name":"s","len":2}]}}"#,
                r#"{"named":{"id":1,"name":"a%003Ab"}}"#,
                r#"{"bytes":{"id":1,"stream":1,"data":"797a"}}"#,
                r#"{"entry":{"id":2,"parent":0,"name":"c","attributes":2,"times":[0,0,0],"security":0,"link_to":1,"streams":[{"len":1},{"name":"s","len":2}]}}"#,
                r#"{"end":{"entries":3,"stored":0}}"#,
            ][..]
        )
    );
}

#[test]
fn the_disk_decides_what_is_there() {
    let place = Place::new();
    let tree = MemoryTree::new()
        .file("changed", "before")
        .times("changed", times(1_400_000_000))
        .attributes("changed", FileAttributes::HIDDEN)
        .stream("changed", "s", "kept")
        .file("gone/file", "x")
        .file("first", "shared")
        .stream("first", "s", "kept too")
        .hard_link("second", "first")
        .hard_link("third", "first")
        .file("broken/one", "1")
        .hard_link("broken/two", "broken/one")
        .file("now a directory", "x")
        .reparse(
            "link",
            ReparsePoint::symlink("changed", "shown", true).expect("short"),
        )
        .reparse(
            "other link",
            ReparsePoint::symlink("changed", "shown", true).expect("short"),
        );
    assert_eq!(place.write(&tree, links()).problems, []);
    let dest = &place.dest;
    fs::write(dest.join("changed"), "after all").expect("room");
    fs::remove_dir_all(dest.join("gone")).expect("there");
    fs::remove_file(dest.join("first")).expect("there");
    fs::remove_file(dest.join("broken/two")).expect("there");
    fs::write(dest.join("broken/two"), "2").expect("room");
    fs::remove_file(dest.join("now a directory")).expect("there");
    fs::create_dir_all(dest.join("now a directory/new")).expect("room");
    fs::hard_link(dest.join("second"), dest.join("fourth")).expect("room");
    fs::remove_file(dest.join("other link")).expect("there");
    symlink("elsewhere", dest.join("other link")).expect("room");

    let found = place.read();
    let paths: Vec<String> = found.entries().map(|(path, _)| path.to_string()).collect();
    let expected = [
        "",
        "changed",
        "broken",
        r"broken\one",
        "link",
        "second",
        "third",
        r"broken\two",
        "fourth",
        "now a directory",
        r"now a directory\new",
        "other link",
    ];
    assert_eq!(paths, expected);
    let changed = found.get("changed").expect("listed");
    assert_eq!(found.contents("changed"), Some(&b"after all"[..]));
    assert_eq!(found.stream_contents("changed", "s"), Some(&b"kept"[..]));
    assert_eq!(changed.attributes, FileAttributes::HIDDEN);
    assert_eq!(changed.times.created, times(1_400_000_000).created);
    assert!(changed.times.written > times(1_450_000_000).written);
    let second = found.get("second").expect("listed");
    assert_eq!(second.link_to, None);
    assert_eq!(found.stream_contents("second", "s"), Some(&b"kept too"[..]));
    for name in ["third", "fourth"] {
        assert_eq!(found.get(name).expect("listed").link_to, Some(second.id));
    }
    assert_eq!(found.get(r"broken\two").expect("listed").link_to, None);
    assert_eq!(found.contents(r"broken\two"), Some(&b"2"[..]));
    assert_eq!(
        found.get("link").expect("listed").reparse,
        tree.get("link").expect("made").reparse
    );
    assert_ne!(
        found.get("other link").expect("listed").reparse,
        tree.get("other link").expect("made").reparse
    );
}

#[test]
fn damaged_streams_and_lost_entries_are_left_out() {
    let place = Place::new();
    let tree = MemoryTree::new()
        .file("a", "main")
        .stream("a", "bad", vec![1; 9000])
        .stream("a", "good", vec![2; 9000])
        .file("b", "lost")
        .dir("c");
    let mut sink = place.sink(DiskOptions::default());
    for (_, entry) in tree.entries() {
        sink.entry(entry).expect("room");
    }
    let mut send = |path: &str, index: usize, bytes: &[u8], end: StreamEnd| {
        let entry = tree.get(path).expect("made").id;
        assert!(sink.open_stream(StreamRef { entry, index }).expect("room"));
        sink.write(bytes).expect("room");
        sink.close_stream(end).expect("room");
    };
    send("a", 1, &[1; 4000], StreamEnd::Damaged);
    send("b", 0, b"los", StreamEnd::Damaged);
    send("a", 2, &[2; 9000], StreamEnd::Complete);
    send("a", 0, b"main", StreamEnd::Complete);
    let report = sink.finish().expect("room");
    let problems: Vec<String> = report
        .problems
        .iter()
        .map(|problem| format!("{}: {}", problem.path, problem.what))
        .collect();
    assert_eq!(
        problems,
        [
            "a: one of its streams is damaged",
            "b: its contents are damaged"
        ]
    );
    let expected = MemoryTree::new()
        .file("a", "main")
        .stream("a", "good", vec![2; 9000])
        .dir("c");
    let found = place.read();
    let found = ["", "a", "c"]
        .iter()
        .fold(found, |tree, path| tree.times(*path, Times::default()));
    assert_eq!(found.differences(&expected), [""; 0]);
}

#[test]
fn an_unfinished_transfer_leaves_no_metadata() {
    let place = Place::new();
    let tree = rich().stream("empty.txt", "long", vec![7; 5000]);
    let mut sink = place.sink(DiskOptions::default());
    tree.clone().send(&mut sink).expect("room");
    assert_eq!(
        place.names(),
        ["dest", "meta.part", "meta.streams.part"],
        "nothing has its name yet"
    );
    drop(sink.abort());
    assert_eq!(place.names(), ["dest"]);
}

#[test]
fn existing_metadata_is_kept_or_replaced() {
    let place = Place::new();
    fs::write(&place.metadata, "precious").expect("room");
    let refused = MetadataWriter::create(&place.metadata, Existing::Refuse);
    assert_eq!(
        refused.expect_err("it is there").to_string(),
        format!(
            "metadata file {}: it cannot be opened",
            place.metadata.display()
        )
    );
    assert_eq!(fs::read(&place.metadata).expect("there"), b"precious");
    fs::write(place.metadata.with_extension("streams"), "old").expect("room");
    let mut options = DiskOptions::default();
    options.existing = Existing::Overwrite;
    place.write(&MemoryTree::new(), options);
    assert_eq!(place.names(), ["dest", "meta"], "no streams, no such file");
    assert_eq!(place.read().paths(), []);
}

#[test]
fn files_that_contradict_themselves_are_refused() {
    #[track_caller]
    fn check(lines: &[&str], expected: &str) {
        let place = Place::new();
        fs::write(&place.metadata, lines.join("\n")).expect("room");
        let error = Metadata::read(&place.metadata).expect_err("a contradiction");
        let text = error.to_string();
        let prefix = format!("metadata file {}: ", place.metadata.display());
        assert_eq!(text.strip_prefix(&prefix), Some(expected));
    }
    const SCHEMA: &str = r#"{"schema":"wcow.metadata/1"}"#;
    const ROOT: &str = r#"{"entry":{"id":0,"attributes":16,"times":[0,0,0]}}"#;
    const END: &str = r#"{"end":{"entries":1,"stored":0}}"#;
    check(
        &[],
        "line 1: expected the line `end`, found the end of the file",
    );
    check(
        &[r#"{"schema":"wcow.metadata/2"}"#],
        "line 1: expected the schema wcow.metadata/1, found wcow.metadata/2",
    );
    check(
        &[ROOT],
        "line 1: expected the schema in the first line, and only there",
    );
    check(
        &[SCHEMA, ROOT],
        "line 3: expected the line `end`, found the end of the file",
    );
    check(
        &[SCHEMA, ROOT, r#"{"end":{"entries":2,"stored":0}}"#],
        "line 4: expected 2 entries, at least one, found 1",
    );
    check(
        &[SCHEMA, ROOT, END, ROOT],
        "line 4: expected nothing after the line `end`, found another",
    );
    check(
        &[SCHEMA, ROOT, r#"{"named":{"id":0,"name":"../x"}}"#],
        r#"line 3: expected a name that a disk can hold, found "../x""#,
    );
    check(
        &[
            SCHEMA,
            ROOT,
            r#"{"entry":{"id":1,"parent":0,"name":"..","attributes":16,"times":[0,0,0]}}"#,
            r#"{"end":{"entries":2,"stored":0}}"#,
        ],
        r#"line 5: expected a name on the disk for "..", found none"#,
    );
    check(
        &[
            SCHEMA,
            ROOT,
            r#"{"entry":{"id":1,"parent":2,"name":"x","attributes":16,"times":[0,0,0]}}"#,
        ],
        "line 3: expected an entry 2 before, found none",
    );
    check(
        &[SCHEMA, ROOT, r#"{"bytes":{"id":0,"stream":0,"data":""}}"#],
        "line 3: expected a stream 0 of entry 0, found none",
    );
    check(
        &[SCHEMA, ROOT, ROOT],
        "line 3: expected a parent for every entry but the first",
    );
    check(
        &[SCHEMA, ROOT, r#"{"lost":0,"also":1}"#],
        "line 3: expected value at line 1 column 9",
    );
}

#[test]
fn a_streams_file_of_another_length_is_refused() {
    let place = Place::new();
    let tree = MemoryTree::new().stream("a", "s", vec![7; 5000]);
    place.write(&tree, DiskOptions::default());
    let path = place.metadata.with_extension("streams");
    fs::write(&path, "short").expect("room");
    let error = Metadata::read(&place.metadata).expect_err("another length");
    let cause = std::error::Error::source(&error).expect("a cause");
    assert_eq!(cause.to_string(), "expected a file of 5000 bytes, found 5");
}

/// One entry of a random tree.
#[derive(Clone, Debug)]
struct Item {
    parent: prop::sample::Index,
    name: &'static str,
    kind: Kind,
    times: [u64; 3],
    bits: u32,
    security: Option<&'static str>,
    extra: Vec<u8>,
    streams: Vec<(&'static str, usize)>,
}

#[derive(Clone, Debug)]
enum Kind {
    Directory,
    File(usize),
    Link(&'static str),
    Junction(&'static str),
    Compressed,
    Encrypted,
    Streamless,
    Further(prop::sample::Index),
}

fn item() -> impl Strategy<Value = Item> {
    let name = prop::sample::select(vec![
        "a", "A", "b", "..", ".", "x:y", "%0041", "b\\c", "aux", "end. ", "é", "",
    ]);
    let target = prop::sample::select(vec![
        "a",
        r"..\b",
        r"..\..\..\out",
        r"\??\C:\a\b",
        "",
        "\u{1}",
    ]);
    let kind = prop_oneof![
        3 => Just(Kind::Directory),
        4 => prop::sample::select(vec![0, 1, 300]).prop_map(Kind::File),
        1 => target.clone().prop_map(Kind::Link),
        1 => target.prop_map(Kind::Junction),
        1 => Just(Kind::Compressed),
        1 => Just(Kind::Encrypted),
        1 => Just(Kind::Streamless),
        2 => any::<prop::sample::Index>().prop_map(Kind::Further),
    ];
    let tick = prop_oneof![
        Just(0),
        Just(u64::MAX),
        Just(1),
        130_000_000_000_000_000..132_000_000_000_000_000u64
    ];
    let security = prop::option::of(prop::sample::select(vec![
        "O:BA",
        "O:BAG:SYD:P(A;;FA;;;SY)",
    ]));
    let stream = (
        prop::sample::select(vec!["s", "S2", "\u{e9}"]),
        prop::sample::select(vec![0, 3, 4096, 4097]),
    );
    (
        any::<prop::sample::Index>(),
        name,
        kind,
        [tick.clone(), tick.clone(), tick],
        any::<u32>(),
        security,
        prop::collection::vec(any::<u8>(), 0..5),
        prop::collection::vec(stream, 0..3),
    )
        .prop_map(
            |(parent, name, kind, times, bits, security, extra, streams)| Item {
                parent,
                name,
                kind,
                times,
                bits,
                security,
                extra,
                streams,
            },
        )
}

fn build(items: &[Item]) -> MemoryTree {
    let mut tree = MemoryTree::new().times("", times(1_400_000_000));
    let mut directories = vec![RelPath::root()];
    let mut files: Vec<RelPath> = Vec::new();
    for (number, item) in items.iter().enumerate() {
        let parent = item.parent.get(&directories).clone();
        let path = parent.join(item.name);
        let is_new = tree
            .get(&path)
            .is_none_or(|_| !tree.paths().contains(&path));
        if let Kind::Further(first) = &item.kind {
            if is_new && !files.is_empty() {
                tree = tree
                    .hard_link(path.clone(), first.get(&files).clone())
                    .short_name(path, "");
            }
            continue;
        }
        let [created, accessed, written] = item.times.map(FileTime::from_ticks);
        let structural = FileAttributes::DIRECTORY | FileAttributes::REPARSE_POINT;
        let mut attributes = FileAttributes::from_bits(item.bits);
        attributes.remove(structural);
        let mut streams = vec![("", StreamKind::Data, 0)];
        let mut reparse = None;
        match &item.kind {
            Kind::Directory => {
                attributes.insert(FileAttributes::DIRECTORY);
                streams.clear();
            }
            Kind::File(len) => streams = vec![("", StreamKind::Data, *len)],
            Kind::Link(target) => {
                reparse = ReparsePoint::symlink(*target, "shown", !target.contains(':')).ok();
                streams.clear();
            }
            Kind::Junction(target) => {
                attributes.insert(FileAttributes::DIRECTORY);
                reparse = ReparsePoint::mount_point(*target, "shown").ok();
                streams.clear();
            }
            Kind::Compressed => {
                let data = item.extra.clone();
                reparse = Some(ReparsePoint { tag: TAG_WOF, data });
            }
            Kind::Encrypted => streams = vec![("", StreamKind::EncryptedRaw, 5000)],
            Kind::Streamless => streams.clear(),
            Kind::Further(_) => {}
        }
        if reparse.is_some() {
            attributes.insert(FileAttributes::REPARSE_POINT);
        }
        for (name, len) in &item.streams {
            if streams.iter().all(|(other, ..)| other != name) {
                streams.push((name, StreamKind::Data, *len));
            }
        }
        let byte = u8::try_from(number).expect("few items");
        let contents = streams.iter().map(|(.., len)| vec![byte; *len]).collect();
        let streams = streams.iter().map(|(name, kind, _)| Stream {
            name: (*name).into(),
            kind: *kind,
            len: 0,
            digest: None,
        });
        let entry = Entry {
            id: EntryId(0),
            parent: None,
            name: if item.name == "é" {
                WideName::from_units(vec![0xd800])
            } else {
                item.name.into()
            },
            short_name: if item.bits & 1 == 0 { "" } else { "SHORT~1" }.into(),
            attributes,
            times: Times {
                created,
                accessed,
                written,
            },
            security: item
                .security
                .map(|text| SecurityDescriptor::from_sddl(text).expect("valid")),
            reparse,
            link_to: None,
            streams: streams.collect(),
            extra: Extra {
                object_id: item.extra.clone(),
                extended_attributes: item.extra.iter().rev().copied().collect(),
                unknown: item
                    .extra
                    .iter()
                    .map(|byte| TaggedItem {
                        tag: u32::from(*byte),
                        data: item.extra.clone(),
                    })
                    .collect(),
                reserved: item.bits.rotate_left(7),
                target_not_fixed: item.bits & 2 != 0,
            },
        };
        tree = tree.entry(parent, entry, contents);
        if is_new && item.name != "é" {
            match item.kind {
                Kind::Directory => directories.push(path),
                Kind::File(_) | Kind::Encrypted | Kind::Compressed => files.push(path),
                _ => {}
            }
        }
    }
    tree
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_tree_comes_back_as_it_was(
        items in prop::collection::vec(item(), 0..16),
        for_windows: bool,
        make_links: bool,
    ) {
        let place = Place::new();
        let mut options = if make_links { links() } else { DiskOptions::default() };
        if for_windows {
            options.names = Names::Windows;
        }
        let tree = build(&items);
        let report = place.write(&tree, options);
        prop_assert_eq!(report.problems, []);
        let found = place.read();
        // As it was sent: of entries with the same path, further names come last.
        let sent = MemoryTree::collect(&mut tree.clone()).expect("memory");
        prop_assert_eq!(found.differences(&sent), [""; 0]);
        let order = |tree: &MemoryTree| -> Vec<String> {
            tree.entries().map(|(path, _)| format!("{path:?}")).collect()
        };
        prop_assert_eq!(order(&found), order(&sent));
    }
}
