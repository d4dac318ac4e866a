//! Layers are deleted as layers: the calls for files are refused.
//!
//! The files of a base image keep security descriptors that let nobody delete them, administrators included (verbatim: moby#26873).
//! `DestroyLayer` deletes them all the same. That a call for files then deletes nothing, and not what comes before the first file that
//! stays, is inferred. So it is with layers that were imported: their files got the descriptors that travelled with them. Which folders
//! those are is remembered; a folder on its way here looks the same, and can be deleted.

use wcow_host::codes::win32;
use wcow_ntmeta::upcase::eq_ignore_case;
use wcow_ntmeta::{HostPath, Hresult, WideName};

use super::{is_directory, is_file, key};
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
        let files = WideName::from("files");
        let is_files = |name: &[u16]| eq_ignore_case(name, files.units());
        // Almost no path has such a name.
        if !path.components().any(is_files) {
            return Ok(());
        }
        let mut at = path.clone();
        while let Some(above) = at.parent() {
            let named = at.file_name().is_some_and(is_files);
            if named && self.is_layer(&above, out) {
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
            if self.is_layer(&at, out) {
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
                if self.fs.is_directory(&child) && below.push(name.units()).is_ok() {
                    left.push(below);
                }
            }
        }
        Ok(())
    }

    /// A folder has another name: so have the imported layers in it.
    pub(in crate::world) fn layers_moved(&mut self, from: &HostPath, to: &HostPath) {
        let imported = &mut self.layers.imported;
        let moved: Vec<HostPath> = imported
            .values()
            .filter(|layer| layer.starts_with(from))
            .cloned()
            .collect();
        for layer in moved {
            imported.remove(&key(&layer));
            let rest = layer.strip_prefix(from).unwrap_or_default();
            if let Ok(at) = to.join_rel(&rest) {
                imported.insert(key(&at), at);
            }
        }
    }

    /// Whether a folder is a base layer, or was imported. What cannot be read is none.
    fn is_layer(&self, path: &HostPath, out: &mut Outside<'_>) -> bool {
        is_directory(&self.fs, &path.join("files"), out) == Ok(true)
            && (self.layers.imported.contains_key(&key(path))
                || MARKS
                    .iter()
                    .any(|mark| is_file(&self.fs, &path.join(mark), out) == Ok(true)))
    }
}
