//! Objects of the second generation's network service that the trait `NetworkService` has no methods for: namespaces, load balancers,
//! routes, guest network services; and changes of networks and endpoints. Documents are those of the HCN schema, as JSON.
//!
//! These are calls of a simulated host like all others: they take time, may be refused by faults and stopped services, and are seen
//! by every client.

use std::future::Future;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wcow_host::{HostError, Operation};
use wcow_ntmeta::Guid;

use crate::call::NetworkCall;
use crate::client::{RemoteHost, SimHost};

/// A kind of objects that only the second generation has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum HcnKind {
    /// A network compartment with endpoints and containers.
    Namespace,
    /// Addresses and ports in front of endpoints.
    LoadBalancer,
    /// Routes of endpoints on a software-defined network.
    SdnRoute,
    /// The network service of a virtual machine, which reserves ports of the host.
    GuestNetworkService,
}

/// Something that policies can be added to after it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum HcnTarget {
    /// A network.
    Network(Guid),
    /// An endpoint.
    Endpoint(Guid),
}

/// Which ports of the host are reserved, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortClaim {
    /// Reserved for TCP.
    pub tcp: bool,
    /// Reserved for UDP.
    pub udp: bool,
    /// Whether others may reserve the same ports, also shared.
    pub shared: bool,
    /// The first port; absent lets the service choose.
    pub first: Option<u16>,
    /// How many ports, one after the other.
    pub count: u16,
}

/// A call. The answer is a document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum HcnCall {
    /// All objects of a kind, by id: an array of documents.
    List(HcnKind),
    /// One object. Refused where there is none by this id (0x490).
    Query(HcnKind, Guid),
    /// Creates an object; the answer is its document, `ID` filled in.
    Create(HcnKind, Value),
    /// Changes an object, by a `Modify...SettingRequest`; the answer is its document.
    Modify(HcnKind, Guid, Value),
    /// Deletes an object; the answer is null. Refused where there is none (0x490), or something refers to it (0x803B002C).
    Delete(HcnKind, Guid),
    /// Changes the policies of a network or an endpoint, by a `Modify...SettingRequest`; the answer is null.
    ModifyTarget(HcnTarget, Value),
    /// What the first generation's document of a network or an endpoint does not tell: `{"Policies": [..]}` those that were added
    /// later, and of an endpoint `HostComputeNamespace`, where it is in one.
    Extras(HcnTarget),
    /// Reserves ports for a guest network service: `{"Id", "StartingPort", "EndingPort"}`.
    ReservePorts(Guid, PortClaim),
    /// Gives ports back, by the `Id` that they were reserved with; the answer is null.
    ReleasePorts(u64),
    /// All reserved ports: an array of `{"Id", "Service", "Tcp", "Udp", "Shared", "StartingPort", "EndingPort"}`.
    ReservedPorts,
}

impl HcnCall {
    /// Its number in the fingerprint, its operation, and how long it takes at least and by chance more, in ticks.
    pub(crate) fn kind(&self) -> (u16, Operation, u32, u32) {
        use Operation as O;
        match self {
            Self::List(_) => (0x0310, O::ReadNetworkObject, 3_000, 2_000),
            Self::Query(..) => (0x0311, O::ReadNetworkObject, 3_000, 2_000),
            Self::Create(..) => (0x0312, O::CreateNetworkObject, 50_000, 30_000),
            Self::Modify(..) => (0x0313, O::ModifyNetworkObject, 30_000, 20_000),
            Self::Delete(..) => (0x0314, O::DeleteNetworkObject, 30_000, 20_000),
            Self::ModifyTarget(..) => (0x0315, O::ModifyNetworkObject, 30_000, 20_000),
            Self::Extras(_) => (0x0316, O::ReadNetworkObject, 3_000, 2_000),
            Self::ReservePorts(..) => (0x0317, O::ModifyNetworkObject, 3_000, 2_000),
            Self::ReleasePorts(_) => (0x0318, O::ModifyNetworkObject, 3_000, 2_000),
            Self::ReservedPorts => (0x0319, O::ReadNetworkObject, 3_000, 2_000),
        }
    }

    /// What it is about.
    pub(crate) fn object(&self) -> String {
        match self {
            Self::List(kind) | Self::Create(kind, _) => format!("{kind:?}"),
            Self::Query(kind, id) | Self::Modify(kind, id, _) | Self::Delete(kind, id) => {
                format!("{kind:?} {id}")
            }
            Self::ModifyTarget(HcnTarget::Network(id) | HcnTarget::Endpoint(id), _)
            | Self::Extras(HcnTarget::Network(id) | HcnTarget::Endpoint(id))
            | Self::ReservePorts(id, _) => id.to_string(),
            Self::ReleasePorts(id) => id.to_string(),
            Self::ReservedPorts => String::new(),
        }
    }
}

impl SimHost {
    /// Makes a call that only the second generation's network service has.
    ///
    /// # Errors
    /// As the call says; hosts before build 17763 have no such service (0x7F).
    pub fn hcn(
        &self,
        call: HcnCall,
    ) -> impl Future<Output = Result<Value, HostError>> + Send + use<'_> {
        self.face().call(NetworkCall::Hcn(Box::new(call)))
    }
}

impl RemoteHost {
    /// Makes a call that only the second generation's network service has.
    ///
    /// # Errors
    /// As the call says; hosts before build 17763 have no such service (0x7F).
    pub fn hcn(
        &self,
        call: HcnCall,
    ) -> impl Future<Output = Result<Value, HostError>> + Send + use<> {
        self.call(NetworkCall::Hcn(Box::new(call)))
    }
}

/// The policies of networks, by the names that documents have for them.
const NETWORK_POLICIES: [&str; 14] = [
    "SourceMacAddress",
    "NetAdapterName",
    "InterfaceConstraint",
    "VSwitchExtension",
    "ProviderAddress",
    "DrMacAddress",
    "AutomaticDNS",
    "RemoteSubnetRoute",
    "VxlanPort",
    "HostRoute",
    "SetPolicy",
    "L4Proxy",
    "LayerConstraint",
    "NetworkACL",
];

/// The policies of endpoints.
const ENDPOINT_POLICIES: [&str; 17] = [
    "PortMapping",
    "ACL",
    "QOS",
    "L2Driver",
    "OutBoundNAT",
    "SDNRoute",
    "L4Proxy",
    "L4WFPPROXY",
    "ProviderAddress",
    "PortName",
    "EncapOverhead",
    "InterfaceConstraint",
    "Encryption",
    "VLAN",
    "InterfaceParameters",
    "Iov",
    "TierAcl",
];

/// Whether networks have policies of this type.
#[must_use]
pub fn is_network_policy(kind: &str) -> bool {
    NETWORK_POLICIES.contains(&kind)
}

/// Whether endpoints have policies of this type.
#[must_use]
pub fn is_endpoint_policy(kind: &str) -> bool {
    ENDPOINT_POLICIES.contains(&kind)
}
