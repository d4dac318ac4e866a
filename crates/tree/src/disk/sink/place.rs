//! Where an entry goes: the directory's handle, and a name that is free in it.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt};
use cap_std::fs::{Dir, File, Metadata, OpenOptions};
use wcow_ntmeta::WideName;

use super::{DiskSink, MAX_HANDLES};
use crate::EntryId;
use crate::disk::Existing;
use crate::names::numbered_name;

impl DiskSink {
    /// A handle of a written directory, opened from the destination down without following links.
    pub(super) fn dir(&mut self, id: EntryId) -> io::Result<Arc<Dir>> {
        let mut way = Vec::new();
        let mut at = id;
        let mut start = None;
        while let Some(node) = self.nodes.get(&at)
            && let Some(parent) = node.parent
        {
            if let Some((deep, dir)) = &self.deep
                && *deep == at
            {
                start = Some(dir.clone());
                break;
            }
            way.push((at, node.written.clone()));
            at = parent;
        }
        way.reverse();
        let mut way = way.as_slice();
        let mut dir = match start {
            Some(dir) => dir,
            None => {
                let known = self
                    .chain
                    .iter()
                    .zip(way)
                    .take_while(|((open, _), (wanted, _))| open == wanted)
                    .count();
                self.chain.truncate(known);
                way = way.get(known..).unwrap_or_default();
                self.chain.last().map_or(&self.root, |(_, dir)| dir).clone()
            }
        };
        for (id, name) in way {
            dir = Arc::new(dir.open_dir_nofollow(name)?);
            if self
                .nodes
                .get(id)
                .is_some_and(|node| node.depth <= MAX_HANDLES)
            {
                self.chain.push((*id, dir.clone()));
            } else {
                self.deep = Some((*id, dir.clone()));
            }
        }
        Ok(dir)
    }

    /// Makes something under the entry's name, or under a numbered one where the disk takes the name for one that was
    /// written before.
    pub(super) fn place<T>(
        &mut self,
        id: EntryId,
        parent: EntryId,
        mut make: impl FnMut(&mut Self, &Dir, &str) -> io::Result<T>,
    ) -> io::Result<T> {
        let dir = self.dir(parent)?;
        let base = self
            .nodes
            .get(&id)
            .map(|node| node.written.clone())
            .unwrap_or_default();
        loop {
            let name = self.claim(parent, &base);
            match make(self, &dir, &name) {
                Err(error)
                    if error.kind() == ErrorKind::AlreadyExists && self.is_ours(&dir, &name) => {}
                Err(error) => return Err(error),
                Ok(made) => {
                    self.note_name(id, name);
                    return Ok(made);
                }
            }
        }
    }

    /// A name that was not given out in this directory yet.
    fn claim(&mut self, parent: EntryId, base: &str) -> String {
        let taken = self.taken.entry(parent).or_default();
        let fold = |name: &str| {
            let name = WideName::from(name);
            if self.probe.ignores_case {
                name.upcased()
            } else {
                name
            }
        };
        let key = fold(base);
        let mut number = taken.get(&key).copied().unwrap_or(0);
        loop {
            number = number.saturating_add(1);
            let name = if number == 1 {
                base.to_owned()
            } else {
                numbered_name(base, number, self.probe.rule)
            };
            taken.insert(key.clone(), number);
            // Two long names can become one when numbered.
            if number == 1 || taken.insert(fold(&name), 1).is_none() {
                return name;
            }
        }
    }

    pub(super) fn make_dir(&mut self, dir: &Dir, name: &str) -> io::Result<()> {
        match dir.create_dir(name) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let found = dir.symlink_metadata(name)?;
                if self.ours.contains(&identity(&found).unwrap_or_default()) {
                    return Err(error);
                }
                if !found.is_dir() {
                    self.clear(dir, name)?;
                    dir.create_dir(name)?;
                }
            }
            other => other?,
        }
        let made = dir.symlink_metadata(name)?;
        self.ours.extend(identity(&made));
        Ok(())
    }

    pub(super) fn make_file(&mut self, dir: &Dir, name: &str) -> io::Result<File> {
        self.clear(dir, name)?;
        let file = dir.open_with(
            name,
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .follow(FollowSymlinks::No),
        )?;
        self.ours.extend(identity(&file.metadata()?));
        Ok(file)
    }

    /// Removes what another program left under a name, if that is wanted. Own entries stay, and so do directories.
    pub(super) fn clear(&self, dir: &Dir, name: &str) -> io::Result<()> {
        if self.options.existing == Existing::Refuse {
            return Ok(());
        }
        match dir.symlink_metadata(name) {
            Ok(found) if found.is_dir() || self.is_ours(dir, name) => Ok(()),
            Ok(_) => dir.remove_file_or_symlink(name),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn is_ours(&self, dir: &Dir, name: &str) -> bool {
        let found = dir.symlink_metadata(name).ok();
        found
            .and_then(|found| identity(&found))
            .is_some_and(|identity| self.ours.contains(&identity))
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
