//! Trees on the disk of whatever system this runs on.
//!
//! [`DiskSink`] writes a tree below a directory, [`DiskSource`] reads one. Both work from directory handles, one
//! component at a time, and never follow a link; so nothing outside the directory is touched, whatever the names in the
//! tree are, and whatever links lie in the directory already.
//!
//! On Windows, with [`Keep::System`], everything that the volume has a place for is set, by handle and with backup semantics;
//! elsewhere a disk keeps names, contents, access and write times, and links that stay in the tree.
//!
//! A file is there whole or not at all, whatever ends the transfer. A disk keeps less than a Windows tree holds. What could
//! not be kept is counted in the [`DiskReport`], and a [`MetadataWriter`] keeps it beside the tree (see [`metadata`]); names that had
//! to change are listed there (see [`names`](crate::names)), and so is every problem with a single entry; the rest of
//! the tree is written all the same.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use wcow_tree::TreeSource;
//! use wcow_tree::disk::{DiskOptions, DiskSink};
//! use wcow_tree::memory::MemoryTree;
//!
//! let mut tree = MemoryTree::new().file(r"Windows\win.ini", "[fonts]");
//! let mut sink = DiskSink::open(Path::new("out"), DiskOptions::default())?;
//! tree.send(&mut sink)?;
//! let report = sink.finish()?;
//! assert!(report.problems.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use metadata::{Metadata, MetadataError, MetadataWriter};
pub use options::{DiskOptions, Durability, Existing, Keep, Links, Names};
pub use report::{DiskReport, NotKept, Part, Problem, Refused, Renamed, SkippedLink};
pub use sink::DiskSink;
pub use source::{CaptureError, DiskSource};

use std::io;
use std::path::PathBuf;

use cap_std::fs::OpenOptions;
use thiserror::Error;

pub mod metadata;

mod handles;
mod link;
mod native;
mod options;
mod probe;
mod report;
mod sink;
mod source;
mod time;

/// Why a directory cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It cannot be made or opened.
    #[error("directory {}: cannot be opened", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// It cannot be found out which names it holds, most often because it cannot be written to.
    #[error("directory {}: a file cannot be made in it", path.display())]
    Probe {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// Opening must not wait for the other end of a pipe that took the file's place.
#[cfg(unix)]
fn without_waiting(options: &mut OpenOptions) {
    use cap_fs_ext::OpenOptionsSyncExt;

    options.nonblock(true);
}

#[cfg(not(unix))]
fn without_waiting(_: &mut OpenOptions) {}
