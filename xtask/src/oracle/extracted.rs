//! Two extracted trees, compared name by name and byte by byte.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha1::{Digest, Sha1};

/// What lies at a path of an extracted tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// A folder.
    Dir,
    /// A file: its length, SHA-1 and time of the last write (Unix seconds).
    File {
        len: u64,
        digest: String,
        written: i64,
    },
    /// A symbolic link and its target.
    Link(PathBuf),
}

/// Every path below a folder, links not followed.
pub(crate) fn read(dir: &Path) -> Result<BTreeMap<OsString, Node>> {
    let mut nodes = BTreeMap::new();
    let mut waiting = vec![PathBuf::new()];
    while let Some(folder) = waiting.pop() {
        let path = dir.join(&folder);
        for entry in
            std::fs::read_dir(&path).with_context(|| format!("cannot list {}", path.display()))?
        {
            let entry = entry?;
            let name = folder.join(entry.file_name());
            let node = node(&entry.path())?;
            if node == Node::Dir {
                waiting.push(name.clone());
            }
            nodes.insert(name.into_os_string(), node);
        }
    }
    Ok(nodes)
}

fn node(path: &Path) -> Result<Node> {
    let data = path.symlink_metadata()?;
    if data.is_symlink() {
        return Ok(Node::Link(std::fs::read_link(path)?));
    }
    if data.is_dir() {
        return Ok(Node::Dir);
    }
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let digest = Sha1::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let written = match data.modified()?.duration_since(std::time::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs())?,
        Err(before) => -i64::try_from(before.duration().as_secs())?,
    };
    Ok(Node::File {
        len: data.len(),
        digest,
        written,
    })
}

/// Lists what differs, one line for each path.
pub(crate) fn compare(
    theirs: &BTreeMap<OsString, Node>,
    ours: &BTreeMap<OsString, Node>,
) -> Vec<String> {
    let mut lines = Vec::new();
    for (path, node) in theirs {
        let path_shown = path.display();
        match ours.get(path) {
            None => lines.push(format!(
                "{path_shown}: not extracted by us, by wimlib as {node:?}"
            )),
            Some(our) if our != node => {
                lines.push(format!("{path_shown}: {our:?}, by wimlib {node:?}"))
            }
            Some(_) => {}
        }
    }
    let only_ours = ours.iter().filter(|(path, _)| !theirs.contains_key(*path));
    lines.extend(
        only_ours
            .map(|(path, node)| format!("{}: extracted by us only, as {node:?}", path.display())),
    );
    lines
}
