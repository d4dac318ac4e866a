//! Documents of the second generation as those of the first, and back.
//!
//! The simulated network service keeps networks and endpoints as the first generation has them. What that one has no key for stays in
//! the document under the key of the second.

use serde_json::{Map, Value, json};
use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork};
use wcow_host::codes::hcn;
use wcow_ntmeta::Hresult;
use wcow_sim::hcn::{is_endpoint_policy, is_network_policy};

/// What a network keeps as it came.
const NETWORK_KEYS: [&str; 3] = ["Flags", "Dns", "MacPool"];
/// What an endpoint keeps as it came.
const ENDPOINT_KEYS: [&str; 2] = ["Flags", "Dns"];
/// The numbers that stand for protocols.
const TCP: u64 = 6;
const UDP: u64 = 17;

/// A network's document of the second generation, as one of the first.
pub(super) fn older_network(document: &Value) -> Result<Value, Hresult> {
    let ipams = document["Ipams"].as_array().into_iter().flatten();
    let subnets: Vec<Value> = ipams
        .flat_map(|ipam| ipam["Subnets"].as_array().into_iter().flatten())
        .map(|subnet| {
            json!({
                "AddressPrefix": text(&subnet["IpAddressPrefix"]),
                "GatewayAddress": text(&subnet["Routes"][0]["NextHop"]),
            })
        })
        .collect();
    let mut adapter = String::new();
    let mut policies = Vec::new();
    for policy in policies_of(document, is_network_policy)? {
        if policy["Type"] == "NetAdapterName" {
            adapter = text(&policy["Settings"]["NetworkAdapterName"]);
        } else {
            policies.push(older_policy(policy));
        }
    }
    let mut older = json!({
        "Name": text(&document["Name"]),
        "Type": text(&document["Type"]),
        "NetworkAdapterName": adapter,
        "Subnets": subnets,
    });
    if !policies.is_empty() {
        older["Policies"] = policies.into();
    }
    keep(document, &mut older, &NETWORK_KEYS);
    Ok(older)
}

/// An endpoint's document of the second generation, as one of the first.
pub(super) fn older_endpoint(document: &Value) -> Result<Value, Hresult> {
    let policies: Vec<Value> = policies_of(document, is_endpoint_policy)?
        .map(|policy| {
            let settings = &policy["Settings"];
            if policy["Type"] != "PortMapping" {
                return older_policy(policy);
            }
            json!({
                "Type": "NAT",
                "Protocol": if settings["Protocol"] == UDP { "UDP" } else { "TCP" },
                "InternalPort": settings["InternalPort"],
                "ExternalPort": settings["ExternalPort"],
            })
        })
        .collect();
    let address = &document["IpConfigurations"][0];
    let mut older = json!({
        "Name": text(&document["Name"]),
        "VirtualNetwork": text(&document["HostComputeNetwork"]),
        "Policies": policies,
        "MacAddress": text(&document["MacAddress"]),
        "IPAddress": text(&address["IpAddress"]),
        "PrefixLength": address["PrefixLength"],
    });
    keep(document, &mut older, &ENDPOINT_KEYS);
    Ok(older)
}

/// A network, as the second generation tells it.
pub(super) fn newer_network(network: &HnsNetwork) -> Value {
    let subnets: Vec<Value> = network
        .subnets
        .iter()
        .map(|subnet| {
            let routes = match subnet.gateway_address.as_str() {
                "" => json!([]),
                gateway => json!([{ "NextHop": gateway, "DestinationPrefix": "0.0.0.0/0" }]),
            };
            json!({ "IpAddressPrefix": subnet.address_prefix, "Routes": routes })
        })
        .collect();
    let mut policies: Vec<Value> = Vec::new();
    if !network.network_adapter_name.is_empty() {
        let name = &network.network_adapter_name;
        let settings = json!({ "NetworkAdapterName": name });
        policies.push(json!({ "Type": "NetAdapterName", "Settings": settings }));
    }
    let older = serde_json::to_value(network).unwrap_or_default();
    let others = older["Policies"].as_array().into_iter().flatten();
    policies.extend(others.map(newer_policy));
    let mut newer = json!({
        "ID": network.id,
        "Name": network.name,
        "Type": network.kind,
        "Policies": policies,
        "Ipams": [{ "Type": "Static", "Subnets": subnets }],
        "SchemaVersion": { "Major": 2, "Minor": 0 },
    });
    keep(&older, &mut newer, &NETWORK_KEYS);
    newer
}

/// An endpoint, as the second generation tells it.
pub(super) fn newer_endpoint(endpoint: &HnsEndpoint) -> Value {
    let older = serde_json::to_value(endpoint).unwrap_or_default();
    let policies = older["Policies"].as_array().into_iter().flatten();
    let policies: Vec<Value> = policies.map(newer_policy).collect();
    let mut newer = json!({
        "ID": endpoint.id,
        "Name": endpoint.name,
        "HostComputeNetwork": endpoint.virtual_network,
        "Policies": policies,
        "MacAddress": endpoint.mac_address,
        "IpConfigurations": [{ "IpAddress": endpoint.ip_address, "PrefixLength": endpoint.prefix_length }],
        "Routes": [{ "NextHop": endpoint.gateway_address, "DestinationPrefix": "0.0.0.0/0" }],
        "SchemaVersion": { "Major": 2, "Minor": 0 },
    });
    keep(&older, &mut newer, &ENDPOINT_KEYS);
    newer
}

/// Adds what the first generation's document does not tell.
pub(super) fn add_extras(document: &mut Value, extras: &Value) {
    let added = extras["Policies"].as_array().cloned().unwrap_or_default();
    if let Some(Value::Array(policies)) = document.get_mut("Policies") {
        policies.extend(added);
    }
    keep(extras, document, &["HostComputeNamespace"]);
}

/// The policies of a document, all of types that there are.
fn policies_of(
    document: &Value,
    is_known: fn(&str) -> bool,
) -> Result<impl Iterator<Item = &Value>, Hresult> {
    let policies = document["Policies"].as_array().into_iter().flatten();
    for policy in policies.clone() {
        let kind = policy["Type"].as_str().ok_or(hcn::INVALID_JSON)?;
        if !is_known(kind) {
            return Err(hcn::INVALID_POLICY_TYPE);
        }
    }
    Ok(policies)
}

/// A policy with its settings beside its type.
fn older_policy(policy: &Value) -> Value {
    let mut older = Map::new();
    older.insert("Type".to_owned(), policy["Type"].clone());
    let settings = policy["Settings"].as_object().into_iter().flatten();
    older.extend(settings.map(|(key, value)| (key.clone(), value.clone())));
    Value::Object(older)
}

/// A policy with its settings apart.
fn newer_policy(policy: &Value) -> Value {
    if policy["Type"] == "NAT" {
        return json!({ "Type": "PortMapping", "Settings": {
            "Protocol": if policy["Protocol"] == "UDP" { UDP } else { TCP },
            "InternalPort": policy["InternalPort"],
            "ExternalPort": policy["ExternalPort"],
        }});
    }
    let keys = policy.as_object().into_iter().flatten();
    let settings: Map<String, Value> = keys
        .filter(|(key, _)| *key != "Type")
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    json!({ "Type": policy["Type"], "Settings": settings })
}

fn keep(from: &Value, to: &mut Value, keys: &[&str]) {
    for key in keys {
        if let Some(value) = from.get(key) {
            to[*key] = value.clone();
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
