//! Access and write times, and the durability of directories, where the system keeps no more than that.

use std::fs::FileTimes;
use std::io;

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt, OpenOptionsMaybeDirExt};
use cap_std::fs::{File, OpenOptions};
use wcow_ntmeta::FileTime;

use super::{DiskSink, Durability, State, ends_everything};
use crate::SinkError;
use crate::disk::handles::Slot;
use crate::disk::time::to_system;
use crate::disk::without_waiting;

impl DiskSink {
    /// Times of directories, and their durability, where the system keeps no more than that. Children come before their directories.
    pub(super) fn finish_directories(&mut self) -> Result<(), SinkError> {
        let directories = self.nodes.with_state(|state| state == State::Directory);
        for slot in directories.into_iter().rev() {
            let set = self.set_directory_times(slot);
            self.note_times(slot, set)?;
            if self.options.durability == Durability::Flushed
                && let Err(error) = self.open_directory(slot).and_then(|dir| dir.sync_all())
            {
                self.failed_here(slot, "it cannot be made durable", error)?;
            }
        }
        Ok(())
    }

    fn set_directory_times(&mut self, slot: Slot) -> io::Result<()> {
        let Some(node) = self.nodes.get(slot) else {
            return Ok(());
        };
        let (accessed, written) = (node.accessed, node.written);
        if to_system(accessed).is_none() && to_system(written).is_none() {
            return Ok(());
        }
        set_times(self.open_directory(slot)?, accessed, written)
    }

    fn open_directory(&mut self, slot: Slot) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .maybe_dir(true)
            .follow(FollowSymlinks::No);
        without_waiting(&mut options);
        match self.nodes.get(slot).and_then(|node| node.parent) {
            Some(parent) => {
                let dir = self.dir(parent)?;
                dir.open_with(&*self.nodes.written(slot), &options)
            }
            None => self.handles.root().open_with(".", &options),
        }
    }

    pub(super) fn note_times(&mut self, slot: Slot, set: io::Result<()>) -> Result<(), SinkError> {
        let Err(error) = set else { return Ok(()) };
        if ends_everything(&error) {
            return Err(SinkError::new("times cannot be set", error));
        }
        self.report.not_kept.times += 1;
        self.metadata.times_unset(slot);
        Ok(())
    }
}

/// Sets the times that there are, and closes the file. (The `cap_fs_ext` way to do it panics on times before 1970.)
pub(super) fn set_times(file: File, accessed: FileTime, written: FileTime) -> io::Result<()> {
    let (accessed, written) = (to_system(accessed), to_system(written));
    if accessed.is_none() && written.is_none() {
        return Ok(());
    }
    let mut wanted = FileTimes::new();
    if let Some(time) = accessed {
        wanted = wanted.set_accessed(time);
    }
    if let Some(time) = written {
        wanted = wanted.set_modified(time);
    }
    file.into_std().set_times(wanted)
}
