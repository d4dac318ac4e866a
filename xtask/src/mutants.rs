//! `cargo xtask sim mutants`: each precaution of the engine left out in turn, in a release build.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::report::Report;
use crate::workspace::{Workspace, run as run_command};

/// Runs the part that is named; arguments behind it are those of `wcow sim mutants`.
pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result<Report> {
    match args.split_first() {
        Some((part, rest)) if part == "mutants" => mutants(workspace, rest),
        _ => bail!("sim has one part: `cargo xtask sim mutants [--seeds N] [PRECAUTION...]`"),
    }
}

/// Hunts mutants; one that survives is an error.
pub(crate) fn mutants(workspace: &Workspace, args: &[String]) -> Result<Report> {
    let wcow = workspace.wcow()?;
    let start = Instant::now();
    run_command(Command::new(wcow).args(["sim", "mutants"]).args(args))?;
    Ok(Report::noted(format!(
        "every precaution that is left out is found, after {:.1} s",
        start.elapsed().as_secs_f64()
    )))
}
