//! `wcow container`, `wcow run`, `wcow exec`, `wcow ps`.

use std::io::{self, IsTerminal, Read, Write};

use wcow_engine::{ContainerSummary, CreateContainer, Engine, EngineError, Force};
use wcow_host::{Host, HostError, Output as Pipe};
use wcow_runtime::{ExecSpec, Process};
use wcow_sim::SimHost;

use super::{each, remove_each};
use crate::args::{ContainerCommand, CreateOptions, ExecArgs, Global, RunArgs};
use crate::failure::{Failure, exit};
use crate::output::{Output, note};
use crate::session::{Session, with_host};

/// 100 ns ticks in a second.
const TICKS: u64 = 10_000_000;
/// How much is read from a pipe at once.
const CHUNK: usize = 64 * 1024;

/// Runs one command of the group.
pub(crate) fn run(
    command: &ContainerCommand,
    global: &Global,
    output: &Output,
) -> Result<u8, Failure> {
    match command {
        ContainerCommand::Create(args) => {
            let made = with_host(global, |session| {
                session.run(|engine| engine.create_container(wanted(&args.image, &args.options)))
            })?;
            show_one(&made, output, &made.name)?;
        }
        ContainerCommand::Start { names } => with_host(global, |session| {
            each(names, output, "container", |name| {
                session.run(|engine| engine.start(name))
            })
        })?,
        ContainerCommand::Run(args) => return create_and_run(args, global),
        ContainerCommand::Exec(args) => return exec(args, global),
        ContainerCommand::Stop { names, time } => {
            let grace = u64::from(*time).saturating_mul(TICKS);
            with_host(global, |session| {
                each(names, output, "container", |name| {
                    session.run(|engine| engine.stop(name, grace))
                })
            })?;
        }
        ContainerCommand::Kill { names } => with_host(global, |session| {
            each(names, output, "container", |name| {
                session.run(|engine| engine.kill(name))
            })
        })?,
        ContainerCommand::Ls => list(global, output)?,
        ContainerCommand::Inspect { name } => {
            let container = with_host(global, |session| {
                session.run(|engine| engine.container(name))
            })?;
            let lines = [
                ("Name", container.name.clone()),
                ("Id", container.id.to_string()),
                ("Image", container.image.clone()),
                ("Status", container.status.word().to_owned()),
                ("Created", container.created.to_string()),
                (
                    "Network",
                    container
                        .network
                        .clone()
                        .unwrap_or_else(|| "none".to_owned()),
                ),
                (
                    "Address",
                    container.address.clone().unwrap_or_else(|| "-".to_owned()),
                ),
                ("Ports", ports(&container)),
                ("Scratch layer", container.scratch.clone()),
            ];
            output.record("container", &container, &lines)?;
        }
        ContainerCommand::Rm { names, force } => {
            let force = if *force { Force::Yes } else { Force::No };
            with_host(global, |session| {
                remove_each("container", names, output, |name| {
                    session.run(|engine| engine.remove_container(name, force))
                })
            })?;
        }
    }
    Ok(0)
}

/// `wcow run`: create, start, run, stop, and remove if asked to. Ends with the program's exit code; 125 if there is no running
/// container, 126 if the program cannot be run, 127 if it is not there.
pub(crate) fn create_and_run(args: &RunArgs, global: &Global) -> Result<u8, Failure> {
    let (image, command) = split(&args.words)?;
    with_host(global, |session| {
        let made = session
            .run(|engine| engine.create_container(wanted(image, &args.options)))
            .map_err(|failure| failure.exit_with(125))?;
        let name = made.name.as_str();
        let ended = match session.run(|engine| engine.start(name)) {
            Ok(_) => exec_in(session, name, &ExecSpec::from_arguments(command), false),
            Err(failure) => Err(failure.exit_with(125)),
        };
        let stopped = session.run(|engine| engine.stop(name, 10 * TICKS));
        let removed = if args.rm {
            session.run(|engine| engine.remove_container(name, Force::Yes))
        } else {
            if ended.is_ok() && io::stderr().is_terminal() {
                note(&format!(
                    "container {name} is kept; wcow container rm {name} removes it"
                ));
            }
            Ok(())
        };
        let code = ended?;
        stopped?;
        removed?;
        Ok(code)
    })
}

/// `wcow exec`: ends with the program's exit code; 126 if it cannot be run, 127 if it is not there.
pub(crate) fn exec(args: &ExecArgs, global: &Global) -> Result<u8, Failure> {
    let (container, command) = split(&args.words)?;
    let mut spec = ExecSpec::from_arguments(command);
    spec.environment = args.env.iter().cloned().collect();
    spec.working_directory = args.workdir.clone().unwrap_or_default();
    spec.stdin = args.interactive;
    with_host(global, |session| {
        if args.detach {
            return session
                .run(|engine| engine.exec(container, &spec))
                .map(|_| 0)
                .map_err(cannot_run);
        }
        exec_in(session, container, &spec, args.interactive)
    })
}

/// `wcow container ls`, `wcow ps`.
pub(crate) fn list(global: &Global, output: &Output) -> Result<(), Failure> {
    let containers = with_host(global, |session| session.run(|engine| engine.containers()))?;
    output.list(
        "container",
        &containers,
        &[
            "NAME", "STATUS", "IMAGE", "NETWORK", "ADDRESS", "PORTS", "ID",
        ],
        |container| {
            vec![
                container.name.clone(),
                container.status.word().to_owned(),
                container.image.clone(),
                container.network.clone().unwrap_or_else(|| "-".to_owned()),
                container.address.clone().unwrap_or_else(|| "-".to_owned()),
                ports(container),
                container.id.to_string(),
            ]
        },
    )?;
    Ok(())
}

/// What comes first, and the program with its arguments.
fn split(words: &[String]) -> Result<(&str, &[String]), Failure> {
    match words.split_first() {
        Some((first, command)) if !command.is_empty() => Ok((first, command)),
        _ => Err(Failure::new(exit::USAGE, "there is no program to run")),
    }
}

fn wanted(image: &str, args: &CreateOptions) -> CreateContainer {
    CreateContainer {
        image: image.to_owned(),
        name: args.name.clone(),
        id: None,
        network: args.network.clone(),
        publish: args.publish.clone(),
        environment: args.env.iter().cloned().collect(),
        working_directory: args.workdir.clone().unwrap_or_default(),
    }
}

fn show_one(container: &ContainerSummary, output: &Output, line: &str) -> io::Result<()> {
    if output.is_json() {
        output.json("container", std::slice::from_ref(container))
    } else {
        output.line(line)
    }
}

fn ports(container: &ContainerSummary) -> String {
    let ports: Vec<String> = container.ports.iter().map(ToString::to_string).collect();
    if ports.is_empty() {
        "-".to_owned()
    } else {
        ports.join(", ")
    }
}

/// Runs a program, passes its output on, and returns its exit code.
fn exec_in(
    session: &Session,
    name: &str,
    spec: &ExecSpec,
    interactive: bool,
) -> Result<u8, Failure> {
    let input = if interactive {
        read_input()?
    } else {
        Vec::new()
    };
    let code = session
        .run(|engine| converse(engine, name, spec, input))
        .map_err(cannot_run)?;
    Ok(code?)
}

/// 127 if the host says that there is no such file, 126 for any other refusal of it.
fn cannot_run(failure: Failure) -> Failure {
    if failure.is_code("0x80070002") || failure.is_code("0x80070003") {
        failure.exit_with(127)
    } else if failure.has_code() {
        failure.exit_with(126)
    } else {
        failure
    }
}

/// All of standard input: the simulated guest's time stands still while a person types.
fn read_input() -> Result<Vec<u8>, Failure> {
    let mut input = Vec::new();
    io::stdin()
        .lock()
        .read_to_end(&mut input)
        .map_err(|error| {
            Failure::new(exit::FAILED, "standard input could not be read").because(&error)
        })?;
    Ok(input)
}

async fn converse(
    engine: &Engine<SimHost>,
    name: &str,
    spec: &ExecSpec,
    input: Vec<u8>,
) -> Result<io::Result<u8>, EngineError> {
    let process = engine.exec(name, spec).await?;
    let lost = |error: HostError| EngineError::Host {
        doing: format!("follow {:?} in container {name:?}", spec.command_line),
        error: Box::new(error),
        left_behind: Vec::new(),
    };
    if spec.stdin {
        process.write(&input).await.map_err(lost)?;
        process.close_input().await.map_err(lost)?;
    }
    for (pipe, to) in [
        (Pipe::Out, &mut io::stdout() as &mut dyn Write),
        (Pipe::Err, &mut io::stderr()),
    ] {
        if let Err(error) = pass_on(&process, pipe, to).await.map_err(lost)? {
            // Nobody takes what it writes any more: there is no sense in following it. The program goes on.
            return Ok(Err(error));
        }
    }
    let status = process.wait().await.map_err(lost)?;
    // Exit codes of Windows have 32 bits, those of a shell 8: what does not fit is a failure all the same.
    Ok(Ok(u8::try_from(status.exit_code).unwrap_or(255)))
}

async fn pass_on<H: Host>(
    process: &Process<'_, H>,
    pipe: Pipe,
    to: &mut dyn Write,
) -> Result<io::Result<()>, HostError> {
    loop {
        let bytes = process.read(pipe, CHUNK).await?;
        if bytes.is_empty() {
            return Ok(Ok(()));
        }
        if let Err(error) = to.write_all(&bytes).and_then(|()| to.flush()) {
            return Ok(Err(error));
        }
    }
}
