//! Decoder for LZMS chunks as stored in WIM files
//!
//! LZMS has no public specification. A chunk decodes to at most 1 GiB and depends on no other chunk. It is two streams in one
//! buffer of an even number of bytes, both of 16-bit little-endian units:
//!
//! | stream | direction | what |
//! |---|---|---|
//! | decisions | from the first byte on | range coded; each with a probability from the last 64 decisions made in the same state |
//! | symbols | from the last byte back, most significant bits first | adaptive Huffman codes and extra bits |
//!
//! Decisions say what the next item is, and symbols say the rest:
//!
//! | item | decisions | symbols |
//! |---|---|---|
//! | literal | 0 | the byte |
//! | LZ match | 1 0, then 0 | offset, length |
//! | LZ match, repeated | 1 0, then 1 and which of three | length |
//! | delta match | 1 1, then 0 | power, offset, length |
//! | delta match, repeated | 1 1, then 1 and which of three | length |
//!
//! An LZ match copies what stands an offset back. A delta match repeats, over a span of `2^power` bytes, the differences that
//! stand an offset of so many spans back. The source that the item before used is not among the three that can be repeated.
//! Codes start with all symbols alike and are rebuilt from counts after every 1024 symbols (512 for lengths and powers).
//!
//! There is no flag for the x86 filter: it always runs, over the whole chunk after decoding.
//!
//! # What is accepted
//!
//! * Bytes between the two streams are ignored, as wimlib 1.13 does. The chunk's length must be even, and 4 or more.
//! * Input that ends early is an error: a stream that goes on behind the chunk's end, or before its start. wimlib 1.13 reads
//!   zeros there and leaves it to the hash. No chunk of its encoder needs them.
//! * A match that starts before the chunk or runs over its end is refused.
//! * A code of a single symbol, which no chunk of a WIM needs, takes one bit of either value.
//!
//! Chunks that a WIM file stores raw are not for this decoder; they are not filtered either.
//!
//! ```
//! use wcow_lzms::Decoder;
//!
//! let mut decoder = Decoder::new();
//! // Two literals, and a match of eleven bytes with the second of the offsets that are there at the start.
//! let chunk = [0x4F, 0x85, 0xD0, 0xFF, 0x00, 0x78, b'b', b'a'];
//! let mut output = [0; 13];
//! decoder.decode(&chunk, &mut output)?;
//! assert_eq!(&output, b"ababababababa");
//! # Ok::<(), wcow_lzms::DecodeError>(())
//! ```
#![forbid(unsafe_code)]
#![no_std]

extern crate alloc;

mod batch;
mod bits;
mod copy;
mod decode;
mod error;
mod huffman;
mod items;
mod lengths;
mod range;
mod slots;
mod x86;

pub use decode::Decoder;
pub use error::DecodeError;

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
