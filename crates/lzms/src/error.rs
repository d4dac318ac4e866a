//! Why a chunk cannot be decoded.

use core::fmt;

/// Why a chunk cannot be decoded. The output's contents are then unspecified.
///
/// An `input` field is the byte offset in the chunk down to which the backward stream had been read; the cause stands up to 16
/// bytes behind it. The forward stream is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The output is empty or larger than 1 GiB.
    OutputSize {
        /// Length of the output in bytes.
        size: usize,
    },
    /// The input is shorter than 4 bytes or has an odd length.
    InputSize {
        /// Length of the input in bytes.
        size: usize,
    },
    /// One of the two streams needs more input than there is.
    InputEnded {
        /// Output position at which that was found.
        position: usize,
    },
    /// A match starts before the chunk.
    MatchBeforeStart {
        /// How far back the match starts, in bytes.
        distance: u32,
        /// Output position of the match.
        position: usize,
        /// Input offset in bytes.
        input: usize,
    },
    /// A delta match needs bytes before the chunk.
    DeltaBeforeStart {
        /// Logarithm to base 2 of the span and of the offset's unit.
        power: u32,
        /// The offset in units of the span.
        raw_offset: u32,
        /// Output position of the match.
        position: usize,
        /// Input offset in bytes.
        input: usize,
    },
    /// A match runs over the end of the output.
    MatchPastEnd {
        /// Length of the match in bytes.
        length: u32,
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
                write!(f, "expected an output of 1 to 1073741824 bytes, got {size}")
            }
            Self::InputSize { size } => write!(
                f,
                "expected a chunk of an even number of bytes, 4 or more, got {size}"
            ),
            Self::InputEnded { position } => write!(
                f,
                "the chunk has too few bytes for output position {position}"
            ),
            Self::MatchBeforeStart {
                distance,
                position,
                input,
            } => write!(
                f,
                "match at output position {position} (input offset {input}) starts {distance} bytes back, before the chunk"
            ),
            Self::DeltaBeforeStart {
                power,
                raw_offset,
                position,
                input,
            } => write!(
                f,
                "delta match at output position {position} (input offset {input}) with power {power} and offset {raw_offset} starts before the chunk"
            ),
            Self::MatchPastEnd {
                length,
                position,
                input,
            } => write!(
                f,
                "match of {length} bytes at output position {position} (input offset {input}) runs over the end of the chunk"
            ),
        }
    }
}

impl core::error::Error for DecodeError {}
