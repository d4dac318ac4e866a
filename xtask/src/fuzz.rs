//! Builds and runs the fuzzers, coverage-guided, with the stable toolchain.
//!
//! The programs of `fuzz/` are compiled with the instrumentation that libFuzzer reads and without a sanitizer: what they find
//! is panics, failed assertions, memory beyond the limit and inputs that take too long. Those that compare with wimlib are built
//! only when they are asked for, because they want a C compiler, autotools and libclang.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::report::Report;
use crate::workspace::{Workspace, find_program, run as run_command, text_of};

mod record;

use record::Run;

/// Inputs that are made at most this long; larger ones only make the fuzzers slow.
const LONGEST: u32 = 1 << 16;

/// Memory of a fuzzer in MiB. What one answer may take is checked in the targets, more strictly.
const MEMORY: u32 = 640;

/// Seconds that one input may take before its fuzzer gives up on it: many, for they pass on a busy machine too. The time of one
/// answer about a small file is checked in the targets, more strictly, and by what the processor spent on it.
const PATIENCE: u32 = 120;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// One target, or all of them.
    pub(crate) target: Option<String>,
    /// Seconds for each target.
    pub(crate) seconds: u64,
    /// Processes that share a corpus.
    pub(crate) jobs: u32,
    /// Whether the comparisons with wimlib run too, if no target is named.
    pub(crate) wimlib: bool,
    /// Whether the table in the README of the fuzzers is brought up to date.
    pub(crate) record: bool,
    /// Where the fuzzers' own choices start; another place each time if not given.
    pub(crate) seed: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            target: None,
            seconds: 60,
            jobs: 1,
            wimlib: false,
            record: false,
            seed: None,
        }
    }
}

impl Options {
    /// Reads the arguments of `cargo xtask fuzz`.
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            let mut value = || {
                rest.next()
                    .with_context(|| format!("`{arg}` wants a value"))
            };
            match arg.as_str() {
                "--wimlib" => options.wimlib = true,
                "--record" => options.record = true,
                "--target" => {
                    let value = value()?;
                    if !targets(true).contains(&value.as_str()) {
                        let names = targets(true).join(", ");
                        bail!("no fuzz target is called `{value}`; there are {names}");
                    }
                    options.target = Some(value.clone());
                }
                "--seconds" => {
                    options.seconds = value()?.parse().context("--seconds wants a number")?
                }
                "--seed" => {
                    options.seed = Some(value()?.parse().context("--seed wants a number")?);
                }
                "--jobs" => options.jobs = value()?.parse().context("--jobs wants a number")?,
                other => bail!(
                    "fuzz knows no `{other}`; it knows --target, --seconds, --jobs, --seed, --wimlib and --record"
                ),
            }
        }
        Ok(options)
    }

    fn chosen(&self) -> Vec<&str> {
        match &self.target {
            Some(name) => vec![name.as_str()],
            None => targets(self.wimlib),
        }
    }
}

/// Every target, those that compare with wimlib last and only if they are wanted. Not all of them are built into this program.
fn targets(wimlib: bool) -> Vec<&'static str> {
    let optional = [wcow_fuzz::SIMULATED, wcow_fuzz::DIFFERENTIAL].concat();
    let ours = wcow_fuzz::TARGETS.iter().map(|(name, _)| *name);
    let mut names: Vec<&str> = ours.filter(|name| !optional.contains(name)).collect();
    names.extend(wcow_fuzz::SIMULATED);
    if wimlib {
        names.extend(wcow_fuzz::DIFFERENTIAL);
    }
    names
}

/// Builds the chosen fuzzers and runs them one after the other; a finding of one does not keep the others from running.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<Report> {
    if find_program("c++").is_none() {
        return Ok(Report::skipped(
            "no C++ compiler (c++): libFuzzer's run time cannot be built",
        ));
    }
    let chosen = options.chosen();
    let programs = build(workspace, &chosen)?;
    let mut runs = Vec::new();
    let mut said = Vec::new();
    for name in chosen {
        println!("fuzz {name}");
        let (run, tail) = run_one(workspace, options, name, Command::new(programs.join(name)))?;
        said.extend(tail);
        runs.push(run);
    }
    if options.record {
        record::write(&workspace.root.join("fuzz/README.md"), &runs)?;
    }
    let mut report = Report::default();
    for line in record::table(&runs) {
        report.note(line);
    }
    if !said.is_empty() {
        print!("{report}");
        bail!("{}", said.join("\n"));
    }
    Ok(report)
}

/// Builds the fuzzers and returns the folder of their programs.
fn build(workspace: &Workspace, chosen: &[&str]) -> Result<std::path::PathBuf> {
    let triple = host_triple()?;
    let build = workspace.target.join("fuzz");
    let any_of = |names: &[&str]| chosen.iter().any(|name| names.contains(name));
    let wimlib = any_of(wcow_fuzz::DIFFERENTIAL);
    let mut features = vec!["fuzzer"];
    features.extend(wimlib.then_some("wimlib"));
    features.extend(any_of(wcow_fuzz::SIMULATED).then_some("sim"));
    let mut command = workspace.cargo();
    // The target is named so that build scripts and macros are compiled without the instrumentation.
    command.args([
        "build",
        "--quiet",
        "--release",
        "--package",
        "wcow-fuzz",
        "--no-default-features",
        "--features",
        &features.join(","),
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
    let programs = build.join(&triple).join("release");
    if wimlib {
        keep_wimlib(&programs.join("build"));
    }
    Ok(programs)
}

/// The build script of wimlib-sys names the header that it installs as a reason to run again; that is newer than its own start, so
/// that wimlib would be built each time. An older date keeps it.
fn keep_wimlib(builds: &Path) {
    let Ok(folders) = std::fs::read_dir(builds) else {
        return;
    };
    for folder in folders.flatten() {
        let header = folder.path().join("out/include/wimlib.h");
        // What cannot be kept is built again, no more.
        if let Ok(header) = std::fs::File::options().write(true).open(header) {
            let _ = header.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(86_400));
        }
    }
}

/// Runs one fuzzer. The second part is what it said, if it found something.
fn run_one(
    workspace: &Workspace,
    options: &Options,
    name: &str,
    mut command: Command,
) -> Result<(Run, Option<String>)> {
    let folder = workspace.root.join("fuzz/corpus");
    let corpus = folder.join(name);
    let artifacts = workspace.root.join("fuzz/artifacts").join(name);
    std::fs::create_dir_all(&corpus)?;
    std::fs::create_dir_all(&artifacts)?;
    command
        .arg(&corpus)
        .arg(format!("-artifact_prefix={}/", artifacts.display()));
    let dictionary = folder.join(format!("{name}.dict"));
    if dictionary.is_file() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    command.arg(format!("-max_total_time={}", options.seconds));
    command.arg(format!("-max_len={LONGEST}"));
    command.args(options.seed.map(|seed| format!("-seed={seed}")));
    command.arg(format!("-rss_limit_mb={MEMORY}"));
    command.arg(format!("-timeout={PATIENCE}"));
    command.arg(format!("-report_slow_units={PATIENCE}"));
    command.args(["-print_final_stats=1", "-verbosity=1"]);
    if options.jobs > 1 {
        command.arg(format!("-fork={}", options.jobs));
    }
    let start = Instant::now();
    let output = crate::workspace::output(&mut command)?;
    let seconds = start.elapsed().as_secs();
    // An empty folder is not worth keeping; Git would not keep it either.
    let _ = std::fs::remove_dir(&artifacts);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut run = Run::read(name, seconds, &said);
    if output.status.success() {
        return Ok((run, None));
    }
    run.findings = run.findings.max(1);
    let tail: Vec<&str> = said.lines().rev().take(60).collect();
    let tail: Vec<&str> = tail.into_iter().rev().collect();
    Ok((
        run,
        Some(format!(
            "{name}: a finding, kept under fuzz/artifacts/{name}\n{}",
            tail.join("\n")
        )),
    ))
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
        let args = "--target lzx --seconds 5 --jobs 2 --seed 7 --record".split(' ');
        let args: Vec<String> = args.map(str::to_owned).collect();
        let expected = Options {
            target: Some("lzx".to_owned()),
            seconds: 5,
            jobs: 2,
            wimlib: false,
            record: true,
            seed: Some(7),
        };
        assert_eq!(Options::parse(&args).ok(), Some(expected));
        assert!(Options::parse(&["--target".to_owned(), "none".to_owned()]).is_err());
        assert!(Options::parse(&["--seconds".to_owned()]).is_err());
    }

    #[test]
    fn comparisons_run_only_when_they_are_wanted() {
        let all = Options {
            wimlib: true,
            ..Options::default()
        };
        assert!(all.chosen().contains(&"diff_wim"));
        assert!(!Options::default().chosen().contains(&"diff_wim"));
        assert!(Options::default().chosen().contains(&"wim"));
    }
}
