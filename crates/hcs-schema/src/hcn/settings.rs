//! Settings whose type depends on a word beside them: those of policies and of changes.

use serde_json::Value;
use thiserror::Error;

use super::*;
use crate::wire::{Mismatch, Wire};

/// Settings that do not fit the word beside them.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// There is no word.
    #[error("expected {key} beside the settings, found none")]
    NoType {
        /// Where the word belongs.
        key: &'static str,
    },
    /// The public schema does not have the word.
    #[error("expected a {key} of the schema, found {word:?}")]
    UnknownType {
        /// Where the word stands.
        key: &'static str,
        /// The word.
        word: String,
    },
    /// The settings are not of their type.
    #[error("Settings: expected {schema}: {what}")]
    Settings {
        /// Their type.
        schema: &'static str,
        /// What is wrong with them.
        what: String,
    },
}

/// The name of a type in the public schema, and its reader.
struct Settings {
    name: &'static str,
    read: fn(Value) -> Result<(), Mismatch>,
}

macro_rules! settings {
    ($type:ident) => {
        Some(Settings {
            name: $type::SCHEMA.name,
            read: |value| <$type as Wire>::read(value).map(drop),
        })
    };
}

impl EndpointPolicy {
    /// Holds the settings against their type.
    ///
    /// # Errors
    /// If the type is missing or not known, settings are missing, or a value in them is not of its type.
    pub fn check(&self) -> Result<(), SettingsError> {
        use EndpointPolicyType as Kind;
        let kind = self.kind.as_ref();
        let of = kind.and_then(|kind| match kind {
            Kind::PortMapping => settings!(PortMappingPolicySetting),
            Kind::Acl => settings!(AclPolicySetting),
            Kind::Qos => settings!(QosPolicySetting),
            Kind::OutBoundNAT => settings!(OutboundNatPolicySetting),
            Kind::SDNRoute => settings!(SDNRoutePolicySetting),
            Kind::L4Proxy => settings!(L4ProxyPolicySetting),
            Kind::L4wfpproxy => settings!(L4WfpProxyPolicySetting),
            Kind::ProviderAddress => settings!(ProviderAddressEndpointPolicySetting),
            Kind::PortName => settings!(PortnameEndpointPolicySetting),
            Kind::EncapOverhead => settings!(EncapOverheadEndpointPolicySetting),
            Kind::InterfaceConstraint => settings!(InterfaceConstraintEndpointPolicySetting),
            Kind::Encryption => settings!(EncryptionPolicySetting),
            Kind::Vlan => settings!(VlanPolicySetting),
            Kind::InterfaceParameters => settings!(InterfaceParametersPolicySetting),
            Kind::Iov => settings!(IovPolicySetting),
            Kind::TierAcl => settings!(TierAclPolicySetting),
            Kind::L2Driver => Some(ANY),
            Kind::Other(_) => None,
        });
        check("Type", kind.map(Kind::as_str), of, self.settings.as_ref())
    }
}

impl NetworkPolicy {
    /// Holds the settings against their type.
    ///
    /// # Errors
    /// As [`EndpointPolicy::check`].
    pub fn check(&self) -> Result<(), SettingsError> {
        use NetworkPolicyType as Kind;
        let kind = self.kind.as_ref();
        let of = kind.and_then(|kind| match kind {
            Kind::SourceMacAddress => settings!(SourceMacAddressNetworkPolicySetting),
            Kind::NetAdapterName => settings!(NetAdapterNameNetworkPolicySetting),
            Kind::InterfaceConstraint => settings!(InterfaceConstraintNetworkPolicySetting),
            Kind::VSwitchExtension => settings!(VSwitchExtensionNetworkPolicySetting),
            Kind::ProviderAddress => settings!(ProviderAddressNetworkPolicySetting),
            Kind::DrMacAddress => settings!(DrMacAddressNetworkPolicySetting),
            Kind::AutomaticDNS => settings!(AutomaticDNSNetworkPolicySetting),
            Kind::RemoteSubnetRoute => settings!(RemoteSubnetRoutePolicySetting),
            Kind::VxlanPort => settings!(VxlanPortPolicySetting),
            Kind::HostRoute => Some(NONE),
            Kind::SetPolicy => settings!(SetPolicySetting),
            Kind::L4Proxy => settings!(L4ProxyPolicySetting),
            Kind::LayerConstraint => settings!(LayerConstraintNetworkPolicySetting),
            Kind::NetworkACL => settings!(NetworkAclPolicySetting),
            Kind::Other(_) => None,
        });
        check("Type", kind.map(Kind::as_str), of, self.settings.as_ref())
    }
}

impl SubnetPolicy {
    /// Holds the settings against their type.
    ///
    /// # Errors
    /// As [`EndpointPolicy::check`].
    pub fn check(&self) -> Result<(), SettingsError> {
        use SubnetPolicyType as Kind;
        let kind = self.kind.as_ref();
        let of = kind.and_then(|kind| match kind {
            Kind::Vlan => settings!(VlanPolicySetting),
            Kind::Vsid => settings!(VsidPolicySetting),
            Kind::Other(_) => None,
        });
        check("Type", kind.map(Kind::as_str), of, self.settings.as_ref())
    }
}

impl ModifyNetworkSettingRequest {
    /// Holds the settings against their type.
    ///
    /// # Errors
    /// If `ResourceType` is missing or not known, settings are missing, or a value in them is not of its type.
    pub fn check(&self) -> Result<(), SettingsError> {
        use NetworkResourceType as Kind;
        let kind = self.resource_type.as_ref();
        let of = kind.and_then(|kind| match kind {
            Kind::Dns => settings!(Dns),
            Kind::Extension => settings!(Extension),
            Kind::Policy => settings!(PolicyNetworkRequest),
            Kind::Subnet => settings!(SubnetNetworkRequest),
            Kind::IPSubnet => settings!(IPSubnetNetworkRequest),
            Kind::Other(_) => None,
        });
        let word = kind.map(Kind::as_str);
        check("ResourceType", word, of, self.settings.as_ref())
    }
}

impl ModifyEndpointSettingRequest {
    /// Holds the settings against their type.
    ///
    /// # Errors
    /// As [`ModifyNetworkSettingRequest::check`].
    pub fn check(&self) -> Result<(), SettingsError> {
        use EndpointResourceType as Kind;
        let kind = self.resource_type.as_ref();
        let of = kind.and_then(|kind| match kind {
            Kind::Port => settings!(VmEndpointRequest),
            Kind::Policy => settings!(PolicyEndpointRequest),
            Kind::Other(_) => None,
        });
        let word = kind.map(Kind::as_str);
        check("ResourceType", word, of, self.settings.as_ref())
    }
}

impl ModifyNamespaceSettingRequest {
    /// Holds the settings against their type.
    ///
    /// # Errors
    /// As [`ModifyNetworkSettingRequest::check`].
    pub fn check(&self) -> Result<(), SettingsError> {
        use NamespaceResourceType as Kind;
        let kind = self.resource_type.as_ref();
        let of = kind.and_then(|kind| match kind {
            Kind::Container => settings!(NamespaceContainerRequest),
            Kind::Endpoint => settings!(NamespaceEndpointRequest),
            Kind::Other(_) => None,
        });
        let word = kind.map(Kind::as_str);
        check("ResourceType", word, of, self.settings.as_ref())
    }
}

/// Settings for which the public schema has no type.
const ANY: Settings = Settings {
    name: "Any",
    read: |_| Ok(()),
};

/// Settings that say nothing, and are left out.
const NONE: Settings = Settings {
    name: HostRoutePolicySetting::SCHEMA.name,
    read: |value| match value {
        Value::Null => Ok(()),
        value => <HostRoutePolicySetting as Wire>::read(value).map(drop),
    },
};

fn check(
    key: &'static str,
    word: Option<&str>,
    of: Option<Settings>,
    settings: Option<&Value>,
) -> Result<(), SettingsError> {
    let word = word.ok_or(SettingsError::NoType { key })?;
    let Some(of) = of else {
        let word = word.to_owned();
        return Err(SettingsError::UnknownType { key, word });
    };
    let settings = settings.cloned().unwrap_or_default();
    (of.read)(settings).map_err(|mismatch| SettingsError::Settings {
        schema: of.name,
        what: mismatch.to_string(),
    })
}
