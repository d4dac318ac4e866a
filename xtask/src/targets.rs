//! Type check for the systems this machine is not. `cargo check` needs only the target's standard library; a dependency
//! that wants a C compiler for the target fails here, as it should: the default build has no C code.

use anyhow::Result;

use crate::report::Report;
use crate::workspace::{Workspace, installed_targets, run as run_command};

const TARGETS: &[&str] = &["aarch64-apple-darwin", "x86_64-pc-windows-gnu"];

/// Checks the workspace for every target that is installed.
pub(crate) fn run(workspace: &Workspace) -> Result<Report> {
    let Some(installed) = installed_targets() else {
        return Ok(Report::skipped(
            "no rustup: which targets are installed is not known",
        ));
    };
    let mut report = Report::default();
    for target in TARGETS {
        if !installed.iter().any(|name| name == target) {
            report.skip(format!(
                "{target}: not installed (`rustup target add {target}`)"
            ));
            continue;
        }
        let mut command = workspace.cargo();
        command.args([
            "check",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--target",
            target,
        ]);
        run_command(&mut command)?;
        report.note(format!("{target}: no error"));
    }
    Ok(report)
}
