//! Deleting a directory with everything below it, by handles, so that no link is followed whatever happens meanwhile.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::windows::ffi::{OsStrExt, OsStringExt};
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
    name: WideName,
    path: PathBuf,
    /// Names that are still to be deleted.
    names: Vec<WideName>,
}

/// Deletes the directory of this name in the open directory `above`; `path` is where it lies, for listing alone.
pub(super) fn remove_tree(above: &File, name: &WideName, path: &Path) -> io::Result<()> {
    let mut levels = Vec::new();
    levels.extend(delete_or_enter(above, name, path.to_owned())?);
    while let Some(level) = levels.last_mut() {
        if let Some(name) = level.names.pop() {
            let path = level.path.join(OsString::from_wide(name.units()));
            let below = delete_or_enter(&level.dir, &name, path)?;
            levels.extend(below);
        } else if let Some(Level { name, dir, .. }) = levels.pop() {
            drop(dir);
            delete(levels.last().map_or(above, |level| &level.dir), &name)?;
        }
        if levels.len() > MAX_DEPTH {
            return Err(ErrorKind::InvalidFilename.into());
        }
    }
    Ok(())
}

/// Deletes a file or link, or looks into a directory.
fn delete_or_enter(above: &File, name: &WideName, path: PathBuf) -> io::Result<Option<Level>> {
    // The right to delete comes when it is needed: whoever lists a directory need not share it.
    let how = Opening::existing(access::READ_ATTRIBUTES);
    let dir = match wcow_win32::open_at(above.as_handle(), name.units(), how) {
        Ok(opened) => File::from(opened),
        // Somebody else deleted it.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let attributes = FileAttributes::from_bits(dir.metadata()?.file_attributes());
    if !attributes.is_directory() || attributes.is_reparse_point() {
        drop(dir);
        delete(above, name)?;
        return Ok(None);
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(&path)? {
        names.push(WideName::from_units(
            entry?.file_name().encode_wide().collect(),
        ));
    }
    Ok(Some(Level {
        dir,
        name: name.clone(),
        path,
        names,
    }))
}

/// Deletes a name. Systems that cannot delete what is read-only are helped.
fn delete(above: &File, name: &WideName) -> io::Result<()> {
    let open =
        |rights| wcow_win32::open_at(above.as_handle(), name.units(), Opening::existing(rights));
    let deleted =
        open(access::DELETE).and_then(|file| wcow_win32::delete(file.as_handle(), ReadOnly::Goes));
    match deleted {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let file = open(access::DELETE | access::WRITE_ATTRIBUTES)?;
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
