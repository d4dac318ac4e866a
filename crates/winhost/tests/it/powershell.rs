//! Scripts: what goes in, what comes back, and what happens when it does not.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use wcow_host::codes::win32;
use wcow_host::{
    Code, ErrorCategory, HostError, NetNat, NewNetNat, NewStaticMapping, NewVmSwitch, Operation,
    StaticMapping, SwitchService, SwitchType, TransportProtocol, VmSwitch,
};
use wcow_ntmeta::Hresult;
use wcow_winhost::switches::WinSwitches;
use wcow_winhost::{Limits, Tools};

use crate::support::{PATIENT, StandIns, block_on, error, rows};

fn switch(name: &str) -> NewVmSwitch {
    NewVmSwitch {
        name: name.to_owned(),
        kind: SwitchType::Internal,
        adapter: None,
        nat_subnet: None,
    }
}

fn row_of_switch() -> Value {
    json!({ "name": "x", "type": "Internal", "adapter": null, "subnet": "" })
}

/// Names that would do harm if they became script.
const NASTY: &[&str] = &[
    "",
    "a b",
    "it's \"quoted\"",
    "\u{2018}curly\u{2019} \u{201C}quotes\u{201D}",
    "$(Remove-Item C:\\)",
    "`$x; & calc.exe #",
    "line\r\nbreak\ttab",
    "comma,comma",
    "%PATH% !x! ^&|<>",
    "\u{1F600}\u{10FFFF}",
    "-Name",
    "@args --% x",
    "nul\0nul",
];

#[test]
fn arguments_arrive_as_they_are_and_never_become_script() {
    let stand_ins = StandIns::powershell(rows(json!([row_of_switch()])));
    let switches = WinSwitches::with(stand_ins.tools());
    for name in NASTY {
        let made = block_on(switches.new_switch(&switch(name)));
        assert_eq!(made.map(|made| made.kind), Ok(SwitchType::Internal));
    }
    let calls = stand_ins.calls();
    assert_eq!(calls.len(), NASTY.len());
    for (call, name) in calls.iter().zip(NASTY) {
        let given = call.given.as_deref().expect("arguments");
        assert_eq!(given, [*name, "Internal", "", ""]);
        assert_eq!(call.script, calls[0].script, "{name:?} changed the script");
        assert_eq!(call.program, "powershell");
        assert_eq!(call.arguments, calls[0].arguments);
    }
    let [first, second, third] = [0, 1, 2].map(|at| calls[0].arguments[at].as_str());
    assert_eq!(
        [first, second, third],
        ["-NoLogo", "-NoProfile", "-NonInteractive"]
    );
    let script = calls[0].script.as_deref().expect("it can be decoded");
    assert!(script.starts_with("# New-VMSwitch\n") && script.contains("New-VMSwitch @parameters"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_name_arrives(name in any::<String>()) {
        let stand_ins = StandIns::powershell(rows(json!([{ "name": "x" }])));
        let removed = block_on(WinSwitches::with(stand_ins.tools()).remove_nat(&name));
        prop_assert_eq!(removed, Ok(()));
        let calls = stand_ins.calls();
        prop_assert_eq!(calls[0].given.as_deref(), Some(&[name][..]));
    }
}

#[test]
fn arguments_that_no_variable_can_hold_are_refused() {
    let stand_ins = StandIns::powershell(rows(json!([])));
    let name = "x".repeat(20_000);
    let refused = block_on(WinSwitches::with(stand_ins.tools()).remove_switch(&name));
    let refused = refused.expect_err("too long");
    assert!(refused.is_win32(111), "{refused}");
    assert!(stand_ins.calls().is_empty());
}

#[test]
fn rows_become_values() {
    let all = StandIns::new(&[(
        "powershell",
        json!([
            with(
                "# Get-VMSwitch",
                rows(json!([
                    { "name": "Virtual Switch", "type": "NAT", "adapter": null, "subnet": "172.16.0.0/12" },
                    { "name": "out", "type": "External", "adapter": "Ethernet", "subnet": "" },
                ]))
            ),
            with(
                "# Get-NetNatStaticMapping",
                rows(json!([
                    { "id": 3, "nat": "n", "protocol": "TCP", "external_port": 80, "internal_address": "172.16.0.2", "internal_port": 8080 },
                ]))
            ),
            with(
                "# Get-NetNat",
                rows(json!([
                    { "name": "ContainerNAT", "prefix": "172.16.0.0/12", "active": true },
                    { "name": "outside only", "prefix": "", "active": true },
                ]))
            ),
            with(
                "# Get-NetAdapter",
                rows(json!([
                    { "name": "Ethernet", "status": "Up", "physical": true, "addresses": ["169.254.1.1/16", "10.0.0.5/24"] },
                    { "name": "Wi-Fi", "status": "Disconnected", "physical": true, "addresses": [] },
                ]))
            ),
        ]),
    )]);
    let switches = WinSwitches::with(all.tools());
    let prefix = "172.16.0.0/12".parse().expect("a prefix");
    assert_eq!(
        block_on(switches.switches()),
        Ok(vec![
            VmSwitch {
                name: "Virtual Switch".to_owned(),
                kind: SwitchType::Nat,
                adapter: None,
                nat_subnet: Some(prefix)
            },
            VmSwitch {
                name: "out".to_owned(),
                kind: SwitchType::External,
                adapter: Some("Ethernet".to_owned()),
                nat_subnet: None
            },
        ])
    );
    assert_eq!(
        block_on(switches.nats()),
        Ok(vec![NetNat {
            name: "ContainerNAT".to_owned(),
            internal_prefix: prefix,
            active: true
        }])
    );
    let mapping = NewStaticMapping {
        nat: "n".to_owned(),
        protocol: TransportProtocol::Tcp,
        external_port: 80,
        internal_address: [172, 16, 0, 2].into(),
        internal_port: 8080,
    };
    assert_eq!(
        block_on(switches.static_mappings()),
        Ok(vec![StaticMapping { id: 3, mapping }])
    );
    let adapters = block_on(switches.adapters()).expect("they are listed");
    let shown: Vec<_> = adapters
        .iter()
        .map(|adapter| format!("{} {:?} {:?}", adapter.name, adapter.state, adapter.address))
        .collect();
    assert_eq!(shown, ["Ethernet Up Some(10.0.0.5/24)", "Wi-Fi Down None"]);
}

fn with(to: &str, mut answer: Value) -> Value {
    answer["to"] = json!(to);
    answer
}

#[test]
fn an_answer_in_other_lines_and_in_utf_16_is_found() {
    let row = row_of_switch();
    let mut answer = json!({
        "stdout": format!("WARNING: something\r\nwcow-answer:{}\r\nbye", json!({ "rows": [row] })),
        "wide": true,
        "stderr": "#< CLIXML",
        "exit": 1,
    });
    answer["to"] = json!("");
    let stand_ins = StandIns::new(&[("powershell", json!([answer]))]);
    let found = block_on(WinSwitches::with(stand_ins.tools()).switches());
    assert_eq!(found.map(|found| found.len()), Ok(1));
}

/// Error records as the cmdlets give them, and what becomes of them.
#[test]
fn an_error_record_keeps_its_category_and_id() {
    let nat = NewNetNat {
        name: "ContainerNAT".to_owned(),
        internal_prefix: "172.16.0.0/12".parse().expect("a prefix"),
    };
    let refuse = |record: [&str; 5], hresult: Option<i64>| -> HostError {
        let [category, target, activity, exception, id] = record;
        let stand_ins = StandIns::powershell(error(json!({
            "category": category, "target": target, "activity": activity, "exception": exception, "id": id,
            "message": "whatever, in any language", "hresult": hresult,
        })));
        block_on(WinSwitches::with(stand_ins.tools()).new_nat(&nat)).expect_err("it is refused")
    };
    let missing = refuse(
        [
            "ObjectNotFound",
            "New-NetNat:String",
            "",
            "CommandNotFoundException",
            "CommandNotFoundException",
        ],
        Some(-2_146_233_087),
    );
    assert!(missing.is_command_missing());
    assert_eq!(
        (missing.operation, missing.object.as_str()),
        (Operation::NewNat, "ContainerNAT")
    );

    let class = "MSFT_NetNat:root/StandardCimv2/MSFT_NetNat";
    let second = refuse(
        [
            "InvalidArgument",
            class,
            "New-NetNat",
            "CimException",
            "Windows System Error 87,New-NetNat",
        ],
        Some(-2_147_024_809),
    );
    assert_eq!(
        second.to_string(),
        "New-NetNat of ContainerNAT failed: Windows System Error 87,New-NetNat (InvalidArgument)"
    );
    let partial = refuse(
        [
            "MetadataError",
            class,
            "New-NetNat",
            "CimException",
            "HRESULT 0x80041010,New-NetNat",
        ],
        None,
    );
    let Code::PowerShell(record) = &partial.code else {
        panic!("{partial}");
    };
    assert_eq!(
        (record.category, record.target.as_str()),
        (ErrorCategory::MetadataError, class)
    );
    let unknown = refuse(["SomethingNew", "", "x", "y", "z"], None);
    let Code::PowerShell(record) = &unknown.code else {
        panic!("{unknown}");
    };
    assert_eq!(record.category, ErrorCategory::NotSpecified);
}

#[test]
fn what_is_not_there_is_not_removed() {
    let stand_ins = StandIns::powershell(rows(json!([])));
    let switches = WinSwitches::with(stand_ins.tools());
    let nat = block_on(switches.remove_nat("*")).expect_err("no such object");
    let Code::PowerShell(record) = &nat.code else {
        panic!("{nat}");
    };
    assert_eq!(record.id, "CmdletizationQuery_NotFound_Name,Remove-NetNat");
    let mapping = block_on(switches.remove_static_mapping("n", 7)).expect_err("no such object");
    assert_eq!(mapping.object, "n");
    assert_eq!(
        stand_ins.calls()[1].given.as_deref(),
        Some(&["n".to_owned(), "7".to_owned()][..])
    );
}

#[track_caller]
fn check_failure(answer: Value, limits: Limits, expected: Hresult) {
    let stand_ins = StandIns::powershell(answer);
    let tools = Tools::in_folder(stand_ins.path(), limits);
    let error = block_on(WinSwitches::with(tools).switches()).expect_err("it fails");
    assert_eq!(error.hresult(), Some(expected), "{error}");
}

#[test]
fn nothing_that_powershell_says_or_does_is_trusted() {
    let invalid = Hresult::from_win32(13);
    check_failure(json!({}), PATIENT, invalid);
    check_failure(
        json!({ "stdout": "wcow-answer:{\"rows\":" }),
        PATIENT,
        invalid,
    );
    check_failure(json!({ "stdout": "wcow-answer:{}" }), PATIENT, invalid);
    check_failure(rows(json!([{ "name": 1 }])), PATIENT, invalid);
    let mut row = row_of_switch();
    row["type"] = json!("Quantum");
    check_failure(rows(json!([row])), PATIENT, invalid);
    check_failure(
        json!({ "exit": 5, "stderr": "denied" }),
        PATIENT,
        win32::ACCESS_DENIED,
    );
    let small = Limits {
        output: 1000,
        ..PATIENT
    };
    let flood = json!({ "stdout": "0123456789", "times": 100_000 });
    check_failure(flood, small, Hresult::from_win32(234));
}

/// The program that hangs has started another one, which has its pipes: neither may keep the caller, nor stay.
#[test]
fn a_program_that_hangs_is_ended() {
    let stand_ins = StandIns::powershell(json!({ "hangs": true }));
    if cfg!(windows) {
        stand_ins.add("left-over");
    }
    let limits = Limits {
        time: Duration::from_millis(if cfg!(windows) { 5000 } else { 500 }),
        ..PATIENT
    };
    let tools = Tools::in_folder(stand_ins.path(), limits);
    let error = block_on(WinSwitches::with(tools).switches()).expect_err("it hangs");
    assert_eq!(error.hresult(), Some(win32::TIMEOUT), "{error}");
    assert!(error.is_ambiguous());
    assert_eq!(stand_ins.calls().len(), 1, "it was started");
    #[cfg(windows)]
    {
        let running = wcow_hcs::machine::processes().expect("they are listed");
        let left = running
            .iter()
            .find(|process| process.program.eq_ignore_ascii_case("left-over.exe"));
        assert_eq!(left, None);
    }
}

#[test]
fn a_missing_powershell_is_an_error_with_its_path() {
    let stand_ins = StandIns::new(&[]);
    let error = block_on(WinSwitches::with(stand_ins.tools()).adapters()).expect_err("missing");
    assert!(error.is_win32(2), "{error}");
    assert!(error.object.contains("powershell"), "{error}");
}
