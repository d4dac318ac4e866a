//! What containers take: `wcow container top`, `wcow container stats`.

use std::io::{self, IsTerminal};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use wcow_engine::{ContainerStats, ContainerStatus};
use wcow_host::{Clock, Host};
use wcow_ntmeta::FileTime;

use super::TICKS;
use crate::args::{Global, StatsArgs};
use crate::cancel::Cancel;
use crate::failure::Failure;
use crate::output::{Output, size, table};
use crate::session::{Session, with_host};

/// The columns of `stats`.
const COLUMNS: [&str; 5] = ["NAME", "CPU %", "MEM", "PIDS", "UPTIME"];
/// Sends the cursor home and wipes what is below it.
const WIPE: &str = "\u{1b}[H\u{1b}[J";

/// `wcow container top`.
pub(super) fn top(name: &str, global: &Global, output: &Output) -> Result<(), Failure> {
    let processes = with_host(global, |session| session.run(|engine| engine.top(name)))?;
    output.list(
        "process",
        &processes,
        &["PID", "NAME", "CPU", "PRIVATE WORKING SET"],
        |process| {
            vec![
                or_dash(process.process.map(|id| id.to_string())),
                or_dash(process.name.clone()),
                or_dash(process.processor().map(to_milliseconds)),
                or_dash(process.private_bytes.map(size)),
            ]
        },
    )?;
    Ok(())
}

/// What a container takes, for programs.
#[derive(Serialize)]
struct Item<'s> {
    #[serde(flatten)]
    stats: &'s ContainerStats,
    /// In hundredths of a percent of one processor, over its whole life.
    processor_share: Option<u64>,
}

/// `wcow container stats`.
pub(super) fn stats(args: &StatsArgs, global: &Global, output: &Output) -> Result<u8, Failure> {
    let once = args.no_stream || output.is_json() || !io::stdout().is_terminal();
    with_host(global, |session| {
        let Measured { stats, code, .. } = measure(session, &args.names)?;
        if once || code.is_some() {
            if output.is_json() {
                output.json_each("stats", &stats, |stats| Item {
                    stats,
                    processor_share: stats.share(None),
                })?;
            } else if code.is_none() || !stats.is_empty() {
                output.text(&shown(&stats, &[]))?;
            }
            return code.map_or(Ok(0), |code| Err(Failure::silent(code)));
        }
        stream(session, &args.names, stats, output)
    })
}

/// Shows it every second until Ctrl+C, or until none of those that were named runs any more. One that does not is left out from then on.
fn stream(
    session: &Session,
    names: &[String],
    first: Vec<ContainerStats>,
    output: &Output,
) -> Result<u8, Failure> {
    let cancel = Cancel::listen();
    let mut names = names.to_vec();
    let mut before = Vec::new();
    let mut now = first;
    loop {
        let seen = Instant::now();
        output.text(&format!("{WIPE}{}", shown(&now, &before)))?;
        let next = session.now().ticks().saturating_add(TICKS);
        session.run(|engine| async move {
            let clock = engine.host().clock();
            clock.sleep_until(FileTime::from_ticks(next)).await;
            Ok(())
        })?;
        // A second of a simulated host is over at once; whoever reads this takes longer.
        while seen.elapsed() < Duration::from_secs(1) && !cancel.flag().load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(20));
        }
        if cancel.flag().load(Ordering::SeqCst) {
            return Ok(cancel.exit());
        }
        before = now;
        let Measured {
            stats,
            code,
            failed,
        } = measure(session, &names)?;
        if let Some(code) = code.filter(|_| stats.is_empty()) {
            return Err(Failure::silent(code));
        }
        names.retain(|name| !failed.contains(name));
        now = stats;
    }
}

/// What was found of some containers.
struct Measured {
    stats: Vec<ContainerStats>,
    /// The exit code of the first that could not be asked; what is wrong was said.
    code: Option<u8>,
    /// The names of those.
    failed: Vec<String>,
}

/// Asks containers by name; all that run if there are no names.
fn measure(session: &Session, names: &[String]) -> Result<Measured, Failure> {
    let mut measured = Measured {
        stats: Vec::new(),
        code: None,
        failed: Vec::new(),
    };
    let found;
    let names = if names.is_empty() {
        let all = session.run(|engine| engine.containers())?;
        let runs = |status| matches!(status, ContainerStatus::Running | ContainerStatus::Paused);
        let those = all.into_iter().filter(|one| runs(one.status));
        found = those.map(|one| one.name).collect::<Vec<_>>();
        &found
    } else {
        names
    };
    for name in names {
        match session.run(|engine| engine.stats(name)) {
            Ok(stats) => measured.stats.push(stats),
            Err(failure) => {
                let shown = failure.show();
                measured.code.get_or_insert(shown);
                measured.failed.push(name.clone());
            }
        }
    }
    Ok(measured)
}

/// The table, with what was used since the measurements before.
fn shown(now: &[ContainerStats], before: &[ContainerStats]) -> String {
    let rows: Vec<Vec<String>> = now
        .iter()
        .map(|stats| {
            let earlier = before.iter().find(|earlier| earlier.id == stats.id);
            let share = stats.share(earlier);
            vec![
                stats.name.clone(),
                or_dash(share.map(|share| format!("{}.{:02}%", share / 100, share % 100))),
                or_dash(stats.private_bytes.map(size)),
                stats.processes.to_string(),
                or_dash(stats.uptime.map(to_seconds)),
            ]
        })
        .collect();
    table(&COLUMNS, &rows)
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "-".to_owned())
}

/// Hours, minutes and seconds of a time in units of 100 ns.
fn to_seconds(ticks: u64) -> String {
    let seconds = ticks / TICKS;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours}:{minutes:02}:{:02}", seconds % 60)
}

/// The same with milliseconds.
fn to_milliseconds(ticks: u64) -> String {
    let milliseconds = ticks % TICKS / (TICKS / 1000);
    format!("{}.{milliseconds:03}", to_seconds(ticks))
}

#[cfg(test)]
mod tests {
    use wcow_engine::ContainerStats;
    use wcow_host::SystemId;
    use wcow_ntmeta::FileTime;

    use super::{TICKS, shown, to_milliseconds, to_seconds};

    #[test]
    fn times_have_hours_minutes_and_seconds() {
        for (ticks, seconds, milliseconds) in [
            (0, "0:00:00", "0:00:00.000"),
            (9_999, "0:00:00", "0:00:00.000"),
            (61 * TICKS + 10_000, "0:01:01", "0:01:01.001"),
            (100 * 3600 * TICKS - 1, "99:59:59", "99:59:59.999"),
        ] {
            assert_eq!(to_seconds(ticks), seconds);
            assert_eq!(to_milliseconds(ticks), milliseconds);
        }
    }

    #[test]
    fn a_line_shows_what_was_used_since_the_line_before() {
        let at = |seconds: u64, processor: u64| ContainerStats {
            name: "web".to_owned(),
            id: SystemId("1".to_owned()),
            at: FileTime::from_ticks(seconds * TICKS),
            uptime: Some(seconds * TICKS),
            processor: Some(processor),
            private_bytes: Some(3 << 20),
            commit_bytes: None,
            commit_peak_bytes: None,
            processes: 4,
        };
        let (first, second) = (at(10, TICKS), at(12, 4 * TICKS));
        let head = "NAME  CPU %    MEM      PIDS  UPTIME\n";
        assert_eq!(
            shown(std::slice::from_ref(&second), &[first]),
            format!("{head}web   150.00%  3.0 MiB  4     0:00:12\n")
        );
        let silent = ContainerStats {
            processor: None,
            private_bytes: None,
            uptime: None,
            ..second
        };
        assert_eq!(
            shown(&[silent], &[]),
            "NAME  CPU %  MEM  PIDS  UPTIME\nweb   -      -    4     -\n"
        );
    }
}
