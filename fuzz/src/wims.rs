//! WIM files.

use crate::craft::wim_of_metadata;

/// A WIM file.
pub fn wim_open(data: &[u8]) {
    let _ = data;
}

/// The metadata resource of an image, inside a WIM file whose hashes are right.
pub fn metadata(data: &[u8]) {
    wim_open(&wim_of_metadata(data));
}
