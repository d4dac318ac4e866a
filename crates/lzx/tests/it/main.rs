//! Tests of the LZX decoder, against an encoder that lives here.
mod accepted;
mod encode;
mod refused;
mod round_trip;

use encode::{Block, Runs, encode, filter};
use wcow_lzx::{DecodeError, Decoder, WindowSize};

/// A decoder for a window size in bytes.
fn decoder(window: u32) -> Decoder {
    Decoder::new(WindowSize::from_chunk_size(window).expect("a window size"))
}

/// Decodes to `size` bytes with a fresh decoder.
fn decode(window: u32, chunk: &[u8], size: usize) -> Result<Vec<u8>, DecodeError> {
    let mut output = vec![0xAA; size];
    decoder(window).decode(chunk, &mut output).map(|()| output)
}

/// Decodes the blocks and compares with what the encoder meant. Returns the chunk.
#[track_caller]
fn check(window: u32, blocks: &[Block]) -> Vec<u8> {
    let (chunk, expected) = encode(window, Runs::All, blocks);
    check_chunk(window, &chunk, &expected);
    chunk
}

/// Compares with output before the E8 filter is undone.
#[track_caller]
fn check_chunk(window: u32, chunk: &[u8], expected: &[u8]) {
    let decoded = decode(window, chunk, expected.len()).map(|mut output| {
        filter(&mut output);
        output
    });
    assert_eq!(decoded.as_deref(), Ok(expected));
}

#[track_caller]
fn check_refused(chunk: &[u8], size: usize, expected: &str) {
    assert_eq!(
        decode(32768, chunk, size).map_err(|error| error.to_string()),
        Err(expected.to_owned())
    );
}
