//! Chunks.

use crate::codecs::{Codec, CodecInput};
use crate::diff::diff_codec;
use crate::wimlib::decode;

/// We refuse the chunk, wimlib does not, and `diff_codec` takes that for meant.
#[track_caller]
fn refused_by_us_alone(codec: Codec, len: usize, chunk: &[u8]) {
    let input = CodecInput::seed(codec, 1 << 15, len, chunk);
    diff_codec(&[&[codec.number()], input.as_slice()].concat());
    let mut output = vec![0; len];
    assert!(codec.decode(1 << 15, chunk, &mut output).is_none());
    assert_eq!(
        decode(codec.number(), 1 << 15, chunk, &mut output),
        Some(true)
    );
}

#[test]
fn lzms_input_that_ends_early() {
    refused_by_us_alone(Codec::Lzms, 64, &[0; 4]);
}

#[test]
fn an_lzx_code_without_symbols() {
    // A verbatim block of 32768 bytes, whose pre-code has no symbol.
    let chunk = [&[0x00, 0x30][..], &[0; 62]].concat();
    refused_by_us_alone(Codec::Lzx, 1 << 15, &chunk);
}
