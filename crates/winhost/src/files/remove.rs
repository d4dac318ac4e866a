//! Deleting a directory with everything below it, by handles, so that no link is followed whatever happens meanwhile.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::windows::ffi::OsStrExt;
use std::os::windows::fs::MetadataExt;
use std::os::windows::io::AsHandle;
use std::path::{Path, PathBuf};

use wcow_ntmeta::{FileAttributes, WideName};
use wcow_win32::{Basic, Opening, ReadOnly, access};

use super::is_missing;

/// Directories below each other that are deleted; each holds a handle while it is.
const MAX_DEPTH: usize = 1024;

/// One directory on the way down.
struct Level {
    dir: File,
    path: PathBuf,
    /// Names that are still to be deleted.
    names: Vec<WideName>,
}

/// Deletes the directory of this name in the open directory `above`; `path` is where it lies, for listing alone.
pub(super) fn remove_tree(above: &File, name: &WideName, path: &Path) -> io::Result<()> {
    let mut levels = Vec::new();
    enter(above, name, path.to_owned(), &mut levels)?;
    while let Some(level) = levels.last_mut() {
        let Some(name) = level.names.pop() else {
            let Some(Level { dir, .. }) = levels.pop() else {
                break;
            };
            delete(&dir)?;
            continue;
        };
        let path = level.path.join(std::ffi::OsString::from(Wide(&name)));
        let dir = level.dir.try_clone()?;
        enter(&dir, &name, path, &mut levels)?;
    }
    Ok(())
}

/// Deletes a file or link, or goes down into a directory.
fn enter(above: &File, name: &WideName, path: PathBuf, levels: &mut Vec<Level>) -> io::Result<()> {
    let rights = access::DELETE | access::READ_ATTRIBUTES | access::WRITE_ATTRIBUTES;
    let opened = wcow_win32::open_at(above.as_handle(), name.units(), Opening::existing(rights));
    let opened = match opened {
        Ok(opened) => File::from(opened),
        // Somebody else deleted it.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let attributes = FileAttributes::from_bits(opened.metadata()?.file_attributes());
    if !attributes.is_directory() || attributes.is_reparse_point() {
        return delete(&opened);
    }
    if levels.len() >= MAX_DEPTH {
        return Err(ErrorKind::InvalidFilename.into());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(&path)? {
        names.push(WideName::from_units(
            entry?.file_name().encode_wide().collect(),
        ));
    }
    levels.push(Level {
        dir: opened,
        path,
        names,
    });
    Ok(())
}

/// Deletes what is open. Systems that cannot delete what is read-only are helped.
fn delete(file: &File) -> io::Result<()> {
    match wcow_win32::delete(file.as_handle(), ReadOnly::Goes) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let plain = Basic {
                attributes: FileAttributes::NORMAL.bits(),
                ..Basic::default()
            };
            wcow_win32::set_basic(file.as_handle(), &plain)?;
            wcow_win32::delete(file.as_handle(), ReadOnly::Goes)
        }
        Err(error) if is_missing(&error) => Ok(()),
        other => other,
    }
}

struct Wide<'a>(&'a WideName);

impl From<Wide<'_>> for std::ffi::OsString {
    fn from(Wide(name): Wide<'_>) -> Self {
        std::os::windows::ffi::OsStringExt::from_wide(name.units())
    }
}
