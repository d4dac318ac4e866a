//! Pipes between a program and a simulated process. The program's end is a handle of the system that it owns; ours is a `File`.

use std::fs::File;
use std::io;

use crate::abi::HANDLE;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as platform;
#[cfg(windows)]
use windows as platform;

/// Which end is the program's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theirs {
    /// It reads what a process writes.
    Reads,
    /// It writes what a process reads.
    Writes,
}

/// The program's end, until it is handed over.
#[derive(Debug)]
pub(crate) struct End(platform::Owned);

impl End {
    /// Hands it over: whoever gets the number closes it.
    pub(crate) fn into_handle(self) -> HANDLE {
        platform::into_handle(self.0)
    }
}

/// A new pipe: our end, the program's.
///
/// # Errors
/// The system has no more.
pub(crate) fn pair(theirs: Theirs) -> io::Result<(File, End)> {
    let (ours, end) = platform::pair(theirs)?;
    Ok((ours, End(end)))
}
