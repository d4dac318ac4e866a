//! Schema 2: containers and virtual machines, as `computecore.dll` takes them from Windows 10 1809 on.
//!
//! Every type of the public schema is here, in modules by theme and, for short, by name in this one. What a document may leave out is an
//! `Option`, and is left out again when it is written; lists and maps are left out when they are empty. A part that
//! has no fields says something by its presence: `Some(Mouse::default())` is written `{}`.
//!
//! The types are written by `cargo xtask schema` from a table, `data/schema2.json`, which [`describe`](crate::describe) shows
//! to programs. Each field tells the version of the schema that brought it; [`drop_newer`](crate::drop_newer) does to a
//! document what an older service does.

pub mod container;
pub mod credential_guard;
pub mod devices;
pub mod guest;
pub mod integration;
mod kind;
pub mod layers;
pub mod modify;
pub mod options;
mod outcome;
pub mod process;
pub mod processor_features;
pub mod properties;
pub mod registry;
mod resource;
pub mod results;
pub mod service;
pub mod silo;
pub mod system;
mod table;
pub mod virtual_machine;

pub use container::*;
pub use credential_guard::*;
pub use devices::*;
pub use guest::*;
pub use integration::*;
pub use kind::{KindError, SystemKind};
pub use layers::*;
pub use modify::*;
pub use options::*;
pub use outcome::Cause;
pub use process::*;
pub use processor_features::*;
pub use properties::*;
pub use registry::*;
pub use resource::{ComPortNumber, ModifyError, PathPart, ResourcePath, ResourcePathError};
pub use results::*;
pub use service::*;
pub use silo::*;
pub use system::*;
pub(crate) use table::{TYPES, WORDS};
pub use virtual_machine::*;
