//! A sink before the host's, which keeps account of what arrives damaged.

use wcow_ntmeta::{RelPath, WideName};
use wcow_tree::{Entry, EntryId, SinkError, StreamEnd, StreamRef, TreeSink};

use crate::InstallError;

/// Passes everything on, and remembers which streams were damaged. Keeps the name of every entry until the end.
pub(crate) struct Account<'a> {
    inner: &'a mut dyn TreeSink,
    /// Each entry with its parent and its name, in the order in which they came: parents first.
    names: Vec<(EntryId, Option<EntryId>, WideName)>,
    open: Option<EntryId>,
    damaged: u64,
    first: Option<EntryId>,
}

impl<'a> Account<'a> {
    pub(crate) fn new(inner: &'a mut dyn TreeSink) -> Self {
        Self {
            inner,
            names: Vec::new(),
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
        let mut wanted = Some(entry);
        // One way back is enough: what holds an entry came before it.
        for (id, parent, name) in self.names.iter().rev() {
            if Some(*id) == wanted {
                if !name.is_empty() {
                    names.push(name.clone());
                }
                wanted = *parent;
            }
        }
        names.into_iter().rev().collect::<RelPath>().to_string()
    }
}

impl TreeSink for Account<'_> {
    fn entry(&mut self, entry: &Entry) -> Result<(), SinkError> {
        self.names
            .push((entry.id, entry.parent, entry.name.clone()));
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
