//! `wcow wim ls`.

use serde::Serialize;
use wcow_ntmeta::FileTime;
use wcow_wim::{Image, NodeId, StreamRole, Wim};

use super::glob::Glob;
use super::{choose, find, load};
use crate::args::WimLsArgs;
use crate::failure::{Failure, exit};
use crate::output::{Output, note, plain};

/// One line of a listing.
#[derive(Serialize)]
struct Line {
    path: String,
    kind: &'static str,
    size: u64,
    attributes: u32,
    created: FileTime,
    written: FileTime,
    accessed: FileTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    short_name: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    streams: Vec<StreamLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reparse_tag: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha1: Option<String>,
}

/// An alternate data stream of a file.
#[derive(Serialize)]
struct StreamLine {
    name: String,
    size: u64,
    sha1: Option<String>,
}

/// Lists an image, a folder of it, or what matches.
pub(crate) fn run(args: &WimLsArgs, output: &Output) -> Result<(), Failure> {
    let wim = args.source.open()?;
    let (index, globs) = image_and_globs(&wim, args)?;
    let image = load(&wim, &args.source.file, index)?;
    let nodes = if globs.is_empty() {
        below(&image, image.root(), args.recursive)
    } else {
        matching(&image, &globs, args)?
    };
    let lines: Vec<Line> = nodes.into_iter().map(|node| line(&image, node)).collect();
    if output.is_json() {
        output.json("wim.entry", &lines)?;
    } else if args.long {
        output.list(
            "wim.entry",
            &lines,
            &["ATTRIBUTES", "SIZE", "WRITTEN", "PATH"],
            |line| {
                vec![
                    attributes(line.attributes),
                    line.size.to_string(),
                    line.written.to_string(),
                    shown(line),
                ]
            },
        )?;
    } else {
        output.text(
            &lines
                .iter()
                .map(|line| shown(line) + "\n")
                .collect::<String>(),
        )?;
    }
    for warning in image.warnings() {
        note(&format!("warning: {warning}"));
    }
    Ok(())
}

/// The image may be left out when there is one: a first word that names no image is a pattern then.
fn image_and_globs(
    wim: &Wim,
    args: &WimLsArgs,
) -> Result<(wcow_wim::ImageIndex, Vec<String>), Failure> {
    let mut globs = args.globs.clone();
    let image = match &args.image {
        Some(word) if wim.image_count() == 1 && wim.find_image(word).is_err() => {
            globs.insert(0, word.clone());
            None
        }
        word => word.as_deref(),
    };
    Ok((choose(wim, &args.source.file, image)?, globs))
}

/// What is in a folder; with everything below it if asked for.
fn below(image: &Image, folder: NodeId, recursive: bool) -> Vec<NodeId> {
    let mut found = Vec::new();
    let mut open: Vec<NodeId> = sorted(image, folder);
    open.reverse();
    while let Some(node) = open.pop() {
        found.push(node);
        if recursive && image.is_directory(node) {
            let mut children = sorted(image, node);
            children.reverse();
            open.extend(children);
        }
    }
    found
}

/// The children of a folder by name, as Windows sorts them.
fn sorted(image: &Image, folder: NodeId) -> Vec<NodeId> {
    let mut children: Vec<NodeId> = image.children(folder).collect();
    children.sort_by(|a, b| {
        let (a, b) = (image.name(*a), image.name(*b));
        a.cmp_ignore_case(b).then_with(|| a.cmp(b))
    });
    children
}

fn matching(image: &Image, globs: &[String], args: &WimLsArgs) -> Result<Vec<NodeId>, Failure> {
    let mut found = Vec::new();
    for pattern in globs {
        if !pattern.contains(['*', '?']) {
            let node = find(image, pattern)?;
            if image.is_directory(node) {
                found.extend(below(image, node, args.recursive));
            } else {
                found.push(node);
            }
            continue;
        }
        let glob = Glob::new(pattern);
        let before = found.len();
        for node in below(image, image.root(), true) {
            if glob.matches(image.path(node).components()) {
                found.push(node);
                if args.recursive {
                    found.extend(below(image, node, true));
                }
            }
        }
        if found.len() == before {
            return Err(
                Failure::new(exit::NOT_FOUND, format!("nothing matches {pattern:?}"))
                    .help("a pattern is a whole path; * stays within one name"),
            );
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|node| seen.insert(*node));
    Ok(found)
}

fn line(image: &Image, node: NodeId) -> Line {
    let times = image.times(node);
    let sha1 = |digest: wcow_tree::Digest| (!digest.is_zero()).then(|| digest.to_string());
    let streams = image.streams(node);
    Line {
        path: image.path(node).to_string(),
        kind: match (
            image.is_directory(node),
            image.attributes(node).is_reparse_point(),
        ) {
            (true, false) => "directory",
            (true, true) => "directory-link",
            (false, true) => "link",
            (false, false) => "file",
        },
        size: image.data_len(node).unwrap_or(0),
        attributes: image.attributes(node).bits(),
        created: times.created,
        written: times.written,
        accessed: times.accessed,
        short_name: image.short_name(node).map(ToString::to_string),
        streams: streams
            .iter()
            .filter(|stream| stream.role == StreamRole::Named)
            .map(|stream| StreamLine {
                name: stream
                    .name
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                size: image.stream_len(stream).unwrap_or(0),
                sha1: sha1(stream.digest),
            })
            .collect(),
        reparse_tag: image.reparse_tag(node),
        sha1: streams
            .iter()
            .find(|stream| matches!(stream.role, StreamRole::Data | StreamRole::EncryptedRaw))
            .and_then(|stream| sha1(stream.digest)),
    }
}

/// The path, with a separator behind folders; control characters of hostile names are escaped.
fn shown(line: &Line) -> String {
    let mut text = plain(&line.path);
    if line.kind == "directory" {
        text.push('\\');
    }
    text
}

/// `d` directory, `r` read-only, `h` hidden, `s` system, `a` archive, `l` reparse point.
fn attributes(bits: u32) -> String {
    [
        (0x10, 'd'),
        (0x1, 'r'),
        (0x2, 'h'),
        (0x4, 's'),
        (0x20, 'a'),
        (0x400, 'l'),
    ]
    .into_iter()
    .map(|(bit, letter)| if bits & bit == 0 { '-' } else { letter })
    .collect()
}
