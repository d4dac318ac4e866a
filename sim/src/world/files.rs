//! The calls of the file system.

use super::{Outside, World};
use crate::call::{ClientId, ContentRef, FilesCall, Outcome, TreeId};
use crate::choice::Label;
use crate::fs::{TreeBuilder, code};

impl World {
    /// A tree whose client was killed keeps any part of what was sent.
    pub(crate) fn leave_torn(
        &mut self,
        tree: TreeId,
        mut builder: TreeBuilder,
        out: &mut Outside<'_>,
    ) {
        let left = self.choice.draw(Label::Torn, builder.len() + 1);
        builder.truncate(left);
        if let Ok(built) = builder.finish() {
            // A full disk keeps nothing of it.
            let _ = self
                .fs
                .finish_tree(tree, built.content, built.summary, true, out);
        }
    }

    pub(super) fn files_call(
        &mut self,
        client: ClientId,
        call: &FilesCall,
        out: &mut Outside<'_>,
    ) -> Outcome {
        let now = self.now;
        let is_ignored = |step: &str| self.ignored.contains(step);
        let fs = &mut self.fs;
        match call {
            FilesCall::Metadata(path) => {
                let spot = fs.find(path, out)?;
                Ok(spot.map(|spot| fs.metadata(&spot)).into())
            }
            FilesCall::List(path) => {
                let spot = fs.find(path, out)?.ok_or(code::PATH_NOT_FOUND)?;
                Ok(fs.entries(&spot, out)?.into())
            }
            FilesCall::CreateDirAll(path) => {
                fs.create_dir_all(path, now, out)?;
                Ok(().into())
            }
            FilesCall::Read { path, max } => Ok(fs.read(path, *max, out)?.into()),
            FilesCall::Write {
                path,
                content,
                len,
                mode,
            } => {
                fs.write(
                    path,
                    ContentRef {
                        blob: Some(*content),
                        len: *len,
                    },
                    *mode,
                    now,
                    out,
                )?;
                Ok(().into())
            }
            FilesCall::Copy { from, to } => Ok(fs.copy(from, to, now, out)?.into()),
            FilesCall::SyncFile { path, step } => {
                let durable = !is_ignored(step);
                Ok(fs.sync_file(path, durable, out)?.into())
            }
            FilesCall::SyncDir { path, step } => {
                let durable = !is_ignored(step);
                Ok(fs.sync_dir(path, durable, out)?.into())
            }
            FilesCall::Rename { from, to } => {
                fs.rename(from, to, now, out)?;
                self.layers_moved(from, to);
                self.layers.granted.moved(from, to);
                Ok(().into())
            }
            FilesCall::Replace { from, to } => {
                fs.replace(from, to, now, out)?;
                self.layers.granted.moved(from, to);
                Ok(().into())
            }
            FilesCall::RemoveFile(path) => {
                self.keep_layer_around(path, out)?;
                self.fs.remove_file(path, now, out)?;
                self.layers.granted.gone(path);
                Ok(().into())
            }
            FilesCall::RemoveDirAll(path) => {
                self.keep_layers_in(path, out)?;
                self.fs.remove_dir_all(path, now, out)?;
                self.layers.granted.gone(path);
                Ok(().into())
            }
            // A client that was killed takes no lock with it.
            FilesCall::Lock(_) if !self.clients.contains(client) => {
                Err(code::INVALID_HANDLE.into())
            }
            FilesCall::Lock(path) => Ok(fs.lock(path, client, now, out)?.into()),
            FilesCall::Unlock(lock) => Ok(fs.unlock(*lock, client)?.into()),
            FilesCall::CreateTree(path) => Ok(fs.create_tree(path, now, out)?.into()),
            FilesCall::FinishTree {
                tree,
                content,
                summary,
                step,
            } => {
                let durable = !is_ignored(step);
                fs.finish_tree(*tree, *content, *summary, durable, out)?;
                Ok((*summary).into())
            }
        }
    }
}
