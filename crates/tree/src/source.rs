//! The sending end of a tree.

use std::error::Error;

use crate::{SinkError, TreeSink};

/// Gives a tree.
pub trait TreeSource: Send {
    /// Sends the whole tree: the root first, every entry after its parent, and all streams that the sink wants.
    ///
    /// # Errors
    /// [`SendError::Sink`] when the sink gave up; [`SendError::Source`] when this side cannot go on. A stream that cannot be
    /// read is ended with [`StreamEnd::Damaged`](crate::StreamEnd::Damaged) first, so that the sink can clear it away.
    fn send(&mut self, sink: &mut dyn TreeSink) -> Result<(), SendError>;
}

/// Why a tree did not arrive whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The sink could not go on.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The source could not be read.
    #[error("the tree could not be read")]
    Source(#[source] Box<dyn Error + Send + Sync>),
}

impl SendError {
    /// Wraps an error of a source.
    pub fn source(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Source(error.into())
    }
}
