//! Tests of the XPRESS decoder, against an encoder that lives here.
mod accepted;
mod encode;
mod refused;
mod round_trip;

use encode::{Item, encode};
use wcow_xpress::{DecodeError, Decoder};

/// Decodes to `size` bytes with a fresh decoder.
fn decode(chunk: &[u8], size: usize) -> Result<Vec<u8>, DecodeError> {
    let mut output = vec![0xAA; size];
    Decoder::new().decode(chunk, &mut output).map(|()| output)
}

#[track_caller]
fn check(items: &[Item], expected: &[u8]) {
    assert_eq!(
        decode(&encode(items), expected.len()).as_deref(),
        Ok(expected)
    );
}

#[track_caller]
fn check_refused(chunk: &[u8], size: usize, expected: &str) {
    assert_eq!(
        decode(chunk, size).map_err(|error| error.to_string()),
        Err(expected.to_owned())
    );
}
