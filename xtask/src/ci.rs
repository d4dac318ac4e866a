//! Everything that CI checks, in order, with a summary at the end.

use std::ffi::OsStr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::report::Report;
use crate::workspace::{Workspace, find_program, output, run as run_command};
use crate::{corpus, fuzz, house, mutants, oracle, schema, targets, windows};

type Step = (&'static str, fn(&Workspace) -> Result<Report>);

/// Cheap steps first: a wrong space should not cost ten minutes.
const STEPS: &[Step] = &[
    ("format", format),
    ("house-rules", house::run),
    ("schema", schema::check),
    ("clippy", clippy),
    ("docs", docs),
    ("deny", deny),
    ("check-targets", targets::run),
    ("determinism", determinism),
    ("mutants", |workspace| mutants::mutants(workspace, &[])),
    ("oracle", |workspace| oracle::run(workspace, &[])),
    ("tour", tour),
    ("windows", windows::run),
    ("fuzz", fuzz_smoke),
];

/// Runs the named steps, or all. A failed step does not keep the later ones from running.
pub(crate) fn run(workspace: &Workspace, only: &[String]) -> Result<Report> {
    if let Some(unknown) = only
        .iter()
        .find(|name| STEPS.iter().all(|(step, _)| step != name))
    {
        let names: Vec<_> = STEPS.iter().map(|(name, _)| *name).collect();
        bail!("ci has no step `{unknown}`; it has {}", names.join(", "));
    }
    let chosen = STEPS
        .iter()
        .filter(|(name, _)| only.is_empty() || only.iter().any(|wanted| wanted == name));
    let ends: Vec<End> = chosen.map(|step| run_step(workspace, step)).collect();
    println!("\n== summary");
    ends.iter().for_each(End::print);
    let failed: Vec<_> = ends
        .iter()
        .filter(|end| end.result.is_err())
        .map(|end| end.name)
        .collect();
    if !failed.is_empty() {
        bail!("ci failed: {}", failed.join(", "));
    }
    Ok(Report::default())
}

struct End {
    name: &'static str,
    took: Duration,
    result: Result<Report>,
}

impl End {
    fn print(&self) {
        let verdict = match &self.result {
            Ok(report) if report.notes.is_empty() && !report.skips.is_empty() => "skip",
            Ok(_) => "ok",
            Err(_) => "FAIL",
        };
        println!(
            "{verdict:>4} {:<14} {:>6.1} s",
            self.name,
            self.took.as_secs_f64()
        );
        match &self.result {
            Ok(report) => print!("{report}"),
            Err(error) => println!("  {}", format!("{error:#}").replace('\n', "\n  ")),
        }
    }
}

fn run_step(workspace: &Workspace, (name, step): &Step) -> End {
    println!("\n== {name}");
    let start = Instant::now();
    let result = step(workspace);
    if let Err(error) = &result {
        eprintln!("error: {error:#}");
    }
    End {
        name,
        took: start.elapsed(),
        result,
    }
}

fn format(workspace: &Workspace) -> Result<Report> {
    run_command(workspace.cargo().args(["fmt", "--all", "--check"]))?;
    Ok(Report::noted("every file is as rustfmt writes it"))
}

fn clippy(workspace: &Workspace) -> Result<Report> {
    run_command(workspace.cargo().args([
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    Ok(Report::noted("no warning"))
}

/// Builds the documentation of every crate, private links and broken ones being errors.
pub(crate) fn docs(workspace: &Workspace) -> Result<Report> {
    let mut command = workspace.cargo();
    command
        .args(["doc", "--quiet", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "-D warnings");
    run_command(&mut command)?;
    Ok(Report::noted("no warning"))
}

fn deny(workspace: &Workspace) -> Result<Report> {
    if find_program("cargo-deny").is_none() {
        return Ok(Report::skipped(
            "cargo-deny is not installed: licences, bans and sources of dependencies are not checked",
        ));
    }
    run_command(workspace.cargo().args([
        "deny",
        "--workspace",
        "check",
        "bans",
        "licenses",
        "sources",
    ]))?;
    Ok(Report::noted("bans, licences and sources"))
}

/// The simulator's fingerprints are committed: a release build must come to the same as the debug build of `cargo test`.
fn determinism(workspace: &Workspace) -> Result<Report> {
    const TABLE: &str = "crates/campaign/tests/it/fingerprints.txt";
    let seen = output(std::process::Command::new(workspace.wcow()?).args(["sim", "fingerprints"]))?;
    if !seen.status.success() {
        bail!(
            "`wcow sim fingerprints` ended with {}: {}",
            seen.status,
            String::from_utf8_lossy(&seen.stderr)
        );
    }
    let seen = String::from_utf8(seen.stdout)?;
    let table = std::fs::read_to_string(workspace.root.join(TABLE))?;
    let mut lines = seen.lines().zip(table.lines());
    if let Some((now, then)) = lines.find(|(now, then)| now != then) {
        bail!("a release build comes to `{now}`, {TABLE} says `{then}`");
    }
    let count = table.lines().count();
    if seen.lines().count() != count || count == 0 {
        bail!("a release build has other scenarios than {TABLE}");
    }
    Ok(Report::noted(format!(
        "a release build comes to the {count} committed fingerprints"
    )))
}

fn tour(workspace: &Workspace) -> Result<Report> {
    let wcow = workspace.wcow()?;
    let help = output(std::process::Command::new(&wcow).arg("--help"))?;
    if !String::from_utf8_lossy(&help.stdout)
        .lines()
        .any(|line| line.trim_start().starts_with("tour"))
    {
        return Ok(Report::skipped("`wcow --help` lists no `tour`"));
    }
    let tour = |arguments: &[&OsStr]| {
        let mut command = workspace.cargo();
        command.args(["run", "--quiet", "--release", "--", "tour"]);
        let seen = output(command.args(arguments).stderr(Stdio::inherit()))?;
        if !seen.status.success() {
            println!("{}", String::from_utf8_lossy(&seen.stdout));
            bail!("`wcow tour` ended with {}", seen.status);
        }
        anyhow::Ok(())
    };
    let start = Instant::now();
    tour(&[])?;
    let mut report = Report::noted(format!(
        "`cargo run --release -- tour` exits 0, after {:.1} s",
        start.elapsed().as_secs_f64()
    ));
    let base = workspace.target.join("oracle").join("base-lzx.wim");
    if base.is_file() {
        tour(&["--wim".as_ref(), base.as_ref()])?;
        report.note("so does `tour --wim` with the oracle's LZX image");
    } else {
        report.skip("`tour --wim`: the oracle made no base-lzx.wim");
    }
    Ok(report)
}

fn fuzz_smoke(workspace: &Workspace) -> Result<Report> {
    if find_program("c++").is_none() {
        return Ok(Report::skipped(
            "no C++ compiler (c++): libFuzzer's run time cannot be built",
        ));
    }
    let mut report = corpus::run(workspace)?;
    report.merge(fuzz::run(
        workspace,
        &fuzz::Options {
            seconds: 5,
            // The same start each time: a change is judged by itself, and long runs look further.
            seed: Some(1),
            ..fuzz::Options::default()
        },
    )?);
    Ok(report)
}
