//! What a client and a server tell each other.

use serde::{Deserialize, Serialize};
use wcow_host::{ComputeApi, Identity};
use wcow_sim::{Answer, Request};

/// The form of the messages. Both ends must have the same: calls are written in a form of their version.
pub(crate) const FORM: u32 = 1;

/// What a client learns of a host when it comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The name of its profile.
    pub profile: String,
    /// Its build number.
    pub build: u32,
    /// Its revision.
    pub revision: u32,
}

/// From a client.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Ask {
    /// The first message.
    Hello {
        form: u32,
        token: String,
        identity: Identity,
    },
    /// A call through that surface.
    Call {
        id: u64,
        api: ComputeApi,
        request: Request,
    },
}

/// From a server.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Tell {
    /// The client may go on.
    Welcome(Facts),
    /// It may not.
    Refused { why: String },
    /// The answer to the call of that number.
    Answer { id: u64, answer: Answer },
}
