//! A tree that is being written.

use std::error::Error;
use std::io;

use wcow_host::{HostError, Operation, TreeSummary};
use wcow_ntmeta::HostPath;
use wcow_tree::disk::{DiskOptions, DiskSink, Durability, Keep, Links, Problem, Refused};
use wcow_tree::{Entry, SinkError, StreamEnd, StreamRef, TreeSink};

use super::{WRITE_FAULT, hresult, long, os};

/// A tree on its way to the disk.
#[derive(Debug)]
pub struct WinTree {
    sink: DiskSink,
    path: HostPath,
    summary: TreeSummary,
    /// Bytes of the open stream.
    open: u64,
    damaged: bool,
}

impl WinTree {
    /// Begins a tree in a directory that was just made.
    pub(super) fn open(path: &HostPath) -> io::Result<Self> {
        let mut options = DiskOptions::default();
        options.keep = Keep::System;
        options.links = Links::Relative;
        options.durability = Durability::Flushed;
        let sink = DiskSink::open(&long(path), options).map_err(|error| cause(&error))?;
        Ok(Self {
            sink,
            path: path.clone(),
            summary: TreeSummary::default(),
            open: 0,
            damaged: false,
        })
    }

    /// Sets all that is left, and makes it durable. What is not whole is an error.
    pub(super) fn finish(self) -> Result<(TreeSummary, Vec<Refused>), HostError> {
        let Self {
            sink,
            path,
            summary,
            damaged,
            ..
        } = self;
        let failed = |object: String, error: &io::Error| {
            HostError::new(Operation::WriteTree, object, hresult(error))
        };
        let report = sink
            .finish()
            .map_err(|error| failed(path.to_string(), &cause(&error)))?;
        match report.problems.first() {
            Some(Problem { path: entry, what }) => Err(failed(
                format!(r"{path}\{entry} ({what})"),
                &os(WRITE_FAULT),
            )),
            None if damaged => Err(failed(path.to_string(), &os(WRITE_FAULT))),
            None => Ok((summary, report.refused)),
        }
    }
}

impl TreeSink for WinTree {
    fn entry(&mut self, entry: &Entry) -> Result<(), SinkError> {
        if entry.is_directory() {
            self.summary.directories += 1;
        } else {
            self.summary.files += 1;
        }
        self.sink.entry(entry)
    }

    fn open_stream(&mut self, stream: StreamRef) -> Result<bool, SinkError> {
        self.open = 0;
        self.sink.open_stream(stream)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.open = self.open.saturating_add(len);
        self.sink.write(bytes)
    }

    fn close_stream(&mut self, end: StreamEnd) -> Result<(), SinkError> {
        match end {
            StreamEnd::Complete => {
                self.summary.bytes = self.summary.bytes.saturating_add(self.open);
            }
            StreamEnd::Damaged => self.damaged = true,
        }
        self.sink.close_stream(end)
    }
}

/// The system's own error below an error of the sink.
fn cause(error: &(dyn Error + 'static)) -> io::Error {
    let found = std::iter::successors(Some(error), |error| (*error).source())
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .find_map(io::Error::raw_os_error);
    os(found.unwrap_or(WRITE_FAULT))
}
