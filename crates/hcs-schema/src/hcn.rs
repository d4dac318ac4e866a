//! HCN: networks, endpoints, namespaces, load balancers and routes, as `computenetwork.dll` takes them from Windows 10 1809 on.
//!
//! Every type of the public schema is here, in modules by theme and, for short, by name in this one. What is said of
//! [`schema2`](crate::schema2) holds here too: what a document may leave out is an `Option`, and the types are written by
//! `cargo xtask schema`, from the table `data/hcn.json`, which [`describe::hcn`](crate::describe::hcn) shows to programs.
//!
//! Flags and numbers of protocols are numbers in a document. The public schema shows them as words, and the service refuses
//! a word with `HCN_E_INVALID_JSON` (seen on Windows 11, build 26200).
//!
//! Policies and changes have settings whose type depends on a word beside them; their `check` holds one against the other.

pub mod base;
pub mod endpoint;
pub mod endpoint_policy;
mod event;
pub mod guest;
pub mod load_balancer;
pub mod modify;
pub mod namespace;
pub mod network;
pub mod network_policy;
pub mod notification;
pub mod query;
mod settings;
mod table;

pub use base::*;
pub use endpoint::*;
pub use endpoint_policy::*;
pub use event::Notification;
pub use guest::*;
pub use load_balancer::*;
pub use modify::*;
pub use namespace::*;
pub use network::*;
pub use network_policy::*;
pub use notification::*;
pub use query::*;
pub use settings::SettingsError;
pub(crate) use table::{NUMBERS, TYPES, WORDS};
