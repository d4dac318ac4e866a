//! Documents of the second generation as those of the first, and back.
//!
//! The simulated network service keeps networks and endpoints as the first generation has them. What that one has no key for, or nobody
//! knows, stays in the document under the key of the second. Of a policy no more than its type and its settings is kept.

use serde_json::{Map, Value, json};
use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork, Subnet};
use wcow_host::codes::hcn;
use wcow_ntmeta::Hresult;
use wcow_sim::hcn::{is_endpoint_policy, is_network_policy};

/// What a network has a key of its own for in one of the generations, and what is the service's to say.
const NETWORK_KEYS: [&str; 7] = [
    "ID",
    "Name",
    "Type",
    "NetworkAdapterName",
    "Subnets",
    "Policies",
    "SchemaVersion",
];
/// The same of an endpoint.
const ENDPOINT_KEYS: [&str; 12] = [
    "ID",
    "Name",
    "VirtualNetwork",
    "HostComputeNetwork",
    "Policies",
    "MacAddress",
    "IPAddress",
    "PrefixLength",
    "GatewayAddress",
    "SharedContainers",
    "SchemaVersion",
    "HostComputeNamespace",
];
/// The same of a published port.
const PORT_KEYS: [&str; 4] = ["Type", "Protocol", "InternalPort", "ExternalPort"];
/// Where packets go that no other route is for.
const ANYWHERE: &str = "0.0.0.0/0";
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
    keep_others(document, &mut older, &NETWORK_KEYS);
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
            let mut older = json!({
                "Type": "NAT",
                "Protocol": if settings["Protocol"] == UDP { "UDP" } else { "TCP" },
                "InternalPort": settings["InternalPort"],
                "ExternalPort": settings["ExternalPort"],
            });
            keep_others(settings, &mut older, &PORT_KEYS);
            older
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
    keep_others(document, &mut older, &ENDPOINT_KEYS);
    Ok(older)
}

/// A network, as the second generation tells it.
pub(super) fn newer_network(network: &HnsNetwork) -> Value {
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
        "Ipams": ipams(network, &older),
        "SchemaVersion": { "Major": 2, "Minor": 0 },
    });
    keep_others(&older, &mut newer, &NETWORK_KEYS);
    newer
}

/// The subnets of a network, each where its document had it; those that the service chose come last.
fn ipams(network: &HnsNetwork, older: &Value) -> Vec<Value> {
    let mut ipams = older["Ipams"].as_array().cloned().unwrap_or_default();
    if ipams.is_empty() {
        ipams.push(json!({}));
    }
    let mut subnets = network.subnets.iter();
    for ipam in ipams.iter_mut().filter(|ipam| ipam.is_object()) {
        ipam["Subnets"] = match ipam["Subnets"].take() {
            Value::Array(kept) => kept
                .into_iter()
                .zip(subnets.by_ref())
                .map(|(kept, subnet)| newer_subnet(kept, subnet))
                .collect(),
            _ => json!([]),
        };
        if ipam["Type"].is_null() {
            ipam["Type"] = "Static".into();
        }
    }
    let chosen = subnets.map(|subnet| newer_subnet(json!({}), subnet));
    let last = ipams.last_mut().and_then(|ipam| ipam.get_mut("Subnets"));
    if let Some(Value::Array(last)) = last {
        last.extend(chosen);
    }
    ipams
}

/// A subnet: what was kept of it, and what it is.
fn newer_subnet(kept: Value, subnet: &Subnet) -> Value {
    let mut newer = if kept.is_object() { kept } else { json!({}) };
    for (key, value) in &subnet.unknown {
        newer[key] = value.clone();
    }
    newer["IpAddressPrefix"] = subnet.address_prefix.as_str().into();
    newer["Routes"] = routes(newer["Routes"].take(), &subnet.gateway_address);
    newer
}

/// Routes that were kept, where the one to everywhere leads to the gateway.
fn routes(kept: Value, gateway: &str) -> Value {
    let mut routes = match kept {
        Value::Array(routes) => routes,
        _ => Vec::new(),
    };
    if !gateway.is_empty() {
        let leads = |route: &&mut Value| {
            route.is_object()
                && (route["DestinationPrefix"].is_null() || route["DestinationPrefix"] == ANYWHERE)
        };
        match routes.iter_mut().find(leads) {
            Some(route) => {
                route["NextHop"] = gateway.into();
                route["DestinationPrefix"] = ANYWHERE.into();
            }
            None => routes.insert(
                0,
                json!({ "NextHop": gateway, "DestinationPrefix": ANYWHERE }),
            ),
        }
    }
    routes.into()
}

/// An endpoint, as the second generation tells it.
pub(super) fn newer_endpoint(endpoint: &HnsEndpoint) -> Value {
    let older = serde_json::to_value(endpoint).unwrap_or_default();
    let policies = older["Policies"].as_array().into_iter().flatten();
    let policies: Vec<Value> = policies.map(newer_policy).collect();
    let kept = older["IpConfigurations"].as_array().cloned();
    let mut addresses = kept.unwrap_or_default();
    if !addresses.first().is_some_and(Value::is_object) {
        addresses.insert(0, json!({}));
    }
    if let Some(first) = addresses.first_mut() {
        first["IpAddress"] = endpoint.ip_address.as_str().into();
        first["PrefixLength"] = endpoint.prefix_length.into();
    }
    let mut newer = json!({
        "ID": endpoint.id,
        "Name": endpoint.name,
        "HostComputeNetwork": endpoint.virtual_network,
        "Policies": policies,
        "MacAddress": endpoint.mac_address,
        "IpConfigurations": addresses,
        "Routes": routes(older["Routes"].clone(), &endpoint.gateway_address),
        "SchemaVersion": { "Major": 2, "Minor": 0 },
    });
    keep_others(&older, &mut newer, &ENDPOINT_KEYS);
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
        let mut settings = json!({
            "Protocol": if policy["Protocol"] == "UDP" { UDP } else { TCP },
            "InternalPort": policy["InternalPort"],
            "ExternalPort": policy["ExternalPort"],
        });
        keep_others(policy, &mut settings, &PORT_KEYS);
        return json!({ "Type": "PortMapping", "Settings": settings });
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

/// Adds all keys but these, and those that are there.
fn keep_others(from: &Value, to: &mut Value, but: &[&str]) {
    for (key, value) in from.as_object().into_iter().flatten() {
        if !but.contains(&key.as_str()) && to.get(key).is_none() {
            to[key] = value.clone();
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
