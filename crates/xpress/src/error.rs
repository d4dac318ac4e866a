//! Why a chunk cannot be decoded.

use core::fmt;

/// Why a chunk cannot be decoded. The output's contents are then unspecified.
///
/// An `input` field is the byte offset in the chunk up to which input had been read; the cause stands up to 8 bytes earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The output is empty or larger than a chunk can be.
    OutputSize {
        /// Length of the output in bytes.
        size: usize,
    },
    /// The chunk is shorter than its 256 bytes of code lengths.
    CodeLengthsMissing {
        /// Length of the chunk in bytes.
        size: usize,
    },
    /// The code lengths need more code space than there is.
    OverfullCode,
    /// The code lengths leave code space unused.
    UnderfullCode,
    /// The code has no symbols.
    EmptyCode,
    /// A match starts before the chunk.
    MatchBeforeStart {
        /// How far back the match starts, in bytes.
        distance: usize,
        /// Output position of the match.
        position: usize,
        /// Input offset in bytes.
        input: usize,
    },
    /// A match runs over the end of the output.
    MatchPastEnd {
        /// Length of the match in bytes.
        length: usize,
        /// Output position of the match.
        position: usize,
        /// Input offset in bytes.
        input: usize,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutputSize { size } => {
                write!(
                    f,
                    "expected an output of 1 to {} bytes, got {size}",
                    crate::MAX_CHUNK_SIZE
                )
            }
            Self::CodeLengthsMissing { size } => {
                write!(
                    f,
                    "expected 256 bytes of code lengths, the chunk has {size}"
                )
            }
            Self::OverfullCode => f.write_str("the code lengths at input offset 0 are over-full"),
            Self::UnderfullCode => f.write_str("the code lengths at input offset 0 are under-full"),
            Self::EmptyCode => f.write_str("the code lengths at input offset 0 define no symbol"),
            Self::MatchBeforeStart {
                distance,
                position,
                input,
            } => write!(
                f,
                "match at output position {position} (input offset {input}) starts {distance} bytes back, before the chunk"
            ),
            Self::MatchPastEnd {
                length,
                position,
                input,
            } => write!(
                f,
                "match of {length} bytes at output position {position} (input offset {input}) runs over the end of the output"
            ),
        }
    }
}

impl core::error::Error for DecodeError {}
