//! `wcow wim extract`.

mod show;

use std::error::Error;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use wcow_tree::disk::{
    DiskOptions, DiskReport, DiskSink, Existing, Keep, Links, MetadataWriter, Names, Problem,
};
use wcow_tree::{SendError, TreeSource};
use wcow_wim::{ExtractError, Extractor, ReadError, SourceProblems};

use super::select::{Depth, matching};
use super::{
    ENCRYPTED_HELP, PARTS_HELP, REFERENCE_HELP, budget, choose, load, readable, unreadable,
};
use crate::args::{ExtractNames, WimExtractArgs};
use crate::cancel::Cancel;
use crate::failure::{Failure, exit, with_causes};
use crate::output::{Output, count, size};
use crate::progress::Bar;

/// Extracts an image, or parts of it.
pub(crate) fn run(args: &WimExtractArgs, output: &Output) -> Result<(), Failure> {
    let file = &args.source.file;
    let wim = args.source.open()?;
    readable(&wim, file)?;
    let image = load(&wim, file, choose(&wim, file, Some(&args.image))?)?;
    let mut source = wim.extractor(&image);
    if !args.paths.is_empty() {
        source = source.only(matching(&image, &args.paths, Depth::Itself)?);
    }
    source.check_budget().map_err(|error| {
        let failure = Failure::new(exit::FAILED, unreadable(file)).because(&error);
        match (budget::exceeded(&error), &error) {
            (Some(over), ExtractError::Budget { needed, .. }) => {
                let help = budget::help(over).replace("BYTES", &needed.to_string());
                failure.help(format!("{help}, or extract less of it"))
            }
            _ => failure,
        }
    })?;
    // In an empty folder, nothing is in the way.
    let may_be_in_the_way = !args.overwrite && !is_empty(&args.dest);
    let sink = open_sink(args)?;
    let cancel = Cancel::listen();
    let bar = Bar::bytes("extracting");
    let mut progress = |progress: wcow_wim::Progress| bar.set(progress.done, progress.total);
    let mut source = source.progress(&mut progress).cancel(cancel.flag());
    let transferred = transfer(&mut source, sink, &cancel);
    bar.finish();
    match transferred {
        Transferred::All(report, unreadable) => {
            let outcome = Outcome::new(&report, unreadable);
            show::show(&report, &outcome.problems, &image, args, output)?;
            outcome.result(args, may_be_in_the_way)
        }
        Transferred::Cancelled(report) => Err(interrupted(args, &report, &cancel)),
        Transferred::Failed(report, error) => Err(stopped(args, report.as_ref(), error.as_ref())),
    }
}

/// How a transfer ended.
enum Transferred {
    /// Everything was sent, but for what could not be read.
    All(DiskReport, Option<SourceProblems>),
    Cancelled(DiskReport),
    /// The report is there unless it was the end of it that failed.
    Failed(Option<DiskReport>, Box<dyn Error + Send + Sync>),
}

/// Sends it all. What is not finished is aborted: then the links, the times of folders and the metadata file are not made.
fn transfer(source: &mut Extractor<'_>, mut sink: DiskSink, cancel: &Cancel) -> Transferred {
    let problems = match source.send(&mut sink) {
        Ok(()) => None,
        Err(SendError::Source(error)) => match error.downcast::<SourceProblems>() {
            Ok(problems) => Some(*problems),
            Err(error) => {
                let cancelled = matches!(error.downcast_ref(), Some(ExtractError::Cancelled));
                let report = sink.abort();
                return if cancelled {
                    Transferred::Cancelled(report)
                } else {
                    Transferred::Failed(Some(report), error)
                };
            }
        },
        Err(error) => return Transferred::Failed(Some(sink.abort()), error.into()),
    };
    if cancel.flag().load(Ordering::Relaxed) {
        return Transferred::Cancelled(sink.abort());
    }
    match sink.finish() {
        Ok(report) => Transferred::All(report, problems),
        Err(error) => Transferred::Failed(None, error.into()),
    }
}

/// What was not extracted, and what that means.
struct Outcome {
    problems: Vec<String>,
    /// All of them, listed or not.
    number: u64,
    exit: u8,
    help: Option<String>,
}

impl Outcome {
    fn new(report: &DiskReport, unreadable: Option<SourceProblems>) -> Self {
        let mut outcome = Self {
            problems: Vec::new(),
            number: 0,
            exit: exit::FAILED,
            help: None,
        };
        let mut paths = std::collections::BTreeSet::new();
        if let Some(unreadable) = &unreadable {
            outcome.reasons(unreadable);
            let problems = unreadable.problems.iter();
            outcome
                .problems
                .extend(problems.clone().map(|problem| with_causes(problem)));
            paths.extend(problems.map(|problem| &problem.path));
            outcome.number = as_u64(unreadable.problems.len()).saturating_add(unreadable.further);
        }
        // What could not be read is told once, with the reason of the reader.
        let told = |problem: &&Problem| paths.contains(&problem.path);
        let of_disk = report
            .problem_count
            .saturating_sub(as_u64(report.problems.iter().filter(told).count()));
        let further = unreadable.as_ref().map_or(0, |problems| problems.further);
        outcome.number = outcome
            .number
            .saturating_add(of_disk.saturating_sub(further));
        let rest = report.problems.iter().filter(|problem| !told(problem));
        outcome
            .problems
            .extend(rest.map(|problem| format!("{}: {}", problem.path, problem.what)));
        outcome
    }

    /// The exit code and the next step, where all streams that could not be read have the same reason.
    fn reasons(&mut self, unreadable: &SourceProblems) {
        let all = |is: fn(&ReadError) -> bool| {
            let mut problems = unreadable.problems.iter();
            problems.all(|problem| is(&problem.source))
        };
        // A blob that several files share is told once.
        let or_shared = |error: &ReadError| matches!(error, ReadError::SharedBlob { .. });
        let first = unreadable
            .problems
            .iter()
            .find(|problem| !or_shared(&problem.source));
        let over = first.and_then(|problem| budget::exceeded(&problem.source));
        type E = ReadError;
        self.exit = if all(|e| matches!(e, E::Unsupported { .. } | E::SharedBlob { .. })) {
            self.help = Some(ENCRYPTED_HELP.to_owned());
            exit::NOT_SUPPORTED
        } else if all(|e| matches!(e, E::Missing { .. } | E::SharedBlob { .. })) {
            self.help = Some(REFERENCE_HELP.to_owned());
            exit::NOT_FOUND
        } else if all(|e| matches!(e, E::MissingPart { .. } | E::SharedBlob { .. })) {
            self.help = Some(PARTS_HELP.to_owned());
            exit::NOT_FOUND
        } else if all(|e| matches!(e, E::Budget { .. } | E::SharedBlob { .. })) {
            self.help = over.map(budget::help);
            exit::FAILED
        } else {
            self.help = over.map(budget::help);
            exit::INTEGRITY
        };
    }

    fn result(self, args: &WimExtractArgs, may_be_in_the_way: bool) -> Result<(), Failure> {
        if self.number == 0 {
            return Ok(());
        }
        let failure = Failure::new(
            self.exit,
            format!(
                "{} of {} could not be extracted; everything else was",
                count(self.number, "file"),
                args.source.file.display()
            ),
        );
        Err(match self.help {
            Some(help) => failure.help(help),
            None if self.exit == exit::FAILED && may_be_in_the_way => {
                failure.help("files that are there already are replaced with --overwrite")
            }
            None => failure,
        })
    }
}

/// True if there is nothing in the folder, or no folder.
fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

fn open_sink(args: &WimExtractArgs) -> Result<DiskSink, Failure> {
    let mut options = DiskOptions::default();
    options.existing = if args.overwrite {
        Existing::Overwrite
    } else {
        Existing::Refuse
    };
    options.links = Links::Relative;
    options.keep = Keep::System;
    options.names = match args.names {
        ExtractNames::Host => Names::Host,
        ExtractNames::Windows => Names::Windows,
    };
    let existing = options.existing;
    std::fs::create_dir_all(&args.dest).map_err(|error| {
        Failure::new(
            exit::FAILED,
            format!("the folder {} could not be made", args.dest.display()),
        )
        .because(&error)
    })?;
    let sink = DiskSink::open(&args.dest, options).map_err(|error| {
        Failure::new(
            exit::FAILED,
            format!("the folder {} cannot be used", args.dest.display()),
        )
        .because(&error)
    })?;
    Ok(match &args.metadata {
        Some(path) => sink.with_metadata(metadata_writer(path, &args.dest, existing)?),
        None => sink,
    })
}

/// Begins the metadata file, which must lie outside the folder: a later capture would take it for a part of the tree.
fn metadata_writer(
    path: &Path,
    folder: &Path,
    existing: Existing,
) -> Result<MetadataWriter, Failure> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    if let (Ok(parent), Ok(folder)) = (parent.canonicalize(), folder.canonicalize())
        && parent.starts_with(&folder)
    {
        return Err(Failure::new(
            exit::USAGE,
            format!(
                "the metadata file {} would lie in the folder that is extracted into",
                path.display()
            ),
        )
        .help("put it beside the folder"));
    }
    MetadataWriter::create(path, existing).map_err(|error| {
        let failure = Failure::new(
            exit::FAILED,
            format!("the metadata file {} cannot be written", path.display()),
        );
        let failure = failure.because(&error);
        if existing == Existing::Refuse && (path.exists() || streams_exist(path)) {
            failure.help("a file that is there already is replaced with --overwrite")
        } else {
            failure
        }
    })
}

fn streams_exist(path: &Path) -> bool {
    let mut name = path.as_os_str().to_owned();
    name.push(".streams");
    Path::new(&name).exists()
}

fn interrupted(args: &WimExtractArgs, report: &DiskReport, cancel: &Cancel) -> Failure {
    Failure::new(
        cancel.exit(),
        format!("extracting into {} was interrupted", args.dest.display()),
    )
    .help(left(args, Some(report)))
}

fn stopped(
    args: &WimExtractArgs,
    report: Option<&DiskReport>,
    error: &(dyn Error + 'static),
) -> Failure {
    let failure = Failure::new(
        exit::FAILED,
        format!("extracting into {} stopped", args.dest.display()),
    )
    .because(error);
    let full = std::iter::successors(Some(error), |error| (*error).source())
        .filter_map(|error| error.downcast_ref::<std::io::Error>())
        .any(|error| {
            matches!(
                error.kind(),
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
            )
        });
    let room = if full { "make room; " } else { "" };
    failure.help(format!("{room}{}", left(args, report)))
}

/// What a transfer that did not end leaves behind, and how it is done again.
fn left(args: &WimExtractArgs, report: Option<&DiskReport>) -> String {
    let written = match report {
        Some(report) => format!(
            "{} ({}) are there",
            count(report.files, "file"),
            size(report.bytes)
        ),
        None => "what was written is there".to_owned(),
    };
    let metadata = match &args.metadata {
        Some(path) => format!(", and not {}", path.display()),
        None => String::new(),
    };
    let last = if cfg!(windows) {
        "links, attributes, times and security descriptors"
    } else {
        "symbolic links and times of folders"
    };
    format!(
        "{written}, each file whole; {last} are not{metadata}. The same command with --overwrite does it all again",
    )
}

fn as_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
