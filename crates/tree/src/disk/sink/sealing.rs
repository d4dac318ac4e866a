//! What the system keeps of entries beyond their contents: set at the end.

use std::io;
use std::sync::Arc;

use cap_std::fs::Dir;

use super::{DiskSink, Durability, Places, Sealed, State, ends_everything};
use crate::disk::handles::Slot;
use crate::disk::native::{self, At, Refusal, Step};
use crate::disk::{Part, Refused};
use crate::{Entry, SinkError};

impl DiskSink {
    /// What the disk has a place for, beside names, contents and times.
    pub(super) fn places(&self) -> Places {
        self.native
            .as_ref()
            .map(|native| native.places())
            .unwrap_or_default()
    }

    /// Remembers what is to be set on an entry when nothing more is written.
    pub(super) fn seal_later(&mut self, slot: Slot, entry: &Entry) {
        if self.native.is_some() && entry.link_to.is_none() {
            self.sealed.insert(slot, Sealed::of(entry));
        }
    }

    /// Forgets an entry that is not written.
    pub(super) fn forget(&mut self, slot: Slot) {
        self.sealed.remove(&slot);
        self.parts.remove(&slot);
    }

    /// Sets what was left for the end, children before their directories.
    pub(super) fn seal_all(&mut self) -> Result<(), SinkError> {
        let durable = self.options.durability == Durability::Flushed;
        while let Some((slot, sealed)) = self.sealed.pop_last() {
            if !matches!(
                self.nodes.state(slot),
                State::Directory | State::File | State::Link
            ) {
                continue;
            }
            match self.seal(slot, &sealed, durable) {
                Ok(refusals) => {
                    for Refusal { part, error } in refusals {
                        if ends_everything(&error) {
                            self.failed_here(slot, "its metadata cannot be set", error)?;
                        } else {
                            self.refused(slot, part, &error);
                        }
                    }
                }
                Err(error) => self.failed_here(slot, "its metadata cannot be set", error)?,
            }
        }
        Ok(())
    }

    fn seal(&mut self, slot: Slot, sealed: &Sealed, durable: bool) -> io::Result<Vec<Refusal>> {
        let (dir, name) = match self.nodes.get(slot).and_then(|node| node.parent) {
            Some(parent) => (self.dir(parent)?, self.nodes.written(slot).into_owned()),
            None => (self.handles.root().clone(), String::new()),
        };
        let Some(native) = &mut self.native else {
            return Ok(Vec::new());
        };
        let at = At {
            dir: &dir,
            name: &name,
        };
        native::seal(native.as_mut(), at, sealed, durable)
    }

    /// Counts what the system refused, once for each kind.
    pub(super) fn refused(&mut self, slot: Slot, part: Part, error: &io::Error) {
        let not_kept = &mut self.report.not_kept;
        match part {
            Part::Basic => not_kept.times += 1,
            Part::Attributes => not_kept.attributes += 1,
            Part::Owner => not_kept.owners += 1,
            Part::Security => not_kept.security += 1,
            Part::Audit => not_kept.audit += 1,
            Part::ShortName => not_kept.short_names += 1,
            Part::NamedStream => not_kept.named_streams += 1,
            // Links are counted where they are listed.
            Part::ReparsePoint if self.nodes.state(slot) == State::Link => {}
            Part::ReparsePoint => not_kept.reparse_points += 1,
            Part::ExtendedAttributes | Part::ObjectId => not_kept.extra += 1,
        }
        if part == Part::Basic {
            self.metadata.times_unset(slot);
        }
        let known = self
            .report
            .refused
            .iter_mut()
            .find(|refused| refused.part == part);
        match known {
            Some(known) => known.count += 1,
            None => self.report.refused.push(Refused {
                part,
                count: 1,
                first: self.nodes.path(slot),
                why: error.to_string(),
            }),
        }
    }

    /// Turns something new into a reparse point.
    pub(super) fn set_reparse_point(
        &mut self,
        dir: &Arc<Dir>,
        name: &str,
        buffer: &[u8],
    ) -> io::Result<()> {
        let Some(native) = &mut self.native else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let file = native.open(At { dir, name }, wcow_win32::access::WRITE_DATA)?;
        native.set(&file, &Step::ReparsePoint(buffer.to_vec()))
    }

    /// Lets a file be replaced that may be read-only. Where that fails, replacing it does, and says why.
    pub(super) fn release(&mut self, dir: &Dir, name: &str) {
        let replaces = self.options.existing == crate::disk::Existing::Overwrite;
        if let Some(native) = self.native.as_mut().filter(|_| replaces) {
            let _ = native.release(At { dir, name });
        }
    }
}
