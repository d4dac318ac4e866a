//! Messages on a stream of bytes: a length of four bytes, little endian, then so many bytes of JSON.

use std::io::{self, ErrorKind, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest message, in bytes.
pub const LONGEST: u32 = 16 << 20;

/// Writes a message.
///
/// # Errors
/// It is longer than [`LONGEST`]; the stream cannot be written.
pub fn write(stream: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)?;
    let length = u32::try_from(bytes.len().saturating_sub(4))
        .ok()
        .filter(|length| *length <= LONGEST)
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, too_long(bytes.len() as u64)))?;
    if let Some(place) = bytes.first_chunk_mut() {
        *place = length.to_le_bytes();
    }
    stream.write_all(&bytes)?;
    stream.flush()
}

/// Reads a message; `None` where the stream ends before one begins. Memory is taken as bytes come, not as the length promises.
///
/// # Errors
/// The stream ends within a message; the message is longer than [`LONGEST`] or none that is known; the stream cannot be read.
pub fn read<T: DeserializeOwned>(stream: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    let mut filled = 0;
    while let Some(rest) = length.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match stream.read(rest) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let length = u32::from_le_bytes(length);
    if length > LONGEST {
        return Err(io::Error::new(
            ErrorKind::InvalidData,
            too_long(length.into()),
        ));
    }
    let mut bytes = Vec::new();
    stream.take(length.into()).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != u64::from(length) {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(serde_json::from_slice(&bytes)?))
}

fn too_long(length: u64) -> String {
    format!("a message of {length} bytes: at most {LONGEST} are expected")
}
