//! computenetwork.dll: networks and endpoints of the second generation. Strings are freed with `CoTaskMemFree`.
//!
//! The simulated network service keeps networks and endpoints as the first generation has them; documents are turned into each other here.
//! Documents of the first generation, those without a schema version, are taken as they are. Changes of networks and endpoints are not
//! simulated.
#![expect(
    unsafe_code,
    non_snake_case,
    reason = "foreign functions, by their names"
)]

use std::ffi::c_void;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use wcow_hcs::values::NetworkNotificationType;
use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork};
use wcow_host::{NetworkService, codes};
use wcow_ntmeta::{Guid, Hresult};

use crate::abi::{GUID, HCN_NOTIFICATION_CALLBACK, HRESULT, PCWSTR, PWSTR};
use crate::answer::{E_INVALIDARG, Failure, NOT_SUPPORTED, Outcome, number};
use crate::callbacks::{Function, Hub, Notice};
use crate::exports::exports;
use crate::session::session;
use crate::strings::{self, Owner, required};
use crate::table;
use crate::v1::hns;
use crate::v1::layers::run;
use crate::v1::{empty, place_handle};

/// What a handle of the network service is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    Network(Guid),
    Endpoint(Guid),
}

/// Where notifications of the service come in: of this process's own changes.
fn service() -> &'static Arc<Hub> {
    static HUB: OnceLock<Arc<Hub>> = OnceLock::new();
    HUB.get_or_init(Arc::default)
}

fn tell(kind: NetworkNotificationType, id: Guid) {
    service().tell_registered(&Notice {
        kind: kind.0,
        status: Hresult::S_OK,
        data: Some(json!({ "ID": id.to_upper_string() }).to_string()),
        operation: 0,
    });
}

fn find(handle: *const c_void) -> Result<Object, Hresult> {
    table::find(handle.cast_mut(), pick).map(|object| *object)
}

fn pick(object: &table::Object) -> Option<Arc<Object>> {
    match object {
        table::Object::Network(object) => Some(Arc::clone(object)),
        _ => None,
    }
}

fn close(handle: *const c_void) -> HRESULT {
    number(table::close(handle.cast_mut(), pick).map(|_| ()))
}

/// Answers with a code, and hands the record of a failure out.
///
/// # Safety
/// The place is null or can be written.
unsafe fn answer(outcome: Outcome<()>, record: *mut PWSTR) -> HRESULT {
    // SAFETY: the caller vouches for the place.
    unsafe { strings::clear(record) };
    let Err(failure) = outcome else {
        return 0;
    };
    let build = session()
        .map(|session| session.facts.build)
        .unwrap_or_default();
    let text = hns::refusal(&failure, build).to_string();
    // SAFETY: the caller vouches for the place. Without memory there is no record.
    let _ = unsafe { strings::give(record, &text, Owner::CoTask) };
    failure.code.as_i32()
}

/// Hands a text out.
///
/// # Safety
/// The place is null or can be written.
unsafe fn give(place: *mut PWSTR, document: &Value) -> Outcome<()> {
    // SAFETY: the caller vouches for the place.
    Ok(unsafe { strings::give(place, &document.to_string(), Owner::CoTask) }?)
}

/// Reads an id that must be there.
///
/// # Safety
/// The pointer is null or good for reading.
unsafe fn id(place: *const GUID) -> Result<Guid, Hresult> {
    if place.is_null() {
        return Err(E_INVALIDARG);
    }
    // SAFETY: it is not null; the caller vouches for the rest.
    Ok(unsafe { place.read_unaligned() }.into())
}

/// Reads a document that is created from, and gives it its id.
///
/// # Safety
/// The pointer is null or good for reading.
unsafe fn settings<T: serde::de::DeserializeOwned>(
    text: PCWSTR,
    id: Guid,
    older: fn(&Value) -> Value,
) -> Outcome<T> {
    // SAFETY: the caller vouches for the pointer.
    let text = unsafe { required(text) }?;
    let wrong = || Failure::from(codes::hcn::INVALID_JSON);
    let mut document: Value = serde_json::from_str(&text).map_err(|_| wrong())?;
    if document.get("SchemaVersion").is_some() {
        document = older(&document);
    }
    let fields = document.as_object_mut().ok_or_else(wrong)?;
    if id != Guid::NIL {
        fields.insert("ID".to_owned(), id.to_upper_string().into());
    }
    serde_json::from_value(document).map_err(|_| wrong())
}

/// A network's document of the second generation, as one of the first.
fn older_network(document: &Value) -> Value {
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
    let adapter = policies(document, "NetAdapterName").next();
    let adapter = adapter.map(|policy| text(&policy["Settings"]["NetworkAdapterName"]));
    json!({
        "Name": text(&document["Name"]),
        "Type": text(&document["Type"]),
        "NetworkAdapterName": adapter.unwrap_or_default(),
        "Subnets": subnets,
    })
}

/// An endpoint's document of the second generation, as one of the first.
fn older_endpoint(document: &Value) -> Value {
    let mappings: Vec<Value> = policies(document, "PortMapping")
        .map(|policy| {
            let settings = &policy["Settings"];
            json!({
                "Type": "NAT",
                "Protocol": if settings["Protocol"] == 17 { "UDP" } else { "TCP" },
                "InternalPort": settings["InternalPort"],
                "ExternalPort": settings["ExternalPort"],
            })
        })
        .collect();
    let address = &document["IpConfigurations"][0];
    json!({
        "Name": text(&document["Name"]),
        "VirtualNetwork": text(&document["HostComputeNetwork"]),
        "Policies": mappings,
        "MacAddress": text(&document["MacAddress"]),
        "IPAddress": text(&address["IpAddress"]),
        "PrefixLength": address["PrefixLength"],
    })
}

fn policies<'a>(document: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    let policies = document["Policies"].as_array().into_iter().flatten();
    policies.filter(move |policy| policy["Type"] == kind)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A network, as the second generation tells it.
fn newer_network(network: &HnsNetwork) -> Value {
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
    let policies = match network.network_adapter_name.as_str() {
        "" => json!([]),
        name => json!([{ "Type": "NetAdapterName", "Settings": { "NetworkAdapterName": name } }]),
    };
    json!({
        "ID": network.id,
        "Name": network.name,
        "Type": network.kind,
        "Policies": policies,
        "Ipams": [{ "Type": "Static", "Subnets": subnets }],
        "SchemaVersion": { "Major": 2, "Minor": 0 },
    })
}

/// An endpoint, as the second generation tells it.
fn newer_endpoint(endpoint: &HnsEndpoint) -> Value {
    let older = serde_json::to_value(endpoint).unwrap_or_default();
    let mappings: Vec<Value> = older["Policies"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|policy| policy["Type"] == "NAT")
        .map(|policy| {
            json!({ "Type": "PortMapping", "Settings": {
                "Protocol": if policy["Protocol"] == "UDP" { 17 } else { 6 },
                "InternalPort": policy["InternalPort"],
                "ExternalPort": policy["ExternalPort"],
            }})
        })
        .collect();
    json!({
        "ID": endpoint.id,
        "Name": endpoint.name,
        "HostComputeNetwork": endpoint.virtual_network,
        "Policies": mappings,
        "MacAddress": endpoint.mac_address,
        "IpConfigurations": [{ "IpAddress": endpoint.ip_address, "PrefixLength": endpoint.prefix_length }],
        "Routes": [{ "NextHop": endpoint.gateway_address, "DestinationPrefix": "0.0.0.0/0" }],
        "SchemaVersion": { "Major": 2, "Minor": 0 },
    })
}

/// The ids of objects, those that a filter by name leaves.
///
/// # Safety
/// The pointers are null or good for what is read and written.
unsafe fn list(query: PCWSTR, place: *mut PWSTR, found: Vec<(String, String)>) -> Outcome<()> {
    // SAFETY: the caller vouches for the pointers.
    unsafe { strings::clear(place) };
    // SAFETY: as above.
    let query = unsafe { strings::read(query) }?.unwrap_or_default();
    let query: Value = match query.as_str() {
        "" => Value::Null,
        query => serde_json::from_str(query).map_err(|_| codes::hcn::INVALID_JSON)?,
    };
    // A filter is a document in a text.
    let filter: Value = match query["Filter"].as_str() {
        None | Some("") => Value::Null,
        Some(filter) => serde_json::from_str(filter).map_err(|_| codes::hcn::INVALID_JSON)?,
    };
    let wanted = |name: &str| filter["Name"].as_str().is_none_or(|wanted| wanted == name);
    let found = found.into_iter().filter(|(_, name)| wanted(name));
    let ids: Vec<String> = found.map(|(id, _)| id).collect();
    // SAFETY: as above.
    unsafe { give(place, &ids.into()) }
}

exports! {
    ComputeNetwork;

    /// Lists the ids of networks.
    "computenetwork_HcnEnumerateNetworks" fn HcnEnumerateNetworks(query: PCWSTR, networks: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT {
        let outcome = (|| {
            let found = run(|host| async move { host.networks().await })?;
            let found = found.into_iter().map(|network| (network.id, network.name)).collect();
            // SAFETY: the caller vouches for the pointers.
            unsafe { list(query, networks, found) }
        })();
        // SAFETY: as above.
        unsafe { answer(outcome, errorrecord) }
    }

    /// Creates a network.
    "computenetwork_HcnCreateNetwork" fn HcnCreateNetwork(id: *const GUID, settings: PCWSTR, network: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT {
        let outcome = (|| {
            // SAFETY: the caller vouches for the pointers.
            unsafe { empty(network) }?;
            // SAFETY: as above.
            let wanted: HnsNetwork = unsafe { self::settings(settings, self::id(id)?, older_network) }?;
            let made = run(move |host| async move { host.create_network(&wanted).await })?;
            let id = hns::guid(&made.id)?;
            tell(NetworkNotificationType::NETWORK_CREATE, id);
            // SAFETY: as above.
            Ok(unsafe { place_handle(network, table::Object::Network(Arc::new(Object::Network(id)))) }?)
        })();
        // SAFETY: as above.
        unsafe { answer(outcome, errorrecord) }
    }

    /// Opens a network.
    "computenetwork_HcnOpenNetwork" fn HcnOpenNetwork(id: *const GUID, network: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT {
        let outcome = (|| {
            // SAFETY: the caller vouches for the pointers.
            unsafe { empty(network) }?;
            // SAFETY: as above.
            let id = unsafe { self::id(id) }?;
            hns::network(&id.to_upper_string())?;
            // SAFETY: as above.
            Ok(unsafe { place_handle(network, table::Object::Network(Arc::new(Object::Network(id)))) }?)
        })();
        // SAFETY: as above.
        unsafe { answer(outcome, errorrecord) }
    }

    /// Changes a network: not simulated.
    "computenetwork_HcnModifyNetwork" fn HcnModifyNetwork(network: *const c_void, settings: PCWSTR, errorrecord: *mut PWSTR) -> HRESULT {
        let _ = settings;
        let outcome = find(network).and(Err(NOT_SUPPORTED)).map_err(Failure::from);
        // SAFETY: the caller vouches for the pointers.
        unsafe { answer(outcome, errorrecord) }
    }

    /// Tells what a network is. The query is not looked into.
    "computenetwork_HcnQueryNetworkProperties" fn HcnQueryNetworkProperties(network: *const c_void, query: PCWSTR, properties: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT {
        let _ = query;
        let outcome = (|| {
            // SAFETY: the caller vouches for the pointers.
            unsafe { strings::clear(properties) };
            let Object::Network(id) = find(network)? else {
                return Err(crate::answer::E_HANDLE.into());
            };
            let found = hns::network(&id.to_upper_string())?;
            // SAFETY: as above.
            unsafe { give(properties, &newer_network(&found)) }
        })();
        // SAFETY: as above.
        unsafe { answer(outcome, errorrecord) }
    }

    /// Deletes a network.
    "computenetwork_HcnDeleteNetwork" fn HcnDeleteNetwork(id: *const GUID, errorrecord: *mut PWSTR) -> HRESULT {
        let outcome = (|| {
            // SAFETY: the caller vouches for the pointers.
            let id = unsafe { self::id(id) }?;
            run(move |host| async move { host.delete_network(id).await })?;
            tell(NetworkNotificationType::NETWORK_DELETE, id);
            Ok(())
        })();
        // SAFETY: as above.
        unsafe { answer(outcome, errorrecord) }
    }

    /// Closes a handle.
    "computenetwork_HcnCloseNetwork" fn HcnCloseNetwork(network: *const c_void) -> HRESULT {
        close(network)
    }

    /// Lists the ids of endpoints.
    "computenetwork_HcnEnumerateEndpoints" fn HcnEnumerateEndpoints(query: PCWSTR, endpoints: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT {
        let outcome = (|| {
            let found = run(|host| async move { host.endpoints().await })?;
            let found = found.into_iter().map(|endpoint| (endpoint.id, endpoint.name)).collect();
            // SAFETY: the caller vouches for the pointers.
            unsafe { list(query, endpoints, found) }
        })();
        // SAFETY: as above.
        unsafe { answer(outcome, errorrecord) }
    }

    /// Creates an endpoint of a network.
    "computenetwork_HcnCreateEndpoint" fn HcnCreateEndpoint(network: *const c_void, id: *const GUID, settings: PCWSTR, endpoint: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT {
        let outcome = (|| {
            // SAFETY: the caller vouches for the pointers.
            unsafe { empty(endpoint) }?;
            let Object::Network(of) = find(network)? else {
                return Err(crate::answer::E_HANDLE.into());
            };
            // SAFETY: as above.
            let mut wanted: HnsEndpoint = unsafe { self::settings(settings, self::id(id)?, older_endpoint) }?;
            wanted.virtual_network = of.to_upper_string();
            let made = run(move |host| async move { host.create_endpoint(&wanted).await })?;
            let id = hns::guid(&made.id)?;
            // SAFETY: as above.
            Ok(unsafe { place_handle(endpoint, table::Object::Network(Arc::new(Object::Endpoint(id)))) }?)
        })();
        // SAFETY: as above.
        unsafe { answer(outcome, errorrecord) }
    }

    /// Opens an endpoint.
    "computenetwork_HcnOpenEndpoint" fn HcnOpenEndpoint(id: *const GUID, endpoint: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT {
        let outcome = (|| {
            // SAFETY: the caller vouches for the pointers.
            unsafe { empty(endpoint) }?;
            // SAFETY: as above.
            let id = unsafe { self::id(id) }?;
            hns::endpoint(&id.to_upper_string())?;
            // SAFETY: as above.
            Ok(unsafe { place_handle(endpoint, table::Object::Network(Arc::new(Object::Endpoint(id)))) }?)
        })();
        // SAFETY: as above.
        unsafe { answer(outcome, errorrecord) }
    }

    /// Changes an endpoint: not simulated.
    "computenetwork_HcnModifyEndpoint" fn HcnModifyEndpoint(endpoint: *const c_void, settings: PCWSTR, errorrecord: *mut PWSTR) -> HRESULT {
        let _ = settings;
        let outcome = find(endpoint).and(Err(NOT_SUPPORTED)).map_err(Failure::from);
        // SAFETY: the caller vouches for the pointers.
        unsafe { answer(outcome, errorrecord) }
    }

    /// Tells what an endpoint is. The query is not looked into.
    "computenetwork_HcnQueryEndpointProperties" fn HcnQueryEndpointProperties(endpoint: *const c_void, query: PCWSTR, properties: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT {
        let _ = query;
        let outcome = (|| {
            // SAFETY: the caller vouches for the pointers.
            unsafe { strings::clear(properties) };
            let Object::Endpoint(id) = find(endpoint)? else {
                return Err(crate::answer::E_HANDLE.into());
            };
            let found = hns::endpoint(&id.to_upper_string())?;
            // SAFETY: as above.
            unsafe { give(properties, &newer_endpoint(&found)) }
        })();
        // SAFETY: as above.
        unsafe { answer(outcome, errorrecord) }
    }

    /// Deletes an endpoint.
    "computenetwork_HcnDeleteEndpoint" fn HcnDeleteEndpoint(id: *const GUID, errorrecord: *mut PWSTR) -> HRESULT {
        let outcome = (|| {
            // SAFETY: the caller vouches for the pointers.
            let id = unsafe { self::id(id) }?;
            run(move |host| async move { host.delete_endpoint(id).await })
        })();
        // SAFETY: as above.
        unsafe { answer(outcome, errorrecord) }
    }

    /// Closes a handle.
    "computenetwork_HcnCloseEndpoint" fn HcnCloseEndpoint(endpoint: *const c_void) -> HRESULT {
        close(endpoint)
    }

    /// Registers a function for networks that this process creates and deletes.
    "computenetwork_HcnRegisterServiceCallback" fn HcnRegisterServiceCallback(callback: HCN_NOTIFICATION_CALLBACK, context: *const c_void, callbackhandle: *mut *mut c_void) -> HRESULT {
        number((|| {
            // SAFETY: the caller vouches for the pointers.
            unsafe { empty(callbackhandle) }?;
            if callback.is_none() {
                return Err(E_INVALIDARG);
            }
            let registration = service().register(Function::Notification(callback), context);
            // SAFETY: as above.
            unsafe { place_handle(callbackhandle, table::Object::Callback(registration)) }
        })())
    }

    /// Ends a registration; waits for a call that runs.
    "computenetwork_HcnUnregisterServiceCallback" fn HcnUnregisterServiceCallback(callbackhandle: *const c_void) -> HRESULT {
        number(table::close(callbackhandle.cast_mut(), table::callback).map(|registration| registration.end()))
    }
}
