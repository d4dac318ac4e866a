//! Programs that are followed: `run`, `exec`, `attach`, `start --attach`, `supervise`.

use std::future::Future;
use std::io::{self, IsTerminal, Read, Write};
use std::pin::Pin;
use std::task::Poll;

use wcow_engine::{
    Engine, EngineError, Exit, Flow, Followed, Force, RestartPolicy, Supervised, Watched,
};
use wcow_host::client::beside;
use wcow_host::{HostError, Output as Pipe};
use wcow_runtime::ExecSpec;

use super::create::{wanted, warn, warn_of_processors};
use super::{TICKS, grace};
use crate::args::{ExecArgs, Global, RunArgs};
use crate::failure::{Failure, exit};
use crate::machine::AnyHost;
use crate::output::{Output, note};
use crate::session::{Session, with_host};

/// How much is read from a pipe at once.
const CHUNK: usize = 64 * 1024;

/// `wcow run`: create, start, follow, stop, and remove if asked to. Ends with the program's exit code; 125 if there is no running
/// container, 126 if the program cannot be run, 127 if it is not there.
pub(crate) fn create_and_run(
    args: &RunArgs,
    global: &Global,
    output: &Output,
) -> Result<u8, Failure> {
    let (image, command) = split(&args.words)?;
    if args.rm && args.options.restart != RestartPolicy::No {
        return Err(Failure::new(
            exit::USAGE,
            "a container that is removed afterwards cannot be started again",
        )
        .help("leave out --rm or --restart"));
    }
    let wanted = wanted(image, command, &args.options)?;
    with_host(global, |session| {
        let made = session
            .run(|engine| engine.create_container(wanted))
            .map_err(|failure| failure.exit_with(125))?;
        let name = made.name.as_str();
        warn(session, name);
        warn_of_processors(session, name, args.options.cpus);
        let ended = start_and_follow(session, name, args);
        if args.detach {
            if ended.is_ok() {
                super::show::one(&made, output)?;
            }
            return ended;
        }
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

fn start_and_follow(session: &Session, name: &str, args: &RunArgs) -> Result<u8, Failure> {
    start(session, name)?;
    if args.detach {
        return Ok(0);
    }
    let input = if args.options.interactive {
        Input::Ours
    } else {
        Input::None
    };
    if args.options.restart == RestartPolicy::No {
        follow_with(session, name, input)
    } else {
        supervise_with(session, &[name.to_owned()], None, Show::All, input)
    }
}

/// What a main process reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Input {
    /// Nothing of ours.
    None,
    /// Our standard input.
    Ours,
}

/// Does something beside which a main process gets its input: a program that writes before it has read everything must be read
/// meanwhile.
async fn fed<T>(
    engine: &Engine<AnyHost>,
    name: Option<&str>,
    follow: impl Future<Output = Result<T, EngineError>>,
) -> Result<io::Result<T>, EngineError> {
    let Some(name) = name else {
        return follow.await.map(Ok);
    };
    let mut unread = None;
    let mut given = Ok(());
    let followed = beside(follow, async {
        let next = || match read_piece() {
            Ok(piece) => piece,
            Err(error) => {
                unread = Some(error);
                Vec::new()
            }
        };
        given = engine.feed(name, next).await;
    })
    .await?;
    match given {
        // It ended before it had read everything.
        Err(EngineError::State { .. }) => {}
        Err(error) if error.host_error().is_some_and(|error| error.is_win32(0x6)) => {}
        given => given?,
    }
    Ok(unread.map_or(Ok(followed), Err))
}

/// Starts a container of `run`: 127 if its program is not there, 126 if it cannot be run, 125 for anything else.
fn start(session: &Session, name: &str) -> Result<(), Failure> {
    let started = session.try_run(|engine| engine.start(name))?;
    started.map(drop).map_err(|error| {
        let is_program = matches!(error, EngineError::Program { .. });
        let failure = Failure::engine(&error, session.info().as_ref());
        if is_program {
            cannot_run(failure)
        } else {
            failure.exit_with(125)
        }
    })
}

/// `wcow container start --attach`.
pub(super) fn start_attached(session: &Session, name: &str) -> Result<u8, Failure> {
    start(session, name)?;
    follow(session, name)
}

/// Passes on what a main process writes until it ends; ends with its exit code.
pub(super) fn follow(session: &Session, name: &str) -> Result<u8, Failure> {
    follow_with(session, name, Input::None)
}

fn follow_with(session: &Session, name: &str, input: Input) -> Result<u8, Failure> {
    let mut lost = None;
    let feeds = (input == Input::Ours).then_some(name);
    let followed = session.run(|engine| {
        let follow = engine.follow(name, |pipe, bytes| pass_on(pipe, bytes, &mut lost));
        fed(engine, feeds, follow)
    })?;
    let followed = followed.map_err(|error| unreadable(&error))?;
    match (followed, lost) {
        (Followed::Ended(exit), _) => Ok(code(&exit)),
        (Followed::Left, Some(error)) => Err(error.into()),
        (Followed::Left, None) => Ok(0),
    }
}

/// Exit codes of Windows have 32 bits, those of a shell 8: what does not fit is a failure all the same, and so is what nobody knows.
fn code(exit: &Exit) -> u8 {
    exit.code
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(255)
}

/// Writes to our own output. Where nobody takes that any more, there is no sense in following.
fn pass_on(pipe: Pipe, bytes: &[u8], lost: &mut Option<io::Error>) -> Flow {
    let written = match pipe {
        Pipe::Out => write(&mut io::stdout().lock(), bytes),
        Pipe::Err => write(&mut io::stderr().lock(), bytes),
    };
    match written {
        Ok(()) => Flow::Go,
        Err(error) => {
            *lost = Some(error);
            Flow::Leave
        }
    }
}

fn write(to: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes).and_then(|()| to.flush())
}

/// What a supervision shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Show {
    /// What the main process writes, and what happens to the container.
    All,
    /// What happens.
    Happenings,
}

/// Supervises containers at the same time, until none is left. Ends with the exit code of the last one that ended.
pub(super) fn supervise(
    session: &Session,
    names: &[String],
    most: Option<u32>,
    show: Show,
) -> Result<u8, Failure> {
    supervise_with(session, names, most, show, Input::None)
}

fn supervise_with(
    session: &Session,
    names: &[String],
    most: Option<u32>,
    show: Show,
    input: Input,
) -> Result<u8, Failure> {
    let feeds = names.first().filter(|_| input == Input::Ours);
    let answers = session.run(|engine| async move {
        let supervisions = names.iter().map(|name| {
            let supervision = engine.supervise(name, most, move |watched| match watched {
                Watched::Wrote(pipe, bytes) if show == Show::All => pass_on(pipe, bytes, &mut None),
                Watched::Wrote(..) => Flow::Go,
                Watched::Started => tell(name, "started"),
                Watched::Ended(exit) => match exit.code {
                    Some(code) => tell(name, &format!("ended with exit code {code}")),
                    None => tell(name, "ended"),
                },
                Watched::Waits(ticks) => {
                    let tenths = ticks / (TICKS / 10);
                    tell(
                        name,
                        &format!("is started again in {}.{} s", tenths / 10, tenths % 10),
                    )
                }
            });
            Box::pin(supervision) as Pin<Box<dyn Future<Output = _>>>
        });
        let supervised = async { Ok(all(supervisions.collect()).await) };
        fed(engine, feeds.map(String::as_str), supervised).await
    })?;
    let answers = answers.map_err(|error| unreadable(&error))?;
    let mut last = 0;
    let mut first = None;
    for answer in answers {
        match answer {
            Ok(Supervised::AtRest(Some(exit))) => last = code(&exit),
            Ok(Supervised::AtRest(None) | Supervised::Left) => {}
            Err(error) => {
                let shown = Failure::engine(&error, session.info().as_ref()).show();
                first.get_or_insert(shown);
            }
        }
    }
    match first {
        Some(code) => Err(Failure::silent(code)),
        None => Ok(last),
    }
}

fn tell(name: &str, what: &str) -> Flow {
    note(&format!("{name} {what}"));
    Flow::Go
}

/// Waits for all of them.
async fn all<T>(mut work: Vec<Pin<Box<dyn Future<Output = T> + '_>>>) -> Vec<T> {
    let mut done: Vec<Option<T>> = work.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut pending = false;
        for (future, done) in work.iter_mut().zip(&mut done) {
            if done.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(value) => *done = Some(value),
                    Poll::Pending => pending = true,
                }
            }
        }
        if pending {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

/// `wcow exec`: ends with the program's exit code; 126 if it cannot be run, 127 if it is not there.
pub(crate) fn exec(args: &ExecArgs, global: &Global) -> Result<u8, Failure> {
    let (container, command) = split(&args.words)?;
    let mut spec = ExecSpec::from_arguments(command);
    spec.environment = args.env.iter().cloned().collect();
    spec.working_directory = args.workdir.clone().unwrap_or_default();
    spec.user = args.user.clone().unwrap_or_default();
    spec.console = args.tty;
    spec.stdin = args.interactive;
    with_host(global, |session| {
        if args.detach {
            return session
                .run(|engine| async {
                    let process = engine.exec(container, &spec).await?;
                    // Nobody will read what it writes: it goes on with its pipes closed.
                    process
                        .close()
                        .await
                        .map_err(|error| lost(container, &spec, error))
                })
                .map(|()| 0)
                .map_err(cannot_run);
        }
        let mut unread = None;
        let input = || match read_piece() {
            Ok(piece) => piece,
            Err(error) => {
                unread = Some(error);
                Vec::new()
            }
        };
        let code = session
            .run(|engine| converse(engine, container, &spec, input))
            .map_err(cannot_run)?;
        unread.map_or(Ok(code?), |error| Err(unreadable(&error)))
    })
}

/// What comes first, and the program with its arguments.
fn split(words: &[String]) -> Result<(&str, &[String]), Failure> {
    match words.split_first() {
        Some((first, command)) if !command.is_empty() => Ok((first, command)),
        _ => Err(Failure::new(exit::USAGE, "there is no program to run")),
    }
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

/// The next piece of standard input, empty at its end. The simulated guest's time stands still meanwhile.
fn read_piece() -> io::Result<Vec<u8>> {
    let mut piece = vec![0; CHUNK];
    let length = io::stdin().lock().read(&mut piece)?;
    piece.truncate(length);
    Ok(piece)
}

fn unreadable(error: &io::Error) -> Failure {
    Failure::new(exit::FAILED, "standard input could not be read").because(error)
}

fn lost(name: &str, spec: &ExecSpec, error: HostError) -> EngineError {
    EngineError::Host {
        doing: format!("follow {:?} in container {name:?}", spec.command_line),
        error: Box::new(error),
        left_behind: Vec::new(),
    }
}

async fn converse(
    engine: &Engine<AnyHost>,
    name: &str,
    spec: &ExecSpec,
    input: impl FnMut() -> Vec<u8>,
) -> Result<io::Result<u8>, EngineError> {
    let process = engine.exec(name, spec).await?;
    let lost = |error| lost(name, spec, error);
    let mut fed = Ok(());
    let passed = {
        let pass = async {
            let mut outputs = process.outputs(CHUNK);
            let mut failed = None;
            while let Some((pipe, bytes)) = outputs.next().await? {
                if pass_on(pipe, &bytes, &mut failed) == Flow::Leave {
                    break;
                }
            }
            Ok::<_, HostError>(failed)
        };
        let feed = async {
            if spec.stdin {
                fed = process.feed(input).await;
            }
        };
        // A program that writes before it has read everything must be read meanwhile.
        beside(pass, feed).await.map_err(lost)?
    };
    if let Some(error) = passed {
        // The program goes on.
        process.close().await.map_err(lost)?;
        return Ok(Err(error));
    }
    fed.map_err(lost)?;
    let exit = process.wait().await.map_err(lost)?;
    let code = exit.code.and_then(|code| u8::try_from(code).ok());
    Ok(Ok(code.unwrap_or(255)))
}

/// `wcow container restart`: with the time that a container has to stop.
pub(super) fn restart(session: &Session, name: &str, time: Option<u32>) -> Result<(), Failure> {
    let grace = grace(session, name, time)?;
    session.run(|engine| engine.restart(name, grace)).map(drop)
}
