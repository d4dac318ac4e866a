//! Where an entry goes: the directory's handle, and a name that is free in it.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, ErrorKind};
use std::sync::Arc;

use cap_fs_ext::DirExt;
use cap_std::fs::{Dir, Metadata};
use wcow_ntmeta::upcase::upcase_unit;

use super::output::Output;
use super::{DiskSink, State};
use crate::disk::Existing;
use crate::disk::handles::Slot;
use crate::names::{numbered_name, written_name};

/// The names given out so far, with the highest number given to each.
///
/// A name is known by its directory and a hash. Should two different names have the same hash, the second is numbered
/// without need, which is told like any other change of a name.
pub(super) type Taken = HashMap<(Slot, u64), u32>;

/// What was made in one directory, to tell own entries from others under names that the disk takes for the same.
#[derive(Debug, Default)]
pub(super) struct Made {
    children: Vec<Slot>,
    /// How many of them `identities` covers. They are looked at only when there is a doubt.
    seen: usize,
    identities: BTreeSet<(u64, u64)>,
}

impl DiskSink {
    /// A handle of a written directory.
    pub(super) fn dir(&mut self, slot: Slot) -> io::Result<Arc<Dir>> {
        let nodes = &self.nodes;
        self.handles.directory(slot, |slot| nodes.step(slot))
    }

    /// Makes something under the entry's name, or under the next one where the disk takes the name for one that was
    /// written before.
    pub(super) fn place<T>(
        &mut self,
        slot: Slot,
        mut make: impl FnMut(&mut Self, &Arc<Dir>, &str) -> io::Result<T>,
    ) -> io::Result<T> {
        let parent = self.nodes.get(slot).and_then(|node| node.parent);
        let parent = parent.ok_or(ErrorKind::NotFound)?;
        let dir = self.dir(parent)?;
        loop {
            let name = self.nodes.written(slot).into_owned();
            match make(self, &dir, &name) {
                Err(error)
                    if error.kind() == ErrorKind::AlreadyExists
                        && self.is_ours(parent, &dir, &name) =>
                {
                    self.claim(slot, parent);
                }
                other => return other,
            }
        }
    }

    /// Gives an entry a name that no other has in its directory.
    pub(super) fn claim(&mut self, slot: Slot, parent: Slot) {
        let rule = self.probe.rule;
        let Some(base) = self
            .nodes
            .get(slot)
            .map(|node| written_name(&node.name, rule))
        else {
            return;
        };
        let key = (parent, self.hash(&base));
        let mut number = self.taken.get(&key).copied().unwrap_or(0);
        loop {
            number = number.saturating_add(1);
            self.taken.insert(key, number);
            if number == 1 {
                self.nodes.set_name(slot, &base);
                return;
            }
            let name = numbered_name(&base, number, rule);
            // Two long names can become one when numbered.
            if self.taken.insert((parent, self.hash(&name)), 1).is_none() {
                self.nodes.set_name(slot, &name);
                return;
            }
        }
    }

    /// A hash that is the same for names that are one to the disk. It has no secret key: what is written must not depend
    /// on chance.
    fn hash(&self, name: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        if self.probe.ignores_case {
            for unit in name.encode_utf16() {
                hasher.write_u16(upcase_unit(unit));
            }
        } else {
            hasher.write(name.as_bytes());
        }
        hasher.finish()
    }

    /// Notes that an entry is on the disk.
    pub(super) fn made(&mut self, slot: Slot, state: State) {
        self.nodes.set_state(slot, state);
        let Some(node) = self.nodes.get(slot) else {
            return;
        };
        let Some(parent) = node.parent else { return };
        self.made_in.entry(parent).or_default().children.push(slot);
        let written = self.nodes.written(slot);
        if node.name != *written {
            self.metadata.named(slot, &written);
            self.report.renamed_count += 1;
            if self.report.renamed.len() < self.options.list_at_most {
                self.report.renamed.push(crate::disk::Renamed {
                    original: self.nodes.path(slot),
                    written: self.nodes.written_path(slot),
                });
            }
        }
    }

    pub(super) fn make_dir(&mut self, parent: Slot, dir: &Dir, name: &str) -> io::Result<()> {
        match dir.create_dir(name) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if self.is_ours(parent, dir, name) {
                    return Err(error);
                }
                if !dir.symlink_metadata(name)?.is_dir() {
                    self.clear(parent, dir, name)?;
                    dir.create_dir(name)?;
                }
                Ok(())
            }
            other => other,
        }
    }

    /// Makes a file under its own name if it comes whole and the name is free, and under a temporary one otherwise.
    pub(super) fn make_file(&mut self, slot: Slot, whole: bool) -> io::Result<Output> {
        let parent = self.nodes.get(slot).and_then(|node| node.parent);
        let parent = parent.ok_or(ErrorKind::NotFound)?;
        let first = self.first_number(slot);
        self.place(slot, |sink, dir, name| {
            if whole {
                match Output::create(dir, name) {
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                    other => return other,
                }
            }
            sink.must_be_free(parent, dir, name)?;
            Output::temporary(dir, first)
        })
    }

    /// Fails if something has this name that must stay.
    pub(super) fn must_be_free(&mut self, parent: Slot, dir: &Dir, name: &str) -> io::Result<()> {
        let found = match dir.symlink_metadata(name) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let stays = self.options.existing == Existing::Refuse
            || found.is_dir()
            || self.is_ours(parent, dir, name);
        if stays {
            return Err(ErrorKind::AlreadyExists.into());
        }
        Ok(())
    }

    /// Removes what another program left under a name, if that is wanted. Own entries stay, and so do directories.
    pub(super) fn clear(&mut self, parent: Slot, dir: &Dir, name: &str) -> io::Result<()> {
        if self.options.existing == Existing::Refuse {
            return Ok(());
        }
        match dir.symlink_metadata(name) {
            Ok(found) if found.is_dir() || self.is_ours(parent, dir, name) => Ok(()),
            Ok(_) => {
                self.release(dir, name);
                dir.remove_file_or_symlink(name)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn is_ours(&mut self, parent: Slot, dir: &Dir, name: &str) -> bool {
        let found = dir.symlink_metadata(name).ok();
        let (Some(found), Some(made)) = (
            found.and_then(|found| identity(&found)),
            self.made_in.get_mut(&parent),
        ) else {
            return false;
        };
        for &child in made.children.get(made.seen..).unwrap_or_default() {
            let child = dir.symlink_metadata(&*self.nodes.written(child)).ok();
            made.identities
                .extend(child.and_then(|child| identity(&child)));
        }
        made.seen = made.children.len();
        made.identities.contains(&found)
    }
}

/// Device and inode, where the system tells them without a further handle.
#[cfg(unix)]
pub(in crate::disk) fn identity(metadata: &Metadata) -> Option<(u64, u64)> {
    use cap_fs_ext::MetadataExt;

    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
pub(in crate::disk) fn identity(_: &Metadata) -> Option<(u64, u64)> {
    None
}
