//! Decoder for XPRESS (LZ77 + Huffman) chunks as stored in WIM files
//!
//! The format is the "LZ77+Huffman" of [MS-XCA]. A chunk decodes to at most 64 KiB and depends on no other chunk:
//!
//! | bytes | what |
//! |---|---|
//! | 0..256 | code lengths of 512 symbols, 4 bits each, low nibble first |
//! | 256.. | 16-bit little-endian units of bits, most significant first, with length bytes between them |
//!
//! Symbols 0..=255 are literals. Of the others the low 4 bits give a match length and the next 4 the number of bits in its
//! offset. A length nibble of 15 is followed by a byte, and a byte of 255 by a 16-bit value. Those bytes stand behind the
//! units that a decoder has read which keeps 16 bits or more in reserve after every symbol and every offset.
//!
//! # What is accepted
//!
//! Where decoders differ, this one does what wimlib 1.13 does, so that it reads what wimlib reads:
//!
//! * Input that ends early reads as zero bits, and as a length of 15. The caller's hash finds such damage.
//! * Bytes behind the last unit that is needed are ignored, and the end symbol (256) may be missing.
//! * The 16-bit length may be any value, also one that a byte could have held.
//! * A code that is over-full or under-full, or has no symbols, is refused; so is a code of a single symbol.
//! * A match that starts before the chunk or ends behind it is refused.
//!
//! Chunks that a WIM file stores raw are not for this decoder.
//!
//! ```
//! let mut decoder = wcow_xpress::Decoder::new();
//! // Two symbols of one bit each: "a" (0x61) and the match of 3 bytes, 1 back (0x100).
//! let mut chunk = [0; 260];
//! chunk[0x61 / 2] = 0x10;
//! chunk[0x100 / 2] = 0x01;
//! chunk[256..].copy_from_slice(&[0, 0x40, 0, 0]);
//! let mut output = [0; 4];
//! decoder.decode(&chunk, &mut output)?;
//! assert_eq!(&output, b"aaaa");
//! # Ok::<(), wcow_xpress::DecodeError>(())
//! ```
#![forbid(unsafe_code)]
#![no_std]

extern crate alloc;

mod bits;
mod copy;
mod decode;
mod error;
mod huffman;

pub use decode::{Decoder, MAX_CHUNK_SIZE};
pub use error::DecodeError;

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
