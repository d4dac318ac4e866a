//! Extraction that is cancelled.

use std::sync::atomic::{AtomicBool, Ordering};

use wcow_tree::memory::MemoryTree;
use wcow_tree::{Entry, SinkError, StreamEnd, StreamRef, TreeSink, TreeSource as _};

use crate::support::{first, open, wim_of};

/// A small file may hold thousands of streams with the same bytes, which are read once and then sent to one after the other.
#[test]
fn cancelling_stops_between_streams_that_share_a_blob() {
    let mut tree = MemoryTree::new();
    for number in 0..50 {
        tree = tree.file(format!("file{number}").as_str(), "the same bytes");
    }
    let wim = open(&wim_of(&tree)).expect("it opens");
    let image = wim.image(first()).expect("it is there");
    let cancel = AtomicBool::new(false);
    let mut sink = Cancels {
        cancel: &cancel,
        written: 0,
        ended: 0,
    };
    let sent = wim.extractor(&image).cancel(&cancel).send(&mut sink);
    assert!(sent.is_err());
    assert_eq!((sink.written, sink.ended), (1, 1));
}

/// Cancels with the first bytes it gets.
struct Cancels<'a> {
    cancel: &'a AtomicBool,
    written: u32,
    ended: u32,
}

impl TreeSink for Cancels<'_> {
    fn entry(&mut self, _entry: &Entry) -> Result<(), SinkError> {
        Ok(())
    }

    fn open_stream(&mut self, _stream: StreamRef) -> Result<bool, SinkError> {
        Ok(true)
    }

    fn write(&mut self, _bytes: &[u8]) -> Result<(), SinkError> {
        self.written += 1;
        self.cancel.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn close_stream(&mut self, _end: StreamEnd) -> Result<(), SinkError> {
        self.ended += 1;
        Ok(())
    }
}
