//! The JSON documents of the Host Compute Service (HCS) and of the network service in both its forms (HNS, HCN), as typed values.
//!
//! A document is what passes between a client and the services: it describes a compute system, a process, a network, an
//! endpoint. Microsoft publishes schema 2 and HCN; schema 1, the technical previews' form and HNS are known from clients.
//!
//! Keys are PascalCase. A field that a document may leave out is an `Option`, an empty `Vec` or a `Default`, and is left out
//! again when it is written; one that is missing never fails. Unknown keys of a document and of every object in it, and unknown
//! policies, are kept ([`Unknown`]), because services ignore them and later versions use them, and so are words of enumerations that
//! are not known. Unknown keys inside a schema version are not: it is two numbers, which are compared.
//!
//! [`parse`] reads a document and tells the line, the column and the path of what is wrong.
#![forbid(unsafe_code)]

pub mod describe;
pub mod hcn;
pub mod hns;
pub mod schema1;
pub mod schema2;
pub mod tp3;
mod version;
mod wire;

pub use version::{KNOWN_SINCE, SchemaVersion, drop_newer};
pub use wire::{Bytes, Document, ParseError, parse};

/// Keys of a document that this version does not know, as they came.
pub type Unknown = std::collections::BTreeMap<String, serde_json::Value>;

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
