//! The machine: Wine or a Windows, with stand-ins for programs that would change it.

use std::time::Duration;

use serde_json::{Value, json};
use wcow_host::{Diagnostics, codes::win32};
use wcow_host::{Feature, FeatureState, HostControl, Identity, Operation, StartMode};
use wcow_ntmeta::Hresult;
use wcow_winhost::control::WinControl;
use wcow_winhost::diagnostics::WinDiagnostics;
use windows_registry::LOCAL_MACHINE;

use crate::support::{StandIns, block_on, error, rows};

fn control(stand_ins: &StandIns) -> WinControl {
    WinControl::with(stand_ins.tools(), Vec::new(), Duration::ZERO)
}

fn to(to: &str, mut answer: Value) -> Value {
    answer["to"] = json!(to);
    answer
}

#[test]
fn guids_are_drawn_by_windows() {
    let control = WinControl::new();
    let [a, b] = [(); 2].map(|()| block_on(control.new_guid()).expect("a GUID"));
    assert_ne!(a, b);
    let text = a.to_string();
    assert_eq!(
        text.as_bytes().get(14),
        Some(&b'4'),
        "{text} is of version 4"
    );
}

#[test]
fn the_caller_is_somebody() {
    let identity = block_on(WinControl::new().identity()).expect("it is known");
    assert!(Identity::ALL.contains(&identity));
    // Wine runs everything as an administrator.
    if is_wine() {
        assert_eq!(identity, Identity::Administrator);
    }
}

#[test]
fn features_by_powershell() {
    let stand_ins = StandIns::new(&[(
        "powershell",
        json!([
            to(
                "# Get-WindowsOptionalFeature",
                rows(json!([
                    { "name": "Microsoft-Hyper-V", "state": "Disabled" },
                    { "name": "Containers", "state": "Enabled" },
                ]))
            ),
            to(
                "# Enable-WindowsOptionalFeature",
                rows(json!([{ "name": "Microsoft-Hyper-V", "state": "EnablePending" }]))
            ),
            to(
                "# Disable-WindowsOptionalFeature",
                error(json!({
                    "category": "NotSpecified", "target": "", "activity": "Disable-WindowsOptionalFeature", "exception": "COMException",
                    "id": "Microsoft.Dism.Commands.DisableWindowsOptionalFeatureCommand", "message": "", "hresult": -2_146_498_548,
                }))
            ),
        ]),
    )]);
    let control = control(&stand_ins);
    let feature = |name: &str, state| Feature {
        name: name.to_owned(),
        state,
    };
    assert_eq!(
        block_on(control.features()),
        Ok(vec![
            feature("Containers", FeatureState::Enabled),
            feature("Hyper-V", FeatureState::Disabled)
        ])
    );
    assert_eq!(
        block_on(control.enable_feature("Hyper-V")),
        Ok(FeatureState::EnablePending)
    );
    assert_eq!(
        stand_ins.calls()[1].given.as_deref(),
        Some(&["Microsoft-Hyper-V".to_owned()][..])
    );
    let unknown = block_on(control.disable_feature("Nothing")).expect_err("no such feature");
    assert_eq!(unknown.hresult(), Some(Hresult(0x800F_080C)));
    let asked = stand_ins.calls().len();
    let nonsense = block_on(control.enable_feature("/All x")).expect_err("no such feature");
    assert_eq!(nonsense.hresult(), Some(Hresult(0x800F_080C)));
    assert_eq!(stand_ins.calls().len(), asked, "nobody was asked");
}

const TABLE: &str = "x | y\r\n----- | ----\r\nFeature Name | State\r\n----- | ----\r\nContainers | Enable Pending\r\n\r\nbye\r\n";

/// No PowerShell, or none that knows the command: `dism.exe` is asked.
#[test]
fn features_by_dism() {
    let missing = error(json!({
        "category": "ObjectNotFound", "target": "Get-WindowsOptionalFeature:String", "activity": "",
        "exception": "CommandNotFoundException", "id": "CommandNotFoundException", "message": "", "hresult": null,
    }));
    let dism = json!([
        { "to": "/Get-Features", "stdout": TABLE },
        { "to": "/FeatureName:Containers", "exit": 0 },
        { "to": "/Disable-Feature", "exit": 87 },
    ]);
    for powershell in [None, Some(json!([to("", missing)]))] {
        let mut programs = vec![("dism", dism.clone())];
        programs.extend(powershell.map(|answers| ("powershell", answers)));
        let stand_ins = StandIns::new(&programs);
        let control = control(&stand_ins);
        assert_eq!(
            block_on(control.enable_feature("Containers")),
            Ok(FeatureState::EnablePending)
        );
        let refused = block_on(control.disable_feature("Nothing")).expect_err("87");
        assert!(refused.is_win32(87), "{refused}");
        let changed = stand_ins
            .calls()
            .into_iter()
            .find(|call| call.arguments.iter().any(|word| word == "/Enable-Feature"));
        let changed = changed.expect("dism was asked");
        assert_eq!(changed.program, "dism");
        assert_eq!(
            changed.arguments,
            [
                "/Online",
                "/English",
                "/Enable-Feature",
                "/All",
                "/FeatureName:Containers",
                "/NoRestart"
            ]
        );
    }
}

#[test]
fn modules_are_listed_once() {
    let stand_ins = StandIns::powershell(rows(
        json!([{ "name": "NetNat" }, { "name": "Hyper-V" }, { "name": "NetNat" }]),
    ));
    assert_eq!(
        block_on(control(&stand_ins).modules()),
        Ok(vec!["Hyper-V".to_owned(), "NetNat".to_owned()])
    );
}

/// Neither Wine nor the Windows of a developer is a Nano Server.
#[test]
fn packages_belong_to_nano_server() {
    let control = control(&StandIns::new(&[]));
    assert_eq!(block_on(control.packages()), Ok(Vec::new()));
    let refused = block_on(control.add_package("Guest")).expect_err("no Nano Server");
    assert!(refused.is_win32(50), "{refused}");
}

#[test]
fn a_restart_that_does_not_come_is_told() {
    let stand_ins = StandIns::new(&[("shutdown", json!([{ "to": "/r /t 0" }]))]);
    let error = block_on(control(&stand_ins).reboot()).expect_err("it is still there");
    assert_eq!(
        (error.operation, error.hresult()),
        (Operation::Reboot, Some(win32::TIMEOUT))
    );
    let denied = StandIns::new(&[("shutdown", json!([{ "to": "", "exit": 5 }]))]);
    let error = block_on(control(&denied).reboot()).expect_err("no rights");
    assert!(error.is_win32(5), "{error}");
}

#[test]
fn a_service_that_is_not_there() {
    let control = WinControl::new();
    let name = "wcow-is-not-there";
    let errors = [
        block_on(control.start_service(name)),
        block_on(control.stop_service(name)),
        block_on(control.restart_service(name)),
    ];
    for error in errors {
        assert!(
            error.as_ref().is_err_and(|error| error.is_win32(1060)),
            "{error:?}"
        );
    }
    let diagnostics = WinDiagnostics::new();
    assert_eq!(
        block_on(diagnostics.service_setups(&[name])),
        Ok(Vec::new())
    );
}

/// Services of Wine come up and end as they like, so none is started or stopped here.
#[test]
fn the_setup_of_a_service_is_read() {
    let found = block_on(WinDiagnostics::new().service_setups(&["RpcSs"]));
    let found = found.expect("it can be asked");
    assert_eq!(found.len(), 1);
    assert_ne!(found[0].start, StartMode::Disabled);
}

pub(crate) fn is_wine() -> bool {
    LOCAL_MACHINE.open(r"Software\Wine").is_ok()
        || windows_registry::CURRENT_USER
            .open(r"Software\Wine")
            .is_ok()
}
