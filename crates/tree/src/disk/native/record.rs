//! A system that writes down what it is told, and refuses what it is told to refuse. Its streams lie beside the tree.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt};
use cap_std::fs::OpenOptions;
use wcow_ntmeta::WideName;

use super::{At, Native, Places, Privileges, Step};

/// What was called, in order, one line each.
#[derive(Clone, Debug, Default)]
pub(in crate::disk) struct Calls(Arc<Mutex<Vec<String>>>);

impl Calls {
    pub(in crate::disk) fn lines(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn add(&self, line: String) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
    }
}

/// Which rights are refused when a file is opened, and which kinds of steps when they are set.
#[derive(Clone, Debug)]
pub(in crate::disk) struct Record {
    pub(in crate::disk) places: Places,
    pub(in crate::disk) privileges: Privileges,
    pub(in crate::disk) denied_rights: u32,
    /// Beginnings of steps, as [`show`] writes them, with the error.
    pub(in crate::disk) refuses: Vec<(&'static str, io::ErrorKind)>,
    /// Where alternate streams lie, as `name:stream`.
    pub(in crate::disk) streams: PathBuf,
    pub(in crate::disk) calls: Calls,
}

impl Record {
    /// One that keeps everything and refuses nothing.
    pub(in crate::disk) fn new(streams: PathBuf) -> Self {
        Self {
            places: Places::from_flags(u32::MAX),
            privileges: Privileges {
                restore: true,
                security: true,
            },
            denied_rights: 0,
            refuses: Vec::new(),
            streams,
            calls: Calls::default(),
        }
    }

    fn called(&self, line: String) -> io::Result<()> {
        let refused = self.refuses.iter().find(|(what, _)| line.starts_with(what));
        self.calls.add(line);
        match refused {
            Some((_, kind)) => Err((*kind).into()),
            None => Ok(()),
        }
    }

    fn stream(&self, at: At<'_>, stream: &WideName) -> PathBuf {
        self.streams.join(format!("{}:{stream}", at.name))
    }
}

impl Native for Record {
    fn places(&self) -> Places {
        self.places
    }

    fn privileges(&self) -> Privileges {
        self.privileges
    }

    fn open(&mut self, at: At<'_>, access: u32) -> io::Result<File> {
        self.called(format!("open {:?} {access:#x}", at.name))?;
        if access & self.denied_rights != 0 {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        if at.name.is_empty() {
            return Ok(at.dir.try_clone()?.into_std_file());
        }
        if at.dir.symlink_metadata(at.name)?.is_dir() {
            return Ok(at.dir.open_dir_nofollow(at.name)?.into_std_file());
        }
        let mut options = OpenOptions::new();
        options.read(true).follow(FollowSymlinks::No);
        Ok(at.dir.open_with(at.name, &options)?.into_std())
    }

    fn set(&mut self, _: &File, step: &Step) -> io::Result<()> {
        self.called(show(step))
    }

    fn create_stream(&mut self, at: At<'_>, stream: &WideName) -> io::Result<File> {
        self.called(format!("stream {:?} {stream}", at.name))?;
        File::create_new(self.stream(at, stream))
    }

    fn remove_stream(&mut self, at: At<'_>, stream: &WideName) -> io::Result<()> {
        self.called(format!("remove {:?} {stream}", at.name))?;
        std::fs::remove_file(self.stream(at, stream))
    }

    fn release(&mut self, at: At<'_>) -> io::Result<()> {
        self.called(format!("release {:?}", at.name))
    }
}

/// A step in one line.
pub(in crate::disk) fn show(step: &Step) -> String {
    match step {
        Step::Compressed => "compressed".to_owned(),
        Step::Sparse => "sparse".to_owned(),
        Step::ExtendedAttributes(chain) => format!("ea {}", chain.len()),
        Step::ObjectId(_) => "object id".to_owned(),
        Step::ReparsePoint(buffer) => format!("reparse {}", buffer.len()),
        Step::ShortName(name) => format!("short {name}"),
        Step::Security { parts, .. } => format!("security {parts:#x}"),
        Step::Basic { times, attributes } => format!("basic {times:?} {attributes:#x}"),
        Step::Flush => "flush".to_owned(),
    }
}
