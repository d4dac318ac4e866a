//! Compares the CPU time of `wcow wim verify` with that of `wimlib-imagex verify`, on one file in one run
//!
//! `side-by-side FILE.wim` takes the file as it is; `side-by-side DIRECTORY` captures the directory with wimlib first, once
//! for each of XPRESS, LZX and no compression. The programs take turns. CPU time is user plus system time of the child processes from
//! `/proc/self/stat`, so this runs on Linux only. `decode only` is the time of this crate's own loop over the chunks, without
//! reading and hashing; there is none where nothing is compressed.
#![forbid(unsafe_code)]

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use wcow_benches::chunks::Chunks;

/// Runs of each program; the median counts.
const RUNS: usize = 5;

/// The unit of times in `/proc/self/stat`, in seconds: 1/USER_HZ, which is 100 on every Linux that Rust runs on.
const TICK: f64 = 0.01;

/// CPU time in ticks, user plus system.
#[derive(Clone, Copy)]
struct CpuTime {
    own: u64,
    children: u64,
}

fn main() -> Result<()> {
    let path = env::args_os()
        .nth(1)
        .context("usage: side-by-side FILE.wim|DIRECTORY")?;
    let path = PathBuf::from(path);
    if !path.is_dir() {
        return compare(&path);
    }
    let scratch = env::temp_dir().join(format!("wcow-side-by-side-{}", std::process::id()));
    fs::create_dir(&scratch).with_context(|| format!("cannot make {}", scratch.display()))?;
    let result = ["XPRESS", "LZX", "none"].into_iter().try_for_each(|codec| {
        let file = scratch.join(format!("{codec}.wim"));
        let codec = format!("--compress={codec}");
        run(
            "wimlib-imagex".as_ref(),
            &[
                "capture".as_ref(),
                path.as_ref(),
                file.as_ref(),
                codec.as_ref(),
            ],
        )?;
        compare(&file)
    });
    fs::remove_dir_all(&scratch).with_context(|| format!("cannot remove {}", scratch.display()))?;
    result
}

fn compare(file: &Path) -> Result<()> {
    let size = fs::metadata(file)
        .with_context(|| format!("cannot read {}", file.display()))?
        .len();
    println!("{}: {size} bytes", file.display());
    let chunks = Chunks::read(file)?;
    if let Some(chunks) = &chunks {
        println!(
            "  {:?}, {} bytes in compressed chunks",
            chunks.codec,
            chunks.total_size()
        );
    }
    let wcow = wcow_program()?;
    let mut own = Vec::new();
    let mut theirs = Vec::new();
    let mut decode = Vec::new();
    for _ in 0..RUNS {
        if let Some(chunks) = &chunks {
            let start = CpuTime::now()?;
            chunks.decode_all()?;
            decode.push(CpuTime::now()?.own - start.own);
        }

        let start = CpuTime::now()?;
        run(
            "wimlib-imagex".as_ref(),
            &["verify".as_ref(), file.as_ref()],
        )?;
        theirs.push(CpuTime::now()?.children - start.children);

        if let Some(wcow) = &wcow {
            let start = CpuTime::now()?;
            run(
                wcow.as_ref(),
                &["wim".as_ref(), "verify".as_ref(), file.as_ref()],
            )?;
            own.push(CpuTime::now()?.children - start.children);
        }
    }
    let theirs = median(theirs);
    report("wimlib-imagex verify", theirs, theirs);
    if chunks.is_some() {
        report("decode only", median(decode), theirs);
    }
    if wcow.is_some() {
        report("wcow wim verify", median(own), theirs);
    } else {
        println!("  wcow is not built beside this program; build it with cargo build --release");
    }
    Ok(())
}

fn report(name: &str, seconds: f64, yardstick: f64) {
    println!(
        "  {name:<22} {seconds:>7.2} s CPU   {:.2} of wimlib",
        seconds / yardstick
    );
}

/// The `wcow` that was built beside this program.
fn wcow_program() -> Result<Option<PathBuf>> {
    let program = env::current_exe()?.with_file_name("wcow");
    Ok(program.is_file().then_some(program))
}

fn run(program: &OsStr, arguments: &[&OsStr]) -> Result<()> {
    let name = program.display();
    let status = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {name}"))?;
    ensure!(status.success(), "{name} failed: {status}");
    Ok(())
}

fn median(mut ticks: Vec<u64>) -> f64 {
    ticks.sort_unstable();
    ticks
        .get(ticks.len() / 2)
        .map_or(f64::NAN, |&ticks| ticks as f64 * TICK)
}

impl CpuTime {
    /// Times of this process and of the children it has waited for, so far.
    fn now() -> Result<Self> {
        let stat = fs::read_to_string("/proc/self/stat").context("cannot read /proc/self/stat")?;
        // The second field, in parentheses, may hold spaces; the times are fields 14 to 17.
        let (_, fields) = stat
            .rsplit_once(')')
            .context("expected a program name in /proc/self/stat")?;
        let times: Vec<u64> = fields
            .split_whitespace()
            .skip(11)
            .take(4)
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        let [user, system, child_user, child_system] = times[..] else {
            bail!("expected 17 fields in /proc/self/stat");
        };
        Ok(Self {
            own: user + system,
            children: child_user + child_system,
        })
    }
}
