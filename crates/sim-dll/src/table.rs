//! Handles: numbers that are never used again, so that a handle that was closed is known as such.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wcow_host::ComputeApi;
use wcow_ntmeta::Hresult;

use crate::abi::HANDLE;
use crate::answer::E_HANDLE;
use crate::callbacks::Registration;
use crate::network::Object as NetworkObject;
use crate::network::guest::Reservation;
use crate::system::{Process, System};
use crate::v2::operation::Operation;

/// Handles are multiples of this: small numbers in them are mistakes.
const STEP: usize = 16;

/// What a handle is for.
#[derive(Clone)]
pub(crate) enum Object {
    System(Arc<System>),
    Process(Arc<Process>),
    Operation(Arc<Operation>),
    /// A registration that can be ended by its own handle.
    Callback(Arc<Registration>),
    Network(Arc<NetworkObject>),
    /// Reserved ports.
    Ports(Arc<Reservation>),
}

struct Table {
    last: usize,
    open: BTreeMap<usize, Object>,
    bad: u64,
}

static TABLE: Mutex<Table> = Mutex::new(Table {
    last: 0x1_0000,
    open: BTreeMap::new(),
    bad: 0,
});

fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many handles of each kind are open, and how many calls had one that was not.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Open {
    pub(crate) systems: u64,
    pub(crate) processes: u64,
    pub(crate) operations: u64,
    pub(crate) callbacks: u64,
    pub(crate) networks: u64,
    pub(crate) bad: u64,
}

/// A new handle.
pub(crate) fn open(object: Object) -> HANDLE {
    let mut table = table();
    table.last = table.last.wrapping_add(STEP);
    let number = table.last;
    table.open.insert(number, object);
    std::ptr::without_provenance_mut(number)
}

/// What a handle is for, if it is what `pick` takes; else the call is counted as one with a bad handle.
pub(crate) fn find<T>(
    handle: HANDLE,
    pick: impl FnOnce(&Object) -> Option<Arc<T>>,
) -> Result<Arc<T>, Hresult> {
    let mut table = table();
    let found = table.open.get(&handle.addr()).and_then(pick);
    if found.is_none() {
        table.bad += 1;
    }
    found.ok_or(E_HANDLE)
}

/// The same, and closes the handle.
pub(crate) fn close<T>(
    handle: HANDLE,
    pick: impl FnOnce(&Object) -> Option<Arc<T>>,
) -> Result<Arc<T>, Hresult> {
    let (found, _object) = {
        let mut table = table();
        let found = table.open.get(&handle.addr()).and_then(pick);
        if found.is_none() {
            table.bad += 1;
        }
        let object = found
            .as_ref()
            .and_then(|_| table.open.remove(&handle.addr()));
        (found, object)
    };
    found.ok_or(E_HANDLE)
}

/// What is open now.
pub(crate) fn counts() -> Open {
    let table = table();
    let mut open = Open {
        bad: table.bad,
        ..Open::default()
    };
    for object in table.open.values() {
        *match object {
            Object::System(_) => &mut open.systems,
            Object::Process(_) => &mut open.processes,
            Object::Operation(_) => &mut open.operations,
            Object::Callback(_) => &mut open.callbacks,
            Object::Network(_) | Object::Ports(_) => &mut open.networks,
        } += 1;
    }
    open
}

/// A system of this surface.
pub(crate) fn system(api: ComputeApi) -> impl FnOnce(&Object) -> Option<Arc<System>> {
    move |object| match object {
        Object::System(system) if system.api() == api => Some(Arc::clone(system)),
        _ => None,
    }
}

/// A process of this surface.
pub(crate) fn process(api: ComputeApi) -> impl FnOnce(&Object) -> Option<Arc<Process>> {
    move |object| match object {
        Object::Process(process) if process.api() == api => Some(Arc::clone(process)),
        _ => None,
    }
}

/// An operation.
pub(crate) fn operation(object: &Object) -> Option<Arc<Operation>> {
    match object {
        Object::Operation(operation) => Some(Arc::clone(operation)),
        _ => None,
    }
}

/// A registration.
pub(crate) fn callback(object: &Object) -> Option<Arc<Registration>> {
    match object {
        Object::Callback(registration) => Some(Arc::clone(registration)),
        _ => None,
    }
}
