//! A file that is being written: whole under its name, or not there.

use std::io::{self, ErrorKind, Write};
use std::sync::Arc;

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt};
use cap_std::fs::{Dir, File, OpenOptions};

use crate::disk::native::At;
use crate::disk::without_waiting;

/// A new file. Unless it is kept, it is removed when it is dropped, however that comes about.
#[derive(Debug)]
pub(super) struct Output {
    dir: Arc<Dir>,
    name: String,
    file: Option<File>,
    /// Whether the name is not the file's own.
    temporary: bool,
    /// Removed or renamed already.
    done: bool,
}

impl Output {
    /// Makes a file that was not there.
    pub(super) fn create(dir: &Arc<Dir>, name: &str) -> io::Result<Self> {
        let file = dir.open_with(
            name,
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .follow(FollowSymlinks::No),
        )?;
        Ok(Self {
            dir: dir.clone(),
            name: name.to_owned(),
            file: Some(file),
            temporary: false,
            done: false,
        })
    }

    /// Makes a file under a name of its own. Names that are taken, perhaps by what a killed process left, are passed over.
    ///
    /// The first number that is tried is for whoever has several at once.
    pub(super) fn temporary(dir: &Arc<Dir>, first: u32) -> io::Result<Self> {
        let mut number = first;
        loop {
            match Self::create(dir, &format!(".wcow-part-{number}")) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    number = number.checked_add(1).ok_or(error)?;
                }
                Err(error) => return Err(error),
                Ok(mut output) => {
                    output.temporary = true;
                    return Ok(output);
                }
            }
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.file {
            Some(file) => file.write_all(bytes),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn is_temporary(&self) -> bool {
        self.temporary
    }

    /// The open file, for the last things to be done to it before it is closed.
    pub(super) fn take_file(&mut self) -> Option<File> {
        self.file.take()
    }

    /// Where it lies now.
    pub(super) fn place(&self) -> At<'_> {
        At {
            dir: &self.dir,
            name: &self.name,
        }
    }

    /// Closes the file for a while: others are written before there is more to do here.
    pub(super) fn pause(&mut self) {
        self.file = None;
    }

    /// Opens a file that was paused before its first byte.
    pub(super) fn resume(&mut self) -> io::Result<()> {
        if self.file.is_none() {
            let mut options = OpenOptions::new();
            options.write(true).follow(FollowSymlinks::No);
            without_waiting(&mut options);
            self.file = Some(self.dir.open_with(&self.name, &options)?);
        }
        Ok(())
    }

    /// Gives a file with a temporary name its own. Another file of that name is replaced.
    pub(super) fn rename(&mut self, name: &str) -> io::Result<()> {
        self.dir.rename(&self.name, &self.dir, name)?;
        self.done = true;
        Ok(())
    }

    /// Leaves the file where it is.
    pub(super) fn keep(mut self) {
        self.done = true;
    }

    /// Removes the file.
    pub(super) fn discard(mut self) -> io::Result<()> {
        self.remove()
    }

    fn remove(&mut self) -> io::Result<()> {
        // Windows removes no open file.
        self.file = None;
        if self.done {
            return Ok(());
        }
        self.done = true;
        self.dir.remove_file_or_symlink(&self.name)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // What cannot be removed now cannot be told to anybody either.
        let _ = self.remove();
    }
}
