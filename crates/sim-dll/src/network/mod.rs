//! computenetwork.dll: networks, endpoints, namespaces, load balancers, routes and guest network services of the second generation.
//! Strings are freed with `CoTaskMemFree`.
//!
//! | module | what |
//! |---|---|
//! | `objects` | what all kinds have in common |
//! | `documents` | documents of networks and endpoints in the form of the first generation, and back |
//! | [`guest`] | ports and notifications of guest network services |
//!
//! Documents of networks and endpoints without a schema version are those of the first generation, and taken as they are. Notifications
//! are of this process's own changes.
#![expect(
    unsafe_code,
    non_snake_case,
    reason = "foreign functions, by their names"
)]

use std::ffi::c_void;

use wcow_sim::hcn::HcnKind;

use crate::abi::{GUID, HCN_NOTIFICATION_CALLBACK, HRESULT, PCWSTR, PWSTR};
use crate::answer::number;
use crate::exports::exports;
use crate::places::{register, unregister};
use objects::Kind;
pub(crate) use objects::Object;

mod documents;
pub mod guest;
mod objects;

const NETWORK: Kind = Kind::Network;
const ENDPOINT: Kind = Kind::Endpoint;
const NAMESPACE: Kind = Kind::Newer(HcnKind::Namespace);
const LOAD_BALANCER: Kind = Kind::Newer(HcnKind::LoadBalancer);
const ROUTE: Kind = Kind::Newer(HcnKind::SdnRoute);

exports! {
    ComputeNetwork;

    /// Lists the ids of networks.
    "computenetwork_HcnEnumerateNetworks" fn HcnEnumerateNetworks(query: PCWSTR, networks: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::enumerate(NETWORK, query, networks, errorrecord) }
    }

    /// Creates a network.
    "computenetwork_HcnCreateNetwork" fn HcnCreateNetwork(id: *const GUID, settings: PCWSTR, network: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::create(NETWORK, None, id, settings, network, errorrecord) }
    }

    /// Opens a network.
    "computenetwork_HcnOpenNetwork" fn HcnOpenNetwork(id: *const GUID, network: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::open(NETWORK, id, network, errorrecord) }
    }

    /// Changes the policies of a network.
    "computenetwork_HcnModifyNetwork" fn HcnModifyNetwork(network: *const c_void, settings: PCWSTR, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::modify(NETWORK, network, settings, errorrecord) }
    }

    /// Tells what a network is. The query is not looked into.
    "computenetwork_HcnQueryNetworkProperties" fn HcnQueryNetworkProperties(network: *const c_void, query: PCWSTR, properties: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT {
        let _ = query;
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::query(NETWORK, network, properties, errorrecord) }
    }

    /// Deletes a network.
    "computenetwork_HcnDeleteNetwork" fn HcnDeleteNetwork(id: *const GUID, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::delete(NETWORK, id, errorrecord) }
    }

    /// Closes a handle.
    "computenetwork_HcnCloseNetwork" fn HcnCloseNetwork(network: *const c_void) -> HRESULT {
        objects::close(NETWORK, network)
    }

    /// Lists the ids of endpoints.
    "computenetwork_HcnEnumerateEndpoints" fn HcnEnumerateEndpoints(query: PCWSTR, endpoints: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::enumerate(ENDPOINT, query, endpoints, errorrecord) }
    }

    /// Creates an endpoint of a network.
    "computenetwork_HcnCreateEndpoint" fn HcnCreateEndpoint(network: *const c_void, id: *const GUID, settings: PCWSTR, endpoint: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::create(ENDPOINT, Some(network), id, settings, endpoint, errorrecord) }
    }

    /// Opens an endpoint.
    "computenetwork_HcnOpenEndpoint" fn HcnOpenEndpoint(id: *const GUID, endpoint: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::open(ENDPOINT, id, endpoint, errorrecord) }
    }

    /// Changes the policies of an endpoint: they are kept, and have no effect.
    "computenetwork_HcnModifyEndpoint" fn HcnModifyEndpoint(endpoint: *const c_void, settings: PCWSTR, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::modify(ENDPOINT, endpoint, settings, errorrecord) }
    }

    /// Tells what an endpoint is. The query is not looked into.
    "computenetwork_HcnQueryEndpointProperties" fn HcnQueryEndpointProperties(endpoint: *const c_void, query: PCWSTR, properties: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT {
        let _ = query;
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::query(ENDPOINT, endpoint, properties, errorrecord) }
    }

    /// Deletes an endpoint.
    "computenetwork_HcnDeleteEndpoint" fn HcnDeleteEndpoint(id: *const GUID, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::delete(ENDPOINT, id, errorrecord) }
    }

    /// Closes a handle.
    "computenetwork_HcnCloseEndpoint" fn HcnCloseEndpoint(endpoint: *const c_void) -> HRESULT {
        objects::close(ENDPOINT, endpoint)
    }

    /// Lists the ids of namespaces.
    "computenetwork_HcnEnumerateNamespaces" fn HcnEnumerateNamespaces(query: PCWSTR, namespaces: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::enumerate(NAMESPACE, query, namespaces, errorrecord) }
    }

    /// Creates a namespace.
    "computenetwork_HcnCreateNamespace" fn HcnCreateNamespace(id: *const GUID, settings: PCWSTR, namespace: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::create(NAMESPACE, None, id, settings, namespace, errorrecord) }
    }

    /// Opens a namespace.
    "computenetwork_HcnOpenNamespace" fn HcnOpenNamespace(id: *const GUID, namespace: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::open(NAMESPACE, id, namespace, errorrecord) }
    }

    /// Adds endpoints and containers to a namespace, and takes them out.
    "computenetwork_HcnModifyNamespace" fn HcnModifyNamespace(namespace: *const c_void, settings: PCWSTR, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::modify(NAMESPACE, namespace, settings, errorrecord) }
    }

    /// Tells what a namespace is. The query is not looked into.
    "computenetwork_HcnQueryNamespaceProperties" fn HcnQueryNamespaceProperties(namespace: *const c_void, query: PCWSTR, properties: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT {
        let _ = query;
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::query(NAMESPACE, namespace, properties, errorrecord) }
    }

    /// Deletes a namespace.
    "computenetwork_HcnDeleteNamespace" fn HcnDeleteNamespace(id: *const GUID, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::delete(NAMESPACE, id, errorrecord) }
    }

    /// Closes a handle.
    "computenetwork_HcnCloseNamespace" fn HcnCloseNamespace(namespace: *const c_void) -> HRESULT {
        objects::close(NAMESPACE, namespace)
    }

    /// Lists the ids of load balancers.
    "computenetwork_HcnEnumerateLoadBalancers" fn HcnEnumerateLoadBalancers(query: PCWSTR, loadbalancer: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::enumerate(LOAD_BALANCER, query, loadbalancer, errorrecord) }
    }

    /// Creates a load balancer.
    "computenetwork_HcnCreateLoadBalancer" fn HcnCreateLoadBalancer(id: *const GUID, settings: PCWSTR, loadbalancer: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::create(LOAD_BALANCER, None, id, settings, loadbalancer, errorrecord) }
    }

    /// Opens a load balancer.
    "computenetwork_HcnOpenLoadBalancer" fn HcnOpenLoadBalancer(id: *const GUID, loadbalancer: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::open(LOAD_BALANCER, id, loadbalancer, errorrecord) }
    }

    /// Refused: how such a change is written is not public.
    "computenetwork_HcnModifyLoadBalancer" fn HcnModifyLoadBalancer(loadbalancer: *const c_void, settings: PCWSTR, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::modify(LOAD_BALANCER, loadbalancer, settings, errorrecord) }
    }

    /// Tells what a load balancer is. The query is not looked into.
    "computenetwork_HcnQueryLoadBalancerProperties" fn HcnQueryLoadBalancerProperties(loadbalancer: *const c_void, query: PCWSTR, properties: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT {
        let _ = query;
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::query(LOAD_BALANCER, loadbalancer, properties, errorrecord) }
    }

    /// Deletes a load balancer.
    "computenetwork_HcnDeleteLoadBalancer" fn HcnDeleteLoadBalancer(id: *const GUID, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::delete(LOAD_BALANCER, id, errorrecord) }
    }

    /// Closes a handle.
    "computenetwork_HcnCloseLoadBalancer" fn HcnCloseLoadBalancer(loadbalancer: *const c_void) -> HRESULT {
        objects::close(LOAD_BALANCER, loadbalancer)
    }

    /// Lists the ids of routes.
    "computenetwork_HcnEnumerateSdnRoutes" fn HcnEnumerateSdnRoutes(query: PCWSTR, routes: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::enumerate(ROUTE, query, routes, errorrecord) }
    }

    /// Creates a route.
    "computenetwork_HcnCreateSdnRoute" fn HcnCreateSdnRoute(id: *const GUID, settings: PCWSTR, route: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::create(ROUTE, None, id, settings, route, errorrecord) }
    }

    /// Opens a route.
    "computenetwork_HcnOpenSdnRoute" fn HcnOpenSdnRoute(id: *const GUID, route: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::open(ROUTE, id, route, errorrecord) }
    }

    /// Refused: how such a change is written is not public.
    "computenetwork_HcnModifySdnRoute" fn HcnModifySdnRoute(route: *const c_void, settings: PCWSTR, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::modify(ROUTE, route, settings, errorrecord) }
    }

    /// Tells what a route is. The query is not looked into.
    "computenetwork_HcnQuerySdnRouteProperties" fn HcnQuerySdnRouteProperties(route: *const c_void, query: PCWSTR, properties: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT {
        let _ = query;
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::query(ROUTE, route, properties, errorrecord) }
    }

    /// Deletes a route.
    "computenetwork_HcnDeleteSdnRoute" fn HcnDeleteSdnRoute(id: *const GUID, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::delete(ROUTE, id, errorrecord) }
    }

    /// Closes a handle.
    "computenetwork_HcnCloseSdnRoute" fn HcnCloseSdnRoute(route: *const c_void) -> HRESULT {
        objects::close(ROUTE, route)
    }

    /// Registers a function for what this process creates and deletes: networks, namespaces, guest network services.
    "computenetwork_HcnRegisterServiceCallback" fn HcnRegisterServiceCallback(callback: HCN_NOTIFICATION_CALLBACK, context: *const c_void, callbackhandle: *mut *mut c_void) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        number(unsafe { register(objects::service(), callback, context, callbackhandle) })
    }

    /// Ends a registration; waits for a call that runs.
    "computenetwork_HcnUnregisterServiceCallback" fn HcnUnregisterServiceCallback(callbackhandle: *const c_void) -> HRESULT {
        unregister(callbackhandle.cast_mut())
    }
}
