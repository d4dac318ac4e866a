//! The tables of sockets that iphlpapi.dll fills in: a count, then rows, all of 32-bit numbers in the machine's order.
//!
//! | table | row in bytes | address at | port at | process at |
//! |---|---|---|---|---|
//! | `MIB_TCPTABLE_OWNER_PID` | 24 | 4 | 8 | 20 |
//! | `MIB_TCP6TABLE_OWNER_PID` | 56 | 0 | 20 | 52 |
//! | `MIB_UDPTABLE_OWNER_PID` | 12 | 0 | 4 | 8 |
//! | `MIB_UDP6TABLE_OWNER_PID` | 28 | 0 | 20 | 24 |
//!
//! A port stands in the first two bytes of its number, the high one first; an address is bytes in their order.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a table is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketTable {
    /// TCP or UDP.
    pub protocol: SocketProtocol,
    /// IPv4 or IPv6.
    pub is_v6: bool,
}

/// TCP or UDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketProtocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// A socket of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Socket {
    /// TCP or UDP.
    pub protocol: SocketProtocol,
    /// The address it is bound to.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// The process.
    pub process: u32,
}

impl SocketTable {
    /// Every table.
    pub const ALL: [Self; 4] = [
        Self::new(SocketProtocol::Tcp, false),
        Self::new(SocketProtocol::Tcp, true),
        Self::new(SocketProtocol::Udp, false),
        Self::new(SocketProtocol::Udp, true),
    ];

    const fn new(protocol: SocketProtocol, is_v6: bool) -> Self {
        Self { protocol, is_v6 }
    }

    /// Size of a row, and where in it the address, the port and the process are.
    const fn layout(self) -> [usize; 4] {
        match (self.protocol, self.is_v6) {
            (SocketProtocol::Tcp, false) => [24, 4, 8, 20],
            (SocketProtocol::Tcp, true) => [56, 0, 20, 52],
            (SocketProtocol::Udp, false) => [12, 0, 4, 8],
            (SocketProtocol::Udp, true) => [28, 0, 20, 24],
        }
    }

    /// The rows of a table, as many as are there: a count beyond the bytes is not believed.
    pub fn read(self, table: &[u8]) -> Vec<Socket> {
        let Some((count, rows)) = table.split_first_chunk() else {
            return Vec::new();
        };
        let count = usize::try_from(u32::from_ne_bytes(*count)).unwrap_or(usize::MAX);
        let [size, ..] = self.layout();
        rows.chunks_exact(size)
            .take(count)
            .filter_map(|row| self.row(row))
            .collect()
    }

    fn row(self, row: &[u8]) -> Option<Socket> {
        let [_, address, port, process] = self.layout();
        let address = if self.is_v6 {
            IpAddr::V6(Ipv6Addr::from(*row.get(address..)?.first_chunk()?))
        } else {
            IpAddr::V4(Ipv4Addr::from(*row.get(address..)?.first_chunk()?))
        };
        Some(Socket {
            protocol: self.protocol,
            address,
            port: u16::from_be_bytes(*row.get(port..)?.first_chunk()?),
            process: u32::from_ne_bytes(*row.get(process..)?.first_chunk()?),
        })
    }
}
