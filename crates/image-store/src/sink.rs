//! A sink before the host's, which keeps account of what arrives damaged.

use std::collections::BTreeMap;

use wcow_ntmeta::{RelPath, WideName};
use wcow_tree::{Entry, EntryId, SinkError, StreamEnd, StreamRef, TreeSink};

use crate::InstallError;

/// Passes everything on, and remembers which streams were damaged. Keeps the name of every entry until the end.
pub(crate) struct Account<'a> {
    inner: &'a mut dyn TreeSink,
    names: BTreeMap<EntryId, (Option<EntryId>, WideName)>,
    open: Option<EntryId>,
    damaged: u64,
    first: Option<EntryId>,
}

impl<'a> Account<'a> {
    pub(crate) fn new(inner: &'a mut dyn TreeSink) -> Self {
        Self {
            inner,
            names: BTreeMap::new(),
            open: None,
            damaged: 0,
            first: None,
        }
    }

    /// An error if anything was damaged.
    pub(crate) fn settle(self) -> Result<(), InstallError> {
        match self.first {
            Some(first) => Err(InstallError::DamagedStreams {
                count: self.damaged,
                first: self.path(first),
            }),
            None => Ok(()),
        }
    }

    fn path(&self, entry: EntryId) -> String {
        let mut names = Vec::new();
        let mut next = Some(entry);
        // A source that names an entry as its own ancestor is cut off here.
        while let Some((parent, name)) = next.and_then(|id| self.names.get(&id))
            && names.len() < self.names.len()
        {
            if !name.is_empty() {
                names.push(name.clone());
            }
            next = *parent;
        }
        names.into_iter().rev().collect::<RelPath>().to_string()
    }
}

impl TreeSink for Account<'_> {
    fn entry(&mut self, entry: &Entry) -> Result<(), SinkError> {
        self.names
            .insert(entry.id, (entry.parent, entry.name.clone()));
        self.inner.entry(entry)
    }

    fn open_stream(&mut self, stream: StreamRef) -> Result<bool, SinkError> {
        self.open = Some(stream.entry);
        self.inner.open_stream(stream)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        self.inner.write(bytes)
    }

    fn close_stream(&mut self, end: StreamEnd) -> Result<(), SinkError> {
        if end == StreamEnd::Damaged {
            self.damaged = self.damaged.saturating_add(1);
            self.first = self.first.or(self.open);
        }
        self.inner.close_stream(end)
    }
}
