//! What Windows keeps, on Windows. A volume that has no place for something is asked for nothing; the test says which those are.

use std::fs;
use std::os::windows::fs::MetadataExt;
use std::path::Path;

use tempfile::TempDir;
use wcow_ntmeta::{FileAttributes, FileTime, ReparsePoint, SecurityDescriptor};
use wcow_tree::disk::{DiskOptions, DiskReport, DiskSink, Durability, Existing, Keep, Links};
use wcow_tree::memory::MemoryTree;
use wcow_tree::{Times, TreeSource};

fn times(first: u64) -> Times {
    let at = |number: u64| FileTime::from_ticks(131_000_000_000_000_000 + number * 10_000_000);
    Times {
        created: at(first),
        accessed: at(first + 1),
        written: at(first + 2),
    }
}

fn write(tree: &mut MemoryTree, folder: &Path, existing: Existing) -> DiskReport {
    let mut options = DiskOptions::default();
    options.keep = Keep::System;
    options.links = Links::Relative;
    options.existing = existing;
    options.durability = Durability::Flushed;
    let mut sink = DiskSink::open(folder, options).expect("a folder");
    tree.send(&mut sink).expect("room");
    sink.finish().expect("room")
}

fn check(path: &Path, attributes: u32, times: Times) {
    let metadata = fs::symlink_metadata(path).expect("it was written");
    // Wine's files are always to be archived.
    let found = metadata.file_attributes();
    let (found, attributes) = (found | 0x20, attributes | 0x20);
    assert_eq!(found, attributes, "{}", path.display());
    let found = Times {
        created: FileTime::from_ticks(metadata.creation_time()),
        accessed: FileTime::from_ticks(metadata.last_access_time()),
        written: FileTime::from_ticks(metadata.last_write_time()),
    };
    // Not every system that runs Windows programs keeps creation times.
    if found.created == times.created {
        assert_eq!(found, times, "{}", path.display());
    } else {
        println!("{}: no creation time is kept here", path.display());
        assert_eq!(
            (found.accessed, found.written),
            (times.accessed, times.written),
            "{}",
            path.display()
        );
    }
}

/// Prints what this volume or this system did not take.
fn told(report: &DiskReport) {
    for refused in &report.refused {
        println!(
            "refused here: {:?}, {} times, first {}: {}",
            refused.part, refused.count, refused.first, refused.why
        );
    }
    println!("not kept here: {:?}", report.not_kept);
}

#[test]
fn attributes_and_times_are_kept() {
    let dir = TempDir::new().expect("a temporary directory");
    type A = FileAttributes;
    let mut tree = MemoryTree::new()
        .file(r"dir\plain", "text")
        .times(r"dir\plain", times(10))
        .file(r"dir\read only", "")
        .attributes(r"dir\read only", A::READONLY | A::ARCHIVE)
        .times(r"dir\read only", times(20))
        .hard_link(r"dir\twin", r"dir\read only")
        .attributes(r"dir\plain", A::HIDDEN | A::SYSTEM)
        .times("dir", times(30))
        .times("", times(40));
    let report = write(&mut tree, dir.path(), Existing::Refuse);
    told(&report);
    assert_eq!(report.problem_count, 0, "{report:?}");
    assert_eq!((report.files, report.hard_links), (2, 1));
    check(&dir.path().join("dir/plain"), 0x6, times(10));
    check(&dir.path().join("dir/read only"), 0x21, times(20));
    check(&dir.path().join("dir/twin"), 0x21, times(20));
    let folder = fs::metadata(dir.path().join("dir")).expect("it was written");
    assert_eq!(folder.last_write_time(), times(30).written.ticks());
    // Once more over it, read-only files and all.
    let report = write(&mut tree, dir.path(), Existing::Overwrite);
    assert_eq!(report.problem_count, 0, "{report:?}");
    check(&dir.path().join("dir/read only"), 0x21, times(20));
    write(
        &mut MemoryTree::new()
            .file(r"dir\read only", "")
            .file(r"dir\twin", ""),
        dir.path(),
        Existing::Overwrite,
    );
}

#[test]
fn streams_are_kept_or_told() {
    let dir = TempDir::new().expect("a temporary directory");
    let mut tree = MemoryTree::new()
        .file("file", "contents")
        .stream("file", "Zone.Identifier", "[ZoneTransfer]")
        .dir("dir")
        .stream("dir", "note", "of a directory");
    let report = write(&mut tree, dir.path(), Existing::Refuse);
    told(&report);
    assert_eq!(report.problem_count, 0, "{report:?}");
    let contents = fs::read_to_string(dir.path().join("file"));
    assert_eq!(contents.expect("it was written"), "contents");
    if report.not_kept.named_streams == 0 {
        let read = |path: &str| fs::read_to_string(dir.path().join(path)).expect("a stream");
        assert_eq!(read("file:Zone.Identifier"), "[ZoneTransfer]");
        assert_eq!(read("dir:note"), "of a directory");
    } else {
        assert_eq!(report.not_kept.named_streams, 2, "all or none: {report:?}");
    }
    let names: Vec<_> = fs::read_dir(dir.path())
        .expect("a directory")
        .map(|entry| entry.expect("a name").file_name())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn links_are_kept_or_told_and_never_followed() {
    let dir = TempDir::new().expect("a temporary directory");
    let outside = TempDir::new().expect("a temporary directory");
    let target = outside.path().display().to_string();
    let junction = ReparsePoint::mount_point(format!(r"\??\{target}"), target.as_str());
    let mut tree = MemoryTree::new()
        .dir("out")
        .reparse("out", junction.expect("short"))
        .file(r"out\file", "must not arrive")
        .file("link", "")
        .reparse(
            "link",
            ReparsePoint::symlink("file", "file", true).expect("short"),
        )
        .file("file", "text");
    let report = write(&mut tree, dir.path(), Existing::Refuse);
    told(&report);
    assert_eq!(report.symlinks + report.skipped_link_count, 2, "{report:?}");
    assert_eq!(
        report.problem_count, 1,
        "what lies behind the junction: {report:?}"
    );
    let entries = fs::read_dir(outside.path()).expect("a directory").count();
    assert_eq!(entries, 0);
    if report.skipped_link_count == 0 {
        let metadata = fs::symlink_metadata(dir.path().join("out")).expect("it was written");
        assert_ne!(metadata.file_attributes() & 0x400, 0);
    } else {
        assert!(fs::symlink_metadata(dir.path().join("out")).is_err());
    }
}

#[test]
fn descriptors_are_kept_or_told() {
    let dir = TempDir::new().expect("a temporary directory");
    let descriptor = SecurityDescriptor::from_sddl("O:BAG:BAD:P(A;;FA;;;WD)S:(AU;SA;FA;;;WD)");
    let mut tree = MemoryTree::new()
        .file("file", "text")
        .security("file", descriptor.expect("a descriptor"))
        .short_name("file", "FI~1");
    let report = write(&mut tree, dir.path(), Existing::Refuse);
    told(&report);
    assert_eq!((report.problem_count, report.files), (0, 1), "{report:?}");
    let contents = fs::read_to_string(dir.path().join("file"));
    assert_eq!(contents.expect("everybody may"), "text");
}

#[test]
fn names_stay_in_the_destination() {
    let dir = TempDir::new().expect("a temporary directory");
    let folder = dir.path().join("tree");
    let mut tree = MemoryTree::new()
        .file("end.", "1")
        .file("aux.txt", "2")
        .file("a:b", "3");
    let report = write(&mut tree, &folder, Existing::Refuse);
    assert_eq!((report.problem_count, report.renamed_count), (0, 3));
    let mut names: Vec<_> = fs::read_dir(&folder)
        .expect("a directory")
        .map(|entry| entry.expect("a name").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["%0061ux.txt", "a%003Ab", "end%002E"]);
}
