//! Codes of the Host Compute Network service: facility 0x3B.
//!
//! Names and texts: Microsoft's HCN reference, "HCN error codes". HNS puts a space after the full stop in its answer documents;
//! the system's own text has none.

use super::Row;

macro_rules! hcn {
    ($($code:literal $name:ident = $public:literal, $text:literal;)*) => {
        /// The constants.
        pub mod names {
            use wcow_ntmeta::Hresult;
            $(
                #[doc = concat!("`", $public, "`")]
                pub const $name: Hresult = Hresult($code);
            )*
        }

        pub(super) const ROWS: &[Row] = &[$(Row { code: $code, name: $public, text: Some($text) },)*];
    };
}

hcn! {
    0x803B_0001 NETWORK_NOT_FOUND = "HCN_E_NETWORK_NOT_FOUND", "The network was not found.";
    0x803B_0002 ENDPOINT_NOT_FOUND = "HCN_E_ENDPOINT_NOT_FOUND", "The endpoint was not found.";
    0x803B_0003 LAYER_NOT_FOUND = "HCN_E_LAYER_NOT_FOUND", "The network's underlying layer was not found.";
    0x803B_0004 SWITCH_NOT_FOUND = "HCN_E_SWITCH_NOT_FOUND", "The virtual switch was not found.";
    0x803B_0005 SUBNET_NOT_FOUND = "HCN_E_SUBNET_NOT_FOUND", "The network does not have a subnet for this endpoint.";
    0x803B_0006 ADAPTER_NOT_FOUND = "HCN_E_ADAPTER_NOT_FOUND", "An adapter was not found.";
    0x803B_0007 PORT_NOT_FOUND = "HCN_E_PORT_NOT_FOUND", "The switch-port was not found.";
    0x803B_0008 POLICY_NOT_FOUND = "HCN_E_POLICY_NOT_FOUND", "An expected policy was not found.";
    0x803B_0009 VFP_PORTSETTING_NOT_FOUND = "HCN_E_VFP_PORTSETTING_NOT_FOUND", "A required VFP port setting was not found.";
    0x803B_000A INVALID_NETWORK = "HCN_E_INVALID_NETWORK", "The provided network configuration is invalid or missing parameters.";
    0x803B_000B INVALID_NETWORK_TYPE = "HCN_E_INVALID_NETWORK_TYPE", "Invalid network type.";
    0x803B_000C INVALID_ENDPOINT = "HCN_E_INVALID_ENDPOINT", "The provided endpoint configuration is invalid or missing parameters.";
    0x803B_000D INVALID_POLICY = "HCN_E_INVALID_POLICY", "The provided policy configuration is invalid or missing parameters.";
    0x803B_000E INVALID_POLICY_TYPE = "HCN_E_INVALID_POLICY_TYPE", "Invalid policy type.";
    0x803B_000F INVALID_REMOTE_ENDPOINT_OPERATION = "HCN_E_INVALID_REMOTE_ENDPOINT_OPERATION", "This requested operation is invalid for a remote endpoint.";
    0x803B_0010 NETWORK_ALREADY_EXISTS = "HCN_E_NETWORK_ALREADY_EXISTS", "A network with this name already exists.";
    0x803B_0011 LAYER_ALREADY_EXISTS = "HCN_E_LAYER_ALREADY_EXISTS", "A network with this name already exists.";
    0x803B_0012 POLICY_ALREADY_EXISTS = "HCN_E_POLICY_ALREADY_EXISTS", "Policy information already exists on this object.";
    0x803B_0013 PORT_ALREADY_EXISTS = "HCN_E_PORT_ALREADY_EXISTS", "The specified port already exists.";
    0x803B_0014 ENDPOINT_ALREADY_ATTACHED = "HCN_E_ENDPOINT_ALREADY_ATTACHED", "This endpoint is already attached to the switch.";
    0x803B_0015 REQUEST_UNSUPPORTED = "HCN_E_REQUEST_UNSUPPORTED", "The specified request is unsupported.";
    0x803B_0016 MAPPING_NOT_SUPPORTED = "HCN_E_MAPPING_NOT_SUPPORTED", "Port mapping is not supported on the given network.";
    0x803B_0017 DEGRADED_OPERATION = "HCN_E_DEGRADED_OPERATION", "There was an operation attempted on a degraded object.";
    0x803B_0018 SHARED_SWITCH_MODIFICATION = "HCN_E_SHARED_SWITCH_MODIFICATION", "Cannot modify a switch shared by multiple networks.";
    0x803B_0019 GUID_CONVERSION_FAILURE = "HCN_E_GUID_CONVERSION_FAILURE", "Failed to interpret a parameter as a GUID.";
    0x803B_001A REGKEY_FAILURE = "HCN_E_REGKEY_FAILURE", "Failed to process registry key.";
    0x803B_001B INVALID_JSON = "HCN_E_INVALID_JSON", "Invalid JSON document string.";
    0x803B_001C INVALID_JSON_REFERENCE = "HCN_E_INVALID_JSON_REFERENCE", "The reference is invalid in the JSON document.";
    0x803B_001D ENDPOINT_SHARING_DISABLED = "HCN_E_ENDPOINT_SHARING_DISABLED", "Endpoint sharing is disabled.";
    0x803B_001E INVALID_IP = "HCN_E_INVALID_IP", "IP address is either invalid or not part of any configured subnet(s).";
    0x803B_001F SWITCH_EXTENSION_NOT_FOUND = "HCN_E_SWITCH_EXTENSION_NOT_FOUND", "The specified switch extension does not exist on this switch.";
    0x803B_0020 MANAGER_STOPPED = "HCN_E_MANAGER_STOPPED", "Operation cannot be performed while service is stopping.";
    0x803B_0021 GUEST_MODULE_NOT_FOUND = "GCN_E_MODULE_NOT_FOUND", "Operation cannot be performed while service module not found.";
    0x803B_0022 GUEST_NO_REQUEST_HANDLERS = "GCN_E_NO_REQUEST_HANDLERS", "Request Handlers not present to handle the JSON request.";
    0x803B_0023 GUEST_REQUEST_UNSUPPORTED = "GCN_E_REQUEST_UNSUPPORTED", "The specified request is unsupported.";
    0x803B_0024 GUEST_RUNTIMEKEYS_FAILED = "GCN_E_RUNTIMEKEYS_FAILED", "Add runtime keys to container failed.";
    0x803B_0025 GUEST_NETADAPTER_TIMEOUT = "GCN_E_NETADAPTER_TIMEOUT", "Timeout while waiting for network adapter with the given instance id.";
    0x803B_0026 GUEST_NETADAPTER_NOT_FOUND = "GCN_E_NETADAPTER_NOT_FOUND", "Network adapter not found for the given instance id.";
    0x803B_0027 GUEST_NETCOMPARTMENT_NOT_FOUND = "GCN_E_NETCOMPARTMENT_NOT_FOUND", "Network compartment not found for the given id.";
    0x803B_0028 GUEST_NETINTERFACE_NOT_FOUND = "GCN_E_NETINTERFACE_NOT_FOUND", "Network interface not found for the given id.";
    0x803B_0029 GUEST_DEFAULTNAMESPACE_EXISTS = "GCN_E_DEFAULTNAMESPACE_EXISTS", "Default Namespace already exists.";
    0x803B_002A ICS_DISABLED = "HCN_E_ICS_DISABLED", "Internet Connection Sharing service (SharedAccess) is disabled and cannot be started.";
    0x803B_002B ENDPOINT_NAMESPACE_ALREADY_EXISTS = "HCN_E_ENDPOINT_NAMESPACE_ALREADY_EXISTS", "This requested operation is invalid as endpoint is already part of a network namespace.";
    0x803B_002C ENTITY_HAS_REFERENCES = "HCN_E_ENTITY_HAS_REFERENCES", "The specified entity cannot be removed while it still has references.";
    0x803B_002D INVALID_INTERNAL_PORT = "HCN_E_INVALID_INTERNAL_PORT", "The internal port must exist and cannot be zero.";
    0x803B_002E NAMESPACE_ATTACH_FAILED = "HCN_E_NAMESPACE_ATTACH_FAILED", "The requested operation for attach namespace failed.";
    0x803B_002F ADDR_INVALID_OR_RESERVED = "HCN_E_ADDR_INVALID_OR_RESERVED", "An address provided is invalid or reserved.";
    0x803B_0030 INVALID_PREFIX = "HCN_E_INVALID_PREFIX", "The prefix provided is invalid.";
    0x803B_0031 OBJECT_USED_AFTER_UNLOAD = "HCN_E_OBJECT_USED_AFTER_UNLOAD", "A call was performed against an object that was torn down.";
    0x803B_0032 INVALID_SUBNET = "HCN_E_INVALID_SUBNET", "The provided subnet configuration is invalid or missing parameters.";
    0x803B_0033 INVALID_IP_SUBNET = "HCN_E_INVALID_IP_SUBNET", "The provided IP subnet configuration is invalid or missing parameters.";
    0x803B_0034 ENDPOINT_NOT_ATTACHED = "HCN_E_ENDPOINT_NOT_ATTACHED", "The endpoint must be attached to complete the operation.";
    0x803B_0035 ENDPOINT_NOT_LOCAL = "HCN_E_ENDPOINT_NOT_LOCAL", "The endpoint must be local to complete the operation.";
    0x803B_0036 INTERFACEPARAMETERS_ALREADY_APPLIED = "HCN_INTERFACEPARAMETERS_ALREADY_APPLIED", "Cannot apply more than one InterfaceParameters policy.";
    0x803B_0037 VFP_NOT_ALLOWED = "HCN_E_VFP_NOT_ALLOWED", "A network of this type can not be created because VFP is not available.";
}
