//! Interfaces and routes: what belongs to a diagnosis of all that Windows keeps.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use wcow_host::{Interface, Route, VmSwitch};

/// The adapter that a switch gives the host is named after the switch.
const VIRTUAL: (&str, &str) = ("vEthernet (", ")");

/// A route as the table has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawRoute {
    /// Where it leads.
    pub destination: Ipv4Net,
    /// The next hop; `0.0.0.0` if the destination is on the link.
    pub next_hop: Ipv4Addr,
    /// The interface it goes through.
    pub interface: String,
}

/// The interfaces, by name, each with its main address and the type of the switch that it is on.
#[must_use]
pub fn interfaces(found: &[(String, Vec<Ipv4Net>)], switches: &[VmSwitch]) -> Vec<Interface> {
    let mut interfaces: Vec<Interface> = found
        .iter()
        .map(|(name, addresses)| Interface {
            name: name.clone(),
            address: main_address(addresses),
            switch: switch_of(name).and_then(|wanted| {
                let switch = switches
                    .iter()
                    .find(|switch| switch.name.eq_ignore_ascii_case(wanted));
                switch.map(|switch| switch.kind)
            }),
        })
        .collect();
    interfaces.sort_by(|a, b| a.name.cmp(&b.name));
    interfaces
}

fn switch_of(interface: &str) -> Option<&str> {
    interface.strip_prefix(VIRTUAL.0)?.strip_suffix(VIRTUAL.1)
}

/// The address of an interface that has several: the first that was not made up for want of another (169.254.0.0/16).
#[must_use]
pub fn main_address(addresses: &[Ipv4Net]) -> Option<Ipv4Net> {
    let given = addresses
        .iter()
        .find(|address| !address.addr().is_link_local());
    given.or(addresses.first()).copied()
}

/// The routes that say where packets to others go. Windows also has one for each of its own addresses and each broadcast, for
/// multicasts and for the loopback; they are in nobody's way.
#[must_use]
pub fn routes(table: Vec<RawRoute>) -> Vec<Route> {
    let is_own = |route: &RawRoute| {
        let host = route.destination.prefix_len() == 32 && route.next_hop.is_unspecified();
        let address = route.destination.addr();
        host || address.is_multicast() || address.is_loopback() || address.is_broadcast()
    };
    let kept = table.into_iter().filter(|route| !is_own(route));
    kept.map(|route| Route {
        destination: route.destination.trunc(),
        next_hop: (!route.next_hop.is_unspecified()).then_some(route.next_hop),
        interface: route.interface,
    })
    .collect()
}
