//! `wcow` beside wimlib: the same files, in turns, in one run.

mod data;
mod measure;
mod rows;
mod tree;
mod yardstick;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use self::data::{Data, Folder};
use self::measure::{Cost, Figures, Outcome};
use self::rows::{Action, Results, Row, Verdict};
use self::yardstick::Yardstick;
use crate::report::Report;
use crate::workspace::{Workspace, bytes_of, remove_dir};

/// A file system in memory on most Linux machines.
const MEMORY_DISK: &str = "/dev/shm";

/// What to measure.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Where the files to measure with are kept.
    dir: PathBuf,
    /// Timed runs of each program.
    runs: usize,
    /// Another build of the program than this workspace's.
    wcow: Option<PathBuf>,
    /// Words that a line of the table must contain to be measured.
    only: Vec<String>,
}

impl Options {
    /// Reads the arguments of `cargo xtask bench`.
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self {
            dir: std::env::temp_dir().join("wcow-bench"),
            runs: 5,
            wcow: None,
            only: Vec::new(),
        };
        let mut yardstick = None;
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            let value = rest
                .next()
                .with_context(|| format!("`{arg}` wants a value"))?;
            match arg.as_str() {
                "--vs" => yardstick = Some(value.as_str()),
                "--dir" => options.dir = std::path::absolute(value)?,
                "--runs" => options.runs = value.parse().context("--runs wants a number")?,
                "--wcow" => options.wcow = Some(std::path::absolute(value)?),
                "--only" => options
                    .only
                    .extend(value.split_whitespace().map(str::to_lowercase)),
                other => bail!(
                    "bench knows no `{other}`; it knows --vs, --dir, --runs, --wcow and --only"
                ),
            }
        }
        ensure!(
            yardstick == Some("wimlib"),
            "bench wants `--vs wimlib`: there is no other yardstick"
        );
        ensure!(options.runs > 0, "--runs wants a number above 0");
        Ok(options)
    }

    fn chooses(&self, row: &Row) -> bool {
        let line = format!("{} {}", row.name(), row.data).to_lowercase();
        self.only.iter().all(|word| line.contains(word))
    }
}

/// Measures, and prints the table. A line that misses what must be is an error, after all of them are printed.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<Report> {
    if let Some(missing) = yardstick::missing_tool() {
        return Ok(Report::skipped(missing));
    }
    let rows: Vec<Row> = rows::all()
        .into_iter()
        .filter(|row| options.chooses(row))
        .collect();
    ensure!(!rows.is_empty(), "--only leaves nothing to measure");
    let yardstick = yardstick::build(workspace)?;
    let wcow = match &options.wcow {
        Some(program) => program.clone(),
        None => workspace.wcow()?,
    };
    let folder = Folder::prepare(
        &options.dir,
        &yardstick.imagex,
        rows.iter().map(|row| row.data),
    )?;
    let bench = Bench {
        wcow,
        imagex: yardstick.imagex.clone(),
        runs: options.runs,
        scratch: scratch(&options.dir)?,
        folder,
    };
    let before = load();
    let results = bench.measure(&rows);
    remove_dir(&bench.scratch)?;
    let results = results?;

    println!("{}", rows::HEAD);
    let mut report = Report::default();
    let mut missed = 0;
    for row in &rows {
        let line = row.line(&results, bench.folder.totals(row.data).entries);
        println!("{line}");
        match line.verdict {
            Verdict::Misses => missed += 1,
            Verdict::NotMeasured(why) => {
                report.skip(format!("{}, {}: {why}", row.name(), row.data))
            }
            _ => {}
        }
    }
    println!();
    bench.note_conditions(&yardstick, &before, &mut report);
    if missed > 0 {
        print!("{report}");
        bail!("{missed} of {} lines miss what must be", rows.len());
    }
    Ok(report)
}

/// An empty folder in memory, or beside the data where there is no such disk.
fn scratch(dir: &Path) -> Result<PathBuf> {
    let memory = Path::new(MEMORY_DISK);
    let parent = if memory.is_dir() { memory } else { dir };
    let scratch = parent.join(format!("wcow-bench-{}", std::process::id()));
    remove_dir(&scratch)?;
    fs::create_dir_all(&scratch).with_context(|| format!("cannot make {}", scratch.display()))?;
    Ok(scratch)
}

struct Bench {
    wcow: PathBuf,
    imagex: PathBuf,
    runs: usize,
    scratch: PathBuf,
    folder: Folder,
}

impl Bench {
    /// Runs every trial that the rows need, each once.
    fn measure(&self, rows: &[Row]) -> Result<Results> {
        let mut trials: BTreeMap<(Action, Data), BTreeSet<usize>> = BTreeMap::new();
        for row in rows {
            let workers = trials.entry((row.action, row.data)).or_default();
            workers.insert(row.workers);
        }
        let mut results = Results::default();
        for ((action, data), workers) in trials {
            self.trial(action, data, &workers, &mut results)?;
        }
        Ok(results)
    }

    /// One action on one file: a round to warm up and to look at what comes out, then the timed rounds, the programs taking turns.
    fn trial(
        &self,
        action: Action,
        data: Data,
        workers: &BTreeSet<usize>,
        results: &mut Results,
    ) -> Result<()> {
        eprintln!("bench: {action:?}, {data}");
        let mut theirs = Vec::new();
        let mut ours: BTreeMap<usize, Result<Vec<Cost>, String>> = workers
            .iter()
            .map(|&count| (count, Ok(Vec::new())))
            .collect();
        for round in 0..=self.runs {
            let is_timed = round > 0;
            match self.once(
                &mut self.their_command(action, data),
                action,
                data,
                is_timed,
            )? {
                Outcome::Done(cost) if is_timed => theirs.push(cost),
                Outcome::Done(_) => {}
                Outcome::Failed(why) => bail!("wimlib-imagex failed: {why}"),
            }
            for (&count, costs) in &mut ours {
                let Ok(list) = costs else { continue };
                let mut command = self.our_command(action, data, count);
                match self.once(&mut command, action, data, is_timed)? {
                    Outcome::Done(cost) if is_timed => list.push(cost),
                    Outcome::Done(_) => {}
                    Outcome::Failed(why) => *costs = Err(why),
                }
            }
        }
        if let Some(figures) = Figures::of(&theirs) {
            results.theirs.insert((action, data), figures);
        }
        for (count, costs) in ours {
            let figures =
                costs.and_then(|list| Figures::of(&list).ok_or_else(|| "no run".to_owned()));
            results.ours.insert((action, data, count), figures);
        }
        Ok(())
    }

    fn once(
        &self,
        command: &mut Command,
        action: Action,
        data: Data,
        is_timed: bool,
    ) -> Result<Outcome> {
        let destination = self.destination();
        remove_dir(&destination)?;
        let outcome = measure::run(command, &self.scratch)?;
        if !is_timed
            && matches!(outcome, Outcome::Done(_))
            && let Some(why) = self.flaw(command, action, data)?
        {
            return Ok(Outcome::Failed(why));
        }
        remove_dir(&destination)?;
        Ok(outcome)
    }

    /// What is wrong with what a program wrote: a program that does less than the other is no match for it.
    fn flaw(&self, command: &mut Command, action: Action, data: Data) -> Result<Option<String>> {
        let wanted = self.folder.totals(data);
        match action {
            Action::Verify => Ok(None),
            Action::Extract => {
                let found = tree::totals(&self.destination())?;
                Ok((found != wanted).then(|| {
                    format!(
                        "extracted {} entries and {} bytes, expected {} and {}",
                        found.entries, found.bytes, wanted.entries, wanted.bytes
                    )
                }))
            }
            Action::List => {
                let listed = bytes_of(command.stdout(std::process::Stdio::piped()))?;
                let lines = u64::try_from(listed.split(|&byte| byte == b'\n').count())?;
                Ok((lines < wanted.entries)
                    .then(|| format!("listed {lines} lines for {} entries", wanted.entries)))
            }
        }
    }

    fn destination(&self) -> PathBuf {
        self.scratch.join("tree")
    }

    fn their_command(&self, action: Action, data: Data) -> Command {
        let mut command = Command::new(&self.imagex);
        let file = self.folder.path(data);
        match action {
            Action::Verify => command.arg("verify").arg(file),
            Action::Extract => command
                .arg("apply")
                .arg(file)
                .arg("1")
                .arg(self.destination()),
            Action::List => command.arg("dir").arg(file).arg("1"),
        };
        command
    }

    fn our_command(&self, action: Action, data: Data, workers: usize) -> Command {
        let mut command = Command::new(&self.wcow);
        let file = self.folder.path(data);
        command.arg("wim");
        match action {
            Action::Verify => command.arg("verify").arg(file),
            Action::Extract => command
                .arg("extract")
                .arg(file)
                .arg("1")
                .arg(self.destination()),
            Action::List => command.arg("ls").arg(file).args(["1", "-R"]),
        };
        if action != Action::List {
            command.arg("--threads").arg(workers.to_string());
        }
        command
    }

    /// What somebody who compares two tables must know.
    fn note_conditions(&self, yardstick: &Yardstick, before: &str, report: &mut Report) {
        let mixed = self.folder.totals(Data::Lzx);
        report.note(format!(
            "medians of {} runs, memory the largest of them; the mixed tree has {} entries and {} bytes",
            self.runs, mixed.entries, mixed.bytes
        ));
        report.note(format!("wimlib 1.14.4, CFLAGS {}", yardstick.flags));
        report.note(format!(
            "{}, {} processors; load {before} before, {} after",
            processor(),
            std::thread::available_parallelism().map_or(0, usize::from),
            load()
        ));
        if !self.scratch.starts_with(MEMORY_DISK) {
            report.note(format!("no {MEMORY_DISK}: files were extracted to a disk"));
        }
    }
}

/// The average load of the last minute: on a machine that does other work, wall times of two workers say little.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace()
        .next()
        .unwrap_or("unknown")
        .to_owned()
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    name.map_or_else(
        || "unknown processor".to_owned(),
        |name| name.trim_start_matches([' ', '\t', ':']).to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Options, rows};

    fn parse(args: &[&str]) -> Option<Options> {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        Options::parse(&args).ok()
    }

    #[test]
    fn arguments_are_read() {
        let options = parse(&["--vs", "wimlib", "--runs", "3", "--only", "verify LZX"]);
        let options = options.expect("good arguments");
        assert_eq!(options.runs, 3);
        assert!(options.dir.is_absolute() && options.wcow.as_deref() != Some(Path::new("x")));
        let all = rows::all();
        let chosen = all.iter().filter(|row| options.chooses(row));
        assert!(chosen.clone().count() > 0);
        chosen.for_each(|row| assert!(row.name().starts_with("verify"), "{}", row.name()));
        assert_eq!(parse(&["--vs", "7zip"]), None);
        assert_eq!(parse(&[]), None);
        assert_eq!(parse(&["--vs", "wimlib", "--runs", "0"]), None);
    }
}
