//! What follows from what was read, and calls to stand-ins of programs, everywhere; on Windows, what this machine says.

mod clock;
mod identity;
mod powershell;
mod reading;
mod support;

#[cfg(windows)]
mod control;
#[cfg(windows)]
mod diagnostics;
#[cfg(windows)]
mod doctor;
#[cfg(windows)]
mod machine;
