//! Standard streams: real pipes, each pumped by a thread of its own, because a pipe of the system can be waited for only so.
//!
//! ```text
//!  process in the world ── read_output ──> pump ── write ──> pipe ──> program
//!  process in the world <── write_input ── pump <── read ─── pipe <── program
//! ```

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wcow_hcs_schema::schema1::ProcessParameters;
use wcow_host::{ComputeService, Output};

use crate::abi::{HANDLE, HCS_PROCESS_INFORMATION};
use crate::pipes::{End, Theirs, pair};
use crate::session::Session;
use crate::system::OpenProcess;

/// Bytes that a pump moves at once.
const PART: usize = 16 << 10;

/// Pumps that run.
static PUMPS: AtomicU64 = AtomicU64::new(0);

pub(crate) fn pumps() -> u64 {
    PUMPS.load(Ordering::SeqCst)
}

/// The program's ends of the streams of a process, until they are handed over. What is not handed over is closed.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    stdin: Option<End>,
    stdout: Option<End>,
    stderr: Option<End>,
}

impl Streams {
    /// Makes the pipes that were asked for, and starts their pumps.
    ///
    /// # Errors
    /// The system has no pipe or no thread more.
    pub(crate) fn open(
        session: &'static Session,
        process: &Arc<OpenProcess>,
        parameters: &ProcessParameters,
    ) -> io::Result<Self> {
        let mut streams = Self::default();
        if parameters.create_std_in_pipe {
            let (ours, theirs) = pair(Theirs::Writes)?;
            let process = Arc::clone(process);
            pump("wcow-sim stdin", move || input(session, &process, ours))?;
            streams.stdin = Some(theirs);
        }
        let errors = parameters.create_std_err_pipe && !parameters.emulate_console;
        for (wanted, output, place) in [
            (
                parameters.create_std_out_pipe,
                Output::Out,
                &mut streams.stdout,
            ),
            (errors, Output::Err, &mut streams.stderr),
        ] {
            if wanted {
                let (ours, theirs) = pair(Theirs::Reads)?;
                let process = Arc::clone(process);
                pump("wcow-sim output", move || {
                    self::output(session, &process, output, ours);
                })?;
                *place = Some(theirs);
            }
        }
        Ok(streams)
    }

    /// Hands the streams over, with the id of their process.
    pub(crate) fn hand_over(self, process_id: u32) -> HCS_PROCESS_INFORMATION {
        let handle = |end: Option<End>| end.map_or(std::ptr::null_mut::<_>(), End::into_handle);
        let [stdin, stdout, stderr]: [HANDLE; 3] =
            [handle(self.stdin), handle(self.stdout), handle(self.stderr)];
        HCS_PROCESS_INFORMATION {
            ProcessId: process_id,
            Reserved: 0,
            StdInput: stdin,
            StdOutput: stdout,
            StdError: stderr,
        }
    }
}

fn pump(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    struct Counted;
    impl Drop for Counted {
        fn drop(&mut self) {
            PUMPS.fetch_sub(1, Ordering::SeqCst);
        }
    }
    PUMPS.fetch_add(1, Ordering::SeqCst);
    let counted = Counted;
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            body();
            drop(counted);
        })
        .map(|_| ())
}

/// From the process to the program, until either end is gone.
fn output(session: &Session, process: &OpenProcess, output: Output, mut pipe: File) {
    loop {
        let (host, handle) = (process.host().clone(), process.handle());
        let read = async move { host.read_output(handle, output, PART).await };
        match session.runner.wait(read, None) {
            Ok(Ok(bytes)) if !bytes.is_empty() => {
                if pipe.write_all(&bytes).is_err() {
                    return;
                }
            }
            // The end of the output, of the process, or of the world.
            _ => return,
        }
    }
}

/// From the program to the process, until either end is gone.
fn input(session: &Session, process: &OpenProcess, mut pipe: File) {
    let mut part = vec![0; PART];
    loop {
        let count = match pipe.read(&mut part) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => 0,
        };
        let (host, handle) = (process.host().clone(), process.handle());
        let bytes = part.get(..count).unwrap_or_default().to_vec();
        let written = session.runner.wait(
            async move {
                if bytes.is_empty() {
                    host.close_input(handle).await
                } else {
                    host.write_input(handle, &bytes).await
                }
            },
            None,
        );
        if count == 0 || !matches!(written, Ok(Ok(()))) {
            return;
        }
    }
}
