//! Decoder for LZMS chunks as stored in WIM files
#![forbid(unsafe_code)]
#![no_std]

extern crate alloc;

mod batch;
mod bits;
mod copy;
mod decode;
mod error;
mod huffman;
mod lengths;
mod range;
mod slots;
mod x86;

pub use decode::Decoder;
pub use error::DecodeError;
