//! Errors, exits and crashes: built, written, read.

use serde_json::json;
use wcow_hcs_schema::schema2::{
    Cause, CrashReport, ErrorEvent, EventData, EventDataType, ExitInitiator, GuestConnectionInfo,
    NotificationType, OperationFailureDetail, ResultError, SystemExit, SystemExitDetail,
    SystemExitStatus,
};

use crate::samples;

#[test]
fn an_error_of_the_field() {
    let document = json!({
        "Error": -2_147_024_891,
        "ErrorMessage": "",
        "Attribution": [{ "OperationFailure": { "Detail": "Construct" } }],
    });
    let error: ResultError = samples::check(document);
    assert_eq!(error.hresult(), Some(0x8007_0005));
    let causes: Vec<Cause> = error.causes().collect();
    assert_eq!(causes, [Cause::from(OperationFailureDetail::Construct)]);
    assert_eq!(error.text(), None);
    assert_eq!(
        ResultError::new(0x8007_0005, "").because(OperationFailureDetail::Construct),
        error
    );
}

#[test]
fn an_error_with_events() {
    let event = |text: &str| ErrorEvent {
        message: Some(text.to_owned()),
        event_id: Some(301),
        data: vec![EventData {
            kind: Some(EventDataType::String),
            value: Some("web".to_owned()),
            ..EventData::default()
        }],
        ..ErrorEvent::default()
    };
    let error = ResultError::new(0xC037_010D, "")
        .after(event("one"))
        .after(event("two"));
    assert_eq!(error.text().as_deref(), Some("one; two"));
    let written = error.to_value();
    assert_eq!(written["Error"], -1_070_137_075);
    assert_eq!(
        written["ErrorEvents"][0],
        json!({ "Message": "one", "EventId": 301, "Data": [{ "Type": "String", "Value": "web" }] })
    );
    assert_eq!(samples::check::<ResultError>(written), error);
    assert_eq!(
        ResultError::new(1, "no")
            .after(event("one"))
            .text()
            .as_deref(),
        Some("no")
    );
}

#[test]
fn exits_and_crashes() {
    let exit = SystemExit {
        detail: Some(SystemExitDetail::Terminate),
        initiator: Some(ExitInitiator::Client),
        ..SystemExit::default()
    };
    let status = SystemExitStatus::new(0, NotificationType::ForcedExit)
        .because(Cause::SystemExit(exit.clone()));
    let document = json!({
        "Status": 0,
        "ExitType": "ForcedExit",
        "Attribution": [{ "SystemExit": { "Detail": "Terminate", "Initiator": "Client" } }],
    });
    assert_eq!(samples::check::<SystemExitStatus>(document), status);
    assert_eq!(
        (status.hresult(), status.attribution[0].causes().next()),
        (Some(0), Some(Cause::SystemExit(exit)))
    );
    let report = CrashReport::new("web", &[0xEF, u64::MAX, 0, 0, 0]);
    assert_eq!(
        report.to_value(),
        json!({ "SystemId": "web", "CrashParameters": [239, u64::MAX, 0, 0, 0] })
    );
}

/// A cause whose only content is that it is there survives.
#[test]
fn every_cause_is_read_back() {
    let table = crate::facts::table();
    let record = crate::facts::sample(&table, "AttributionRecord", &mut Vec::new());
    let all: ResultError = samples::check(json!({ "Attribution": [record] }));
    let causes: Vec<Cause> = all.causes().collect();
    assert_eq!(causes.len(), 7);
    let again = causes
        .iter()
        .cloned()
        .fold(ResultError::default(), ResultError::because);
    assert_eq!(again.attribution.len(), 7);
    assert_eq!(again.causes().collect::<Vec<_>>(), causes);
    let written = again.to_value();
    assert_eq!(
        written["Attribution"][3],
        json!({ "InjectNonMaskableInterrupt": {} })
    );
}

#[test]
fn what_a_guest_can_do() {
    let info: GuestConnectionInfo = samples::check(json!({
        "SupportedSchemaVersions": [{ "Major": 1, "Minor": 0 }, { "Major": 2, "Minor": 1 }],
        "ProtocolVersion": 4,
        "GuestDefinedCapabilities": { "SignalProcessSupported": true, "New": 1 },
    }));
    let capabilities = info.capabilities().unwrap();
    assert_eq!(capabilities.signal_process_supported, Some(true));
    assert!(capabilities.unknown.contains_key("New"));
    assert_eq!(GuestConnectionInfo::default().capabilities(), None);
}
