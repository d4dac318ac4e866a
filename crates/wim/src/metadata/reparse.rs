//! The data of all reparse points of an image, read in one go: one by one, each would cost a chunk of a solid resource.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use wcow_tree::Digest;

use crate::plan::Item;
use crate::read::{Consumer, read_items};
use crate::{Image, ReadError, StreamRole};

use super::MAX_REPARSE;

/// Bytes that are kept at the most; those of a Windows image are below 1 MiB.
const MAX_KEPT: u64 = 32 << 20;

/// Reads what can be read; the caller reads the rest by itself, and sees why it cannot.
pub(super) fn read_all(image: &Image) -> BTreeMap<Digest, Box<[u8]>> {
    let wim = image.wim();
    let mut items = BTreeMap::new();
    let mut room = MAX_KEPT;
    let streams = image.nodes().flat_map(|node| image.streams(node));
    for stream in streams.filter(|stream| stream.role == StreamRole::Reparse) {
        let item = wim
            .locate(&stream.digest)
            .filter(|item| item.size <= MAX_REPARSE.min(room));
        if let Some(item) = item
            && items.insert(item.digest, item).is_none()
        {
            room -= item.size;
        }
    }
    let mut items: Vec<Item> = items.into_values().collect();
    if items.is_empty() || wim.check_readable().is_err() {
        return BTreeMap::new();
    }
    wim.sort(&mut items);
    let mut collect = Collect {
        items: items.clone(),
        bytes: Vec::new(),
        read: BTreeMap::new(),
    };
    let mut budget = wim.output_budget();
    let _ = read_items(
        wim.files(),
        items,
        false,
        wim.options().workers,
        &mut budget,
        wim.pool(),
        &mut collect,
    );
    collect.read
}

struct Collect {
    items: Vec<Item>,
    bytes: Vec<u8>,
    read: BTreeMap<Digest, Box<[u8]>>,
}

impl Consumer for Collect {
    fn begin(&mut self, _: usize) -> ControlFlow<()> {
        self.bytes.clear();
        ControlFlow::Continue(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        self.bytes.extend_from_slice(bytes);
        ControlFlow::Continue(())
    }

    fn end(&mut self, item: usize, result: Result<(), ReadError>) -> ControlFlow<()> {
        if let (Ok(()), Some(item)) = (result, self.items.get(item)) {
            self.read.insert(item.digest, self.bytes.as_slice().into());
        }
        ControlFlow::Continue(())
    }

    fn progress(&mut self, _: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}
