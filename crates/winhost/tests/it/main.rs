//! What follows from facts, everywhere; on Windows, what this machine says.

mod files;
mod identity;
#[cfg(windows)]
mod machine;
