//! What programs of Windows write, in more than one language.

use ipnet::Ipv4Net;
use proptest::prelude::*;
use wcow_host::{
    EventLevel, FeatureState, FilterDriver, PortRange, SwitchType, TransportProtocol, VmSwitch,
};
use wcow_ntmeta::{FileTime, HostPath};
use wcow_winhost::reading::{
    RawRoute, TimedQuery, dism_table, events, feature, filter_drivers, find_on_path, interfaces,
    is_plain_name, newest_first, packages, port_ranges, routes, scratch_of,
};

const FILTERS: &str = "\r
Filtername                      Anz. Instanzen   H\u{f6}he         Rahmen\r
------------------------------  -------------  ------------  -----\r
bindflt                                 1       409800         0\r
wcifs                                   0       189900         0\r
csc driver                              2       180000.25      0\r
CldFlt                                  0       180451         0\r
oldav                                                        <Vorversion>\r
AVLegacy                                        389998.99   <Legacy>\r
WdFilter                               11       328010         0\r
";

#[test]
fn filter_drivers_are_sorted_by_their_altitude() {
    let found = filter_drivers(FILTERS).expect("a table");
    let shown: Vec<String> = found
        .iter()
        .map(|FilterDriver { name, altitude }| format!("{name} {altitude}"))
        .collect();
    assert_eq!(
        shown,
        [
            "bindflt 409800",
            "WdFilter 328010",
            "wcifs 189900",
            "CldFlt 180451",
            "csc driver 180000.25",
            "oldav ",
            "AVLegacy "
        ]
    );
    assert_eq!(filter_drivers("Access is denied."), None);
}

const PORTS: &str = "\r
Protocol tcp Port Exclusion Ranges\r
\r
Start Port    End Port      \r
----------    --------      \r
     50000       50059     *\r
        80          80      \r
      5357        5300      \r
\r
* - Administered port exclusions.\r
";

#[test]
fn port_ranges_by_first_port() {
    let range = |first, last, administered| PortRange {
        protocol: TransportProtocol::Tcp,
        first,
        last,
        administered,
    };
    assert_eq!(
        port_ranges(PORTS, TransportProtocol::Tcp),
        Some(vec![range(80, 80, false), range(50000, 50059, true)])
    );
    assert_eq!(port_ranges("", TransportProtocol::Udp), None);
}

const EVENTS: &str = "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>\
<Provider Name='Service Control Manager' Guid='{555908d1-a6d7-4695-8e1e-26931d2012f4}'/><EventID Qualifiers='49152'>7031</EventID>\
<Level>2</Level><TimeCreated SystemTime='2026-11-26T10:00:00.123456789Z'/><Channel>System</Channel></System>\
<RenderingInfo Culture='de-DE'><Message>Der Dienst &lt;hns&gt; wurde beendet.</Message></RenderingInfo></Event>\r\n\
<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='gone'/><EventID>1</EventID>\
<Level>0</Level><TimeCreated SystemTime='2026-11-26T11:00:00.000Z'/><Channel>Application</Channel></System>\
<EventData><Data Name='a'>one</Data><Data>two</Data></EventData></Event>\
<Event><System><EventID>no number</EventID></System></Event>";

#[test]
fn events_with_and_without_a_text() {
    let found = events(EVENTS).expect("XML");
    let found = newest_first(found, 10);
    assert_eq!(found.len(), 2);
    assert_eq!(
        (found[0].message.as_str(), found[0].level),
        ("one; two", EventLevel::Information)
    );
    let crash = &found[1];
    assert_eq!(
        (crash.provider.as_str(), crash.id, crash.level),
        ("Service Control Manager", 7031, EventLevel::Error)
    );
    assert_eq!(crash.message, "Der Dienst <hns> wurde beendet.");
    assert_eq!(crash.time.to_string(), "2026-11-26T10:00:00.1234567Z");
    assert_eq!(newest_first(found, 1).len(), 1);
    assert_eq!(events(""), Some(Vec::new()));
    assert_eq!(events("<Event>"), None);
    let since = FileTime::parse_rfc3339("2026-11-25T00:00:00Z").expect("a time");
    assert_eq!(
        TimedQuery(since).to_string(),
        "*[System[TimeCreated[@SystemTime>='2026-11-25T00:00:00.0000000Z']]]"
    );
}

const FEATURES: &str = "
Deployment Image Servicing and Management tool
Version: 10.0.14393.0

------------------------------------------- | --------
Feature Name                                | State
------------------------------------------- | --------
Containers                                  | Enable Pending
Microsoft-Hyper-V                           | Disabled with Payload Removed
NetFx4                                      | Enabled

The operation completed successfully.
";

#[test]
fn features_as_dism_lists_them() {
    let table = dism_table(FEATURES).expect("a table");
    let found: Vec<_> = table
        .iter()
        .filter_map(|(name, state)| feature(name, state))
        .map(|feature| (feature.name, feature.state))
        .collect();
    assert_eq!(
        found,
        [
            ("Containers".to_owned(), FeatureState::EnablePending),
            ("Hyper-V".to_owned(), FeatureState::Disabled),
            ("NetFx4".to_owned(), FeatureState::Enabled),
        ]
    );
    assert_eq!(dism_table("Error: 740"), None);
}

#[test]
fn packages_of_nano_server() {
    let all = [
        (
            "Microsoft-NanoServer-Guest-Package~31bf3856ad364e35~amd64~~10.0.14300.1000",
            "Installed",
        ),
        (
            "Microsoft-NanoServer-Guest-Package~31bf3856ad364e35~amd64~en-US~10.0.14300.1000",
            "Installed",
        ),
        (
            "Microsoft-NanoServer-Containers-Package~31bf3856ad364e35~amd64~~10.0.14300.1000",
            "Install Pending",
        ),
        (
            "Microsoft-NanoServer-OEM-Drivers-Package~31bf3856ad364e35~amd64~~10.0.14300.1000",
            "InstallPending",
        ),
        (
            "Microsoft-NanoServer-IIS-Package~31bf3856ad364e35~amd64~~10.0.14300.1000",
            "Superseded",
        ),
        (
            "Package_for_KB3199986~31bf3856ad364e35~amd64~~10.0.1.3",
            "Installed",
        ),
        ("Microsoft-NanoServer-Package", "Installed"),
    ];
    let found = packages(all.map(|(name, state)| (name.to_owned(), state.to_owned())));
    let shown: Vec<_> = found
        .iter()
        .map(|package| (package.name.as_str(), package.reboot_pending))
        .collect();
    assert_eq!(
        shown,
        [
            ("Containers", true),
            ("Guest", false),
            ("OEM-Drivers", true)
        ]
    );
}

#[test]
fn names_that_a_program_could_take_for_something_else() {
    for name in ["Containers", "Microsoft-Hyper-V", "NetFx4_x.1"] {
        assert!(is_plain_name(name), "{name}");
    }
    for name in [
        "", "a b", "a\"b", "/All", "-x", "..", "a\\b", "a:b", "\u{e4}",
    ] {
        assert!(!is_plain_name(name), "{name}");
    }
}

fn net(text: &str) -> Ipv4Net {
    text.parse().expect("a prefix")
}

#[test]
fn interfaces_know_their_switches_and_their_main_address() {
    let found = [
        (
            "vEthernet (nat)".to_owned(),
            vec![net("169.254.3.4/16"), net("172.20.0.1/20")],
        ),
        ("Ethernet".to_owned(), vec![net("169.254.9.9/16")]),
    ];
    let switches = [VmSwitch {
        name: "NAT".to_owned(),
        kind: SwitchType::Internal,
        adapter: None,
        nat_subnet: None,
    }];
    let shown: Vec<_> = interfaces(&found, &switches)
        .into_iter()
        .map(|interface| (interface.name, interface.address, interface.switch))
        .collect();
    assert_eq!(
        shown,
        [
            ("Ethernet".to_owned(), Some(net("169.254.9.9/16")), None),
            (
                "vEthernet (nat)".to_owned(),
                Some(net("172.20.0.1/20")),
                Some(SwitchType::Internal)
            ),
        ]
    );
}

/// A host route of Windows for its own address lies in the NAT prefix, and would be taken for an overlap.
#[test]
fn routes_that_windows_makes_for_itself_are_left_out() {
    let route = |destination, next_hop: [u8; 4]| RawRoute {
        destination: net(destination),
        next_hop: next_hop.into(),
        interface: "x".to_owned(),
    };
    let link = [0, 0, 0, 0];
    let table = vec![
        route("0.0.0.0/0", [10, 0, 0, 1]),
        route("172.20.0.0/20", link),
        route("172.20.0.1/32", link),
        route("172.20.15.255/32", link),
        route("10.9.9.9/32", [10, 0, 0, 7]),
        route("127.0.0.0/8", link),
        route("224.0.0.0/4", link),
        route("255.255.255.255/32", link),
    ];
    let kept: Vec<_> = routes(table)
        .into_iter()
        .map(|route| (route.destination, route.next_hop))
        .collect();
    assert_eq!(
        kept,
        [
            (net("0.0.0.0/0"), Some([10, 0, 0, 1].into())),
            (net("172.20.0.0/20"), None),
            (net("10.9.9.9/32"), Some([10, 0, 0, 7].into())),
        ]
    );
}

#[track_caller]
fn check_scratch(disk: &str, build: u32, expected: Option<&str>) {
    let found = scratch_of(disk, build).map(|path| path.to_string());
    assert_eq!(found.as_deref(), expected, "{disk}");
}

#[test]
fn scratch_layers_by_their_disks() {
    let guid = "00efa81e-dea4-4e25-9614-65d2aba23274";
    check_scratch(r"C:\wcow\s1\sandbox.vhdx", 17763, Some(r"C:\wcow\s1"));
    check_scratch(r"\\?\C:\wcow\s1\Sandbox.VHDX", 17763, Some(r"C:\wcow\s1"));
    check_scratch(r"C:\VMs\disk.vhdx", 17763, None);
    check_scratch(
        &format!(r"C:\c\{guid}.vhdx"),
        10514,
        Some(&format!(r"C:\c\{guid}")),
    );
    check_scratch(r"C:\c\blank.vhdx", 10514, None);
    check_scratch("", 17763, None);
}

#[test]
fn programs_are_found_on_the_path() {
    let list = r#"%SystemRoot%\system32;"C:\Program Files\Docker\" ;%nothing%\x;100%;relative"#;
    let there = [
        r"C:\Windows\system32\a.exe",
        r"C:\Program Files\Docker\docker.exe",
    ];
    let find = |name: &str| {
        let variable = |name: &str| (name == "SystemRoot").then(|| r"C:\Windows".to_owned());
        let is_file = |path: &HostPath| there.contains(&path.to_string().as_str());
        find_on_path(list, name, variable, is_file).map(|path| path.to_string())
    };
    assert_eq!(find("a.exe").as_deref(), Some(there[0]));
    assert_eq!(find("docker.exe").as_deref(), Some(there[1]));
    assert_eq!(find("b.exe"), None);
    assert_eq!(find(r"Docker\docker.exe"), None);
}

proptest! {
    /// A row that was written is read again, whatever stands above and below.
    #[test]
    fn a_range_of_ports_is_read_as_it_was_written(
        title in "[^-\r\n]{0,20}",
        first in any::<u16>(),
        more in 0..1000u16,
        administered in any::<bool>(),
    ) {
        let last = first.saturating_add(more);
        let star = if administered { "  *" } else { "" };
        let text = format!("{title}\r\n-----  ----\r\n {first}   {last}{star}\r\n\r\n* {title}\r\n");
        let range = PortRange { protocol: TransportProtocol::Udp, first, last, administered };
        let found = port_ranges(&text, TransportProtocol::Udp).expect("a table");
        prop_assert_eq!(found.first(), Some(&range));
    }
}
