//! Layers are deleted as layers: the calls for files are refused.
//!
//! The files of a base image keep security descriptors that let nobody delete them, administrators included (verbatim: moby#26873).
//! `DestroyLayer` deletes them all the same. That a call for files then deletes nothing, and not what comes before the first file that
//! stays, is inferred. Layers above a base image are not told from folders on their way here, and can be deleted.

use wcow_host::codes::win32;
use wcow_ntmeta::{HostPath, Hresult};

use super::{is_directory, is_file};
use crate::fs::Fs;
use crate::world::{Outside, World};

/// What only a processed base layer has, below its folder: on later hosts, on technical previews.
const MARKS: [&str; 2] = ["layout", r"hives\System_Copy"];

impl World {
    /// Refuses to delete a file, or anything else, that is among the files of a layer.
    pub(in crate::world) fn keep_layer_around(
        &self,
        path: &HostPath,
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        let mut at = path.clone();
        while let Some(above) = at.parent() {
            let named = at
                .file_name()
                .is_some_and(|name| name.eq_ignore_case(&"files".into()));
            if named && is_layer(&self.fs, &above, out) {
                return Err(win32::ACCESS_DENIED);
            }
            at = above;
        }
        Ok(())
    }

    /// Refuses to delete a folder that is a layer, holds one, or is part of one.
    pub(in crate::world) fn keep_layers_in(
        &self,
        path: &HostPath,
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        self.keep_layer_around(path, out)?;
        let mut left = vec![path.clone()];
        while let Some(at) = left.pop() {
            if is_layer(&self.fs, &at, out) {
                return Err(win32::ACCESS_DENIED);
            }
            let Ok(Some(folder)) = self.fs.find(&at, out) else {
                continue;
            };
            // No layer is within the files of another one.
            if self.fs.is_sealed(&folder) {
                continue;
            }
            for (name, child) in self.fs.children(&folder, out).unwrap_or_default() {
                let mut below = at.clone();
                if self.fs.is_directory(&child) && below.push(name).is_ok() {
                    left.push(below);
                }
            }
        }
        Ok(())
    }
}

/// Whether a folder is a base layer. What cannot be read is none.
fn is_layer(fs: &Fs, path: &HostPath, out: &mut Outside<'_>) -> bool {
    is_directory(fs, &path.join("files"), out) == Ok(true)
        && MARKS
            .iter()
            .any(|mark| is_file(fs, &path.join(mark), out) == Ok(true))
}
