//! What all kinds of HCN's objects have in common: they are listed, created, opened, changed, told of, deleted and closed alike.
#![expect(
    unsafe_code,
    reason = "reads and writes the memory of callers, who vouch for their pointers"
)]

use std::ffi::c_void;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use wcow_hcs::values::NetworkNotificationType;
use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork};
use wcow_host::codes::{hcn, win32};
use wcow_host::{HostError, NetworkService};
use wcow_ntmeta::{Guid, Hresult};
use wcow_sim::hcn::{HcnCall, HcnKind, HcnTarget};

use super::documents;
use crate::abi::{GUID, HRESULT, PCWSTR, PWSTR};
use crate::answer::{E_INVALIDARG, Outcome, number};
use crate::callbacks::{Hub, Notice};
use crate::places::{empty, place_handle};
use crate::session::session;
use crate::strings::{self, Owner, required};
use crate::table;
use crate::v1::hns;
use crate::v1::layers::run;

/// The first build that has the second generation's service.
const FIRST_BUILD: u32 = 17763;

/// The kinds of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Network,
    Endpoint,
    /// One that the first generation does not have.
    Newer(HcnKind),
}

/// What a handle of the network service is for.
#[derive(Debug)]
pub(crate) struct Object {
    pub(super) kind: Kind,
    pub(super) id: Guid,
    /// Where registrations that belong to it hear from.
    pub(super) hub: Arc<Hub>,
}

/// Where notifications of the service come in: of this process's own changes.
pub(super) fn service() -> &'static Arc<Hub> {
    static HUB: OnceLock<Arc<Hub>> = OnceLock::new();
    HUB.get_or_init(Arc::default)
}

/// What is told of an object.
pub(super) fn notice(kind: NetworkNotificationType, id: Guid, data: Option<Value>) -> Notice {
    let mut told = json!({ "ID": id.to_upper_string(), "Flags": 0 });
    if let Some(data) = data {
        told["Data"] = data;
    }
    Notice {
        kind: kind.0,
        status: Hresult::S_OK,
        data: Some(told.to_string()),
        operation: 0,
    }
}

impl Kind {
    /// What the service tells when one is made, and when one is deleted.
    fn notifications(self) -> Option<[NetworkNotificationType; 2]> {
        use NetworkNotificationType as N;
        match self {
            Self::Network => Some([N::NETWORK_CREATE, N::NETWORK_DELETE]),
            Self::Newer(HcnKind::Namespace) => Some([N::NAMESPACE_CREATE, N::NAMESPACE_DELETE]),
            Self::Newer(HcnKind::GuestNetworkService) => Some([
                N::GUEST_NETWORK_SERVICE_CREATE,
                N::GUEST_NETWORK_SERVICE_DELETE,
            ]),
            Self::Endpoint | Self::Newer(HcnKind::LoadBalancer | HcnKind::SdnRoute) => None,
        }
    }

    /// Ids and names of all.
    fn all(self) -> Outcome<Vec<(String, String)>> {
        match self {
            Self::Network => {
                let found = run(|host| async move { host.networks().await })?;
                Ok(found.into_iter().map(|one| (one.id, one.name)).collect())
            }
            Self::Endpoint => {
                let found = run(|host| async move { host.endpoints().await })?;
                Ok(found.into_iter().map(|one| (one.id, one.name)).collect())
            }
            Self::Newer(kind) => {
                let found = call(HcnCall::List(kind))?;
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let found = found.as_array().into_iter().flatten();
                Ok(found
                    .map(|one| (text(&one["ID"]), text(&one["Name"])))
                    .collect())
            }
        }
    }

    /// One as a document.
    fn told(self, id: Guid) -> Outcome<Value> {
        let (mut document, target) = match self {
            Self::Network => {
                let found = hns::network(&id.to_upper_string())?;
                (documents::newer_network(&found), HcnTarget::Network(id))
            }
            Self::Endpoint => {
                let found = hns::endpoint(&id.to_upper_string())?;
                (documents::newer_endpoint(&found), HcnTarget::Endpoint(id))
            }
            Self::Newer(kind) => return call(HcnCall::Query(kind, id)),
        };
        documents::add_extras(&mut document, &call(HcnCall::Extras(target))?);
        Ok(document)
    }

    /// Makes one of a document; the answer is its id.
    fn make(self, document: Value) -> Outcome<Guid> {
        let id = match self {
            Self::Network => {
                let wanted: HnsNetwork = read(older(document, documents::older_network)?)?;
                run(move |host| async move { host.create_network(&wanted).await })?.id
            }
            Self::Endpoint => return make_endpoint(document),
            Self::Newer(kind) => {
                let made = call(HcnCall::Create(kind, document))?;
                made["ID"].as_str().unwrap_or_default().to_owned()
            }
        };
        hns::guid(&id)
    }

    fn change(self, id: Guid, request: Value) -> Outcome<Value> {
        call(match self {
            Self::Network => HcnCall::ModifyTarget(HcnTarget::Network(id), request),
            Self::Endpoint => HcnCall::ModifyTarget(HcnTarget::Endpoint(id), request),
            Self::Newer(kind) => HcnCall::Modify(kind, id, request),
        })
    }

    fn remove(self, id: Guid) -> Outcome<()> {
        match self {
            Self::Network => run(move |host| async move { host.delete_network(id).await }),
            Self::Endpoint => run(move |host| async move { host.delete_endpoint(id).await }),
            Self::Newer(kind) => call(HcnCall::Delete(kind, id)).map(|_| ()),
        }
    }
}

/// A call that only the second generation has.
pub(super) fn call(wanted: HcnCall) -> Outcome<Value> {
    run(move |host| async move { host.hcn(wanted).await })
}

/// An endpoint, in its namespace if the document names one.
fn make_endpoint(document: Value) -> Outcome<Guid> {
    let namespace = match document["HostComputeNamespace"].as_str() {
        None | Some("") => None,
        Some(text) => Some(text.parse().map_err(|_| hcn::GUID_CONVERSION_FAILURE)?),
    };
    let namespace = namespace.filter(|namespace| *namespace != Guid::NIL);
    let wanted: HnsEndpoint = read(older(document, documents::older_endpoint)?)?;
    let id = run(move |host| async move {
        let made = host.create_endpoint(&wanted).await?;
        let Some(namespace) = namespace else {
            return Ok(made.id);
        };
        let request = json!({
            "ResourceType": "Endpoint",
            "RequestType": "Add",
            "Settings": { "EndpointId": made.id },
        });
        let joined = HcnCall::Modify(HcnKind::Namespace, namespace, request);
        if let Err(error) = host.hcn(joined).await {
            if let Ok(id) = made.id.parse() {
                // What is told is why it cannot be; that it was there meanwhile is nothing to add.
                let _ = host.delete_endpoint(id).await;
            }
            return Err::<String, HostError>(error);
        }
        Ok(made.id)
    })?;
    hns::guid(&id)
}

/// A document of the second generation as one of the first; one without a schema version is of the first.
fn older(document: Value, convert: fn(&Value) -> Result<Value, Hresult>) -> Outcome<Value> {
    if document.get("SchemaVersion").is_none() {
        return Ok(document);
    }
    // Measured: the names that the documentation has for flags are refused.
    if document.get("Flags").is_some_and(|flags| !flags.is_u64()) {
        return Err(hcn::INVALID_JSON.into());
    }
    let mut older = convert(&document)?;
    if let Some(id) = document.get("ID") {
        older["ID"] = id.clone();
    }
    Ok(older)
}

fn read<T: serde::de::DeserializeOwned>(document: Value) -> Outcome<T> {
    serde_json::from_value(document).map_err(|_| hcn::INVALID_JSON.into())
}

/// Refuses what a host without the service refuses.
fn is_there() -> Outcome<()> {
    if session()?.facts.build < FIRST_BUILD {
        return Err(win32::PROC_NOT_FOUND.into());
    }
    Ok(())
}

pub(super) fn pick(object: &table::Object) -> Option<Arc<Object>> {
    match object {
        table::Object::Network(object) => Some(Arc::clone(object)),
        _ => None,
    }
}

/// The object behind a handle, if it is of that kind.
pub(super) fn find(kind: Kind, handle: *const c_void) -> Result<Arc<Object>, Hresult> {
    table::find(handle.cast_mut(), |object| {
        pick(object).filter(|object| object.kind == kind)
    })
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

/// Reads a document that must be there.
///
/// # Safety
/// The pointer is null or good for reading.
unsafe fn document(text: PCWSTR) -> Outcome<Value> {
    // SAFETY: the caller vouches for the pointer.
    let text = unsafe { required(text) }?;
    let document: Value = serde_json::from_str(&text).map_err(|_| hcn::INVALID_JSON)?;
    if document.is_object() {
        Ok(document)
    } else {
        Err(hcn::INVALID_JSON.into())
    }
}

/// Hands out the ids of all objects of a kind, of those that a filter by name leaves.
///
/// # Safety
/// The pointers are null or good for what is read and written.
pub(super) unsafe fn enumerate(
    kind: Kind,
    query: PCWSTR,
    place: *mut PWSTR,
    record: *mut PWSTR,
) -> HRESULT {
    let outcome = (|| {
        // SAFETY: the caller vouches for the pointers.
        unsafe { strings::clear(place) };
        is_there()?;
        // SAFETY: as above.
        let query = unsafe { strings::read(query) }?.unwrap_or_default();
        let query: Value = match query.as_str() {
            "" => Value::Null,
            query => serde_json::from_str(query).map_err(|_| hcn::INVALID_JSON)?,
        };
        // A filter is a document in a text.
        let filter: Value = match query["Filter"].as_str() {
            None | Some("") => Value::Null,
            Some(filter) => serde_json::from_str(filter).map_err(|_| hcn::INVALID_JSON)?,
        };
        let wanted = |name: &str| filter["Name"].as_str().is_none_or(|wanted| wanted == name);
        let found = kind.all()?.into_iter().filter(|(_, name)| wanted(name));
        let ids: Vec<String> = found.map(|(id, _)| id).collect();
        // SAFETY: as above.
        unsafe { give(place, &ids.into()) }
    })();
    // SAFETY: as above.
    unsafe { answer(outcome, record) }
}

/// Creates an object and hands its handle out; an endpoint in the network `of`.
///
/// # Safety
/// The pointers are null or good for what is read and written.
pub(super) unsafe fn create(
    kind: Kind,
    of: Option<*const c_void>,
    id: *const GUID,
    settings: PCWSTR,
    place: *mut *mut c_void,
    record: *mut PWSTR,
) -> HRESULT {
    let outcome = (|| {
        // SAFETY: the caller vouches for the pointers.
        unsafe { empty(place) }?;
        is_there()?;
        let network = of.map(|network| find(Kind::Network, network)).transpose()?;
        // SAFETY: as above.
        let (id, mut document) = unsafe { (self::id(id)?, document(settings)?) };
        if id != Guid::NIL {
            document["ID"] = id.to_upper_string().into();
        }
        if let Some(network) = network {
            let id = network.id.to_upper_string();
            document["HostComputeNetwork"] = id.clone().into();
            document["VirtualNetwork"] = id.into();
        }
        let id = kind.make(document)?;
        if let Some([created, _]) = kind.notifications() {
            service().tell_registered(&notice(created, id, None));
        }
        // SAFETY: as above.
        unsafe { handle_of(kind, id, place) }
    })();
    // SAFETY: as above.
    unsafe { answer(outcome, record) }
}

/// Hands out a handle of an object that is there.
///
/// # Safety
/// The place is null or can be written.
unsafe fn handle_of(kind: Kind, id: Guid, place: *mut *mut c_void) -> Outcome<()> {
    let object = Arc::new(Object {
        kind,
        id,
        hub: Arc::default(),
    });
    // SAFETY: the caller vouches for the place.
    Ok(unsafe { place_handle(place, table::Object::Network(object)) }?)
}

/// Opens an object.
///
/// # Safety
/// The pointers are null or good for what is read and written.
pub(super) unsafe fn open(
    kind: Kind,
    id: *const GUID,
    place: *mut *mut c_void,
    record: *mut PWSTR,
) -> HRESULT {
    let outcome = (|| {
        // SAFETY: the caller vouches for the pointers.
        unsafe { empty(place) }?;
        is_there()?;
        // SAFETY: as above.
        let id = unsafe { self::id(id) }?;
        kind.told(id)?;
        // SAFETY: as above.
        unsafe { handle_of(kind, id, place) }
    })();
    // SAFETY: as above.
    unsafe { answer(outcome, record) }
}

/// Changes an object. Who registered with a guest network service hears of its new state.
///
/// # Safety
/// The pointers are null or good for what is read and written.
pub(super) unsafe fn modify(
    kind: Kind,
    handle: *const c_void,
    settings: PCWSTR,
    record: *mut PWSTR,
) -> HRESULT {
    let outcome = (|| {
        let object = find(kind, handle)?;
        // SAFETY: the caller vouches for the pointer.
        let request = unsafe { document(settings) }?;
        let state = request["Settings"]["State"].clone();
        kind.change(object.id, request)?;
        if kind == Kind::Newer(HcnKind::GuestNetworkService) {
            let kind = NetworkNotificationType::GUEST_NETWORK_SERVICE_STATE_CHANGED;
            let told = notice(kind, object.id, Some(json!({ "State": state })));
            object.hub.tell_registered(&told);
        }
        Ok(())
    })();
    // SAFETY: the caller vouches for the place.
    unsafe { answer(outcome, record) }
}

/// Hands out what an object is. The query is not looked into.
///
/// # Safety
/// The pointers are null or good for what is read and written.
pub(super) unsafe fn query(
    kind: Kind,
    handle: *const c_void,
    place: *mut PWSTR,
    record: *mut PWSTR,
) -> HRESULT {
    let outcome = (|| {
        // SAFETY: the caller vouches for the pointers.
        unsafe { strings::clear(place) };
        let told = kind.told(find(kind, handle)?.id)?;
        // SAFETY: as above.
        unsafe { give(place, &told) }
    })();
    // SAFETY: as above.
    unsafe { answer(outcome, record) }
}

/// Deletes an object.
///
/// # Safety
/// The pointers are null or good for what is read and written.
pub(super) unsafe fn delete(kind: Kind, id: *const GUID, record: *mut PWSTR) -> HRESULT {
    let outcome = (|| {
        is_there()?;
        // SAFETY: the caller vouches for the pointer.
        let id = unsafe { self::id(id) }?;
        kind.remove(id)?;
        if let Some([_, deleted]) = kind.notifications() {
            service().tell_registered(&notice(deleted, id, None));
        }
        Ok(())
    })();
    // SAFETY: as above.
    unsafe { answer(outcome, record) }
}

/// Closes a handle; registrations that belong to it end.
pub(super) fn close(kind: Kind, handle: *const c_void) -> HRESULT {
    let closed = table::close(handle.cast_mut(), |object| {
        pick(object).filter(|object| object.kind == kind)
    });
    number(closed.map(|object| object.hub.close()))
}
