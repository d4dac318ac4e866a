//! What runs in the containers of a simulated host.

/// Programs that a test supplies as code. They are no data: a host in which one runs cannot be saved.
#[derive(Default)]
pub(crate) struct Programs {}

impl Programs {
    /// The names of those that run now.
    pub(crate) fn running(&self) -> Vec<String> {
        Vec::new()
    }
}
