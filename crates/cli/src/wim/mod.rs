//! `wcow wim`: what needs a file and no host.

mod budget;
mod cat;
mod extract;
mod glob;
mod hints;
mod info;
mod line;
mod ls;
mod near;
mod open;
mod paths;
mod select;
mod verify;

pub(crate) use open::open;

use std::path::Path;

use wcow_ntmeta::RelPath;
use wcow_wim::{Image, ImageError, ImageIndex, NodeId, ReadError, Wim};

use crate::args::WimCommand;
use crate::failure::{Failure, exit};
use crate::output::Output;

/// Runs one command of the group.
pub(crate) fn run(command: &WimCommand, output: &Output) -> Result<(), Failure> {
    match command {
        WimCommand::Info(args) => info::run(args, output),
        WimCommand::Ls(args) => ls::run(args, output),
        WimCommand::Cat(args) => cat::run(args),
        WimCommand::Extract(args) => extract::run(args, output),
        WimCommand::Verify(args) => verify::run(args, output),
    }
}

/// Refuses a file whose contents cannot be read, before anything is made of it.
pub(crate) fn readable(wim: &Wim, path: &Path) -> Result<(), Failure> {
    wim.unsupported().map_or(Ok(()), |what| {
        Err(Failure::new(exit::NOT_SUPPORTED, unreadable(path))
            .because(&ReadError::Unsupported { what })
            .help(ENCRYPTED_HELP))
    })
}

/// The image that is named; without a name, the only one.
pub(crate) fn choose(wim: &Wim, path: &Path, wanted: Option<&str>) -> Result<ImageIndex, Failure> {
    let help = "wcow wim info FILE lists the images";
    match wanted {
        Some(wanted) => wim.find_image(wanted).map_err(|error| {
            Failure::new(exit::NOT_FOUND, format!("{}: {error}", path.display())).help(help)
        }),
        None => match wim.image_count() {
            1 => ImageIndex::new(1).ok_or_else(|| Failure::new(exit::FAILED, unreadable(path))),
            0 => Err(Failure::new(
                exit::NOT_FOUND,
                format!("{} has no image", path.display()),
            )),
            count => Err(Failure::new(
                exit::USAGE,
                format!("{} has {count} images: say which", path.display()),
            )
            .help(help)),
        },
    }
}

/// Reads the metadata of an image.
pub(crate) fn load(wim: &Wim, path: &Path, index: ImageIndex) -> Result<Image, Failure> {
    wim.image(index).map_err(|error| {
        let over = budget::exceeded(&error);
        let code = match error {
            _ if over.is_some() => exit::FAILED,
            ImageError::Unsupported { .. } => exit::NOT_SUPPORTED,
            ImageError::FirstPartMissing { .. } => exit::NOT_FOUND,
            _ => exit::INTEGRITY,
        };
        let failure = Failure::new(
            code,
            format!(
                "image {} of {} could not be read",
                index.get(),
                path.display()
            ),
        )
        .because(&error);
        match (over, error) {
            (Some(over), _) => failure.help(budget::help(over)),
            (None, ImageError::FirstPartMissing { .. }) => failure.help(PARTS_HELP),
            (None, ImageError::Unsupported { .. }) => failure.help(ENCRYPTED_HELP),
            _ => failure,
        }
    })
}

/// What to do when parts of a split set are missing.
const PARTS_HELP: &str =
    "put all parts of the set into one folder, as NAME.swm, NAME2.swm, NAME3.swm and so on";
/// What to do when blobs are missing.
const REFERENCE_HELP: &str = "--ref FILE names the WIM that this one was made from";
/// What to do with an encrypted ESD.
const ENCRYPTED_HELP: &str =
    "only Microsoft's setup has the key of an encrypted ESD; look for one that is not encrypted";

/// The file or folder of an image that a path names; `/` and `\` both separate.
fn find(image: &Image, path: &str) -> Result<NodeId, Failure> {
    image
        .lookup(&RelPath::parse(path))
        .ok_or_else(|| missing(image, path))
}

/// There is nothing by that name.
fn missing(image: &Image, path: &str) -> Failure {
    let near = near::near(image, path);
    let help = if near.is_empty() {
        "wcow wim ls FILE IMAGE -R lists everything in it".to_owned()
    } else {
        format!("there is {}", near.join(", "))
    };
    Failure::new(
        exit::NOT_FOUND,
        format!("there is no {path:?} in image {}", image.index().get()),
    )
    .help(help)
}

/// A stream that could not be read.
fn read_failure(what: &str, error: &ReadError) -> Failure {
    let code = match error {
        ReadError::Unsupported { .. } => exit::NOT_SUPPORTED,
        ReadError::Io { .. } | ReadError::Budget { .. } => exit::FAILED,
        ReadError::Missing { .. } | ReadError::MissingPart { .. } => exit::NOT_FOUND,
        _ => exit::INTEGRITY,
    };
    let failure = Failure::new(code, format!("{what} could not be read")).because(error);
    match error {
        ReadError::Budget { budget, .. } => failure.help(budget::help(*budget)),
        ReadError::Missing { .. } => failure.help(REFERENCE_HELP),
        ReadError::MissingPart { .. } => failure.help(PARTS_HELP),
        ReadError::Unsupported { .. } => failure.help(ENCRYPTED_HELP),
        _ => failure,
    }
}

fn unreadable(path: &Path) -> String {
    format!("{} cannot be read", path.display())
}
