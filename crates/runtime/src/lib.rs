//! The life cycle of one container, over the traits of `wcow-host`.
//!
//! ```text
//!            create              start                 stop / kill             remove
//!  (nothing) ──────▶ [`Created`] ──────▶ [`Running`] ───────────────▶ Created ──────▶ (nothing)
//!                                          │  ▲
//!                                     exec └──┘ [`Process`]
//! ```
//!
//! The runtime knows layers, not image names; ids, not container names. What it will make and what it made is told by plain
//! data, [`Created`] and [`Running`], that the caller keeps; it holds no handle between two calls and nothing happens in a
//! `Drop`.
//!
//! Two generations differ in where a container is kept. On Technical Previews 3 and 4 the host keeps it: `create` makes a
//! persistent container that is off. Later the compute system is ephemeral: `create` makes the scratch layer only, and the
//! system comes with `start`. Whichever it is, every step that was done before one that failed is undone again, by one type:
//! [`Rollback`]. The same steps, kept as data in `Created` and `Running`, are what `stop` and `remove` run.
#![forbid(unsafe_code)]

mod document;
mod error;
mod lifecycle;
mod machine;
mod process;
mod rollback;
mod running;
mod spec;

use wcow_host::Host;
use wcow_host::client::{Client, Times};

pub use error::RuntimeError;
pub use lifecycle::{ContainerState, Created, Endpoint, Running, Runtime};
pub use process::{ExecSpec, Outputs, Process, ProcessHandles};
pub use rollback::{PRECAUTIONS, Rollback, Undo, UndoFailure, undo_all};
pub use spec::{Access, Attachment, ContainerSpec, Isolation, Mount, Processors};

/// How long a call may take, in ticks of 100 ns: five minutes. A service gives up by itself after four, and its own answer tells more.
const PATIENCE: u64 = 300 * 10_000_000;

/// How compute systems and layers are driven.
fn client<H: Host>(host: &H) -> Client<'_, H> {
    let times = Times {
        answer: PATIENCE,
        ..Times::default()
    };
    Client::with_times(host, times)
}

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
