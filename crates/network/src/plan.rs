//! From a request to steps.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use wcow_hcs_schema::hns::{HnsNetwork, Subnet};
use wcow_host::{Adapter, AdapterState, NewNetNat, NewVmSwitch, SwitchType, era};

use crate::predict::predict;
use crate::{Driver, HostNetworking, NetworkSpec, Prediction};

/// The NAT subnet of Technical Preview 3 and 4 unless another is asked for: the default of Microsoft's set-up script.
pub const TP_NAT_SUBNET: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12);

/// The name of the NAT object on Technical Preview 3 and 4: the one of Microsoft's set-up script. A host takes only one.
pub const NAT_NAME: &str = "ContainerNAT";

/// The longest prefix that leaves room for a gateway and a container.
const LONGEST_PREFIX: u8 = 30;

/// What default subnets of later hosts are taken from, and their prefix length.
const HNS_POOL: (Ipv4Net, u8) = (Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12), 20);

/// The first default subnet of later hosts.
const HNS_FIRST: Ipv4Addr = Ipv4Addr::new(172, 17, 0, 0);

/// A network as it will be, and the steps that make it.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkPlan {
    /// Its name.
    pub name: String,
    /// What kind it is.
    pub driver: Driver,
    /// Its subnet, if it has one of its own.
    pub subnet: Option<Ipv4Net>,
    /// Its gateway, if it has a subnet.
    pub gateway: Option<Ipv4Addr>,
    /// The physical adapter under an external network.
    pub adapter: Option<String>,
    /// What is to be done, in order.
    pub steps: Vec<NetworkStep>,
    predicted: Option<Prediction>,
}

/// One call to the host.
#[derive(Clone, Debug, PartialEq)]
pub enum NetworkStep {
    /// `New-VMSwitch`.
    NewSwitch(NewVmSwitch),
    /// `New-NetNat`.
    NewNat(NewNetNat),
    /// The Host Network Service creates a network.
    HnsCreate(HnsNetwork),
}

/// What is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The name is empty, or holds control characters.
    #[error("expected a network name of printable characters, found {name:?}")]
    BadName {
        /// The name as given.
        name: String,
    },
    /// There is a switch or network of that name.
    #[error("the host already has a {what} named {name:?}")]
    NameTaken {
        /// `switch` or `network`.
        what: &'static str,
        /// Its name on the host.
        name: String,
    },
    /// The address part of the subnet has bits beyond its prefix.
    #[error("expected a subnet such as {network}, found {given}, which is an address in it")]
    HostBits {
        /// The subnet as given.
        given: Ipv4Net,
        /// The subnet that it lies in.
        network: Ipv4Net,
    },
    /// No room for a gateway and a container.
    #[error("expected a prefix of at most {longest} bits, found {subnet}")]
    PrefixTooLong {
        /// The subnet as given.
        subnet: Ipv4Net,
        /// The longest that can be used.
        longest: u8,
    },
    /// The subnet touches loopback, multicast or reserved addresses.
    #[error("expected a subnet of ordinary addresses, found {subnet}, which overlaps {reserved}")]
    ReservedSubnet {
        /// The subnet as given.
        subnet: Ipv4Net,
        /// What it overlaps.
        reserved: Ipv4Net,
    },
    /// The host has an address there.
    #[error("subnet {subnet} overlaps {address} of the host's adapter {adapter:?}")]
    SubnetOverlaps {
        /// The subnet as given, or the default.
        subnet: Ipv4Net,
        /// The adapter.
        adapter: String,
        /// Its address.
        address: Ipv4Net,
    },
    /// A network that the host has lost will be made again there.
    #[error(
        "subnet {subnet} overlaps {other} of network {name:?}, which the host has lost and which is made again when a container needs it: remove it first"
    )]
    SubnetKept {
        /// The subnet as given.
        subnet: Ipv4Net,
        /// The network.
        name: String,
        /// Its subnet.
        other: Ipv4Net,
    },
    /// All default subnets overlap something.
    #[error("every default subnet in {pool} overlaps an address or a network of the host")]
    NoFreeSubnet {
        /// What defaults are taken from.
        pool: Ipv4Net,
    },
    /// Networks of this kind take no subnet on this host.
    #[error("expected no subnet for a network of driver {driver} on this host, found {subnet}")]
    SubnetNotTaken {
        /// The kind of network.
        driver: Driver,
        /// The subnet as given.
        subnet: Ipv4Net,
    },
    /// A gateway needs a subnet.
    #[error("expected a subnet along with gateway {gateway}")]
    GatewayWithoutSubnet {
        /// The gateway as given.
        gateway: Ipv4Addr,
    },
    /// The gateway is no usable address of the subnet.
    #[error(
        "expected a gateway inside {subnet}, neither its first nor its last address, found {gateway}"
    )]
    GatewayOutside {
        /// The gateway as given.
        gateway: Ipv4Addr,
        /// The subnet.
        subnet: Ipv4Net,
    },
    /// This host chooses the gateway itself.
    #[error("expected gateway {expected}, which this host takes for itself, found {gateway}")]
    GatewayFixed {
        /// The gateway as given.
        gateway: Ipv4Addr,
        /// The first address of the subnet.
        expected: Ipv4Addr,
    },
    /// Only external networks have an adapter.
    #[error("expected no adapter for a network of driver {driver}, found {adapter:?}")]
    AdapterNotTaken {
        /// The kind of network.
        driver: Driver,
        /// The adapter as given.
        adapter: String,
    },
    /// No physical adapter of that name.
    #[error("expected a physical adapter of the host ({}), found {adapter:?}", list(.existing))]
    UnknownAdapter {
        /// The adapter as given.
        adapter: String,
        /// The physical adapters that there are.
        existing: Vec<String>,
    },
    /// The adapter carries another network.
    #[error("adapter {adapter:?} already carries {by}")]
    AdapterInUse {
        /// The adapter.
        adapter: String,
        /// What is on it.
        by: String,
    },
    /// No physical adapter is connected.
    #[error("expected a connected physical adapter for an external network, found {}", list(.existing))]
    NoAdapter {
        /// The physical adapters that there are, none of them connected.
        existing: Vec<String>,
    },
}

/// Plans a network for a host.
///
/// # Errors
/// The request is wrong in itself. A plan that the host will refuse is no error: see [`NetworkPlan::predicted`].
pub fn plan(spec: &NetworkSpec, host: &HostNetworking) -> Result<NetworkPlan, PlanError> {
    check_name(&spec.name, host)?;
    let adapter = choose_adapter(spec, host)?;
    let subnet = choose_subnet(spec, host)?;
    let gateway = choose_gateway(spec, host, subnet)?;
    let steps = if era::has_hns(host.info.build) {
        vec![NetworkStep::HnsCreate(hns_network(
            spec,
            subnet,
            gateway,
            adapter.as_deref(),
        ))]
    } else {
        switch_steps(spec, subnet, adapter.as_deref())
    };
    let predicted = predict(&steps, host);
    Ok(NetworkPlan {
        name: spec.name.clone(),
        driver: spec.driver,
        subnet,
        gateway,
        adapter,
        steps,
        predicted,
    })
}

impl NetworkPlan {
    /// What the host will refuse, by the rules of its generation; `None` if it will do all steps.
    #[must_use]
    pub fn predicted(&self) -> Option<&Prediction> {
        self.predicted.as_ref()
    }

    /// The name of the NAT object that the plan makes, if it makes one.
    #[must_use]
    pub fn nat(&self) -> Option<&str> {
        self.steps.iter().find_map(|step| match step {
            NetworkStep::NewNat(nat) => Some(nat.name.as_str()),
            _ => None,
        })
    }
}

impl HostNetworking {
    /// The prefixes that are translated on this host, by NAT objects and by NAT networks, each once.
    pub(crate) fn nat_prefixes(&self) -> Vec<Ipv4Net> {
        let networks = self
            .hns
            .iter()
            .filter(|network| network.kind.eq_ignore_ascii_case("nat"))
            .flat_map(hns_prefixes);
        let mut prefixes: Vec<_> = self
            .nats
            .iter()
            .map(|nat| nat.internal_prefix)
            .chain(networks)
            .collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        prefixes
    }

    /// Everything that a new subnet should keep clear of.
    fn occupied(&self) -> Vec<Ipv4Net> {
        let addresses = self.adapters.iter().filter_map(|adapter| adapter.address);
        let switches = self.switches.iter().filter_map(|switch| switch.nat_subnet);
        let networks = self.hns.iter().flat_map(hns_prefixes);
        self.nat_prefixes()
            .into_iter()
            .chain(addresses)
            .chain(switches)
            .chain(networks)
            .chain(self.lost.iter().map(|lost| lost.subnet))
            .collect()
    }

    /// What is bound to a physical adapter.
    fn carried_by(&self, adapter: &str) -> Option<String> {
        let network = self
            .hns
            .iter()
            .find(|network| network.network_adapter_name.eq_ignore_ascii_case(adapter))
            .map(|network| format!("network {:?}", network.name));
        let on_it = |name: &String| name.eq_ignore_ascii_case(adapter);
        network.or_else(|| {
            self.switches
                .iter()
                .find(|switch| {
                    switch.kind == SwitchType::External
                        && switch.adapter.as_ref().is_some_and(on_it)
                })
                .map(|switch| format!("switch {:?}", switch.name))
        })
    }
}

fn check_name(name: &str, host: &HostNetworking) -> Result<(), PlanError> {
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err(PlanError::BadName {
            name: name.to_owned(),
        });
    }
    let networks = host.hns.iter().map(|network| ("network", &network.name));
    let switches = host.switches.iter().map(|switch| ("switch", &switch.name));
    match networks
        .chain(switches)
        .find(|(_, taken)| taken.to_lowercase() == name.to_lowercase())
    {
        Some((what, name)) => Err(PlanError::NameTaken {
            what,
            name: name.clone(),
        }),
        None => Ok(()),
    }
}

fn choose_adapter(spec: &NetworkSpec, host: &HostNetworking) -> Result<Option<String>, PlanError> {
    if spec.driver != Driver::External {
        return match &spec.adapter {
            Some(adapter) => Err(PlanError::AdapterNotTaken {
                driver: spec.driver,
                adapter: adapter.clone(),
            }),
            None => Ok(None),
        };
    }
    let physical: Vec<&Adapter> = host
        .adapters
        .iter()
        .filter(|adapter| adapter.physical)
        .collect();
    let existing = || {
        physical
            .iter()
            .map(|adapter| adapter.name.clone())
            .collect()
    };
    let candidates: Vec<&Adapter> = match &spec.adapter {
        Some(wanted) => {
            let same = |adapter: &&&Adapter| adapter.name.eq_ignore_ascii_case(wanted);
            let Some(adapter) = physical.iter().find(same) else {
                return Err(PlanError::UnknownAdapter {
                    adapter: wanted.clone(),
                    existing: existing(),
                });
            };
            vec![adapter]
        }
        None => physical
            .iter()
            .copied()
            .filter(|adapter| adapter.state == AdapterState::Up)
            .collect(),
    };
    let mut in_use = None;
    for adapter in candidates {
        match host.carried_by(&adapter.name) {
            None => return Ok(Some(adapter.name.clone())),
            Some(by) => {
                in_use.get_or_insert(PlanError::AdapterInUse {
                    adapter: adapter.name.clone(),
                    by,
                });
            }
        }
    }
    Err(in_use.unwrap_or_else(|| PlanError::NoAdapter {
        existing: existing(),
    }))
}

fn choose_subnet(spec: &NetworkSpec, host: &HostNetworking) -> Result<Option<Ipv4Net>, PlanError> {
    let has_hns = era::has_hns(host.info.build);
    let subnet = match (spec.subnet, spec.driver) {
        (Some(subnet), driver) if driver != Driver::Nat && !has_hns => {
            return Err(PlanError::SubnetNotTaken { driver, subnet });
        }
        (Some(subnet), _) => check_subnet(subnet)?,
        (None, Driver::Nat) if has_hns => free_subnet(host)?,
        (None, Driver::Nat) => TP_NAT_SUBNET,
        (None, _) => return Ok(None),
    };
    // An external network shares the subnet of its adapter, and a private one never meets the host's.
    if matches!(spec.driver, Driver::Nat | Driver::Internal) {
        for adapter in host.adapters.iter().filter(|adapter| adapter.physical) {
            if let Some(address) = adapter.address.filter(|address| overlap(address, &subnet)) {
                return Err(PlanError::SubnetOverlaps {
                    subnet,
                    adapter: adapter.name.clone(),
                    address,
                });
            }
        }
        if let Some(lost) = host.lost.iter().find(|lost| overlap(&lost.subnet, &subnet)) {
            return Err(PlanError::SubnetKept {
                subnet,
                name: lost.name.clone(),
                other: lost.subnet,
            });
        }
    }
    Ok(Some(subnet))
}

fn check_subnet(subnet: Ipv4Net) -> Result<Ipv4Net, PlanError> {
    const RESERVED: [Ipv4Net; 3] = [
        Ipv4Net::new_assert(Ipv4Addr::new(0, 0, 0, 0), 8),
        Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8),
        Ipv4Net::new_assert(Ipv4Addr::new(224, 0, 0, 0), 3),
    ];
    if subnet.trunc() != subnet {
        return Err(PlanError::HostBits {
            given: subnet,
            network: subnet.trunc(),
        });
    }
    if subnet.prefix_len() > LONGEST_PREFIX {
        return Err(PlanError::PrefixTooLong {
            subnet,
            longest: LONGEST_PREFIX,
        });
    }
    match RESERVED
        .into_iter()
        .find(|reserved| overlap(reserved, &subnet))
    {
        Some(reserved) => Err(PlanError::ReservedSubnet { subnet, reserved }),
        None => Ok(subnet),
    }
}

/// The first default subnet of a later host that overlaps nothing.
fn free_subnet(host: &HostNetworking) -> Result<Ipv4Net, PlanError> {
    let (pool, prefix_len) = HNS_POOL;
    let occupied = host.occupied();
    pool.subnets(prefix_len)
        .into_iter()
        .flatten()
        .filter(|subnet| subnet.network() >= HNS_FIRST)
        .find(|subnet| !occupied.iter().any(|other| overlap(other, subnet)))
        .ok_or(PlanError::NoFreeSubnet { pool })
}

fn choose_gateway(
    spec: &NetworkSpec,
    host: &HostNetworking,
    subnet: Option<Ipv4Net>,
) -> Result<Option<Ipv4Addr>, PlanError> {
    let Some(subnet) = subnet else {
        return match spec.gateway {
            Some(gateway) => Err(PlanError::GatewayWithoutSubnet { gateway }),
            None => Ok(None),
        };
    };
    // A prefix of at most 30 bits has a second address.
    let first = Ipv4Addr::from(u32::from(subnet.network()).saturating_add(1));
    let Some(gateway) = spec.gateway else {
        return Ok(Some(first));
    };
    if !subnet.contains(&gateway) || gateway == subnet.network() || gateway == subnet.broadcast() {
        return Err(PlanError::GatewayOutside { gateway, subnet });
    }
    if !era::has_hns(host.info.build) && gateway != first {
        return Err(PlanError::GatewayFixed {
            gateway,
            expected: first,
        });
    }
    Ok(Some(gateway))
}

fn switch_steps(
    spec: &NetworkSpec,
    subnet: Option<Ipv4Net>,
    adapter: Option<&str>,
) -> Vec<NetworkStep> {
    let switch = NetworkStep::NewSwitch(NewVmSwitch {
        name: spec.name.clone(),
        kind: spec.driver.switch_type(),
        adapter: adapter.map(str::to_owned),
        nat_subnet: subnet,
    });
    let nat = subnet.map(|internal_prefix| {
        NetworkStep::NewNat(NewNetNat {
            name: NAT_NAME.to_owned(),
            internal_prefix,
        })
    });
    std::iter::once(switch).chain(nat).collect()
}

fn hns_network(
    spec: &NetworkSpec,
    subnet: Option<Ipv4Net>,
    gateway: Option<Ipv4Addr>,
    adapter: Option<&str>,
) -> HnsNetwork {
    let subnets = subnet.map(|subnet| Subnet {
        address_prefix: subnet.to_string(),
        gateway_address: gateway
            .map(|gateway| gateway.to_string())
            .unwrap_or_default(),
        ..Subnet::default()
    });
    HnsNetwork {
        name: spec.name.clone(),
        kind: spec.driver.hns_type().to_owned(),
        network_adapter_name: adapter.unwrap_or_default().to_owned(),
        subnets: subnets.into_iter().collect(),
        ..HnsNetwork::default()
    }
}

fn hns_prefixes(network: &HnsNetwork) -> impl Iterator<Item = Ipv4Net> {
    network
        .subnets
        .iter()
        .filter_map(|subnet| subnet.address_prefix.parse::<Ipv4Net>().ok())
        .map(|prefix| prefix.trunc())
}

fn overlap(a: &Ipv4Net, b: &Ipv4Net) -> bool {
    a.contains(&b.network()) || b.contains(&a.network())
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
