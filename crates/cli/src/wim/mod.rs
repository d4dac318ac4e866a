//! `wcow wim`: what needs a file and no host.

mod cat;
mod extract;
mod glob;
mod info;
mod ls;
mod verify;

use std::fs::File;
use std::path::Path;

use wcow_ntmeta::RelPath;
use wcow_wim::{
    Blob, BlobLocation, Image, ImageError, ImageIndex, NodeId, OpenError, ReadError, Unsupported,
    Wim,
};

use crate::args::WimCommand;
use crate::failure::{Failure, exit};
use crate::output::Output;

/// Runs one command of the group.
pub(crate) fn run(command: &WimCommand, output: &Output) -> Result<(), Failure> {
    match command {
        WimCommand::Info { file, xml } => info::run(file, *xml, output),
        WimCommand::Ls(args) => ls::run(args, output),
        WimCommand::Cat { file, image, path } => cat::run(file, image, path),
        WimCommand::Extract(args) => extract::run(args, output),
        WimCommand::Verify { file } => verify::run(file, output),
    }
}

/// Opens a WIM file.
pub(crate) fn open(path: &Path) -> Result<Wim, Failure> {
    // Not every system opens a folder, and those that do cannot read it.
    if path.is_dir() {
        return Err(Failure::new(
            exit::USAGE,
            format!("{} is a folder, not a WIM file", path.display()),
        ));
    }
    let file = File::open(path).map_err(|error| {
        let code = if error.kind() == std::io::ErrorKind::NotFound {
            exit::NOT_FOUND
        } else {
            exit::FAILED
        };
        Failure::new(code, format!("{} could not be opened", path.display())).because(&error)
    })?;
    if file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
        return Err(Failure::new(
            exit::INTEGRITY,
            format!("{} is not a WIM file: it is empty", path.display()),
        ));
    }
    Wim::open(file).map_err(|error| {
        let failure = match &error {
            OpenError::Unsupported { .. } => Failure::new(exit::NOT_SUPPORTED, unreadable(path)),
            OpenError::Io { .. } => Failure::new(exit::FAILED, unreadable(path)),
            OpenError::NotAWim { .. } => Failure::new(
                exit::INTEGRITY,
                format!("{} is not a WIM file", path.display()),
            ),
            _ => Failure::new(exit::INTEGRITY, format!("{} is damaged", path.display())),
        };
        failure.because(&error)
    })
}

/// Refuses a file whose contents this version cannot read, before anything is made of it.
pub(crate) fn readable(wim: &Wim, path: &Path) -> Result<(), Failure> {
    let is_solid = |blob: &Blob| matches!(blob.location, BlobLocation::Solid { .. });
    let solid = || {
        wim.blobs()
            .iter()
            .any(is_solid)
            .then_some(Unsupported::Solid)
    };
    wim.unsupported().or_else(solid).map_or(Ok(()), |what| {
        Err(Failure::new(exit::NOT_SUPPORTED, unreadable(path))
            .because(&ReadError::Unsupported { what }))
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
        let code = if matches!(error, ImageError::Unsupported { .. }) {
            exit::NOT_SUPPORTED
        } else {
            exit::INTEGRITY
        };
        Failure::new(
            code,
            format!(
                "image {} of {} could not be read",
                index.get(),
                path.display()
            ),
        )
        .because(&error)
    })
}

/// The file or folder of an image that a path names; `/` and `\` both separate.
fn find(image: &Image, path: &str) -> Result<NodeId, Failure> {
    let missing = || {
        Failure::new(
            exit::NOT_FOUND,
            format!("there is no {path:?} in image {}", image.index().get()),
        )
        .help("wcow wim ls FILE IMAGE -R lists everything in it")
    };
    image.lookup(&RelPath::parse(path)).ok_or_else(missing)
}

/// A stream that could not be read.
fn read_failure(what: &str, error: &ReadError) -> Failure {
    let code = match error {
        ReadError::Unsupported { .. } => exit::NOT_SUPPORTED,
        ReadError::Io { .. } => exit::FAILED,
        _ => exit::INTEGRITY,
    };
    Failure::new(code, format!("{what} could not be read")).because(error)
}

fn unreadable(path: &Path) -> String {
    format!("{} cannot be read", path.display())
}
