//! Pipes of Unix; a handle is a descriptor as a number.

use std::fs::File;
use std::io;
use std::os::fd::{IntoRawFd, OwnedFd};

use super::Theirs;
use crate::abi::HANDLE;

pub(super) type Owned = OwnedFd;

pub(super) fn pair(theirs: Theirs) -> io::Result<(File, Owned)> {
    let (reader, writer) = io::pipe()?;
    let (reader, writer) = (OwnedFd::from(reader), OwnedFd::from(writer));
    Ok(match theirs {
        Theirs::Reads => (writer.into(), reader),
        Theirs::Writes => (reader.into(), writer),
    })
}

pub(super) fn into_handle(end: Owned) -> HANDLE {
    // Descriptor 0 would look like no handle; a program that closed its own standard input has to live with that.
    std::ptr::without_provenance_mut(usize::try_from(end.into_raw_fd()).unwrap_or_default())
}
