//! Hard links: the names of one file.
//!
//! Same group, same data: Windows 7 images use a group again for other files (WIM-FORMAT, hard links).

use wcow_tree::Digest;

use super::tree::{NO_LINK, Tree};

/// Finds the files with several names, and gives each of their nodes the first of them. Returns how many directories have a
/// group, which means nothing.
pub(super) fn link(tree: &mut Tree) -> u64 {
    let mut directories = 0;
    let mut grouped: Vec<(u64, u32)> = Vec::new();
    for id in 0..tree.len() {
        let Some(entry) = tree.entry(id).filter(|entry| entry.slot() != 0) else {
            continue;
        };
        let attributes = entry.attributes();
        if attributes.is_reparse_point() {
            continue;
        }
        if attributes.is_directory() {
            directories += 1;
        } else {
            grouped.push((entry.slot(), id));
        }
    }
    grouped.sort_unstable();
    let mut names: Vec<(Digest, u32)> = Vec::new();
    for group in grouped.chunk_by(|a, b| a.0 == b.0) {
        if group.len() < 2 {
            continue;
        }
        names.clear();
        names.extend(group.iter().map(|(_, id)| (data_digest(tree, *id), *id)));
        names.sort_unstable();
        for file in names.chunk_by(|a, b| a.0 == b.0) {
            let first = file.first().map_or(NO_LINK, |(_, id)| *id);
            for (_, id) in file.iter().filter(|_| file.len() > 1) {
                if let Some(node) = tree.node_mut(*id) {
                    node.link = first;
                }
            }
        }
    }
    directories
}

fn data_digest(tree: &Tree, id: u32) -> Digest {
    let streams = tree.node(id).map(|node| tree.streams_of(node));
    streams
        .unwrap_or_default()
        .first()
        .filter(|stream| stream.name.is_none())
        .map_or(Digest::ZERO, |stream| stream.digest)
}
