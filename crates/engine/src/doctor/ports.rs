//! The ports of the host that containers publish.

use wcow_host::TransportProtocol;
use wcow_network::PortMapping;

use super::verdict::{Verdict, need};
use super::{ANY, Check, SUPPORT, Seen, Theme};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "port-ranges",
        title: "No published port lies in an excluded or reserved range",
        theme: Theme::Networks,
        source: SUPPORT,
        hosts: ANY,
        finds: &["published-port-taken"],
        run: port_ranges,
    },
    Check {
        id: "port-listeners",
        title: "No program of the host listens on a published port",
        theme: Theme::Networks,
        source: SUPPORT,
        hosts: ANY,
        finds: &["published-port-taken"],
        run: port_listeners,
    },
    Check {
        id: "port-duplicates",
        title: "No two containers publish the same port, and no static mapping has it",
        theme: Theme::Networks,
        source: SUPPORT,
        hosts: ANY,
        finds: &[
            "published-port-taken",
            "static-mapping-taken",
            "duplicate-port-accepted",
        ],
        run: port_duplicates,
    },
];

/// Version 1709: its Host Network Service takes a port twice, and traffic goes to either.
const COMPARES_NOTHING: u32 = 16299;
const OTHER_PORT: &str = "Publish another port, or free this one.";

/// The published ports, each with its container, and whether that was started.
fn published(seen: &Seen) -> impl Iterator<Item = (&str, PortMapping, bool)> {
    let containers = seen.containers.iter().flatten();
    containers.flat_map(|record| {
        record
            .publish
            .iter()
            .map(|mapping| (record.name.as_str(), *mapping, record.running.is_some()))
    })
}

fn port(protocol: TransportProtocol, number: u16) -> String {
    match protocol {
        TransportProtocol::Tcp => format!("{number}/tcp"),
        TransportProtocol::Udp => format!("{number}/udp"),
    }
}

fn nothing_published(seen: &Seen) -> bool {
    published(seen).next().is_none()
}

fn port_ranges(seen: &Seen) -> Verdict {
    let ranges = need!(seen.port_ranges);
    need!(seen.containers);
    let mut verdict = Verdict::ok();
    for (container, mapping, started) in published(seen) {
        // What a container that runs has reserved is its own.
        if started {
            continue;
        }
        let range = ranges.iter().find(|range| {
            range.protocol == mapping.protocol
                && (range.first..=range.last).contains(&mapping.external)
        });
        if let Some(range) = range {
            verdict
                .warn(format!(
                    "container {container} publishes {}, and {} to {} are {}",
                    port(mapping.protocol, mapping.external),
                    range.first,
                    range.last,
                    if range.administered { "excluded" } else { "reserved" }
                ))
                .cause("published-port-taken")
                .way_out("Publish another port, or take the range away: netsh int ipv4 show excludedportrange tcp. Reserved ranges change with every restart.");
        }
    }
    if !verdict.evidence.is_empty() {
        return verdict;
    }
    verdict.saw(if nothing_published(seen) {
        "no container publishes a port".to_owned()
    } else {
        format!("none in {} ranges", ranges.len())
    })
}

fn port_listeners(seen: &Seen) -> Verdict {
    let listeners = need!(seen.listeners);
    need!(seen.containers);
    let mut verdict = Verdict::ok();
    for (container, mapping, _) in published(seen) {
        let taken = listeners.iter().find(|listener| {
            listener.protocol == mapping.protocol && listener.port == mapping.external
        });
        if let Some(listener) = taken {
            verdict
                .warn(format!(
                    "container {container} publishes {}, and {} listens on {}",
                    port(mapping.protocol, mapping.external),
                    listener.process,
                    listener.address
                ))
                .cause("published-port-taken")
                .way_out(OTHER_PORT);
        }
    }
    if !verdict.evidence.is_empty() {
        return verdict;
    }
    verdict.saw(if nothing_published(seen) {
        "no container publishes a port"
    } else {
        "no listener on any of them"
    })
}

fn port_duplicates(seen: &Seen) -> Verdict {
    need!(seen.containers);
    let mut verdict = Verdict::ok();
    let mut taken: Vec<(&str, PortMapping)> = Vec::new();
    for (container, mapping, started) in published(seen) {
        let same = |other: &PortMapping| {
            other.external == mapping.external && other.protocol == mapping.protocol
        };
        if let Some((other, _)) = taken.iter().find(|(_, known)| same(known)) {
            verdict
                .warn(format!(
                    "containers {other} and {container} both publish {}: only one of them can run",
                    port(mapping.protocol, mapping.external)
                ))
                .cause(if seen.info.build == COMPARES_NOTHING {
                    "duplicate-port-accepted"
                } else {
                    "published-port-taken"
                })
                .way_out(OTHER_PORT);
        }
        taken.push((container, mapping));
        // Where there is no NetNat module there are no mappings either.
        let held = seen.mappings.iter().flatten().find(|known| {
            known.mapping.external_port == mapping.external
                && known.mapping.protocol == mapping.protocol
        });
        if let Some(held) = held.filter(|_| !started) {
            verdict
                .warn(format!(
                    "container {container} publishes {}, and mapping {} of NAT {:?} has it",
                    port(mapping.protocol, mapping.external),
                    held.id,
                    held.mapping.nat
                ))
                .cause("static-mapping-taken")
                .way_out("Remove the mapping if nobody needs it: Remove-NetNatStaticMapping.");
        }
    }
    if !verdict.evidence.is_empty() {
        return verdict;
    }
    verdict.saw(format!("{} published, each once", taken.len()))
}
