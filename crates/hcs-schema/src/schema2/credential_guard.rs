//! Container Credential Guard: group managed service accounts for containers.

// Written by `cargo xtask schema`, from `data/schema2.json` and `data/schema2.words`.

use serde_json::Value;
use wcow_ntmeta::Guid;

use crate::schema2::*;
use crate::wire::{document, words};

document! {
    /// The credentials that a container may use.
    ///
    /// Part of [`Container`], [`ContainerCredentialGuardInstance`]. Since schema 2.1.
    ContainerCredentialGuardState = "ContainerCredentialGuardState" {
        cookie: Option<String> = "Cookie" @ 2.1,
        rpc_endpoint: Option<String> = "RpcEndpoint" @ 2.1,
        transport: Option<ContainerCredentialGuardTransport> = "Transport" @ 2.1,
        /// The description of the account, JSON in a string.
        credential_spec: Option<String> = "CredentialSpec" @ 2.1,
    }

    /// Asks the host service for an instance for one container.
    ///
    /// Since schema 2.1.
    ContainerCredentialGuardAddInstanceRequest = "ContainerCredentialGuardAddInstanceRequest" {
        id: Option<String> = "Id" @ 2.1,
        credential_spec: Option<String> = "CredentialSpec" @ 2.1,
        transport: Option<ContainerCredentialGuardTransport> = "Transport" @ 2.1,
    }

    /// Asks the host service to forget the instance of one container.
    ///
    /// Since schema 2.1.
    ContainerCredentialGuardRemoveInstanceRequest = "ContainerCredentialGuardRemoveInstanceRequest" {
        id: Option<String> = "Id" @ 2.1,
    }

    /// A change of instances, with the request that belongs to the operation.
    ///
    /// Since schema 2.1.
    ContainerCredentialGuardOperationRequest = "ContainerCredentialGuardOperationRequest" {
        operation: Option<ContainerCredentialGuardModifyOperation> = "Operation" @ 2.1,
        operation_details: Option<Value> = "OperationDetails" @ 2.1,
    }

    /// The Hyper-V socket service through which an instance is reached.
    ///
    /// Part of [`ContainerCredentialGuardInstance`]. Since schema 2.1.
    ContainerCredentialGuardHvSocketServiceConfig = "ContainerCredentialGuardHvSocketServiceConfig" {
        service_id: Option<Guid> = "ServiceId" @ 2.1,
        service_config: Option<HvSocketServiceConfig> = "ServiceConfig" @ 2.1,
    }

    /// An instance as the host service tells it.
    ///
    /// Part of [`ContainerCredentialGuardSystemInfo`]. Since schema 2.1.
    ContainerCredentialGuardInstance = "ContainerCredentialGuardInstance" {
        id: Option<String> = "Id" @ 2.1,
        credential_guard: Option<ContainerCredentialGuardState> = "CredentialGuard" @ 2.1,
        hv_socket_config: Option<ContainerCredentialGuardHvSocketServiceConfig> = "HvSocketConfig" @ 2.1,
    }

    /// All instances of a host.
    ///
    /// Since schema 2.1.
    ContainerCredentialGuardSystemInfo = "ContainerCredentialGuardSystemInfo" {
        instances: Vec<ContainerCredentialGuardInstance> = "Instances" @ 2.1,
    }
}

words! {
    /// How the guest reaches the host's side of Container Credential Guard.
    ///
    /// Part of [`ContainerCredentialGuardAddInstanceRequest`], [`ContainerCredentialGuardState`]. Since schema 2.1.
    ContainerCredentialGuardTransport = "ContainerCredentialGuardTransport" {
        Lrpc = "LRPC" @ 2.1,
        HvSocket = "HvSocket" @ 2.1,
    }

    /// What is to be done with an instance.
    ///
    /// Part of [`ContainerCredentialGuardOperationRequest`]. Since schema 2.1.
    ContainerCredentialGuardModifyOperation = "ContainerCredentialGuardModifyOperation" {
        AddInstance = "AddInstance" @ 2.1,
        RemoveInstance = "RemoveInstance" @ 2.1,
    }
}
