//! Where a server is, and the proof that one may talk to it: a file that only its user can read.

use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// More than an address file ever has, in bytes.
const LONGEST: u64 = 4096;

/// The port of a server on the loopback interface, and the token that it asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The port on 127.0.0.1.
    pub port: u16,
    /// The token, hexadecimal.
    pub token: String,
}

/// An address file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// It cannot be read.
    #[error("the address file of a served host cannot be read")]
    Read(#[source] io::Error),
    /// It is no address.
    #[error("the address file of a served host is no JSON object with `port` and `token`")]
    Form(#[source] serde_json::Error),
}

impl Address {
    /// An address with a new token.
    pub(crate) fn new(port: u16) -> Self {
        // Each state takes its keys from the system's random numbers; SipHash hides them.
        let parts = (0..4_u8).map(|part| format!("{:016x}", RandomState::new().hash_one(part)));
        Self {
            port,
            token: parts.collect(),
        }
    }

    /// Whether a token is this one. Takes as long for each wrong one of the right length.
    pub(crate) fn admits(&self, token: &str) -> bool {
        let pairs = self.token.bytes().zip(token.bytes());
        let differs = pairs.fold(0, |differs, (one, other)| differs | (one ^ other));
        self.token.len() == token.len() && differs == 0
    }

    /// Reads an address file.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Self, AddressError> {
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(LONGEST).read_to_end(&mut bytes))
            .map_err(AddressError::Read)?;
        serde_json::from_slice(&bytes).map_err(AddressError::Form)
    }

    /// Writes the address file, anew. On Unix nobody but its user can read it; on Windows it has the rights of its folder.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        if let Err(error) = std::fs::remove_file(path)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        file.write_all(&serde_json::to_vec(self)?)
    }
}
