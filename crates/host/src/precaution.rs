//! Precautions: what a program does only because something may go wrong.
//!
//! On a good day nobody misses a sync, a rollback or a recovery, so a test of a good day does not see that one is missing. Each of
//! them therefore has a name. A simulated host can be told to ignore one, and then something must be seen to break: otherwise a
//! check is missing, or the precaution is needless.

use std::fmt;

/// The name of one precaution: a durable step, the rollback of something half-done, or a recovery of what was cut off.
///
/// Whoever takes precautions names them: a constant with a line that says what is lost without it. The name is short, of small letters
/// and hyphens, and begins with what is done: `sync-record`, `rollback-endpoint`, `recover-install`.
///
/// * A durable step takes its name as an argument: [`sync_file`](crate::FileSystem::sync_file) and its siblings.
/// * A rollback or a recovery asks [`Host::ignores`](crate::Host::ignores) before it does anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Precaution(&'static str);

impl Precaution {
    /// The precaution of this name.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Precaution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}
