//! `wcow container`, and its short forms `wcow run`, `exec`, `ps`, `logs`, `stop`.

mod create;
mod follow;
mod show;
mod usage;

use wcow_engine::{Force, Pruned, RestartPolicy};
use wcow_host::Signal;

use self::create::{wanted, warn, warn_of_processors};
use self::follow::Show;
use super::{each, remove_each};
use crate::args::{ContainerCommand, Global, SignalArg, StopArgs};
use crate::failure::{Failure, exit};
use crate::output::Output;
use crate::session::{Session, with_host};

pub(crate) use self::follow::{create_and_run, exec};
pub(crate) use self::show::{events, list, logs};

/// 100 ns ticks in a second.
const TICKS: u64 = 10_000_000;
/// How long a container gets to stop if nobody says otherwise, in seconds.
const GRACE: u32 = 10;

/// Runs one command of the group.
pub(crate) fn run(
    command: &ContainerCommand,
    global: &Global,
    output: &Output,
) -> Result<u8, Failure> {
    let each_of = |names: &[String], work: &dyn Fn(&Session, &str) -> Result<(), Failure>| {
        with_host(global, |session| {
            each(names, output, "container", |name| {
                work(session, name)?;
                // Of one that was removed meanwhile there is nothing to show.
                session.run(|engine| engine.container(name))
            })
        })
    };
    match command {
        ContainerCommand::Create(args) => {
            let wanted = wanted(&args.image, &args.command, &args.options)?;
            let made = with_host(global, |session| {
                let made = session.run(|engine| engine.create_container(wanted))?;
                warn(session, &made.name);
                warn_of_processors(session, &made.name, args.options.cpus);
                Ok(made)
            })?;
            show::one(&made, output)?;
        }
        ContainerCommand::Start {
            names,
            attach: false,
        } => with_host(global, |session| {
            each(names, output, "container", |name| {
                warn(session, name);
                session.run(|engine| engine.start(name))
            })
        })?,
        ContainerCommand::Start {
            names,
            attach: true,
        } => {
            let [name] = &names[..] else {
                return Err(Failure::new(
                    exit::USAGE,
                    "one container at a time can be attached to",
                ));
            };
            return with_host(global, |session| {
                warn(session, name);
                follow::start_attached(session, name)
            });
        }
        ContainerCommand::Run(args) => return create_and_run(args, global, output),
        ContainerCommand::Exec(args) => return exec(args, global),
        ContainerCommand::Attach { name } => {
            return with_host(global, |session| follow::follow(session, name));
        }
        ContainerCommand::Stop(args) => stop(args, global, output)?,
        ContainerCommand::Restart(args) => {
            each_of(&args.names, &|session, name| {
                follow::restart(session, name, args.time)
            })?;
        }
        ContainerCommand::Kill { names, signal } => {
            each_of(names, &|session, name| match told(*signal) {
                None => session.run(|engine| engine.kill(name)).map(drop),
                Some(signal) => session.run(|engine| engine.signal(name, signal)),
            })?
        }
        ContainerCommand::Pause { names } => each_of(names, &|session, name| {
            session.run(|engine| engine.pause(name)).map(drop)
        })?,
        ContainerCommand::Resume { names } => each_of(names, &|session, name| {
            session.run(|engine| engine.resume(name)).map(drop)
        })?,
        ContainerCommand::Wait { names } => wait(names, global, output)?,
        ContainerCommand::Logs(args) => return logs(args, global, output),
        ContainerCommand::Supervise {
            names,
            max_restarts,
        } => {
            return with_host(global, |session| {
                let mut names = names.clone();
                if names.is_empty() {
                    let all = session.run(|engine| engine.containers())?;
                    let with = all
                        .into_iter()
                        .filter(|one| one.restart != RestartPolicy::No);
                    names = with.map(|one| one.name).collect();
                }
                follow::supervise(session, &names, *max_restarts, Show::Happenings).map(|_| 0)
            });
        }
        ContainerCommand::Ls(args) => list(args, global, output)?,
        ContainerCommand::Inspect { name } => {
            let container =
                with_host(global, |session| session.run(|engine| engine.inspect(name)))?;
            show::inspect(&container, output)?;
        }
        ContainerCommand::Top { name } => usage::top(name, global, output)?,
        ContainerCommand::Stats(args) => return usage::stats(args, global, output),
        ContainerCommand::Rm { names, force } => {
            let force = if *force { Force::Yes } else { Force::No };
            with_host(global, |session| {
                remove_each("container", names, output, |name| {
                    session.run(|engine| engine.remove_container(name, force))
                })
            })?;
        }
        ContainerCommand::Prune => return prune(global, output),
    }
    Ok(0)
}

/// `wcow container stop`, `wcow stop`.
pub(crate) fn stop(args: &StopArgs, global: &Global, output: &Output) -> Result<(), Failure> {
    with_host(global, |session| {
        each(&args.names, output, "container", |name| {
            let grace = grace(session, name, args.time)?;
            session.run(|engine| engine.stop(name, grace))
        })
    })
}

/// How long a container gets to stop, in ticks of 100 ns: as was said now, or when it was created.
fn grace(session: &Session, name: &str, time: Option<u32>) -> Result<u64, Failure> {
    let seconds = match time {
        Some(time) => time,
        None => {
            let container = session.run(|engine| engine.inspect(name))?;
            container.stop_seconds.unwrap_or(GRACE)
        }
    };
    Ok(u64::from(seconds).saturating_mul(TICKS))
}

/// What goes to the main process; nothing if the container itself is to be ended.
fn told(signal: SignalArg) -> Option<Signal> {
    match signal {
        SignalArg::Kill => None,
        SignalArg::CtrlC => Some(Signal::CtrlC),
        SignalArg::CtrlBreak => Some(Signal::CtrlBreak),
        SignalArg::CtrlClose => Some(Signal::CtrlClose),
        SignalArg::CtrlLogoff => Some(Signal::CtrlLogOff),
        SignalArg::CtrlShutdown => Some(Signal::CtrlShutdown),
    }
}

/// `wcow container wait`: prints exit codes.
fn wait(names: &[String], global: &Global, output: &Output) -> Result<(), Failure> {
    with_host(global, |session| {
        let mut done = Vec::new();
        for name in names {
            let exit = session.run(|engine| engine.wait(name))?;
            output.line(
                &exit
                    .code
                    .map_or_else(|| "unknown".to_owned(), |code| code.to_string()),
            )?;
            done.push(exit);
        }
        if output.is_json() {
            output.json("container.exit", &done)?;
        }
        Ok(())
    })
}

/// `wcow container prune`: says what was removed.
fn prune(global: &Global, output: &Output) -> Result<u8, Failure> {
    let pruned = with_host(global, |session| session.run(|engine| engine.prune()))?;
    if output.is_json() {
        output.json("pruned", std::slice::from_ref(&pruned))?;
    } else {
        let Pruned {
            containers,
            systems,
            layers,
            endpoints,
            logs,
            failed: _,
        } = &pruned;
        let systems: Vec<String> = systems.iter().map(ToString::to_string).collect();
        for (kind, names) in [
            ("container", containers),
            ("compute system", &systems),
            ("scratch layer", layers),
            ("endpoint", endpoints),
            ("log", logs),
        ] {
            for name in names {
                output.line(&format!("{kind} {name}"))?;
            }
        }
    }
    for failure in &pruned.failed {
        crate::output::note(&format!("not removed: {failure}"));
    }
    Ok(if pruned.failed.is_empty() {
        0
    } else {
        exit::FAILED
    })
}
