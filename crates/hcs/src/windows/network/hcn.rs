//! Host Compute Network: five kinds of objects with the same functions.
#![expect(unsafe_code, reason = "calls computenetwork.dll")]

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use wcow_ntmeta::{Guid, Hresult};
use windows_sys::core::{GUID, HRESULT, PCWSTR, PWSTR};

use crate::error::{Dll, Error};
use crate::mailbox::{Letter, Mailbox};
use crate::raw::computenetwork as raw;
use crate::registry::Registry;
use crate::text::Wide;
use crate::values::NetworkNotificationType;
use crate::windows::answer;
use crate::windows::callback::{Registration, Subscription, guarded, target};
use crate::windows::layers::to_guid;
use crate::windows::memory::{CoTask, OutText, read};

/// The kinds of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A network.
    Network,
    /// An endpoint of a network.
    Endpoint,
    /// A namespace of endpoints.
    Namespace,
    /// A load balancer.
    LoadBalancer,
    /// A route of a software-defined network.
    SdnRoute,
}

/// A function and its name.
type Named<F> = (&'static str, F);
type Enumerate = unsafe fn(PCWSTR, *mut PWSTR, *mut PWSTR) -> Result<HRESULT, Error>;
type Create =
    unsafe fn(*const GUID, PCWSTR, *mut *mut c_void, *mut PWSTR) -> Result<HRESULT, Error>;
type Open = unsafe fn(*const GUID, *mut *mut c_void, *mut PWSTR) -> Result<HRESULT, Error>;
type Modify = unsafe fn(*const c_void, PCWSTR, *mut PWSTR) -> Result<HRESULT, Error>;
type Query = unsafe fn(*const c_void, PCWSTR, *mut PWSTR, *mut PWSTR) -> Result<HRESULT, Error>;
type Delete = unsafe fn(*const GUID, *mut PWSTR) -> Result<HRESULT, Error>;
type Close = unsafe fn(*const c_void) -> Result<HRESULT, Error>;

/// What the five kinds have in common. Endpoints are created through their network, so their `create` is apart.
struct Functions {
    enumerate: Named<Enumerate>,
    create: Option<Named<Create>>,
    open: Named<Open>,
    modify: Named<Modify>,
    query: Named<Query>,
    delete: Named<Delete>,
    close: Close,
}

macro_rules! named {
    ($name:ident) => {
        (stringify!($name), raw::$name)
    };
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Network,
        Self::Endpoint,
        Self::Namespace,
        Self::LoadBalancer,
        Self::SdnRoute,
    ];

    fn functions(self) -> Functions {
        match self {
            Self::Network => Functions {
                enumerate: named!(HcnEnumerateNetworks),
                create: Some(named!(HcnCreateNetwork)),
                open: named!(HcnOpenNetwork),
                modify: named!(HcnModifyNetwork),
                query: named!(HcnQueryNetworkProperties),
                delete: named!(HcnDeleteNetwork),
                close: raw::HcnCloseNetwork,
            },
            Self::Endpoint => Functions {
                enumerate: named!(HcnEnumerateEndpoints),
                create: None,
                open: named!(HcnOpenEndpoint),
                modify: named!(HcnModifyEndpoint),
                query: named!(HcnQueryEndpointProperties),
                delete: named!(HcnDeleteEndpoint),
                close: raw::HcnCloseEndpoint,
            },
            Self::Namespace => Functions {
                enumerate: named!(HcnEnumerateNamespaces),
                create: Some(named!(HcnCreateNamespace)),
                open: named!(HcnOpenNamespace),
                modify: named!(HcnModifyNamespace),
                query: named!(HcnQueryNamespaceProperties),
                delete: named!(HcnDeleteNamespace),
                close: raw::HcnCloseNamespace,
            },
            Self::LoadBalancer => Functions {
                enumerate: named!(HcnEnumerateLoadBalancers),
                create: Some(named!(HcnCreateLoadBalancer)),
                open: named!(HcnOpenLoadBalancer),
                modify: named!(HcnModifyLoadBalancer),
                query: named!(HcnQueryLoadBalancerProperties),
                delete: named!(HcnDeleteLoadBalancer),
                close: raw::HcnCloseLoadBalancer,
            },
            Self::SdnRoute => Functions {
                enumerate: named!(HcnEnumerateSdnRoutes),
                create: Some(named!(HcnCreateSdnRoute)),
                open: named!(HcnOpenSdnRoute),
                modify: named!(HcnModifySdnRoute),
                query: named!(HcnQuerySdnRouteProperties),
                delete: named!(HcnDeleteSdnRoute),
                close: raw::HcnCloseSdnRoute,
            },
        }
    }
}

/// The ids of the objects of a kind that a query asks for, as a JSON array.
///
/// # Errors
/// See [`Error`]; its document is the error record.
pub fn enumerate(kind: Kind, query: &str) -> Result<String, Error> {
    let (call, function) = kind.functions().enumerate;
    let query = wide(call, query)?;
    let (mut ids, mut record) = (OutText::<CoTask>::new(), OutText::new());
    // SAFETY: the text and both places live until the call returns.
    let answer = unsafe { function(query.as_ptr(), ids.place(), record.place())? };
    explained(call, answer, record)?;
    Ok(ids.into_text().unwrap_or_default())
}

/// Deletes an object.
///
/// # Errors
/// None by this id (0x80070490), others refer to it (0x803B002C); see [`Error`].
pub fn delete(kind: Kind, id: Guid) -> Result<(), Error> {
    let (call, function) = kind.functions().delete;
    let id = to_guid(id);
    let mut record = OutText::new();
    // SAFETY: the id and the place live until the call returns.
    let answer = unsafe { function(&raw const id, record.place())? };
    explained(call, answer, record)
}

/// An open object. It lives on when it is closed.
#[derive(Debug)]
pub struct Object {
    kind: Kind,
    handle: NonNull<c_void>,
}

// SAFETY: a handle of HCN is a number to the service; it belongs to no thread, and the service takes calls through it from several.
unsafe impl Send for Object {}
// SAFETY: as above.
unsafe impl Sync for Object {}

impl Object {
    /// Creates an object of any kind but endpoints.
    ///
    /// # Errors
    /// Endpoints are created through their network ([`Object::create_endpoint`]; 0x80070057); see [`Error`].
    pub fn create(kind: Kind, id: Guid, settings: &str) -> Result<Self, Error> {
        let Some((call, function)) = kind.functions().create else {
            return Err(Error::argument("HcnCreateEndpoint", Dll::ComputeNetwork));
        };
        let settings = wide(call, settings)?;
        let id = to_guid(id);
        Self::filled(kind, call, |place, record| {
            // SAFETY: the id, the text and both places live until the call returns.
            unsafe { function(&raw const id, settings.as_ptr(), place, record) }
        })
    }

    /// Creates an endpoint of this network.
    ///
    /// # Errors
    /// This is no network (0x80070057); see [`Error`].
    pub fn create_endpoint(&self, id: Guid, settings: &str) -> Result<Self, Error> {
        const CALL: &str = "HcnCreateEndpoint";
        if self.kind != Kind::Network {
            return Err(Error::argument(CALL, Dll::ComputeNetwork));
        }
        let settings = wide(CALL, settings)?;
        let id = to_guid(id);
        Self::filled(Kind::Endpoint, CALL, |place, record| {
            // SAFETY: the network is open; the id, the text and both places live until the call returns.
            unsafe {
                raw::HcnCreateEndpoint(
                    self.handle.as_ptr(),
                    &raw const id,
                    settings.as_ptr(),
                    place,
                    record,
                )
            }
        })
    }

    /// Opens an object.
    ///
    /// # Errors
    /// None by this id (0x80070490); see [`Error`].
    pub fn open(kind: Kind, id: Guid) -> Result<Self, Error> {
        let (call, function) = kind.functions().open;
        let id = to_guid(id);
        Self::filled(kind, call, |place, record| {
            // SAFETY: the id and both places live until the call returns.
            unsafe { function(&raw const id, place, record) }
        })
    }

    /// Takes over what a function writes.
    fn filled(
        kind: Kind,
        call: &'static str,
        fill: impl FnOnce(*mut *mut c_void, *mut PWSTR) -> Result<HRESULT, Error>,
    ) -> Result<Self, Error> {
        let (mut handle, mut record) = (ptr::null_mut(), OutText::new());
        let answer = fill(&raw mut handle, record.place())?;
        // Taken over before the answer is looked at, so that a handle beside a failure is closed too.
        let object = NonNull::new(handle).map(|handle| Self { kind, handle });
        explained(call, answer, record)?;
        answer::handle(call, Dll::ComputeNetwork, object)
    }

    /// What kind it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Changes it.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn modify(&self, settings: &str) -> Result<(), Error> {
        let (call, function) = self.kind.functions().modify;
        let settings = wide(call, settings)?;
        let mut record = OutText::new();
        // SAFETY: the object is open and of the function's kind; the text and the place live until the call returns.
        let answer = unsafe { function(self.handle.as_ptr(), settings.as_ptr(), record.place())? };
        explained(call, answer, record)
    }

    /// Its properties, as JSON.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn query(&self, query: &str) -> Result<String, Error> {
        let (call, function) = self.kind.functions().query;
        let query = wide(call, query)?;
        let (mut properties, mut record) = (OutText::<CoTask>::new(), OutText::new());
        // SAFETY: the object is open and of the function's kind; the text and both places live until the call returns.
        let answer = unsafe {
            function(
                self.handle.as_ptr(),
                query.as_ptr(),
                properties.place(),
                record.place(),
            )?
        };
        explained(call, answer, record)?;
        Ok(properties.into_text().unwrap_or_default())
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        let close = self.kind.functions().close;
        // SAFETY: it is open and of the function's kind, and nobody uses it any more. There is nobody to tell what the answer is.
        let _ = unsafe { close(self.handle.as_ptr()) };
    }
}

/// What the service tells about networks, namespaces and attachments.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notification {
    /// What it is about.
    pub kind: NetworkNotificationType,
    /// How that went.
    pub status: Hresult,
    /// The document with it.
    pub data: Option<String>,
}

impl Letter for Notification {
    fn is_final(&self) -> bool {
        self.kind == NetworkNotificationType::SERVICE_DISCONNECT
    }
}

static REGISTRY: Registry<Mailbox<Notification>> = Registry::new();

/// What the service tells from now on.
///
/// # Errors
/// See [`Error`].
pub fn subscribe() -> Result<Subscription<Notification>, Error> {
    Subscription::new(&REGISTRY, |context| {
        let mut callback = ptr::null_mut();
        // SAFETY: the place lives until the call returns; the function is what the DLL expects, and takes any context.
        let answer =
            unsafe { raw::HcnRegisterServiceCallback(Some(notified), context, &raw mut callback)? };
        answer::plain("HcnRegisterServiceCallback", Dll::ComputeNetwork, answer)?;
        // SAFETY: this callback was just registered, and is unregistered so.
        Ok(unsafe { Registration::with_handle(unregister, callback, None) })
    })
}

/// # Safety
/// `callback` was registered and not ended yet.
unsafe fn unregister(callback: *mut c_void) -> Result<HRESULT, Error> {
    // SAFETY: as the caller says.
    unsafe { raw::HcnUnregisterServiceCallback(callback) }
}

/// What computenetwork.dll calls, on threads of its own.
///
/// # Safety
/// `data` is null or ends with a NUL, and stays as it is until this returns. `context` may be anything.
unsafe extern "system" fn notified(
    kind: u32,
    context: *const c_void,
    status: HRESULT,
    data: PCWSTR,
) {
    guarded(|| {
        if let Some(mailbox) = target(&REGISTRY, context) {
            mailbox.post(Notification {
                kind: NetworkNotificationType(kind),
                status: Hresult::from_i32(status),
                // SAFETY: the caller, a DLL, keeps the string until this returns.
                data: unsafe { read(data) },
            });
        }
    });
}

fn wide(call: &'static str, text: &str) -> Result<Wide, Error> {
    Wide::new(call, Dll::ComputeNetwork, text)
}

fn explained(call: &'static str, answer: HRESULT, record: OutText<CoTask>) -> Result<(), Error> {
    answer::explained(call, Dll::ComputeNetwork, answer, record)
}
