//! Published ports, and which of them are taken.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use wcow_hcs_schema::hns::{HnsEndpoint, NatPolicy, Policy};
use wcow_host::{NewStaticMapping, StaticMapping, TransportProtocol};

/// A port of the host that leads to a port of a container: `8080:80/tcp`.
///
/// Neither port is 0 in a mapping that was read from text. In serde it is that text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PortMapping {
    /// The port on the host.
    pub external: u16,
    /// The port in the container.
    pub internal: u16,
    /// TCP or UDP.
    pub protocol: TransportProtocol,
}

/// A text that is no port mapping.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a port mapping such as 8080:80 or 53:53/udp, with ports from 1 to 65535, found {found:?}"
)]
pub struct ParsePortMappingError {
    /// The text as given.
    pub found: String,
}

/// A port that cannot be published twice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("port {external}/{} of the host is already published by {by}", protocol_name(*.protocol))]
pub struct PortConflict {
    /// The port on the host.
    pub external: u16,
    /// TCP or UDP.
    pub protocol: TransportProtocol,
    /// Who has it.
    pub by: String,
}

/// The ports of a host that are published, with whoever has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublishedPorts(BTreeMap<(TransportProtocol, u16), String>);

impl PortMapping {
    /// The request that publishes it on Technical Preview 3 and 4: `Add-NetNatStaticMapping`.
    #[must_use]
    pub fn static_mapping(&self, nat: impl Into<String>, container: Ipv4Addr) -> NewStaticMapping {
        NewStaticMapping {
            nat: nat.into(),
            protocol: self.protocol,
            external_port: self.external,
            internal_address: container,
            internal_port: self.internal,
        }
    }

    /// The policy that publishes it from Technical Preview 5 on, as a part of an endpoint.
    #[must_use]
    pub fn nat_policy(&self) -> Policy {
        Policy::Nat(NatPolicy {
            protocol: protocol_name(self.protocol).to_ascii_uppercase(),
            internal_port: self.internal,
            external_port: self.external,
            ..NatPolicy::default()
        })
    }
}

impl fmt::Display for PortMapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}/{}",
            self.external,
            self.internal,
            protocol_name(self.protocol)
        )
    }
}

impl FromStr for PortMapping {
    type Err = ParsePortMappingError;

    /// Reads `8080:80`, `8080:80/tcp` or `8080:80/udp`; without a protocol it is TCP.
    fn from_str(text: &str) -> Result<Self, ParsePortMappingError> {
        parse(text).ok_or_else(|| ParsePortMappingError {
            found: text.to_owned(),
        })
    }
}

impl TryFrom<String> for PortMapping {
    type Error = ParsePortMappingError;

    fn try_from(text: String) -> Result<Self, ParsePortMappingError> {
        text.parse()
    }
}

impl From<PortMapping> for String {
    fn from(mapping: PortMapping) -> Self {
        mapping.to_string()
    }
}

impl PublishedPorts {
    /// Nothing is published.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the static mappings of a host's NAT objects.
    #[must_use]
    pub fn with_static_mappings(mut self, mappings: &[StaticMapping]) -> Self {
        for StaticMapping { id, mapping } in mappings {
            self.0
                .entry((mapping.protocol, mapping.external_port))
                .or_insert_with(|| {
                    format!(
                        "static mapping {id} of NAT {:?}, for {}",
                        mapping.nat, mapping.internal_address
                    )
                });
        }
        self
    }

    /// Adds the ports that endpoints of the Host Network Service publish.
    #[must_use]
    pub fn with_endpoints(mut self, endpoints: &[HnsEndpoint]) -> Self {
        for endpoint in endpoints {
            for policy in &endpoint.policies {
                let Policy::Nat(policy) = policy else {
                    continue;
                };
                let Some(protocol) = parse_protocol(&policy.protocol) else {
                    continue;
                };
                self.0
                    .entry((protocol, policy.external_port))
                    .or_insert_with(|| {
                        let name = if endpoint.name.is_empty() {
                            &endpoint.id
                        } else {
                            &endpoint.name
                        };
                        format!("endpoint {name:?}")
                    });
            }
        }
        self
    }

    /// Adds one port.
    ///
    /// # Errors
    /// Somebody has it.
    pub fn publish(
        &mut self,
        mapping: &PortMapping,
        by: impl Into<String>,
    ) -> Result<(), PortConflict> {
        let key = (mapping.protocol, mapping.external);
        if let Some(by) = self.0.get(&key) {
            return Err(PortConflict {
                external: mapping.external,
                protocol: mapping.protocol,
                by: by.clone(),
            });
        }
        self.0.insert(key, by.into());
        Ok(())
    }

    /// Checks mappings that are to be published together: against what is published, and against each other.
    ///
    /// # Errors
    /// The first port that is taken, or asked for twice.
    pub fn check(&self, wanted: &[PortMapping]) -> Result<(), PortConflict> {
        let mut all = self.clone();
        wanted
            .iter()
            .try_for_each(|mapping| all.publish(mapping, format!("mapping {mapping}")))
    }
}

fn parse(text: &str) -> Option<PortMapping> {
    let (ports, protocol) = match text.split_once('/') {
        Some((ports, protocol)) => (ports, parse_protocol(protocol)?),
        None => (text, TransportProtocol::Tcp),
    };
    let (external, internal) = ports.split_once(':')?;
    Some(PortMapping {
        external: parse_port(external)?,
        internal: parse_port(internal)?,
        protocol,
    })
}

fn parse_port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

fn parse_protocol(text: &str) -> Option<TransportProtocol> {
    [TransportProtocol::Tcp, TransportProtocol::Udp]
        .into_iter()
        .find(|protocol| protocol_name(*protocol).eq_ignore_ascii_case(text))
}

fn protocol_name(protocol: TransportProtocol) -> &'static str {
    match protocol {
        TransportProtocol::Tcp => "tcp",
        TransportProtocol::Udp => "udp",
    }
}
