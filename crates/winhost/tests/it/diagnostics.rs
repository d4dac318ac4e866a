//! Evidence of this machine: Wine or a Windows, with stand-ins for the programs that Wine lacks.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};

use serde_json::json;
use wcow_host::codes::win32;
use wcow_host::{Diagnostics, RegistryData, TransportProtocol};
use wcow_ntmeta::FileTime;
use wcow_winhost::diagnostics::WinDiagnostics;
use windows_registry::LOCAL_MACHINE;

use crate::control::is_wine;
use crate::support::{StandIns, block_on, error, rows};

#[test]
fn volumes_of_local_disks() {
    let found = block_on(WinDiagnostics::new().volumes()).expect("they are listed");
    let system = found.iter().find(|volume| volume.drive == "C:");
    assert!(system.is_some_and(|volume| volume.free_bytes > 0 && !volume.file_system.is_empty()));
}

#[test]
fn this_process_runs_and_listens() {
    let diagnostics = WinDiagnostics::new();
    let processes = block_on(diagnostics.processes()).expect("they are listed");
    let own = processes
        .iter()
        .find(|process| process.id == std::process::id())
        .expect("this one runs");
    assert!(own.name.ends_with(".exe"), "{}", own.name);
    assert!(processes.is_sorted_by_key(|process| process.id));

    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let wanted = [
        (TransportProtocol::Tcp, tcp.local_addr().expect("bound")),
        (TransportProtocol::Udp, udp.local_addr().expect("bound")),
    ];
    let listeners = block_on(diagnostics.listeners()).expect("they are listed");
    for (protocol, address) in wanted {
        let found = listeners.iter().find(|listener| {
            listener.protocol == protocol
                && listener.address == address.ip()
                && listener.port == address.port()
        });
        let process = found.map(|found| found.process.as_str());
        // Wine does not tell whose a socket is.
        let known = process == Some(own.name.as_str()) || is_wine() && process == Some("");
        assert!(known, "{protocol:?} {address}: {process:?}");
    }
}

#[test]
fn registry_values_by_type() {
    const KEY: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";
    let diagnostics = WinDiagnostics::new();
    let found = block_on(diagnostics.registry_values(&[KEY, r"SOFTWARE\wcow\not there"]));
    let found = found.expect("they can be read");
    let key = LOCAL_MACHINE.open(KEY).expect("every Windows has it");
    let build = key.get_string("CurrentBuildNumber").expect("a text");
    let value = |name: &str| {
        found
            .iter()
            .find(|value| value.key == KEY && value.name == name)
            .map(|value| &value.data)
    };
    assert_eq!(
        value("CurrentBuildNumber"),
        Some(&RegistryData::Text(build))
    );
    const SERVICE: &str = r"SYSTEM\CurrentControlSet\Services\RpcSs";
    let found = block_on(diagnostics.registry_values(&[SERVICE])).expect("they can be read");
    let start = found.iter().find(|value| value.name == "Start");
    let key = LOCAL_MACHINE.open(SERVICE).expect("both have this service");
    let number = key.get_u32("Start").expect("a number");
    assert_eq!(
        start.map(|value| &value.data),
        Some(&RegistryData::Dword(number))
    );
}

#[test]
fn hardware_is_counted() {
    let hardware = block_on(WinDiagnostics::new().hardware()).expect("it is known");
    assert!(hardware.processors > 0 && hardware.memory_mib > 0);
    assert_eq!(hardware.mac_spoofing, None);
}

#[test]
fn routes_and_interfaces_agree() {
    let stand_ins = StandIns::powershell(rows(json!([])));
    let diagnostics = WinDiagnostics::with(stand_ins.tools());
    let interfaces = block_on(diagnostics.interfaces()).expect("they are listed");
    for route in block_on(diagnostics.routes()).expect("they are listed") {
        assert!(!route.destination.addr().is_loopback(), "{route:?}");
        if route.next_hop.is_none() {
            let owner = interfaces.iter().find(|interface| {
                interface
                    .address
                    .is_some_and(|address| address.trunc() == route.destination)
            });
            assert!(owner.is_some(), "{route:?} among {interfaces:?}");
        }
    }
}

#[test]
fn programs_of_the_machines_path() {
    let diagnostics = WinDiagnostics::new();
    let found = block_on(diagnostics.program_on_path("cmd.exe")).expect("it can be asked");
    let found = found.expect("every Windows has it").to_string();
    assert!(
        found.to_lowercase().ends_with(r"\system32\cmd.exe"),
        "{found}"
    );
    assert_eq!(
        block_on(diagnostics.program_on_path("wcow-not-there.exe")),
        Ok(None)
    );
}

#[test]
fn what_programs_say_becomes_evidence() {
    let rule = "a  b\r\n---  ---\r\n";
    let event = "<Event><System><Provider Name='p'/><EventID>7</EventID><Level>3</Level>\
        <TimeCreated SystemTime='2026-11-26T10:00:00Z'/><Channel>System</Channel></System></Event>";
    let stand_ins = StandIns::new(&[
        (
            "fltmc",
            json!([{ "to": "filters", "stdout": format!("{rule}wcifs 0 189900 0\r\n") }]),
        ),
        (
            "netsh",
            json!([
                { "to": "protocol=tcp", "stdout": format!("{rule}  80 80\r\n") },
                { "to": "protocol=udp", "stdout": format!("{rule}  53 53 *\r\n") },
            ]),
        ),
        (
            "wevtutil",
            json!([{ "to": "qe System", "stdout": event, "wide": true }, { "to": "qe Missing", "exit": 15007 }, { "to": "qe", "exit": 5 }]),
        ),
    ]);
    let diagnostics = WinDiagnostics::with(stand_ins.tools());
    let filters = block_on(diagnostics.filter_drivers()).expect("they are listed");
    assert_eq!(filters[0].name, "wcifs");
    let ranges = block_on(diagnostics.port_ranges()).expect("they are listed");
    let firsts: Vec<_> = ranges
        .iter()
        .map(|range| (range.first, range.administered))
        .collect();
    assert_eq!(firsts, [(80, false), (53, true)]);
    let since = FileTime::parse_rfc3339("2026-11-26T00:00:00Z").expect("a time");
    let events = block_on(diagnostics.events(&["System", "Missing", "/x"], since, 5))
        .expect("they are read");
    assert_eq!(events.len(), 1);
    let asked = stand_ins
        .calls()
        .into_iter()
        .find(|call| call.program == "wevtutil");
    let asked = asked.expect("wevtutil was asked");
    assert_eq!(
        asked.arguments,
        [
            "qe",
            "System",
            "/q:*[System[TimeCreated[@SystemTime>='2026-11-26T00:00:00.0000000Z']]]",
            "/c:5",
            "/rd:true",
            "/f:RenderedXml",
            "/uni:true"
        ]
    );
    let denied = block_on(diagnostics.events(&["Security"], since, 5)).expect_err("no rights");
    assert_eq!(
        (denied.hresult(), denied.object.as_str()),
        (Some(win32::ACCESS_DENIED), "Security")
    );
}

/// Without NetNat nothing is translated; that is no trouble. A module that is there and fails is.
#[test]
fn translated_prefixes_and_attached_disks() {
    let record = |id: &str| {
        error(json!({
            "category": "ObjectNotFound", "target": "", "activity": "", "exception": "x", "id": id, "message": "", "hresult": -2_147_217_392,
        }))
    };
    let missing = StandIns::powershell(record("CommandNotFoundException"));
    let found = block_on(WinDiagnostics::with(missing.tools()).translated_prefixes());
    assert_eq!(found, Ok(Vec::new()));

    let broken = StandIns::powershell(record("HRESULT 0x80041010,Get-NetNat"));
    let error = block_on(WinDiagnostics::with(broken.tools()).translated_prefixes());
    let error = error.expect_err("an invalid class");
    assert_eq!(error.hresult().map(|code| code.0), Some(0x8004_1010));

    let disks = StandIns::powershell(rows(json!([
        { "location": r"C:\scratch\one\sandbox.vhdx" },
        { "location": r"C:\scratch\00efa81e-dea4-4e25-9614-65d2aba23274.vhdx" },
        { "location": r"D:\vm\disk.vhdx" },
    ])));
    let attached = block_on(WinDiagnostics::with(disks.tools()).attached_scratches());
    let attached = attached.expect("they are listed");
    // Which of the two it is depends on the build of this machine.
    let shown: Vec<String> = attached.iter().map(ToString::to_string).collect();
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert!(shown[0].starts_with(r"C:\scratch\"), "{shown:?}");
}
