//! Why a chunk cannot be decoded.

use core::fmt;

/// Why a chunk cannot be decoded. The output's contents are then unspecified.
///
/// An `input` field is the byte offset in the chunk up to which input had been read; the cause stands up to 8 bytes earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The output is empty or larger than the window.
    OutputSize {
        /// Length of the output in bytes.
        size: usize,
        /// Size of the window in bytes.
        window: usize,
    },
    /// A block's type is not 1, 2 or 3.
    BlockType {
        /// The type found.
        found: u8,
        /// Input offset in bytes.
        input: usize,
    },
    /// A block's size is 0 or larger than what is missing of the output.
    BlockSize {
        /// The size found, in bytes.
        size: usize,
        /// Bytes of output that are missing.
        missing: usize,
        /// Input offset in bytes.
        input: usize,
    },
    /// The lengths of a code need more code space than there is.
    OverfullCode {
        /// Which code.
        code: Code,
        /// Input offset in bytes.
        input: usize,
    },
    /// The lengths of a code leave code space unused.
    UnderfullCode {
        /// Which code.
        code: Code,
        /// Input offset in bytes.
        input: usize,
    },
    /// A code without symbols is used.
    EmptyCode {
        /// Which code.
        code: Code,
        /// Input offset in bytes.
        input: usize,
    },
    /// The length that a run repeats is given by a symbol that stands for a run.
    RunOfRuns {
        /// The pre-code symbol found.
        found: u8,
        /// Input offset in bytes.
        input: usize,
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
    /// A match runs over the end of its block.
    MatchPastBlock {
        /// Length of the match in bytes.
        length: usize,
        /// Output position of the match.
        position: usize,
        /// Input offset in bytes.
        input: usize,
    },
    /// An uncompressed block sets a repeat offset to 0.
    ZeroRepeatOffset {
        /// Input offset in bytes.
        input: usize,
    },
    /// The input ends within an uncompressed block.
    UncompressedBlockCut {
        /// Bytes that the block needs there.
        needed: usize,
        /// Input offset in bytes.
        input: usize,
    },
}

/// The prefix codes of LZX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    /// Code of the code lengths.
    Pre,
    /// Code of literals and match headers.
    Main,
    /// Code of long match lengths.
    Length,
    /// Code of the low 3 bits of offsets.
    Aligned,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pre => "pre-code",
            Self::Main => "main code",
            Self::Length => "length code",
            Self::Aligned => "aligned offset code",
        })
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutputSize { size, window } => {
                write!(f, "expected an output of 1 to {window} bytes, got {size}")
            }
            Self::BlockType { found, input } => {
                write!(
                    f,
                    "expected block type 1, 2 or 3 at input offset {input}, found {found}"
                )
            }
            Self::BlockSize {
                size,
                missing,
                input,
            } => {
                write!(
                    f,
                    "expected a block of 1 to {missing} bytes at input offset {input}, found {size}"
                )
            }
            Self::OverfullCode { code, input } => {
                write!(f, "the {code} at input offset {input} is over-full")
            }
            Self::UnderfullCode { code, input } => {
                write!(f, "the {code} at input offset {input} is under-full")
            }
            Self::EmptyCode { code, input } => {
                write!(
                    f,
                    "the {code}, which has no symbols, is used at input offset {input}"
                )
            }
            Self::RunOfRuns { found, input } => {
                write!(
                    f,
                    "expected the length that a run repeats at input offset {input}, found pre-code symbol {found}"
                )
            }
            Self::MatchBeforeStart {
                distance,
                position,
                input,
            } => write!(
                f,
                "match at output position {position} (input offset {input}) starts {distance} bytes back, before the chunk"
            ),
            Self::MatchPastBlock {
                length,
                position,
                input,
            } => write!(
                f,
                "match of {length} bytes at output position {position} (input offset {input}) runs over the end of its block"
            ),
            Self::ZeroRepeatOffset { input } => {
                write!(
                    f,
                    "expected three repeat offsets before input offset {input}, found a zero"
                )
            }
            Self::UncompressedBlockCut { needed, input } => write!(
                f,
                "expected {needed} bytes of an uncompressed block at input offset {input}, the chunk ends before"
            ),
        }
    }
}

impl core::error::Error for DecodeError {}
