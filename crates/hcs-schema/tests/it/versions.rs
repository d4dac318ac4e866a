//! Versions of the schema, and what becomes of sections that are newer than their document.

use serde_json::{Value, json};
use wcow_hcs_schema::schema2::{ComputeSystem, Heartbeat, Services, VirtualMachine};
use wcow_hcs_schema::{SchemaVersion, describe, drop_newer, parse};

use crate::facts;

fn version(text: &str) -> SchemaVersion {
    let (major, minor) = text.split_once('.').unwrap();
    SchemaVersion::new(major.parse().unwrap(), minor.parse().unwrap())
}

#[test]
fn builds_know_their_versions() {
    for (build, newest) in [
        (14393, None),
        (17134, None),
        (17763, Some("2.1")),
        (18362, Some("2.2")),
        (18363, Some("2.2")),
        (19041, Some("2.3")),
        (20348, Some("2.5")),
        (22000, Some("2.6")),
        (26100, Some("2.6")),
    ] {
        let found = SchemaVersion::newest_of_build(build);
        assert_eq!(found, newest.map(version), "{build}");
    }
    let all: Vec<String> = SchemaVersion::of_build(19041)
        .map(|known| known.to_string())
        .collect();
    assert_eq!(all, ["2.0", "2.1", "2.2", "2.3"]);
}

#[test]
fn an_entry_of_an_answer_stands_for_those_before_it() {
    let supported = [version("1.0"), version("2.3")];
    for (asked, known) in [
        ("1.0", true),
        ("1.1", false),
        ("2.0", true),
        ("2.3", true),
        ("2.4", false),
        ("3.0", false),
    ] {
        assert_eq!(version(asked).is_among(&supported), known, "{asked}");
    }
    assert!(version("2.10") > version("2.9"));
}

#[track_caller]
fn check(document: Value, dropped: &[&str], rest: Value) {
    let mut typed: ComputeSystem = parse(document.to_string()).unwrap();
    assert_eq!(typed.drop_newer(), dropped);
    assert_eq!(typed.to_value(), rest);
    assert!(typed.drop_newer().is_empty(), "once is enough");
}

#[test]
fn integration_services_are_dropped_below_2_5() {
    let machine = |minor: u32| {
        json!({
            "SchemaVersion": { "Major": 2, "Minor": minor },
            "VirtualMachine": { "StopOnReset": true, "Services": { "Shutdown": {} } },
        })
    };
    let mut rest = machine(4);
    rest["VirtualMachine"]
        .as_object_mut()
        .unwrap()
        .remove("Services");
    check(machine(4), &["VirtualMachine.Services"], rest);
    check(machine(5), &[], machine(5));
    check(machine(6), &[], machine(6));
}

#[test]
fn lists_and_maps_are_looked_into() {
    check(
        json!({
            "SchemaVersion": { "Major": 2, "Minor": 0 },
            "Container": { "MappedDirectories": [
                { "HostPath": "a" },
                { "HostPath": "b", "HostPathType": "AbsolutePath", "SupportCloudFiles": true },
            ] },
            "VirtualMachine": { "Devices": { "Scsi": { "0": { "Attachments": { "1": { "Path": "d", "CachingMode": "Cached" } } } } } },
        }),
        &[
            "Container.MappedDirectories[1].HostPathType",
            "Container.MappedDirectories[1].SupportCloudFiles",
            "VirtualMachine.Devices.Scsi.0.Attachments.1.CachingMode",
        ],
        json!({
            "SchemaVersion": { "Major": 2, "Minor": 0 },
            "Container": { "MappedDirectories": [{ "HostPath": "a" }, { "HostPath": "b" }] },
            "VirtualMachine": { "Devices": { "Scsi": { "0": { "Attachments": { "1": { "Path": "d" } } } } } },
        }),
    );
}

#[test]
fn a_hosted_system_has_a_version_of_its_own() {
    let document = |outer: u32, inner: u32| {
        json!({
            "SchemaVersion": { "Major": 2, "Minor": outer },
            "HostedSystem": {
                "SchemaVersion": { "Major": 2, "Minor": inner },
                "Container": { "AssignedDevices": [{ "Type": "ClassGuid" }] },
            },
        })
    };
    let mut rest = document(1, 1);
    rest["HostedSystem"]["Container"]["AssignedDevices"][0] = json!({});
    check(document(1, 2), &[], document(1, 2));
    check(
        document(1, 1),
        &["HostedSystem.Container.AssignedDevices[0].Type"],
        rest,
    );
}

#[test]
fn unknown_keys_and_documents_without_a_version_stay() {
    let without = json!({ "VirtualMachine": { "Services": {} } });
    check(without.clone(), &[], without);
    let unknown = json!({ "SchemaVersion": { "Major": 2, "Minor": 1 }, "Container": { "New": 1 } });
    check(unknown.clone(), &[], unknown);
    let mut typed = ComputeSystem {
        schema_version: Some(SchemaVersion::V2_1),
        virtual_machine: Some(VirtualMachine {
            services: Some(Services {
                heartbeat: Some(Heartbeat::default()),
                ..Services::default()
            }),
            ..VirtualMachine::default()
        }),
        ..ComputeSystem::default()
    };
    assert_eq!(typed.drop_newer(), ["VirtualMachine.Services"]);
    assert_eq!(typed.virtual_machine, Some(VirtualMachine::default()));
}

/// Every type at every version, against the table: nothing newer stays, and nothing else goes.
#[test]
fn every_type_at_every_version() {
    let table = facts::table();
    let mut seen = 0;
    for (name, _) in facts::structs(&table)
        .iter()
        .filter(|(name, _)| name != "Version")
    {
        let schema = describe::find(name).unwrap().schema;
        for minor in 0..=6 {
            let mut full = facts::sample(&table, name, &mut Vec::new());
            // The sample's own versions would count otherwise.
            set_versions(&mut full, minor);
            let mut expected = full.clone();
            let dropped = remove_newer(&table, name, &mut expected, minor);
            let found = drop_newer(&mut full, schema, SchemaVersion::new(2, minor));
            assert_eq!(full, expected, "{name} at 2.{minor}");
            assert_eq!(found.len(), dropped, "{name} at 2.{minor}");
            seen += dropped;
        }
    }
    assert!(seen > 1000, "{seen}");
}

fn set_versions(value: &mut Value, minor: u32) {
    match value {
        Value::Object(keys) => {
            for (key, value) in keys {
                if key == "SchemaVersion" {
                    *value = json!({ "Major": 2, "Minor": minor });
                }
                set_versions(value, minor);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| set_versions(item, minor)),
        _ => {}
    }
}

/// The rule once more, from the table. Returns how many fields went.
fn remove_newer(table: &Value, kind: &str, value: &mut Value, minor: u32) -> usize {
    let inner = facts::map(kind).map(|(_, of)| of);
    let inner = inner.or(kind
        .strip_prefix('[')
        .and_then(|kind| kind.strip_suffix(']')));
    if let Some(of) = inner {
        let each: Vec<&mut Value> = match value {
            Value::Array(items) => items.iter_mut().collect(),
            Value::Object(keys) => keys.values_mut().collect(),
            _ => Vec::new(),
        };
        return each
            .into_iter()
            .map(|item| remove_newer(table, of, item, minor))
            .sum();
    }
    let (Some(fields), Value::Object(keys)) = (table["structs"][kind].as_array(), value) else {
        return 0;
    };
    let mut gone = 0;
    for field in fields {
        let key = field["name"].as_str().unwrap();
        if version(field["since"].as_str().unwrap()) > SchemaVersion::new(2, minor) {
            gone += usize::from(keys.remove(key).is_some());
        } else if let Some(value) = keys.get_mut(key) {
            let typed = if key == "HostedSystem" {
                "HostedSystem"
            } else {
                field["type"].as_str().unwrap()
            };
            gone += remove_newer(table, typed, value, minor);
        }
    }
    gone
}
