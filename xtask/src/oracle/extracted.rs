//! Two extracted trees, compared name by name and byte by byte.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha1::{Digest, Sha1};
use wcow_tree::names::{NameRule, written_name};

use crate::oracle::metadata::wide;

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

/// What wimlib extracted, under the names that we write.
///
/// wimlib writes a lone surrogate as three bytes; we escape it, and a few names more, by the rule of [`wcow_tree::names`].
pub(crate) fn renamed(theirs: &BTreeMap<OsString, Node>) -> BTreeMap<OsString, Node> {
    let node = |node: &Node| match node {
        Node::Link(target) => Node::Link(written_path(target.as_os_str()).into()),
        other => other.clone(),
    };
    theirs
        .iter()
        .map(|(path, at)| (written_path(path), node(at)))
        .collect()
}

/// Lists what differs, one line for each path. What is left out on purpose is only counted, by reason.
pub(crate) fn compare(
    theirs: &BTreeMap<OsString, Node>,
    ours: &BTreeMap<OsString, Node>,
    left_out: &mut BTreeMap<&'static str, usize>,
) -> Vec<String> {
    let mut lines = Vec::new();
    for (path, node) in theirs {
        let shown = path.display();
        let our = ours.get(path);
        match (node, our) {
            _ if our == Some(node) => {}
            (Node::Link(_), None) => leave_out(
                left_out,
                "a link that leads out of the tree or is not made at all; we report it",
            ),
            (Node::Link(target), Some(Node::Link(_))) if target.is_absolute() => {
                leave_out(
                    left_out,
                    "the target of an absolute link: wimlib makes it absolute, we make it relative",
                );
            }
            (Node::File { written, .. }, Some(Node::File { written: our, .. }))
                if written != our && !time_fits(*written) =>
            {
                leave_out(
                    left_out,
                    "a time of the last write that the disk cannot hold",
                );
            }
            (_, None) => lines.push(format!(
                "{shown}: not extracted by us, by wimlib as {node:?}"
            )),
            (_, Some(our)) => lines.push(format!("{shown}: {our:?}, by wimlib {node:?}")),
        }
    }
    let only_ours = ours.iter().filter(|(path, _)| !theirs.contains_key(*path));
    lines.extend(
        only_ours
            .map(|(path, node)| format!("{}: extracted by us only, as {node:?}", path.display())),
    );
    lines
}

fn leave_out(left_out: &mut BTreeMap<&'static str, usize>, reason: &'static str) {
    *left_out.entry(reason).or_default() += 1;
}

/// Times that any disk holds: from 1970 to 2106.
fn time_fits(seconds: i64) -> bool {
    u32::try_from(seconds).is_ok()
}

fn written_path(path: &OsStr) -> OsString {
    let names = path.as_encoded_bytes().split(|byte| *byte == b'/');
    let written = names.map(|name| match name {
        // Parts of a link's target, which are no names.
        b"" | b"." | b".." => String::from_utf8_lossy(name).into_owned(),
        name => written_name(&wide(name), NameRule::Unix),
    });
    let written: Vec<String> = written.collect();
    written.join("/").into()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    #[test]
    fn plain_paths_stay_as_they_are() {
        assert_eq!(super::written_path(OsStr::new("a/b c")), "a/b c");
    }
}
