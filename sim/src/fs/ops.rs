//! Changes to the virtual NTFS. Each either happens as a whole or not at all.

use std::sync::Arc;

use wcow_host::{FileLock, TreeSummary, WriteMode};
use wcow_ntmeta::{FileAttributes, FileTime, HostPath, Hresult, WideName};

use super::durable::NameChange;
use super::{
    Body, Child, Children, FileStreams, Fs, Lock, Node, NodeId, SealedTree, Spot, StreamData,
    child_of, code,
};
use crate::blobs::BlobId;
use crate::call::{ClientId, ContentRef, TreeId};
use crate::world::Outside;

impl Fs {
    /// Creates a directory and its missing parents. One that is there is no error.
    pub(crate) fn create_dir_all(
        &mut self,
        path: &HostPath,
        now: FileTime,
        out: &mut Outside<'_>,
    ) -> Result<NodeId, Hresult> {
        self.check_path(path)?;
        let root = self.root(path).ok_or(code::PATH_NOT_FOUND)?;
        self.create_dirs(root, path.components(), now, out)
    }

    /// Creates the directories of these names, one below the other, where they are missing.
    pub(crate) fn create_dirs<'n>(
        &mut self,
        root: NodeId,
        names: impl IntoIterator<Item = &'n [u16]>,
        now: FileTime,
        out: &mut Outside<'_>,
    ) -> Result<NodeId, Hresult> {
        let mut directory = root;
        for name in names {
            directory = match self.open_child(directory, name, out)? {
                Some(child) if self.is_directory(&Spot::Node(child)) => child,
                Some(_) => return Err(code::ALREADY_EXISTS),
                None => {
                    let child = self.new_directory(now);
                    self.link(directory, name, child, now);
                    child
                }
            };
        }
        Ok(directory)
    }

    /// The contents of a file of at most `max` bytes.
    pub(crate) fn read(
        &self,
        path: &HostPath,
        max: u64,
        out: &mut Outside<'_>,
    ) -> Result<ContentRef, Hresult> {
        let spot = self.existing_file(path, out)?;
        let content = self.content(&spot).ok_or(code::ACCESS_DENIED)?;
        if content.len > max {
            Err(code::FILE_TOO_LARGE)
        } else {
            Ok(content)
        }
    }

    /// Writes a whole file.
    pub(crate) fn write(
        &mut self,
        path: &HostPath,
        content: ContentRef,
        mode: WriteMode,
        now: FileTime,
        out: &mut Outside<'_>,
    ) -> Result<NodeId, Hresult> {
        self.check_path(path)?;
        let (directory, name) = self.parent_node(path, out)?;
        self.write_in(directory, name, content, mode, now, out)
    }

    /// Writes a whole file in a directory.
    pub(crate) fn write_in(
        &mut self,
        directory: NodeId,
        name: &[u16],
        content: ContentRef,
        mode: WriteMode,
        now: FileTime,
        out: &mut Outside<'_>,
    ) -> Result<NodeId, Hresult> {
        self.unseal(directory, out)?;
        match (self.child_node(directory, name), mode) {
            (Some(node), _) if self.is_delete_pending(node) => Err(code::DELETE_PENDING),
            (Some(_), WriteMode::CreateNew) => Err(code::FILE_EXISTS),
            (Some(node), WriteMode::Overwrite) => {
                self.check_changeable(node)?;
                self.set_content(node, content, now)?;
                Ok(node)
            }
            (None, _) => {
                if content.len > self.free {
                    return Err(code::DISK_FULL);
                }
                let mut file = Node::new(
                    FileAttributes::ARCHIVE,
                    now,
                    Body::File(unnamed(content).into()),
                );
                file.charged = content.len;
                self.free -= content.len;
                let node = self.add(file);
                self.link(directory, name, node, now);
                self.unsynced.rewritten(node, FileStreams::default);
                Ok(node)
            }
        }
    }

    /// Copies a file to a name that is not there yet.
    pub(crate) fn copy(
        &mut self,
        from: &HostPath,
        to: &HostPath,
        now: FileTime,
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        let spot = self.existing_file(from, out)?;
        let content = self.content(&spot).ok_or(code::ACCESS_DENIED)?;
        let metadata = self.metadata(&spot);
        let node = self.write(to, content, WriteMode::CreateNew, now, out)?;
        if let Some(node) = self.nodes.get_mut(node) {
            node.attributes = metadata.attributes;
            node.written = metadata.written;
        }
        Ok(())
    }

    /// Deletes a file.
    pub(crate) fn remove_file(
        &mut self,
        path: &HostPath,
        now: FileTime,
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        self.existing_file(path, out)?;
        let (directory, name) = self.parent_node(path, out)?;
        let node = self
            .child_node(directory, name)
            .ok_or(code::FILE_NOT_FOUND)?;
        self.check_changeable(node)?;
        if !self.delete_later(node, directory, name) {
            self.remove(directory, name, node, now);
        }
        Ok(())
    }

    /// Deletes a directory and all below it.
    pub(crate) fn remove_dir_all(
        &mut self,
        path: &HostPath,
        now: FileTime,
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        let spot = self.find(path, out)?.ok_or(code::PATH_NOT_FOUND)?;
        if !self.is_directory(&spot) {
            return Err(code::DIRECTORY);
        }
        if path.is_root() {
            return Err(code::ACCESS_DENIED);
        }
        let (directory, name) = self.parent_node(path, out)?;
        let node = self
            .child_node(directory, name)
            .ok_or(code::PATH_NOT_FOUND)?;
        if self.is_held_below(node) {
            return Err(code::SHARING_VIOLATION);
        }
        if self.is_open_elsewhere_below(node) {
            self.remove_around_open(node, now);
            return Err(code::DIR_NOT_EMPTY);
        }
        self.remove(directory, name, node, now);
        Ok(())
    }

    /// Opens a file, created if missing, for one client alone.
    pub(crate) fn lock(
        &mut self,
        path: &HostPath,
        client: ClientId,
        now: FileTime,
        out: &mut Outside<'_>,
    ) -> Result<FileLock, Hresult> {
        self.check_path(path)?;
        let (directory, name) = self.parent_node(path, out)?;
        let node = match self.child_node(directory, name) {
            Some(node) if self.is_directory(&Spot::Node(node)) => return Err(code::ACCESS_DENIED),
            Some(node) if self.is_held(&Spot::Node(node)) => return Err(code::SHARING_VIOLATION),
            Some(node) if self.is_delete_pending(node) => return Err(code::DELETE_PENDING),
            Some(node) => node,
            None => self.write_in(
                directory,
                name,
                super::EMPTY,
                WriteMode::CreateNew,
                now,
                out,
            )?,
        };
        Ok(self.add_lock(Lock {
            node,
            client: Some(client),
        }))
    }

    /// Gives a client's lock back.
    pub(crate) fn unlock(&mut self, lock: FileLock, client: ClientId) -> Result<(), Hresult> {
        match self.locks.get(lock.0) {
            Some(held) if held.client == Some(client) => {
                self.release(lock);
                Ok(())
            }
            _ => Err(code::INVALID_HANDLE),
        }
    }

    /// Begins a tree: an empty directory, until it is finished.
    pub(crate) fn create_tree(
        &mut self,
        path: &HostPath,
        now: FileTime,
        out: &mut Outside<'_>,
    ) -> Result<TreeId, Hresult> {
        self.check_path(path)?;
        if path.is_root() {
            return Err(code::ALREADY_EXISTS);
        }
        let (directory, name) = self.parent_node(path, out)?;
        if self.child_node(directory, name).is_some() {
            return Err(code::ALREADY_EXISTS);
        }
        let root = self.new_directory(now);
        self.link(directory, name, root, now);
        self.next_tree += 1;
        let tree = TreeId(self.next_tree);
        self.building.insert(tree, root);
        Ok(tree)
    }

    /// Ends a tree: its directory is sealed, and holds all that was sent. It is not durable if the step is ignored.
    pub(crate) fn finish_tree(
        &mut self,
        tree: TreeId,
        content: BlobId,
        summary: TreeSummary,
        durable: bool,
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        let root = self.building.remove(&tree).ok_or(code::INVALID_HANDLE)?;
        let sealed = out.trees.load(content, out.blobs).ok_or(code::IO_DEVICE)?;
        let free = self
            .free
            .checked_sub(summary.bytes)
            .ok_or(code::DISK_FULL)?;
        let node = self.nodes.get_mut(root).ok_or(code::PATH_NOT_FOUND)?;
        let mut sealed = sealed_node(&sealed, content, 0);
        sealed.charged = summary.bytes;
        let before = std::mem::replace(node, sealed);
        self.recent.forget(root);
        self.free = free;
        // What somebody else wrote there meanwhile is gone.
        if let Body::Directory(children) = before.body {
            children
                .values()
                .for_each(|child| drop(self.drop_tree(child.node)));
        }
        self.unsynced.replaced(root);
        if !durable {
            self.unsynced.trees.insert(root, content);
        }
        Ok(())
    }

    /// Makes a file a size without bytes, such as a virtual disk.
    pub(crate) fn write_sparse(
        &mut self,
        path: &HostPath,
        len: u64,
        now: FileTime,
        out: &mut Outside<'_>,
    ) -> Result<NodeId, Hresult> {
        self.write(
            path,
            ContentRef { blob: None, len },
            WriteMode::Overwrite,
            now,
            out,
        )
    }

    /// Takes a name out of a directory, and deletes what it stands for with all below it.
    pub(super) fn remove(&mut self, directory: NodeId, name: &[u16], node: NodeId, now: FileTime) {
        let change = self.take_name(directory, name, now);
        let removed = self.drop_tree(node);
        if let Some(change) = change {
            self.unsynced.changed(change, &removed);
        }
    }

    /// Deletes a file or directory that has no name any more, with all below it. Gives the directory and what was below it, in
    /// order; nothing for a file. The disk may still have a name for it, so it is kept.
    pub(super) fn drop_tree(&mut self, node: NodeId) -> Vec<NodeId> {
        let mut removed = Vec::new();
        let (mut next, mut left) = (Some(node), Vec::new());
        while let Some(id) = next.take().or_else(|| left.pop()) {
            if let Some(node) = self.nodes.remove(id) {
                self.free = self.free.saturating_add(node.charged);
                match &node.body {
                    Body::Directory(children) => {
                        removed.push(id);
                        left.extend(children.values().map(|child| child.node));
                    }
                    Body::Sealed { .. } => removed.push(id),
                    Body::File(_) => {}
                }
                self.unsynced.kept.insert(id, node);
            }
        }
        removed.sort_unstable();
        removed
    }

    /// Gives a new file a name in a directory that is not sealed.
    fn link(&mut self, directory: NodeId, name: &[u16], child: NodeId, now: FileTime) {
        let change = self.give_name(directory, name, child, now);
        if let Some(change) = change {
            self.unsynced.changed(change, &[]);
        }
    }

    pub(super) fn take_name(
        &mut self,
        directory: NodeId,
        name: &[u16],
        now: FileTime,
    ) -> Option<NameChange> {
        let node = self.nodes.get_mut(directory)?;
        let Body::Directory(children) = &mut node.body else {
            return None;
        };
        let before = children.remove(name)?;
        node.written = now;
        if self.is_directory(&Spot::Node(before.node)) {
            self.recent.forget(before.node);
        }
        Some(NameChange {
            directory,
            before: Some(before),
            after: None,
        })
    }

    pub(super) fn give_name(
        &mut self,
        directory: NodeId,
        name: &[u16],
        child: NodeId,
        now: FileTime,
    ) -> Option<NameChange> {
        let node = self.nodes.get_mut(directory)?;
        let Body::Directory(children) = &mut node.body else {
            return None;
        };
        let after = Child {
            name: name.into(),
            node: child,
        };
        let before = children.insert(after.clone());
        node.written = now;
        Some(NameChange {
            directory,
            before,
            after: Some(after),
        })
    }

    /// The directory that holds a path's last name, opened for writing, and that name.
    pub(crate) fn parent_node<'p>(
        &mut self,
        path: &'p HostPath,
        out: &mut Outside<'_>,
    ) -> Result<(NodeId, &'p [u16]), Hresult> {
        let root = || self.root(path).ok_or(code::PATH_NOT_FOUND);
        let Some(name) = path.file_name() else {
            root()?;
            return Err(code::ACCESS_DENIED);
        };
        let directory = match self.find_parent(path, out)? {
            Some(Spot::Node(directory)) => directory,
            _ => {
                let root = root()?;
                let mut parents = path.components();
                parents.next_back();
                parents.try_fold(root, |directory, parent| {
                    self.open_child(directory, parent, out)?
                        .ok_or(code::PATH_NOT_FOUND)
                })?
            }
        };
        if !self.is_directory(&Spot::Node(directory)) {
            return Err(code::PATH_NOT_FOUND);
        }
        self.unseal(directory, out)?;
        Ok((directory, name))
    }

    /// Whether a file, or one below a directory, is held open.
    pub(crate) fn is_held_below(&self, node: NodeId) -> bool {
        if self.locks.is_empty() {
            return false;
        }
        let mut left = vec![node];
        while let Some(id) = left.pop() {
            if self.is_held(&Spot::Node(id)) {
                return true;
            }
            if let Some(Body::Directory(children)) = self.node(id).map(|node| &node.body) {
                left.extend(children.values().map(|child| child.node));
            }
        }
        false
    }

    /// What a directory that is not sealed holds under a name.
    pub(super) fn child_node(&self, directory: NodeId, name: &[u16]) -> Option<NodeId> {
        match &self.node(directory)?.body {
            Body::Directory(children) => child_of(children, name),
            _ => None,
        }
    }

    /// What a directory holds under a name, the directory opened for writing.
    fn open_child(
        &mut self,
        directory: NodeId,
        name: &[u16],
        out: &mut Outside<'_>,
    ) -> Result<Option<NodeId>, Hresult> {
        match self.node(directory).map(|node| &node.body) {
            Some(Body::Directory(children)) => Ok(child_of(children, name)),
            Some(Body::Sealed { .. }) => {
                self.unseal(directory, out)?;
                Ok(self.child_node(directory, name))
            }
            Some(Body::File(_)) | None => Ok(None),
        }
    }

    /// Opens the seal of one directory: its names become nodes, the directories among them sealed ones.
    fn unseal(&mut self, directory: NodeId, out: &mut Outside<'_>) -> Result<(), Hresult> {
        let Some(Body::Sealed { tree: id, entry }) = self.node(directory).map(|node| &node.body)
        else {
            return Ok(());
        };
        let (id, entry) = (*id, *entry);
        let tree = out.trees.load(id, out.blobs).ok_or(code::IO_DEVICE)?;
        let mut children = Children::new();
        let mut charged = 0;
        for child in tree.children(entry) {
            let node = sealed_node(&tree, id, child);
            charged += node.charged;
            let name = tree.name(child);
            children.insert(Child {
                name,
                node: self.add(node),
            });
        }
        if let Some(node) = self.nodes.get_mut(directory) {
            node.body = Body::Directory(children);
            node.charged = node.charged.saturating_sub(charged);
        }
        self.recent.forget(directory);
        Ok(())
    }

    /// A file that can be opened: it is there, is no directory, and nobody holds it.
    fn existing_file(&self, path: &HostPath, out: &mut Outside<'_>) -> Result<Spot, Hresult> {
        let Some(spot) = self.find(path, out)? else {
            let parent = self.find_parent(path, out)?;
            let parent_is_there = parent.is_some_and(|parent| self.is_directory(&parent));
            return Err(if parent_is_there {
                code::FILE_NOT_FOUND
            } else {
                code::PATH_NOT_FOUND
            });
        };
        if self.is_directory(&spot) {
            Err(code::ACCESS_DENIED)
        } else if self.is_held(&spot) {
            Err(code::SHARING_VIOLATION)
        } else if matches!(spot, Spot::Node(node) if self.is_delete_pending(node)) {
            Err(code::DELETE_PENDING)
        } else {
            Ok(spot)
        }
    }

    /// Refuses a directory, a read-only file, and one that is held open.
    pub(super) fn check_changeable(&self, node: NodeId) -> Result<(), Hresult> {
        let read_only = self
            .node(node)
            .is_some_and(|node| node.attributes.contains(FileAttributes::READONLY));
        if read_only || self.is_directory(&Spot::Node(node)) {
            Err(code::ACCESS_DENIED)
        } else if self.is_held(&Spot::Node(node)) {
            Err(code::SHARING_VIOLATION)
        } else if self.is_delete_pending(node) {
            Err(code::DELETE_PENDING)
        } else {
            Ok(())
        }
    }

    fn set_content(
        &mut self,
        node: NodeId,
        content: ContentRef,
        now: FileTime,
    ) -> Result<(), Hresult> {
        let id = node;
        let node = self.nodes.get_mut(id).ok_or(code::FILE_NOT_FOUND)?;
        let Body::File(streams) = &mut node.body else {
            return Err(code::ACCESS_DENIED);
        };
        let old = streams.first().map_or(0, |stream| stream.content.len);
        let free = self
            .free
            .saturating_add(old)
            .checked_sub(content.len)
            .ok_or(code::DISK_FULL)?;
        self.unsynced.rewritten(id, || streams.clone());
        match streams.first_mut() {
            Some(stream) => stream.content = content,
            None => streams.push(unnamed(content)),
        }
        node.charged = node.charged.saturating_sub(old).saturating_add(content.len);
        node.written = now;
        self.free = free;
        Ok(())
    }
}

fn unnamed(content: ContentRef) -> StreamData {
    StreamData {
        name: WideName::new(),
        content,
    }
}

/// The node of an entry of a sealed tree; a directory stays sealed.
pub(super) fn sealed_node(tree: &Arc<SealedTree>, id: BlobId, entry: u32) -> Node {
    let body = if tree.is_directory(entry) {
        Body::Sealed { tree: id, entry }
    } else {
        Body::File(tree.streams(entry).cloned().unwrap_or_default())
    };
    let mut node = Node::new(FileAttributes::default(), FileTime::ZERO, body);
    tree.describe(entry, &mut node);
    node.charged = tree.bytes_below(entry);
    node
}
