//! Further names and symbolic links: made once what they lead to is complete.

use std::io::{self, ErrorKind};

use cap_std::fs::Dir;
use wcow_ntmeta::ReparseTarget;

use super::{DiskSink, State, ends_everything};
use crate::disk::handles::Slot;
use crate::disk::link::relative_target;
use crate::disk::{Links, SkippedLink};
use crate::{Entry, EntryId, SinkError};

impl DiskSink {
    /// Makes a further name, now or when the file has its contents.
    pub(super) fn further_name(&mut self, slot: Slot, first: EntryId) -> Result<(), SinkError> {
        let mut first = self.nodes.slot(first);
        if let Some(State::Further { first: own }) = first.map(|first| self.nodes.state(first)) {
            first = Some(own);
        }
        match first.map(|first| (first, self.nodes.state(first))) {
            Some((first, State::File)) => self.make_further(slot, first),
            Some((first, State::Waiting { .. })) => {
                self.nodes.set_state(slot, State::Further { first });
                self.further.entry(first).or_default().push(slot);
                Ok(())
            }
            Some((_, State::Aside)) => {
                self.aside(slot);
                Ok(())
            }
            _ => {
                self.lose(slot, "the file it is a further name of was not written");
                Ok(())
            }
        }
    }

    pub(super) fn make_further(&mut self, slot: Slot, first: Slot) -> Result<(), SinkError> {
        match self.link(slot, first) {
            Ok(()) => {
                self.report.hard_links += 1;
                self.made(slot, State::File);
                Ok(())
            }
            Err(error) if self.metadata.is_on() && keeps_no_links(&error) => {
                self.report.not_kept.hard_links += 1;
                self.aside(slot);
                Ok(())
            }
            Err(error) => self.failed(slot, "it cannot be written", error),
        }
    }

    fn link(&mut self, slot: Slot, first: Slot) -> io::Result<()> {
        let parent = |slot| self.nodes.get(slot).and_then(|node| node.parent);
        let parent_of_first = parent(first).ok_or(ErrorKind::NotFound)?;
        let parent = parent(slot).ok_or(ErrorKind::NotFound)?;
        let source = self.dir(parent_of_first)?;
        let first = self.nodes.written(first).into_owned();
        self.place(slot, |sink, dir, name| {
            sink.clear(parent, dir, name)?;
            source.hard_link(&first, dir, name)
        })
    }

    /// Remembers a symbolic link to make, or skips it.
    pub(super) fn symbolic_link(&mut self, entry: &Entry, slot: Slot, target: ReparseTarget) {
        let parent = self.nodes.get(slot).and_then(|node| node.parent);
        let text = match self.options.links {
            Links::Relative if cfg!(unix) => {
                let path = parent.map(|parent| self.nodes.path(parent));
                relative_target(
                    path.unwrap_or_default().components(),
                    &target,
                    self.probe.rule,
                )
            }
            _ => None,
        };
        match text {
            Some(text) => {
                self.nodes.set_state(slot, State::Link);
                self.links.push((slot, text));
                self.count_not_kept(entry);
            }
            None => {
                self.report.skipped_link_count += 1;
                if self.report.skipped_links.len() < self.options.list_at_most {
                    self.report.skipped_links.push(SkippedLink {
                        path: self.nodes.path(slot),
                        target,
                    });
                }
                self.aside(slot);
            }
        }
    }

    /// Makes the links. It is the last thing that is made, so nothing is written where one could be followed.
    pub(super) fn make_links(&mut self) -> Result<(), SinkError> {
        for (slot, text) in std::mem::take(&mut self.links) {
            let parent = self.nodes.get(slot).and_then(|node| node.parent);
            let made = self.place(slot, |sink, dir, name| {
                sink.clear(parent.unwrap_or(0), dir, name)?;
                make_symlink(dir, &text, name)
            });
            match made {
                Ok(()) => {
                    self.report.symlinks += 1;
                    self.made(slot, State::Link);
                    self.metadata.link(slot, &text);
                }
                Err(error) => self.failed(slot, "it cannot be written", error)?,
            }
        }
        Ok(())
    }
}

/// Whether the disk has no place for a further name, as opposed to a name that is taken.
fn keeps_no_links(error: &io::Error) -> bool {
    error.kind() != ErrorKind::AlreadyExists && !ends_everything(error)
}

#[cfg(unix)]
fn make_symlink(dir: &Dir, target: &str, name: &str) -> io::Result<()> {
    dir.symlink(target, name)
}

#[cfg(not(unix))]
fn make_symlink(_: &Dir, _: &str, _: &str) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}
