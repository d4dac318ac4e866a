//! What the main process of a container wrote, on the host's disk.
//!
//! The log of a container is a folder, `C:\ProgramData\wcow\logs\<id>`, with files `00000001.log`, `00000002.log` and so on. A line of
//! a file is what one read of a pipe gave, as JSON: `{"at":132739236000000000,"stream":"out","text":"hello\r\n"}`; `at` is in ticks of
//! 100 ns since 1601, and bytes that are not UTF-8 stand as `hex` instead of `text`. A file that has reached 64 KiB is followed by the
//! next one. The newest 16 are kept: a log never takes more than about 1 MiB, and loses its oldest part. It goes with its container.
//!
//! A log is no record: it is not made durable, and a power loss may take the newest file. What cannot be read of one is passed over.

use serde::{Deserialize, Serialize};
use wcow_host::{Clock, FileKind, FileSystem, Host, HostError, Output, WriteMode};
use wcow_ntmeta::{FileTime, HostPath};

use crate::{Engine, EngineError};

/// A file that has so many bytes is followed by another.
const FULL: usize = 64 << 10;
/// How many files are kept.
const MOST_FILES: usize = 16;
/// A file that is longer is none of ours: one read of a pipe goes beyond [`FULL`] at the most.
const LONGEST: u64 = 1 << 20;
/// How the name of a file ends.
const ENDING: &str = ".log";

/// A line that a main process wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When the first of it was read.
    pub at: FileTime,
    /// Where it was written to.
    pub stream: Output,
    /// It, with its end.
    pub bytes: Vec<u8>,
}

/// Which lines of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogQuery {
    /// At most so many, the newest; all if absent.
    pub tail: Option<usize>,
    /// Those of this time or later.
    pub since: FileTime,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    at: FileTime,
    stream: Stream,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Stream {
    Out,
    Err,
}

impl Entry {
    fn new(at: FileTime, output: Output, bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes).ok().map(str::to_owned);
        let hex = match &text {
            Some(_) => None,
            None => Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        };
        Self {
            at,
            stream: match output {
                Output::Out => Stream::Out,
                Output::Err => Stream::Err,
            },
            text,
            hex,
        }
    }

    fn bytes(self) -> Option<Vec<u8>> {
        match (self.text, self.hex) {
            (Some(text), _) => Some(text.into_bytes()),
            (None, Some(hex)) => hex
                .as_bytes()
                .chunks(2)
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
                .collect(),
            (None, None) => None,
        }
    }
}

/// Adds to a log. Only the process that has the pipes does.
pub(crate) struct LogWriter<'h, H: Host> {
    host: &'h H,
    folder: HostPath,
    /// The numbers of the files, the oldest first; the last one is being written.
    numbers: Vec<u64>,
    /// What is in that one.
    newest: Vec<u8>,
}

impl<'h, H: Host> LogWriter<'h, H> {
    /// Goes on with the log of a container, or begins it.
    pub(crate) async fn open(host: &'h H, id: &str) -> Result<Self, EngineError> {
        let folder = folder(id);
        let numbers = numbers(host, &folder).await.map_err(unreadable)?;
        let mut newest = Vec::new();
        match numbers.last() {
            Some(number) => {
                let file = folder.join(&file_name(*number));
                if let Ok(bytes) = host.files().read(&file, LONGEST).await {
                    newest = bytes.to_vec();
                }
                if !newest.is_empty() && !newest.ends_with(b"\n") {
                    // A power loss tore it.
                    newest.push(b'\n');
                }
            }
            None => {
                let made = host.files().create_dir_all(&folder).await;
                made.map_err(unwritable)?;
            }
        }
        Ok(Self {
            host,
            folder,
            numbers,
            newest,
        })
    }

    /// Adds what one read gave.
    pub(crate) async fn append(&mut self, output: Output, bytes: &[u8]) -> Result<(), EngineError> {
        let files = self.host.files();
        let entry = Entry::new(self.host.clock().now(), output, bytes);
        let Ok(line) = serde_json::to_vec(&entry) else {
            return Ok(());
        };
        if self.newest.len() >= FULL || self.numbers.is_empty() {
            let last = self.numbers.last().copied().unwrap_or_default();
            self.numbers.push(last.saturating_add(1));
            self.newest.clear();
            while self.numbers.len() > MOST_FILES {
                let oldest = self.numbers.remove(0);
                // Whoever reads the log may have it open; the next time removes no more than one either.
                let _ = files
                    .remove_file(&self.folder.join(&file_name(oldest)))
                    .await;
            }
        }
        self.newest.extend_from_slice(&line);
        self.newest.push(b'\n');
        let number = self.numbers.last().copied().unwrap_or_default();
        let file = self.folder.join(&file_name(number));
        let written = files.write(&file, &self.newest, WriteMode::Overwrite).await;
        written.map_err(unwritable)
    }
}

impl<H: Host> Engine<H> {
    /// The log of a container, the oldest line first. What waits in the pipes of its main process is collected before, if this engine
    /// has them.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Host`].
    pub async fn logs(&self, name: &str, query: &LogQuery) -> Result<Vec<LogLine>, EngineError> {
        let record = self.container_record(name).await?;
        if !self.is_following(record.id()) {
            self.collect(name).await?;
        }
        let folder = folder(record.id());
        let mut lines = Lines::default();
        for number in numbers(&self.host, &folder).await.map_err(unreadable)? {
            let file = folder.join(&file_name(number));
            let bytes = match self.host.files().read(&file, LONGEST).await {
                // It was the oldest one.
                Err(error) if is_not_found(&error) => continue,
                answer => answer.map_err(unreadable)?,
            };
            for line in bytes.split(|byte| *byte == b'\n') {
                if let Ok(entry) = serde_json::from_slice::<Entry>(line) {
                    lines.add(entry);
                }
            }
        }
        let mut lines = lines.end();
        lines.retain(|line| line.at >= query.since);
        let too_many = lines.len().saturating_sub(query.tail.unwrap_or(usize::MAX));
        lines.drain(..too_many);
        Ok(lines)
    }
}

/// Makes lines of what was read: a read ends anywhere.
#[derive(Default)]
struct Lines {
    whole: Vec<LogLine>,
    /// The beginning of a line of each stream.
    begun: [Option<LogLine>; 2],
}

impl Lines {
    fn add(&mut self, entry: Entry) {
        let (at, stream) = (entry.at, entry.stream);
        let Some(bytes) = entry.bytes() else {
            return;
        };
        let [out, err] = &mut self.begun;
        let (begun, stream) = match stream {
            Stream::Out => (out, Output::Out),
            Stream::Err => (err, Output::Err),
        };
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let line = begun.get_or_insert_with(|| LogLine {
                at,
                stream,
                bytes: Vec::new(),
            });
            line.bytes.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.whole.extend(begun.take());
            }
        }
    }

    fn end(mut self) -> Vec<LogLine> {
        self.whole.extend(self.begun.into_iter().flatten());
        self.whole
    }
}

/// The folder of the log of a container.
pub(crate) fn folder(id: &str) -> HostPath {
    HostPath::root("C:").join(r"ProgramData\wcow\logs").join(id)
}

fn file_name(number: u64) -> String {
    format!("{number:08}{ENDING}")
}

/// The numbers of the files of a log, the oldest first.
async fn numbers<H: Host>(host: &H, folder: &HostPath) -> Result<Vec<u64>, HostError> {
    let entries = match host.files().list(folder).await {
        Err(error) if is_not_found(&error) => return Ok(Vec::new()),
        answer => answer?,
    };
    let mut numbers: Vec<u64> = entries
        .into_iter()
        .filter(|entry| entry.metadata.kind == FileKind::File)
        .filter_map(|entry| entry.name.to_string().strip_suffix(ENDING)?.parse().ok())
        .collect();
    numbers.sort_unstable();
    Ok(numbers)
}

fn is_not_found(error: &HostError) -> bool {
    error.is_win32(0x2) || error.is_win32(0x3)
}

fn unreadable(error: HostError) -> EngineError {
    EngineError::host("read the log", error)
}

fn unwritable(error: HostError) -> EngineError {
    EngineError::host("write the log", error)
}
