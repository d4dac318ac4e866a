//! The file system, as a client sees it. Contents go into and out of the blob store beside the calls.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use wcow_host::{
    DirEntry, FileBytes, FileLock, FileMetadata, FileSystem, HostError, Operation, Precaution,
    TreeSummary, WriteMode,
};
use wcow_ntmeta::{HostPath, Hresult};
use wcow_tree::{Entry, SinkError, StreamEnd, StreamRef, TreeSink};

use super::Face;
use crate::call::{ContentRef, FilesCall, TreeId};
use crate::fs::{SharedBuilder, TreeBuilder, code};
use crate::known;

/// Takes the entries and bytes of a tree for a simulated host. One that is never finished leaves an empty directory behind, or,
/// if its client is killed, any part of what was sent.
pub struct SimTree {
    tree: TreeId,
    builder: SharedBuilder,
}

impl SimTree {
    /// Does something with the tree, unless its client was killed: then whatever is sent goes nowhere.
    fn with(
        &self,
        act: impl FnOnce(&mut TreeBuilder) -> Result<(), SinkError>,
    ) -> Result<(), SinkError> {
        match &mut *self.builder.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(builder) => act(builder),
            None => Err(SinkError::message(
                "the client that writes the tree was killed",
            )),
        }
    }
}

impl TreeSink for SimTree {
    fn entry(&mut self, entry: &Entry) -> Result<(), SinkError> {
        self.with(|builder| builder.entry(entry))
    }

    fn open_stream(&mut self, stream: StreamRef) -> Result<bool, SinkError> {
        self.with(|builder| builder.open_stream(stream).map(drop))?;
        Ok(true)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        self.with(|builder| builder.write(bytes))
    }

    fn close_stream(&mut self, end: StreamEnd) -> Result<(), SinkError> {
        self.with(|builder| builder.close_stream(end))
    }
}

impl FileSystem for Face {
    type Tree = SimTree;

    fn metadata(
        &self,
        path: &HostPath,
    ) -> impl Future<Output = Result<Option<FileMetadata>, HostError>> + Send {
        self.call(FilesCall::Metadata(path.clone()))
    }

    fn list(
        &self,
        path: &HostPath,
    ) -> impl Future<Output = Result<Vec<DirEntry>, HostError>> + Send {
        self.call(FilesCall::List(path.clone()))
    }

    fn create_dir_all(
        &self,
        path: &HostPath,
    ) -> impl Future<Output = Result<(), HostError>> + Send {
        self.call(FilesCall::CreateDirAll(path.clone()))
    }

    async fn read(&self, path: &HostPath, max: u64) -> Result<FileBytes, HostError> {
        let content: ContentRef = self
            .call(FilesCall::Read {
                path: path.clone(),
                max,
            })
            .await?;
        let failed = |code: Hresult| HostError::new(Operation::ReadFile, path.to_string(), code);
        match content.blob {
            // Zeros without bytes, such as a virtual disk: the caller's `max` bounds them.
            None => match usize::try_from(content.len) {
                Ok(len) => Ok(vec![0; len].into()),
                Err(_) => Err(failed(code::FILE_TOO_LARGE)),
            },
            Some(blob) => match self.blobs.get(blob) {
                Ok(Some(bytes)) => {
                    Ok(FileBytes::with_sha256(bytes, blob.0).with_readings(known::readings(blob)))
                }
                _ => Err(failed(code::IO_DEVICE)),
            },
        }
    }

    async fn write(&self, path: &HostPath, bytes: &[u8], mode: WriteMode) -> Result<(), HostError> {
        let content = self
            .blobs
            .put(bytes)
            .map_err(|_| HostError::new(Operation::WriteFile, path.to_string(), code::IO_DEVICE))?;
        let len = bytes.len() as u64;
        self.call(FilesCall::Write {
            path: path.clone(),
            content,
            len,
            mode,
        })
        .await
    }

    fn copy_file(
        &self,
        from: &HostPath,
        to: &HostPath,
    ) -> impl Future<Output = Result<(), HostError>> + Send {
        self.call(FilesCall::Copy {
            from: from.clone(),
            to: to.clone(),
        })
    }

    fn sync_file(
        &self,
        path: &HostPath,
        step: Precaution,
    ) -> impl Future<Output = Result<(), HostError>> + Send {
        self.call(FilesCall::SyncFile {
            path: path.clone(),
            step: step.name().into(),
        })
    }

    fn sync_dir(
        &self,
        path: &HostPath,
        step: Precaution,
    ) -> impl Future<Output = Result<(), HostError>> + Send {
        self.call(FilesCall::SyncDir {
            path: path.clone(),
            step: step.name().into(),
        })
    }

    fn rename(
        &self,
        from: &HostPath,
        to: &HostPath,
    ) -> impl Future<Output = Result<(), HostError>> + Send {
        self.call(FilesCall::Rename {
            from: from.clone(),
            to: to.clone(),
        })
    }

    fn replace(
        &self,
        from: &HostPath,
        to: &HostPath,
    ) -> impl Future<Output = Result<(), HostError>> + Send {
        self.call(FilesCall::Replace {
            from: from.clone(),
            to: to.clone(),
        })
    }

    fn remove_file(&self, path: &HostPath) -> impl Future<Output = Result<(), HostError>> + Send {
        self.call(FilesCall::RemoveFile(path.clone()))
    }

    fn remove_dir_all(
        &self,
        path: &HostPath,
    ) -> impl Future<Output = Result<(), HostError>> + Send {
        self.call(FilesCall::RemoveDirAll(path.clone()))
    }

    fn lock(&self, path: &HostPath) -> impl Future<Output = Result<FileLock, HostError>> + Send {
        self.call(FilesCall::Lock(path.clone()))
    }

    fn unlock(&self, lock: FileLock) -> impl Future<Output = Result<(), HostError>> + Send {
        self.call(FilesCall::Unlock(lock))
    }

    async fn create_tree(&self, path: &HostPath) -> Result<SimTree, HostError> {
        let tree = self.call(FilesCall::CreateTree(path.clone())).await?;
        let builder = Arc::new(Mutex::new(Some(TreeBuilder::new(Arc::clone(&self.blobs)))));
        self.sim
            .lock()
            .add_builder(tree, self.id, Arc::clone(&builder));
        Ok(SimTree { tree, builder })
    }

    async fn finish_tree(&self, tree: SimTree, step: Precaution) -> Result<TreeSummary, HostError> {
        let SimTree { tree, builder } = tree;
        self.sim.lock().remove_builder(tree);
        let builder = builder
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let failed = |code| HostError::new(Operation::WriteTree, format!("tree {}", tree.0), code);
        let built = builder
            .ok_or_else(|| failed(code::INVALID_HANDLE))?
            .finish()
            .map_err(|_| failed(code::IO_DEVICE))?;
        let (content, summary) = (built.content, built.summary);
        self.sim.lock().trees.keep(content, built.tree);
        self.call(FilesCall::FinishTree {
            tree,
            content,
            summary,
            step: step.name().into(),
        })
        .await
    }
}
