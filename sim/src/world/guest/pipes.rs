//! What processes write, and where it goes.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use wcow_host::Output;
use wcow_ntmeta::RelPath;

use crate::blobs::BlobStore;
use crate::call::{ContentRef, OpId};

/// The most that one read of a pipe gives, in bytes.
pub(crate) const LONGEST_READ: u64 = 1 << 20;

/// How many bytes a pipe holds that nobody has taken yet. Who wants to write more has to wait.
pub(crate) const CAPACITY: u64 = 64 << 10;

/// Where a stream of a process leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Sink {
    /// Into a pipe that the process of this id was created with.
    Pipe { process: u32, output: Output },
    /// To the end of a file in the container.
    File(RelPath),
    /// Nowhere.
    Nul,
}

/// Something that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Chunk {
    /// Bytes.
    Bytes(Vec<u8>),
    /// The contents of a file from an offset on: they stay in the blob store until somebody reads them.
    File { content: ContentRef, from: u64 },
}

impl Chunk {
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { content, from } => content.len.saturating_sub(*from),
        }
    }

    /// Takes bytes from the front, at most `max`.
    fn take(&mut self, max: usize, blobs: &dyn BlobStore) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => {
                let rest = bytes.split_off(max.min(bytes.len()));
                std::mem::replace(bytes, rest)
            }
            Self::File { content, from } => {
                let left = content.len.saturating_sub(*from);
                let count = usize::try_from(left).unwrap_or(usize::MAX).min(max);
                let start = usize::try_from(*from).unwrap_or(usize::MAX);
                *from = from.saturating_add(count as u64);
                let Some(blob) = content.blob else {
                    return vec![0; count];
                };
                match blobs.get(blob) {
                    Ok(Some(bytes)) => bytes
                        .get(start..start.saturating_add(count))
                        .unwrap_or_default()
                        .to_vec(),
                    // The bytes are lost: the pipe ends early.
                    Ok(None) | Err(_) => {
                        *from = content.len;
                        Vec::new()
                    }
                }
            }
        }
    }
}

/// An output pipe, as its reader sees it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct OutputPipe {
    pub(crate) chunks: VecDeque<Chunk>,
    /// Nobody can write any more.
    pub(crate) ended: bool,
    /// Reads that wait, with the most that each takes.
    pub(crate) readers: VecDeque<(OpId, u64)>,
    /// The bytes in it.
    #[serde(default)]
    held: u64,
    /// The processes that wait for room in it.
    #[serde(default)]
    pub(crate) stalled: Vec<u32>,
}

impl OutputPipe {
    /// Takes bytes, at most `max`; `None` if there are none yet.
    pub(crate) fn take(&mut self, max: u64, blobs: &dyn BlobStore) -> Option<Vec<u8>> {
        let max = usize::try_from(max.min(LONGEST_READ)).unwrap_or_default();
        let mut taken = Vec::new();
        let mut any = false;
        while taken.len() < max
            && let Some(chunk) = self.chunks.front_mut()
        {
            any = true;
            let before = chunk.len();
            taken.extend(chunk.take(max - taken.len(), blobs));
            self.held = self.held.saturating_sub(before - chunk.len());
            if chunk.is_empty() {
                self.chunks.pop_front();
            }
        }
        (any && !taken.is_empty() || self.ended || max == 0).then_some(taken)
    }

    /// Whether a read is answered at once.
    pub(crate) fn is_ready(&self) -> bool {
        self.ended || self.chunks.iter().any(|chunk| !chunk.is_empty())
    }

    /// Whether whoever writes into it has to wait.
    pub(crate) fn is_full(&self) -> bool {
        self.held >= CAPACITY
    }

    /// Adds what was written.
    pub(crate) fn push(&mut self, chunk: Chunk) {
        if !chunk.is_empty() {
            self.held = self.held.saturating_add(chunk.len());
            self.chunks.push_back(chunk);
        }
    }
}
