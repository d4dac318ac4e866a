//! Type check for the systems this machine is not. `cargo check` needs only the target's standard library; a dependency
//! that wants a C compiler for the target fails here, as it should: the default build has no C code.

use anyhow::Result;

use crate::report::Report;
use crate::workspace::{Workspace, installed_targets, run as run_command};

/// With what each is checked. Much code is for Windows alone: clippy sees it there, and nowhere else.
const TARGETS: &[(&str, Check)] = &[
    ("aarch64-apple-darwin", Check::Types),
    ("x86_64-pc-windows-gnu", Check::Lints),
];

enum Check {
    Types,
    Lints,
}

/// Checks the workspace for every target that is installed.
pub(crate) fn run(workspace: &Workspace) -> Result<Report> {
    let Some(installed) = installed_targets() else {
        return Ok(Report::skipped(
            "no rustup: which targets are installed is not known",
        ));
    };
    let mut report = Report::default();
    for (target, check) in TARGETS {
        if !installed.iter().any(|name| name == target) {
            report.skip(format!(
                "{target}: not installed (`rustup target add {target}`)"
            ));
            continue;
        }
        let (subcommand, last, seen): (_, &[&str], _) = match check {
            Check::Types => ("check", &[], "no error"),
            Check::Lints => ("clippy", &["--", "-D", "warnings"], "no warning"),
        };
        let mut command = workspace.cargo();
        command.args([subcommand, "--quiet", "--workspace", "--all-targets"]);
        command.args(["--target", target]).args(last);
        run_command(&mut command)?;
        report.note(format!("{target}: {seen}"));
    }
    Ok(report)
}
