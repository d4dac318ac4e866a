//! WIM files: good ones, odd ones, and files that are none.

use std::fs;

use sha1::Digest;
use wcow_tree::disk::{DiskSource, Metadata};
use wcow_tree::memory::MemoryTree;

use crate::support::{Home, bytes, metadata, wim_of};

/// A small tree with a stream and a name in another case.
fn tree() -> MemoryTree {
    MemoryTree::new()
        .file(r"dir\a.txt", "first")
        .file(r"dir\b.log", "second")
        .stream(r"dir\b.log", "note", "aside")
        .file(r"dir\sub\c.txt", "third")
        .file("Top.txt", "top")
        .file("empty", "")
}

/// A home with `one.wim` (one image) and `two.wim` (two).
fn home() -> Home {
    let home = Home::new();
    home.put("one.wim", &wim_of(&[("only", tree())]));
    let other = MemoryTree::new().file("other.txt", "other");
    home.put("two.wim", &wim_of(&[("first", tree()), ("second", other)]));
    home
}

#[test]
fn files_that_are_no_wim() {
    let home = home();
    home.put(
        "text.wim",
        b"This is text, and long enough to be the header of a WIM file. "
            .repeat(9)
            .as_slice(),
    );
    home.put("empty.wim", b"");
    fs::create_dir(home.path("folder.wim")).expect("made");
    for (file, code) in [
        ("text.wim", 6),
        ("empty.wim", 6),
        ("folder.wim", 2),
        ("nosuch.wim", 3),
    ] {
        for words in [
            &["wim", "info", file][..],
            &["wim", "ls", file],
            &["wim", "cat", file, "1", "x"],
            &["wim", "extract", file, "1", "out"],
            &["wim", "verify", file],
            &["image", "install", file],
            &["tour", "--wim", file],
        ] {
            home.wcow(words).fails(code, &[file, "help: "]);
        }
    }
    assert!(!home.path("out").exists(), "nothing was extracted");
    assert!(!home.path("data").exists(), "no host was asked");
}

#[test]
fn what_is_no_wim_file_is_told_and_what_there_is_instead() {
    let home = Home::new();
    let help = |words: &[&str]| {
        let ran = home.wcow(&[&["wim", "info"], words].concat());
        assert_ne!(ran.code, Some(0));
        let help = ran
            .stderr
            .lines()
            .find_map(|line| line.strip_prefix("help: "));
        help.map(str::to_owned)
            .unwrap_or_else(|| panic!("no help: {}", ran.stderr))
    };
    let on_media = "the installation media of Windows have theirs in the folder `sources`: install.wim or install.esd";
    assert_eq!(help(&["nosuch.wim"]), on_media);
    assert_eq!(
        help(&["nosuch/nosuch.wim"]),
        "there is no folder nosuch either"
    );
    let mut disc = vec![0; 0x9000];
    disc[0x8001..0x8006].copy_from_slice(b"CD001");
    let long = |begin: &[u8]| [begin, &[0; 300]].concat();
    for (bytes, expected) in [
        (
            disc,
            "it is a disc image; take the WIM file out of it first",
        ),
        (long(b"vhdxfile"), "it is a virtual disk"),
        (long(b"MSCF"), "it is a cabinet"),
        (long(b"PK\x03\x04"), "it is a ZIP archive"),
        (long(b"7z\xBC\xAF\x27\x1C"), "it is a 7z archive"),
        (long(b"\x1F\x8B"), "it is a file compressed by gzip"),
        (long(b"MZ"), "it is a program"),
        (long(b"anything"), on_media),
    ] {
        home.put("other.iso", &bytes);
        let help = help(&["other.iso"]);
        assert!(help.starts_with(expected), "{help}");
    }
    // What is there is named, and no folder.
    for name in ["b.wim", "a.ESD", "none.txt"] {
        home.put(name, b"x");
    }
    fs::create_dir(home.path("folder.wim")).expect("made");
    assert_eq!(
        help(&["nosuch.wim"]),
        "in this folder there are: a.ESD, b.wim"
    );
    for name in ["c.swm", "d.wim", "e.wim"] {
        home.put(name, b"x");
    }
    let expected = "in this folder there are: a.ESD, b.wim, c.swm and 2 more";
    assert_eq!(help(&["."]), expected);
    // What may have been meant comes first.
    home.put("server.wim", b"x");
    for mistyped in ["Sevrer.wim", "serve"] {
        let expected = "in this folder there are: server.wim, a.ESD, b.wim and 3 more";
        assert_eq!(help(&[mistyped]), expected);
    }
    home.put("folder.wim/within.wim", b"x");
    assert_eq!(help(&["folder.wim"]), "in folder.wim there are: within.wim");
}

#[test]
fn truncated_files_are_damaged() {
    let home = home();
    let whole = bytes(&home.path("one.wim"));
    for length in [1, 8, 100, 207, 208, 300, whole.len() / 2, whole.len() - 1] {
        home.put("cut.wim", &whole[..length]);
        home.wcow(&["wim", "verify", "cut.wim"]).ends(6);
        home.wcow(&["wim", "info", "cut.wim"])
            .fails(6, &["cut.wim", "cause: "]);
    }
}

#[test]
fn a_damaged_file_is_found_and_not_left_behind() {
    let home = home();
    let mut damaged = bytes(&home.path("one.wim"));
    let at = damaged
        .windows(6)
        .position(|window| window == b"second")
        .expect("it is stored as it is");
    damaged[at] ^= 1;
    home.put("bad.wim", &damaged);
    let verified = home.wcow(&["wim", "verify", "bad.wim"]);
    verified.ends(6);
    assert_eq!(verified.text().lines().count(), 1, "{}", verified.text());
    verified.says(&["1 problem found"]);
    home.wcow(&["wim", "cat", "bad.wim", "1", "dir/b.log"])
        .ends(6)
        .says(&["dir/b.log", "not the whole file"]);
    let extracted = home.wcow(&["wim", "extract", "bad.wim", "1", "out"]);
    extracted.ends(6).says(&[r"dir\b.log", "1 file of bad.wim"]);
    assert!(!home.path("out/dir/b.log").exists());
    assert_eq!(bytes(&home.path("out/dir/a.txt")), b"first");
    home.wcow(&["wim", "cat", "bad.wim", "1", "Top.txt"]).ok();
}

#[test]
fn images_by_index_and_name() {
    let home = home();
    assert_eq!(
        home.wcow(&["wim", "cat", "two.wim", "2", "other.txt"]).ok(),
        "other"
    );
    assert_eq!(
        home.wcow(&["wim", "cat", "two.wim", "second", "other.txt"])
            .ok(),
        "other"
    );
    for word in ["0", "3", "third", "99999999999999", ""] {
        home.wcow(&["wim", "cat", "two.wim", word, "x"])
            .fails(3, &["two.wim", "wcow wim info"]);
    }
    home.wcow(&["wim", "ls", "two.wim"])
        .fails(2, &["2 images", "wcow wim info"]);
    home.wcow(&["image", "install", "two.wim"])
        .fails(2, &["2 images"]);
    // Neither has a word about Windows in it.
    home.wcow(&["image", "install", "one.wim"])
        .fails(1, &["not a Windows image"]);
    let info = home.wcow(&["wim", "info", "two.wim"]).ok();
    assert!(info.contains("first") && info.contains("second"));
    assert!(
        home.wcow(&["wim", "info", "two.wim", "--xml"])
            .ok()
            .contains("<WIM>")
    );
}

#[test]
fn listings() {
    let home = home();
    let ls = |words: &[&str]| {
        let mut all = vec!["wim", "ls", "one.wim"];
        all.extend(words);
        home.wcow(&all)
    };
    assert_eq!(ls(&[]).ok(), "dir\\\nempty\nTop.txt\n");
    assert_eq!(
        ls(&["1", "dir"]).ok(),
        "dir\\a.txt\ndir\\b.log\ndir\\sub\\\n"
    );
    assert_eq!(
        ls(&["-R"]).ok(),
        "dir\\\ndir\\a.txt\ndir\\b.log\ndir\\sub\\\ndir\\sub\\c.txt\nempty\nTop.txt\n"
    );
    assert_eq!(ls(&["/DIR/*.txt", "top.TXT"]).ok(), "dir\\a.txt\nTop.txt\n");
    assert_eq!(ls(&["1", "*", "-R"]).ok().lines().count(), 7);
    let long = ls(&["-l", "1", "dir/a.txt"]).ok();
    assert!(
        long.contains("ATTRIBUTES") && long.contains(" 5 "),
        "{long}"
    );
    ls(&["1", "nosuch"]).fails(3, &["nosuch"]);
    ls(&["1", "*.nosuch"]).fails(3, &["nothing matches"]);
    let items = ls(&["1", "dir/b.log", "--format", "json"]).items("wim.entry");
    assert_eq!(items[0]["streams"][0]["name"], "note");
}

#[test]
fn contents_of_one_file() {
    let home = home();
    let cat = |path| home.wcow(&["wim", "cat", "one.wim", "1", path]);
    assert_eq!(cat("/dir/sub/C.TXT").ok(), "third");
    assert_eq!(cat(r"dir\b.log").ok(), "second");
    assert_eq!(cat("dir/b.log:NOTE").ok(), "aside");
    assert_eq!(cat("empty").ok(), "");
    cat("dir").fails(2, &["is a folder"]);
    cat("nosuch").fails(3, &["nosuch", "help: "]);
    cat("dir/b.log:nosuch").fails(3, &["no stream"]);
}

#[test]
fn extraction_of_all_or_parts_and_twice() {
    let home = home();
    home.wcow(&["wim", "extract", "one.wim", "1", "all"]).ok();
    assert_eq!(bytes(&home.path("all/dir/sub/c.txt")), b"third");
    home.wcow(&[
        "wim", "extract", "one.wim", "1", "part", "dir/sub", "/Top.txt",
    ])
    .ok();
    assert!(home.path("part/dir/sub/c.txt").exists() && home.path("part/Top.txt").exists());
    assert!(!home.path("part/dir/a.txt").exists() && !home.path("part/empty").exists());
    home.wcow(&["wim", "extract", "one.wim", "1", "none", "nosuch"])
        .fails(3, &["nosuch"]);
    assert!(!home.path("none").exists(), "nothing was made");

    home.put("all/dir/a.txt", b"changed");
    let again = home.wcow(&["wim", "extract", "one.wim", "1", "all"]);
    again.ends(1).says(&["--overwrite"]);
    assert_eq!(bytes(&home.path("all/dir/a.txt")), b"changed");
    home.wcow(&["wim", "extract", "one.wim", "1", "all", "--overwrite"])
        .ok();
    assert_eq!(bytes(&home.path("all/dir/a.txt")), b"first");

    home.wcow(&["wim", "extract", "one.wim", "1", "one.wim"])
        .fails(1, &["one.wim"]);
}

#[test]
fn what_the_disk_does_not_keep_is_kept_beside_it() {
    let home = home();
    let extract = |more: &[&str]| {
        let words = ["wim", "extract", "one.wim", "1", "out", "--metadata"];
        home.wcow(&[&words, more].concat())
    };
    extract(&["out/meta"]).fails(2, &["out/meta", "beside"]);
    let ran = extract(&["meta"]);
    ran.ends(0)
        .says(&["kept in meta", "1 alternate data stream"]);
    extract(&["meta"]).fails(1, &["meta", "--overwrite"]);
    extract(&["meta", "--overwrite"]).ok();
    assert!(!home.path("meta.part").exists(), "it has its name");

    let metadata = Metadata::read(&home.path("meta")).expect("just written");
    let source = DiskSource::open(&home.path("out")).expect("just made");
    let found = MemoryTree::collect(&mut source.with_metadata(metadata)).expect("all there");
    assert_eq!(found.differences(&tree()), [""; 0]);
}

#[test]
fn names_for_windows() {
    let home = Home::new();
    let tree = MemoryTree::new()
        .file("aux.h", "1")
        .file("Name", "2")
        .file("NAME", "3");
    home.put("names.wim", &wim_of(&[("only", tree)]));
    let ran = home.wcow(&[
        "wim",
        "extract",
        "names.wim",
        "1",
        "out",
        "--names",
        "windows",
    ]);
    ran.ends(0)
        .says(&["renamed: aux.h is %0061ux.h here", "%~2"]);
    assert_eq!(bytes(&home.path("out/%0061ux.h")), b"1");
}

#[test]
fn hostile_names_stay_in_the_folder() {
    let home = Home::new();
    let names = [
        "..",
        ".",
        "../../escaped",
        r"..\escaped",
        "a\0b",
        "\u{1b}[31mred",
        "/abs",
    ];
    let mut tree = MemoryTree::new().file("plain", "good");
    let mut renames = Vec::new();
    for (number, name) in (0..).zip(names) {
        // A name of the same length that the writer takes, and that nothing else has.
        let harmless: String = std::iter::repeat_n(char::from(b'p' + number), name.len()).collect();
        tree = tree.file(harmless.as_str(), "bad");
        renames.push((harmless, name));
    }
    home.put("hostile.wim", &with_names(wim_of(&[("x", tree)]), &renames));
    let listed = home.wcow(&["wim", "ls", "hostile.wim"]);
    assert!(
        !listed.text().contains(['\u{1b}', '\0']),
        "{}",
        listed.text()
    );
    let ran = home.wcow(&["wim", "extract", "hostile.wim", "1", "deep/er/out"]);
    ran.ends(0).says(&["renamed: ", "warning: "]);
    assert_eq!(bytes(&home.path("deep/er/out/plain")), b"good");
    let names = |folder: &str| {
        let mut names: Vec<String> = fs::read_dir(home.path(folder))
            .expect("a folder")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    };
    // `.`, `..` and a name with NUL in it are no names at all; the others are written as something harmless.
    assert_eq!(names("deep/er/out").len(), 5, "{:?}", names("deep/er/out"));
    assert_eq!(names("deep/er"), ["out"]);
    assert_eq!(names("deep"), ["er"]);
    assert_eq!(names("."), ["deep", "hostile.wim"]);
}

/// A WIM of one image whose files have these names instead, of the same length.
fn with_names(mut wim: Vec<u8>, renames: &[(String, &str)]) -> Vec<u8> {
    let (start, length, row) = metadata(&wim);
    let metadata = &mut wim[start..start + length];
    for (old, new) in renames {
        let wide = |text: &str| -> Vec<u8> {
            // The length in bytes stands before a name: `p` alone would be found inside `pp`.
            let units: Vec<u16> = text.encode_utf16().collect();
            let length = u16::try_from(units.len() * 2).expect("short");
            std::iter::once(length)
                .chain(units)
                .flat_map(u16::to_le_bytes)
                .collect()
        };
        let (old, new) = (wide(old), wide(new));
        let at = metadata
            .windows(old.len())
            .position(|window| window == old)
            .expect("the name is there");
        metadata[at..at + new.len()].copy_from_slice(&new);
    }
    let digest = sha1::Sha1::digest(metadata);
    wim[row + 30..row + 50].copy_from_slice(&digest);
    wim
}
