//! The address plan.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use proptest::prelude::*;
use wcow_network::AddressPlan;

#[track_caller]
fn check(subnet: &str, gateway: &str, used: &[&str], expected: Option<&str>) {
    let plan = AddressPlan::new(subnet.parse().unwrap(), gateway.parse().unwrap());
    let used: BTreeSet<Ipv4Addr> = used
        .iter()
        .map(|address| address.parse().unwrap())
        .collect();
    let found = plan.allocate(&used).ok().map(|address| address.to_string());
    assert_eq!(found.as_deref(), expected);
}

#[test]
fn the_lowest_free_address_is_given() {
    check("172.16.0.0/12", "172.16.0.1", &[], Some("172.16.0.2"));
    check(
        "172.16.0.0/12",
        "172.16.0.1",
        &["172.16.0.2", "172.16.0.3"],
        Some("172.16.0.4"),
    );
    check(
        "172.16.0.0/12",
        "172.16.0.1",
        &["172.16.0.3"],
        Some("172.16.0.2"),
    );
    check("10.0.0.0/24", "10.0.0.254", &[], Some("10.0.0.1"));
    check("10.0.0.0/24", "10.0.0.2", &["10.0.0.1"], Some("10.0.0.3"));
    check("10.0.0.0/30", "10.0.0.1", &[], Some("10.0.0.2"));
    check("10.0.0.0/30", "10.0.0.1", &["10.0.0.2"], None);
    check("10.0.0.77/24", "10.0.0.1", &[], Some("10.0.0.2"));
    check(
        "255.255.255.252/30",
        "255.255.255.253",
        &[],
        Some("255.255.255.254"),
    );
    check(
        "255.255.255.252/30",
        "255.255.255.253",
        &["255.255.255.254"],
        None,
    );
    check("0.0.0.0/0", "0.0.0.1", &[], Some("0.0.0.2"));
}

#[test]
fn subnets_without_room_are_exhausted_at_once() {
    check("10.0.0.0/31", "10.0.0.1", &[], None);
    check("10.0.0.1/32", "10.0.0.1", &[], None);
}

#[test]
fn the_end_is_told_with_the_number_of_addresses() {
    let plan = AddressPlan::new("10.0.0.0/29".parse().unwrap(), "10.0.0.1".parse().unwrap());
    let all: BTreeSet<Ipv4Addr> = plan.subnet().hosts().collect();
    let error = plan.allocate(&all).unwrap_err();
    assert_eq!(
        error.to_string(),
        "all 5 container addresses of 10.0.0.0/29 are in use"
    );
}

prop_compose! {
    /// A subnet that can be filled, a gateway in it or near it, and some used addresses.
    fn subnets()(prefix in 25_u8..=32, bits in any::<u32>(), gateway in -2_i64..140)
        (subnet in Just(Ipv4Net::new(Ipv4Addr::from(bits), prefix).unwrap()), gateway in Just(gateway),
         used in proptest::collection::btree_set(0_u32..140, 0..40)) -> (Ipv4Net, Ipv4Addr, BTreeSet<Ipv4Addr>) {
        let network = u32::from(subnet.network());
        let gateway = i64::from(network) + gateway;
        let gateway = u32::try_from(gateway.clamp(0, i64::from(u32::MAX))).unwrap();
        let used = used.into_iter().map(|offset| Ipv4Addr::from(network.saturating_add(offset))).collect();
        (subnet, gateway.into(), used)
    }
}

proptest! {
    #[test]
    fn addresses_are_given_once_and_to_the_last((subnet, gateway, mut used) in subnets()) {
        let plan = AddressPlan::new(subnet, gateway);
        let before: BTreeSet<_> = used.iter().copied().filter(|address| plan.is_assignable(*address)).collect();
        let mut given = BTreeSet::new();
        let mut last = None;
        while let Ok(address) = plan.allocate(&used) {
            prop_assert!(subnet.contains(&address));
            prop_assert!(address != subnet.network() && address != subnet.broadcast() && address != gateway);
            prop_assert!(plan.is_assignable(address));
            prop_assert!(used.insert(address), "{address} was in use");
            prop_assert!(last < Some(address), "{address} after {last:?}");
            last = Some(address);
            given.insert(address);
        }
        prop_assert_eq!((given.len() + before.len()) as u64, plan.capacity());
    }

    #[test]
    fn a_released_address_is_the_only_one_left((subnet, gateway, _) in subnets(), which: prop::sample::Index) {
        let plan = AddressPlan::new(subnet, gateway);
        let all: Vec<_> = subnet.hosts().filter(|address| plan.is_assignable(*address)).collect();
        prop_assume!(!all.is_empty());
        let released = *which.get(&all);
        let used = all.into_iter().filter(|address| *address != released).collect();
        prop_assert_eq!(plan.allocate(&used), Ok(released));
    }
}
