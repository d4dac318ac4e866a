//! The receiving end of a tree.

use std::error::Error;

use crate::{Entry, StreamRef};

/// Takes a tree, entry by entry and byte by byte.
///
/// The calls come in this order: every [`entry`](Self::entry) after its parent's; the streams of an entry at any time after it,
/// each as [`open_stream`](Self::open_stream), any number of [`write`](Self::write), [`close_stream`](Self::close_stream), one
/// stream at a time. A stream of length 0 is opened and closed like any other. The end is told by the owner of the sink, not
/// by the source: most sinks have a `finish` of their own.
///
/// A problem with one entry that lets the rest go on is the sink's to collect and report. An error returned here ends the
/// transfer.
pub trait TreeSink: Send {
    /// Announces an entry.
    ///
    /// # Errors
    /// When nothing further can be taken, for example because the disk is full.
    fn entry(&mut self, entry: &Entry) -> Result<(), SinkError>;

    /// Starts a stream. `Ok(false)` means that the sink does not want its bytes: the source goes on with the next one, without
    /// a `close_stream`.
    ///
    /// # Errors
    /// As for [`entry`](Self::entry).
    fn open_stream(&mut self, stream: StreamRef) -> Result<bool, SinkError>;

    /// The next bytes of the open stream.
    ///
    /// # Errors
    /// As for [`entry`](Self::entry).
    fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError>;

    /// Ends the open stream. After [`StreamEnd::Damaged`] the sink must not leave the bytes behind as if they were good.
    ///
    /// # Errors
    /// As for [`entry`](Self::entry).
    fn close_stream(&mut self, end: StreamEnd) -> Result<(), SinkError>;
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEnd {
    /// All bytes were sent and, where the source can tell, have the right digest.
    Complete,
    /// The source could not read all of it, or its digest is wrong.
    Damaged,
}

/// Why a sink cannot go on.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct SinkError {
    what: String,
    #[source]
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl SinkError {
    /// An error with a cause: `what` says what could not be done, on what.
    pub fn new(what: impl Into<String>, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            what: what.into(),
            cause: Some(cause.into()),
        }
    }

    /// An error that needs no further cause.
    pub fn message(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            cause: None,
        }
    }
}
