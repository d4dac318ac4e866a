//! Simulated hosts between threads and between processes.
//!
//! ```text
//!   thread ─┐                    ┌──────────────┐
//!   thread ─┼── spawn, wait ───> │ Runner       │ polls futures; lets time of an own world pass
//!   thread ─┘                    └──────┬───────┘
//!                                       │ RemoteHost
//!                 own world: World <────┴────> Connection ══ local socket ══> Server: World of another process
//! ```
//!
//! * [`Runner`] is one thread that polls whatever is spawned on it. Everything that happens in a world happens on it.
//! * [`World`] is a simulated host with its runner. Time jumps while a call is under way that ends by itself, and follows the wall
//!   clock, faster by a factor, while all calls wait for what others do.
//! * [`Server`] gives a world to other processes of the same user, [`Connection`] is the other end. [`frame`] has the form of the
//!   messages, [`Address`] says where a server is and proves that one may talk to it.
//!
//! Whoever calls from several threads gets no run that can be repeated from a seed: which call comes first is a matter of chance.
#![forbid(unsafe_code)]

mod address;
mod connect;
pub mod frame;
mod image;
mod message;
mod runner;
mod serve;
mod world;

pub use address::{Address, AddressError};
pub use connect::{ConnectError, Connection};
pub use image::{StageError, StagedImage, install_image};
pub use message::Facts;
pub use runner::{Late, Runner};
pub use serve::Server;
pub use world::{Surface, World};

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
