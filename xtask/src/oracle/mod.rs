//! Our results against those of other programs, which are run as black boxes.
//!
//! * `wim`: `wcow wim ls`, `cat`, `extract` and `verify`, and all metadata, against wimlib and 7-Zip, on a Windows-like tree that
//!   wimlib captures in every codec and layout, and on the files of `WCOW_CORPUS`;
//! * `written`: WIM files that we write, judged by wimlib and 7-Zip;
//! * `hive`: hives that we write, read by hivex and reglookup.
//!
//! What wimlib captured stays in the target directory; `base-lzx.wim` is also the tour's base image.

mod base;
mod differences;
mod extracted;
mod metadata;
mod seven_zip;
mod wim;
mod wimlib;
mod written;

use anyhow::{Result, bail};

use crate::report::Report;
use crate::workspace::{Workspace, find_program, run as run_command};

type Part = (&'static str, fn(&Workspace) -> Result<Report>);

const PARTS: &[Part] = &[("wim", wim::run), ("written", written::run), ("hive", hive)];

/// Runs the named parts, or all.
pub(crate) fn run(workspace: &Workspace, only: &[String]) -> Result<Report> {
    if let Some(unknown) = only
        .iter()
        .find(|name| PARTS.iter().all(|(part, _)| part != name))
    {
        bail!("the oracle has no part `{unknown}`; it has wim, written and hive");
    }
    let mut report = Report::default();
    for (name, part) in PARTS {
        if only.is_empty() || only.iter().any(|wanted| wanted == name) {
            report.merge(part(workspace)?);
        }
    }
    Ok(report)
}

/// The hive crate's own example builds hives, has hivexsh write one, and compares all that the judges print of them.
fn hive(workspace: &Workspace) -> Result<Report> {
    if let Some(missing) = ["hivexsh", "reglookup"]
        .iter()
        .find(|name| find_program(name).is_none())
    {
        return Ok(Report::skipped(format!(
            "oracle hive: no {missing} (packages libhivex-bin and reglookup)"
        )));
    }
    let dir = workspace.fresh_dir("oracle/hives")?;
    let judge = || {
        let mut command = workspace.cargo();
        command.args([
            "run",
            "--quiet",
            "--package",
            "wcow-hive",
            "--example",
            "judge",
            "--",
        ]);
        command
    };
    run_command(judge().arg("build").arg(&dir))?;
    run_command(judge().arg("write").arg(dir.join("hivexsh")))?;
    base::write_hives(&dir.join("base"))?;
    let mut files = base::files_below(&dir)?;
    files.sort();
    run_command(judge().arg("check").args(&files))?;
    Ok(Report::noted(format!(
        "oracle hive: {} hives read alike by hivexsh, reglookup and us",
        files.len()
    )))
}
