//! How long calls may take.

use std::time::Duration;

/// How long a host may take for a call, before it is given up: the answer is 0x800705B4 then (0x80370118 of an operation of version 2), and
/// whether it took effect is not known. A call whose turn does not come in that time is 0x800706BF, and has done nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// A call of the compute or the network service, and as long again what the service goes on with after it has accepted one.
    pub call: Duration,
    /// A call about layers: some read or write every file of an image.
    pub layer: Duration,
}

impl Default for CallLimits {
    /// Four minutes, as clients commonly wait; an hour for layers.
    fn default() -> Self {
        Self {
            call: Duration::from_secs(240),
            layer: Duration::from_secs(3600),
        }
    }
}
