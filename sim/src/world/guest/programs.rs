//! Programs that a test supplies as code.

use std::collections::BTreeMap;
use std::sync::Arc;

use wcow_ntmeta::FileTime;

/// A program that runs in the containers of a simulated host and is written in Rust. It is no data: a host that knows one cannot
/// be saved.
///
/// The host calls it whenever it has something to do; between the calls it waits as it said it would. What it does must
/// follow from what it is given, or runs cannot be repeated.
pub trait GuestProgram: Send + Sync {
    /// Goes on until it has to wait.
    fn run(&self, call: GuestCall) -> GuestReply;
}

impl<F: Fn(GuestCall) -> GuestReply + Send + Sync> GuestProgram for F {
    fn run(&self, call: GuestCall) -> GuestReply {
        self(call)
    }
}

/// What a supplied program is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestCall {
    /// Its arguments, its name first.
    pub arguments: Vec<String>,
    /// Its environment variables.
    pub environment: BTreeMap<String, String>,
    /// Its working directory, for example `C:\`.
    pub working_directory: String,
    /// The name of the computer as the container sees it.
    pub computer: String,
    /// The virtual time.
    pub now: FileTime,
    /// How often this process was called before.
    pub step: u32,
    /// What came in on standard input since the last call.
    pub input: Vec<u8>,
    /// True if nothing more will come.
    pub input_ended: bool,
}

/// What a supplied program does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestReply {
    /// Bytes for standard output.
    pub out: Vec<u8>,
    /// Bytes for standard error.
    pub err: Vec<u8>,
    /// What it does next.
    pub next: GuestNext,
}

/// What a supplied program does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuestNext {
    /// It exits with this code.
    Exit(u32),
    /// It sleeps for so many ticks of 100 ns of virtual time.
    Sleep(u64),
    /// It waits for standard input.
    Input,
}

/// The supplied programs that a host knows, by lower-case name without `.exe`.
#[derive(Clone, Default)]
pub(crate) struct Programs(BTreeMap<String, Arc<dyn GuestProgram>>);

impl Programs {
    /// Makes a program known under a file name.
    pub(crate) fn register(&mut self, name: &str, program: Arc<dyn GuestProgram>) {
        self.0.insert(plain_name(name), program);
    }

    /// Their names.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// The program that a path or file name means.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<dyn GuestProgram>> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&plain_name(name)).cloned()
    }
}

/// The last component in lower case, without `.exe`.
pub(super) fn plain_name(path: &str) -> String {
    let name = path.rsplit(['\\', '/', ':']).next().unwrap_or(path);
    let name = name.to_ascii_lowercase();
    name.strip_suffix(".exe").unwrap_or(&name).to_owned()
}
