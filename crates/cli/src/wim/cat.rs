//! `wcow wim cat`.

use std::io::{self, Write};
use std::ops::ControlFlow;

use wcow_ntmeta::WideName;
use wcow_wim::{Image, ImageStream, NodeId, StreamRole};

use super::{choose, find, load, read_failure};
use crate::args::WimCatArgs;
use crate::failure::{Failure, exit};

/// Writes one stream of one file to standard output.
pub(crate) fn run(args: &WimCatArgs) -> Result<(), Failure> {
    let (file, path) = (&args.source.file, args.path.as_str());
    let wim = args.source.open()?;
    let image = load(&wim, file, choose(&wim, file, Some(&args.image))?)?;
    let (path, stream) = match path.rsplit_once(':') {
        Some((path, stream)) => (path, Some(stream)),
        None => (path, None),
    };
    let node = find(&image, path)?;
    let Some(stream) = wanted(&image, node, stream)? else {
        return Ok(());
    };
    if stream.digest.is_zero() {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    let mut broken = None;
    let read = wim.read_blob(&stream.digest, &mut |bytes| match out.write_all(bytes) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            broken = Some(error);
            ControlFlow::Break(())
        }
    });
    if let Some(error) = broken {
        return Err(error.into());
    }
    read.map_err(|error| {
        read_failure(path, &error)
            .help("what was written is not the whole file, or not the right bytes")
    })?;
    Ok(out.flush()?)
}

/// The stream that is meant; `None` for the contents of a file that has none.
fn wanted<'i>(
    image: &'i Image,
    node: NodeId,
    name: Option<&str>,
) -> Result<Option<&'i ImageStream>, Failure> {
    let streams = image.streams(node);
    let path = image.path(node);
    match name {
        None if image.is_directory(node) => {
            Err(Failure::new(exit::USAGE, format!("{path} is a folder"))
                .help("wcow wim ls shows what is in it"))
        }
        None => Ok(streams
            .iter()
            .find(|stream| matches!(stream.role, StreamRole::Data | StreamRole::EncryptedRaw))),
        Some(name) => {
            let wanted = WideName::from(name);
            let found = streams
                .iter()
                .find(|stream| {
                    stream
                        .name
                        .as_ref()
                        .is_some_and(|name| name.eq_ignore_case(&wanted))
                })
                .ok_or_else(|| {
                    Failure::new(exit::NOT_FOUND, format!("{path} has no stream {name:?}"))
                })?;
            Ok(Some(found))
        }
    }
}
