//! Any document survives being written and read, and so does what this version does not know.

use proptest::prelude::*;
use serde_json::Value;
use wcow_hcs_schema::Unknown;
use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork, NatPolicy, Policy, Subnet};
use wcow_hcs_schema::schema1::{ContainerConfig, Layer, ProcessParameters};
use wcow_hcs_schema::tp3::{
    Connection, Device, DeviceSettings, Nat, PortBinding, Tp3ContainerConfig,
};

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
    fn layers()(layers in proptest::collection::vec((".{0,12}", ".{0,12}"), 0..4)) -> Vec<Layer> {
        layers.into_iter().map(|(id, path)| Layer { id, path }).collect()
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
    let nat = ("[A-Z]{0,4}", any::<u16>(), any::<u16>()).prop_map(
        |(protocol, internal_port, external_port)| {
            Policy::Nat(NatPolicy {
                protocol,
                internal_port,
                external_port,
            })
        },
    );
    let other = ("[A-MO-Z][A-Za-z]{0,5}", unknown()).prop_map(|(kind, mut keys)| {
        keys.insert("Type".to_owned(), Value::from(kind));
        Policy::Other(keys)
    });
    prop_oneof![nat, other]
}

proptest! {
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
        let binding = |(internal_port, external_port)| PortBinding { protocol: "TCP".to_owned(), internal_port, external_port };
        let nat = Nat { name: "nat".to_owned(), port_bindings: ports.into_iter().map(binding).collect() };
        let connection = Connection { network_name: "s".to_owned(), enable_nat: has_nat, nat: has_nat.then_some(nat) };
        let device = Device { device_type: "Network".to_owned(), connection, settings: DeviceSettings::default() };
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
        let subnet = Subnet { address_prefix: name.clone(), gateway_address: name.clone() };
        let network = HnsNetwork { name: name.clone(), subnets: vec![subnet], unknown: unknown.clone(), ..HnsNetwork::default() };
        let text = serde_json::to_string(&network).unwrap();
        prop_assert_eq!(serde_json::from_str::<HnsNetwork>(&text).unwrap(), network);
        let endpoint = HnsEndpoint { name, policies, prefix_length, unknown, ..HnsEndpoint::default() };
        let text = serde_json::to_string(&endpoint).unwrap();
        prop_assert_eq!(serde_json::from_str::<HnsEndpoint>(&text).unwrap(), endpoint);
    }
}
