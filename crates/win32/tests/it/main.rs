//! The calls, each with what it does to a file. What a system cannot do is printed, and the code it says so with is checked.
#![cfg(windows)]

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::windows::fs::MetadataExt;
use std::os::windows::io::{AsHandle, OwnedHandle};
use std::path::Path;

use tempfile::TempDir;
use wcow_win32::{
    Basic, Create, Kind, Opening, ReadOnly, Taken, access, copy_new, delete, enable_privilege,
    link, open_at, open_directory, rename, set_basic, set_security, set_short_name, volume_flags,
};

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// A directory with a file `file`, and a handle of the directory.
fn place() -> (TempDir, fs::File) {
    let dir = TempDir::new().expect("a temporary directory");
    fs::write(dir.path().join("file"), "text").expect("room");
    let top = open_directory(dir.path(), access::READ_ATTRIBUTES).expect("just made");
    (dir, top)
}

fn open(top: &fs::File, name: &str, access: u32) -> OwnedHandle {
    open_at(top.as_handle(), &wide(name), Opening::existing(access)).expect("it is there")
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .expect("a directory")
        .map(|entry| entry.expect("a name").file_name().display().to_string())
        .collect();
    names.sort();
    names
}

#[test]
fn a_name_is_one_component() {
    let (dir, top) = place();
    for name in [
        r"..\x", "..", ".", "a/b", r"a\b", "a:b", ":a:b", "a\0b", r":a\b",
    ] {
        let error = open_at(
            top.as_handle(),
            &wide(name),
            Opening::new_file(access::WRITE_DATA),
        );
        let kind = error.map(|_| ()).map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::InvalidInput), "{name}");
    }
    assert_eq!(names(dir.path()), ["file"]);
}

#[test]
fn files_are_opened_and_made_by_handle() {
    let (dir, top) = place();
    let make = |name: &str, kind| {
        let how = Opening {
            access: access::WRITE_DATA,
            create: Create::New,
            kind,
        };
        open_at(top.as_handle(), &wide(name), how)
    };
    let mut file = fs::File::from(make("new", Kind::File).expect("room"));
    file.write_all(b"more").expect("room");
    drop(file);
    assert_eq!(fs::read(dir.path().join("new")).expect("there"), b"more");
    make("dir", Kind::Directory).expect("room");
    assert_eq!(names(dir.path()), ["dir", "file", "new"]);
    let taken = make("new", Kind::File)
        .map(|_| ())
        .map_err(|error| error.kind());
    assert_eq!(taken, Err(ErrorKind::AlreadyExists));
    let gone = open_at(
        top.as_handle(),
        &wide("none"),
        Opening::existing(access::READ_DATA),
    );
    assert_eq!(
        gone.map(|_| ()).map_err(|error| error.kind()),
        Err(ErrorKind::NotFound)
    );
    // The empty name is the object itself.
    let again = open_at(
        top.as_handle(),
        &[],
        Opening::existing(access::READ_ATTRIBUTES),
    );
    again.expect("it is open");
}

#[test]
fn attributes_and_times_are_set() {
    let (dir, top) = place();
    let file = open(&top, "file", access::WRITE_ATTRIBUTES);
    let basic = Basic {
        created: 131_000_000_000_000_000,
        accessed: 131_000_000_010_000_000,
        written: 131_000_000_020_000_000,
        attributes: 0x3,
    };
    set_basic(file.as_handle(), &basic).expect("it can be set");
    let metadata = fs::metadata(dir.path().join("file")).expect("there");
    // Wine's files are always to be archived.
    assert_eq!(metadata.file_attributes() & !0x20, 0x3);
    assert_eq!(metadata.last_write_time(), 131_000_000_020_000_000);
    assert_eq!(metadata.last_access_time(), 131_000_000_010_000_000);
    let plain = Basic {
        attributes: 0x80,
        ..Basic::default()
    };
    set_basic(file.as_handle(), &plain).expect("it can be set");
    let metadata = fs::metadata(dir.path().join("file")).expect("there");
    assert_eq!(
        metadata.last_write_time(),
        131_000_000_020_000_000,
        "0 stays"
    );
    assert!(!metadata.permissions().readonly());
}

#[test]
fn names_change_by_handle() {
    let (dir, top) = place();
    fs::write(dir.path().join("taken"), "old").expect("room");
    let file = open(&top, "file", access::DELETE | access::WRITE_ATTRIBUTES);
    let to = |name: &str, taken| rename(file.as_handle(), top.as_handle(), &wide(name), taken);
    let refused = to("taken", Taken::Refuse).map_err(|error| error.kind());
    assert_eq!(refused, Err(ErrorKind::AlreadyExists));
    to("taken", Taken::Replace).expect("it is replaced");
    assert_eq!(names(dir.path()), ["taken"]);
    assert_eq!(fs::read(dir.path().join("taken")).expect("there"), b"text");
    link(file.as_handle(), top.as_handle(), &wide("twin")).expect("hard links");
    assert_eq!(names(dir.path()), ["taken", "twin"]);
    delete(file.as_handle(), ReadOnly::Stays).expect("it can be deleted");
    drop(file);
    assert_eq!(names(dir.path()).len(), 1);
}

#[test]
fn a_short_name_is_set_or_refused() {
    let (_dir, top) = place();
    let file = open(&top, "file", access::DELETE | access::WRITE_DATA);
    for odd in ["F~1", "FI~1"] {
        if let Err(error) = set_short_name(file.as_handle(), &wide(odd)) {
            assert!(error.raw_os_error().is_some());
            println!("no short names here: {error}");
        }
    }
    let several = set_short_name(file.as_handle(), &wide(r"a\b")).map_err(|error| error.kind());
    assert_eq!(several, Err(ErrorKind::InvalidInput));
}

#[test]
fn a_copy_replaces_nothing() {
    let (dir, _top) = place();
    let (from, to) = (dir.path().join("file"), dir.path().join("copy"));
    copy_new(&from, &to).expect("room");
    assert_eq!(fs::read(&to).expect("there"), b"text");
    let taken = copy_new(&from, &to).map_err(|error| error.raw_os_error());
    assert_eq!(taken, Err(Some(80)));
}

#[test]
fn descriptors_that_reach_beyond_their_bytes_are_refused() {
    let (_dir, top) = place();
    let file = open(&top, "file", access::WRITE_DAC);
    let mut whole = vec![1, 0, 0x04, 0x80];
    whole.extend([0; 12]);
    whole.extend(20u32.to_le_bytes());
    whole.extend([2, 0, 8, 0, 0, 0, 0, 0]);
    let (dacl, sacl) = (16, 12);
    whole.swap(dacl, sacl);
    let set = |bytes: &[u8]| set_security(file.as_handle(), 0x4, bytes).map_err(|e| e.kind());
    for cut in 0..whole.len() {
        let cut = whole.get(..cut).expect("shorter");
        assert_eq!(set(cut), Err(ErrorKind::InvalidInput));
    }
    for (at, byte) in [(0, 2), (3, 0), (4, 27), (22, 9)] {
        let mut wrong = whole.clone();
        wrong.splice(at..=at, [byte]);
        assert_eq!(set(&wrong), Err(ErrorKind::InvalidInput), "{at}");
    }
    if let Err(kind) = set(&whole) {
        println!("an empty DACL cannot be set here: {kind}");
    }
}

#[test]
fn what_the_system_is_asked_for_it_answers() {
    let (_dir, top) = place();
    match volume_flags(top.as_handle()) {
        Ok(flags) => println!("file system flags here: {flags:#x}"),
        Err(error) => println!("no file system flags here: {error}"),
    }
    match enable_privilege("SeRestorePrivilege") {
        Ok(()) => println!("SeRestorePrivilege is on"),
        Err(error) => assert_eq!(error.raw_os_error(), Some(1300)),
    }
    let unknown = enable_privilege("SeNoSuchPrivilege").map_err(|error| error.raw_os_error());
    assert_eq!(unknown, Err(Some(1313)));
}
