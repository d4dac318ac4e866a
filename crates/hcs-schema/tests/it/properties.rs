//! Any document survives being written and read, and so does what this version does not know.

use std::iter;

use proptest::prelude::*;
use serde_json::{Value, json};
use wcow_hcs_schema::describe::{self, Kind, Struct};
use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork, NatPolicy, Policy, Subnet};
use wcow_hcs_schema::schema1::{ContainerConfig, Layer, ProcessParameters};
use wcow_hcs_schema::schema2::{ComputeSystem, ModifySettingRequest, Properties, ResultError};
use wcow_hcs_schema::tp3::{
    Connection, Device, DeviceSettings, Nat, PortBinding, Tp3ContainerConfig,
};
use wcow_hcs_schema::{Document, SchemaVersion, Unknown, drop_newer, parse};

/// Keys that no document of this crate has: they begin with a small x.
fn unknown() -> impl Strategy<Value = Unknown> {
    let value = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        proptest::collection::vec(any::<u32>().prop_map(Value::from), 0..3).prop_map(Value::from),
    ];
    proptest::collection::btree_map("x[a-z]{0,6}", value, 0..4)
}

prop_compose! {
    fn layers()(layers in proptest::collection::vec((".{0,12}", ".{0,12}", unknown()), 0..4)) -> Vec<Layer> {
        layers.into_iter().map(|(id, path, unknown)| Layer { id, path, unknown }).collect()
    }
}

prop_compose! {
    fn container()(
        name in ".{0,12}",
        layers in layers(),
        numbers in (any::<i64>(), any::<u32>()),
        flags in any::<[bool; 3]>(),
        endpoint_list in proptest::collection::vec(".{0,8}", 0..3),
        unknown in unknown(),
    ) -> ContainerConfig {
        ContainerConfig {
            system_type: "Container".to_owned(),
            owner: name.clone(),
            name,
            layers,
            memory_maximum_in_mb: numbers.0,
            processor_count: numbers.1,
            ignore_flushes_during_boot: flags[0],
            hv_partition: flags[1],
            terminate_on_last_handle_closed: flags[2],
            endpoint_list,
            unknown,
            ..ContainerConfig::default()
        }
    }
}

fn policy() -> impl Strategy<Value = Policy> {
    let nat = ("[A-Z]{0,4}", any::<u16>(), any::<u16>(), unknown()).prop_map(
        |(protocol, internal_port, external_port, unknown)| {
            Policy::Nat(NatPolicy {
                protocol,
                internal_port,
                external_port,
                unknown,
            })
        },
    );
    let other = ("[A-MO-Z][A-Za-z]{0,5}", unknown()).prop_map(|(kind, mut keys)| {
        keys.insert("Type".to_owned(), Value::from(kind));
        Policy::Other(keys)
    });
    prop_oneof![nat, other]
}

/// A value of a type, as the bytes choose: fields there or not, lists and maps of up to two.
fn value_of(kind: Kind, bytes: &mut dyn Iterator<Item = u8>, depth: usize) -> Value {
    let byte = bytes.next().unwrap_or_default();
    let many = usize::from(byte % 3);
    match kind {
        Kind::Any => [json!(null), json!({ "k": [1, "x"] }), json!("x"), json!([])]
            [usize::from(byte % 4)]
        .clone(),
        Kind::Text => {
            json!(["", "a \"text\"", "\\\\?\\Volume{x}", "\u{1F980}"][usize::from(byte % 4)])
        }
        Kind::Bool => json!(byte.is_multiple_of(2)),
        Kind::Integer(name) if name.starts_with('u') => json!(byte),
        Kind::Integer(_) => json!(i32::from(byte) - 128),
        Kind::Guid => json!(format!("b1f5b1f0-93c2-5b9b-9e6c-1c5a9d1d6f{byte:02x}")),
        Kind::Bytes => json!(["", "AP8=", "Zm9v"][many]),
        Kind::Numbers(numbers) => match numbers.values.get(usize::from(byte)) {
            Some((_, value, _)) => json!(value),
            None => json!(byte),
        },
        Kind::Words(words) => match words.words.get(usize::from(byte)) {
            Some((word, _)) => json!(word),
            None => json!(format!("word{byte}")),
        },
        // Nothing but its two numbers is kept of it.
        Kind::Struct(schema) if schema.name == "Version" => {
            json!({ "Major": 2, "Minor": byte % 8 })
        }
        Kind::Struct(schema) => struct_of(schema, bytes, depth),
        Kind::Array(of, len) => iter::repeat_with(|| value_of(of(), bytes, depth))
            .take(len)
            .collect(),
        // An empty list is an absent one, and would not be written.
        Kind::List(of) => iter::repeat_with(|| value_of(of(), bytes, depth + 1))
            .take(many + 1)
            .collect(),
        Kind::Map(key, of) => {
            let keys = (0..=many).map(|number| match key() {
                Kind::Guid => format!("b1f5b1f0-93c2-5b9b-9e6c-1c5a9d1d6f0{number}"),
                _ => number.to_string(),
            });
            let items = keys.map(|key| (key, value_of(of(), bytes, depth + 1)));
            Value::Object(items.collect())
        }
    }
}

fn struct_of(schema: &Struct, bytes: &mut dyn Iterator<Item = u8>, depth: usize) -> Value {
    let mut keys = serde_json::Map::new();
    for field in schema.fields {
        let chosen = bytes.next().unwrap_or_default().is_multiple_of(2);
        if chosen && depth < 12 {
            keys.insert(
                field.key.to_owned(),
                value_of(field.kind(), bytes, depth + 1),
            );
        }
    }
    if bytes.next().unwrap_or_default().is_multiple_of(5) {
        keys.insert("xNew".to_owned(), json!([1]));
    }
    // A null is an absent field.
    keys.retain(|_, value| !value.is_null());
    Value::Object(keys)
}

/// The typed value, through its other ways out.
fn survives<T: Document + PartialEq + std::fmt::Debug>(document: &Value) {
    let typed: T = parse(document.to_string()).unwrap();
    assert_eq!(&serde_json::to_value(&typed).unwrap(), document);
    let pretty = serde_json::to_string_pretty(&typed).unwrap();
    assert_eq!(serde_json::from_str::<T>(&pretty).unwrap(), typed);
}

proptest! {
    #[test]
    fn documents_of_schema_2(name in any::<prop::sample::Index>(), bytes in proptest::collection::vec(any::<u8>(), 0..400), minor in 0_u32..7) {
        let main = ["ComputeSystem", "Properties", "ModifySettingRequest", "ResultError"];
        let others = describe::types().iter().map(|known| known.schema.name);
        let names: Vec<&str> = others.chain(iter::repeat_n(main, 30).flatten()).collect();
        let known = describe::find(name.get::<&str>(&names)).unwrap();
        let mut document = struct_of(known.schema, &mut bytes.iter().copied(), 0);
        prop_assert_eq!(known.check(document.to_string()), Ok(document.clone()));
        match known.schema.name {
            "ComputeSystem" => survives::<ComputeSystem>(&document),
            "Properties" => survives::<Properties>(&document),
            "ModifySettingRequest" => survives::<ModifySettingRequest>(&document),
            "ResultError" => survives::<ResultError>(&document),
            _ => {}
        }
        // What an older service leaves of it is a document too, and nothing is left to drop.
        let version = SchemaVersion::new(2, minor);
        drop_newer(&mut document, known.schema, version);
        prop_assert!(known.check(document.to_string()).is_ok());
        prop_assert!(drop_newer(&mut document, known.schema, version).is_empty());
    }

    #[test]
    fn documents_of_hcn(known in any::<prop::sample::Index>(), bytes in proptest::collection::vec(any::<u8>(), 0..400), minor in 0_u32..17) {
        let known = known.get(describe::hcn::types());
        let mut document = struct_of(known.schema, &mut bytes.iter().copied(), 0);
        prop_assert_eq!(known.check(document.to_string()), Ok(document.clone()));
        let version = SchemaVersion::new(2, minor);
        drop_newer(&mut document, known.schema, version);
        prop_assert!(known.check(document.to_string()).is_ok());
        prop_assert!(drop_newer(&mut document, known.schema, version).is_empty());
    }

    #[test]
    fn containers(document in container()) {
        let text = serde_json::to_string(&document).unwrap();
        prop_assert_eq!(serde_json::from_str::<ContainerConfig>(&text).unwrap(), document);
    }

    #[test]
    fn containers_of_technical_preview_3(
        layers in layers(),
        ports in proptest::collection::vec(any::<(u16, u16)>(), 0..3),
        has_nat in any::<bool>(),
        unknown in unknown(),
    ) {
        let binding = |(internal_port, external_port)| PortBinding { protocol: "TCP".to_owned(), internal_port, external_port, unknown: unknown.clone() };
        let nat = Nat { name: "nat".to_owned(), port_bindings: ports.into_iter().map(binding).collect(), unknown: unknown.clone() };
        let connection = Connection { network_name: "s".to_owned(), enable_nat: has_nat, nat: has_nat.then_some(nat), unknown: unknown.clone() };
        let settings = DeviceSettings { unknown: unknown.clone(), ..DeviceSettings::default() };
        let device = Device { device_type: "Network".to_owned(), connection, settings, unknown: unknown.clone() };
        let document = Tp3ContainerConfig { layers, devices: vec![device], unknown, ..Tp3ContainerConfig::default() };
        let value = serde_json::to_value(&document).unwrap();
        for layer in value["Layers"].as_array().unwrap() {
            prop_assert!(layer.get("Id").is_some());
        }
        prop_assert_eq!(serde_json::from_value::<Tp3ContainerConfig>(value).unwrap(), document);
    }

    #[test]
    fn processes(
        command_line in ".{0,20}",
        environment in proptest::collection::btree_map(".{0,4}", ".{0,4}", 0..3),
        console_size in any::<Option<[u16; 2]>>(),
        flags in any::<[bool; 4]>(),
        unknown in unknown(),
    ) {
        let document = ProcessParameters {
            command_line,
            environment,
            console_size,
            emulate_console: flags[0],
            create_std_in_pipe: flags[1],
            create_std_out_pipe: flags[2],
            create_std_err_pipe: flags[3],
            unknown,
            ..ProcessParameters::default()
        };
        let text = serde_json::to_string(&document).unwrap();
        prop_assert_eq!(serde_json::from_str::<ProcessParameters>(&text).unwrap(), document);
    }

    #[test]
    fn networks_and_endpoints(
        name in ".{0,8}",
        policies in proptest::collection::vec(policy(), 0..4),
        prefix_length in any::<Option<u8>>(),
        unknown in unknown(),
    ) {
        let subnet = Subnet { address_prefix: name.clone(), gateway_address: name.clone(), unknown: unknown.clone() };
        let network = HnsNetwork { name: name.clone(), subnets: vec![subnet], unknown: unknown.clone(), ..HnsNetwork::default() };
        let text = serde_json::to_string(&network).unwrap();
        prop_assert_eq!(serde_json::from_str::<HnsNetwork>(&text).unwrap(), network);
        let endpoint = HnsEndpoint { name, policies, prefix_length, unknown, ..HnsEndpoint::default() };
        let text = serde_json::to_string(&endpoint).unwrap();
        prop_assert_eq!(serde_json::from_str::<HnsEndpoint>(&text).unwrap(), endpoint);
    }
}
