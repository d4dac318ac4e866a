//! What holds for every image that could be read.

use std::collections::BTreeMap;
use std::error::Error;

use sha1::{Digest as _, Sha1};
use wcow_tree::{Entry, EntryId, SinkError, Stream, StreamEnd, StreamRef, TreeSink};
use wcow_wim::Image;

/// Every node but the root is in the list of its parent, and in no other.
///
/// # Panics
/// If the tree does not hold together.
pub(crate) fn check_tree(image: &Image) {
    let mut listed = 0;
    for node in image.nodes() {
        for child in image.children(node) {
            assert_eq!(
                image.parent(child),
                Some(node),
                "a child names another parent"
            );
            listed += 1;
        }
        if let Some(first) = image.first_link(node) {
            assert_eq!(
                image.first_link(first),
                Some(first),
                "the first name of a file is not its own first"
            );
        }
        let _ = image.reparse(node);
        let _ = (
            image.extra(node),
            image.security(node),
            image.short_name(node),
            image.data_len(node),
        );
    }
    assert_eq!(listed + 1, image.len(), "nodes that no list holds");
    // A path takes as long as it is deep, and a look-up as long as the lists on its way are.
    for node in image.nodes().step_by(image.len() / 64 + 1) {
        let path = image.path(node);
        let found = image.lookup(&path);
        assert_eq!(found, Some(node), "the path of a node leads elsewhere");
    }
}

/// An error with all its causes, on one line.
pub(crate) fn told(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// A sink that holds its source to the rules of [`TreeSink`], and to a budget.
pub(crate) struct Rules {
    /// Bytes, and entries, that are still taken; the call that goes beyond fails, and must be the last.
    pub(crate) bytes: u64,
    pub(crate) entries: u64,
    /// True once the sink has refused something.
    pub(crate) refused: bool,
    /// Streams that were ended as damaged.
    pub(crate) damaged: u64,
    known: BTreeMap<EntryId, Vec<Stream>>,
    open: Option<(u64, u64)>,
    calls: Sha1,
}

impl Rules {
    pub(crate) fn new(bytes: u64, entries: u64) -> Self {
        Self {
            bytes,
            entries,
            refused: false,
            damaged: 0,
            known: BTreeMap::new(),
            open: None,
            calls: Sha1::new(),
        }
    }

    /// Stands for every call so far, with all that it brought; not for the lengths of the pieces of streams.
    pub(crate) fn calls(&self) -> [u8; 20] {
        self.calls.clone().finalize().into()
    }

    /// The entries that were announced.
    pub(crate) fn ids(&self) -> impl Iterator<Item = EntryId> + use<'_> {
        self.known.keys().copied()
    }

    /// True while a stream is open.
    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    fn take(&mut self, bytes: u64, entries: u64) -> Result<(), SinkError> {
        assert!(
            !self.refused,
            "the source goes on after its sink has refused"
        );
        let rest = self
            .bytes
            .checked_sub(bytes)
            .zip(self.entries.checked_sub(entries));
        let Some((bytes, entries)) = rest else {
            self.refused = true;
            return Err(SinkError::message("the budget is used up"));
        };
        (self.bytes, self.entries) = (bytes, entries);
        Ok(())
    }
}

impl TreeSink for Rules {
    fn entry(&mut self, entry: &Entry) -> Result<(), SinkError> {
        self.take(0, 1)?;
        self.calls.update(format!("{entry:?}"));
        match entry.parent {
            None => assert!(self.known.is_empty(), "a second root"),
            Some(parent) => {
                assert!(
                    self.known.contains_key(&parent),
                    "an entry before its parent"
                );
                let units = entry.name.units();
                let dots = units.iter().all(|unit| *unit == u16::from(b'.')) && units.len() <= 2;
                assert!(
                    !dots && !units.contains(&0),
                    "a name that leads out of its directory, or ends early: {:?}",
                    entry.name
                );
            }
        }
        let linked = entry
            .link_to
            .is_none_or(|first| self.known.contains_key(&first));
        assert!(linked, "a link before its first name");
        let before = self.known.insert(entry.id, entry.streams.clone());
        assert!(before.is_none(), "an id is given out twice");
        Ok(())
    }

    fn open_stream(&mut self, stream: StreamRef) -> Result<bool, SinkError> {
        self.take(0, 0)?;
        self.calls.update(format!("{stream:?}"));
        assert!(self.open.is_none(), "two streams are open");
        let streams = self.known.get(&stream.entry);
        let len = streams
            .and_then(|streams| streams.get(stream.index))
            .map(|stream| stream.len);
        assert!(len.is_some(), "a stream that was not announced");
        self.open = len.map(|len| (len, 0));
        Ok(true)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.take(count, 0)?;
        self.calls.update(bytes);
        let open = self.open.as_mut().map(|(len, sent)| {
            *sent += count;
            *sent <= *len
        });
        assert!(open.is_some(), "bytes without a stream");
        assert_eq!(
            open,
            Some(true),
            "a stream with more bytes than were announced"
        );
        Ok(())
    }

    fn close_stream(&mut self, end: StreamEnd) -> Result<(), SinkError> {
        self.take(0, 0)?;
        self.calls.update(format!("{end:?}"));
        let open = self.open.take();
        assert!(open.is_some(), "an end without a stream");
        if end == StreamEnd::Damaged {
            self.damaged += 1;
            return Ok(());
        }
        assert!(
            open.is_none_or(|(len, sent)| len == sent),
            "a complete stream of another length than was announced"
        );
        Ok(())
    }
}
