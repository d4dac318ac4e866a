//! Chunks: the same verdict, and the same bytes.

use super::rules;
use crate::codecs::{Codec, CodecInput};
use crate::wimlib::decode;

/// A chunk: byte 0 is the algorithm as in solid resources (1 XPRESS, 2 LZX, 3 LZMS), modulo 3; the rest is an input of its target.
///
/// # Panics
/// If we and wimlib disagree whether the chunk can be decoded, or to what; unless the disagreement is meant.
pub fn diff_codec(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else {
        return;
    };
    let codec = match first % 3 {
        1 => Codec::Xpress,
        2 => Codec::Lzx,
        _ => Codec::Lzms,
    };
    let Some(input) = CodecInput::read(codec, rest) else {
        return;
    };
    if rules::is_no_chunk(&input) {
        return;
    }
    let chunk_size = usize::try_from(input.chunk_size).unwrap_or(0);
    let mut ours = vec![0; input.len];
    let good = codec.decode(chunk_size, input.chunk, &mut ours).is_some();
    let mut theirs = vec![0; input.len];
    let Some(accepted) = decode(codec.number(), chunk_size, input.chunk, &mut theirs) else {
        return;
    };
    if good && accepted {
        assert!(
            ours == theirs,
            "{codec:?}: both decode the chunk, to other bytes"
        );
    } else if good != accepted {
        assert!(
            rules::is_chunk_meant_to_differ(&input, good),
            "{codec:?}, chunk size {chunk_size}, {} bytes: we {}, wimlib does not",
            input.len,
            if good {
                "decode the chunk"
            } else {
                "refuse the chunk"
            }
        );
    }
}
