//! What handles lead to: compute systems and processes of either surface, each with what the service tells about it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::windows::io::{AsHandle, OwnedHandle};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use wcow_hcs::{Error, ProcessInformation, Subscription, v1, v2, values::EventOptions};
use wcow_host::{Operation, SystemId};

use super::documents;
use super::inbox::{Feed, Inbox, Step, Told};
use super::pipes::{InputPipe, OutputPipe};

/// An open compute system.
pub(super) struct OpenSystem {
    pub(super) id: SystemId,
    pub(super) system: System,
    pub(super) inbox: Inbox,
}

/// A compute system of either surface. Clones share the handle.
#[derive(Clone)]
pub(super) enum System {
    First(v1::ComputeSystem),
    Second(v2::ComputeSystem),
}

/// An open process.
pub(super) struct OpenProcess {
    pub(super) id: u32,
    /// The system that it runs in.
    pub(super) system: SystemId,
    /// How many signals are on their way to it.
    pub(super) signals: AtomicU32,
    pub(super) process: Process,
    pub(super) inbox: Inbox,
    /// Those of its creator; none for who opened it later.
    pub(super) streams: Option<Streams>,
}

/// A process of either surface. Clones share the handle.
#[derive(Clone)]
pub(super) enum Process {
    First(v1::Process),
    Second(v2::Process),
}

/// The streams that were asked for.
#[derive(Default)]
pub(super) struct Streams {
    pub(super) input: Option<InputPipe>,
    pub(super) output: Option<OutputPipe>,
    pub(super) error: Option<OutputPipe>,
}

/// A call that moves a compute system from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    Start,
    Shutdown,
    Terminate,
    Pause,
    Resume,
    Save,
}

impl Move {
    /// Whose end it waits for. One that ends the system waits for the exit.
    pub(super) fn step(self) -> Step {
        match self {
            Self::Start => Step::Start,
            Self::Shutdown | Self::Terminate => Step::Shutdown,
            Self::Pause => Step::Pause,
            Self::Resume => Step::Resume,
            Self::Save => Step::Save,
        }
    }

    pub(super) fn ends(self) -> bool {
        matches!(self, Self::Shutdown | Self::Terminate)
    }

    pub(super) fn operation(self) -> Operation {
        match self {
            Self::Start => Operation::StartSystem,
            Self::Shutdown => Operation::ShutdownSystem,
            Self::Terminate => Operation::TerminateSystem,
            Self::Pause => Operation::PauseSystem,
            Self::Resume => Operation::ResumeSystem,
            Self::Save => Operation::SaveSystem,
        }
    }
}

/// A move that the host has accepted.
pub(super) enum Begun {
    /// Version 1: it has ended already.
    Done,
    /// Version 1: a notification will tell its end.
    Pending,
    /// Version 2.
    Operation(v2::Operation),
}

impl System {
    /// Begins a move. Blocks as long as the service takes to accept it.
    pub(super) fn begin(&self, what: Move, options: Option<&str>) -> Result<Begun, Error> {
        match self {
            Self::First(system) => {
                let options = options.unwrap_or("");
                let completion = match what {
                    Move::Start => system.start(options),
                    Move::Shutdown => system.shutdown(options),
                    Move::Terminate => system.terminate(options),
                    Move::Pause => system.pause(options),
                    Move::Resume => system.resume(options),
                    Move::Save => system.save(options),
                };
                completion.map(|completion| match completion {
                    v1::Completion::Done => Begun::Done,
                    v1::Completion::Pending => Begun::Pending,
                })
            }
            Self::Second(system) => match what {
                Move::Start => system.start(options),
                Move::Shutdown => system.shut_down(options),
                Move::Terminate => system.terminate(options),
                Move::Pause => system.pause(options),
                Move::Resume => system.resume(options),
                Move::Save => system.save(options),
            }
            .map(Begun::Operation),
        }
    }

    /// What the service tells about it from now on.
    pub(super) fn subscribe(&self) -> Result<Inbox, Error> {
        Ok(match self {
            Self::First(system) => Inbox::new(First(system.subscribe()?)),
            Self::Second(system) => Inbox::new(Second(system.subscribe(EventOptions::NONE)?)),
        })
    }
}

impl Process {
    /// The same process through handles of their own, to the system as well.
    pub(super) fn again(&self, system: &SystemId, id: u32) -> Result<Self, Error> {
        Ok(match self {
            Self::First(_) => Self::First(v1::ComputeSystem::open(&system.0)?.open_process(id)?),
            Self::Second(_) => Self::Second(v2::ComputeSystem::open(&system.0)?.open_process(id)?),
        })
    }

    /// What the service tells about it from now on.
    pub(super) fn subscribe(&self) -> Result<Inbox, Error> {
        Ok(match self {
            Self::First(process) => Inbox::new(First(process.subscribe()?)),
            Self::Second(process) => Inbox::new(Second(process.subscribe(EventOptions::NONE)?)),
        })
    }
}

struct First(Subscription<v1::Notification>);

impl Feed for First {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Told> {
        self.0
            .poll_next(context)
            .map(|told| documents::notified(told.kind, told.status, told.data))
    }
}

struct Second(Subscription<v2::Event>);

impl Feed for Second {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Told> {
        self.0
            .poll_next(context)
            .map(|event| documents::happened(event.kind, event.data))
    }
}

impl Streams {
    /// Takes over the streams of a new process.
    ///
    /// # Errors
    /// There is no thread for one of them. All are closed then.
    pub(super) fn take(information: ProcessInformation) -> io::Result<Self> {
        let output = |handle: Option<OwnedHandle>| {
            let pipe = handle.map(|handle| {
                let (file, cut_off) = shared(handle);
                OutputPipe::new(file, cut_off)
            });
            pipe.transpose()
        };
        Ok(Self {
            input: information.stdin.map(|handle| {
                let (file, cut_off) = shared(handle);
                InputPipe::new(file, cut_off)
            }),
            output: output(information.stdout)?,
            error: output(information.stderr)?,
        })
    }

    /// Closes them. Waits a moment for reads and writes that are cut off.
    pub(super) fn close(&self) {
        if let Some(input) = &self.input {
            input.close();
        }
        for output in [&self.output, &self.error].into_iter().flatten() {
            output.close();
        }
    }
}

/// A pipe, and what cuts off who waits for it. The handle is closed with the pipe.
fn shared(handle: OwnedHandle) -> (Pipe, impl Fn() + Send + Sync) {
    let file = Arc::new(File::from(handle));
    let known: Weak<File> = Arc::downgrade(&file);
    let cut_off = move || {
        if let Some(file) = known.upgrade() {
            wcow_hcs::io::cancel(file.as_handle());
        }
    };
    (Pipe(file), cut_off)
}

struct Pipe(Arc<File>);

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self.0).read(buffer)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.0).write(bytes)
    }

    /// There is nothing to flush: it would wait until the process has read everything.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
