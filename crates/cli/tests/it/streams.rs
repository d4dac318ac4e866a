//! `wcow wim cat`: every stream by its name.

use std::io::Read;
use std::process::Stdio;

use wcow_ntmeta::ReparsePoint;
use wcow_tree::memory::MemoryTree;

use crate::support::{Home, wim_of};

fn home() -> Home {
    let link = ReparsePoint::symlink("a.txt", "a.txt", true).expect("short");
    let odd = ReparsePoint {
        tag: 0x8000_0017,
        data: vec![7; 24],
    };
    let tree = MemoryTree::new()
        .file("a.txt", "first")
        .stream("a.txt", "Note", "aside")
        .dir("dir")
        .stream("dir", "of a folder", "here")
        .file("long", vec![b'x'; 3 << 20])
        .file("link", "")
        .reparse("link", link)
        .file("odd", "")
        .reparse("odd", odd);
    let home = Home::new();
    home.put("a.wim", &wim_of(&[("one", tree)]));
    home
}

#[test]
fn streams_have_the_names_that_windows_gives_them() {
    let home = home();
    let cat = |path| home.wcow(&["wim", "cat", "a.wim", "1", path]);
    for (path, contents) in [
        ("a.txt", "first"),
        ("a.txt::$DATA", "first"),
        ("A.TXT:note", "aside"),
        ("/a.txt:NOTE:$data", "aside"),
        ("dir:of a folder", "here"),
    ] {
        assert_eq!(cat(path).ok(), contents, "{path}");
    }
    assert_eq!(cat("long").ok().len(), 3 << 20);
    let point = cat("odd::$REPARSE_POINT");
    point.ends(0);
    let header = [0x17, 0, 0, 0x80, 24, 0, 0, 0];
    assert_eq!(point.stdout, [&header[..], &[7; 24]].concat());
    let link = cat("link::$reparse_point");
    link.ends(0);
    assert_eq!(link.stdout[..4], [0x0C, 0, 0, 0xA0]);
}

#[test]
fn what_has_no_contents_says_so() {
    let home = home();
    let cat = |path| home.wcow(&["wim", "cat", "a.wim", "1", path]);
    cat("dir").fails(2, &["dir is a folder", "wcow wim extract"]);
    cat("/").fails(2, &["is a folder"]);
    cat("link").fails(2, &["link is a link to a.txt", "link::$REPARSE_POINT"]);
    cat("odd").fails(2, &["0x80000017", "odd::$REPARSE_POINT"]);
    cat("a.txt:other").fails(3, &["has no stream \"other\"", "it has Note"]);
    cat("long:other").fails(3, &["--streams"]);
    cat("a.txt::$REPARSE_POINT").fails(3, &["neither a link"]);
    cat("a.txt::$EFS").fails(3, &["not encrypted"]);
    cat("a.txt::$BITMAP").fails(2, &["names no stream"]);
    cat("b.txt:note").fails(3, &["there is a.txt"]);
}

#[test]
fn a_reader_that_stops_is_no_failure() {
    let home = home();
    let mut command = home.command(&["wim", "cat", "a.wim", "1", "long"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program can be run");
    let mut out = child.stdout.take().expect("it is piped");
    let mut first = [0; 10];
    out.read_exact(&mut first).expect("there is something");
    drop(out);
    let ended = child.wait_with_output().expect("it ends");
    assert!(ended.status.success() && ended.stderr.is_empty());
}
