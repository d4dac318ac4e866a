//! Bytes of files, and what was made of them.

use std::cell::Cell;
use std::sync::Arc;

use wcow_host::{FileBytes, Readings, Written};

#[derive(Debug, PartialEq)]
struct Length(usize);
#[derive(Debug, PartialEq)]
struct First(Option<u8>);

fn bytes() -> FileBytes {
    FileBytes::with_sha256(Arc::from(*b"contents"), [7; 32])
}

#[test]
fn the_same_bytes_are_read_once_as_each_type() {
    let readings = Arc::<Readings>::default();
    let read = Cell::new(0);
    for _ in 0..3 {
        let bytes = bytes().with_readings(Arc::clone(&readings));
        let length = bytes.read_as(|bytes| {
            read.set(read.get() + 1);
            Ok::<_, ()>(Length(bytes.len()))
        });
        assert_eq!(length.as_deref(), Ok(&Length(8)));
        let first = bytes.read_as(|bytes| {
            read.set(read.get() + 10);
            Ok::<_, ()>(First(bytes.first().copied()))
        });
        assert_eq!(first.as_deref(), Ok(&First(Some(b'c'))));
        assert_eq!(bytes.known_sha256(), Some([7; 32]));
    }
    assert_eq!(read.get(), 11);
}

#[test]
fn a_host_that_keeps_nothing_has_them_read_each_time() {
    let read = Cell::new(0);
    let bytes = bytes();
    for _ in 0..3 {
        let length = bytes.read_as(|bytes| {
            read.set(read.get() + 1);
            Ok::<_, ()>(Length(bytes.len()))
        });
        assert_eq!(length.as_deref(), Ok(&Length(8)));
    }
    assert_eq!(read.get(), 3);
}

#[test]
fn a_failure_is_not_kept() {
    let bytes = bytes().with_readings(Arc::default());
    assert_eq!(bytes.read_as::<Length, _>(|_| Err("no")), Err("no"));
    let length = bytes.read_as(|bytes| Ok::<_, &str>(Length(bytes.len())));
    assert_eq!(length.as_deref(), Ok(&Length(8)));
    assert_eq!(
        bytes.read_as::<Length, _>(|_| Err("no")).as_deref(),
        Ok(&Length(8))
    );
}

#[test]
fn what_was_written_last_is_found_by_its_bytes_and_type() {
    let written = Written::default();
    for len in 0..10_usize {
        written.keep(vec![b'x'; len], Length(len));
    }
    let found = |len| written.find::<Length>(&vec![b'x'; len]);
    for len in 0..2 {
        assert_eq!(found(len), None, "of ten the first two are forgotten");
    }
    for len in 2..10 {
        assert_eq!(found(len).as_deref(), Some(&Length(len)));
    }
    assert_eq!(written.find::<Length>(b"xxxxxxy"), None);
    assert_eq!(written.find::<First>(b"xxxxxxx"), None);
    written.keep(b"xxxxxxx".to_vec(), First(Some(b'x')));
    let first = written.find::<First>(b"xxxxxxx");
    assert_eq!(first.as_deref(), Some(&First(Some(b'x'))));
}
