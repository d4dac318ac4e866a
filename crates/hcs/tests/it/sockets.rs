//! The tables of sockets, byte by byte.

use std::net::IpAddr;

use proptest::prelude::*;
use wcow_hcs::sockets::{Socket, SocketProtocol, SocketTable};

fn table(protocol: SocketProtocol, is_v6: bool) -> SocketTable {
    SocketTable { protocol, is_v6 }
}

fn bytes(numbers: &[u32]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_ne_bytes())
        .collect()
}

#[track_caller]
fn check(table: SocketTable, rows: &[u32], expected: &[(&str, u16, u32)]) {
    let found = table.read(&bytes(rows));
    let expected: Vec<Socket> = expected
        .iter()
        .map(|&(address, port, process)| Socket {
            protocol: table.protocol,
            address: address.parse::<IpAddr>().expect("an address"),
            port,
            process,
        })
        .collect();
    assert_eq!(found, expected);
}

/// 127.0.0.1 and port 80 (0x0050), as they lie in memory on a machine whose low byte comes first.
#[cfg(target_endian = "little")]
#[test]
fn each_table_has_its_layout() {
    let (home, http) = (0x0100_007F, 0x5000);
    let tcp = table(SocketProtocol::Tcp, false);
    check(tcp, &[1, 2, home, http, 0, 0, 42], &[("127.0.0.1", 80, 42)]);
    let udp = table(SocketProtocol::Udp, false);
    check(
        udp,
        &[2, home, http, 42, 0, 0x3500, 7],
        &[("127.0.0.1", 80, 42), ("0.0.0.0", 53, 7)],
    );
    let loopback = 0x0100_0000;
    let tcp6 = table(SocketProtocol::Tcp, true);
    check(
        tcp6,
        &[1, 0, 0, 0, loopback, 9, http, 0, 0, 0, 0, 0, 0, 2, 42],
        &[("::1", 80, 42)],
    );
    let udp6 = table(SocketProtocol::Udp, true);
    check(
        udp6,
        &[1, 0, 0, 0, loopback, 9, http, 42],
        &[("::1", 80, 42)],
    );
}

proptest! {
    /// As many rows as are both said and there.
    #[test]
    fn a_count_is_not_believed(said in any::<u32>(), rows in 0usize..5, rest in 0usize..12, which in 0usize..4) {
        let table = SocketTable::ALL[which];
        let size = [24, 56, 12, 28][which];
        let mut bytes = said.to_ne_bytes().to_vec();
        bytes.resize(4 + rows * size + rest, 0);
        let expected = rows.min(usize::try_from(said).expect("64 bits"));
        prop_assert!(rest >= size || table.read(&bytes).len() == expected);
        prop_assert!(table.read(&bytes[..3]).is_empty());
    }
}
