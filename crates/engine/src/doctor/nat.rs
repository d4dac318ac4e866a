//! NAT: prefixes, their translation, the host's own addresses, routes.

use ipnet::Ipv4Net;
use wcow_host::{Code, HostError, Interface, NetNat, SwitchType, codes, era};
use wcow_network::NAT_NAME;

use super::layers::count;
use super::verdict::{Verdict, need};
use super::{ANY, Check, FROM_TP5, Fix, SCRIPT, SUPPORT, Seen, Theme};
use crate::networks::NetworkBacking;

/// What the adapters of virtual switches are called.
pub(super) const VIRTUAL: &str = "vEthernet (";

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "nat-switch",
        title: "The switch of every NAT network is internal",
        theme: Theme::Networks,
        source: SCRIPT,
        hosts: FROM_TP5,
        finds: &[],
        run: nat_switch,
    },
    Check {
        id: "nat-translation",
        title: "WinNAT translates every NAT network",
        theme: Theme::Networks,
        source: SCRIPT,
        hosts: ANY,
        finds: &[],
        run: nat_translation,
    },
    Check {
        id: "nat-gateway",
        title: "The host has the gateway's address of every NAT network",
        theme: Theme::Networks,
        source: SCRIPT,
        hosts: ANY,
        finds: &[],
        run: nat_gateway,
    },
    Check {
        id: "nat-host-overlap",
        title: "No NAT network overlaps the host's own addresses",
        theme: Theme::Networks,
        source: SCRIPT,
        hosts: ANY,
        finds: &["nat-prefix-conflict"],
        run: nat_host_overlap,
    },
    Check {
        id: "route-overlap",
        title: "No NAT network overlaps a route, as of a VPN",
        theme: Theme::Networks,
        source: SUPPORT,
        hosts: ANY,
        finds: &["nat-prefix-conflict"],
        run: route_overlap,
    },
    Check {
        id: "nat-objects",
        title: "Every NAT object belongs to a network, and there are no more than the host takes",
        theme: Theme::Networks,
        source: SUPPORT,
        hosts: ANY,
        finds: &["nat-prefix-conflict", "network-object-exists"],
        run: nat_objects,
    },
    Check {
        id: "nat-provider",
        title: "What is behind the NetNat cmdlets is there",
        theme: Theme::Networks,
        source: SUPPORT,
        hosts: ANY,
        finds: &["netnat-provider-missing"],
        run: nat_provider,
    },
];
fn overlap(a: &Ipv4Net, b: &Ipv4Net) -> bool {
    a.contains(&b.network()) || b.contains(&a.network())
}

/// The networks to look at, or the verdict that there are none.
macro_rules! nat_networks {
    ($seen:expr) => {{
        if era::has_hns($seen.info.build) {
            need!($seen.networks);
        } else {
            need!($seen.switches);
        }
        let networks = $seen.nat_networks();
        if networks.is_empty() {
            return Verdict::not_applicable("there is no NAT network");
        }
        networks
    }};
}

fn interface_of<'a>(interfaces: &'a [Interface], network: &str) -> Option<&'a Interface> {
    let name = format!("{VIRTUAL}{network})");
    interfaces
        .iter()
        .find(|interface| interface.name.eq_ignore_ascii_case(&name))
}

fn nat_switch(seen: &Seen) -> Verdict {
    let interfaces = need!(seen.interfaces);
    let mut verdict = Verdict::ok();
    for (network, ..) in nat_networks!(seen) {
        let kind = interface_of(interfaces, &network).and_then(|interface| interface.switch);
        match kind {
            Some(SwitchType::Internal | SwitchType::Nat) => {
                verdict.note(format!("{network}: internal"));
            }
            Some(kind) => {
                verdict
                    .fail(format!("{network}: {kind:?}"))
                    .way_out("Remove the network and make it again; what changed its switch should leave it alone.");
            }
            None => verdict.note(format!(
                "{network}: no adapter of its own, look at nat-gateway"
            )),
        }
    }
    verdict
}

fn nat_translation(seen: &Seen) -> Verdict {
    let translated = need!(seen.translated);
    let mut verdict = Verdict::ok();
    for (network, prefix, _) in nat_networks!(seen) {
        if translated.iter().any(|known| known.contains(&prefix)) {
            verdict.note(format!("{network}: {prefix}"));
        } else {
            verdict
                .fail(format!("{network}: WinNAT does not translate {prefix}"))
                .way_out("Remove the network and make it again; on technical previews also New-NetNat for its prefix.");
        }
    }
    verdict
}

fn nat_gateway(seen: &Seen) -> Verdict {
    let interfaces = need!(seen.interfaces);
    let mut verdict = Verdict::ok();
    for (network, _, gateway) in nat_networks!(seen) {
        let Some(gateway) = gateway else { continue };
        let found = interfaces.iter().find(|interface| {
            interface.name.starts_with(VIRTUAL)
                && interface
                    .address
                    .is_some_and(|address| address.addr() == gateway)
        });
        match found {
            Some(interface) => verdict.note(format!("{network}: {gateway} on {}", interface.name)),
            None => {
                verdict
                    .fail(format!("{network}: no virtual adapter has {gateway}"))
                    .way_out("Restart the service hns; if that does not bring the adapter back, remove the network and make it again.");
            }
        }
    }
    verdict
}

fn nat_host_overlap(seen: &Seen) -> Verdict {
    let interfaces = need!(seen.interfaces);
    let mut verdict = Verdict::ok();
    for (network, prefix, gateway) in nat_networks!(seen) {
        for interface in interfaces {
            let Some(address) = interface.address else {
                continue;
            };
            if Some(address.addr()) != gateway && overlap(&prefix, &address.trunc()) {
                verdict
                    .fail(format!("{network}: {prefix} overlaps {address} of {}", interface.name))
                    .cause("nat-prefix-conflict")
                    .way_out("Make the network again with another subnet: wcow network create NAME --subnet CIDR");
            }
        }
        if verdict.evidence.is_empty() {
            verdict.note(format!("{network}: {prefix}"));
        }
    }
    verdict
}

fn route_overlap(seen: &Seen) -> Verdict {
    let (routes, interfaces) = (need!(seen.routes), need!(seen.interfaces));
    let mut verdict = Verdict::ok();
    for (network, prefix, _) in nat_networks!(seen) {
        for route in routes {
            let default = route.destination.prefix_len() == 0;
            let own = interfaces.iter().any(|interface| {
                interface
                    .address
                    .is_some_and(|address| address.trunc() == route.destination)
            });
            if !default && !own && overlap(&prefix, &route.destination) {
                verdict
                    .warn(format!("{network}: {prefix} overlaps the route to {} through {}", route.destination, route.interface))
                    .cause("nat-prefix-conflict")
                    .way_out("Containers do not reach what is behind that route, or the host does not reach the containers. Make the network again with another subnet.");
            }
        }
    }
    if verdict.evidence.is_empty() {
        return verdict.saw(format!("none of {}", count(routes.len(), "route")));
    }
    verdict
}

fn nat_objects(seen: &Seen) -> Verdict {
    // Where the module is missing there are no objects; another check says so.
    let nats = match &seen.nats {
        Err(error) if error.is_command_missing() => {
            return Verdict::not_applicable("the NetNat cmdlets are not there");
        }
        answer => need!(answer),
    };
    let recorded = need!(seen.recorded_networks);
    let networks = seen.nat_networks();
    let mut verdict = Verdict::ok();
    let claimed = |nat: &NetNat| {
        recorded.iter().any(|network| {
            matches!(&network.backing, NetworkBacking::Switch { nat: Some(name), .. } if *name == nat.name)
        }) || networks
            .iter()
            .any(|(_, prefix, _)| nat.internal_prefix.contains(prefix))
    };
    for nat in nats {
        if claimed(nat) {
            verdict.note(format!("{}: {}", nat.name, nat.internal_prefix));
            continue;
        }
        verdict
            .warn(format!("{}: {} belongs to no network", nat.name, nat.internal_prefix))
            .cause("nat-prefix-conflict")
            .cause("network-object-exists")
            .way_out("If nobody needs it: Remove-NetNat NAME. A NAT network that overlaps it will be refused.");
        if nat.name == NAT_NAME {
            verdict.fix(Fix::RemoveNat(nat.name.clone()));
        }
    }
    let one = era::nat_prefixes(seen.info.build) == era::NatPrefixes::One;
    if one && nats.len() > 1 {
        verdict
            .fail(format!(
                "{} on a host that translates one",
                count(nats.len(), "NAT object")
            ))
            .cause("nat-prefix-conflict")
            .way_out("Keep the one whose network is in use.");
    }
    if nats.is_empty() {
        return verdict.saw("none beside those of the Host Network Service");
    }
    verdict
}

fn nat_provider(seen: &Seen) -> Verdict {
    let missing = |error: &HostError| match &error.code {
        Code::Hresult(code) => *code == codes::WMI_INVALID_CLASS,
        Code::PowerShell(record) => record.id.starts_with("HRESULT 0x80041010"),
    };
    match &seen.nats {
        Err(error) if missing(error) => {
            let mut verdict = Verdict::ok();
            verdict
                .fail("the NetNat cmdlets are there, and answer: invalid class")
                .cause("netnat-provider-missing")
                .way_out("Repair Windows: DISM /Online /Cleanup-Image /RestoreHealth. Docker's and HNS' own NAT goes without the cmdlets.");
            verdict
        }
        Err(error) if error.is_command_missing() => {
            Verdict::not_applicable("the NetNat cmdlets are not there")
        }
        answer => {
            need!(answer);
            Verdict::ok().saw("Get-NetNat answers")
        }
    }
}
