//! Extraction into a virtual file system, which is as easy to lead astray as the worst of real ones.

use std::collections::BTreeMap;

use wcow_tree::names::{NameRule, written_name};
use wcow_tree::{Entry, EntryId, SendError, SinkError, StreamEnd, StreamRef, TreeSink, TreeSource};
use wcow_wim::{Image, ImageIndex, Wim};

use crate::budget::answer;
use crate::image::Rules;
use crate::selection::{cancelled, selected};
use crate::wims::{is_small, open};

/// Images that are extracted at most.
const IMAGES: u32 = 3;

/// Bytes that are extracted at most.
const BYTES: u64 = 8 << 20;

/// A WIM file, every image of which is extracted: whole, in part, until it is cancelled, and into too small a space.
///
/// # Panics
/// If a path leaves the tree or runs through something that is no directory, the source goes on after its sink has refused or it was
/// cancelled, a part holds more than was asked for, or streams are damaged without being reported.
pub fn extract(data: &[u8]) {
    let Some(wim) = open(data, 1) else { return };
    if !is_small(&wim) {
        return;
    }
    for number in 1..=wim.image_count().min(IMAGES) {
        let Some(image) = ImageIndex::new(number).and_then(|index| wim.image(index).ok()) else {
            continue;
        };
        let disk = answer(data.len(), "extract", || {
            let mut disk = Disk::new(BYTES);
            let sent = wim.extractor(&image).send(&mut disk);
            disk.sent = sent.is_ok();
            disk.refused = matches!(sent, Err(SendError::Sink(_)));
            disk
        });
        disk.check(&image);
        limited(&wim, &image, &disk);
        partly(&wim, &image);
        // Every input draws a selection of its own, and keeps it.
        let seed = data.iter().fold(u64::from(number), |seed, byte| {
            (seed ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
        });
        selected(&wim, &image, seed);
        cancelled(&wim, &image, seed);
    }
}

/// Into half of the room that is needed, in bytes and in entries.
fn limited(wim: &Wim, image: &Image, whole: &Disk) {
    let written = BYTES - whole.left;
    let entries = u64::try_from(whole.paths.len()).unwrap_or(u64::MAX);
    for (bytes, entries) in [(written / 2, u64::MAX), (BYTES, entries / 2)] {
        let mut rules = Rules::new(bytes, entries);
        let sent = wim.extractor(image).send(&mut rules);
        assert_eq!(
            rules.refused,
            matches!(sent, Err(SendError::Sink(_))),
            "the source hides that its sink refused, or invents it"
        );
    }
}

/// The last node alone: with the directories on its way, and nothing else.
fn partly(wim: &Wim, image: &Image) {
    let Some(node) = image.nodes().next_back() else {
        return;
    };
    let mut rules = Rules::new(BYTES, u64::MAX);
    let _ = wim.extractor(image).only([node]).send(&mut rules);
    let mut way = vec![node.index()];
    let mut at = node;
    while let Some(parent) = image.parent(at) {
        way.push(parent.index());
        at = parent;
    }
    // What the last node itself holds goes along.
    way.extend(image.children(node).map(|child| child.index()));
    way.sort_unstable();
    way.dedup();
    let sent: Vec<u32> = rules.ids().map(|EntryId(id)| id).collect();
    assert_eq!(sent, way, "a part is more or less than was asked for");
}

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    Directory,
    File,
    Link,
}

/// A file system that resolves paths as text, from `/out`.
struct Disk {
    paths: BTreeMap<String, Made>,
    /// The path of each entry.
    places: BTreeMap<EntryId, String>,
    left: u64,
    damaged: u64,
    sent: bool,
    refused: bool,
}

impl Disk {
    fn new(bytes: u64) -> Self {
        Self {
            paths: BTreeMap::new(),
            places: BTreeMap::new(),
            left: bytes,
            damaged: 0,
            sent: false,
            refused: false,
        }
    }

    fn check(&self, image: &Image) {
        for path in self.paths.keys() {
            let mut parts = path.split('/');
            assert_eq!(
                (parts.next(), parts.next()),
                (Some(""), Some("out")),
                "{path} is outside"
            );
            let clean = parts.all(|part| !matches!(part, "" | "." | "..") && !part.contains('\0'));
            assert!(clean, "{path} leads outside, or nowhere");
        }
        if !self.refused {
            assert_eq!(
                self.places.len(),
                image.len(),
                "entries that were not announced"
            );
        }
        assert!(
            !self.sent || self.damaged == 0,
            "streams are damaged, and nothing says so"
        );
    }

    fn place(&self, entry: &Entry) -> String {
        let Some(parent) = entry.parent else {
            return "/out".to_owned();
        };
        let parent = self.places.get(&parent).cloned().unwrap_or_default();
        let made = self.paths.get(&parent);
        assert_eq!(
            made,
            Some(&Made::Directory),
            "`{parent}` is entered, and is no directory"
        );
        let path = format!("{parent}/{}", written_name(&entry.name, NameRule::Unix));
        assert!(!self.paths.contains_key(&path), "two names became {path}");
        path
    }
}

impl TreeSink for Disk {
    fn entry(&mut self, entry: &Entry) -> Result<(), SinkError> {
        let place = self.place(entry);
        let made = if entry.reparse.is_some() || entry.attributes.is_reparse_point() {
            Made::Link
        } else if entry.attributes.is_directory() {
            Made::Directory
        } else {
            Made::File
        };
        self.paths.insert(place.clone(), made);
        self.places.insert(entry.id, place);
        Ok(())
    }

    fn open_stream(&mut self, stream: StreamRef) -> Result<bool, SinkError> {
        Ok(self.places.contains_key(&stream.entry))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let left = self.left.checked_sub(count);
        self.left = left.ok_or_else(|| SinkError::message("the disk is full"))?;
        Ok(())
    }

    fn close_stream(&mut self, end: StreamEnd) -> Result<(), SinkError> {
        self.damaged += u64::from(end == StreamEnd::Damaged);
        Ok(())
    }
}
