//! Builds and runs the fuzzers, coverage-guided, with the stable toolchain.
//!
//! The programs of `fuzz/` are compiled with the instrumentation that libFuzzer reads and without a sanitizer: what they find
//! is panics, failed assertions, memory beyond the limit and inputs that take too long.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::report::Report;
use crate::workspace::{Workspace, find_program, run as run_command, text_of};

/// Every fuzzer, by the name of its program.
pub(crate) const TARGETS: &[&str] = &["wim_open", "metadata", "lzx", "xpress", "hive"];

const FLAGS: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cdebug-assertions",
    "-Ccodegen-units=1",
];

/// What to run, and for how long.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// One target, or all of them.
    pub(crate) target: Option<String>,
    /// Seconds for each target.
    pub(crate) seconds: u64,
    /// Processes that share a corpus.
    pub(crate) jobs: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            target: None,
            seconds: 60,
            jobs: 1,
        }
    }
}

impl Options {
    /// Reads the arguments of `cargo xtask fuzz`.
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            let value = rest
                .next()
                .with_context(|| format!("`{arg}` wants a value"))?;
            match arg.as_str() {
                "--target" if TARGETS.contains(&value.as_str()) => {
                    options.target = Some(value.clone())
                }
                "--target" => bail!(
                    "no fuzz target is called `{value}`; there are {}",
                    TARGETS.join(", ")
                ),
                "--seconds" => {
                    options.seconds = value.parse().context("--seconds wants a number")?
                }
                "--jobs" => options.jobs = value.parse().context("--jobs wants a number")?,
                other => bail!("fuzz knows no `{other}`; it knows --target, --seconds and --jobs"),
            }
        }
        Ok(options)
    }
}

/// Builds the chosen fuzzers and runs them one after the other.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<Report> {
    if find_program("c++").is_none() {
        return Ok(Report::skipped(
            "no C++ compiler (c++): libFuzzer's run time cannot be built",
        ));
    }
    let triple = host_triple()?;
    let build = workspace.target.join("fuzz");
    let chosen: Vec<&str> = match &options.target {
        Some(name) => vec![name.as_str()],
        None => TARGETS.to_vec(),
    };
    let mut command = workspace.cargo();
    // The target is named so that build scripts and macros are compiled without the instrumentation.
    command.args([
        "build",
        "--quiet",
        "--release",
        "--package",
        "wcow-fuzz",
        "--features",
        "fuzzer",
        "--target",
        &triple,
    ]);
    chosen.iter().for_each(|name| {
        command.args(["--bin", name]);
    });
    command
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("RUSTFLAGS", FLAGS.join(" "))
        .env("CARGO_TARGET_DIR", &build);
    // One module per crate: thin LTO would drop the section boundaries that the coverage tables need.
    command.env("CARGO_PROFILE_RELEASE_LTO", "off");
    run_command(&mut command).context("cannot build the fuzzers")?;
    let mut report = Report::default();
    for name in chosen {
        let program = build.join(&triple).join("release").join(name);
        report.note(run_one(workspace, options, name, Command::new(program))?);
    }
    Ok(report)
}

fn run_one(
    workspace: &Workspace,
    options: &Options,
    name: &str,
    mut command: Command,
) -> Result<String> {
    let corpus = workspace.root.join("fuzz/corpus").join(name);
    let artifacts = workspace.root.join("fuzz/artifacts").join(name);
    std::fs::create_dir_all(&corpus)?;
    std::fs::create_dir_all(&artifacts)?;
    command
        .arg(&corpus)
        .arg(format!("-artifact_prefix={}/", artifacts.display()));
    command.arg(format!("-max_total_time={}", options.seconds));
    command.args([
        "-rss_limit_mb=512",
        "-timeout=10",
        "-print_final_stats=1",
        "-verbosity=1",
    ]);
    if options.jobs > 1 {
        command.arg(format!("-fork={}", options.jobs));
    }
    let output = crate::workspace::output(&mut command)?;
    // An empty folder is not worth keeping; Git would not keep it either.
    let _ = std::fs::remove_dir(&artifacts);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        let tail: Vec<&str> = said.lines().rev().take(60).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        bail!(
            "{name}: a finding, kept under fuzz/artifacts/{name}\n{}",
            tail.join("\n")
        );
    }
    Ok(format!("{name}: {}", summary(&said)))
}

/// The last line that carries coverage, shortened.
fn summary(said: &str) -> String {
    let last = said
        .lines()
        .rev()
        .find(|line| line.starts_with('#') && line.contains("cov:"));
    let words: Vec<&str> = last.unwrap_or("no statistics").split_whitespace().collect();
    words.join(" ")
}

fn host_triple() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let text = text_of(Command::new(rustc).arg("-vV"))?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc -vV names no host")
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn arguments_are_read() {
        let args = ["--target", "lzx", "--seconds", "5", "--jobs", "2"].map(str::to_owned);
        let expected = Options {
            target: Some("lzx".to_owned()),
            seconds: 5,
            jobs: 2,
        };
        assert_eq!(Options::parse(&args).ok(), Some(expected));
        assert!(Options::parse(&["--target".to_owned(), "none".to_owned()]).is_err());
        assert!(Options::parse(&["--seconds".to_owned()]).is_err());
    }
}
