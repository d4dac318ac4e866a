//! Containers, their logs and what happened to them, as lists.

use std::io::{self, Write};

use serde::Serialize;
use wcow_engine::{ContainerDetails, ContainerSummary, Flow, LogLine, LogQuery};
use wcow_host::{Clock, Host, Output as Pipe};
use wcow_ntmeta::FileTime;
use wcow_runtime::{Access, Isolation, Processors};

use super::{TICKS, follow};
use crate::args::{EventsArgs, Global, ListArgs, LogsArgs};
use crate::failure::{Failure, exit};
use crate::output::Output;
use crate::session::{Session, with_host};

/// `wcow container ls`, `wcow ps`.
pub(crate) fn list(args: &ListArgs, global: &Global, output: &Output) -> Result<(), Failure> {
    let mut containers = with_host(global, |session| session.run(|engine| engine.containers()))?;
    containers.retain(|container| args.filter.iter().all(|filter| fits(container, filter)));
    if args.quiet && !output.is_json() {
        for container in &containers {
            output.line(&container.name)?;
        }
        return Ok(());
    }
    output.list(
        "container",
        &containers,
        &[
            "NAME", "STATUS", "IMAGE", "COMMAND", "NETWORK", "ADDRESS", "PORTS", "ID",
        ],
        |container| {
            vec![
                container.name.clone(),
                status(container),
                container.image.clone(),
                container.command.clone().unwrap_or_else(|| "-".to_owned()),
                container.network.clone().unwrap_or_else(|| "-".to_owned()),
                container.address.clone().unwrap_or_else(|| "-".to_owned()),
                ports(container),
                container.id.to_string(),
            ]
        },
    )?;
    Ok(())
}

fn fits(container: &ContainerSummary, (key, value): &(String, String)) -> bool {
    match key.as_str() {
        "name" => container.name.contains(value.as_str()),
        "status" => container.status.word().eq_ignore_ascii_case(value),
        "ancestor" => container.image.contains(value.as_str()),
        "network" => container.network.as_ref() == Some(value),
        "label" => match value.split_once('=') {
            Some((name, value)) => container.labels.get(name).is_some_and(|own| own == value),
            None => container.labels.contains_key(value),
        },
        "exited" => {
            let code = container.exit.and_then(|exit| exit.code);
            code.is_some_and(|code| code.to_string() == *value)
        }
        _ => false,
    }
}

/// The status, and with which code the main process ended last.
fn status(container: &ContainerSummary) -> String {
    let word = container.status.word();
    match container.exit.and_then(|exit| exit.code) {
        // An NTSTATUS: as a number nobody knows it.
        Some(code) if code >= 0x8000_0000 => format!("{word} (0x{code:08X})"),
        Some(code) => format!("{word} ({code})"),
        None => word.to_owned(),
    }
}

fn ports(container: &ContainerSummary) -> String {
    let ports: Vec<String> = container.ports.iter().map(ToString::to_string).collect();
    or_dash(ports.join(", "))
}

fn or_dash(text: String) -> String {
    if text.is_empty() {
        "-".to_owned()
    } else {
        text
    }
}

/// A container that was just made.
pub(super) fn one(container: &ContainerSummary, output: &Output) -> io::Result<()> {
    if output.is_json() {
        output.json("container", std::slice::from_ref(container))
    } else {
        output.line(&container.name)
    }
}

/// `wcow container inspect`.
pub(super) fn inspect(container: &ContainerDetails, output: &Output) -> io::Result<()> {
    let ContainerDetails { summary, .. } = container;
    let joined = |words: Vec<String>| or_dash(words.join(", "));
    let pairs = |pairs: &std::collections::BTreeMap<String, String>| {
        joined(
            pairs
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect(),
        )
    };
    let mounts = container.mounts.iter().map(|mount| {
        let access = match mount.access {
            Access::ReadOnly => ":ro",
            Access::ReadWrite => "",
        };
        format!("{}:{}{access}", mount.host, mount.container)
    });
    let processors = match container.processors {
        None => "all".to_owned(),
        Some(Processors::Count(count)) => count.to_string(),
        Some(Processors::Limit(limit)) => {
            format!("{}.{:02} % of all", limit / 100, limit % 100)
        }
        Some(Processors::Weight(weight)) => format!("weight {weight}"),
    };
    let isolation = match container.isolation {
        Isolation::Process => "process",
        Isolation::HyperV => "hyperv",
    };
    let network = summary.network.clone();
    let lines = [
        ("Name", summary.name.clone()),
        ("Id", summary.id.to_string()),
        ("Image", summary.image.clone()),
        ("Status", status(summary)),
        ("Created", summary.created.to_string()),
        (
            "Command",
            or_dash(summary.command.clone().unwrap_or_default()),
        ),
        (
            "Process",
            container
                .process
                .map_or_else(|| "-".to_owned(), |id| id.to_string()),
        ),
        ("Restart", summary.restart.to_string()),
        ("Restarts", summary.restarts.to_string()),
        ("Network", network.unwrap_or_else(|| "none".to_owned())),
        (
            "Address",
            or_dash(summary.address.clone().unwrap_or_default()),
        ),
        ("Ports", ports(summary)),
        ("Host name", container.host_name.clone()),
        ("User", or_dash(container.user.clone())),
        ("Folder", or_dash(container.working_directory.clone())),
        ("Environment", pairs(&container.environment)),
        ("Labels", pairs(&summary.labels)),
        ("Isolation", isolation.to_owned()),
        (
            "Memory",
            container
                .memory_mib
                .map_or_else(|| "all".to_owned(), |mib| format!("{mib} MiB")),
        ),
        ("Processors", processors),
        ("Mounts", joined(mounts.collect())),
        ("Scratch layer", summary.scratch.clone()),
    ];
    output.record("container", container, &lines)
}

/// A line of a log, for programs.
#[derive(Serialize)]
struct Line<'l> {
    at: FileTime,
    time: String,
    stream: &'static str,
    text: std::borrow::Cow<'l, str>,
}

/// `wcow container logs`, `wcow logs`.
pub(crate) fn logs(args: &LogsArgs, global: &Global, output: &Output) -> Result<u8, Failure> {
    with_host(global, |session| {
        let query = LogQuery {
            tail: args.tail,
            since: since(session, args.since.as_deref())?,
        };
        let lines = session.run(|engine| engine.logs(&args.name, &query))?;
        if output.is_json() {
            output.json_each("container.log", &lines, |line| Line {
                at: line.at,
                time: line.at.to_string(),
                stream: match line.stream {
                    Pipe::Out => "out",
                    Pipe::Err => "err",
                },
                text: String::from_utf8_lossy(&line.bytes),
            })?;
            return Ok(0);
        }
        for line in &lines {
            show(line, args.timestamps)?;
        }
        if args.follow && is_running(session, &args.name)? {
            if args.timestamps {
                follow_with_times(session, &args.name)?;
            } else {
                // As for `docker logs`: the program's exit code is not ours.
                follow::follow(session, &args.name)?;
            }
        }
        Ok(0)
    })
}

fn is_running(session: &Session, name: &str) -> Result<bool, Failure> {
    let container = session.run(|engine| engine.inspect(name))?;
    Ok(container.process.is_some())
}

fn follow_with_times(session: &Session, name: &str) -> Result<(), Failure> {
    let mut failed = None;
    session.run(|engine| {
        let failed = &mut failed;
        engine.follow(name, move |stream, bytes| {
            let line = LogLine {
                at: engine.host().clock().now(),
                stream,
                bytes: bytes.to_vec(),
            };
            match show(&line, true) {
                Ok(()) => Flow::Go,
                Err(error) => {
                    *failed = Some(error);
                    Flow::Leave
                }
            }
        })
    })?;
    failed.map_or(Ok(()), |error| Err(error.into()))
}

fn show(line: &LogLine, timestamps: bool) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(line.bytes.len().saturating_add(32));
    if timestamps {
        bytes.extend_from_slice(line.at.to_string().as_bytes());
        bytes.push(b' ');
    }
    bytes.extend_from_slice(&line.bytes);
    match line.stream {
        Pipe::Out => io::stdout().lock().write_all(&bytes),
        Pipe::Err => io::stderr().lock().write_all(&bytes),
    }
}

/// `wcow events`.
pub(crate) fn events(args: &EventsArgs, global: &Global, output: &Output) -> Result<(), Failure> {
    let events = with_host(global, |session| {
        let since = since(session, args.since.as_deref())?;
        session.run(|engine| engine.events(since))
    })?;
    output.list(
        "event",
        &events,
        &["TIME", "KIND", "NAME", "EVENT"],
        |event| {
            vec![
                event.at.to_string(),
                event.kind.to_string(),
                event.name.clone(),
                event.action.to_string(),
            ]
        },
    )?;
    Ok(())
}

/// A time of the host's clock, or how long ago by it.
fn since(session: &Session, text: Option<&str>) -> Result<FileTime, Failure> {
    let Some(text) = text else {
        return Ok(FileTime::ZERO);
    };
    if let Ok(time) = FileTime::parse_rfc3339(text) {
        return Ok(time);
    }
    let now = session.now().ticks();
    seconds(text)
        .and_then(|seconds| seconds.checked_mul(TICKS))
        .map(|ago| FileTime::from_ticks(now.saturating_sub(ago)))
        .ok_or_else(|| {
            Failure::new(
                exit::USAGE,
                format!("{text:?} is neither a time such as 2025-01-31T12:00:00Z nor a duration such as 1h30m"),
            )
        })
}

/// Seconds of a duration: `90`, `90s`, `1h30m`.
fn seconds(text: &str) -> Option<u64> {
    let mut all = 0_u64;
    let mut rest = text;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(rest.len());
        let (number, unit) = rest.split_at(end);
        let mut characters = unit.chars();
        let factor = match characters.next() {
            None | Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            Some(_) => return None,
        };
        let part = number.parse::<u64>().ok()?.checked_mul(factor)?;
        all = all.checked_add(part)?;
        rest = characters.as_str();
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn durations_have_units() {
        for (text, expected) in [
            ("90", Some(90)),
            ("90s", Some(90)),
            ("1h30m", Some(5400)),
            ("2d", Some(172_800)),
            ("", None),
            ("m", None),
            ("1x", None),
            ("-1s", None),
            ("99999999999999999999h", None),
        ] {
            assert_eq!(seconds(text), expected, "{text:?}");
        }
    }
}
