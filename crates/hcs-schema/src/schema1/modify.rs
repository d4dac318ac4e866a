//! Changes to a running compute system.

use serde_json::Value;

pub use crate::schema2::ModifyRequestType;
use crate::wire::{document, words};

document! {
    /// A change to a running compute system.
    ResourceModificationRequest = "ResourceModificationRequest" {
        /// What is changed.
        resource_type: Option<ResourceType> = "ResourceType" @ 1.0,
        /// The settings; for a network the id of an HNS endpoint, for the others the document of their name.
        settings: Option<Value> = "Settings" @ 1.0,
        /// `Add` or `Remove`.
        request_type: Option<ModifyRequestType> = "RequestType" @ 1.0,
    }
}

words! {
    /// What is changed.
    ResourceType = "ResourceType" {
        Network = "Network" @ 1.0,
        MappedVirtualDisk = "MappedVirtualDisk" @ 1.0,
        MappedDirectory = "MappedDirectory" @ 1.0,
    }
}

impl ResourceModificationRequest {
    /// Connects a running container to an HNS endpoint, by its id.
    #[must_use]
    pub fn add_endpoint(id: &str) -> Self {
        Self {
            resource_type: Some(ResourceType::Network),
            settings: Some(Value::from(id)),
            request_type: Some(ModifyRequestType::Add),
            ..Self::default()
        }
    }

    /// Takes a running container off an HNS endpoint.
    #[must_use]
    pub fn remove_endpoint(id: &str) -> Self {
        Self {
            request_type: Some(ModifyRequestType::Remove),
            ..Self::add_endpoint(id)
        }
    }
}
