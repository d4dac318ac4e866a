//! Keys that no schema knows survive in every object of every document.

use serde_json::{Value, json};
use wcow_hcs_schema::describe::{self, Kind, Struct};
use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork};
use wcow_hcs_schema::schema1::{
    AssignedDevice, ContainerConfig, ContainerProperties, GuestCapabilities, HvRuntime, Layer,
    LinuxSignal, MappedDirectory, MappedPipe, MappedVirtualDisk, ProcessParameters, ProcessStatus,
    PropertyQuery, ResourceModificationRequest,
};
use wcow_hcs_schema::tp3::{Tp3ContainerConfig, Tp3ProcessParameters};
use wcow_hcs_schema::{Document, parse};

/// The key that is added.
const NEW: &str = "xNew";

fn new() -> Value {
    json!({ "a": [null, 1, { "b": "" }] })
}

/// A value of a type with everything in it that the schema knows, and a new key in each of its objects. A type that is within itself is
/// left out there; so are values of which no more than the known is kept, which are versions.
fn full(kind: Kind, within: &mut Vec<&'static Struct>) -> Option<Value> {
    Some(match kind {
        Kind::Any => json!({ "k": [1] }),
        Kind::Text => json!("text"),
        Kind::Bool => json!(true),
        Kind::Integer(_) => json!(7),
        Kind::Guid => json!("b1f5b1f0-93c2-5b9b-9e6c-1c5a9d1d6f0a"),
        Kind::Bytes => json!("AP8="),
        Kind::Words(words) => json!(words.words.first()?.0),
        Kind::Numbers(numbers) => json!(numbers.values.first()?.1),
        Kind::Struct(schema) if schema.name == "Version" => json!({ "Major": 2, "Minor": 1 }),
        Kind::Struct(schema) if within.iter().any(|known| std::ptr::eq(*known, schema)) => {
            return None;
        }
        Kind::Struct(schema) => {
            within.push(schema);
            let fields = schema.fields.iter().filter_map(|field| {
                let value = full(field.kind(), within)?;
                Some((field.key.to_owned(), value))
            });
            let mut keys: serde_json::Map<_, _> = fields.collect();
            within.pop();
            keys.insert(NEW.to_owned(), new());
            Value::Object(keys)
        }
        Kind::List(of) => json!([full(of(), within)?]),
        Kind::Array(of, len) => vec![full(of(), within)?; len].into(),
        Kind::Map(key, of) => {
            let key = match key() {
                Kind::Guid => "b1f5b1f0-93c2-5b9b-9e6c-1c5a9d1d6f0a",
                _ => "1",
            };
            json!({ key: full(of(), within)? })
        }
    })
}

fn full_of(schema: &'static Struct) -> Value {
    full(Kind::Struct(schema), &mut Vec::new()).expect("it is not within itself yet")
}

/// How many objects have the new key.
fn new_keys(value: &Value) -> usize {
    match value {
        Value::Object(keys) => {
            usize::from(keys.contains_key(NEW)) + keys.values().map(new_keys).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(new_keys).sum(),
        _ => 0,
    }
}

#[track_caller]
fn survives<T: Document>(document: &Value) {
    let typed: T = parse(document.to_string()).expect("it is a document");
    let written = serde_json::to_value(&typed).expect("it can be written");
    assert_eq!(&written, document);
}

#[test]
fn they_survive_in_every_object_of_schema_2_and_of_hcn() {
    let mut objects = 0;
    for known in describe::types().iter().chain(describe::hcn::types()) {
        let document = full_of(known.schema);
        objects += new_keys(&document);
        let written = known.check(document.to_string());
        assert_eq!(written.as_ref(), Ok(&document), "{}", known.schema.name);
    }
    // Many are there several times, within others.
    let types = describe::types().len() + describe::hcn::types().len();
    assert!(objects > 2 * types, "{objects} objects of {types} types");
}

#[test]
fn they_survive_in_every_object_of_schema_1() {
    survives::<AssignedDevice>(&full_of(AssignedDevice::SCHEMA));
    survives::<ContainerProperties>(&full_of(ContainerProperties::SCHEMA));
    survives::<GuestCapabilities>(&full_of(GuestCapabilities::SCHEMA));
    survives::<HvRuntime>(&full_of(HvRuntime::SCHEMA));
    survives::<LinuxSignal>(&full_of(LinuxSignal::SCHEMA));
    survives::<MappedDirectory>(&full_of(MappedDirectory::SCHEMA));
    survives::<MappedPipe>(&full_of(MappedPipe::SCHEMA));
    survives::<MappedVirtualDisk>(&full_of(MappedVirtualDisk::SCHEMA));
    survives::<PropertyQuery>(&full_of(PropertyQuery::SCHEMA));
    survives::<ResourceModificationRequest>(&full_of(ResourceModificationRequest::SCHEMA));
    survives::<Tp3ProcessParameters>(&full_of(Tp3ProcessParameters::SCHEMA));
}

/// Adds the new key to every object of a document that has no keys of any name.
fn everywhere(value: &mut Value) {
    match value {
        Value::Object(keys) => {
            keys.iter_mut()
                .filter(|(key, _)| *key != "Environment")
                .for_each(|(_, value)| everywhere(value));
            keys.insert(NEW.to_owned(), new());
        }
        Value::Array(items) => items.iter_mut().for_each(everywhere),
        _ => {}
    }
}

#[track_caller]
fn survives_everywhere<T: Document>(mut document: Value, objects: usize) {
    survives::<T>(&document);
    everywhere(&mut document);
    assert_eq!(new_keys(&document), objects, "{document:#}");
    survives::<T>(&document);
}

#[test]
fn they_survive_in_a_container_and_a_process() {
    let container = json!({
        "SystemType": "Container",
        "Name": "web",
        "Layers": [{ "ID": "a", "Path": "b" }],
        "MappedDirectories": [{ "HostPath": "a" }],
        "MappedPipes": [{ "HostPath": "a" }],
        "MappedVirtualDisks": [{ "HostPath": "a" }],
        "AssignedDevices": [{ "InterfaceClassGuid": "a" }],
        "HvPartition": true,
        "HvRuntime": { "ImagePath": "a" },
    });
    survives_everywhere::<ContainerConfig>(container, 7);
    survives_everywhere::<Layer>(json!({ "ID": "a", "Path": "b" }), 1);
    let process = json!({ "CommandLine": "cmd", "Environment": { "A": "b" } });
    survives_everywhere::<ProcessParameters>(process, 1);
    let status = json!({ "ProcessId": 1, "Exited": true, "ExitCode": 2, "LastWaitResult": 0 });
    survives_everywhere::<ProcessStatus>(status, 1);
}

#[test]
fn they_survive_in_a_container_of_technical_preview_3() {
    let container = json!({
        "SystemType": "Container",
        "Name": "web",
        "IsDummy": false,
        "IgnoreFlushesDuringBoot": true,
        "LayerFolderPath": "a",
        "Layers": [{ "Id": "a", "Path": "b" }],
        "Devices": [{
            "DeviceType": "Network",
            "Connection": {
                "NetworkName": "a",
                "EnableNat": true,
                "Nat": { "Name": "b", "PortBindings": [{ "Protocol": "TCP", "InternalPort": 80, "ExternalPort": 8080 }] },
            },
            "Settings": { "MacAddress": "00-15-5D-00-00-01" },
        }],
    });
    survives_everywhere::<Tp3ContainerConfig>(container, 7);
}

#[test]
fn they_survive_in_networks_and_endpoints_of_hns() {
    let network = json!({
        "ID": "a",
        "Name": "b",
        "Type": "nat",
        "Subnets": [{ "AddressPrefix": "172.20.0.0/16", "GatewayAddress": "172.20.0.1" }],
    });
    survives_everywhere::<HnsNetwork>(network, 2);
    let endpoint = json!({
        "ID": "a",
        "VirtualNetwork": "b",
        "PrefixLength": 16,
        "Policies": [
            { "Type": "NAT", "Protocol": "TCP", "InternalPort": 80, "ExternalPort": 8080 },
            { "Type": "ACL", "Rules": [{ "Action": "Block" }] },
        ],
    });
    survives_everywhere::<HnsEndpoint>(endpoint, 4);
}
