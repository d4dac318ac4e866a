//! The sink on a system that keeps everything: what it is told, in which order, and what is left when streams do not come whole.

use wcow_ntmeta::{FileAttributes, ReparsePoint, SecurityDescriptor};

use super::*;
use crate::disk::native::record::{Calls, Record};
use crate::disk::{Durability, Existing, Links, Part};
use crate::memory::MemoryTree;

/// A destination, and the system that it lies on.
struct Disk {
    dir: tempfile::TempDir,
    calls: Calls,
}

impl Disk {
    fn open(change: impl FnOnce(&mut Record, &mut DiskOptions)) -> (Self, DiskSink) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let streams = dir.path().join("streams");
        std::fs::create_dir(&streams).expect("room");
        let mut record = Record::new(streams);
        let mut options = DiskOptions {
            links: Links::Relative,
            ..DiskOptions::default()
        };
        change(&mut record, &mut options);
        let calls = record.calls.clone();
        let mut sink = DiskSink::open(&dir.path().join("tree"), options).expect("a new directory");
        sink.native = Some(Box::new(record));
        (Self { dir, calls }, sink)
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.dir.path().join(folder)).expect("a directory");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("a name").file_name().display().to_string())
            .collect();
        names.sort();
        names
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(path)).expect("a file")
    }

    /// The calls without those that open.
    fn calls(&self) -> Vec<String> {
        let lines = self.calls.lines().into_iter();
        lines.filter(|line| !line.starts_with("open")).collect()
    }
}

fn descriptor(sddl: &str) -> SecurityDescriptor {
    SecurityDescriptor::from_sddl(sddl).expect("a descriptor")
}

/// Entries with streams, announced at once; their contents are sent by the test.
fn announce(sink: &mut DiskSink, tree: &MemoryTree) {
    tree.entries()
        .for_each(|(_, entry)| sink.entry(entry).expect("room"));
}

/// Sends a stream in pieces of two bytes.
fn send(sink: &mut DiskSink, tree: &MemoryTree, path: &str, index: usize, bytes: &str) {
    send_ended(sink, tree, path, index, bytes, StreamEnd::Complete);
}

fn send_ended(
    sink: &mut DiskSink,
    tree: &MemoryTree,
    path: &str,
    index: usize,
    bytes: &str,
    end: StreamEnd,
) {
    let entry = tree.get(path).expect("announced").id;
    let wanted = sink.open_stream(StreamRef { entry, index }).expect("room");
    assert!(wanted, "{path} {index}");
    for piece in bytes.as_bytes().chunks(2) {
        sink.write(piece).expect("room");
    }
    sink.close_stream(end).expect("room");
}

#[test]
fn children_are_sealed_before_their_directories_and_links_made_before() {
    let (disk, mut sink) = Disk::open(|_, options| options.durability = Durability::Flushed);
    let junction = ReparsePoint::mount_point(r"\??\C:\elsewhere", r"C:\elsewhere").expect("short");
    let mut tree = MemoryTree::new()
        .file(r"dir\file", "text")
        .hard_link(r"dir\twin", r"dir\file")
        .dir("to")
        .reparse("to", junction)
        .attributes("dir", FileAttributes::HIDDEN)
        .security("dir", descriptor("D:(A;;FA;;;SY)"))
        .short_name(r"dir\file", "FI~1")
        .attributes(r"dir\file", FileAttributes::READONLY);
    crate::TreeSource::send(&mut tree, &mut sink).expect("room");
    let report = sink.finish().expect("room");
    assert_eq!(
        (report.problem_count, report.refused.len()),
        (0, 0),
        "{report:?}"
    );
    assert_eq!((report.symlinks, report.skipped_link_count), (1, 0));
    let calls = disk.calls();
    let at = |what: &str| {
        let found = calls.iter().position(|line| line.starts_with(what));
        found.unwrap_or_else(|| unreachable!("{what}: {calls:?}"))
    };
    assert_eq!(at("reparse"), 0, "links first");
    assert!(at("short FI~1") < at("security 0x4"), "children first");
    let last: Vec<_> = calls.iter().rev().take(2).cloned().collect();
    assert_eq!(last, ["flush", "basic [0, 0, 0] 0x0"], "the root at last");
    let flushes = calls.iter().filter(|line| *line == "flush").count();
    assert_eq!(
        flushes, 4,
        "dir, file, link, root; a twin is the file itself"
    );
}

#[test]
fn a_file_gets_its_name_with_its_last_stream() {
    let tree = MemoryTree::new()
        .file("a", "text")
        .stream("a", "one", "1111")
        .stream("a", "two", "22")
        .file("empty", "")
        .stream("empty", "one", "1");
    let orders: [&[usize]; 3] = [&[0, 1, 2], &[2, 0, 1], &[1, 2, 0]];
    for order in orders {
        let (disk, mut sink) = Disk::open(|_, _| {});
        announce(&mut sink, &tree);
        for (sent, index) in order.iter().enumerate() {
            assert!(
                !disk.list("tree").contains(&"a".to_owned()),
                "{sent} of {order:?}"
            );
            let bytes = ["text", "1111", "22"].get(*index).expect("three");
            send(&mut sink, &tree, "a", *index, bytes);
        }
        assert_eq!(disk.list("tree"), ["a"], "{order:?}");
        send(&mut sink, &tree, "empty", 1, "1");
        assert_eq!(disk.list("tree"), ["a", "empty"]);
        let report = sink.finish().expect("room");
        assert_eq!((report.problem_count, report.files), (0, 2), "{report:?}");
        assert_eq!(report.not_kept.named_streams, 0);
        assert_eq!(disk.read("tree/a"), "text");
        let streams = disk.list("streams");
        assert_eq!(streams.len(), 3);
        assert_eq!(disk.read("streams/.wcow-part-1:one"), "1111");
        assert_eq!(disk.read("streams/.wcow-part-1:two"), "22");
    }
}

#[test]
fn many_files_wait_for_their_streams() {
    let mut tree = MemoryTree::new();
    for number in 0..50 {
        let path = format!("f{number}");
        tree = tree.file(&*path, "c").stream(&*path, "s", "s");
    }
    let (disk, mut sink) = Disk::open(|_, _| {});
    announce(&mut sink, &tree);
    let paths: Vec<String> = (0..50).map(|number| format!("f{number}")).collect();
    for index in [1, 0] {
        let bytes = ["c", "s"].get(index).expect("two");
        for path in &paths {
            send(&mut sink, &tree, path, index, bytes);
        }
    }
    let report = sink.finish().expect("room");
    assert_eq!((report.problem_count, report.files), (0, 50));
    assert_eq!(disk.list("tree").len(), 50);
}

#[test]
fn a_damaged_stream_goes_and_its_file_stays() {
    let tree = MemoryTree::new()
        .file("a", "text")
        .stream("a", "bad", "1111")
        .stream("a", "good", "22")
        .dir("d")
        .stream("d", "bad", "333");
    let (disk, mut sink) = Disk::open(|_, _| {});
    announce(&mut sink, &tree);
    send_ended(&mut sink, &tree, "a", 1, "11", StreamEnd::Damaged);
    send(&mut sink, &tree, "a", 0, "text");
    send(&mut sink, &tree, "a", 2, "22");
    send(&mut sink, &tree, "d", 0, "3");
    assert_eq!(disk.list("tree"), ["a", "d"]);
    assert_eq!(disk.list("streams"), [".wcow-part-1:good"]);
    let report = sink.finish().expect("room");
    let problems: Vec<_> = report
        .problems
        .iter()
        .map(|problem| problem.path.to_string())
        .collect();
    assert_eq!(problems, ["a", "d"], "{report:?}");
}

#[test]
fn damaged_contents_take_the_streams_with_them() {
    let tree = MemoryTree::new().file("a", "text").stream("a", "one", "1");
    let (disk, mut sink) = Disk::open(|_, _| {});
    announce(&mut sink, &tree);
    send(&mut sink, &tree, "a", 1, "1");
    send_ended(&mut sink, &tree, "a", 0, "te", StreamEnd::Damaged);
    assert_eq!(disk.list("tree"), Vec::<String>::new());
    let report = sink.finish().expect("room");
    assert_eq!((report.problem_count, report.files), (1, 0));
    assert_eq!(
        disk.calls().len(),
        2,
        "the stream, and the root: {:?}",
        disk.calls()
    );
}

#[test]
fn streams_that_never_come_are_told() {
    let tree = MemoryTree::new()
        .file("a", "text")
        .stream("a", "one", "1")
        .file("b", "text")
        .stream("b", "one", "1")
        .dir("d")
        .stream("d", "one", "1");
    let (disk, mut sink) = Disk::open(|_, _| {});
    announce(&mut sink, &tree);
    send(&mut sink, &tree, "a", 0, "text");
    send(&mut sink, &tree, "b", 1, "1");
    let report = sink.finish().expect("room");
    assert_eq!(disk.list("tree"), ["a", "d"]);
    let told: Vec<_> = report
        .problems
        .iter()
        .map(|problem| (problem.path.to_string(), problem.what.as_str()))
        .collect();
    let lacking = "not all of its streams came";
    let expected = [
        ("a".to_owned(), lacking),
        ("b".to_owned(), "its contents never came"),
        ("d".to_owned(), lacking),
    ];
    assert_eq!(told, expected);
}

#[test]
fn an_aborted_transfer_leaves_no_file_that_waits() {
    let tree = MemoryTree::new().file("a", "text").stream("a", "one", "1");
    type End = fn(DiskSink);
    let ends: [End; 2] = [drop, |sink| drop(sink.abort())];
    for end in ends {
        let (disk, mut sink) = Disk::open(|_, _| {});
        announce(&mut sink, &tree);
        send(&mut sink, &tree, "a", 0, "text");
        assert_eq!(disk.list("tree"), [".wcow-part-1"]);
        end(sink);
        assert_eq!(disk.list("tree"), Vec::<String>::new());
    }
}

#[test]
fn refusals_are_told_once_for_each_kind() {
    let (_disk, mut sink) = Disk::open(|record, _| {
        record.privileges.restore = false;
        record.privileges.security = false;
        record.refuses = vec![
            ("stream", ErrorKind::Unsupported),
            ("reparse", ErrorKind::PermissionDenied),
        ];
    });
    let mut tree = MemoryTree::new();
    for path in ["a", "b", "c"] {
        tree = tree
            .file(path, "text")
            .stream(path, "one", "1")
            .short_name(path, "S~1")
            .security(path, descriptor("O:SYS:(AU;SA;FA;;;WD)"));
    }
    let link = ReparsePoint::symlink("a", "a", true).expect("short");
    tree = tree.file("l", "").reparse("l", link);
    crate::TreeSource::send(&mut tree, &mut sink).expect("room");
    let report = sink.finish().expect("room");
    let mut told: Vec<_> = report
        .refused
        .iter()
        .map(|refused| (refused.part, refused.count, refused.first.to_string()))
        .collect();
    told.sort();
    let expected = [
        (Part::Audit, 3, "c".to_owned()),
        (Part::ShortName, 3, "c".to_owned()),
        (Part::NamedStream, 3, "a".to_owned()),
        (Part::ReparsePoint, 1, "l".to_owned()),
    ];
    assert_eq!(told, expected);
    let not_kept = report.not_kept;
    assert_eq!(
        (not_kept.audit, not_kept.short_names, not_kept.named_streams),
        (3, 3, 3)
    );
    assert_eq!(
        (report.files, report.symlinks, report.skipped_link_count),
        (3, 0, 1)
    );
    assert_eq!(report.problem_count, 0, "{report:?}");
}

#[test]
fn a_full_disk_ends_everything_while_metadata_is_set() {
    let (_disk, mut sink) = Disk::open(|record, _| {
        record.refuses = vec![("ea", ErrorKind::StorageFull)];
    });
    let tree = MemoryTree::new().file("a", "");
    for (_, entry) in tree.entries() {
        let mut entry = entry.clone();
        if !entry.is_directory() {
            entry.extra.extended_attributes = b"\x01\0\x01\0A\0x".to_vec();
        }
        sink.entry(&entry).expect("room");
    }
    let error = sink.finish().expect_err("no room");
    assert_eq!(error.to_string(), "a: its metadata cannot be set");
}

#[test]
fn what_is_replaced_is_released_first() {
    let (disk, mut sink) = Disk::open(|_, options| options.existing = Existing::Overwrite);
    std::fs::write(disk.dir.path().join("tree/a"), "old").expect("room");
    let mut tree = MemoryTree::new().file("a", "new").file("b", "new");
    crate::TreeSource::send(&mut tree, &mut sink).expect("room");
    assert_eq!(
        disk.calls().first().map(String::as_str),
        Some(r#"release "a""#)
    );
    sink.finish().expect("room");
    assert_eq!(disk.read("tree/a"), "new");
}
