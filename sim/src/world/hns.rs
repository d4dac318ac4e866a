//! The Host Network Service: networks, endpoints, addresses.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork, Policy, Subnet};
use wcow_host::codes::{hcn, win32};
use wcow_host::{AdapterState, SystemId, era};
use wcow_ntmeta::{Guid, Hresult};

use super::World;
use super::hcn::Objects;
use crate::call::{NetworkCall, Outcome};
use crate::choice::Identity;

/// From this build on a NAT network does not survive a restart of the machine.
const NAT_IS_VOLATILE_FROM: u32 = 17763;
/// Where the host ports begin that the service chooses from.
const FIRST_DYNAMIC_PORT: u16 = 49152;

/// Networks and endpoints.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Hns {
    networks: BTreeMap<Guid, HnsNetwork>,
    endpoints: BTreeMap<Guid, HnsEndpoint>,
    /// The two middle bytes of the MAC addresses, once one was needed.
    mac_pool: Option<u16>,
    /// What only the second generation has.
    #[serde(default)]
    objects: Objects,
}

impl Hns {
    /// The endpoint of this id.
    pub(crate) fn endpoint(&self, id: Guid) -> Option<&HnsEndpoint> {
        self.endpoints.get(&id)
    }

    /// Whether there is a network of this id.
    pub(super) fn has_network(&self, id: Guid) -> bool {
        self.networks.contains_key(&id)
    }

    pub(super) fn objects(&self) -> &Objects {
        &self.objects
    }

    pub(super) fn objects_mut(&mut self) -> &mut Objects {
        &mut self.objects
    }

    /// Connects an endpoint to a compute system.
    pub(crate) fn attach(&mut self, id: Guid, system: &SystemId) -> Result<(), Hresult> {
        let endpoint = self.endpoints.get_mut(&id).ok_or(win32::NOT_FOUND)?;
        match endpoint.shared_containers.as_slice() {
            [] => endpoint.shared_containers.push(system.0.clone()),
            [only] if *only == system.0 => {}
            _ => return Err(hcn::ENDPOINT_ALREADY_ATTACHED),
        }
        Ok(())
    }

    /// Takes a compute system off all endpoints.
    pub(crate) fn detach(&mut self, system: &SystemId) {
        for endpoint in self.endpoints.values_mut() {
            endpoint
                .shared_containers
                .retain(|attached| *attached != system.0);
        }
    }

    /// Takes a compute system off one endpoint. False if it was not on it.
    pub(crate) fn detach_from(&mut self, id: Guid, system: &SystemId) -> bool {
        let Some(endpoint) = self.endpoints.get_mut(&id) else {
            return false;
        };
        let before = endpoint.shared_containers.len();
        endpoint
            .shared_containers
            .retain(|attached| *attached != system.0);
        endpoint.shared_containers.len() < before
    }

    /// The names of the NAT networks, each with the gateway's address of a subnet of it: the host's own address there.
    pub(super) fn nat_gateways(&self) -> impl Iterator<Item = (&str, Ipv4Net)> {
        let nat = self
            .networks
            .values()
            .filter(|network| network.kind == "nat");
        nat.flat_map(|network| {
            network.subnets.iter().filter_map(|subnet| {
                let prefix: Ipv4Net = subnet.address_prefix.parse().ok()?;
                let gateway = subnet.gateway_address.parse().ok()?;
                Some((
                    network.name.as_str(),
                    Ipv4Net::new(gateway, prefix.prefix_len()).ok()?,
                ))
            })
        })
    }

    /// The subnets that are translated.
    fn nat_subnets(&self) -> impl Iterator<Item = Ipv4Net> {
        self.networks
            .values()
            .filter(|network| network.kind == "nat")
            .flat_map(subnets_of)
    }

    fn endpoints_of(&self, network: Guid) -> impl Iterator<Item = &HnsEndpoint> {
        self.endpoints
            .values()
            .filter(move |endpoint| parse_guid(&endpoint.virtual_network) == Ok(network))
    }

    fn port_is_taken(&self, protocol: &str, port: u16) -> bool {
        self.objects.has_port(protocol, port) || self.publishes(protocol, port)
    }

    /// Whether an endpoint publishes a port.
    pub(super) fn publishes(&self, protocol: &str, port: u16) -> bool {
        self.endpoints.values().flat_map(|endpoint| &endpoint.policies).any(|policy| {
            matches!(policy, Policy::Nat(nat) if nat.external_port == port && nat.protocol.eq_ignore_ascii_case(protocol))
        })
    }

    /// The lowest free MAC address of the pool.
    fn free_mac(&self, pool: u16) -> String {
        let [high, low] = pool.to_be_bytes();
        (1..=255_u8)
            .map(|last| format!("00-15-5D-{high:02X}-{low:02X}-{last:02X}"))
            .find(|mac| {
                self.endpoints
                    .values()
                    .all(|endpoint| endpoint.mac_address != *mac)
            })
            .unwrap_or_default()
    }
}

impl World {
    pub(super) fn network_call(&mut self, call: &NetworkCall) -> Outcome {
        if !era::has_hns(self.profile.build) {
            return Err(win32::PROC_NOT_FOUND.into());
        }
        self.network_services(call)?;
        match call {
            NetworkCall::CreateNetwork(network) => self.create_network(network),
            NetworkCall::Networks => {
                let mut networks: Vec<HnsNetwork> = self.hns.networks.values().cloned().collect();
                networks.sort_by(|a, b| a.name.cmp(&b.name));
                Ok(networks.into())
            }
            NetworkCall::DeleteNetwork(id) => {
                if self.hns.endpoints_of(*id).next().is_some() {
                    return Err(hcn::ENTITY_HAS_REFERENCES.into());
                }
                self.hns.networks.remove(id).ok_or(win32::NOT_FOUND)?;
                self.hns.objects.forget(*id);
                Ok(().into())
            }
            NetworkCall::CreateEndpoint(endpoint) => self.create_endpoint(endpoint),
            NetworkCall::Endpoints => Ok(self
                .hns
                .endpoints
                .values()
                .cloned()
                .collect::<Vec<_>>()
                .into()),
            NetworkCall::DeleteEndpoint(id) => {
                if self.endpoint_in_use(*id) || self.hns.objects.refer_to(*id) {
                    return Err(hcn::ENTITY_HAS_REFERENCES.into());
                }
                self.hns.endpoints.remove(id).ok_or(win32::NOT_FOUND)?;
                self.hns.objects.forget(*id);
                Ok(().into())
            }
            NetworkCall::Hcn(call) => self.hcn_call(call),
        }
    }

    /// The machine goes down: compute systems let go of their endpoints; NAT networks are not kept by later hosts.
    pub(super) fn network_on_reboot(&mut self) {
        let hns = &mut self.hns;
        hns.endpoints
            .values_mut()
            .for_each(|endpoint| endpoint.shared_containers.clear());
        if self.profile.build >= NAT_IS_VOLATILE_FROM {
            hns.networks.retain(|_, network| network.kind != "nat");
            let networks = &hns.networks;
            hns.endpoints.retain(|_, endpoint| {
                parse_guid(&endpoint.virtual_network)
                    .is_ok_and(|network| networks.contains_key(&network))
            });
        }
        let (networks, endpoints) = (&hns.networks, &hns.endpoints);
        hns.objects
            .restarted(|id| networks.contains_key(&id) || endpoints.contains_key(&id));
    }

    /// Whether a network is bound to an adapter.
    pub(super) fn network_on_adapter(&self, adapter: &str) -> bool {
        self.hns
            .networks
            .values()
            .any(|network| network.network_adapter_name.eq_ignore_ascii_case(adapter))
    }

    fn create_network(&mut self, wanted: &HnsNetwork) -> Outcome {
        let mut network = wanted.clone();
        network.kind = wanted.kind.to_ascii_lowercase();
        if network.name.is_empty() {
            return Err(hcn::INVALID_NETWORK.into());
        }
        if self
            .hns
            .networks
            .values()
            .any(|known| known.name == network.name)
        {
            return Err(hcn::NETWORK_ALREADY_EXISTS.into());
        }
        let subnets = read_subnets(&mut network)?;
        match network.kind.as_str() {
            "nat" => {
                let mut wanted = subnets;
                if wanted.is_empty() {
                    let free = self.free_nat_subnet()?;
                    network.subnets.push(document_of(free)?);
                    wanted.push(free);
                }
                let host = self.host_info();
                let mut existing = self.switches.nat_prefixes();
                existing.extend(self.hns.nat_subnets());
                for subnet in wanted {
                    era::hns_create_network(&host, &existing, subnet)?;
                }
            }
            "transparent" | "l2bridge" | "l2tunnel" => {
                network.network_adapter_name =
                    self.adapter_for_network(&network.network_adapter_name)?;
            }
            "internal" | "private" => {}
            "ics" => return Err(hcn::ICS_DISABLED.into()),
            "overlay" => return Err(hcn::VFP_NOT_ALLOWED.into()),
            _ => return Err(hcn::INVALID_NETWORK_TYPE.into()),
        }
        let id = self.object_id(&network.id)?;
        if self.hns.networks.contains_key(&id) {
            return Err(hcn::NETWORK_ALREADY_EXISTS.into());
        }
        network.id = id.to_string();
        self.hns.networks.insert(id, network.clone());
        Ok(network.into())
    }

    /// The physical adapter under a network: the one that was asked for, or the first that is connected and free.
    fn adapter_for_network(&self, wanted: &str) -> Result<String, Hresult> {
        self.adapters()
            .into_iter()
            .filter(|adapter| adapter.physical && adapter.state == AdapterState::Up)
            .filter(|adapter| wanted.is_empty() || adapter.name.eq_ignore_ascii_case(wanted))
            .map(|adapter| adapter.name)
            .find(|name| self.switches.on_adapter(name).is_none() && !self.network_on_adapter(name))
            .ok_or(hcn::ADAPTER_NOT_FOUND)
    }

    /// A subnet for a NAT network that none was given for: the lowest free one of 172.16.0.0/12 with 20 bits.
    fn free_nat_subnet(&self) -> Result<Ipv4Net, Hresult> {
        let addresses = self
            .adapters()
            .into_iter()
            .filter_map(|adapter| adapter.address);
        let networks = self.hns.networks.values().flat_map(subnets_of);
        let taken: Vec<Ipv4Net> = networks
            .chain(self.switches.nat_prefixes())
            .chain(addresses)
            .collect();
        let overlaps =
            |a: &Ipv4Net, b: &Ipv4Net| a.contains(&b.network()) || b.contains(&a.network());
        let pool =
            Ipv4Net::new(Ipv4Addr::new(172, 16, 0, 0), 12).map_err(|_| hcn::INVALID_PREFIX)?;
        pool.subnets(20)
            .map_err(|_| hcn::INVALID_PREFIX)?
            .find(|subnet| taken.iter().all(|taken| !overlaps(taken, subnet)))
            .ok_or(hcn::INVALID_PREFIX)
    }

    fn create_endpoint(&mut self, wanted: &HnsEndpoint) -> Outcome {
        let network_id = parse_guid(&wanted.virtual_network)?;
        let network = self
            .hns
            .networks
            .get(&network_id)
            .cloned()
            .ok_or(hcn::NETWORK_NOT_FOUND)?;
        let mut endpoint = wanted.clone();
        endpoint.shared_containers.clear();
        endpoint.virtual_network = network_id.to_string();
        self.publish_ports(&mut endpoint, &network)?;
        self.give_address(&mut endpoint, network_id, &network)?;
        let id = self.object_id(&endpoint.id)?;
        if self.hns.endpoints.contains_key(&id) {
            return Err(win32::OBJECT_ALREADY_EXISTS.into());
        }
        endpoint.id = id.to_string();
        if endpoint.mac_address.is_empty() {
            let choice = &mut self.choice;
            let pool = *self.hns.mac_pool.get_or_insert_with(|| {
                u16::try_from(choice.identity(Identity::Mac) >> 48).unwrap_or_default()
            });
            endpoint.mac_address = self.hns.free_mac(pool);
        }
        self.hns.endpoints.insert(id, endpoint.clone());
        Ok(endpoint.into())
    }

    /// Checks the published ports, and chooses host ports where none was asked for.
    fn publish_ports(
        &self,
        endpoint: &mut HnsEndpoint,
        network: &HnsNetwork,
    ) -> Result<(), Hresult> {
        let mut taken: Vec<(String, u16)> = Vec::new();
        for policy in &mut endpoint.policies {
            let Policy::Nat(nat) = policy else { continue };
            if network.kind != "nat" {
                return Err(hcn::MAPPING_NOT_SUPPORTED);
            }
            if nat.internal_port == 0 {
                return Err(hcn::INVALID_INTERNAL_PORT);
            }
            let protocol = nat.protocol.to_ascii_uppercase();
            if protocol != "TCP" && protocol != "UDP" {
                return Err(hcn::INVALID_POLICY);
            }
            let is_taken = |port: u16| {
                self.hns.port_is_taken(&protocol, port) || taken.contains(&(protocol.clone(), port))
            };
            if nat.external_port == 0 {
                nat.external_port = (FIRST_DYNAMIC_PORT..=u16::MAX)
                    .find(|&port| !is_taken(port))
                    .ok_or(hcn::PORT_ALREADY_EXISTS)?;
            } else if is_taken(nat.external_port) {
                return Err(hcn::PORT_ALREADY_EXISTS);
            }
            taken.push((protocol, nat.external_port));
        }
        Ok(())
    }

    /// Checks the address that was asked for, or gives the lowest free one. Where the network has no subnet, addresses come from
    /// elsewhere (DHCP).
    fn give_address(
        &self,
        endpoint: &mut HnsEndpoint,
        id: Guid,
        network: &HnsNetwork,
    ) -> Result<(), Hresult> {
        let subnets: Vec<(Ipv4Net, Ipv4Addr)> = network
            .subnets
            .iter()
            .filter_map(|subnet| {
                Some((
                    subnet.address_prefix.parse().ok()?,
                    subnet.gateway_address.parse().ok()?,
                ))
            })
            .collect();
        let used: Vec<Ipv4Addr> = self
            .hns
            .endpoints_of(id)
            .filter_map(|endpoint| endpoint.ip_address.parse().ok())
            .collect();
        let (address, subnet, gateway) = if endpoint.ip_address.is_empty() {
            if subnets.is_empty() {
                return Ok(());
            }
            subnets
                .iter()
                .find_map(|&(subnet, gateway)| {
                    let free = subnet
                        .hosts()
                        .find(|address| *address != gateway && !used.contains(address))?;
                    Some((free, subnet, gateway))
                })
                .ok_or(hcn::SUBNET_NOT_FOUND)?
        } else {
            let address: Ipv4Addr = endpoint.ip_address.parse().map_err(|_| hcn::INVALID_IP)?;
            let found = subnets.iter().find(|(subnet, _)| subnet.contains(&address));
            let &(subnet, gateway) = found.ok_or(hcn::INVALID_IP)?;
            let reserved =
                address == gateway || address == subnet.network() || address == subnet.broadcast();
            if reserved || used.contains(&address) {
                return Err(hcn::ADDR_INVALID_OR_RESERVED);
            }
            (address, subnet, gateway)
        };
        endpoint.ip_address = address.to_string();
        endpoint.prefix_length = Some(subnet.prefix_len());
        endpoint.gateway_address = gateway.to_string();
        Ok(())
    }

    /// The id that a document asks for, or a new one.
    fn object_id(&mut self, wanted: &str) -> Result<Guid, Hresult> {
        if wanted.is_empty() {
            Ok(self.new_guid())
        } else {
            parse_guid(wanted)
        }
    }
}

fn subnets_of(network: &HnsNetwork) -> impl Iterator<Item = Ipv4Net> {
    network
        .subnets
        .iter()
        .filter_map(|subnet| subnet.address_prefix.parse().ok())
}

/// A subnet as a document has it, its first address the gateway's.
fn document_of(subnet: Ipv4Net) -> Result<Subnet, Hresult> {
    let gateway = subnet.hosts().next().ok_or(hcn::INVALID_PREFIX)?;
    Ok(Subnet {
        address_prefix: subnet.to_string(),
        gateway_address: gateway.to_string(),
        ..Subnet::default()
    })
}

/// Checks the subnets of a document, and gives each a gateway: its first address.
fn read_subnets(network: &mut HnsNetwork) -> Result<Vec<Ipv4Net>, Hresult> {
    let mut subnets = Vec::new();
    for subnet in &mut network.subnets {
        let prefix: Ipv4Net = subnet
            .address_prefix
            .parse()
            .map_err(|_| hcn::INVALID_PREFIX)?;
        if prefix.trunc() != prefix {
            return Err(hcn::INVALID_PREFIX);
        }
        if subnet.gateway_address.is_empty() {
            subnet.gateway_address = prefix
                .hosts()
                .next()
                .ok_or(hcn::INVALID_PREFIX)?
                .to_string();
        }
        let gateway: Ipv4Addr = subnet
            .gateway_address
            .parse()
            .map_err(|_| hcn::INVALID_IP)?;
        if !prefix.contains(&gateway) {
            return Err(hcn::INVALID_IP);
        }
        subnets.push(prefix);
    }
    Ok(subnets)
}

fn parse_guid(text: &str) -> Result<Guid, Hresult> {
    text.parse().map_err(|_| hcn::GUID_CONVERSION_FAILURE)
}
