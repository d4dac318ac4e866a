//! Type check for the systems this machine is not. `cargo check` needs only the target's standard library; a dependency
//! that wants a C compiler for the target fails here, as it should: the default build has no C code.

use anyhow::Result;

use crate::report::Report;
use crate::workspace::{Workspace, installed_targets, run as run_command};

const TARGETS: &[&str] = &["aarch64-apple-darwin", "x86_64-pc-windows-gnu"];

/// Packages whose code is for one target: clippy sees it there, and nowhere else.
const LINTED: &[(&str, &str)] = &[
    ("x86_64-pc-windows-gnu", "wcow-hcs"),
    ("x86_64-pc-windows-gnu", "wcow-winhost"),
];

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
        for (_, package) in LINTED.iter().filter(|(only, _)| only == target) {
            let mut command = workspace.cargo();
            command.args(["clippy", "--quiet", "--all-targets", "--target", target]);
            command.args(["--package", package, "--", "-D", "warnings"]);
            run_command(&mut command)?;
            report.note(format!("{target}: no warning in {package}"));
        }
    }
    Ok(report)
}
