//! Tests of the LZMS decoder, against an encoder that lives here.
mod accepted;
mod corpus;
mod encode;
mod filter;
mod model;
mod refused;
mod round_trip;
mod wim;

use encode::{Item, encode, expand};
use wcow_lzms::{DecodeError, Decoder};

/// Decodes to `size` bytes with a fresh decoder.
fn decode(chunk: &[u8], size: usize) -> Result<Vec<u8>, DecodeError> {
    let mut output = vec![0xAA; size];
    Decoder::new().decode(chunk, &mut output).map(|()| output)
}

/// Decodes the items and compares with what they stand for. Returns the chunk.
#[track_caller]
fn check(items: &[Item]) -> Vec<u8> {
    let expected = expand(items);
    let chunk = encode(expected.len(), items);
    check_chunk(&chunk, &expected);
    chunk
}

/// Compares with output before the x86 filter is undone.
#[track_caller]
fn check_chunk(chunk: &[u8], expected: &[u8]) {
    let decoded = decode(chunk, expected.len()).map(|mut output| {
        model::filter(&mut output);
        output
    });
    assert!(decoded.as_deref() == Ok(expected), "{:?}", decoded.err());
}

#[track_caller]
fn check_refused(chunk: &[u8], size: usize, expected: &str) {
    assert_eq!(
        decode(chunk, size).map_err(|error| error.to_string()),
        Err(expected.to_owned())
    );
}
