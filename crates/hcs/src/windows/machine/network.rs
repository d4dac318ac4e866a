//! Sockets, interfaces and routes.
#![expect(unsafe_code, reason = "foreign functions")]

use std::io;
use std::net::Ipv4Addr;
use std::ptr;

use windows_sys::Win32::Foundation::{ERROR_BUFFER_OVERFLOW, ERROR_INSUFFICIENT_BUFFER};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    ConvertInterfaceLuidToAlias, FreeMibTable, GetAdaptersAddresses, GetExtendedTcpTable,
    GetExtendedUdpTable, GetIpForwardTable2, IP_ADAPTER_ADDRESSES_LH, MIB_IPFORWARD_ROW2,
    MIB_IPFORWARD_TABLE2,
};
use windows_sys::Win32::Networking::WinSock::{SOCKADDR, SOCKADDR_IN, SOCKADDR_INET};

use super::{check, text_of};
use crate::sockets::{Socket, SocketProtocol, SocketTable};
use crate::text::from_units;

/// `AF_INET` and `AF_INET6`.
const V4: u16 = 2;
const V6: u16 = 23;
/// `TCP_TABLE_OWNER_PID_LISTENER` and `UDP_TABLE_OWNER_PID`.
const TCP_LISTENERS: i32 = 3;
const UDP_OWNERS: i32 = 1;
/// `GAA_FLAG_SKIP_ANYCAST`, `_MULTICAST` and `_DNS_SERVER`.
const UNICAST_ONLY: u32 = 0x2 | 0x4 | 0x8;
/// `IF_TYPE_SOFTWARE_LOOPBACK`.
const LOOPBACK: u32 = 24;
/// How often a table may grow between two calls before it is given up.
const ATTEMPTS: usize = 8;
/// Names of interfaces are shorter; [MS-WMI] `NDIS_IF_MAX_STRING_SIZE` is 256.
const LONGEST_NAME: usize = 512;

/// An interface, the loopback interface aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name: `Ethernet`.
    pub name: String,
    /// Its IPv4 addresses, each with the length of its prefix.
    pub addresses: Vec<(Ipv4Addr, u8)>,
}

/// A route of IPv4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where it leads.
    pub destination: Ipv4Addr,
    /// The length of the prefix.
    pub prefix_length: u8,
    /// The next hop; `0.0.0.0` if the destination is on the link.
    pub next_hop: Ipv4Addr,
    /// The name of the interface it goes through; empty if it has none.
    pub interface: String,
}

/// TCP sockets that take connections, and all UDP sockets.
///
/// # Errors
/// Windows gives no table of them.
pub fn sockets() -> io::Result<Vec<Socket>> {
    let mut found = Vec::new();
    for table in SocketTable::ALL {
        found.extend(table.read(&socket_table(table)?));
    }
    Ok(found)
}

fn socket_table(table: SocketTable) -> io::Result<Vec<u8>> {
    let family = u32::from(if table.is_v6 { V6 } else { V4 });
    let mut buffer: Vec<u8> = Vec::new();
    for _ in 0..ATTEMPTS {
        let mut size = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
        let place = buffer.as_mut_ptr().cast();
        // SAFETY: the buffer is as long as `size` says; the function writes no more, or says how much it needs.
        let answer = unsafe {
            match table.protocol {
                SocketProtocol::Tcp => {
                    GetExtendedTcpTable(place, &raw mut size, 0, family, TCP_LISTENERS, 0)
                }
                SocketProtocol::Udp => {
                    GetExtendedUdpTable(place, &raw mut size, 0, family, UDP_OWNERS, 0)
                }
            }
        };
        if answer != ERROR_INSUFFICIENT_BUFFER {
            check(answer)?;
            return Ok(buffer);
        }
        buffer.resize(usize::try_from(size).unwrap_or(0), 0);
    }
    check(ERROR_INSUFFICIENT_BUFFER).map(|()| buffer)
}

/// The interfaces that have IPv4.
///
/// # Errors
/// Windows does not list them.
pub fn interfaces() -> io::Result<Vec<Interface>> {
    // Numbers of 64 bits, so that the structures are aligned.
    let mut buffer: Vec<u64> = vec![0; 2048];
    for _ in 0..ATTEMPTS {
        let mut size = u32::try_from(size_of_val(buffer.as_slice())).unwrap_or(u32::MAX);
        let first: *mut IP_ADAPTER_ADDRESSES_LH = buffer.as_mut_ptr().cast();
        // SAFETY: the buffer is as long as `size` says, and aligned; the function writes no more, or says how much it needs.
        let answer = unsafe {
            GetAdaptersAddresses(
                u32::from(V4),
                UNICAST_ONLY,
                ptr::null(),
                first,
                &raw mut size,
            )
        };
        match answer {
            // ERROR_NO_DATA: there is none.
            232 => return Ok(Vec::new()),
            ERROR_BUFFER_OVERFLOW => {
                buffer.resize(usize::try_from(size).unwrap_or(0).div_ceil(8), 0);
            }
            answer => {
                check(answer)?;
                // SAFETY: the function filled in a list that begins there; the buffer outlives the call.
                return Ok(unsafe { list(first) });
            }
        }
    }
    check(ERROR_BUFFER_OVERFLOW).map(|()| Vec::new())
}

/// # Safety
/// The pointer is null or that of a list as `GetAdaptersAddresses` makes them.
unsafe fn list(first: *const IP_ADAPTER_ADDRESSES_LH) -> Vec<Interface> {
    let mut found = Vec::new();
    let mut next = first;
    // SAFETY: each element is whole, and its link is null or that of another one.
    while let Some(adapter) = unsafe { next.as_ref() } {
        next = adapter.Next;
        if adapter.IfType == LOOPBACK {
            continue;
        }
        let mut addresses = Vec::new();
        let mut unicast: *const _ = adapter.FirstUnicastAddress;
        // SAFETY: as above.
        while let Some(address) = unsafe { unicast.as_ref() } {
            unicast = address.Next;
            // SAFETY: the address is null or that of a socket address of its family.
            if let Some(v4) = unsafe { v4_of(address.Address.lpSockaddr) } {
                addresses.push((v4, address.OnLinkPrefixLength));
            }
        }
        found.push(Interface {
            // SAFETY: the name is null or ends with a NUL.
            name: unsafe { name_of(adapter.FriendlyName) },
            addresses,
        });
    }
    found
}

/// # Safety
/// The pointer is null or that of a socket address, as long as its family says.
unsafe fn v4_of(address: *const SOCKADDR) -> Option<Ipv4Addr> {
    // SAFETY: the family stands first in every socket address.
    if unsafe { address.as_ref() }?.sa_family != V4 {
        return None;
    }
    // SAFETY: it is one of IPv4.
    let v4 = unsafe { address.cast::<SOCKADDR_IN>().read_unaligned() };
    // SAFETY: every arm of the union is four bytes.
    Some(Ipv4Addr::from(
        unsafe { v4.sin_addr.S_un.S_addr }.to_ne_bytes(),
    ))
}

/// # Safety
/// The pointer is null or that of a text that ends with a NUL.
unsafe fn name_of(text: *const u16) -> String {
    if text.is_null() {
        return String::new();
    }
    let mut units = Vec::new();
    for index in 0..LONGEST_NAME {
        // SAFETY: no unit before it was the last.
        match unsafe { *text.add(index) } {
            0 => break,
            unit => units.push(unit),
        }
    }
    from_units(&units)
}

/// The routes of IPv4, those included that Windows makes for its own addresses, for broadcasts and for multicasts.
///
/// # Errors
/// Windows gives no table of them.
pub fn routes() -> io::Result<Vec<Route>> {
    let mut table: *mut MIB_IPFORWARD_TABLE2 = ptr::null_mut();
    // SAFETY: the function writes one pointer.
    check(unsafe { GetIpForwardTable2(V4, &raw mut table) })?;
    if table.is_null() {
        return Ok(Vec::new());
    }
    // SAFETY: the table is whole: its count, then as many rows.
    let found = unsafe {
        let count = usize::try_from((*table).NumEntries).unwrap_or(0);
        let rows = (&raw const (*table).Table).cast::<MIB_IPFORWARD_ROW2>();
        (0..count).map(|index| route(&*rows.add(index))).collect()
    };
    // SAFETY: it was handed over, and nothing refers to it any more.
    unsafe { FreeMibTable(table.cast()) };
    Ok(found)
}

fn route(row: &MIB_IPFORWARD_ROW2) -> Route {
    let mut name = [0u16; LONGEST_NAME];
    // SAFETY: the buffer is as long as said. An interface that went in between has no name.
    let answer =
        unsafe { ConvertInterfaceLuidToAlias(&row.InterfaceLuid, name.as_mut_ptr(), name.len()) };
    Route {
        destination: inet_v4(&row.DestinationPrefix.Prefix),
        prefix_length: row.DestinationPrefix.PrefixLength,
        next_hop: inet_v4(&row.NextHop),
        interface: check(answer).map_or_else(|_| String::new(), |()| text_of(&name)),
    }
}

fn inet_v4(address: &SOCKADDR_INET) -> Ipv4Addr {
    // SAFETY: the table is one of IPv4, and every arm of the unions is plain numbers.
    Ipv4Addr::from(unsafe { address.Ipv4.sin_addr.S_un.S_addr }.to_ne_bytes())
}
