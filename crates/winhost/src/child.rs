//! Other programs, run with a time limit and a limit of what they may say.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// How long the end of a program is waited for between two looks, once it has closed its outputs.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// What a program may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long it may run.
    pub time: Duration,
    /// How many bytes it may write to its standard output. More is an error. Of its standard error that much is kept.
    pub output: usize,
}

/// What a program left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    /// Its exit code; none if something ended it.
    pub(crate) exit: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// Why a program left nothing.
#[derive(Debug)]
pub(crate) enum RunError {
    /// It could not be started, or not be listened to.
    Start(io::Error),
    /// It ran longer than it may; it was ended.
    TooLong,
    /// It wrote more than it may; it was ended.
    TooMuch,
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(error) => write!(f, "cannot be started: {error}"),
            Self::TooLong => f.write_str("did not end in time"),
            Self::TooMuch => f.write_str("wrote too much"),
        }
    }
}

/// Runs a program until it ends. It gets an empty standard input. Each argument arrives as one; no shell is between.
///
/// A program that is over a limit is ended, on Windows together with whatever it started.
pub(crate) fn run(
    program: &Path,
    arguments: &[OsString],
    environment: &[(&str, &str)],
    limits: Limits,
) -> Result<Ran, RunError> {
    let deadline = Instant::now() + limits.time;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut running = Running::start(&mut command).map_err(RunError::Start)?;
    let (sender, receiver) = mpsc::channel();
    listen(
        running.child.stdout.take(),
        limits.output,
        Stream::Output,
        &sender,
    );
    listen(
        running.child.stderr.take(),
        limits.output,
        Stream::Errors,
        &sender,
    );
    drop(sender);
    let heard = hear(&receiver, deadline).and_then(|(stdout, stderr)| {
        let exit = running.wait(deadline)?;
        Ok(Ran {
            exit,
            stdout,
            stderr,
        })
    });
    if heard.is_err() {
        running.end();
    }
    heard
}

#[derive(Clone, Copy)]
enum Stream {
    Output,
    Errors,
}

struct Heard {
    stream: Stream,
    bytes: io::Result<Vec<u8>>,
    is_too_much: bool,
}

/// Reads a pipe to its end, on a thread of its own: a program that writes to both must not wait for us.
fn listen(
    pipe: Option<impl Read + Send + 'static>,
    most: usize,
    stream: Stream,
    sender: &Sender<Heard>,
) {
    let sender = sender.clone();
    let read = move || {
        let mut bytes = Vec::new();
        let mut read = Ok(());
        let mut is_too_much = false;
        if let Some(mut pipe) = pipe {
            let room = u64::try_from(most).unwrap_or(u64::MAX);
            read = pipe.by_ref().take(room).read_to_end(&mut bytes).map(drop);
            if read.is_ok() && bytes.len() == most {
                is_too_much = matches!(pipe.read(&mut [0]), Ok(1..));
                if is_too_much && matches!(stream, Stream::Errors) {
                    // The beginning is enough, but the program must get rid of the rest.
                    read = io::copy(&mut pipe, &mut io::sink()).map(drop);
                }
            }
        }
        // Nobody listens any more if the other pipe brought too much.
        let _ = sender.send(Heard {
            stream,
            bytes: read.map(|()| bytes),
            is_too_much,
        });
    };
    // Without a thread nothing is ever sent, and the receiver sees that nobody is left to send.
    let _ = thread::Builder::new()
        .name("wcow-listen".to_owned())
        .spawn(read);
}

fn hear(receiver: &Receiver<Heard>, deadline: Instant) -> Result<(Vec<u8>, Vec<u8>), RunError> {
    let (mut stdout, mut stderr) = (None, None);
    while stdout.is_none() || stderr.is_none() {
        let left = deadline.saturating_duration_since(Instant::now());
        let heard = receiver.recv_timeout(left).map_err(|error| match error {
            RecvTimeoutError::Timeout => RunError::TooLong,
            RecvTimeoutError::Disconnected => {
                RunError::Start(io::Error::from(io::ErrorKind::OutOfMemory))
            }
        })?;
        let bytes = heard.bytes.map_err(RunError::Start)?;
        match heard.stream {
            Stream::Output if heard.is_too_much => return Err(RunError::TooMuch),
            Stream::Output => stdout = Some(bytes),
            Stream::Errors => stderr = Some(bytes),
        }
    }
    Ok((stdout.unwrap_or_default(), stderr.unwrap_or_default()))
}

/// A program that runs, and on Windows the set of all that it starts.
struct Running {
    child: Child,
    #[cfg(windows)]
    job: Option<wcow_hcs::machine::Job>,
}

impl Running {
    #[cfg(not(windows))]
    fn start(command: &mut Command) -> io::Result<Self> {
        Ok(Self {
            child: command.spawn()?,
        })
    }

    #[cfg(windows)]
    fn start(command: &mut Command) -> io::Result<Self> {
        use std::os::windows::io::AsHandle;
        use std::os::windows::process::CommandExt;

        /// No window comes up for a console program.
        const CREATE_NO_WINDOW: u32 = 0x0800_0000;

        let child = command.creation_flags(CREATE_NO_WINDOW).spawn()?;
        // One that cannot be put into a set can still be ended by itself.
        let job = wcow_hcs::machine::Job::new().ok();
        let job = job.filter(|job| job.add(child.as_handle()).is_ok());
        Ok(Self { child, job })
    }

    fn wait(&mut self, deadline: Instant) -> Result<Option<i32>, RunError> {
        loop {
            if let Some(status) = self.child.try_wait().map_err(RunError::Start)? {
                return Ok(status.code());
            }
            if Instant::now() >= deadline {
                return Err(RunError::TooLong);
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    fn end(&mut self) {
        #[cfg(windows)]
        if let Some(job) = &self.job {
            // If Windows refuses, the program itself is ended below.
            let _ = job.end(1);
        }
        // It may have ended by itself just now; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
