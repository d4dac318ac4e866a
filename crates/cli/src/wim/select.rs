//! Which files of an image a command is about.

use wcow_ntmeta::RelPath;
use wcow_wim::{Image, NodeId};

use super::glob::{Glob, Reached};
use super::missing;
use crate::failure::{Failure, exit};

/// What is in a folder, by name; with everything below it if asked for.
pub(super) fn below(image: &Image, folder: NodeId, depth: Depth) -> Vec<NodeId> {
    let mut found = Vec::new();
    let mut open = Vec::new();
    push_children(image, folder, &mut open, |node| node);
    while let Some(node) = open.pop() {
        found.push(node);
        if depth == Depth::All {
            push_children(image, node, &mut open, |node| node);
        }
    }
    found
}

/// How far down a listing goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Not at all: what is named itself.
    Itself,
    /// Only what is right in a folder.
    One,
    /// Everything below it.
    All,
}

/// What these paths and patterns stand for: a file, what is in a folder, all that matches; each once.
pub(super) fn matching(
    image: &Image,
    patterns: &[String],
    depth: Depth,
) -> Result<Vec<NodeId>, Failure> {
    let mut found = Vec::new();
    for pattern in patterns {
        // A name may look like a pattern: what is there by that name is meant.
        if let Some(node) = image.lookup(&RelPath::parse(pattern)) {
            if image.is_directory(node) && depth != Depth::Itself {
                found.extend(below(image, node, depth));
            } else {
                found.push(node);
            }
            continue;
        }
        let glob = Glob::new(pattern).ok_or_else(|| {
            Failure::new(
                exit::USAGE,
                format!("the pattern {pattern:?} has more than 63 components"),
            )
        })?;
        if !glob.has_wildcards() {
            return Err(missing(image, pattern));
        }
        let before = found.len();
        walk(image, &glob, depth, &mut found);
        if found.len() == before {
            return Err(
                Failure::new(exit::NOT_FOUND, format!("nothing matches {pattern:?}"))
                    .help("a pattern is a whole path; * stays within one name, ** does not"),
            );
        }
    }
    if patterns.len() > 1 {
        let mut seen = std::collections::HashSet::with_capacity(found.len());
        found.retain(|node| seen.insert(*node));
    }
    Ok(found)
}

/// Goes only where the pattern can match.
fn walk(image: &Image, glob: &Glob, depth: Depth, found: &mut Vec<NodeId>) {
    /// A node that is to be looked at: by the pattern, or as part of a folder that matched.
    type Open = (NodeId, Option<Reached>);
    let mut open: Vec<Open> = Vec::new();
    let step =
        |reached: Reached| move |node: NodeId| (node, Some(glob.step(reached, image.name(node))));
    push_children(image, image.root(), &mut open, step(glob.start()));
    while let Some((node, reached)) = open.pop() {
        let is_match = reached.is_none_or(|reached| glob.is_match(reached));
        if is_match {
            found.push(node);
        }
        if is_match && depth == Depth::All {
            push_children(image, node, &mut open, |node| (node, None));
        } else if let Some(reached) = reached.filter(|reached| glob.leads_on(*reached)) {
            push_children(image, node, &mut open, step(reached));
        }
    }
}

/// Puts the children of a folder onto a stack, so that they come off it by name, as Windows sorts them.
fn push_children<T>(image: &Image, folder: NodeId, stack: &mut Vec<T>, item: impl Fn(NodeId) -> T) {
    let children = image.children(folder);
    if children.len() < 2 {
        stack.extend(children.map(item));
        return;
    }
    let mut children: Vec<NodeId> = children.collect();
    children.sort_by(|a, b| {
        let (a, b) = (image.name(*a), image.name(*b));
        a.cmp_ignore_case(b).then_with(|| a.cmp(&b))
    });
    stack.extend(children.into_iter().rev().map(item));
}
