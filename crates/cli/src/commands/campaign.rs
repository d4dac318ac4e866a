//! `wcow sim run` without a scenario, `sweep`, `replay`, `shrink`, `timeline`, `promote`: runs that are made up from seeds.

use std::fmt::Write as _;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use serde::Serialize;
use wcow_campaign::{
    Ending, MARKS, Mutant, ReplayError, Report, RunFile, RunSpec, Step, canary, chrome_trace,
    divergence, page, shrink, sweep,
};
use wcow_scenario::wims::Shelf;

use crate::args::SweepArgs;
use crate::cancel::Cancel;
use crate::failure::{Failure, exit};
use crate::output::{Output, count, note, table};
use crate::progress::Bar;

/// Runs in a sweep from which on every situation must have come up.
const TELLING: u64 = 2000;

/// A run as JSON.
#[derive(Serialize)]
struct Item<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    profile: &'r str,
    fingerprint: &'r str,
    calls: u64,
    steps: Vec<StepItem<'r>>,
    /// When the host was up again, if the power went.
    #[serde(skip_serializing_if = "Option::is_none")]
    up_again: Option<String>,
    faults: Vec<String>,
    violations: Vec<ViolationItem>,
}

#[derive(Serialize)]
struct StepItem<'r> {
    client: usize,
    step: &'r Step,
    began: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    /// When its client was killed in the middle of it, or about when the power went.
    #[serde(skip_serializing_if = "Option::is_none")]
    cut_off: Option<String>,
    ending: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'r str,
}

#[derive(Serialize)]
struct ViolationItem {
    check: &'static str,
    message: String,
}

/// Plays the run of a seed.
pub(crate) fn run(
    seed: u64,
    ignore: &[Mutant],
    save: Option<&Path>,
    trace: bool,
    output: &Output,
) -> Result<u8, Failure> {
    let shelf = shelf()?;
    let spec = RunSpec {
        ignore: ignore.iter().copied().collect(),
        ..RunSpec::from_seed(seed)
    };
    if let Some(path) = save {
        let (file, _) = RunFile::record(spec.clone(), &shelf).map_err(|error| unknown(&error))?;
        write(path, &file.text())?;
    }
    let report = play(&spec, &shelf, trace, output)?;
    show(Some(seed), &spec, &report, output)?;
    if let Some((event, first, second)) =
        divergence(&spec, &shelf).map_err(|error| unknown(&error))?
    {
        return Err(Failure::new(
            exit::INTEGRITY,
            format!(
                "the run of seed {seed} does not repeat: event {event} was {first:?}, then {second:?}"
            ),
        ));
    }
    Ok(code(&report))
}

/// Runs it, with its trace on standard error if somebody wants to see it.
fn play(spec: &RunSpec, shelf: &Shelf, trace: bool, output: &Output) -> Result<Report, Failure> {
    if !trace {
        return spec.run(shelf).map_err(|error| unknown(&error));
    }
    let sim = spec.host().map_err(|error| unknown(&error))?;
    sim.start_trace();
    let report = spec.run_on(&sim, shelf);
    if !output.is_json() {
        let mut text = String::new();
        for record in sim.take_trace() {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{record}");
        }
        output.text(&(text + "\n"))?;
    }
    Ok(report)
}

/// Runs many seeds.
pub(crate) fn run_sweep(args: &SweepArgs, output: &Output) -> Result<u8, Failure> {
    #[derive(Serialize)]
    struct Swept {
        first: u64,
        runs: u64,
        calls: u64,
        broken: Vec<Broken>,
        marks: std::collections::BTreeMap<&'static str, u64>,
    }
    #[derive(Serialize)]
    struct Broken {
        seed: u64,
        violations: Vec<ViolationItem>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file: Option<PathBuf>,
    }
    let shelf = shelf()?;
    let blind = canary(&shelf);
    if !blind.is_empty() {
        return Err(Failure::new(
            exit::FAILED,
            format!(
                "checks do not see what was broken for them to see: {}",
                blind.join(", ")
            ),
        ));
    }
    let workers = workers(args.threads);
    let seeds = args.first..args.first.saturating_add(args.seeds);
    let bar = Bar::count("runs");
    let cancel = Cancel::listen();
    let swept = sweep(seeds, workers, &shelf, &|done| {
        bar.set(done, args.seeds);
        !cancel.flag().load(Ordering::SeqCst)
    });
    bar.finish();
    let mut broken = Vec::new();
    for (&seed, violations) in &swept.broken {
        let mut file = None;
        if let Some(folder) = &args.keep {
            let path = folder.join(format!("seed-{seed}.json"));
            let spec = RunSpec::from_seed(seed);
            let check = violations.first().map_or("", |violation| violation.check());
            let small = shrink(&spec, check, &shelf).map_or(spec, |small| small.spec);
            let (recorded, _) = RunFile::record(small, &shelf).map_err(|error| unknown(&error))?;
            fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
            write(&path, &recorded.text())?;
            file = Some(path);
        }
        broken.push(Broken {
            seed,
            violations: items(violations),
            file,
        });
    }
    let missed = if swept.runs >= TELLING {
        swept.missed()
    } else {
        Vec::new()
    };
    let failed = !broken.is_empty() || !missed.is_empty();
    if output.is_json() {
        output.json(
            "sim.sweep",
            &[Swept {
                first: args.first,
                runs: swept.runs,
                calls: swept.calls,
                broken,
                marks: swept.marks,
            }],
        )?;
    } else {
        let mut text = String::new();
        for broken in &broken {
            for violation in &broken.violations {
                let _ = writeln!(
                    text,
                    "seed {}: {}\n  to repeat: wcow sim run --seed {}",
                    broken.seed, violation.message, broken.seed
                );
            }
            if let Some(file) = &broken.file {
                let _ = writeln!(text, "  made small: {}", file.display());
            }
        }
        let marks: Vec<Vec<String>> = MARKS
            .iter()
            .map(|mark| {
                let seen = swept.marks.get(mark).copied().unwrap_or(0);
                vec![(*mark).to_owned(), seen.to_string()]
            })
            .collect();
        text += &table(&["SITUATION", "TIMES"], &marks);
        let _ = writeln!(
            text,
            "\n{} from seed {} on, {}: {}",
            count(swept.runs, "run"),
            args.first,
            count(swept.calls, "call"),
            if broken.is_empty() {
                "every promise kept".to_owned()
            } else {
                format!("{} broke a promise", count(as_u64(broken.len()), "run"))
            }
        );
        output.text(&text)?;
    }
    for mark in &missed {
        note(&format!("it never came to this: {mark}"));
    }
    if cancel.flag().load(Ordering::SeqCst) {
        return Ok(cancel.exit());
    }
    Ok(if failed { exit::FAILED } else { 0 })
}

/// Repeats a run from its file.
pub(crate) fn replay(path: &Path, trace: bool, output: &Output) -> Result<u8, Failure> {
    let file = read(path)?;
    let shelf = shelf()?;
    match file.replay(&shelf) {
        Ok(_) => {}
        Err(ReplayError::Profile(error)) => return Err(unknown(&error)),
        Err(error @ ReplayError::Diverged { .. }) => {
            return Err(Failure::new(
                exit::INTEGRITY,
                format!("{} does not run as it did", path.display()),
            )
            .because(&error)
            .help("the simulated host or the engine has changed since; record it anew if that is meant"));
        }
    }
    let report = play(&file.run, &shelf, trace, output)?;
    show(None, &file.run, &report, output)?;
    Ok(code(&report))
}

/// Makes the run of a file small.
pub(crate) fn make_small(path: &Path, to: Option<&Path>, output: &Output) -> Result<u8, Failure> {
    let file = read(path)?;
    let shelf = shelf()?;
    let report = file.run.run(&shelf).map_err(|error| unknown(&error))?;
    let Some(violation) = report.violations.first() else {
        return Err(Failure::new(
            exit::FAILED,
            format!("the run of {} breaks no promise", path.display()),
        )
        .help("only what fails can be made small: wcow sim sweep finds such runs"));
    };
    let small = shrink(&file.run, violation.check(), &shelf);
    let spec = small.map_or_else(|| file.run.clone(), |small| small.spec);
    let (recorded, _) = RunFile::record(spec, &shelf).map_err(|error| unknown(&error))?;
    match to {
        Some(to) => {
            write(to, &recorded.text())?;
            output.line(&to.display().to_string())?;
        }
        None => output.text(&recorded.text())?,
    }
    Ok(0)
}

/// Draws a run.
pub(crate) fn timeline(
    file: Option<&Path>,
    seed: u64,
    to: Option<&Path>,
    chrome: bool,
    output: &Output,
) -> Result<u8, Failure> {
    let (spec, title) = match file {
        Some(path) => (read(path)?.run, path.display().to_string()),
        None => (RunSpec::from_seed(seed), format!("seed {seed}")),
    };
    let shelf = shelf()?;
    let sim = spec.host().map_err(|error| unknown(&error))?;
    sim.start_trace();
    let report = spec.run_on(&sim, &shelf);
    let trace = sim.take_trace();
    let text = if chrome {
        chrome_trace(&report, &trace)
    } else {
        page(&format!("{title}, {}", spec.profile), &report, &trace)
    };
    match to {
        Some(to) => {
            write(to, &text)?;
            output.line(&to.display().to_string())?;
        }
        None => output.text(&text)?,
    }
    Ok(0)
}

/// Prints the run of a file as a Rust test.
pub(crate) fn promote(path: &Path, name: &str, output: &Output) -> Result<u8, Failure> {
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name
            .chars()
            .all(|other| other.is_ascii_alphanumeric() || other == '_');
    if !is_name {
        return Err(Failure::new(
            exit::USAGE,
            format!("expected the name of a Rust function, found {name:?}"),
        ));
    }
    let file = read(path)?;
    output.text(&file.as_test(name))?;
    note(&format!(
        "put it into a test of a crate that uses wcow-campaign, and {} beside it as {name}.json",
        path.display()
    ));
    Ok(0)
}

fn show(
    seed: Option<u64>,
    spec: &RunSpec,
    report: &Report,
    output: &Output,
) -> Result<(), Failure> {
    let steps = report.history.iter().map(|done| {
        let (ending, message) = match &done.ending {
            Ending::Done => ("done", ""),
            Ending::Refused(why) => ("refused", why.as_str()),
            Ending::Failed(why) => ("failed", why.as_str()),
            Ending::Unknown => ("never heard of", ""),
        };
        (done, ending, message)
    });
    let faults: Vec<String> = report
        .hits
        .iter()
        .map(|hit| {
            format!(
                "{} {} {}: {}",
                hit.time, hit.operation, hit.object, hit.what
            )
        })
        .collect();
    if output.is_json() {
        let steps = steps
            .map(|(done, ending, message)| StepItem {
                client: done.client,
                step: &done.step,
                began: done.began.to_string(),
                ended: match done.cut_off {
                    None => done.ended.map(|time| time.to_string()),
                    Some(_) => None,
                },
                cut_off: done.cut_off.map(|time| time.to_string()),
                ending,
                message,
            })
            .collect();
        output.json(
            "sim.run",
            &[Item {
                seed,
                profile: &spec.profile,
                fingerprint: &report.fingerprint,
                calls: report.calls,
                steps,
                up_again: report.up_again.map(|time| time.to_string()),
                faults,
                violations: items(&report.violations),
            }],
        )?;
        return Ok(());
    }
    let rows: Vec<Vec<String>> = steps
        .map(|(done, ending, message)| {
            let ending = if message.is_empty() {
                ending.to_owned()
            } else {
                format!("{ending}: {message}")
            };
            vec![
                done.client.to_string(),
                done.began.to_string(),
                done.step.to_string(),
                ending,
            ]
        })
        .collect();
    let mut text = table(&["CLIENT", "BEGAN", "COMMAND", "ANSWER"], &rows);
    if let Some(time) = report.up_again {
        let _ = writeln!(
            text,
            "\nthe power went, and the host was up again at {time}"
        );
    }
    if !faults.is_empty() {
        let _ = writeln!(text, "\nfaults:");
        for fault in &faults {
            let _ = writeln!(text, "  {fault}");
        }
    }
    if !report.violations.is_empty() {
        let _ = writeln!(text, "\nbroken promises:");
        for violation in &report.violations {
            let _ = writeln!(text, "  {violation}");
        }
    }
    let seed = seed.map_or_else(String::new, |seed| format!("seed {seed}, "));
    let _ = writeln!(
        text,
        "\n{seed}profile {}, {}, fingerprint {}",
        spec.profile,
        count(report.calls, "call"),
        report.fingerprint
    );
    output.text(&text)?;
    Ok(())
}

fn items(violations: &[wcow_campaign::Violation]) -> Vec<ViolationItem> {
    violations
        .iter()
        .map(|violation| ViolationItem {
            check: violation.check(),
            message: violation.to_string(),
        })
        .collect()
}

/// So many threads as were asked for, or as there are cores.
pub(crate) fn workers(threads: Option<NonZeroUsize>) -> NonZeroUsize {
    threads
        .or_else(|| std::thread::available_parallelism().ok())
        .unwrap_or(NonZeroUsize::MIN)
}

fn code(report: &Report) -> u8 {
    if report.violations.is_empty() {
        0
    } else {
        exit::FAILED
    }
}

pub(crate) fn shelf() -> Result<Shelf, Failure> {
    Shelf::build().map_err(|error| {
        Failure::new(exit::FAILED, "the WIM files of the runs could not be built").because(&error)
    })
}

fn read(path: &Path) -> Result<RunFile, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        let code = if error.kind() == std::io::ErrorKind::NotFound {
            exit::NOT_FOUND
        } else {
            exit::FAILED
        };
        Failure::new(code, format!("{} could not be read", path.display())).because(&error)
    })?;
    RunFile::read(&text).map_err(|error| {
        Failure::new(exit::USAGE, format!("{} cannot be used", path.display()))
            .because(&error)
            .help("wcow sim run --seed N --save FILE writes one")
    })
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        exit::FAILED,
        format!("{} could not be written", path.display()),
    )
    .because(error)
}

fn unknown(error: &wcow_campaign::UnknownProfile) -> Failure {
    Failure::new(exit::NOT_FOUND, error.to_string())
}

fn as_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
