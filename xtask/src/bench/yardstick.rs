//! wimlib, built from source with full optimisation: what `wcow` is measured against.
//!
//! The crate wimlib-sys brings the source of wimlib 1.14.4 along and builds all of it, its program wimlib-imagex too. That
//! program is the yardstick: as it comes from its authors, in a process of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::workspace::{Workspace, find_program, text_of};

/// The version that figures are quoted against.
const VERSION: &str = "1.14.4";

/// Programs that the build wants.
const WANTED: &[&str] = &["cc", "make", "autoconf", "automake", "libtoolize"];

/// The program, and how it was built.
pub(super) struct Yardstick {
    /// `wimlib-imagex`.
    pub(super) imagex: PathBuf,
    /// The compiler's flags.
    pub(super) flags: String,
}

/// Says which program is missing, if any; libclang is found by the build alone.
pub(super) fn missing_tool() -> Option<String> {
    let missing = WANTED.iter().find(|name| find_program(name).is_none())?;
    Some(format!(
        "no {missing}: wimlib-sys is built with libclang-dev, autoconf, automake, libtool, make and a C compiler"
    ))
}

/// Builds wimlib, unless it is built already.
///
/// Cargo alone would build it every time: the build script watches a header that it installs itself.
pub(super) fn build(workspace: &Workspace) -> Result<Yardstick> {
    let target = workspace.target.join("wimlib");
    for out in built(&target) {
        if let Ok(yardstick) = check(&out) {
            return Ok(yardstick);
        }
    }
    let mut command = workspace.cargo();
    command.args([
        "build",
        "--release",
        "--package",
        "wcow-benches",
        "--lib",
        "--features",
        "wimlib",
        "--message-format=json-render-diagnostics",
    ]);
    // Without debug information the C compiler is free to drop frame pointers. A folder of its own keeps the two ways of
    // building from replacing each other.
    command
        .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_TARGET_DIR", &target);
    eprintln!("bench: building wimlib {VERSION}");
    let messages = text_of(&mut command).context(
        "cannot build wimlib-sys (it wants libclang-dev, autoconf, automake, libtool, make and a C compiler)",
    )?;
    check(&out_dir(&messages).context("cargo built no wimlib-sys")?)
}

/// Output folders of earlier builds.
fn built(target: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(target.join("release/build")) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .starts_with("wimlib-sys-")
        })
        .map(|entry| entry.path().join("out"))
        .filter(|out| out.is_dir())
        .collect()
}

/// The program in an output folder, if it is the version that is wanted, built as it should be.
fn check(out: &Path) -> Result<Yardstick> {
    let imagex = out.join("bin/wimlib-imagex");
    let version = text_of(Command::new(&imagex).arg("--version"))?;
    let first = version.lines().next().unwrap_or_default();
    ensure!(
        first.contains(&format!("using wimlib {VERSION}")),
        "expected wimlib {VERSION}, found {first}"
    );
    let flags = flags(out)?;
    if !flags.split_whitespace().any(|flag| flag == "-O3") {
        bail!("expected a wimlib built with -O3, found CFLAGS {flags}");
    }
    Ok(Yardstick { imagex, flags })
}

/// Where the build script of wimlib-sys put its output, from what Cargo said.
fn out_dir(messages: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["reason"] == "build-script-executed")
        .find(|message| {
            message["package_id"]
                .as_str()
                .is_some_and(|id| id.contains("wimlib-sys"))
        })
        .and_then(|message| message["out_dir"].as_str().map(PathBuf::from))
}

/// The C compiler's flags in the Makefile of the build.
fn flags(out: &Path) -> Result<String> {
    let makefile = out.join("build/Makefile");
    let text = fs::read_to_string(&makefile)
        .with_context(|| format!("cannot read {}", makefile.display()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("CFLAGS ="));
    line.map(|line| line.trim().to_owned())
        .with_context(|| format!("{} sets no CFLAGS", makefile.display()))
}

#[cfg(test)]
mod tests {
    use super::out_dir;

    #[test]
    fn the_output_of_the_build_script_is_found() {
        let messages = "\
            {\"reason\":\"build-script-executed\",\"package_id\":\"registry#cc@1.0.0\",\"out_dir\":\"a\"}\n\
            no JSON\n\
            {\"reason\":\"compiler-artifact\",\"package_id\":\"registry#wimlib-sys@0.3.1\",\"out_dir\":\"b\"}\n\
            {\"reason\":\"build-script-executed\",\"package_id\":\"registry#wimlib-sys@0.3.1\",\"out_dir\":\"c\"}\n";
        assert_eq!(out_dir(messages), Some("c".into()));
        assert_eq!(out_dir(""), None);
    }
}
