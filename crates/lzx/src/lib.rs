//! Decoder for LZX chunks as stored in WIM files
#![forbid(unsafe_code)]
