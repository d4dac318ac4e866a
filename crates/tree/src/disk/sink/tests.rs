//! The sink on kinds of disks that are not at hand: other names, and no room.

use wcow_ntmeta::RelPath;

use super::*;
use crate::TreeSource;
use crate::disk::{Existing, Renamed};
use crate::memory::MemoryTree;

/// Writes a tree as if the destination were another kind of disk, and lists what lies there.
#[track_caller]
fn check(probe: Probe, mut tree: MemoryTree, expected: &[&str]) -> DiskReport {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut sink = DiskSink::open(dir.path(), DiskOptions::default()).expect("a new directory");
    sink.probe = probe;
    tree.send(&mut sink).expect("an empty disk");
    let report = sink.finish().expect("an empty disk");
    let entries = std::fs::read_dir(dir.path()).expect("a directory");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("a name").file_name())
        .collect();
    names.sort();
    assert_eq!(names, expected);
    report
}

#[test]
fn names_that_differ_in_case_are_numbered() {
    let tree = MemoryTree::new()
        .file("Name", "1")
        .file("NAME", "2")
        .file("name", "3")
        .file("n\u{e9}", "")
        .file("N\u{c9}", "");
    let probe = Probe {
        ignores_case: true,
        rule: NameRule::Unix,
    };
    let report = check(
        probe,
        tree,
        &["NAME%~2", "Name", "N\u{c9}%~2", "name%~3", "n\u{e9}"],
    );
    assert_eq!(report.renamed_count, 3);
    let renamed = Renamed {
        original: RelPath::parse("NAME"),
        written: "NAME%~2".to_owned(),
    };
    assert_eq!(report.renamed.first(), Some(&renamed));
}

#[test]
fn windows_names_are_escaped() {
    let tree = MemoryTree::new()
        .file("a:b", "")
        .file("aux", "")
        .file("end.", "")
        .file("fine", "");
    let probe = Probe {
        ignores_case: true,
        rule: NameRule::Windows,
    };
    let report = check(probe, tree, &["%0061ux", "a%003Ab", "end%002E", "fine"]);
    assert_eq!((report.renamed_count, report.problem_count), (3, 0));
}

/// What lies in a directory, by name.
fn list(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("a directory");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("a name").file_name().display().to_string())
        .collect();
    names.sort();
    names
}

/// A sink for a disk with room for so many bytes, which has an older file `old`.
fn small_disk(room: u64) -> (tempfile::TempDir, DiskSink) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(dir.path().join("old"), "old").expect("room");
    let options = DiskOptions {
        existing: Existing::Overwrite,
        ..DiskOptions::default()
    };
    let mut sink = DiskSink::open(dir.path(), options).expect("a directory");
    sink.room = Some(room);
    (dir, sink)
}

#[test]
fn a_full_disk_leaves_no_part_of_a_file() {
    #[track_caller]
    fn check(contents: usize, piece: usize) {
        let (dir, mut sink) = small_disk(as_u64(contents) + 5);
        let bytes = vec![7; contents];
        let tree = MemoryTree::new()
            .file("old", &bytes)
            .file("new", &bytes)
            .hard_link("link", "new")
            .file("other", "more");
        let entries: Vec<_> = tree.entries().map(|(_, entry)| entry).collect();
        entries
            .iter()
            .for_each(|entry| sink.entry(entry).expect("room"));
        let mut send = |path: &str| {
            let stream = StreamRef {
                entry: tree.get(path).expect("just made").id,
                index: 0,
            };
            assert!(sink.open_stream(stream)?, "{path} waits");
            tree.contents(path)
                .expect("just made")
                .chunks(piece)
                .try_for_each(|piece| sink.write(piece))?;
            sink.close_stream(StreamEnd::Complete)
        };
        send("old").expect("room for the first");
        let error = send("new").expect_err("no room for the second");
        assert_eq!(error.to_string(), "new: its contents cannot be written");
        assert_eq!(list(dir.path()), ["old"]);
        let report = sink.finish().expect("no more to write");
        assert_eq!(list(dir.path()), ["old"]);
        assert_eq!(std::fs::read(dir.path().join("old")).expect("there"), bytes);
        assert_eq!((report.files, report.hard_links), (1, 0));
        assert_eq!(report.problem_count, 3, "{report:?}");
    }
    check(10, 10);
    check(10, 3);
    check(2 * WHOLE, 2 * WHOLE);
    check(2 * WHOLE, WHOLE);
}

#[test]
fn a_file_is_replaced_only_by_a_whole_one() {
    for piece in [6, 2] {
        let (dir, mut sink) = small_disk(5);
        let tree = MemoryTree::new().file("old", "newnew");
        tree.entries()
            .for_each(|(_, entry)| sink.entry(entry).expect("room"));
        let entry = tree.get("old").expect("just made").id;
        let wanted = sink.open_stream(StreamRef { entry, index: 0 });
        assert!(wanted.expect("room"));
        let pieces = b"newnew".chunks(piece);
        let end = pieces.map(|piece| sink.write(piece)).find(Result::is_err);
        assert!(end.is_some(), "there is no room for six bytes");
        drop(sink);
        assert_eq!(list(dir.path()), ["old"]);
        let kept = std::fs::read(dir.path().join("old")).expect("there");
        assert_eq!(kept, b"old");
    }
}

#[test]
fn an_interrupted_transfer_leaves_no_part_of_a_file() {
    type End = fn(DiskSink);
    let ends: [(&str, End); 3] = [
        ("dropped", drop),
        ("aborted", |sink| drop(sink.abort())),
        ("finished", |sink| drop(sink.finish())),
    ];
    for (how, end) in ends {
        for first in ["whole!", "par"] {
            let (dir, mut sink) = small_disk(100);
            let tree = MemoryTree::new().file("new", "whole!");
            tree.entries()
                .for_each(|(_, entry)| sink.entry(entry).expect("room"));
            let entry = tree.get("new").expect("just made").id;
            let wanted = sink.open_stream(StreamRef { entry, index: 0 });
            assert!(wanted.expect("room"));
            sink.write(first.as_bytes()).expect("room");
            let now = if first == "par" {
                ".wcow-part-0"
            } else {
                "new"
            };
            assert_eq!(list(dir.path()), [now, "old"], "{how}");
            end(sink);
            assert_eq!(list(dir.path()), ["old"], "{how}");
        }
    }
}

#[test]
fn a_full_disk_ends_everything() {
    let ends = |kind: ErrorKind| ends_everything(&kind.into());
    assert!(
        ends(ErrorKind::StorageFull)
            && ends(ErrorKind::QuotaExceeded)
            && !ends(ErrorKind::NotFound)
    );
}
