//! Networks: what there is, endpoints, adapters.

use std::collections::BTreeSet;

use wcow_host::{AdapterState, Machine, RegistryData, SwitchType, era};
use wcow_ntmeta::Guid;

use super::gather::{IPV6_KEY, SeenEndpoint, hns_data};
use super::layers::count;
use super::nat::VIRTUAL;
use super::verdict::{Verdict, need};
use super::{ANY, Check, FROM_2016, FROM_TP5, Fix, SCRIPT, SUPPORT, Seen, Theme};
use crate::networks::NetworkBacking;

/// The adapter that the first Host Network Services made for their NAT network.
const OLD_ADAPTER: &str = "vEthernet (HNS Internal";
/// The state of an endpoint that has lost something below it.
const DEGRADED: u64 = 5;
/// The last build whose Host Network Service made that adapter.
const OLD_ADAPTER_UNTIL: u32 = 15063;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "any-network",
        title: "There is a network for containers",
        theme: Theme::Networks,
        source: SCRIPT,
        hosts: ANY,
        finds: &[],
        run: any_network,
    },
    Check {
        id: "stale-adapters",
        title: "Every virtual adapter belongs to a switch or a network",
        theme: Theme::Networks,
        source: SUPPORT,
        hosts: FROM_TP5,
        finds: &[
            "network-object-exists",
            "hns-create-failed",
            "switch-being-deleted",
        ],
        run: stale_adapters,
    },
    Check {
        id: "recorded-networks",
        title: "Every network of wcow is on the host",
        theme: Theme::Networks,
        source: SUPPORT,
        hosts: ANY,
        finds: &["network-not-found"],
        run: recorded_networks,
    },
    Check {
        id: "orphan-endpoints",
        title: "Every endpoint belongs to a container",
        theme: Theme::Networks,
        source: SUPPORT,
        hosts: FROM_TP5,
        finds: &[
            "network-has-endpoints",
            "published-port-taken",
            "endpoint-attached-elsewhere",
            "endpoint-leak",
        ],
        run: orphan_endpoints,
    },
    Check {
        id: "degraded-endpoints",
        title: "No endpoint is degraded",
        theme: Theme::Networks,
        source: SUPPORT,
        hosts: FROM_TP5,
        finds: &["endpoint-attached-elsewhere", "endpoint-leak"],
        run: degraded_endpoints,
    },
    Check {
        id: "adapters",
        title: "There is a connected adapter that no switch has yet",
        theme: Theme::Networks,
        source: SUPPORT,
        hosts: ANY,
        finds: &[
            "hns-adapter-not-found",
            "external-switch-no-adapter",
            "adapter-in-use",
        ],
        run: adapters,
    },
    Check {
        id: "mac-spoofing",
        title: "A virtual machine with an external switch may send under other MAC addresses",
        theme: Theme::Networks,
        source: SUPPORT,
        hosts: ANY,
        finds: &["apipa-without-mac-spoofing"],
        run: mac_spoofing,
    },
    Check {
        id: "ipv6",
        title: "IPv6 is not turned off",
        theme: Theme::Networks,
        source: SUPPORT,
        hosts: FROM_2016,
        finds: &["network-not-found", "network-element-missing"],
        run: ipv6,
    },
];
fn any_network(seen: &Seen) -> Verdict {
    let mut verdict = Verdict::ok();
    if era::has_hns(seen.info.build) {
        const USABLE: [&str; 3] = ["nat", "transparent", "l2bridge"];
        let networks = need!(seen.networks);
        for network in networks {
            verdict.note(format!("{} ({})", network.name, network.kind));
        }
        if networks
            .iter()
            .any(|network| USABLE.contains(&network.kind.as_str()))
        {
            return verdict;
        }
        verdict.warn(if networks.is_empty() {
            "the host has no network for containers"
        } else {
            "none of them leads out of the host (nat, transparent, l2bridge)"
        });
    } else {
        let switches = need!(seen.switches);
        if !switches.is_empty() {
            let names: Vec<&str> = switches.iter().map(|switch| switch.name.as_str()).collect();
            return verdict.saw(names.join(", "));
        }
        verdict.warn("the host has no virtual switch");
    }
    verdict.way_out(
        "Make one: wcow network create NAME. Containers without a network run all the same.",
    );
    verdict
}

fn stale_adapters(seen: &Seen) -> Verdict {
    let interfaces = need!(seen.interfaces);
    let networks = need!(seen.networks);
    let mut known: BTreeSet<String> = BTreeSet::new();
    known.extend(networks.iter().map(|network| network.name.to_lowercase()));
    known.extend(
        networks
            .iter()
            .map(|network| network.adapter.to_lowercase()),
    );
    known.extend(
        seen.switches
            .iter()
            .flatten()
            .map(|switch| switch.name.to_lowercase()),
    );
    let has_nat = networks.iter().any(|network| network.kind == "nat");
    let mut verdict = Verdict::ok();
    let mut virtual_ones = 0;
    for interface in interfaces {
        let Some(name) = interface.name.strip_prefix(VIRTUAL) else {
            continue;
        };
        virtual_ones += 1;
        let name = name.trim_end_matches(')').to_lowercase();
        let old = interface.name.starts_with(OLD_ADAPTER)
            && has_nat
            && seen.info.build <= OLD_ADAPTER_UNTIL;
        // The switch that Windows 10 and 11 bring along.
        let built_in = name == "default switch";
        if old || built_in || known.contains(&name) {
            continue;
        }
        verdict
            .warn(format!(
                "{} belongs to no switch and no network that the host lists",
                interface.name
            ))
            .cause("network-object-exists")
            .cause("hns-create-failed")
            .cause("switch-being-deleted");
    }
    if verdict.evidence.is_empty() {
        return verdict.saw(count(virtual_ones, "virtual adapter"));
    }
    if let Ok(Some(data)) = &seen.hns_data {
        verdict.note(format!(
            "{} was last written at {}: it is out of step",
            hns_data(),
            data.written
        ));
    }
    verdict.way_out(format!(
        "Remove the adapter in the device manager (shown with hidden devices). If it comes back: Stop-Service hns, delete {}, Start-Service hns; all networks are to be made again then.",
        hns_data()
    ));
    verdict
}

fn recorded_networks(seen: &Seen) -> Verdict {
    let recorded = need!(seen.recorded_networks);
    let mut verdict = Verdict::ok();
    for network in recorded.iter().filter(|network| !network.unfinished) {
        let name = &network.name;
        let there = match &network.backing {
            NetworkBacking::Hns { id } => need!(seen.networks)
                .iter()
                .any(|known| known.id.parse() == Ok(*id)),
            NetworkBacking::Switch { switch, .. } => need!(seen.switches)
                .iter()
                .any(|known| known.name == *switch),
        };
        if there {
            verdict.note(format!("{name}: there"));
        } else if network.made_again {
            verdict.note(format!(
                "{name}: not there, and made again when a container needs it"
            ));
        } else {
            verdict
                .fail(format!("{name}: {} is not there", network.backing))
                .cause("network-not-found")
                .way_out("Remove the network and make it again: wcow network rm NAME; wcow network create NAME");
        }
    }
    if recorded.is_empty() {
        return verdict.saw("wcow made none");
    }
    verdict
}

/// The containers of wcow that an endpoint was made for.
fn claims(seen: &Seen) -> Vec<(Guid, &str)> {
    let containers = seen.containers.iter().flatten();
    containers
        .filter_map(|record| {
            let running = record.running.as_ref()?;
            Some((running.endpoint.as_ref()?.id, record.id()))
        })
        .collect()
}

fn shown(endpoint: &SeenEndpoint) -> String {
    let id = endpoint.id.map(|id| id.to_string()).unwrap_or_default();
    format!("{id} {} {}", endpoint.name, endpoint.address)
        .trim()
        .to_owned()
}

fn orphan_endpoints(seen: &Seen) -> Verdict {
    let (endpoints, systems) = (need!(seen.endpoints), need!(seen.systems));
    need!(seen.containers);
    let claims = claims(seen);
    let live: BTreeSet<String> = systems
        .iter()
        .map(|system| system.id.0.to_lowercase())
        .collect();
    let mut verdict = Verdict::ok();
    for endpoint in endpoints {
        let of = claims.iter().find(|(id, _)| Some(*id) == endpoint.id);
        if let Some((_, container)) = of {
            let elsewhere = endpoint
                .systems
                .iter()
                .find(|system| !system.eq_ignore_ascii_case(container));
            if let Some(system) = elsewhere {
                verdict
                    .fail(format!(
                        "{}: attached to {system}, and made for {container}",
                        shown(endpoint)
                    ))
                    .cause("endpoint-attached-elsewhere")
                    .way_out("Stop the container and start it again.");
            }
            continue;
        }
        let attached = endpoint
            .systems
            .iter()
            .any(|system| live.contains(&system.to_lowercase()));
        if attached {
            continue;
        }
        verdict
            .warn(format!("{}: no container has it", shown(endpoint)))
            .cause("network-has-endpoints")
            .cause("endpoint-leak")
            .cause("published-port-taken")
            .way_out("Remove it, unless another program is about to attach it.");
        if let Some(id) = endpoint.id.filter(|_| seen.bad_records.is_empty()) {
            verdict.fix(Fix::RemoveEndpoint(id));
        }
    }
    if verdict.evidence.is_empty() {
        return verdict.saw(count(endpoints.len(), "endpoint"));
    }
    verdict
}

fn degraded_endpoints(seen: &Seen) -> Verdict {
    let endpoints = need!(seen.endpoints);
    let mut verdict = Verdict::ok();
    for endpoint in endpoints {
        if endpoint.state == Some(DEGRADED) {
            verdict
                .fail(format!("{}: degraded", shown(endpoint)))
                .cause("endpoint-attached-elsewhere")
                .cause("endpoint-leak")
                .way_out("Stop the container and start it again: it gets a new endpoint. An endpoint without a container can be removed.");
        }
    }
    if verdict.evidence.is_empty() {
        return verdict.saw(count(endpoints.len(), "endpoint"));
    }
    verdict
}

fn adapters(seen: &Seen) -> Verdict {
    let adapters = need!(seen.adapters);
    let mut verdict = Verdict::ok();
    let connected: Vec<&str> = adapters
        .iter()
        .filter(|adapter| adapter.physical && adapter.state == AdapterState::Up)
        .map(|adapter| adapter.name.as_str())
        .collect();
    if connected.is_empty() {
        verdict
            .warn(
                "no physical adapter is connected: no external or transparent network can be made",
            )
            .cause("hns-adapter-not-found")
            .cause("external-switch-no-adapter")
            .way_out(
                "Connect one. A Nano Server in a virtual machine needs the package Guest for it.",
            );
        return verdict;
    }
    let by_switch = |name: &str| {
        let switches = seen.switches.iter().flatten();
        let mut bound = switches.filter_map(|switch| switch.adapter.as_deref());
        bound.any(|bound| bound.eq_ignore_ascii_case(name))
    };
    let by_network = |name: &str| {
        let mut networks = seen.networks.iter().flatten();
        networks.any(|network| network.adapter.eq_ignore_ascii_case(name))
    };
    for name in &connected {
        let state = if by_switch(name) || by_network(name) {
            "has a switch"
        } else {
            "free"
        };
        verdict.note(format!("{name}: {state}"));
    }
    let free = connected
        .iter()
        .any(|name| !by_switch(name) && !by_network(name));
    if !free {
        verdict
            .warn("no connected adapter is left for another external or transparent network")
            .cause("adapter-in-use")
            .cause("hns-adapter-not-found")
            .way_out("That is no trouble unless you want another one: connect containers to the switch that is there.");
    }
    verdict
}

fn mac_spoofing(seen: &Seen) -> Verdict {
    if seen.info.machine == Machine::Physical {
        return Verdict::not_applicable("this is no virtual machine");
    }
    let external = seen
        .switches
        .iter()
        .flatten()
        .filter(|switch| switch.kind == SwitchType::External)
        .map(|switch| switch.name.as_str());
    let bridged = seen
        .networks
        .iter()
        .flatten()
        .filter(|network| matches!(network.kind.as_str(), "transparent" | "l2bridge"))
        .map(|network| network.name.as_str());
    let names: Vec<&str> = external.chain(bridged).collect();
    if names.is_empty() {
        return Verdict::not_applicable("no external switch and no transparent network is there");
    }
    let way_out = "On the machine below: Get-VMNetworkAdapter -VMName NAME | Set-VMNetworkAdapter -MacAddressSpoofing On. Without it containers get 169.254.x.x, and nothing says why.";
    match need!(seen.hardware).mac_spoofing {
        Some(true) => Verdict::ok().saw(format!("allowed, for {}", names.join(", "))),
        Some(false) => {
            let mut verdict = Verdict::ok();
            verdict
                .fail(format!("not allowed, and {} needs it", names.join(", ")))
                .cause("apipa-without-mac-spoofing")
                .way_out(way_out);
            verdict
        }
        None => {
            let mut verdict = Verdict::cannot_tell(
                "from inside a virtual machine it cannot be seen whether it is allowed",
            );
            verdict.way_out(way_out);
            verdict
        }
    }
}

fn ipv6(seen: &Seen) -> Verdict {
    let mut verdict = Verdict::ok();
    match need!(seen.value(IPV6_KEY, "DisabledComponents")) {
        Some(RegistryData::Dword(mask)) if mask & 0xFF == 0xFF => {
            verdict
                .warn(format!(r"HKLM\{IPV6_KEY}: DisabledComponents = {mask:#x}"))
                .cause("network-not-found")
                .cause("network-element-missing")
                .way_out("Networks fail with `Element not found` without it: delete the value, and restart the host.");
            verdict
        }
        Some(data) => verdict.saw(format!("DisabledComponents = {data}")),
        None => verdict.saw("no component of it is turned off"),
    }
}
