//! `wcow wim extract`.

use std::path::{Path, PathBuf};

use serde::Serialize;
use wcow_tree::disk::{
    DiskOptions, DiskReport, DiskSink, Existing, Links, MetadataWriter, Names, Problem,
};
use wcow_tree::{SendError, TreeSource};
use wcow_wim::{Image, NodeId, Progress, ReadError, SourceProblem, SourceProblems};

use super::{choose, find, load, readable};
use crate::args::{ExtractNames, WimExtractArgs};
use crate::failure::{Failure, exit, with_causes};
use crate::output::{Output, count, note, size};
use crate::progress::Bar;

/// What was extracted, and what was not.
#[derive(Serialize)]
struct Shown {
    directories: u64,
    files: u64,
    hard_links: u64,
    symlinks: u64,
    bytes: u64,
    renamed: Vec<Renamed>,
    problems: Vec<String>,
    /// What the disk has no place for; with `metadata`, it is there.
    not_kept: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<String>,
}

/// A name that this disk cannot hold.
#[derive(Serialize)]
struct Renamed {
    path: String,
    written: String,
}

/// Extracts an image, or parts of it.
pub(crate) fn run(args: &WimExtractArgs, output: &Output) -> Result<(), Failure> {
    let file = &args.source.file;
    let wim = args.source.open()?;
    readable(&wim, file)?;
    let image = load(&wim, file, choose(&wim, file, Some(&args.image))?)?;
    let mut source = wim.extractor(&image);
    if !args.paths.is_empty() {
        source = source.only(
            args.paths
                .iter()
                .map(|path| find(&image, path))
                .collect::<Result<Vec<NodeId>, _>>()?,
        );
    }
    let mut options = DiskOptions::default();
    options.existing = if args.overwrite {
        Existing::Overwrite
    } else {
        Existing::Refuse
    };
    options.links = Links::Relative;
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
    let mut sink = DiskSink::open(&args.dest, options).map_err(|error| {
        Failure::new(
            exit::FAILED,
            format!("the folder {} cannot be used", args.dest.display()),
        )
        .because(&error)
    })?;
    if let Some(path) = &args.metadata {
        sink = sink.with_metadata(metadata_writer(path, &args.dest, existing)?);
    }
    let bar = Bar::bytes("extracting");
    let mut progress = |progress: Progress| bar.set(progress.done, progress.total);
    let sent = source.progress(&mut progress).send(&mut sink);
    bar.finish();
    let report = sink.finish();
    let mut problems = Vec::new();
    let mut unreadable = std::collections::BTreeSet::new();
    let mut number = 0;
    let mut code = exit::FAILED;
    match sent {
        Ok(()) => {}
        Err(SendError::Source(error)) => match error.downcast::<SourceProblems>() {
            Ok(all) => {
                problems.extend(all.problems.iter().map(|problem| with_causes(problem)));
                unreadable.extend(all.problems.iter().map(|problem| problem.path.clone()));
                number = all.further;
                let unsupported = |problem: &SourceProblem| {
                    matches!(problem.source, ReadError::Unsupported { .. })
                };
                code = if all.problems.iter().all(unsupported) {
                    exit::NOT_SUPPORTED
                } else {
                    exit::INTEGRITY
                };
            }
            Err(error) => {
                problems.push(with_causes(error.as_ref()));
                code = exit::INTEGRITY;
            }
        },
        Err(error) => return Err(stopped(args, &error)),
    }
    let damaged = !problems.is_empty();
    let report = report.map_err(|error| stopped(args, &error))?;
    // What could not be read is told once, with the reason of the reader.
    let told = |problem: &&Problem| unreadable.contains(&problem.path);
    number += report
        .problem_count
        .saturating_sub(as_u64(report.problems.iter().filter(told).count()))
        .saturating_add(as_u64(problems.len()));
    problems.extend(
        report
            .problems
            .iter()
            .filter(|problem| !told(problem))
            .map(|problem| format!("{}: {}", problem.path, problem.what)),
    );
    show(&report, &problems, &image, args, output)?;
    if number == 0 {
        return Ok(());
    }
    let failure = Failure::new(
        code,
        format!(
            "{} of {} could not be extracted; everything else was",
            count(number, "file"),
            file.display()
        ),
    );
    Err(if damaged || args.overwrite {
        failure
    } else {
        failure.help("files that are there already are replaced with --overwrite")
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

fn show(
    report: &DiskReport,
    problems: &[String],
    image: &Image,
    args: &WimExtractArgs,
    output: &Output,
) -> Result<(), Failure> {
    let shown = Shown {
        directories: report.directories,
        files: report.files,
        hard_links: report.hard_links,
        symlinks: report.symlinks,
        bytes: report.bytes,
        renamed: report
            .renamed
            .iter()
            .map(|renamed| Renamed {
                path: renamed.original.to_string(),
                written: renamed.written.clone(),
            })
            .collect(),
        problems: problems.to_vec(),
        not_kept: not_kept(report),
        metadata: args
            .metadata
            .as_ref()
            .map(|path| path.display().to_string()),
    };
    for renamed in &shown.renamed {
        note(&format!(
            "renamed: {} is {} here",
            renamed.path.escape_debug(),
            renamed.written
        ));
    }
    if report.renamed_count > report.renamed.len() as u64 {
        note(&format!("renamed: {} in all", report.renamed_count));
    }
    for link in &report.skipped_links {
        note(&format!(
            "not made: the link {} (its target is not in the tree)",
            link.path
        ));
    }
    if !shown.not_kept.is_empty() {
        let what = shown.not_kept.join(", ");
        note(&match &shown.metadata {
            Some(file) => format!("kept in {file}, because this disk does not: {what}"),
            None => format!("this disk does not keep: {what} (--metadata FILE does)"),
        });
    }
    for problem in problems {
        note(&format!("not extracted: {problem}"));
    }
    for warning in image.warnings() {
        note(&format!("warning: {warning}"));
    }
    if output.is_json() {
        output.json("wim.extract", &[shown])?;
    } else {
        output.text(&format!(
            "{}: {}, {}, {}\n",
            args.dest.display(),
            count(shown.files, "file"),
            count(shown.directories, "folder"),
            size(shown.bytes)
        ))?;
    }
    Ok(())
}

fn not_kept(report: &DiskReport) -> Vec<String> {
    let kept = &report.not_kept;
    [
        (kept.security, "security descriptor"),
        (kept.attributes, "attribute set"),
        (kept.creation_times, "creation time"),
        (kept.times, "other time"),
        (kept.short_names, "short name"),
        (kept.named_streams, "alternate data stream"),
        (kept.reparse_points, "reparse point"),
        (kept.encrypted, "encrypted file"),
        (kept.hard_links, "hard link"),
        (kept.extra, "object id or set of extended attribute"),
        (report.skipped_link_count, "link"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, what)| count(number, what))
    .collect()
}

fn as_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn stopped(args: &WimExtractArgs, error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::new(
        exit::FAILED,
        format!("extracting into {} stopped", args.dest.display()),
    )
    .because(error)
    .help("what was written until then is still there; --overwrite writes over it")
}
