//! What the sink remembers of each entry.

use std::borrow::Cow;
use std::collections::HashMap;

use wcow_ntmeta::{FileTime, RelPath, WideName};

use crate::disk::handles::Slot;
use crate::{Entry, EntryId};

/// All entries, in the order in which they came. The root is the first.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    list: Vec<Node>,
    slots: HashMap<EntryId, Slot>,
}

#[derive(Debug)]
pub(super) struct Node {
    /// `None` for the root.
    pub(super) parent: Option<Slot>,
    pub(super) name: WideName,
    /// The name on the disk, where it is another one.
    other: Option<Box<str>>,
    pub(super) depth: u16,
    pub(super) accessed: FileTime,
    pub(super) written: FileTime,
    /// Which of its streams the disk takes.
    pub(super) main: Option<u32>,
    pub(super) state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Directory,
    /// A file that is made when its contents come, `len` bytes.
    Waiting {
        len: u64,
    },
    /// A file that has all it gets.
    File,
    /// A further name, made when the file has its contents.
    Further {
        first: Slot,
    },
    /// A symbolic link; links are made last.
    Link,
    /// Not on the disk, but beside it in the metadata.
    Aside,
    NotWritten,
}

impl Nodes {
    /// Adds an entry that is not written yet; `None` if there are too many.
    pub(super) fn add(&mut self, entry: &Entry, parent: Option<Slot>, depth: u16) -> Option<Slot> {
        let slot = Slot::try_from(self.list.len()).ok()?;
        let main = entry
            .streams
            .iter()
            .position(|stream| stream.name.is_empty())
            .filter(|_| !entry.is_directory());
        self.list.push(Node {
            parent,
            name: entry.name.clone(),
            other: None,
            depth,
            accessed: entry.times.accessed,
            written: entry.times.written,
            main: main.and_then(|main| u32::try_from(main).ok()),
            state: State::NotWritten,
        });
        self.slots.insert(entry.id, slot);
        Some(slot)
    }

    pub(super) fn slot(&self, id: EntryId) -> Option<Slot> {
        self.slots.get(&id).copied()
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&Node> {
        self.list.get(usize::try_from(slot).ok()?)
    }

    pub(super) fn state(&self, slot: Slot) -> State {
        self.get(slot).map_or(State::NotWritten, |node| node.state)
    }

    pub(super) fn set_state(&mut self, slot: Slot, state: State) {
        if let Some(node) = self.get_mut(slot) {
            node.state = state;
        }
    }

    /// Notes the name on the disk, and tells whether it is another one than the tree's.
    pub(super) fn set_name(&mut self, slot: Slot, written: &str) -> bool {
        let Some(node) = self.get_mut(slot) else {
            return false;
        };
        let renamed = node.name != *written;
        node.other = renamed.then(|| written.into());
        renamed
    }

    /// The name on the disk; for entries without one, some name.
    pub(super) fn written(&self, slot: Slot) -> Cow<'_, str> {
        let node = self.get(slot);
        match node.and_then(|node| node.other.as_deref()) {
            Some(other) => Cow::Borrowed(other),
            None => Cow::Owned(node.map(|node| node.name.to_string()).unwrap_or_default()),
        }
    }

    /// The directory above an entry, and the entry's name in it.
    pub(super) fn step(&self, slot: Slot) -> Option<(Slot, Cow<'_, str>)> {
        let parent = self.get(slot)?.parent?;
        Some((parent, self.written(slot)))
    }

    /// The entries with a state that fits.
    pub(super) fn with_state(&self, fits: impl Fn(State) -> bool) -> Vec<Slot> {
        (0..)
            .zip(&self.list)
            .filter(|(_, node)| fits(node.state))
            .map(|(slot, _)| slot)
            .collect()
    }

    /// The path in the tree.
    pub(super) fn path(&self, slot: Slot) -> RelPath {
        let way = self.way(slot);
        way.into_iter()
            .filter_map(|slot| Some(self.get(slot)?.name.clone()))
            .collect()
    }

    /// The path below the destination, with `/`.
    pub(super) fn written_path(&self, slot: Slot) -> String {
        let way = self.way(slot);
        let names: Vec<_> = way.into_iter().map(|slot| self.written(slot)).collect();
        names.join("/")
    }

    /// From below the root down to an entry.
    fn way(&self, slot: Slot) -> Vec<Slot> {
        let mut way = Vec::new();
        let mut at = slot;
        while let Some(parent) = self.get(at).and_then(|node| node.parent) {
            way.push(at);
            at = parent;
        }
        way.reverse();
        way
    }

    fn get_mut(&mut self, slot: Slot) -> Option<&mut Node> {
        self.list.get_mut(usize::try_from(slot).ok()?)
    }
}
