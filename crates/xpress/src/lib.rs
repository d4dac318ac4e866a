//! Decoder for XPRESS (LZ77 + Huffman) chunks as stored in WIM files
#![forbid(unsafe_code)]
