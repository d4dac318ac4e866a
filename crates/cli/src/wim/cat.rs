//! `wcow wim cat`.
//!
//! A stream is named as Windows names it, `path:stream:type`:
//!
//! | path | what it is |
//! |---|---|
//! | `path`, `path::$DATA` | the contents of a file |
//! | `path:stream`, `path:stream:$DATA` | an alternate data stream |
//! | `path::$REPARSE_POINT` | the whole reparse point: tag, length, 0, data (REPARSE_DATA_BUFFER of [MS-FSCC]) |
//! | `path::$EFS` | the raw backup of an encrypted file ([MS-EFSR] 2.2.3); Windows has no name of this form for it |

use std::io::{self, Write};
use std::ops::ControlFlow;

use wcow_ntmeta::{RelPath, WideName};
use wcow_tree::Digest;
use wcow_wim::{Image, NodeId, ReadError, StreamRole, Wim};

use super::ls::target_name;
use super::paths::escaped;
use super::{choose, find, load, read_failure};
use crate::args::WimCatArgs;
use crate::failure::{Failure, exit};

/// Writes one stream of one file to standard output.
pub(crate) fn run(args: &WimCatArgs) -> Result<(), Failure> {
    let (file, path) = (&args.source.file, args.path.as_str());
    let wim = args.source.open()?;
    let image = load(&wim, file, choose(&wim, file, Some(&args.image))?)?;
    let (node, wanted) = named(&image, path)?;
    let digest = match wanted {
        Wanted::Contents => contents(&image, node, path)?,
        Wanted::Stream(name) => stream(&image, node, path, name)?,
        Wanted::Encrypted => encrypted(&image, node, path)?,
        Wanted::ReparsePoint => {
            let buffer = reparse_point(&image, node, path)?;
            let mut out = io::stdout().lock();
            out.write_all(&buffer)?;
            return Ok(out.flush()?);
        }
    };
    if digest.is_zero() {
        return Ok(());
    }
    send(&wim, &digest, path)
}

/// What of a file is asked for.
enum Wanted<'p> {
    Contents,
    Stream(&'p str),
    ReparsePoint,
    Encrypted,
}

/// The file, and what of it is meant. A name that has a colon in it is found as well.
fn named<'p>(image: &Image, path: &'p str) -> Result<(NodeId, Wanted<'p>), Failure> {
    if let Some(node) = image.lookup(&RelPath::parse(path)) {
        return Ok((node, Wanted::Contents));
    }
    let name_at = path.rfind(['/', '\\']).map_or(0, |separator| separator + 1);
    let (folder, name) = path.split_at(name_at);
    let Some((name, stream)) = name.split_once(':') else {
        return find(image, path).map(|node| (node, Wanted::Contents));
    };
    let (stream, kind) = stream.split_once(':').unwrap_or((stream, "$DATA"));
    let is = |wanted: &str| kind.eq_ignore_ascii_case(wanted);
    let wanted = match stream {
        "" if is("$REPARSE_POINT") => Wanted::ReparsePoint,
        "" if is("$EFS") => Wanted::Encrypted,
        "" if is("$DATA") => Wanted::Contents,
        stream if is("$DATA") => Wanted::Stream(stream),
        _ => {
            return Err(Failure::new(
                exit::USAGE,
                format!("{path:?} names no stream that a WIM can hold"),
            )
            .help("path:stream, path::$REPARSE_POINT or path::$EFS"));
        }
    };
    find(image, &format!("{folder}{name}")).map(|node| (node, wanted))
}

/// The contents of a file, if it has any that are its own.
fn contents(image: &Image, node: NodeId, path: &str) -> Result<Digest, Failure> {
    let of_role = |role| {
        let mut streams = image.streams(node).iter();
        streams.find(|stream| stream.role == role)
    };
    let data = of_role(StreamRole::Data).map_or(Digest::ZERO, |stream| stream.digest);
    if !data.is_zero() {
        return Ok(data);
    }
    if let Some(tag) = image.reparse_tag(node) {
        let target = image.reparse(node).ok().flatten();
        let target = target.and_then(|point| point.target());
        let what = match &target {
            Some(target) => format!("a link to {}", escaped(target_name(target))),
            None => format!("a reparse point of type {tag:#010x}, with no contents of its own"),
        };
        return Err(Failure::new(exit::USAGE, format!("{path} is {what}"))
            .help(format!("{path}::$REPARSE_POINT is what it holds")));
    }
    if image.is_directory(node) {
        let shown = if path.trim_matches(['/', '\\']).is_empty() {
            "this".to_owned()
        } else {
            path.to_owned()
        };
        return Err(Failure::new(exit::USAGE, format!("{shown} is a folder"))
            .help("wcow wim ls shows what is in it; wcow wim extract writes it to a disk"));
    }
    if of_role(StreamRole::EncryptedRaw).is_some() {
        return Err(Failure::new(
            exit::NOT_SUPPORTED,
            format!("{path} is encrypted: only Windows can read it, for its owner"),
        )
        .help(format!("{path}::$EFS is its raw backup")));
    }
    Ok(Digest::ZERO)
}

fn stream(image: &Image, node: NodeId, path: &str, name: &str) -> Result<Digest, Failure> {
    let wanted = WideName::from(name);
    let named = || {
        let streams = image.streams(node).iter();
        streams.filter_map(|stream| stream.name.as_ref().map(|name| (name, stream.digest)))
    };
    let found = named().find(|(name, _)| name.eq_ignore_case(&wanted));
    found.map(|(_, digest)| digest).ok_or_else(|| {
        let others: Vec<String> = named().take(5).map(|(name, _)| escaped(name)).collect();
        let file = path.split(':').next().unwrap_or(path);
        let help = if others.is_empty() {
            "it has no alternate data streams; wcow wim ls --streams lists those of other files"
                .to_owned()
        } else {
            format!("it has {}", others.join(", "))
        };
        Failure::new(exit::NOT_FOUND, format!("{file} has no stream {name:?}")).help(help)
    })
}

fn encrypted(image: &Image, node: NodeId, path: &str) -> Result<Digest, Failure> {
    let mut streams = image.streams(node).iter();
    streams
        .find(|stream| stream.role == StreamRole::EncryptedRaw)
        .map(|stream| stream.digest)
        .ok_or_else(|| {
            Failure::new(
                exit::NOT_FOUND,
                format!("{path}: the file is not encrypted"),
            )
        })
}

/// A reparse point as Windows gives it: tag, length of the data, two bytes 0, data.
fn reparse_point(image: &Image, node: NodeId, path: &str) -> Result<Vec<u8>, Failure> {
    let point = image
        .reparse(node)
        .map_err(|error| read_failure(path, &error))?;
    let point = point.ok_or_else(|| {
        Failure::new(
            exit::NOT_FOUND,
            format!("{path}: it is neither a link nor another reparse point"),
        )
    })?;
    // The library gives at most 16 KiB.
    let len = u16::try_from(point.data.len()).unwrap_or(u16::MAX);
    let mut buffer = Vec::with_capacity(point.data.len().saturating_add(8));
    buffer.extend(point.tag.to_le_bytes());
    buffer.extend(len.to_le_bytes());
    buffer.extend([0, 0]);
    buffer.extend(point.data);
    Ok(buffer)
}

fn send(wim: &Wim, digest: &Digest, path: &str) -> Result<(), Failure> {
    let mut out = io::stdout();
    let mut broken = None;
    let mut written = 0_usize;
    let read = wim.send_blob(digest, &mut |bytes| match out.write_all(bytes) {
        Ok(()) => {
            written = written.saturating_add(bytes.len());
            ControlFlow::Continue(())
        }
        Err(error) => {
            broken = Some(error);
            ControlFlow::Break(())
        }
    });
    if let Some(error) = broken {
        return Err(error.into());
    }
    match read {
        Ok(()) => Ok(out.flush()?),
        Err(error) => {
            let failure = read_failure(path, &error);
            let digest = matches!(error, ReadError::Digest { .. });
            Err(if written > 0 || digest {
                failure.help("what was written is not the whole file, or not the right bytes")
            } else {
                failure
            })
        }
    }
}
