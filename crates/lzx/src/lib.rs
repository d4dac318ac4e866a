//! Decoder for LZX chunks as stored in WIM files
//!
//! The format is the LZX of cabinet files ([MS-PATCH] 2) with the differences below. A chunk decodes to at most one window
//! (32 KiB to 2 MiB, the chunk size) and depends on no other chunk: repeat offsets start as 1, 1, 1, code lengths as 0.
//!
//! A chunk is a sequence of blocks, in 16-bit little-endian units of bits, most significant first:
//!
//! | bits | what |
//! |---|---|
//! | 3 | type: 1 verbatim, 2 aligned, 3 uncompressed |
//! | 1 | 1: the block decodes to 32768 bytes |
//! | 16, or 24 if the window is 64 KiB or more | otherwise: the size it decodes to |
//! | 8 x 3 | aligned: lengths of the aligned offset code |
//! | ... | verbatim and aligned: lengths of main and length code, then symbols |
//! | 1 to 16 | uncompressed: nothing, up to a unit boundary; three u32 repeat offsets, bytes, a pad byte after an odd size |
//!
//! Unlike cabinets there is no E8 header bit: the E8 filter always runs, over the whole chunk after decoding, for a file size
//! of 12,000,000 and positions from the chunk's start.
//!
//! # What is accepted
//!
//! Where decoders differ, this one does what wimlib 1.13 does, so that it reads what wimlib reads:
//!
//! * Input that ends early reads as zero bits. A single odd byte at the end is no unit and is ignored. Only the bytes of an
//!   uncompressed block must be there, without its pad byte. The caller's hash finds other damage.
//! * Bytes behind the last unit that is needed are ignored.
//! * A run of code lengths may pass the end of its table.
//! * A code without symbols is accepted as long as it is not used. One that is over-full or under-full is refused; so is one
//!   of a single symbol.
//! * A block of size 0, or of more than what is missing, is refused, and a match that does not end inside its block.
//! * An uncompressed block may set a repeat offset beyond the window, as long as it is not used; 0 is refused.
//!
//! Chunks that a WIM file stores raw are not for this decoder; they are not filtered either.
//!
//! ```
//! use wcow_lzx::{Decoder, WindowSize};
//!
//! let window = WindowSize::from_chunk_size(32768).expect("a valid size");
//! let mut decoder = Decoder::new(window);
//! // One uncompressed block of 3 bytes, and no pad byte.
//! let chunk = [0x00, 0x60, 0x00, 0x30, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, b'a', b'b', b'c'];
//! let mut output = [0; 3];
//! decoder.decode(&chunk, &mut output)?;
//! assert_eq!(&output, b"abc");
//! # Ok::<(), wcow_lzx::DecodeError>(())
//! ```
#![forbid(unsafe_code)]
#![no_std]

extern crate alloc;

mod bits;
mod copy;
mod decode;
mod e8;
mod error;
mod huffman;
mod lengths;
mod window;

pub use decode::Decoder;
pub use error::{Code, DecodeError};
pub use window::WindowSize;

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
