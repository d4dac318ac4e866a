//! Objects of the second generation's network service, and what was added to networks and endpoints later.
//!
//! How it is known: codes are those of the schema's error table. Measured: policies that are added to an endpoint later are taken and
//! have no effect; flags must be numbers. By the names of the codes: an endpoint in a second namespace, a default namespace beside
//! another. Inferred: the numbers of namespaces, what a restart leaves, that what is referred to is not deleted, and that load
//! balancers and routes cannot be changed (no schema of such a request is public).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use wcow_host::codes::{hcn, win32};
use wcow_ntmeta::{Guid, Hresult};

use super::World;
use crate::call::Outcome;
use crate::hcn::{HcnCall, HcnKind, HcnTarget, PortClaim, is_endpoint_policy, is_network_policy};

/// The first build that has the second generation's service.
const FIRST_BUILD: u32 = 17763;
/// The compartment of the host itself; namespaces are numbered after it.
const HOST_COMPARTMENT: u64 = 1;
/// Where the ports begin that the service chooses from.
const FIRST_DYNAMIC_PORT: u16 = 49152;
/// The states of a guest network service, in the order of their numbers.
const GUEST_STATES: [&str; 9] = [
    "None",
    "Created",
    "Bootstrapping",
    "Synchronized",
    "Paused",
    "Desynchronized",
    "Rehydrating",
    "Degraded",
    "Destroyed",
];

type Document = Map<String, Value>;

/// Everything beside networks and endpoints.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Objects {
    namespaces: BTreeMap<Guid, Document>,
    load_balancers: BTreeMap<Guid, Document>,
    routes: BTreeMap<Guid, Document>,
    guest_services: BTreeMap<Guid, Document>,
    /// Policies that were added to networks and endpoints after they were made.
    added: BTreeMap<Guid, Vec<Value>>,
    ports: BTreeMap<u64, Reservation>,
    /// The number of the last reservation.
    last: u64,
}

/// Reserved ports.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Reservation {
    service: Guid,
    tcp: bool,
    udp: bool,
    shared: bool,
    first: u16,
    last: u16,
}

impl Reservation {
    fn collides(&self, claim: &PortClaim, first: u16, last: u16) -> bool {
        let same_protocol = (self.tcp && claim.tcp) || (self.udp && claim.udp);
        let both_share = self.shared && claim.shared;
        same_protocol && !both_share && self.first <= last && first <= self.last
    }
}

impl Objects {
    fn of(&self, kind: HcnKind) -> &BTreeMap<Guid, Document> {
        match kind {
            HcnKind::Namespace => &self.namespaces,
            HcnKind::LoadBalancer => &self.load_balancers,
            HcnKind::SdnRoute => &self.routes,
            HcnKind::GuestNetworkService => &self.guest_services,
        }
    }

    fn of_mut(&mut self, kind: HcnKind) -> &mut BTreeMap<Guid, Document> {
        match kind {
            HcnKind::Namespace => &mut self.namespaces,
            HcnKind::LoadBalancer => &mut self.load_balancers,
            HcnKind::SdnRoute => &mut self.routes,
            HcnKind::GuestNetworkService => &mut self.guest_services,
        }
    }

    /// The namespace that an endpoint is in.
    fn namespace_of(&self, endpoint: Guid) -> Option<Guid> {
        let mut all = self.namespaces.iter();
        all.find(|(_, namespace)| place_in(namespace, "Endpoint", &endpoint.to_string()).is_some())
            .map(|(id, _)| *id)
    }

    /// Whether a namespace, a load balancer or a route refers to an endpoint.
    pub(super) fn refer_to(&self, endpoint: Guid) -> bool {
        let named = |document: &Document| endpoints_of(document).any(|id| id == Ok(endpoint));
        self.namespace_of(endpoint).is_some()
            || self.load_balancers.values().any(named)
            || self.routes.values().any(named)
    }

    /// Whether a port of the host is reserved.
    pub(super) fn has_port(&self, protocol: &str, port: u16) -> bool {
        self.ports.values().any(|ports| {
            let protocol = match protocol {
                "TCP" => ports.tcp,
                _ => ports.udp,
            };
            protocol && (ports.first..=ports.last).contains(&port)
        })
    }

    /// A network or an endpoint is gone.
    pub(super) fn forget(&mut self, id: Guid) {
        self.added.remove(&id);
    }

    /// The machine was restarted: virtual machines and containers are gone, and so are endpoints that are not there any more.
    pub(super) fn restarted(&mut self, lives: impl Fn(Guid) -> bool) {
        self.guest_services.clear();
        self.ports.clear();
        self.added.retain(|id, _| lives(*id));
        let is_there = |id: &Value| guid(id).is_ok_and(&lives);
        for namespace in self.namespaces.values_mut() {
            if let Some(Value::Array(resources)) = namespace.get_mut("Resources") {
                resources.retain(|resource| {
                    resource["Type"] == "Endpoint" && is_there(&resource["Data"]["Id"])
                });
            }
        }
        let referring = self.load_balancers.values_mut();
        for document in referring.chain(self.routes.values_mut()) {
            if let Some(Value::Array(endpoints)) = document.get_mut("HostComputeEndpoints") {
                endpoints.retain(is_there);
            }
        }
    }

    /// The number of a new namespace: the lowest that is free.
    fn compartment(&self) -> u64 {
        let taken = |number: &u64| {
            let mut all = self.namespaces.values();
            all.any(|namespace| namespace.get("NamespaceId") == Some(&Value::from(*number)))
        };
        let mut numbers = HOST_COMPARTMENT + 1..;
        numbers.find(|number| !taken(number)).unwrap_or_default()
    }
}

impl World {
    pub(super) fn hcn_call(&mut self, call: &HcnCall) -> Outcome {
        if self.profile.build < FIRST_BUILD {
            return Err(win32::PROC_NOT_FOUND.into());
        }
        Ok(self.hcn_answer(call)?.into())
    }

    fn hcn_answer(&mut self, call: &HcnCall) -> Result<Value, Hresult> {
        match call {
            HcnCall::List(kind) => {
                let all = self.hns.objects().of(*kind).values();
                Ok(all.cloned().map(Value::Object).collect())
            }
            HcnCall::Query(kind, id) => {
                let found = self.hns.objects().of(*kind).get(id);
                Ok(Value::Object(found.ok_or(win32::NOT_FOUND)?.clone()))
            }
            HcnCall::Create(kind, settings) => self.create_object(*kind, settings),
            HcnCall::Modify(kind, id, request) => self.modify_object(*kind, *id, request),
            HcnCall::Delete(kind, id) => self.delete_object(*kind, *id),
            HcnCall::ModifyTarget(target, request) => self.modify_target(*target, request),
            HcnCall::Extras(target) => self.extras(*target),
            HcnCall::ReservePorts(service, claim) => self.reserve_ports(*service, claim),
            HcnCall::ReleasePorts(id) => {
                let ports = &mut self.hns.objects_mut().ports;
                ports.remove(id).ok_or(win32::NOT_FOUND)?;
                Ok(Value::Null)
            }
            HcnCall::ReservedPorts => {
                let all = self.hns.objects().ports.iter();
                Ok(all.map(|(id, ports)| told(*id, ports)).collect())
            }
        }
    }

    fn create_object(&mut self, kind: HcnKind, settings: &Value) -> Result<Value, Hresult> {
        let mut document = settings.as_object().ok_or(hcn::INVALID_JSON)?.clone();
        if document.get("Flags").is_some_and(|flags| !flags.is_u64()) {
            return Err(hcn::INVALID_JSON);
        }
        let id = match document.get("ID") {
            None => self.new_guid(),
            Some(id) => guid(id)?,
        };
        if self.hns.objects().of(kind).contains_key(&id) {
            return Err(win32::OBJECT_ALREADY_EXISTS);
        }
        document.insert("ID".to_owned(), id.to_string().into());
        match kind {
            HcnKind::Namespace => self.fill_namespace(&mut document)?,
            HcnKind::LoadBalancer => {
                self.check_endpoints(&document)?;
                check_mappings(&document)?;
            }
            HcnKind::SdnRoute => self.check_endpoints(&document)?,
            HcnKind::GuestNetworkService => {
                document.insert("State".to_owned(), 1.into());
            }
        }
        let objects = self.hns.objects_mut().of_mut(kind);
        objects.insert(id, document.clone());
        Ok(Value::Object(document))
    }

    fn fill_namespace(&self, document: &mut Document) -> Result<(), Hresult> {
        let objects = self.hns.objects();
        let kind = match document.get("Type") {
            None => "Host",
            Some(kind) => kind.as_str().ok_or(hcn::INVALID_JSON)?,
        };
        match kind {
            "Host" | "Guest" => {}
            "HostDefault" | "GuestDefault" => {
                let mut all = objects.namespaces.values();
                if all.any(|other| other.get("Type").is_some_and(|other| other == kind)) {
                    return Err(hcn::GUEST_DEFAULTNAMESPACE_EXISTS);
                }
            }
            _ => return Err(hcn::INVALID_JSON),
        }
        let kind = Value::from(kind);
        let wanted = match document.remove("Resources") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(wanted)) => wanted,
            Some(_) => return Err(hcn::INVALID_JSON),
        };
        document.insert("Type".to_owned(), kind);
        document.insert("NamespaceId".to_owned(), objects.compartment().into());
        document.insert("Resources".to_owned(), Value::Array(Vec::new()));
        for resource in wanted {
            let kind = resource["Type"].as_str().ok_or(hcn::INVALID_JSON)?;
            self.add_resource(document, kind, &resource["Data"]["Id"])?;
        }
        Ok(())
    }

    fn check_endpoints(&self, document: &Document) -> Result<(), Hresult> {
        for id in endpoints_of(document) {
            self.hns.endpoint(id?).ok_or(hcn::ENDPOINT_NOT_FOUND)?;
        }
        Ok(())
    }

    fn modify_object(
        &mut self,
        kind: HcnKind,
        id: Guid,
        request: &Value,
    ) -> Result<Value, Hresult> {
        let found = self.hns.objects().of(kind).get(&id);
        let mut document = found.ok_or(win32::NOT_FOUND)?.clone();
        let (what, how) = request_of(request)?;
        let settings = &request["Settings"];
        match (kind, what, how) {
            (HcnKind::Namespace, "Endpoint" | "Container", "Add") => {
                self.add_resource(&mut document, what, resource_id(what, settings))?;
            }
            (HcnKind::Namespace, "Endpoint" | "Container", "Remove") => {
                let wanted = resource_id(what, settings);
                let wanted = match what {
                    "Endpoint" => guid(wanted)?.to_string(),
                    _ => wanted.as_str().ok_or(hcn::INVALID_JSON)?.to_owned(),
                };
                let place = place_in(&document, what, &wanted).ok_or(win32::NOT_FOUND)?;
                if let Some(Value::Array(resources)) = document.get_mut("Resources") {
                    resources.remove(place);
                }
            }
            (HcnKind::GuestNetworkService, "State", _) => {
                let state = settings["State"].as_str().ok_or(hcn::INVALID_JSON)?;
                let number = GUEST_STATES.iter().position(|known| *known == state);
                let number = number.ok_or(hcn::INVALID_JSON)?;
                document.insert("State".to_owned(), number.into());
            }
            _ => return Err(hcn::REQUEST_UNSUPPORTED),
        }
        let objects = self.hns.objects_mut().of_mut(kind);
        objects.insert(id, document.clone());
        Ok(Value::Object(document))
    }

    fn add_resource(
        &self,
        namespace: &mut Document,
        kind: &str,
        id: &Value,
    ) -> Result<(), Hresult> {
        let id = match kind {
            "Endpoint" => {
                let id = guid(id)?;
                self.hns.endpoint(id).ok_or(hcn::ENDPOINT_NOT_FOUND)?;
                let here = place_in(namespace, kind, &id.to_string()).is_some();
                if here || self.hns.objects().namespace_of(id).is_some() {
                    return Err(hcn::ENDPOINT_NAMESPACE_ALREADY_EXISTS);
                }
                id.to_string()
            }
            "Container" => {
                let id = id.as_str().ok_or(hcn::INVALID_JSON)?;
                if place_in(namespace, kind, id).is_some() {
                    return Err(win32::OBJECT_ALREADY_EXISTS);
                }
                id.to_owned()
            }
            _ => return Err(hcn::INVALID_JSON),
        };
        if let Some(Value::Array(resources)) = namespace.get_mut("Resources") {
            resources.push(json!({ "Type": kind, "Data": { "Id": id } }));
        }
        Ok(())
    }

    fn delete_object(&mut self, kind: HcnKind, id: Guid) -> Result<Value, Hresult> {
        let objects = self.hns.objects_mut();
        let found = objects.of(kind).get(&id).ok_or(win32::NOT_FOUND)?;
        match kind {
            HcnKind::Namespace => {
                let resources = found.get("Resources").and_then(Value::as_array);
                if resources.is_some_and(|resources| !resources.is_empty()) {
                    return Err(hcn::ENTITY_HAS_REFERENCES);
                }
            }
            HcnKind::GuestNetworkService => objects.ports.retain(|_, ports| ports.service != id),
            HcnKind::LoadBalancer | HcnKind::SdnRoute => {}
        }
        objects.of_mut(kind).remove(&id);
        Ok(Value::Null)
    }

    fn modify_target(&mut self, target: HcnTarget, request: &Value) -> Result<Value, Hresult> {
        let id = self.target(target)?;
        let ("Policy", how) = request_of(request)? else {
            return Err(hcn::REQUEST_UNSUPPORTED);
        };
        let policies = request["Settings"]["Policies"].as_array();
        let policies = policies.ok_or(hcn::INVALID_JSON)?;
        for policy in policies {
            check_policy(target, policy)?;
        }
        let added = &mut self.hns.objects_mut().added;
        let now = added.get(&id).cloned().unwrap_or_default();
        let then = match how {
            "Add" => {
                let then = [now, policies.clone()].concat();
                let parameters = then
                    .iter()
                    .filter(|policy| policy["Type"] == "InterfaceParameters");
                if parameters.count() > 1 {
                    return Err(hcn::INTERFACEPARAMETERS_ALREADY_APPLIED);
                }
                then
            }
            "Update" => policies.clone(),
            "Remove" => {
                let mut then = now;
                for policy in policies {
                    let place = then.iter().position(|known| known == policy);
                    then.remove(place.ok_or(hcn::POLICY_NOT_FOUND)?);
                }
                then
            }
            _ => return Err(hcn::REQUEST_UNSUPPORTED),
        };
        if then.is_empty() {
            added.remove(&id);
        } else {
            added.insert(id, then);
        }
        Ok(Value::Null)
    }

    fn extras(&self, target: HcnTarget) -> Result<Value, Hresult> {
        let id = self.target(target)?;
        let objects = self.hns.objects();
        let added = objects.added.get(&id).cloned().unwrap_or_default();
        let mut told = json!({ "Policies": added });
        if let (Some(namespace), Some(told)) = (objects.namespace_of(id), told.as_object_mut()) {
            let key = "HostComputeNamespace".to_owned();
            told.insert(key, namespace.to_string().into());
        }
        Ok(told)
    }

    /// The id of a network or an endpoint that is there.
    fn target(&self, target: HcnTarget) -> Result<Guid, Hresult> {
        match target {
            HcnTarget::Network(id) if self.hns.has_network(id) => Ok(id),
            HcnTarget::Endpoint(id) if self.hns.endpoint(id).is_some() => Ok(id),
            _ => Err(win32::NOT_FOUND),
        }
    }

    fn reserve_ports(&mut self, service: Guid, claim: &PortClaim) -> Result<Value, Hresult> {
        let objects = self.hns.objects();
        if !objects.guest_services.contains_key(&service) {
            return Err(win32::NOT_FOUND);
        }
        let more = claim.count.checked_sub(1);
        let more = more.ok_or(win32::INVALID_PARAMETER)?;
        if claim.first == Some(0) || !(claim.tcp || claim.udp) {
            return Err(win32::INVALID_PARAMETER);
        }
        let is_free = |first: u16, last: u16| {
            let reserved = objects.ports.values();
            let published = |port| {
                (claim.tcp && self.hns.publishes("TCP", port))
                    || (claim.udp && self.hns.publishes("UDP", port))
            };
            !reserved
                .into_iter()
                .any(|ports| ports.collides(claim, first, last))
                && !(first..=last).any(published)
        };
        let place = |first: u16| Some((first, first.checked_add(more)?));
        let (first, last) = match claim.first {
            Some(first) => {
                let (first, last) = place(first).ok_or(win32::INVALID_PARAMETER)?;
                is_free(first, last)
                    .then_some((first, last))
                    .ok_or(hcn::PORT_ALREADY_EXISTS)?
            }
            None => (FIRST_DYNAMIC_PORT..=u16::MAX)
                .step_by(claim.count.into())
                .map_while(place)
                .find(|&(first, last)| is_free(first, last))
                .ok_or(hcn::PORT_ALREADY_EXISTS)?,
        };
        let reservation = Reservation {
            service,
            tcp: claim.tcp,
            udp: claim.udp,
            shared: claim.shared,
            first,
            last,
        };
        let objects = self.hns.objects_mut();
        objects.last += 1;
        let answer = told(objects.last, &reservation);
        objects.ports.insert(objects.last, reservation);
        Ok(answer)
    }
}

fn told(id: u64, ports: &Reservation) -> Value {
    json!({
        "Id": id,
        "Service": ports.service.to_string(),
        "Tcp": ports.tcp,
        "Udp": ports.udp,
        "Shared": ports.shared,
        "StartingPort": ports.first,
        "EndingPort": ports.last,
    })
}

/// What a request is about, and what it asks for.
fn request_of(request: &Value) -> Result<(&str, &str), Hresult> {
    let word = |key: &str| request[key].as_str().ok_or(hcn::INVALID_JSON);
    Ok((word("ResourceType")?, word("RequestType")?))
}

/// The id in the settings of a request about a namespace.
fn resource_id<'a>(kind: &str, settings: &'a Value) -> &'a Value {
    match kind {
        "Endpoint" => &settings["EndpointId"],
        _ => &settings["ContainerId"],
    }
}

/// Where a namespace has this resource.
fn place_in(namespace: &Document, kind: &str, id: &str) -> Option<usize> {
    let resources = namespace.get("Resources")?.as_array()?;
    resources
        .iter()
        .position(|resource| resource["Type"] == kind && resource["Data"]["Id"] == id)
}

/// The endpoints that a load balancer or a route is for.
fn endpoints_of(document: &Document) -> impl Iterator<Item = Result<Guid, Hresult>> {
    let list = document
        .get("HostComputeEndpoints")
        .and_then(Value::as_array);
    list.into_iter().flatten().map(guid)
}

fn check_mappings(document: &Document) -> Result<(), Hresult> {
    let mappings = document.get("PortMappings").and_then(Value::as_array);
    for mapping in mappings.into_iter().flatten() {
        if mapping["InternalPort"].as_u64().unwrap_or_default() == 0 {
            return Err(hcn::INVALID_INTERNAL_PORT);
        }
        if mapping.get("Flags").is_some_and(|flags| !flags.is_u64()) {
            return Err(hcn::INVALID_JSON);
        }
    }
    Ok(())
}

fn check_policy(target: HcnTarget, policy: &Value) -> Result<(), Hresult> {
    let kind = policy["Type"].as_str().ok_or(hcn::INVALID_JSON)?;
    let known = match target {
        HcnTarget::Network(_) => is_network_policy(kind),
        HcnTarget::Endpoint(_) => is_endpoint_policy(kind),
    };
    if !known {
        return Err(hcn::INVALID_POLICY_TYPE);
    }
    let port = policy["Settings"]["InternalPort"].as_u64();
    if kind == "PortMapping" && port.unwrap_or_default() == 0 {
        return Err(hcn::INVALID_INTERNAL_PORT);
    }
    Ok(())
}

fn guid(id: &Value) -> Result<Guid, Hresult> {
    let text = id.as_str().ok_or(hcn::INVALID_JSON)?;
    text.parse().map_err(|_| hcn::GUID_CONVERSION_FAILURE)
}
