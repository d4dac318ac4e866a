//! What the engine keeps, as JSON.

use std::io;

use serde::Serialize;

/// A value as JSON, in memory that has room for `usual` bytes from the start.
pub(crate) fn to_vec(value: &impl Serialize, usual: usize) -> serde_json::Result<Vec<u8>> {
    let mut page = Page(Vec::with_capacity(usual));
    serde_json::to_writer(&mut page, value)?;
    Ok(page.0)
}

/// Takes text as it comes. Most of what a serializer writes is one byte: a quote, a comma, a bracket.
struct Page(Vec<u8>);

impl io::Write for Page {
    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match bytes {
            [byte] => self.0.push(*byte),
            _ => self.0.extend_from_slice(bytes),
        }
        Ok(())
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
