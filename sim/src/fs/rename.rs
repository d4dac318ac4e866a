//! Renaming, with and without replacing what has the name.

use wcow_ntmeta::upcase::eq_ignore_case;
use wcow_ntmeta::{FileTime, HostPath, Hresult, WideName};

use super::{Fs, NodeId, Spot, code};
use crate::world::Outside;

impl Fs {
    /// Renames to a name that is not there, or that differs in case only.
    pub(crate) fn rename(
        &mut self,
        from: &HostPath,
        to: &HostPath,
        now: FileTime,
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        let moving = self.prepare_rename(from, to, out)?;
        if self
            .child_node(moving.target, moving.name.units())
            .is_some_and(|there| there != moving.node)
        {
            return Err(code::ALREADY_EXISTS);
        }
        self.relink(moving, from, to, now);
        Ok(())
    }

    /// Renames a file over another.
    pub(crate) fn replace(
        &mut self,
        from: &HostPath,
        to: &HostPath,
        now: FileTime,
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        let moving = self.prepare_rename(from, to, out)?;
        if self.is_directory(&Spot::Node(moving.node)) {
            return Err(code::ACCESS_DENIED);
        }
        let there = self
            .child_node(moving.target, moving.name.units())
            .filter(|&there| there != moving.node);
        if let Some(there) = there {
            self.check_changeable(there)?;
            if self.is_open_elsewhere(there) {
                return Err(code::ACCESS_DENIED);
            }
        }
        self.relink(moving, from, to, now);
        if let Some(there) = there {
            self.drop_tree(there);
        }
        Ok(())
    }

    /// Looks up both ends of a renaming.
    fn prepare_rename(
        &mut self,
        from: &HostPath,
        to: &HostPath,
        out: &mut Outside<'_>,
    ) -> Result<Moving, Hresult> {
        self.check_path(to)?;
        let (source, old_name) = self.parent_node(from, out)?;
        let node = self
            .child_node(source, old_name)
            .ok_or(code::FILE_NOT_FOUND)?;
        if !eq_ignore_case(from.drive(), to.drive()) {
            return Err(code::NOT_SAME_DEVICE);
        }
        if self.is_directory(&Spot::Node(node)) {
            if to.starts_with(from) && !to.eq_ignore_case(from) {
                return Err(code::INVALID_PARAMETER);
            }
            if self.is_held_below(node) || self.is_open_elsewhere_below(node) {
                return Err(code::ACCESS_DENIED);
            }
        } else if self.is_held(&Spot::Node(node)) {
            return Err(code::SHARING_VIOLATION);
        } else if self.is_delete_pending(node) {
            return Err(code::DELETE_PENDING);
        }
        let (target, name) = self.parent_node(to, out)?;
        Ok(Moving {
            node,
            source,
            target,
            name: name.into(),
        })
    }

    fn relink(&mut self, moving: Moving, from: &HostPath, to: &HostPath, now: FileTime) {
        let Moving {
            node,
            source,
            target,
            name,
        } = moving;
        let needs = self.needs_of_move(from, to, source == target);
        let taken = from
            .file_name()
            .and_then(|old_name| self.take_name(source, old_name, now));
        let given = self.give_name(target, name.units(), node, now);
        if let (Some(taken), Some(given)) = (taken, given) {
            self.unsynced.moved(taken, given, needs);
        }
    }
}

/// Both ends of a renaming.
struct Moving {
    node: NodeId,
    /// The directory that it is in.
    source: NodeId,
    /// The directory that it goes into.
    target: NodeId,
    /// Its new name.
    name: WideName,
}
