//! Which address of a subnet is free.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// Hands out the addresses of a subnet, lowest first. The network address, the broadcast address and the gateway are never
/// handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressPlan {
    subnet: Ipv4Net,
    gateway: Ipv4Addr,
}

/// Every address of a subnet is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("all {capacity} container addresses of {subnet} are in use")]
pub struct Exhausted {
    /// The subnet.
    pub subnet: Ipv4Net,
    /// How many addresses it has for containers.
    pub capacity: u64,
}

impl AddressPlan {
    /// A plan for a subnet with this gateway. Host bits of `subnet` do not count.
    #[must_use]
    pub fn new(subnet: Ipv4Net, gateway: Ipv4Addr) -> Self {
        Self {
            subnet: subnet.trunc(),
            gateway,
        }
    }

    /// The subnet.
    #[must_use]
    pub fn subnet(&self) -> Ipv4Net {
        self.subnet
    }

    /// The gateway.
    #[must_use]
    pub fn gateway(&self) -> Ipv4Addr {
        self.gateway
    }

    /// How many addresses there are for containers.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        let size = 1_u64 << (32 - u32::from(self.subnet.prefix_len()));
        let reserved = if self.may_have(self.gateway) { 3 } else { 2 };
        size.saturating_sub(reserved)
    }

    /// Whether a container may have this address: it is in the subnet, and neither network, broadcast nor gateway.
    #[must_use]
    pub fn is_assignable(&self, address: Ipv4Addr) -> bool {
        self.may_have(address) && address != self.gateway
    }

    /// The lowest address that is free. Takes time in proportion to `used`, not to the subnet.
    ///
    /// # Errors
    /// None is free.
    pub fn allocate(&self, used: &BTreeSet<Ipv4Addr>) -> Result<Ipv4Addr, Exhausted> {
        let first = u32::from(self.subnet.network()).saturating_add(1);
        let broadcast = u32::from(self.subnet.broadcast());
        (first..broadcast)
            .map(Ipv4Addr::from)
            .find(|address| *address != self.gateway && !used.contains(address))
            .ok_or(Exhausted {
                subnet: self.subnet,
                capacity: self.capacity(),
            })
    }

    fn may_have(&self, address: Ipv4Addr) -> bool {
        self.subnet.contains(&address)
            && address != self.subnet.network()
            && address != self.subnet.broadcast()
    }
}
