//! WIM files.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use wcow_tree::memory::MemorySink;
use wcow_tree::{Entry, EntryId, SinkError, Stream, StreamEnd, StreamRef, TreeSink, TreeSource};
use wcow_wim::{Blob, Image, ImageIndex, Options, Wim};

use crate::craft::wim_of_metadata;

/// Images that are read at most.
const IMAGES: u32 = 8;

/// Uncompressed bytes of all blobs that are read at most: a small file can stand for gigabytes.
const BLOB_BYTES: u64 = 8 << 20;

/// Uncompressed bytes of metadata that are allowed for.
const METADATA_BYTES: u64 = 4 << 20;

/// A WIM file: opened, all images listed and extracted, blobs read, everything verified.
///
/// # Panics
/// If an image's tree does not hold together, a source breaks the rules of [`TreeSink`], a blob has another length than the lookup
/// table says, or `verify` accepts a file whose blobs cannot be read.
pub fn wim_open(data: &[u8]) {
    let mut options = Options::default();
    options.limits.metadata_bytes = METADATA_BYTES;
    options.limits.xml_bytes = 1 << 20;
    let Ok(wim) = Wim::open_with(data.to_vec(), options) else {
        return;
    };
    let sizes = wim.blobs().iter().map(|blob| blob.size);
    let small = sizes.fold(0_u64, u64::saturating_add) <= BLOB_BYTES;
    for number in 1..=wim.image_count().min(IMAGES) {
        let Some(image) = ImageIndex::new(number).and_then(|index| wim.image(index).ok()) else {
            continue;
        };
        check_tree(&image);
        let mut rules = Rules {
            wants_bytes: small,
            ..Rules::default()
        };
        let _ = wim.extractor(&image).send(&mut rules);
        if small {
            let _ = wim
                .extractor(&image)
                .send(&mut MemorySink::with_limit(BLOB_BYTES));
        }
    }
    if !small {
        return;
    }
    let whole = wim
        .blobs()
        .iter()
        .filter(|blob| check_blob(&wim, blob))
        .count();
    let report = wim.verifier().run();
    if report.is_ok() {
        assert_eq!(
            whole,
            wim.blobs().len(),
            "verify accepts the file, but not all of its blobs can be read"
        );
    }
}

/// The metadata resource of an image, inside a WIM file whose hashes are right.
///
/// # Panics
/// As [`wim_open`].
pub fn metadata(data: &[u8]) {
    wim_open(&wim_of_metadata(data));
}

/// Every node but the root is in the list of its parent, and in no other.
fn check_tree(image: &Image) {
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
        let path = image.path(node);
        assert!(
            image.lookup(&path).is_some(),
            "the path of a node leads nowhere"
        );
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
}

/// Reads a blob in pieces and whole. True if it is good.
fn check_blob(wim: &Wim, blob: &Blob) -> bool {
    let mut len = 0_u64;
    let read = wim.read_blob(&blob.digest, &mut |piece| {
        len += piece.len() as u64;
        ControlFlow::Continue(())
    });
    let whole = wim.read_blob_to_vec(&blob.digest, BLOB_BYTES);
    assert_eq!(
        read.is_ok(),
        whole.is_ok(),
        "a blob is good in pieces or whole only"
    );
    if let Ok(bytes) = whole {
        assert_eq!(
            (len, bytes.len() as u64),
            (blob.size, blob.size),
            "a blob has another length than the table says"
        );
    }
    read.is_ok()
}

/// A sink that holds its source to the rules.
#[derive(Default)]
struct Rules {
    wants_bytes: bool,
    entries: BTreeMap<EntryId, Vec<Stream>>,
    open: Option<(u64, u64)>,
}

impl TreeSink for Rules {
    fn entry(&mut self, entry: &Entry) -> Result<(), SinkError> {
        match entry.parent {
            None => assert!(self.entries.is_empty(), "a second root"),
            Some(parent) => assert!(
                self.entries.contains_key(&parent),
                "an entry before its parent"
            ),
        }
        let linked = entry
            .link_to
            .is_none_or(|first| self.entries.contains_key(&first));
        assert!(linked, "a link before its first name");
        let before = self.entries.insert(entry.id, entry.streams.clone());
        assert!(before.is_none(), "an id is given out twice");
        Ok(())
    }

    fn open_stream(&mut self, stream: StreamRef) -> Result<bool, SinkError> {
        assert!(self.open.is_none(), "two streams are open");
        let streams = self.entries.get(&stream.entry);
        let stream = streams.and_then(|streams| streams.get(stream.index));
        let len = stream.map(|stream| stream.len);
        assert!(len.is_some(), "a stream that was not announced");
        self.open = len.filter(|_| self.wants_bytes).map(|len| (len, 0));
        Ok(self.wants_bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        let open = self
            .open
            .as_mut()
            .map(|(_, sent)| *sent += bytes.len() as u64);
        assert!(open.is_some(), "bytes without a stream");
        Ok(())
    }

    fn close_stream(&mut self, end: StreamEnd) -> Result<(), SinkError> {
        let open = self.open.take();
        assert!(open.is_some(), "an end without a stream");
        let complete = open.is_none_or(|(len, sent)| len == sent) || end == StreamEnd::Damaged;
        assert!(
            complete,
            "a complete stream of another length than was announced"
        );
        Ok(())
    }
}
