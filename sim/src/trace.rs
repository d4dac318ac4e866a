//! The fingerprint of a run, and its trace for people.
//!
//! The fingerprint is a chain of SHA-256: it starts as 32 zero bytes, and each record replaces it by the hash of itself
//! followed by the record. Records are little-endian and of fixed width except for the text at their end:
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
}

/// The running hash.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Fingerprint([u8; 32]);

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
        let mut head = [0; 66];
        head[0..32].copy_from_slice(&self.0);
        head[32..40].copy_from_slice(&time.ticks().to_le_bytes());
        head[40..48].copy_from_slice(&sequence.to_le_bytes());
        head[48..50].copy_from_slice(&kind.to_le_bytes());
        head[50..58].copy_from_slice(&subject.to_le_bytes());
        head[58..62].copy_from_slice(&code.to_le_bytes());
        let units = text
            .encode_utf16()
            .fold(0_u32, |count, _| count.wrapping_add(1));
        head[62..66].copy_from_slice(&units.to_le_bytes());
        let mut hash = Sha256::new_with_prefix(head);
        for unit in text.encode_utf16() {
            hash.update(unit.to_le_bytes());
        }
        self.0 = hash.finalize().into();
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
        self.0
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect()
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
                ..
            } => write!(f, "client {} call {}: {operation} {object}", client.0, op.0),
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
