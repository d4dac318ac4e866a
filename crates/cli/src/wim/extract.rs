//! `wcow wim extract`.

use serde::Serialize;
use wcow_tree::disk::{DiskOptions, DiskReport, DiskSink, Existing, Links};
use wcow_tree::{SendError, TreeSource};
use wcow_wim::{Image, NodeId, SourceProblems};

use super::{choose, find, load, open};
use crate::args::WimExtractArgs;
use crate::failure::{Failure, exit, with_causes};
use crate::output::{Output, note, size};

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
    not_kept: Vec<String>,
}

/// A name that this disk cannot hold.
#[derive(Serialize)]
struct Renamed {
    path: String,
    written: String,
}

/// Extracts an image, or parts of it.
pub(crate) fn run(args: &WimExtractArgs, output: &Output) -> Result<(), Failure> {
    let wim = open(&args.file)?;
    let image = load(
        &wim,
        &args.file,
        choose(&wim, &args.file, Some(&args.image))?,
    )?;
    let mut source = wim.image_source(&image);
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
    let sent = source.send(&mut sink);
    let report = sink.finish();
    let mut problems = Vec::new();
    match sent {
        Ok(()) => {}
        Err(SendError::Source(error)) => match error.downcast::<SourceProblems>() {
            Ok(all) => problems.extend(all.problems.iter().map(|problem| with_causes(problem))),
            Err(error) => problems.push(with_causes(error.as_ref())),
        },
        Err(error) => return Err(stopped(args, &error)),
    }
    let damaged = !problems.is_empty();
    let report = report.map_err(|error| stopped(args, &error))?;
    problems.extend(
        report
            .problems
            .iter()
            .map(|problem| format!("{}: {}", problem.path, problem.what)),
    );
    show(&report, &problems, &image, args, output)?;
    if problems.is_empty() && report.problem_count == 0 {
        return Ok(());
    }
    let count = u64::try_from(problems.len())
        .unwrap_or(u64::MAX)
        .max(report.problem_count);
    let code = if damaged {
        exit::INTEGRITY
    } else {
        exit::FAILED
    };
    Err(Failure::new(
        code,
        format!(
            "{count} files of {} could not be extracted; the others were",
            args.file.display()
        ),
    ))
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
        note(&format!(
            "this disk does not keep: {}",
            shown.not_kept.join(", ")
        ));
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
            "{}: {} files, {} folders, {}\n",
            args.dest.display(),
            shown.files,
            shown.directories,
            size(shown.bytes)
        ))?;
    }
    Ok(())
}

fn not_kept(report: &DiskReport) -> Vec<String> {
    let kept = &report.not_kept;
    [
        (kept.security, "security descriptors"),
        (kept.attributes, "attributes"),
        (kept.creation_times, "creation times"),
        (kept.times, "other times"),
        (kept.short_names, "short names"),
        (kept.named_streams, "alternate data streams"),
        (kept.reparse_points, "reparse points"),
        (kept.extra, "object ids and extended attributes"),
        (report.skipped_link_count, "links"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect()
}

fn stopped(args: &WimExtractArgs, error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::new(
        exit::FAILED,
        format!("extracting into {} stopped", args.dest.display()),
    )
    .because(error)
    .help("what was written until then is still there")
}
