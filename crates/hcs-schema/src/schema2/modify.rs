//! Changes to a running compute system.

// Written by `cargo xtask schema`, from `data/schema2.json` and `data/schema2.words`.

use serde_json::Value;

use crate::wire::{document, words};

document! {
    /// A change to a running compute system. [`ResourcePath`](crate::schema2::ResourcePath) knows the paths.
    ///
    /// Since schema 2.0.
    ModifySettingRequest = "ModifySettingRequest" {
        /// What is changed.
        resource_path: Option<String> = "ResourcePath" @ 2.1,
        /// How it is changed.
        request_type: Option<ModifyRequestType> = "RequestType" @ 2.0,
        /// The new settings; their type depends on the path.
        settings: Option<Value> = "Settings" @ 2.0,
        /// A request that the guest gets as well.
        guest_request: Option<Value> = "GuestRequest" @ 2.1,
    }

    /// A change inside of a guest.
    ///
    /// Since schema 2.1.
    GuestModifySettingRequest = "GuestModifySettingRequest" {
        resource_type: Option<ModifyResourceType> = "ResourceType" @ 2.1,
        request_type: Option<ModifyRequestType> = "RequestType" @ 2.1,
        settings: Option<Value> = "Settings" @ 2.1,
    }
}

words! {
    /// How a resource is changed.
    ///
    /// Part of [`GuestModifySettingRequest`], [`ModifySettingRequest`]. Since schema 2.0.
    ModifyRequestType = "ModifyRequestType" {
        Add = "Add" @ 2.0,
        Remove = "Remove" @ 2.0,
        Update = "Update" @ 2.0,
    }

    /// What is changed inside of a guest.
    ///
    /// Part of [`GuestModifySettingRequest`]. Since schema 2.0.
    ModifyResourceType = "ModifyResourceType" {
        Memory = "Memory" @ 2.0,
        MappedDirectory = "MappedDirectory" @ 2.0,
        MappedPipe = "MappedPipe" @ 2.0,
        MappedVirtualDisk = "MappedVirtualDisk" @ 2.0,
        CombinedLayers = "CombinedLayers" @ 2.0,
        NetworkNamespace = "NetworkNamespace" @ 2.1,
        CimMount = "CimMount" @ 2.3,
    }
}
