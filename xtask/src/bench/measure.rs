//! What one run of a program costs.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use wait4::Wait4;

/// The cost of one process, its threads and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    /// From before its start to after its end.
    pub(super) wall: Duration,
    /// User and system time.
    pub(super) cpu: Duration,
    /// Most memory that was resident at any time, in bytes. It is never below that of this program, which the process is a copy
    /// of for a moment.
    pub(super) peak: u64,
}

/// How a run ended.
pub(super) enum Outcome {
    /// With exit code 0.
    Done(Cost),
    /// With something else, and the first line it said.
    Failed(String),
}

/// Runs a command once; its standard output is thrown away.
pub(super) fn run(command: &mut Command, scratch: &Path) -> Result<Outcome> {
    let errors = scratch.join("stderr.txt");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(&errors)?);
    let start = Instant::now();
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let used = child.wait4()?;
    let wall = start.elapsed();
    if !used.status.success() {
        let said = String::from_utf8_lossy(&fs::read(&errors)?).into_owned();
        let line = said.lines().find(|line| !line.trim().is_empty());
        return Ok(Outcome::Failed(line.map_or_else(
            || used.status.to_string(),
            |line| line.trim().to_owned(),
        )));
    }
    Ok(Outcome::Done(Cost {
        wall,
        cpu: used.rusage.utime + used.rusage.stime,
        peak: used.rusage.maxrss,
    }))
}

/// What is read off several runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Figures {
    /// Median of the wall times.
    pub(super) wall: Duration,
    /// Median of the CPU times.
    pub(super) cpu: Duration,
    /// The largest peak.
    pub(super) peak: u64,
}

impl Figures {
    /// `None` if there was no run.
    pub(super) fn of(costs: &[Cost]) -> Option<Self> {
        Some(Self {
            wall: median(costs.iter().map(|cost| cost.wall))?,
            cpu: median(costs.iter().map(|cost| cost.cpu))?,
            peak: costs.iter().map(|cost| cost.peak).max()?,
        })
    }
}

/// The middle value, the upper one of two.
fn median(values: impl Iterator<Item = Duration>) -> Option<Duration> {
    let mut values: Vec<Duration> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Cost, Figures};

    #[test]
    fn times_are_medians_and_memory_is_the_worst() {
        let cost = |millis, peak| Cost {
            wall: Duration::from_millis(millis),
            cpu: Duration::from_millis(millis * 2),
            peak,
        };
        let figures = Figures::of(&[cost(9, 1), cost(2, 7), cost(3, 5)]);
        let expected = Figures {
            wall: Duration::from_millis(3),
            cpu: Duration::from_millis(6),
            peak: 7,
        };
        assert_eq!(figures, Some(expected));
        assert_eq!(Figures::of(&[]), None);
    }
}
