//! `wcow wim verify`.

use serde::Serialize;

use crate::args::WimVerifyArgs;
use crate::failure::{Failure, exit, with_causes};
use crate::output::{Output, count, note, size};
use crate::progress::Bar;

/// What was found.
#[derive(Serialize)]
struct Shown {
    file: String,
    ok: bool,
    images: u32,
    blobs: u64,
    bytes: u64,
    integrity_table_checked: bool,
    problems: Vec<String>,
    warnings: Vec<String>,
}

/// Checks everything that can be checked, and lists every problem.
pub(crate) fn run(args: &WimVerifyArgs, output: &Output) -> Result<(), Failure> {
    let file = &args.source.file;
    let wim = args.source.open()?;
    let bar = Bar::bytes("verifying");
    let report = wim
        .verifier()
        .progress(&mut |progress| bar.set(progress.done, progress.total))
        .run();
    bar.finish();
    let shown = Shown {
        file: file.display().to_string(),
        ok: report.is_ok(),
        images: report.images,
        blobs: report.blobs,
        bytes: report.bytes,
        integrity_table_checked: report.integrity_checked,
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
    if output.is_json() {
        output.json("wim.verify", std::slice::from_ref(&shown))?;
    } else if shown.ok {
        let table = if shown.integrity_table_checked {
            ", and its integrity table"
        } else {
            ""
        };
        output.text(&format!(
            "{}: ok, {}, {}, {}{table}\n",
            shown.file,
            count(shown.images.into(), "image"),
            count(shown.blobs, "blob"),
            size(shown.bytes)
        ))?;
    } else {
        output.text(
            &shown
                .problems
                .iter()
                .map(|problem| format!("{problem}\n"))
                .collect::<String>(),
        )?;
    }
    if shown.ok {
        return Ok(());
    }
    let code = if report.unsupported().is_some() {
        exit::NOT_SUPPORTED
    } else {
        exit::INTEGRITY
    };
    let problems = u64::try_from(shown.problems.len()).unwrap_or(u64::MAX);
    Err(Failure::new(
        code,
        format!("{}: {} found", file.display(), count(problems, "problem")),
    ))
}
