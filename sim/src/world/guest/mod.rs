//! What runs in the containers of a simulated host.
//!
//! A guest is data: each process has a small state machine that goes on at an event and then waits for the next: some time, input,
//! the end of a child. The simulator has no processor; it knows what `cmd.exe` and `ping.exe` do and runs what a test supplies.
//! Any other program that is in the image is refused with 0x32, the request is not supported.

mod builtins;
mod cmd;
pub(crate) mod cmdline;
pub(crate) mod mapped;
mod parse;
mod paths;
mod ping;
pub(crate) mod pipes;
pub(crate) mod process;
mod programs;
pub(crate) mod view;

use serde::{Deserialize, Serialize};
use wcow_ntmeta::{FileTime, Hresult, RelPath};

pub(crate) use programs::Programs;
pub use programs::{GuestCall, GuestNext, GuestProgram, GuestReply};

use cmd::Cmd;
use ping::Ping;
use pipes::{Chunk, Sink};
use process::{Environment, Process};
use view::View;

/// What a process is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Program {
    /// Part of Windows: it is there and does nothing that can be seen.
    System,
    /// The command processor.
    Cmd(Box<Cmd>),
    /// `ping.exe`.
    Ping(Ping),
    /// Code that a test supplied, by name, with its arguments and how often it was called.
    Supplied {
        name: String,
        arguments: Vec<String>,
        step: u32,
    },
}

/// How a step of a program ends.
pub(crate) enum Next {
    /// The process exits.
    Exit(u32),
    /// It goes on after so many ticks.
    After(u64),
    /// It goes on when input comes.
    Input,
    /// It starts another process and goes on when that has exited.
    Child(Spawn),
}

/// A process that a process starts.
pub(crate) struct Spawn {
    pub(crate) program: Program,
    pub(crate) image: String,
    pub(crate) out: Sink,
    pub(crate) err: Sink,
}

/// What a step of a program can see and do.
pub(crate) struct Context<'w, 'o> {
    pub(crate) view: View<'w, 'o>,
    /// The process, without its program.
    pub(crate) process: &'w mut Process,
    /// The build that the image calls itself.
    pub(crate) build: u32,
    /// The name of the computer as the container sees it.
    pub(crate) computer: &'w str,
    /// What was written into pipes.
    pub(crate) written: Vec<(Sink, Chunk)>,
}

impl Context<'_, '_> {
    /// Writes to where a sink leads.
    pub(crate) fn emit(&mut self, sink: &Sink, chunk: Chunk) -> Result<(), Hresult> {
        match sink {
            Sink::Nul => Ok(()),
            Sink::Pipe { .. } => {
                self.written.push((sink.clone(), chunk));
                Ok(())
            }
            Sink::File(path) => match chunk {
                Chunk::Bytes(bytes) => self.view.append(path, &bytes),
                Chunk::File { content, .. } => {
                    // A file that is still empty takes over the whole content.
                    let is_empty =
                        matches!(self.view.stat(path)?, Some(seen) if seen.metadata.len == 0);
                    if is_empty {
                        self.view.write(path, content)
                    } else {
                        let bytes = self.view.bytes(content, pipes::LONGEST_READ)?;
                        self.view.append(path, &bytes)
                    }
                }
            },
        }
    }

    /// Writes text to standard output.
    pub(crate) fn print(&mut self, text: &str) {
        let sink = self.process.out.clone();
        // A full disk stops a redirected program's output, not the program.
        let _ = self.emit(&sink, Chunk::Bytes(text.as_bytes().to_vec()));
    }

    /// The program of a file in the container, as a process that is to be started.
    fn program(&mut self, words: &Words<'_>) -> Result<(Program, String), Hresult> {
        find_program(
            &mut self.view,
            &self.process.directory,
            &self.process.environment,
            words,
        )
    }

    fn now(&self) -> FileTime {
        self.view.now
    }
}

impl Program {
    /// Goes on until it has to wait.
    pub(crate) fn step(&mut self, context: &mut Context<'_, '_>) -> Next {
        match self {
            Self::System => Next::Input,
            Self::Cmd(cmd) => cmd.step(context),
            Self::Ping(ping) => ping.step(context),
            Self::Supplied {
                name,
                arguments,
                step,
            } => {
                let Some(program) = context.view.out.programs.get(name) else {
                    // The code is gone: as if the program had been ended.
                    return Next::Exit(process::KILLED);
                };
                let call = GuestCall {
                    arguments: arguments.clone(),
                    environment: context.process.environment.pairs(),
                    working_directory: paths::show(&context.process.directory),
                    computer: context.computer.to_owned(),
                    now: context.now(),
                    step: *step,
                    input: std::mem::take(&mut context.process.input),
                    input_ended: context.process.input_ended,
                };
                *step += 1;
                let reply = program.run(call);
                let (out, err) = (context.process.out.clone(), context.process.err.clone());
                for (sink, bytes) in [(out, reply.out), (err, reply.err)] {
                    if !bytes.is_empty() {
                        // As in `print`.
                        let _ = context.emit(&sink, Chunk::Bytes(bytes));
                    }
                }
                match reply.next {
                    GuestNext::Exit(code) => Next::Exit(code),
                    GuestNext::Sleep(ticks) => Next::After(ticks),
                    GuestNext::Input => Next::Input,
                }
            }
        }
    }
}

/// A command that names a program.
pub(crate) struct Words<'a> {
    /// The program's name or path.
    pub(crate) name: &'a str,
    /// The whole command line.
    pub(crate) line: &'a str,
}

/// Finds the program that a command line means, the way `CreateProcessW` looks for it.
pub(crate) fn find_program(
    view: &mut View<'_, '_>,
    directory: &RelPath,
    environment: &Environment,
    words: &Words<'_>,
) -> Result<(Program, String), Hresult> {
    use wcow_host::codes::win32;
    let name = words.name;
    if view.out.programs.get(name).is_some() {
        let program = Program::Supplied {
            name: name.to_owned(),
            arguments: cmdline::arguments(words.line),
            step: 0,
        };
        return Ok((program, name.to_owned()));
    }
    let Some(file) = find_file(view, directory, environment, name) else {
        return Err(win32::FILE_NOT_FOUND);
    };
    let image = file
        .file_name()
        .map(ToString::to_string)
        .unwrap_or_default();
    let program = match programs::plain_name(&image).as_str() {
        "cmd" => Program::Cmd(Box::new(Cmd::new(words.line))),
        "ping" => Program::Ping(Ping::new(&cmdline::arguments(words.line))),
        _ => return Err(win32::NOT_SUPPORTED),
    };
    Ok((program, image))
}

fn find_file(
    view: &mut View<'_, '_>,
    directory: &RelPath,
    environment: &Environment,
    name: &str,
) -> Option<RelPath> {
    let has_extension = name
        .rsplit(['\\', '/'])
        .next()
        .is_some_and(|last| last.contains('.'));
    let name = if has_extension {
        name.to_owned()
    } else {
        format!("{name}.exe")
    };
    if name.contains(['\\', '/', ':']) {
        let path = paths::resolve(&name, directory).ok()?;
        return view.is_file(&path).then_some(path);
    }
    let mut folders = vec![
        directory.clone(),
        RelPath::parse(r"Windows\System32"),
        RelPath::parse("Windows"),
    ];
    let path = environment.get("Path").unwrap_or_default();
    folders.extend(
        path.split(';')
            .filter(|folder| !folder.is_empty())
            .filter_map(|folder| paths::resolve(folder, &RelPath::root()).ok()),
    );
    folders
        .into_iter()
        .map(|folder| folder.join(name.as_str()))
        .find(|path| view.is_file(path))
}
