//! The fingerprint of a run, and its trace for people.
//!
//! The fingerprint is a chain of SHA-256 over pages of records. A page is full with the record that brings it to 512 bytes or more;
//! then the chain, 32 zero bytes at first, is replaced by the hash of itself followed by the page. The fingerprint is the hash of the
//! chain followed by the page that is not full yet. Records are little-endian and of fixed width except for the text at their end:
//!
//! | field | bytes | |
//! |---|---|---|
//! | time | 8 | ticks of the virtual clock |
//! | sequence | 8 | the event's number in the queue; 0 for what is no event |
//! | kind | 2 | a call's number, or one of [`Kind`] |
//! | subject | 8 | the call's id, or 0 |
//! | code | 4 | 0, or the HRESULT of a refusal; `0xFFFFFFFF` for a PowerShell error, whose id follows as text |
//! | text length | 4 | in UTF-16 units |
//! | text | 2 each | UTF-16 |

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wcow_host::{Code, HostError, Operation};
use wcow_ntmeta::FileTime;

use crate::call::{ClientId, OpId};

/// What a record is about, where it is not a call taking effect. The numbers are frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Kind {
    /// A call was answered.
    Answer = 0x1001,
    /// The machine is up again.
    Booted = 0x1002,
    /// Something in the compute service.
    Compute = 0x1003,
    /// A client went away.
    Killed = 0x1004,
    /// A saved host was taken up again after some time.
    Resumed = 0x1005,
    /// An event of an earlier start of the machine, without effect.
    Stale = 0x1006,
    /// The power went. Subject: how often the machine had started. Text: unsynced operations on names, those that survived, files
    /// that survived with contents that were not synced.
    PowerLost = 0x1007,
    /// A call was hit by a fault, whose number stands as the code.
    Fault = 0x1008,
    /// A service that crashed is started again.
    Service = 0x1009,
}

/// A page with this many bytes is full.
const PAGE: usize = 512;

/// The running hash. In serde: the chain's 32 bytes, followed by the page.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub(crate) struct Fingerprint {
    chain: [u8; 32],
    page: Vec<u8>,
}

impl Fingerprint {
    /// Adds a record.
    pub(crate) fn record(
        &mut self,
        time: FileTime,
        sequence: u64,
        kind: u16,
        subject: u64,
        code: u32,
        text: &str,
    ) {
        let mut head = [0; 34];
        head[0..8].copy_from_slice(&time.ticks().to_le_bytes());
        head[8..16].copy_from_slice(&sequence.to_le_bytes());
        head[16..18].copy_from_slice(&kind.to_le_bytes());
        head[18..26].copy_from_slice(&subject.to_le_bytes());
        head[26..30].copy_from_slice(&code.to_le_bytes());
        let units = text
            .encode_utf16()
            .fold(0_u32, |count, _| count.wrapping_add(1));
        head[30..34].copy_from_slice(&units.to_le_bytes());
        if self.page.capacity() == 0 {
            self.page.reserve(PAGE + 128);
        }
        self.page.extend_from_slice(&head);
        for unit in text.encode_utf16() {
            self.page.extend_from_slice(&unit.to_le_bytes());
        }
        if self.page.len() >= PAGE {
            self.chain = self.hash();
            self.page.clear();
        }
    }

    /// Adds the record of an answer.
    pub(crate) fn answer(&mut self, time: FileTime, subject: u64, error: Option<&HostError>) {
        let (code, text) = match error.map(|error| &error.code) {
            None => (0, ""),
            Some(Code::Hresult(code)) => (code.0, ""),
            Some(Code::PowerShell(error)) => (u32::MAX, error.id.as_str()),
        };
        self.record(time, 0, Kind::Answer as u16, subject, code, text);
    }

    /// The first 16 bytes in hexadecimal.
    pub(crate) fn text(&self) -> String {
        self.hash()
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    fn hash(&self) -> [u8; 32] {
        Sha256::new_with_prefix(self.chain)
            .chain_update(&self.page)
            .finalize()
            .into()
    }
}

impl From<Fingerprint> for Vec<u8> {
    fn from(fingerprint: Fingerprint) -> Self {
        let mut bytes = fingerprint.chain.to_vec();
        bytes.extend(fingerprint.page);
        bytes
    }
}

impl TryFrom<Vec<u8>> for Fingerprint {
    type Error = &'static str;

    fn try_from(bytes: Vec<u8>) -> Result<Self, Self::Error> {
        match bytes.split_first_chunk() {
            Some((chain, page)) => Ok(Self {
                chain: *chain,
                page: page.to_vec(),
            }),
            None => Err("expected a fingerprint of at least 32 bytes"),
        }
    }
}

/// One event of a run, for people and tools. Nothing is decided by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceRecord {
    /// When, in virtual time.
    pub time: FileTime,
    /// What happened.
    pub event: TraceEvent,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TraceEvent {
    /// A call takes effect.
    Call {
        /// Its number.
        op: OpId,
        /// Who made it.
        client: ClientId,
        /// When it was made.
        issued: FileTime,
        /// The function.
        operation: Operation,
        /// What it is about.
        object: String,
        /// Which [durable step](wcow_host::Precaution) it is.
        step: Option<String>,
    },
    /// A call is answered.
    Answer {
        /// Its number.
        op: OpId,
        /// The error, if it failed.
        error: Option<String>,
    },
    /// A call is hit by a fault.
    Fault {
        /// Its number.
        op: OpId,
        /// What happens to it.
        what: String,
    },
    /// A client's process ends.
    Ended(ClientId),
    /// Something on the host that is no call.
    Host(String),
}

impl fmt::Display for TraceRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.time, self.event)
    }
}

impl fmt::Display for TraceEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call {
                op,
                client,
                operation,
                object,
                step,
                ..
            } => {
                write!(f, "client {} call {}: {operation} {object}", client.0, op.0)?;
                step.iter().try_for_each(|step| write!(f, " ({step})"))
            }
            Self::Answer { op, error: None } => write!(f, "call {}: ok", op.0),
            Self::Answer {
                op,
                error: Some(error),
            } => write!(f, "call {}: {error}", op.0),
            Self::Fault { op, what } => write!(f, "call {}: fault: {what}", op.0),
            Self::Ended(client) => write!(f, "client {} ends", client.0),
            Self::Host(what) => f.write_str(what),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_goes_on_where_it_was_saved() {
        let record = |fingerprint: &mut Fingerprint, number: u64| {
            fingerprint.record(FileTime::from_ticks(number), number, 0x0601, number, 0, "ä");
        };
        let mut straight = Fingerprint::default();
        let mut saved = Fingerprint::default();
        let mut texts = std::collections::BTreeSet::new();
        for number in 0..40 {
            record(&mut straight, number);
            record(&mut saved, number);
            let json = serde_json::to_string(&saved).unwrap();
            saved = serde_json::from_str(&json).unwrap();
            assert_eq!(saved, straight);
            assert!(texts.insert(straight.text()), "every record changes it");
        }
        assert!(serde_json::from_str::<Fingerprint>("[1, 2]").is_err());
    }
}
