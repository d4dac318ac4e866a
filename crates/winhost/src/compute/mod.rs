//! The compute service over vmcompute.dll (version 1) or computecore.dll (version 2).
//!
//! * A call of a DLL blocks, so it runs on a thread of a pool and is given up after a while ([`CallLimits`](crate::CallLimits)).
//! * A step that the service has accepted ends by a notification (version 1) or by its operation (version 2); that is waited for, also no
//!   longer than the limit. Where the system ends or the service goes away first, that is the answer.
//! * Waiting for an event, for the exit of a process, for its output or for it to read its input has no limit: a container may run for
//!   years. It ends when the handle is closed or the service goes away.
//!
//! `inbox` holds what a service told, `documents` reads and writes its JSON, `pipes` moves the bytes of standard streams, `table`
//! gives out handles, `surface` chooses the surface: plain code, tested on every system.

pub(crate) mod documents;
pub(crate) mod inbox;
pub(crate) mod pipes;
pub(crate) mod surface;
pub(crate) mod table;

#[cfg(windows)]
mod open;
#[cfg(windows)]
mod processes;
#[cfg(windows)]
mod systems;

#[cfg(windows)]
pub use systems::WinCompute;
