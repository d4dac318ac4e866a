//! Questions: which objects are listed, and how much of them is told.

// Written by `cargo xtask schema`, from `data/hcn.json` and `data/hcn.words`.

use crate::SchemaVersion;
use crate::wire::{document, numbers};

document! {
    /// Which objects an enumeration lists, or how much is told of one.
    ///
    /// Since schema 2.0.
    HostComputeQuery = "HostComputeQuery" {
        schema_version: Option<SchemaVersion> = "SchemaVersion" @ 2.0,
        flags: Option<HostComputeQueryFlags> = "Flags" @ 2.0,
        /// A document of the keys that an object must have, as text within text; [`HostComputeQuery::of_keys`] makes
        /// it.
        filter: Option<String> = "Filter" @ 2.0,
    }
}

numbers! {
    /// How much is told.
    ///
    /// Part of [`HostComputeQuery`]. Since schema 2.0.
    HostComputeQueryFlags = "HostComputeQueryFlags" {
        /// The object as it was made.
        NONE = 0 "None" @ 2.0,
        /// What the service knows of it as well. The value is inferred from the order of the names.
        DETAILED = 1 "Detailed" @ 2.0,
    }
}
