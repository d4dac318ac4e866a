//! Alternate data streams, where the disk takes them.
//!
//! Streams come in any order, so a file that has some is written under its temporary name until all of them came. It is closed
//! between two streams: any number of such files may wait.

use std::fs::File;
use std::io::{self, Write};

use super::output::Output;
use super::{DiskSink, Durability, State, as_u64, ends_everything};
use crate::disk::Part;
use crate::disk::handles::Slot;
use crate::disk::native::At;
use crate::{Entry, SinkError, StreamEnd};
use wcow_ntmeta::WideName;

/// What there is of a file, or directory, with alternate streams.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// The file under its temporary name, once its first stream came.
    output: Option<Output>,
    /// Length of its contents, once they are there.
    contents: Option<u64>,
    /// Its alternate streams: position among all of them, name and length, until each came.
    streams: Vec<(usize, WideName, u64)>,
}

/// An alternate stream that is being written.
#[derive(Debug)]
pub(super) struct Named {
    slot: Slot,
    name: WideName,
    /// Until writing fails.
    file: Option<File>,
    /// Bytes that are still to come; `None` if too many came.
    left: Option<u64>,
    /// Whether the metadata takes it as well.
    beside: bool,
}

impl DiskSink {
    /// Whether the disk takes alternate streams.
    pub(super) fn takes_streams(&self) -> bool {
        self.places().named_streams
    }

    /// Remembers the alternate streams of an entry that the disk takes.
    pub(super) fn expect_streams(&mut self, slot: Slot, entry: &Entry) {
        if !self.takes_streams() {
            return;
        }
        let named = entry.streams.iter().enumerate();
        let streams: Vec<_> = named
            .filter(|(_, stream)| !stream.name.is_empty())
            .map(|(index, stream)| (index, stream.name.clone(), stream.len))
            .collect();
        let main = entry.streams.iter().find(|stream| stream.name.is_empty());
        let contents = (main.is_none_or(|stream| stream.len == 0)).then_some(0);
        if !streams.is_empty() {
            let parts = Parts {
                output: None,
                contents,
                streams,
            };
            self.parts.insert(slot, parts);
        }
    }

    /// Whether a file is not complete with its contents.
    pub(super) fn waits_for_streams(&self, slot: Slot) -> bool {
        self.parts.contains_key(&slot)
    }

    /// Whether the contents of a waiting file are there.
    pub(super) fn has_contents(&self, slot: Slot) -> bool {
        let parts = self.parts.get(&slot);
        parts.is_some_and(|parts| parts.contents.is_some())
    }

    /// The number from which on a free temporary name is looked for. Files that wait for their streams each begin at another one.
    pub(super) fn first_number(&mut self, slot: Slot) -> u32 {
        if !self.waits_for_streams(slot) {
            return 0;
        }
        self.waited = self.waited.wrapping_add(1);
        self.waited
    }

    /// Tells of directories that lack streams.
    pub(super) fn note_missing_streams(&mut self) {
        for slot in self.nodes.with_state(|state| state == State::Directory) {
            let parts = self.parts.remove(&slot);
            if parts.is_some_and(|parts| !parts.streams.is_empty()) {
                self.problem(slot, "not all of its streams came".to_owned());
            }
        }
    }

    /// The file to write contents to.
    pub(super) fn output_of(&mut self, slot: Slot, whole: bool) -> io::Result<Output> {
        let waits = self.waits_for_streams(slot);
        match self
            .parts
            .get_mut(&slot)
            .and_then(|parts| parts.output.take())
        {
            Some(mut output) => {
                output.resume()?;
                Ok(output)
            }
            None => self.make_file(slot, whole && !waits),
        }
    }

    /// Completes a file with its contents, unless it has further streams.
    pub(super) fn contents_are_there(
        &mut self,
        slot: Slot,
        mut output: Output,
        len: u64,
    ) -> Result<(), SinkError> {
        let Some(parts) = self.parts.get_mut(&slot) else {
            return self.complete(slot, output, len);
        };
        output.pause();
        parts.contents = Some(len);
        parts.output = Some(output);
        self.complete_if_whole(slot)
    }

    /// Begins an alternate stream that the disk takes, as far as this is one.
    pub(super) fn open_named(&mut self, slot: Slot, index: usize) -> Result<(), SinkError> {
        let Some(parts) = self.parts.get_mut(&slot) else {
            return Ok(());
        };
        let Some(at) = parts.streams.iter().position(|stream| stream.0 == index) else {
            return Ok(());
        };
        let (_, name, len) = parts.streams.swap_remove(at);
        let beside = self.metadata.open_stream(slot, index).is_some();
        let file = match self.create_named(slot, &name) {
            Ok(Ok(file)) => Some(file),
            Ok(Err(error)) => {
                self.refused(slot, Part::NamedStream, &error);
                None
            }
            Err(error) => return self.failed(slot, "it cannot be written", error),
        };
        self.open = Some(super::Open::Named(Named {
            slot,
            name,
            file,
            left: Some(len),
            beside,
        }));
        Ok(())
    }

    /// The stream's file. The outer error is that of its file, the inner one its own.
    fn create_named(&mut self, slot: Slot, stream: &WideName) -> io::Result<io::Result<File>> {
        self.at_parts(slot, |native, at| native.create_stream(at, stream))
    }

    /// Does something with a directory, or with a file under its temporary name, which is made if it is not there.
    fn at_parts<T>(
        &mut self,
        slot: Slot,
        act: impl FnOnce(&mut dyn crate::disk::native::Native, At<'_>) -> io::Result<T>,
    ) -> io::Result<io::Result<T>> {
        let unsupported = || io::Error::from(io::ErrorKind::Unsupported);
        if self.nodes.state(slot) == State::Directory {
            let (dir, name) = match self.nodes.get(slot).and_then(|node| node.parent) {
                Some(parent) => (self.dir(parent)?, self.nodes.written(slot).into_owned()),
                None => (self.handles.root().clone(), String::new()),
            };
            let native = self.native.as_mut().ok_or_else(unsupported)?;
            let at = At {
                dir: &dir,
                name: &name,
            };
            return Ok(act(native.as_mut(), at));
        }
        let is_there = self
            .parts
            .get(&slot)
            .is_some_and(|parts| parts.output.is_some());
        if !is_there {
            let mut output = self.make_file(slot, false)?;
            output.pause();
            if let Some(parts) = self.parts.get_mut(&slot) {
                parts.output = Some(output);
            }
        }
        let output = self
            .parts
            .get(&slot)
            .and_then(|parts| parts.output.as_ref());
        let (Some(output), Some(native)) = (output, self.native.as_mut()) else {
            return Err(unsupported());
        };
        Ok(act(native.as_mut(), output.place()))
    }

    pub(super) fn write_named(&mut self, named: &mut Named, bytes: &[u8]) -> Result<(), SinkError> {
        let left = named
            .left
            .and_then(|left| left.checked_sub(as_u64(bytes.len())));
        named.left = left;
        if left.is_none() {
            return Ok(());
        }
        if named.beside {
            self.metadata.write(bytes);
        }
        if let Some(file) = &mut named.file
            && let Err(error) = file.write_all(bytes)
        {
            named.file = None;
            if ends_everything(&error) {
                return self.failed(named.slot, "one of its streams cannot be written", error);
            }
            self.refused(named.slot, Part::NamedStream, &error);
            self.remove_named(named.slot, &named.name);
        }
        self.metadata.check()
    }

    pub(super) fn close_named(&mut self, named: Named, end: StreamEnd) -> Result<(), SinkError> {
        let whole = end == StreamEnd::Complete && named.left == Some(0);
        if named.beside {
            self.metadata.close_stream(whole);
        }
        let durable = self.options.durability == Durability::Flushed;
        if let Some(file) = named.file {
            if whole
                && durable
                && let Err(error) = file.sync_all()
            {
                self.failed_here(
                    named.slot,
                    "one of its streams cannot be made durable",
                    error,
                )?;
            }
            drop(file);
            if !whole {
                self.remove_named(named.slot, &named.name);
            }
        }
        if !whole {
            self.problem(named.slot, "one of its streams is damaged".to_owned());
        }
        self.complete_if_whole(named.slot)?;
        self.metadata.check()
    }

    /// Takes away what there is of a stream that is not whole.
    fn remove_named(&mut self, slot: Slot, name: &WideName) {
        let removed = self.at_parts(slot, |native, at| native.remove_stream(at, name));
        if let Ok(Err(error)) | Err(error) = removed {
            self.problem(
                slot,
                format!("one of its streams is damaged, and cannot be removed: {error}"),
            );
        }
    }

    /// Completes a file that has all its streams.
    fn complete_if_whole(&mut self, slot: Slot) -> Result<(), SinkError> {
        let is_whole = |parts: &Parts| parts.streams.is_empty() && parts.contents.is_some();
        if !self.parts.get(&slot).is_some_and(is_whole) {
            return Ok(());
        }
        let Some(parts) = self.parts.remove(&slot) else {
            return Ok(());
        };
        if !matches!(self.nodes.state(slot), State::Waiting { .. }) {
            return Ok(());
        }
        match (parts.output, parts.contents) {
            (Some(output), Some(len)) => self.complete(slot, output, len),
            _ => Ok(()),
        }
    }

    /// Gives up a file whose contents did not come; one that lacks streams only is completed without them.
    pub(super) fn give_up_waiting(&mut self, slot: Slot) -> Result<(), SinkError> {
        let has_contents = self.has_contents(slot);
        let parts = self.parts.remove(&slot).filter(|_| has_contents);
        let Some(Parts {
            output,
            contents: Some(len),
            ..
        }) = parts
        else {
            self.give_up(slot, "its contents never came");
            return Ok(());
        };
        let output = match output {
            Some(output) => output,
            None => match self.make_file(slot, true) {
                Ok(output) => output,
                Err(error) => return self.failed(slot, "it cannot be written", error),
            },
        };
        self.problem(slot, "not all of its streams came".to_owned());
        self.complete(slot, output, len)
    }
}
