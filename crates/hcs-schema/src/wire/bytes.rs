//! Bytes, which JSON holds as base64 (RFC 4648, section 4).

use std::borrow::Cow;

use serde_json::Value;

use super::{Mismatch, Node, Wire};
use crate::describe::Kind;

/// Bytes; base64 with padding in JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl Bytes {
    /// Reads base64. Every text but the one that [`to_base64`](Self::to_base64) gives is `None`.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
        if !text.len().is_multiple_of(4) {
            return None;
        }
        for group in text.as_bytes().chunks_exact(4) {
            let letters = group.iter().take_while(|byte| **byte != b'=').count();
            let mut number: u32 = 0;
            for byte in group {
                let value = match byte {
                    b'=' => 0,
                    byte => {
                        u32::try_from(ALPHABET.iter().position(|letter| letter == byte)?).ok()?
                    }
                };
                number = number << 6 | value;
            }
            let [_, decoded @ ..] = number.to_be_bytes();
            bytes.extend(decoded.iter().take(letters.checked_sub(1)?));
        }
        let bytes = Self(bytes);
        // Padding in the middle, one letter alone, bits behind the end.
        (bytes.to_base64() == text).then_some(bytes)
    }

    /// Writes base64, with padding.
    #[must_use]
    pub fn to_base64(&self) -> String {
        let mut text = String::with_capacity(self.0.len().div_ceil(3) * 4);
        for group in self.0.chunks(3) {
            let mut bytes = group.iter().copied().chain([0; 2]);
            let mut number: u32 = 0;
            for byte in bytes.by_ref().take(3) {
                number = number << 8 | u32::from(byte);
            }
            for place in 0..4 {
                let value = number >> (18 - 6 * place) & 0x3F;
                let letter = ALPHABET.get(value as usize).copied().unwrap_or(b'=');
                text.push(if place > group.len() {
                    '='
                } else {
                    letter.into()
                });
            }
        }
        text
    }
}

impl Wire for Bytes {
    fn kind() -> Kind {
        Kind::Bytes
    }

    fn read(value: Value) -> Result<Self, Mismatch> {
        let bytes = value.as_str().and_then(Self::from_base64);
        bytes.ok_or_else(|| Mismatch::new("base64", &value))
    }

    fn write(&self) -> Node<'_> {
        Node::Text(Cow::Owned(self.to_base64()))
    }
}
