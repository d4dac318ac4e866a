//! The disk side: nothing leaves the destination, nothing is lost silently, and what is written can be read.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;
use wcow_ntmeta::{FileTime, RelPath, ReparsePoint, SecurityDescriptor, TAG_WOF, WideName};
use wcow_tree::disk::{DiskOptions, DiskReport, DiskSink, DiskSource, Existing, Links, Names};
use wcow_tree::memory::MemoryTree;
use wcow_tree::names::{NameRule, written_name};
use wcow_tree::{
    Entry, EntryId, SendError, StreamEnd, StreamKind, StreamRef, Times, TreeSink, TreeSource,
};

use crate::memory::rich;

/// A directory with the destination in it, so that whatever leaves the destination is seen beside it.
struct Place {
    outer: TempDir,
    dest: PathBuf,
}

impl Place {
    fn new() -> Self {
        let outer = tempfile::tempdir().expect("a temporary directory");
        let dest = outer.path().join("dest");
        Self { outer, dest }
    }

    fn open(&self, options: DiskOptions) -> DiskSink {
        DiskSink::open(&self.dest, options).expect("a directory that can be written to")
    }

    fn write(&self, mut tree: MemoryTree, options: DiskOptions) -> DiskReport {
        let mut sink = self.open(options);
        tree.send(&mut sink).expect("room on the disk");
        sink.finish().expect("room on the disk")
    }

    /// Everything below the directory around the destination, with `/` behind directories and `@` behind links.
    fn list(&self) -> Vec<String> {
        fn walk(dir: &Path, prefix: &str, lines: &mut Vec<String>) {
            for entry in fs::read_dir(dir).expect("a directory") {
                let entry = entry.expect("a name");
                let kind = entry.file_type().expect("a kind");
                let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
                if kind.is_dir() {
                    lines.push(format!("{name}/"));
                    walk(&entry.path(), &format!("{name}/"), lines);
                } else {
                    lines.push(if kind.is_symlink() {
                        format!("{name}@")
                    } else {
                        name
                    });
                }
            }
        }
        let mut lines = Vec::new();
        walk(self.outer.path(), "", &mut lines);
        lines.sort();
        lines
    }

    fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.dest.join(path)).expect("a file")
    }
}

fn overwrite() -> DiskOptions {
    let mut options = DiskOptions::default();
    options.existing = Existing::Overwrite;
    options
}

fn relative_links() -> DiskOptions {
    let mut options = DiskOptions::default();
    options.links = Links::Relative;
    options
}

/// An entry to be put anywhere under any name.
fn file(name: impl Into<WideName>) -> Entry {
    let tree = MemoryTree::new().file("x", "");
    Entry {
        name: name.into(),
        ..tree.get("x").expect("just made").clone()
    }
}

fn directory(name: &str) -> Entry {
    let tree = MemoryTree::new().dir("x");
    Entry {
        name: name.into(),
        ..tree.get("x").expect("just made").clone()
    }
}

fn problems(report: &DiskReport) -> Vec<String> {
    report
        .problems
        .iter()
        .map(|problem| format!("{}: {}", problem.path, problem.what))
        .collect()
}

#[test]
fn a_tree_is_written_and_what_is_lost_is_told() {
    let place = Place::new();
    let tree = rich().reparse(
        "compressed",
        ReparsePoint {
            tag: TAG_WOF,
            data: vec![0; 16],
        },
    );
    let report = place.write(tree, DiskOptions::default());
    assert_eq!(
        place.list(),
        [
            "dest/",
            "dest/Windows/",
            "dest/Windows/System32/",
            "dest/Windows/System32/config/",
            "dest/Windows/System32/ntdll.dll",
            "dest/Windows/ntdll copy.dll",
            "dest/compressed",
            "dest/empty.txt",
        ]
    );
    assert_eq!(
        place.read("Windows/ntdll copy.dll"),
        [0x4d, 0x5a, 0, 1, 2, 3]
    );
    assert_eq!(
        (
            report.directories,
            report.files,
            report.hard_links,
            report.symlinks,
            report.bytes
        ),
        (3, 3, 1, 0, 6)
    );
    assert_eq!(problems(&report), [""; 0]);
    assert_eq!(report.skipped_links.len(), 1);
    assert_eq!(report.skipped_links[0].path, RelPath::parse("link"));
    let lost = report.not_kept;
    assert_eq!(
        (
            lost.attributes,
            lost.creation_times,
            lost.security,
            lost.short_names
        ),
        (1, 1, 1, 1)
    );
    assert_eq!(
        (
            lost.named_streams,
            lost.reparse_points,
            lost.extra,
            lost.times
        ),
        (1, 1, 0, 0)
    );

    let links = ["Windows/System32/ntdll.dll", "Windows/ntdll copy.dll"]
        .map(|path| fs::metadata(place.dest.join(path)).unwrap().ino());
    assert_eq!(links[0], links[1]);
    let written = fs::metadata(place.dest.join("empty.txt")).unwrap();
    assert_eq!(
        (written.mtime(), written.mtime_nsec()),
        (1_439_567_515, 51_000_000)
    );
    assert_eq!(
        (written.atime(), written.atime_nsec()),
        (1_450_000_000, 100)
    );
}

#[test]
fn directories_keep_their_times() {
    let place = Place::new();
    let time = FileTime::from_unix(-86_400, 500).unwrap();
    let times = Times {
        created: FileTime::ZERO,
        accessed: time,
        written: time,
    };
    place.write(
        MemoryTree::new()
            .times("", times)
            .dir("a")
            .times("a", times)
            .file("a/b", "x")
            .times("a/b", times),
        DiskOptions::default(),
    );
    for path in ["", "a", "a/b"] {
        let found = fs::metadata(place.dest.join(path)).unwrap();
        assert_eq!((found.mtime(), found.mtime_nsec()), (-86_400, 500));
    }
}

#[test]
fn hostile_names_stay_inside() {
    let place = Place::new();
    let names = [
        "..",
        ".",
        "",
        "/etc/passwd",
        "../../up",
        r"..\up",
        "a\0b",
        r"C:\x",
    ];
    let mut tree = MemoryTree::new();
    for name in names {
        tree = tree.entry("", file(name), vec![b"x".to_vec()]);
    }
    tree = tree.entry("", directory(".."), vec![]).entry(
        "",
        file(WideName::from_units(vec![0xd800])),
        vec![vec![]],
    );
    let report = place.write(tree, DiskOptions::default());
    assert_eq!(
        place.list(),
        [
            "dest/",
            "dest/%002E",
            "dest/%002E%002E",
            "dest/%002E%002E%~2/",
            "dest/%002Fetc%002Fpasswd",
            "dest/%D800",
            "dest/%~",
            "dest/..%002F..%002Fup",
            "dest/..%005Cup",
            "dest/C:%005Cx",
            "dest/a%0000b",
        ]
    );
    assert_eq!(report.renamed_count, 10);
    assert_eq!(report.renamed[0].written, "%002E%002E");
    assert_eq!(problems(&report), [""; 0]);
}

#[test]
fn a_name_twice_is_written_twice() {
    let place = Place::new();
    let tree = MemoryTree::new()
        .entry("", file("a"), vec![b"1".to_vec()])
        .entry("", file("a"), vec![b"2".to_vec()])
        .entry("", file("a%~2"), vec![b"3".to_vec()]);
    let report = place.write(tree, overwrite());
    assert_eq!(
        place.list(),
        ["dest/", "dest/a", "dest/a%0025~2", "dest/a%~2"]
    );
    assert_eq!(
        ["a", "a%~2", "a%0025~2"].map(|name| place.read(name)),
        [b"1", b"2", b"3"]
    );
    assert_eq!(report.renamed_count, 2);
}

#[test]
fn a_link_that_lies_in_the_destination_is_not_followed() {
    for options in [DiskOptions::default(), overwrite()] {
        let place = Place::new();
        fs::create_dir_all(place.outer.path().join("outside")).unwrap();
        fs::write(place.outer.path().join("outside/file"), "precious").unwrap();
        fs::create_dir(&place.dest).unwrap();
        symlink("../outside", place.dest.join("dir")).unwrap();
        symlink("../outside/file", place.dest.join("file")).unwrap();
        symlink("../outside/file", place.dest.join("second")).unwrap();
        let tree = MemoryTree::new()
            .file("dir/file", "new")
            .file("file", "new")
            .hard_link("second", "file");
        let report = place.write(tree, options.clone());
        assert_eq!(
            fs::read(place.outer.path().join("outside/file")).unwrap(),
            b"precious"
        );
        if options.existing == Existing::Overwrite {
            assert_eq!(problems(&report), [""; 0]);
            assert_eq!(
                ["dir/file", "file", "second"].map(|path| place.read(path)),
                [b"new"; 3]
            );
            assert_eq!(
                place.list(),
                [
                    "dest/",
                    "dest/dir/",
                    "dest/dir/file",
                    "dest/file",
                    "dest/second",
                    "outside/",
                    "outside/file"
                ]
            );
        } else {
            assert_eq!(report.problem_count, 4);
            assert_eq!(
                (report.files, report.hard_links, report.directories),
                (0, 0, 0)
            );
            assert!(place.list().contains(&"dest/dir@".to_owned()));
        }
    }
}

#[test]
fn existing_files_are_kept_or_replaced_and_directories_are_shared() {
    let tree = || {
        MemoryTree::new()
            .file("a/b", "new")
            .file("a/c", "new")
            .dir("x")
    };
    let prepare = || {
        let place = Place::new();
        fs::create_dir_all(place.dest.join("a")).unwrap();
        fs::write(place.dest.join("a/b"), "old").unwrap();
        fs::write(place.dest.join("x"), "old").unwrap();
        place
    };
    let place = prepare();
    let report = place.write(tree(), DiskOptions::default());
    assert_eq!(
        (place.read("a/b"), place.read("a/c"), place.read("x")),
        (b"old".into(), b"new".into(), b"old".into())
    );
    assert_eq!(report.problem_count, 2, "{report:?}");
    assert!(
        problems(&report)[1].starts_with(r"x: it cannot be written: "),
        "{report:?}"
    );
    assert!(
        problems(&report)[0].starts_with(r"a\b: it cannot be written: "),
        "{report:?}"
    );

    let place = prepare();
    let report = place.write(tree(), overwrite());
    assert_eq!(
        (place.read("a/b"), place.read("a/c")),
        (b"new".into(), b"new".into())
    );
    assert_eq!(
        place.list(),
        ["dest/", "dest/a/", "dest/a/b", "dest/a/c", "dest/x/"]
    );
    assert_eq!(report.problem_count, 0);

    let place = prepare();
    let report = place.write(MemoryTree::new().file("a", "file"), overwrite());
    assert_eq!(
        (report.problem_count, place.list().len()),
        (1, 4),
        "a directory is never replaced"
    );
}

#[test]
fn links_are_made_where_they_stay_inside() {
    let place = Place::new();
    let link = |target: &str, relative| ReparsePoint::symlink(target, "", relative).expect("short");
    let tree = MemoryTree::new()
        .file("dir/sub/file", "x")
        .reparse("dir/up", link(r"..\other", true))
        .reparse("dir/down", link(r"sub\file", true))
        .reparse("dir/absolute", link(r"\??\C:\dir\sub", false))
        .dir("dir/junction")
        .reparse(
            "dir/junction",
            ReparsePoint::mount_point(r"\??\D:\dir\sub", r"D:\dir\sub").expect("short"),
        )
        .file("dir/junction/child", "x")
        .reparse("dir/escape", link(r"..\..\outside", true))
        .reparse("dir/unc", link(r"\??\UNC\server\share", false));
    let report = place.write(tree, relative_links());
    let target = |name: &str| fs::read_link(place.dest.join("dir").join(name)).unwrap();
    assert_eq!(target("up"), Path::new("../other"));
    assert_eq!(target("down"), Path::new("sub/file"));
    assert_eq!(target("absolute"), Path::new("sub"));
    assert_eq!(target("junction"), Path::new("sub"));
    assert_eq!(place.read("dir/down"), b"x");
    assert_eq!((report.symlinks, report.skipped_link_count), (4, 2));
    assert_eq!(report.skipped_links[0].path, RelPath::parse("dir/escape"));
    assert_eq!(
        problems(&report),
        [r"dir\junction\child: its directory was not written"]
    );
    assert!(!place.dest.join("dir/sub/child").exists());
}

#[test]
fn damaged_files_are_removed_under_all_their_names() {
    let place = Place::new();
    let tree = MemoryTree::new()
        .file("bad", "123")
        .hard_link("also bad", "bad")
        .file("good", "456")
        .file("late", "7");
    let mut sink = place.open(DiskOptions::default());
    for (_, entry) in tree.entries() {
        sink.entry(entry).unwrap();
    }
    let id = |path: &str| tree.get(path).map(|entry| entry.id).unwrap();
    // Contents come after all entries and in any order, as from a WIM.
    for (path, end) in [("good", StreamEnd::Complete), ("bad", StreamEnd::Damaged)] {
        assert!(
            sink.open_stream(StreamRef {
                entry: id(path),
                index: 0
            })
            .unwrap()
        );
        sink.write(tree.contents(path).unwrap()).unwrap();
        sink.close_stream(end).unwrap();
    }
    let report = sink.finish().unwrap();
    assert_eq!(place.list(), ["dest/", "dest/good"]);
    assert_eq!(
        problems(&report),
        [
            "bad: its contents are damaged",
            "also bad: its contents are damaged",
            "late: its contents never came"
        ]
    );
    assert_eq!((report.files, report.hard_links, report.bytes), (1, 0, 3));
}

#[test]
fn contents_of_another_length_than_announced_are_not_kept() {
    #[track_caller]
    fn check(bytes: &[&[u8]], expected: &str) {
        let place = Place::new();
        let tree = MemoryTree::new().file("a", "123");
        let mut sink = place.open(DiskOptions::default());
        for (_, entry) in tree.entries() {
            sink.entry(entry).expect("room");
        }
        assert!(
            sink.open_stream(StreamRef {
                entry: EntryId(1),
                index: 0
            })
            .expect("room")
        );
        for bytes in bytes {
            sink.write(bytes).expect("room");
        }
        sink.close_stream(StreamEnd::Complete).expect("room");
        assert_eq!(problems(&sink.finish().expect("room")), [expected]);
        assert_eq!(place.list(), ["dest/"]);
    }
    check(&[b"12"], "a: expected 3 bytes of contents, 2 came");
    check(&[b"123", b"4"], "a: expected 3 bytes of contents, 4 came");
    check(&[], "a: expected 3 bytes of contents, 0 came");
}

#[test]
fn encrypted_files_are_a_problem() {
    let place = Place::new();
    let mut secret = file("secret");
    secret.streams[0].kind = StreamKind::EncryptedRaw;
    let report = place.write(
        MemoryTree::new().entry("", secret, vec![b"raw".to_vec()]),
        DiskOptions::default(),
    );
    assert_eq!(
        problems(&report),
        ["secret: its contents are encrypted, and only Windows can write them"]
    );
    assert_eq!(place.list(), ["dest/"]);
}

#[test]
fn sources_that_break_the_order_are_refused() {
    let place = Place::new();
    let mut sink = place.open(DiskOptions::default());
    let tree = MemoryTree::new().file("a/b", "");
    let entries: Vec<Entry> = tree.entries().map(|(_, entry)| entry.clone()).collect();
    let text = |result: Result<(), wcow_tree::SinkError>| result.unwrap_err().to_string();
    assert_eq!(
        text(sink.entry(&entries[1])),
        "entry 1: its parent 0 was not sent"
    );
    sink.entry(&entries[0]).unwrap();
    assert_eq!(text(sink.entry(&entries[0])), "entry 0: it was sent twice");
    assert_eq!(text(sink.write(b"x")), "bytes came without an open stream");
    assert_eq!(
        text(sink.close_stream(StreamEnd::Complete)),
        "a stream was closed that was not open"
    );
    let rootless = Entry {
        parent: None,
        ..file("x")
    };
    assert_eq!(
        text(sink.entry(&Entry {
            id: EntryId(9),
            ..rootless
        })),
        "the root of the tree is not a directory"
    );
}

#[test]
fn deep_trees_are_written_and_cut_off_at_a_limit() {
    let place = Place::new();
    let deep = |depth: usize| vec!["d"; depth].join("/");
    let tree = MemoryTree::new()
        .dir(deep(60))
        .file(format!("{}/one", deep(60)), "1")
        .file(format!("{}/two", deep(55)), "2");
    let tree = tree.file(format!("{}/three", deep(60)), "3");
    assert_eq!(
        place
            .write(tree.clone(), DiskOptions::default())
            .problem_count,
        0
    );
    assert_eq!(place.read(&format!("{}/three", deep(60))), b"3");
    assert_eq!(without_times(&collect(&place.dest)), tree);

    let place = Place::new();
    let report = place.write(MemoryTree::new().dir(deep(1026)), DiskOptions::default());
    assert_eq!((report.directories, report.problem_count), (1024, 2));
    assert!(
        report.problems[1]
            .what
            .contains("its directory was not written"),
        "{}",
        report.problems[1].what
    );
}

#[test]
fn long_lists_are_cut_and_counted() {
    let place = Place::new();
    let mut options = DiskOptions::default();
    options.list_at_most = 1;
    let report = place.write(
        MemoryTree::new()
            .entry("", file("."), vec![])
            .entry("", file(".."), vec![]),
        options,
    );
    assert_eq!((report.renamed.len(), report.renamed_count), (1, 2));
}

#[test]
fn a_destination_that_is_a_file_is_refused() {
    let place = Place::new();
    fs::write(&place.dest, "x").unwrap();
    let error = DiskSink::open(&place.dest, DiskOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("directory {}: cannot be opened", place.dest.display())
    );
}

#[test]
fn nothing_is_written_through_a_link_of_the_tree() {
    for (existing, names) in [
        (Existing::Refuse, Names::Host),
        (Existing::Overwrite, Names::Windows),
    ] {
        let place = Place::new();
        fs::create_dir_all(place.outer.path().join("outside")).expect("room");
        fs::create_dir_all(&place.dest).expect("room");
        // What another program left where the sink will write.
        symlink("../outside/part", place.dest.join(".wcow-part-0")).expect("room");
        let mut options = relative_links();
        (options.existing, options.names) = (existing, names);
        let link = |name: &str, target: &str| Entry {
            attributes: wcow_ntmeta::FileAttributes::REPARSE_POINT
                | wcow_ntmeta::FileAttributes::DIRECTORY,
            reparse: Some(ReparsePoint::symlink(target, "", true).expect("short")),
            streams: Vec::new(),
            ..file(name)
        };
        let entries = [
            (0, None, directory("")),
            (1, Some(0), link("a", "inside")),
            (2, Some(1), file("b")),
            (3, Some(0), directory("a")),
            (4, Some(3), file("b")),
            (5, Some(0), directory("A")),
            (6, Some(5), file("b")),
            (7, Some(0), link("out", r"..\outside")),
            (8, Some(7), file("b")),
            (9, Some(0), file("out")),
            (10, Some(0), file("..")),
            (11, Some(0), directory("inside")),
        ];
        let mut sink = place.open(options);
        for (id, parent, mut entry) in entries {
            (entry.id, entry.parent) = (EntryId(id), parent.map(EntryId));
            for stream in &mut entry.streams {
                stream.len = 4;
            }
            sink.entry(&entry).expect("room");
            let stream = StreamRef {
                entry: entry.id,
                index: 0,
            };
            if !entry.streams.is_empty() && sink.open_stream(stream).expect("room") {
                sink.write(b"con").expect("room");
                sink.write(b"t").expect("room");
                sink.close_stream(StreamEnd::Complete).expect("room");
            }
        }
        let report = sink.finish().expect("room");
        let upper = match names {
            Names::Host => "A",
            Names::Windows => "A%~3",
        };
        let mut expected = [
            "dest/%002E%002E",
            "dest/",
            "dest/.wcow-part-0@",
            "dest/a%~2/",
            "dest/a%~2/b",
            "dest/a@",
            "dest/inside/",
            "dest/out%~2",
            "outside/",
        ]
        .map(str::to_owned)
        .to_vec();
        expected.extend([format!("dest/{upper}/"), format!("dest/{upper}/b")]);
        expected.sort();
        assert_eq!(place.list(), expected);
        assert_eq!((report.symlinks, report.skipped_link_count), (1, 1));
        assert_eq!(
            problems(&report),
            [
                r"a\b: its directory was not written",
                r"out\b: its directory was not written"
            ]
        );
    }
}

#[test]
fn names_for_windows_can_be_copied_there() {
    let place = Place::new();
    let mut options = DiskOptions::default();
    options.names = Names::Windows;
    let wide = "字".repeat(200);
    let tree = MemoryTree::new()
        .file("Name", "1")
        .file("NAME", "2")
        .file("dir/aux.h", "")
        .file("DIR/end.", "")
        .file("a:b?", "")
        .file(wide.as_str(), "");
    let report = place.write(tree, options);
    let names: Vec<String> = place
        .list()
        .into_iter()
        .filter(|name| !name.contains("字"))
        .collect();
    assert_eq!(
        names,
        [
            "dest/",
            "dest/DIR%~2/",
            "dest/DIR%~2/end%002E",
            "dest/NAME%~2",
            "dest/Name",
            "dest/a%003Ab%003F",
            "dest/dir/",
            "dest/dir/%0061ux.h",
        ]
    );
    assert_eq!((report.renamed_count, report.problem_count), (6, 0));
}

#[test]
fn a_file_size_limit_leaves_no_part_of_a_file() {
    const DEST: &str = "WCOW_TEST_DEST";
    if let Some(dest) = std::env::var_os(DEST) {
        // The child, with the limit.
        let mut tree = MemoryTree::new()
            .file("small", "fits")
            .file("medium", vec![1; 1 << 20])
            .file("large", vec![1; 3 << 20])
            .file("small too", "fits");
        let mut sink = DiskSink::open(Path::new(&dest), DiskOptions::default()).expect("room");
        tree.send(&mut sink).expect("one file does not end it");
        let report = sink.finish().expect("one file does not end it");
        assert_eq!((report.files, report.problem_count), (2, 2), "{report:?}");
        return;
    }
    let place = Place::new();
    // Without the trap the system would kill the child, as it does with a program that does not ask for the error.
    let ran = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 512; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().expect("this program"))
        .args([
            "disk::a_file_size_limit_leaves_no_part_of_a_file",
            "--exact",
        ])
        .env(DEST, &place.dest)
        .output()
        .expect("a shell");
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(place.list(), ["dest/", "dest/small", "dest/small too"]);
}

fn collect(path: &Path) -> MemoryTree {
    MemoryTree::collect(&mut DiskSource::open(path).expect("a directory")).expect("a readable tree")
}

/// The tree with all times zero, to compare with one that was built.
fn without_times(tree: &MemoryTree) -> MemoryTree {
    let paths = tree.paths();
    paths
        .iter()
        .chain([&RelPath::root()])
        .fold(tree.clone(), |tree, path| {
            tree.times(path, Times::default())
        })
}

#[test]
fn a_directory_is_read_as_it_is() {
    let place = Place::new();
    let dest = &place.dest;
    fs::create_dir_all(dest.join("b/inner")).unwrap();
    fs::write(dest.join("b/file"), "contents").unwrap();
    fs::hard_link(dest.join("b/file"), dest.join("a link")).unwrap();
    fs::write(dest.join("empty"), "").unwrap();
    symlink("b/inner", dest.join("to dir")).unwrap();
    symlink("../b/file", dest.join("b/to file")).unwrap();
    symlink("/etc/passwd", dest.join("absolute")).unwrap();
    let link = |target: &str, print: &str, relative| {
        ReparsePoint::symlink(target, print, relative).expect("short")
    };
    let plain = wcow_ntmeta::FileAttributes::REPARSE_POINT;
    let mut expected = MemoryTree::new()
        .dir("b/inner")
        .file("b/file", "contents")
        .hard_link("a link", "b/file")
        .file("empty", "")
        .dir("to dir")
        .reparse("to dir", link(r"b\inner", r"b\inner", true));
    for (parent, name, reparse) in [
        ("b", "to file", link(r"..\b\file", r"..\b\file", true)),
        (
            "",
            "absolute",
            link(r"\??\C:\etc\passwd", r"C:\etc\passwd", false),
        ),
    ] {
        let entry = Entry {
            attributes: plain,
            reparse: Some(reparse),
            streams: Vec::new(),
            ..file(name)
        };
        expected = expected.entry(parent, entry, vec![]);
    }
    let found = collect(dest);
    assert_eq!(without_times(&found).differences(&expected), [""; 0]);
    let order: Vec<String> = found.entries().map(|(path, _)| path.to_string()).collect();
    assert_eq!(
        order,
        [
            "",
            "a link",
            "absolute",
            "b",
            r"b\file",
            r"b\inner",
            r"b\to file",
            "empty",
            "to dir"
        ],
        "sorted, each directory followed by what it holds"
    );
    let written = found.get("empty").unwrap().times.written.to_unix();
    let metadata = fs::metadata(dest.join("empty")).unwrap();
    assert_eq!(
        written,
        (
            metadata.mtime(),
            u32::try_from(metadata.mtime_nsec() / 100 * 100).unwrap()
        )
    );
}

#[test]
fn what_cannot_be_read_is_told_after_the_rest_was_sent() {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::UnixListener;

    let place = Place::new();
    fs::create_dir(&place.dest).unwrap();
    fs::write(place.dest.join("z"), "sent").unwrap();
    fs::write(place.dest.join(std::ffi::OsStr::from_bytes(b"bad\xff")), "").unwrap();
    let _socket = UnixListener::bind(place.dest.join("socket")).unwrap();
    let mut sink = wcow_tree::memory::MemorySink::new();
    let SendError::Source(error) = DiskSource::open(&place.dest)
        .unwrap()
        .send(&mut sink)
        .unwrap_err()
    else {
        panic!("the sink takes everything");
    };
    let error: Box<wcow_tree::disk::CaptureError> = error.downcast().unwrap();
    let lines: Vec<String> = error
        .problems
        .iter()
        .map(|problem| format!("{}: {}", problem.path, problem.what))
        .collect();
    assert_eq!(
        lines,
        [
            ": it holds a name that is not UTF-8: bad\u{fffd}",
            "socket: it is neither file, directory nor link"
        ]
    );
    assert_eq!(error.count, 2);
    assert_eq!(sink.finish().contents("z"), Some(&b"sent"[..]));
}

#[derive(Clone, Debug)]
enum Step {
    Dir(Vec<u8>),
    File(Vec<u8>, Vec<u8>),
    Link(Vec<u8>, Vec<u8>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let path = || prop::collection::vec(0u8..6, 1..4);
    let contents = prop::collection::vec(any::<u8>(), 0..100);
    let step = prop_oneof![
        path().prop_map(Step::Dir),
        (path(), contents).prop_map(|(path, bytes)| Step::File(path, bytes)),
        (path(), path()).prop_map(|(path, target)| Step::Link(path, target)),
    ];
    prop::collection::vec(step, 0..12)
}

/// Paths from a few names, some of which cannot be written as they are.
fn path(parts: &[u8], write: impl Fn(&WideName) -> WideName) -> RelPath {
    let names = ["a", "A", "..", "x:y", "%0041", "b\\c"];
    parts
        .iter()
        .filter_map(|part| names.get(usize::from(*part)))
        .map(|name| write(&(*name).into()))
        .collect()
}

fn build(steps: &[Step], write: impl Fn(&WideName) -> WideName + Copy) -> MemoryTree {
    steps
        .iter()
        .fold(MemoryTree::new(), |tree, step| match step {
            Step::Dir(at) => tree.dir(path(at, write)),
            Step::File(at, bytes)
                if tree
                    .get(path(at, write))
                    .is_none_or(|entry| !entry.is_directory()) =>
            {
                tree.file(path(at, write), bytes)
            }
            Step::Link(at, target)
                if tree
                    .get(path(target, write))
                    .is_some_and(|entry| !entry.is_directory()) =>
            {
                match tree.get(path(at, write)) {
                    None => tree.hard_link(path(at, write), path(target, write)),
                    Some(_) => tree,
                }
            }
            _ => tree,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_back_under_the_written_names(steps in steps()) {
        let place = Place::new();
        let tree = build(&steps, WideName::clone);
        let report = place.write(tree.clone(), DiskOptions::default());
        prop_assert_eq!(problems(&report), [""; 0]);
        let written = build(&steps, |name| written_name(name, NameRule::Unix).into());
        let found = without_times(&collect(&place.dest));
        prop_assert_eq!(found.differences(&written), [""; 0]);
        prop_assert_eq!(fs::read_dir(place.outer.path()).unwrap().count(), 1);
    }
}

#[test]
fn security_is_counted_on_links_too() {
    let place = Place::new();
    let security = SecurityDescriptor::from_sddl("O:BA").unwrap();
    let tree = MemoryTree::new()
        .file("a", "")
        .hard_link("b", "a")
        .security("b", security);
    assert_eq!(
        place.write(tree, DiskOptions::default()).not_kept.security,
        1,
        "once for each file"
    );
}
