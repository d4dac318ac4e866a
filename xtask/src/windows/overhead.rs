//! What `wcow-winhost` and `wcow-hcs` add to a call of Microsoft's DLLs: its example `calls`, optimised, over stand-ins that answer
//! at once.

use std::process::Stdio;

use anyhow::{Context, Result, bail};

use super::{TARGET, Wine, install_stand_ins, loader};
use crate::report::Report;
use crate::workspace::{Workspace, text_of};

const PACKAGE: &str = "wcow-winhost";
const EXAMPLE: &str = "calls";

/// Builds it and runs it; its table is printed. No time makes it fail.
pub(super) fn run(workspace: &Workspace) -> Result<Report> {
    let loader = match loader() {
        Ok(loader) => loader,
        Err(reason) => return Ok(Report::skipped(reason)),
    };
    let mut build = workspace.cargo();
    build.args(["build", "--release", "--target", TARGET]);
    build.args(["-p", PACKAGE, "--example", EXAMPLE]);
    let built = build.stdin(Stdio::null()).status();
    if !built.context("cannot start cargo")?.success() {
        bail!("the example `{EXAMPLE}` does not build for {TARGET}");
    }
    let program = workspace.target.join(TARGET).join("release/examples");
    let wine = Wine::make(workspace, loader)?;
    install_stand_ins(&wine, &["-DQUICK"])?;
    let said = text_of(&mut wine.command(program.join(EXAMPLE).with_extension("exe")))?;
    print!("{said}");
    Ok(Report::noted(
        "calls through the host and without it, under Wine, with stand-ins that answer at once"
            .to_owned(),
    ))
}
