//! Files and directories with all that a backup knows of them.

use wcow_host::WriteMode;
use wcow_ntmeta::{FileAttributes, FileTime, HostPath, Hresult, ReparsePoint, SecurityDescriptor};

use super::{Body, EMPTY, FileStreams, Fs, NodeId, code};
use crate::world::Outside;

/// What a backup knows of a file or directory.
#[derive(Clone, Debug)]
pub(crate) struct Restored {
    pub(crate) attributes: FileAttributes,
    pub(crate) security: Option<SecurityDescriptor>,
    pub(crate) reparse: Option<ReparsePoint>,
    pub(crate) streams: FileStreams,
}

impl Fs {
    /// Makes a file that is not there yet.
    pub(crate) fn restore_file(
        &mut self,
        path: &HostPath,
        restored: Restored,
        now: FileTime,
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        let mut streams = restored.streams.iter();
        let first = streams.next().map_or(EMPTY, |stream| stream.content);
        let node = self.write(path, first, WriteMode::CreateNew, now, out)?;
        let more: u64 = streams
            .map(|stream| stream.content.len)
            .fold(0, u64::saturating_add);
        self.free = self.free.checked_sub(more).ok_or(code::DISK_FULL)?;
        let streams = restored.streams.clone();
        if let Some(node) = self.nodes.get_mut(node) {
            node.charged = node.charged.saturating_add(more);
            if streams.first().is_some() {
                node.body = Body::File(streams);
            }
        }
        self.describe(node, restored);
        Ok(())
    }

    /// Gives a directory that is there what a backup knows of it.
    pub(crate) fn restore_directory(
        &mut self,
        path: &HostPath,
        restored: Restored,
        now: FileTime,
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        let mut restored = restored;
        restored.attributes |= FileAttributes::DIRECTORY;
        let node = self.create_dir_all(path, now, out)?;
        self.describe(node, restored);
        Ok(())
    }

    fn describe(&mut self, node: NodeId, restored: Restored) {
        if let Some(node) = self.nodes.get_mut(node) {
            node.attributes = restored.attributes;
            node.security = restored.security;
            node.reparse = restored.reparse;
        }
    }
}
