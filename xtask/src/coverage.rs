//! Which lines of a crate its tests reach.
//!
//! The tests of all named crates run once, compiled with the instrumentation that LLVM's coverage tools read; then the lines of
//! each crate's `src` are counted, whichever test reached them. Unit tests at the bottom of a file are no lines of the crate.
//! Examples in documentation are not run.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::counts::run_tests;
use crate::report::Report;
use crate::workspace::{Workspace, find_program, output, remove_dir, run as run_command, text_of};

/// Measured where no crate is named, as far as they are there: folders below `crates`.
const CRATES: &[&str] = &["wim", "lzx", "lzms", "xpress"];

/// The first version of LLVM that reads what stable compilers write.
const OLDEST_LLVM: u32 = 19;

/// Versions that are looked for by name, as Debian names them.
const NEWEST_LLVM: u32 = 30;

/// What to measure, and how much is enough.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    /// Folders below `crates`; all of [`CRATES`] if empty.
    crates: Vec<String>,
    /// Percent of the lines of each crate.
    least: f64,
}

impl Options {
    /// Reads the arguments of `cargo xtask coverage`.
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self {
            crates: Vec::new(),
            least: 95.0,
        };
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            match arg.as_str() {
                "--min" => {
                    let value = rest.next().context("`--min` wants a value")?;
                    options.least = value.parse().context("--min wants a number of percent")?;
                }
                other if other.starts_with('-') => {
                    bail!("coverage knows no `{other}`; it knows --min, and names of crates")
                }
                name => options.crates.push(name.to_owned()),
            }
        }
        Ok(options)
    }
}

/// Runs the tests and counts. A crate below the minimum is an error.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<Report> {
    let Some(tools) = Tools::find()? else {
        return Ok(Report::skipped(format!(
            "no llvm-cov and llvm-profdata of LLVM {OLDEST_LLVM} or later: install Debian's llvm-{OLDEST_LLVM} or rustup's \
             llvm-tools, or name the programs in LLVM_COV and LLVM_PROFDATA"
        )));
    };
    let crates = chosen(workspace, options)?;
    let reached = measure(workspace, &tools, &crates)?;
    let mut report = Report::default();
    let mut below = Vec::new();
    for name in &crates {
        let source = workspace.root.join("crates").join(name).join("src");
        let mut sum = Lines::default();
        for (file, lines) in reached.range(source.clone()..) {
            if !file.starts_with(&source) {
                break;
            }
            let shown = file.strip_prefix(&workspace.root).unwrap_or(file).display();
            if !lines.missed.is_empty() {
                println!(
                    "{shown}: {:.1} %, not reached: {}",
                    lines.percent(),
                    lines.ranges()
                );
            }
            sum.total += lines.total;
            sum.missed.extend(&lines.missed);
        }
        ensure!(sum.total > 0, "no line of crates/{name}/src was compiled");
        let line = format!("{name}: {:.1} % of {} lines", sum.percent(), sum.total);
        if sum.percent() < options.least {
            below.push(line.clone());
        }
        report.note(line);
    }
    if !below.is_empty() {
        print!("{report}");
        bail!("less than {} %: {}", options.least, below.join("; "));
    }
    Ok(report)
}

fn chosen(workspace: &Workspace, options: &Options) -> Result<Vec<String>> {
    let exists = |name: &str| {
        workspace
            .root
            .join("crates")
            .join(name)
            .join("src")
            .is_dir()
    };
    if options.crates.is_empty() {
        let there = CRATES.iter().filter(|name| exists(name));
        return Ok(there.map(|name| (*name).to_owned()).collect());
    }
    for name in &options.crates {
        ensure!(exists(name), "no crate lies in crates/{name}");
    }
    Ok(options.crates.clone())
}

/// Runs the tests of the crates; what they reached, by file.
fn measure(
    workspace: &Workspace,
    tools: &Tools,
    crates: &[String],
) -> Result<BTreeMap<PathBuf, Lines>> {
    let build = workspace.target.join("coverage");
    let profiles = build.join("profiles");
    remove_dir(&profiles)?;
    fs::create_dir_all(&profiles)?;
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let host = text_of(Command::new(rustc).args(["--print", "host-tuple"]))?;
    let tests = || {
        let mut command = workspace.cargo();
        command.arg("test");
        for name in crates {
            command.args(["--package", &format!("wcow-{name}")]);
        }
        // The target is named so that build scripts and macros are compiled without the instrumentation.
        command.args(["--lib", "--bins", "--tests", "--target", host.trim()]);
        command
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env("RUSTFLAGS", "-Cinstrument-coverage")
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .env("CARGO_TARGET_DIR", &build)
            .env("LLVM_PROFILE_FILE", profiles.join("%8m.profraw"));
        command
    };
    let mut list = tests();
    list.args(["--no-run", "--message-format=json-render-diagnostics"]);
    let programs = programs(&text_of(&mut list).context("cannot build the tests")?);
    let (counts, ok) = run_tests(&mut tests())?;
    ensure!(ok, "{} tests failed", counts.failed);
    ensure!(counts.passed > 0, "no test ran");

    let merged = build.join("all.profdata");
    let mut command = Command::new(&tools.profdata);
    command.args(["merge", "--sparse", "--output"]).arg(&merged);
    for entry in fs::read_dir(&profiles)? {
        command.arg(entry?.path());
    }
    run_command(&mut command)?;

    let (first, others) = programs
        .split_first()
        .context("cargo built no test program")?;
    let mut command = Command::new(&tools.cov);
    command.args([
        "export",
        "--format=lcov",
        "--skip-functions",
        "--skip-branches",
    ]);
    command.arg("--instr-profile").arg(&merged).arg(first);
    for other in others {
        command.arg("--object").arg(other);
    }
    let exported = text_of(&mut command)?;
    read_lcov(&exported)
        .into_iter()
        .filter(|(file, _)| file.starts_with(&workspace.root))
        .map(|(file, lines)| {
            let text = fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            Ok((file, Lines::of(&lines, first_test_line(&text))))
        })
        .collect()
}

/// The test programs, from what Cargo said while it built them.
fn programs(messages: &str) -> Vec<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["profile"]["test"] == true)
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .collect()
}

/// How often each line with code was reached, by file.
fn read_lcov(text: &str) -> BTreeMap<PathBuf, BTreeMap<u64, u64>> {
    let mut files: BTreeMap<PathBuf, BTreeMap<u64, u64>> = BTreeMap::new();
    let mut file = PathBuf::new();
    for line in text.lines() {
        if let Some(path) = line.strip_prefix("SF:") {
            file = PathBuf::from(path);
        } else if let Some((number, count)) = line
            .strip_prefix("DA:")
            .and_then(|rest| rest.split_once(','))
            && let (Ok(number), Ok(count)) = (number.parse(), count.parse::<u64>())
        {
            *files
                .entry(file.clone())
                .or_default()
                .entry(number)
                .or_default() += count;
        }
    }
    files
}

/// The line, counted from 1, at which the unit tests of a file begin.
fn first_test_line(text: &str) -> Option<u64> {
    let mut lines = (1..).zip(text.lines()).peekable();
    while let Some((number, line)) = lines.next() {
        if line == "#[cfg(test)]"
            && lines
                .peek()
                .is_some_and(|(_, next)| next.starts_with("mod ") && next.ends_with('{'))
        {
            return Some(number);
        }
    }
    None
}

/// The lines with code of one file or crate.
#[derive(Debug, Default, PartialEq, Eq)]
struct Lines {
    total: usize,
    missed: Vec<u64>,
}

impl Lines {
    fn of(counts: &BTreeMap<u64, u64>, tests: Option<u64>) -> Self {
        let ours = counts.range(..tests.unwrap_or(u64::MAX));
        Self {
            total: ours.clone().count(),
            missed: ours
                .filter(|(_, count)| **count == 0)
                .map(|(&number, _)| number)
                .collect(),
        }
    }

    fn percent(&self) -> f64 {
        100.0 * (self.total - self.missed.len()) as f64 / self.total.max(1) as f64
    }

    /// The missed lines, as `3-5, 9`.
    fn ranges(&self) -> String {
        let mut text = String::new();
        for run in self.missed.chunk_by(|one, next| one + 1 == *next) {
            let (Some(first), Some(last)) = (run.first(), run.last()) else {
                continue;
            };
            let comma = if text.is_empty() { "" } else { ", " };
            let _ = write!(text, "{comma}{first}");
            if first != last {
                let _ = write!(text, "-{last}");
            }
        }
        text
    }
}

/// LLVM's coverage tools.
struct Tools {
    cov: PathBuf,
    profdata: PathBuf,
}

impl Tools {
    /// The ones the user names, else those of the toolchain, else the newest in `PATH`.
    fn find() -> Result<Option<Self>> {
        let named =
            |variable| std::env::var_os(variable).filter(|value: &OsString| !value.is_empty());
        if let (Some(cov), Some(profdata)) = (named("LLVM_COV"), named("LLVM_PROFDATA")) {
            return Ok(Some(Self {
                cov: cov.into(),
                profdata: profdata.into(),
            }));
        }
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let libraries = text_of(Command::new(rustc).args(["--print", "target-libdir"]))?;
        let bin = Path::new(libraries.trim()).with_file_name("bin");
        let of_toolchain = Self {
            cov: bin.join("llvm-cov"),
            profdata: bin.join("llvm-profdata"),
        };
        if of_toolchain.cov.is_file() && of_toolchain.profdata.is_file() {
            return Ok(Some(of_toolchain));
        }
        let with = |suffix: &str| {
            Some(Self {
                cov: find_program(&format!("llvm-cov{suffix}"))?,
                profdata: find_program(&format!("llvm-profdata{suffix}"))?,
            })
        };
        let by_version = (OLDEST_LLVM..=NEWEST_LLVM)
            .rev()
            .find_map(|version| with(&format!("-{version}")));
        Ok(by_version.or_else(|| with("").filter(|tools| is_new_enough(&tools.cov))))
    }
}

fn is_new_enough(cov: &Path) -> bool {
    let Ok(output) = output(Command::new(cov).arg("--version")) else {
        return false;
    };
    version(&String::from_utf8_lossy(&output.stdout)).is_some_and(|version| version >= OLDEST_LLVM)
}

/// The major version in what an LLVM program says of itself.
fn version(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("LLVM version ")?;
    rest.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Lines, Options, first_test_line, programs, read_lcov, version};

    #[test]
    fn lines_before_the_tests_are_counted() {
        let counts = read_lcov("SF:a.rs\nDA:1,4\nDA:2,0\nDA:3,0\nDA:5,0\nDA:9,0\nend_of_record\n");
        let counts = counts.get(Path::new("a.rs")).expect("the file");
        let lines = Lines::of(counts, Some(9));
        assert_eq!((lines.total, lines.ranges().as_str()), (4, "2-3, 5"));
        assert_eq!(lines.percent(), 25.0);
        assert_eq!(Lines::of(counts, None).total, 5);
    }

    #[test]
    fn unit_tests_are_found_at_the_bottom() {
        let text = "use a;\n#[cfg(test)]\nuse b;\n\n#[cfg(test)]\nmod tests {\n}\n";
        assert_eq!(first_test_line(text), Some(5));
        assert_eq!(first_test_line("#[cfg(test)]\nmod tests;\n"), None);
    }

    #[test]
    fn test_programs_are_found() {
        let messages = "\
            {\"profile\":{\"test\":false},\"executable\":\"a\"}\n\
            {\"profile\":{\"test\":true},\"executable\":\"b\"}\n\
            {\"profile\":{\"test\":true},\"executable\":null}\n";
        assert_eq!(programs(messages), [Path::new("b")]);
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(version("Debian LLVM version 14.0.6\n  Optimized"), Some(14));
        assert_eq!(version("something else"), None);
    }

    #[test]
    fn arguments_are_read() {
        let args = ["lzx", "--min", "90.5"].map(str::to_owned);
        let expected = Options {
            crates: vec!["lzx".to_owned()],
            least: 90.5,
        };
        assert_eq!(Options::parse(&args).ok(), Some(expected));
        assert!(Options::parse(&["--max".to_owned()]).is_err());
    }
}
