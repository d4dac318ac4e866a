//! Further names and symbolic links: made once what they lead to is complete.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use cap_std::fs::Dir;
use wcow_ntmeta::ReparseTarget;

use super::output::Output;
use super::{DiskSink, State, ends_everything};
use crate::disk::handles::Slot;
use crate::disk::link::relative_target;
use crate::disk::native::reparse_buffer;
use crate::disk::{Links, Part, SkippedLink};
use crate::{Entry, EntryId, SinkError};

/// A link to make.
#[derive(Debug)]
pub(super) enum Link {
    /// A symbolic link that says this.
    Text(String),
    /// A reparse point, as a file or a directory.
    ReparsePoint {
        buffer: Vec<u8>,
        directory: bool,
        target: ReparseTarget,
    },
}

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
        let link = match (self.options.links, &entry.reparse) {
            (Links::Relative, Some(reparse)) if self.places().reparse_points => {
                reparse_buffer(reparse).map(|buffer| Link::ReparsePoint {
                    buffer,
                    directory: entry.is_directory(),
                    target: target.clone(),
                })
            }
            (Links::Relative, _) if cfg!(unix) => {
                let path = parent.map(|parent| self.nodes.path(parent));
                relative_target(
                    path.unwrap_or_default().components(),
                    &target,
                    self.probe.rule,
                )
                .map(Link::Text)
            }
            _ => None,
        };
        match link {
            Some(link) => {
                self.nodes.set_state(slot, State::Link);
                self.links.push((slot, link));
                self.count_not_kept(entry);
                self.seal_later(slot, entry);
            }
            None => self.skip_link(slot, target),
        }
    }

    fn skip_link(&mut self, slot: Slot, target: ReparseTarget) {
        self.report.skipped_link_count += 1;
        if self.report.skipped_links.len() < self.options.list_at_most {
            self.report.skipped_links.push(SkippedLink {
                path: self.nodes.path(slot),
                target,
            });
        }
        self.aside(slot);
    }

    /// Makes the links. It is the last thing that is made, so nothing is written where one could be followed.
    pub(super) fn make_links(&mut self) -> Result<(), SinkError> {
        for (slot, link) in std::mem::take(&mut self.links) {
            let parent = self.nodes.get(slot).and_then(|node| node.parent);
            let made = self.place(slot, |sink, dir, name| {
                sink.clear(parent.unwrap_or(0), dir, name)?;
                match &link {
                    Link::Text(text) => make_symlink(dir, text, name).map(Ok),
                    Link::ReparsePoint {
                        buffer, directory, ..
                    } => sink.make_reparse_point(dir, name, buffer, *directory),
                }
            });
            match made {
                Ok(Ok(())) => {
                    self.report.symlinks += 1;
                    self.made(slot, State::Link);
                    if let Link::Text(text) = &link {
                        self.metadata.link(slot, text);
                    }
                }
                Ok(Err(error)) => {
                    self.refused(slot, Part::ReparsePoint, &error);
                    if let Link::ReparsePoint { target, .. } = link {
                        self.skip_link(slot, target);
                    }
                }
                Err(error) => self.failed(slot, "it cannot be written", error)?,
            }
        }
        Ok(())
    }

    /// Makes a file or directory and turns it into a reparse point. The inner result is that of the second step; if it fails, nothing is
    /// left.
    fn make_reparse_point(
        &mut self,
        dir: &Arc<Dir>,
        name: &str,
        buffer: &[u8],
        directory: bool,
    ) -> io::Result<io::Result<()>> {
        if directory {
            dir.create_dir(name)?;
        } else {
            Output::create(dir, name)?.keep();
        }
        let set = self.set_reparse_point(dir, name, buffer);
        if set.is_err() {
            if directory {
                dir.remove_dir(name)?;
            } else {
                dir.remove_file(name)?;
            }
        }
        Ok(set)
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
