//! Opening WIM files: one, the parts of a split set beside it, and others to look into for what it does not hold.

use std::fs::File;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use wcow_wim::{OpenError, Options, ReadAt, Wim};

use super::{budget, hints, unreadable};
use crate::args::WimSource;
use crate::failure::{Failure, exit};

impl WimSource {
    /// Opens the file that is named, with what its options say.
    pub(crate) fn open(&self) -> Result<Wim, Failure> {
        let mut options = self.options();
        for pattern in &self.refs {
            for path in expand(pattern)? {
                options.references.push(open_with(&path, self.options())?);
            }
        }
        open_with(&self.file, options)
    }

    /// How many threads to use.
    pub(crate) fn workers(&self) -> NonZeroUsize {
        let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        self.threads.unwrap_or_else(cores)
    }

    fn options(&self) -> Options {
        let mut options = Options::default();
        options.workers = self.workers();
        if let Some(bytes) = self.max_output {
            options.limits.output_bytes = bytes;
            options.limits.output_ratio = 0;
        }
        if let Some(bytes) = self.max_chunk {
            options.limits.chunk_bytes = bytes;
        }
        if let Some(bytes) = self.max_metadata {
            options.limits.metadata_bytes = bytes;
            options.limits.metadata_ratio = u64::MAX;
            options.limits.xml_bytes = bytes / 16;
        }
        options
    }
}

/// What to do about a file that is not all there.
const AGAIN: &str = "was it copied or downloaded in whole?";

/// Opens a WIM file, with the parts of its split set that lie beside it.
pub(crate) fn open(path: &Path) -> Result<Wim, Failure> {
    open_with(path, Options::default())
}

fn open_with(path: &Path, options: Options) -> Result<Wim, Failure> {
    let wim =
        Wim::open_with(open_file(path)?, options.clone()).map_err(|error| refused(path, &error))?;
    let header = wim.header();
    if header.parts == 1 {
        return Ok(wim);
    }
    let mut parts: Vec<Box<dyn ReadAt>> = vec![Box::new(open_file(path)?)];
    for part in wim.missing_parts() {
        let Some(beside) = part_path(path, header.part, part) else {
            break;
        };
        if beside.is_file() {
            parts.push(Box::new(open_file(&beside)?));
        }
    }
    Wim::open_parts(parts, options).map_err(|error| refused(path, &error))
}

/// Where another part of a split set is: `name.swm`, `name2.swm`, `name3.swm` and so on.
fn part_path(path: &Path, own: u16, wanted: u16) -> Option<PathBuf> {
    let stem = path.file_stem()?.to_str()?;
    let base = match own {
        1 => stem,
        _ => stem.strip_suffix(&own.to_string())?,
    };
    let mut name = match wanted {
        1 => base.to_owned(),
        _ => format!("{base}{wanted}"),
    };
    if let Some(extension) = path.extension() {
        name.push('.');
        name.push_str(extension.to_str()?);
    }
    Some(path.with_file_name(name))
}

/// The files that a pattern names. A shell may have done this already.
fn expand(pattern: &str) -> Result<Vec<PathBuf>, Failure> {
    let path = PathBuf::from(pattern);
    if path.exists() || !pattern.contains(['*', '?', '[']) {
        return Ok(vec![path]);
    }
    let invalid = |error: glob::PatternError| {
        Failure::new(exit::USAGE, format!("{pattern:?} is no pattern for files")).because(&error)
    };
    let found: Vec<PathBuf> = glob::glob(pattern).map_err(invalid)?.flatten().collect();
    if found.is_empty() {
        return Err(Failure::new(
            exit::NOT_FOUND,
            format!("no file matches {pattern:?}"),
        ));
    }
    Ok(found)
}

fn open_file(path: &Path) -> Result<File, Failure> {
    // Not every system opens a folder, and those that do cannot read it.
    if path.is_dir() {
        return Err(Failure::new(
            exit::USAGE,
            format!("{} is a folder, not a WIM file", path.display()),
        )
        .help(hints::for_folder(path)));
    }
    let file = File::open(path).map_err(|error| {
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        let code = if missing {
            exit::NOT_FOUND
        } else {
            exit::FAILED
        };
        let failure = Failure::new(code, format!("{} could not be opened", path.display()));
        let failure = failure.because(&error);
        if missing {
            failure.help(hints::for_missing(path))
        } else {
            failure
        }
    })?;
    if file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
        return Err(Failure::new(
            exit::INTEGRITY,
            format!("{} is not a WIM file: it is empty", path.display()),
        )
        .help(AGAIN));
    }
    Ok(file)
}

fn refused(path: &Path, error: &OpenError) -> Failure {
    if let Some(over) = budget::exceeded(error) {
        return Failure::new(exit::FAILED, unreadable(path))
            .because(error)
            .help(budget::help(over));
    }
    let failure = match error {
        OpenError::Unsupported { .. } => Failure::new(exit::NOT_SUPPORTED, unreadable(path)),
        OpenError::Io { .. } => Failure::new(exit::FAILED, unreadable(path)),
        OpenError::NotAWim { .. } => Failure::new(
            exit::INTEGRITY,
            format!("{} is not a WIM file", path.display()),
        ),
        OpenError::Parts { .. } => Failure::new(
            exit::INTEGRITY,
            format!(
                "the files beside {} are not parts of the same set",
                path.display()
            ),
        ),
        _ => Failure::new(exit::INTEGRITY, format!("{} is damaged", path.display())),
    };
    let failure = failure.because(error);
    match error {
        OpenError::Parts { .. } => failure.help("move the file away from those of another set"),
        OpenError::NotAWim { .. } => failure.help(hints::for_another_kind(path)),
        OpenError::Truncated { .. } => failure.help(AGAIN),
        OpenError::Io { .. } | OpenError::Unsupported { .. } => failure,
        _ => failure.help("without what is damaged nothing in it can be read: get the file again"),
    }
}
