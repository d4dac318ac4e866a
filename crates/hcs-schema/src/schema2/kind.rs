//! The rules for what a compute system is created from.

use thiserror::Error;

use super::{ComputeSystem, Container, HostedSystem, VirtualMachine};
use crate::SchemaVersion;

/// What a compute system is to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SystemKind<'a> {
    /// A container on the host: process isolation.
    Container(&'a Container),
    /// A virtual machine.
    VirtualMachine(&'a VirtualMachine),
    /// A container in the virtual machine that `HostingSystemId` names.
    HostedSystem(&'a HostedSystem),
}

/// A document that does not say what the system is to be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KindError {
    /// There is none of the three.
    #[error("expected one of Container, VirtualMachine and HostedSystem, found none")]
    None,
    /// There is more than one of the three.
    #[error("expected one of Container, VirtualMachine and HostedSystem, found {}", found.join(" and "))]
    Several {
        /// The keys that are there.
        found: Vec<&'static str>,
    },
}

impl ComputeSystem {
    /// What the system is to be.
    ///
    /// # Errors
    /// If not exactly one of the three is there.
    pub fn kind(&self) -> Result<SystemKind<'_>, KindError> {
        match (&self.container, &self.virtual_machine, &self.hosted_system) {
            (Some(container), None, None) => Ok(SystemKind::Container(container)),
            (None, Some(machine), None) => Ok(SystemKind::VirtualMachine(machine)),
            (None, None, Some(hosted)) => Ok(SystemKind::HostedSystem(hosted)),
            (None, None, None) => Err(KindError::None),
            (container, machine, hosted) => Err(KindError::Several {
                found: [
                    container.as_ref().map(|_| "Container"),
                    machine.as_ref().map(|_| "VirtualMachine"),
                    hosted.as_ref().map(|_| "HostedSystem"),
                ]
                .into_iter()
                .flatten()
                .collect(),
            }),
        }
    }

    /// Drops what is newer than the document's own version, as [`drop_newer`](crate::drop_newer) does, and returns the paths.
    /// Without a version nothing is dropped.
    pub fn drop_newer(&mut self) -> Vec<String> {
        let Some(version) = self.schema_version else {
            return Vec::new();
        };
        let mut document = self.to_value();
        let dropped = crate::drop_newer(&mut document, Self::SCHEMA, version);
        if !dropped.is_empty()
            && let Ok(rest) = crate::wire::Wire::read(document)
        {
            *self = rest;
        }
        dropped
    }

    /// A document for a container on the host, in the version that clients use for it.
    #[must_use]
    pub fn of_container(owner: &str, container: Container) -> Self {
        Self {
            owner: Some(owner.to_owned()),
            schema_version: Some(SchemaVersion::V2_1),
            container: Some(container),
            ..Self::default()
        }
    }

    /// A document for a container in the virtual machine of this id.
    #[must_use]
    pub fn of_hosted_container(owner: &str, machine: &str, container: Container) -> Self {
        Self {
            owner: Some(owner.to_owned()),
            schema_version: Some(SchemaVersion::V2_1),
            hosting_system_id: Some(machine.to_owned()),
            hosted_system: Some(HostedSystem {
                schema_version: Some(SchemaVersion::V2_1),
                container: Some(container),
                ..HostedSystem::default()
            }),
            ..Self::default()
        }
    }
}
