//! What a compute system is created from: exactly one of three, and a place for what is wrong.

use serde_json::{Value, json};
use wcow_hcs_schema::schema1::ContainerConfig;
use wcow_hcs_schema::schema2::{
    ComputeSystem, Container, ContainerProcessor, GuestOs, KindError, RegistryChanges,
    RegistryHive, RegistryKey, RegistryValue, RegistryValueType, Storage, SystemKind,
};
use wcow_hcs_schema::{ParseError, parse};

use crate::samples;

fn kind_of(document: Value) -> Result<&'static str, KindError> {
    let system: ComputeSystem = parse(document.to_string()).unwrap();
    system.kind().map(|kind| match kind {
        SystemKind::Container(_) => "container",
        SystemKind::VirtualMachine(_) => "machine",
        SystemKind::HostedSystem(_) => "hosted",
    })
}

#[test]
fn one_of_three() {
    assert_eq!(kind_of(json!({ "Container": {} })), Ok("container"));
    assert_eq!(
        kind_of(json!({ "VirtualMachine": {}, "Container": null })),
        Ok("machine")
    );
    assert_eq!(
        kind_of(json!({ "HostedSystem": {}, "HostingSystemId": "vm" })),
        Ok("hosted")
    );
}

#[test]
fn none_and_several() {
    let error = kind_of(json!({ "Owner": "x" })).unwrap_err();
    assert_eq!(error, KindError::None);
    assert_eq!(
        error.to_string(),
        "expected one of Container, VirtualMachine and HostedSystem, found none"
    );
    let error = kind_of(json!({ "Container": {}, "VirtualMachine": {} })).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected one of Container, VirtualMachine and HostedSystem, found Container and VirtualMachine"
    );
    let error =
        kind_of(json!({ "Container": {}, "VirtualMachine": {}, "HostedSystem": {} })).unwrap_err();
    let found = vec!["Container", "VirtualMachine", "HostedSystem"];
    assert_eq!(error, KindError::Several { found });
}

#[track_caller]
fn check_error(text: &str, expected: &str) {
    let error = parse::<ComputeSystem>(text).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn what_is_wrong_has_a_place() {
    check_error(
        "",
        "line 1, column 0: malformed JSON: EOF while parsing a value",
    );
    check_error(
        "{\"Container\": {\n  \"Storage\": {\"Layers\": [{}, {\"Id\" 5}]}}}",
        "line 2, column 36, Container.Storage.Layers[1].Id: malformed JSON: expected `:`",
    );
    check_error(
        "{\"Owner\": \"a\n\"}",
        "line 2, column 0, Owner: malformed JSON: control character (\\u0000-\\u001F) found while parsing a string",
    );
    check_error(
        "{\"Owner\": \"\\ud800\"}",
        "line 1, column 18, Owner: malformed JSON: unexpected end of hex escape",
    );
    check_error(
        "{\"Container\": {}",
        "line 1, column 16, Container: malformed JSON: EOF while parsing an object",
    );
    check_error(
        "{} {}",
        "line 1, column 4: malformed JSON: trailing characters",
    );
    check_error(
        "[]",
        "line 1, column 1: expected an object (ComputeSystem), found a list of 0",
    );
    check_error(
        "{\"Container\": {\"Storage\": {\"Layers\":\n [{\"Id\": \"b1f5b1f0-93c2-5b9b-9e6c-1c5a9d1d6f0a\"},\n  {\"Id\": \"none\"}]}}}",
        "line 3, column 10, Container.Storage.Layers[1].Id: expected a GUID, found \"none\"",
    );
    check_error(
        "{\"VirtualMachine\": {\"Devices\": {\"ComPorts\": {\"01\": {}}}}}",
        "line 1, column 45, VirtualMachine.Devices.ComPorts: expected uint32 as a key, found \"01\"",
    );
    check_error(
        "{\"SchemaVersion\": {\"Major\": 2, \"Minor\": -1}}",
        "line 1, column 41, SchemaVersion.Minor: expected uint32, found -1",
    );
    // The last of two counts, as it does for the reader.
    check_error(
        "{\"Owner\": \"a\", \"Owner\": 7}",
        "line 1, column 25, Owner: expected a string, found 7",
    );
    let deep = "[".repeat(1000);
    assert!(matches!(
        parse::<ComputeSystem>(deep),
        Err(ParseError::Malformed { line: 1, .. })
    ));
    assert!(matches!(
        parse::<ComputeSystem>(b"{\"Owner\":\"\xFF\"}"),
        Err(ParseError::Malformed { .. })
    ));
}

#[test]
fn documents_of_schema_1_tell_the_place_too() {
    let error =
        parse::<ContainerConfig>("{\"Name\": \"x\",\n \"Layers\": [{\"ID\": 7}]}").unwrap_err();
    let ParseError::Mismatch { path, line, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!((path.as_str(), line), ("Layers[0].ID", &2));
}

#[test]
fn a_text_that_is_no_json_is_called_so_by_every_reader() {
    let texts: [&[u8]; 6] = [
        b"\"x\":1",
        b"{\"Name\": 7,}",
        b"{\"Layers\": true",
        b"{\"Layers\":[{\"x\":\"\xB4\"}]}",
        b"{\"Layers\":[{\"x\":\"\\ud800\"}]}",
        b"{\"Layers\":[{\"x\":1e999}]}",
    ];
    for text in texts {
        let errors = [
            parse::<ContainerConfig>(text).unwrap_err(),
            parse::<ComputeSystem>(text).unwrap_err(),
        ];
        for error in &errors {
            assert!(matches!(error, ParseError::Malformed { .. }), "{error}");
        }
        assert_eq!(errors[0], errors[1]);
    }
}

#[test]
fn a_container_of_a_client() {
    let document = json!({
        "Owner": "wcow",
        "SchemaVersion": { "Major": 2, "Minor": 1 },
        "ShouldTerminateOnLastHandleClosed": true,
        "Container": {
            "GuestOs": { "HostName": "web" },
            "Storage": {
                "Layers": [{ "Id": "b1f5b1f0-93c2-5b9b-9e6c-1c5a9d1d6f0a", "Path": r"C:\layers\base" }],
                "Path": r"\\?\Volume{e8c5b1d7-0001-11e6-80b1-806e6f6e6963}\",
            },
            "Processor": { "Count": 2 },
            "Networking": { "AllowUnqualifiedDnsQuery": true, "Namespace": "0b5e7e0c-0000-4000-8000-000000000001" },
            "RegistryChanges": { "AddValues": [{
                "Key": { "Hive": "System", "Name": r"ControlSet001\Control" },
                "Name": "WaitToKillServiceTimeout",
                "Type": "String",
                "StringValue": "2147483647",
            }] },
        },
    });
    let system: ComputeSystem = samples::check(document.clone());
    let container = Container {
        guest_os: Some(GuestOs {
            host_name: Some("web".to_owned()),
            ..GuestOs::default()
        }),
        storage: Some(Storage {
            path: Some(r"\\?\Volume{e8c5b1d7-0001-11e6-80b1-806e6f6e6963}\".to_owned()),
            layers: system
                .container
                .as_ref()
                .unwrap()
                .storage
                .as_ref()
                .unwrap()
                .layers
                .clone(),
            ..Storage::default()
        }),
        processor: Some(ContainerProcessor {
            count: Some(2),
            ..ContainerProcessor::default()
        }),
        networking: system.container.as_ref().unwrap().networking.clone(),
        registry_changes: Some(RegistryChanges {
            add_values: vec![RegistryValue {
                key: Some(RegistryKey {
                    hive: Some(RegistryHive::System),
                    name: Some(r"ControlSet001\Control".to_owned()),
                    ..RegistryKey::default()
                }),
                name: Some("WaitToKillServiceTimeout".to_owned()),
                kind: Some(RegistryValueType::String),
                string_value: Some("2147483647".to_owned()),
                ..RegistryValue::default()
            }],
            ..RegistryChanges::default()
        }),
        ..Container::default()
    };
    let mut built = ComputeSystem::of_container("wcow", container);
    built.should_terminate_on_last_handle_closed = Some(true);
    assert_eq!(built, system);
    // Written in the order of the schema, so that people can read it.
    let text = serde_json::to_string(&built).unwrap();
    assert!(
        text.starts_with(
            r#"{"Owner":"wcow","SchemaVersion":{"Major":2,"Minor":1},"Container":{"GuestOs":"#
        ),
        "{text}"
    );
    assert_eq!(format!("{built:?}"), format!("ComputeSystem {document}"));
}

#[test]
fn a_container_in_a_machine() {
    let built = ComputeSystem::of_hosted_container("wcow", "vm-1", Container::default());
    let document = json!({
        "Owner": "wcow",
        "SchemaVersion": { "Major": 2, "Minor": 1 },
        "HostingSystemId": "vm-1",
        "HostedSystem": { "SchemaVersion": { "Major": 2, "Minor": 1 }, "Container": {} },
    });
    assert_eq!(samples::check::<ComputeSystem>(document), built);
    assert!(
        matches!(built.kind(), Ok(SystemKind::HostedSystem(hosted)) if hosted.container == Some(Container::default()))
    );
}

/// What was written by a program that knows less: both spellings, and a key that belongs to a field but stands among the unknown.
#[test]
fn odd_keys() {
    let of = |key: &str| {
        let layer = json!({ key: "b1f5b1f0-93c2-5b9b-9e6c-1c5a9d1d6f0a", "Path": "p" });
        parse::<wcow_hcs_schema::schema2::Layer>(layer.to_string()).unwrap()
    };
    assert_eq!(of("ID"), of("Id"));
    assert!(of("ID").id.is_some() && of("ID").unknown.is_empty());
    let mut system = ComputeSystem {
        owner: Some("a".to_owned()),
        ..ComputeSystem::default()
    };
    system.unknown.insert("Owner".to_owned(), json!(7));
    system.unknown.insert("New".to_owned(), json!(7));
    assert_eq!(
        serde_json::to_string(&system).unwrap(),
        r#"{"Owner":"a","New":7}"#
    );
}
