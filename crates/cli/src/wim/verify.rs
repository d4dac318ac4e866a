//! `wcow wim verify`.

use serde::Serialize;
use wcow_wim::{Problem, VerifyReport};

use super::{ENCRYPTED_HELP, PARTS_HELP, REFERENCE_HELP, budget};
use crate::args::WimVerifyArgs;
use crate::cancel::Cancel;
use crate::failure::{Failure, exit, with_causes};
use crate::output::{Output, count, note, plain, size};
use crate::progress::Bar;

/// What was found.
#[derive(Serialize)]
struct Shown {
    file: String,
    ok: bool,
    /// False if it was interrupted: then there may be more problems.
    complete: bool,
    images: u32,
    blobs: u64,
    bytes: u64,
    integrity_table_checked: bool,
    missing_parts: Vec<u16>,
    problems: Vec<String>,
    warnings: Vec<String>,
}

/// Checks everything that can be checked, and lists every problem.
pub(crate) fn run(args: &WimVerifyArgs, output: &Output) -> Result<(), Failure> {
    let file = &args.source.file;
    let wim = args.source.open()?;
    let cancel = Cancel::listen();
    let bar = Bar::bytes("verifying");
    let report = wim
        .verifier()
        .progress(&mut |progress| bar.set(progress.done, progress.total))
        .cancel(cancel.flag())
        .run();
    bar.finish();
    let shown = Shown {
        file: file.display().to_string(),
        ok: report.is_ok(),
        complete: !report.cancelled,
        images: report.images,
        blobs: report.blobs,
        bytes: report.bytes,
        integrity_table_checked: report.integrity_checked,
        missing_parts: wim.missing_parts(),
        problems: report
            .problems
            .iter()
            .map(|problem| with_causes(problem))
            .collect(),
        warnings: report.warnings.iter().map(ToString::to_string).collect(),
    };
    for warning in &shown.warnings {
        note(&format!("warning: {warning}"));
    }
    show(&shown, output)?;
    if shown.ok {
        return Ok(());
    }
    let problems = u64::try_from(shown.problems.len()).unwrap_or(u64::MAX);
    let found = count(problems, "problem");
    if report.cancelled {
        let message = format!(
            "verifying {} was interrupted after {}, {}; {found} found until then",
            shown.file,
            count(shown.blobs, "blob"),
            size(shown.bytes),
        );
        return Err(Failure::new(cancel.exit(), message));
    }
    let failure = Failure::new(code(&report), format!("{}: {found} found", shown.file));
    let help = help(&report);
    Err(if help.is_empty() {
        failure
    } else {
        failure.help(help.join("; "))
    })
}

fn show(shown: &Shown, output: &Output) -> std::io::Result<()> {
    if output.is_json() {
        return output.json("wim.verify", std::slice::from_ref(shown));
    }
    if !shown.ok {
        let lines = shown.problems.iter().map(|problem| plain(problem) + "\n");
        return output.text(&lines.collect::<String>());
    }
    let table = if shown.integrity_table_checked {
        ", and its integrity table"
    } else {
        ""
    };
    output.text(&format!(
        "{}: ok, {}, {}, {}{table}\n",
        plain(&shown.file),
        count(shown.images.into(), "image"),
        count(shown.blobs, "blob"),
        size(shown.bytes)
    ))
}

/// A file that cannot be read as it is, or not within the budgets, is not found to be damaged.
fn code(report: &VerifyReport) -> u8 {
    let is_over_budget = |problem: &Problem| budget::exceeded(problem).is_some();
    if report.unsupported().is_some() {
        exit::NOT_SUPPORTED
    } else if report.problems.iter().all(is_over_budget) {
        exit::FAILED
    } else {
        exit::INTEGRITY
    }
}

/// The next steps, each once.
fn help(report: &VerifyReport) -> Vec<String> {
    let mut help: Vec<String> = Vec::new();
    let parts_are_missing = |problem: &Problem| matches!(problem, Problem::MissingParts { .. });
    let without_parts = report.problems.iter().any(parts_are_missing);
    for problem in &report.problems {
        let step = match problem {
            Problem::Unsupported { .. } => ENCRYPTED_HELP.to_owned(),
            Problem::MissingParts { .. } => PARTS_HELP.to_owned(),
            // What is missing is most likely in the other parts.
            Problem::Missing { .. } if !without_parts => REFERENCE_HELP.to_owned(),
            problem => match budget::exceeded(problem) {
                Some(over) => budget::help(over),
                None => continue,
            },
        };
        if !help.contains(&step) {
            help.push(step);
        }
    }
    help
}
