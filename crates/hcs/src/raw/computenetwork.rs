//! computenetwork.dll: HCN. Strings that it hands out are freed with `CoTaskMemFree`.
//!
//! windows-sys knows no routes; they have the shape of the other objects.

#[cfg(windows)]
use {
    std::ffi::c_void,
    windows_sys::Win32::Foundation::HANDLE,
    windows_sys::Win32::System::HostComputeNetwork::{
        HCN_NOTIFICATION_CALLBACK, HCN_PORT_ACCESS, HCN_PORT_PROTOCOL, HCN_PORT_RANGE_ENTRY,
        HCN_PORT_RANGE_RESERVATION,
    },
    windows_sys::core::{GUID, HRESULT, PCWSTR, PWSTR},
};

exports! {
    ComputeNetwork;
    declared in windows_sys::Win32::System::HostComputeNetwork {
        fn HcnCloseEndpoint(endpoint: *const c_void) -> HRESULT;
        fn HcnCloseGuestNetworkService(guestnetworkservice: *const c_void) -> HRESULT;
        fn HcnCloseLoadBalancer(loadbalancer: *const c_void) -> HRESULT;
        fn HcnCloseNamespace(namespace: *const c_void) -> HRESULT;
        fn HcnCloseNetwork(network: *const c_void) -> HRESULT;
        fn HcnCreateEndpoint(network: *const c_void, id: *const GUID, settings: PCWSTR, endpoint: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnCreateGuestNetworkService(id: *const GUID, settings: PCWSTR, guestnetworkservice: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnCreateLoadBalancer(id: *const GUID, settings: PCWSTR, loadbalancer: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnCreateNamespace(id: *const GUID, settings: PCWSTR, namespace: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnCreateNetwork(id: *const GUID, settings: PCWSTR, network: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnDeleteEndpoint(id: *const GUID, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnDeleteGuestNetworkService(id: *const GUID, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnDeleteLoadBalancer(id: *const GUID, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnDeleteNamespace(id: *const GUID, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnDeleteNetwork(id: *const GUID, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnEnumerateEndpoints(query: PCWSTR, endpoints: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnEnumerateGuestNetworkPortReservations(returncount: *mut u32, portentries: *mut *mut HCN_PORT_RANGE_ENTRY) -> HRESULT;
        fn HcnEnumerateLoadBalancers(query: PCWSTR, loadbalancer: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnEnumerateNamespaces(query: PCWSTR, namespaces: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnEnumerateNetworks(query: PCWSTR, networks: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnFreeGuestNetworkPortReservations(portentries: *mut HCN_PORT_RANGE_ENTRY) -> ();
        fn HcnModifyEndpoint(endpoint: *const c_void, settings: PCWSTR, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnModifyGuestNetworkService(guestnetworkservice: *const c_void, settings: PCWSTR, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnModifyLoadBalancer(loadbalancer: *const c_void, settings: PCWSTR, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnModifyNamespace(namespace: *const c_void, settings: PCWSTR, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnModifyNetwork(network: *const c_void, settings: PCWSTR, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnOpenEndpoint(id: *const GUID, endpoint: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnOpenLoadBalancer(id: *const GUID, loadbalancer: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnOpenNamespace(id: *const GUID, namespace: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnOpenNetwork(id: *const GUID, network: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnQueryEndpointAddresses(endpoint: *const c_void, query: PCWSTR, addresses: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnQueryEndpointProperties(endpoint: *const c_void, query: PCWSTR, properties: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnQueryEndpointStats(endpoint: *const c_void, query: PCWSTR, stats: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnQueryLoadBalancerProperties(loadbalancer: *const c_void, query: PCWSTR, properties: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnQueryNamespaceProperties(namespace: *const c_void, query: PCWSTR, properties: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnQueryNetworkProperties(network: *const c_void, query: PCWSTR, properties: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnRegisterGuestNetworkServiceCallback(guestnetworkservice: *const c_void, callback: HCN_NOTIFICATION_CALLBACK, context: *const c_void, callbackhandle: *mut *mut c_void) -> HRESULT;
        fn HcnRegisterServiceCallback(callback: HCN_NOTIFICATION_CALLBACK, context: *const c_void, callbackhandle: *mut *mut c_void) -> HRESULT;
        fn HcnReleaseGuestNetworkServicePortReservationHandle(portreservationhandle: HANDLE) -> HRESULT;
        fn HcnReserveGuestNetworkServicePort(guestnetworkservice: *const c_void, protocol: HCN_PORT_PROTOCOL, access: HCN_PORT_ACCESS, port: u16, portreservationhandle: *mut HANDLE) -> HRESULT;
        fn HcnReserveGuestNetworkServicePortRange(guestnetworkservice: *const c_void, portcount: u16, portrangereservation: *mut HCN_PORT_RANGE_RESERVATION, portreservationhandle: *mut HANDLE) -> HRESULT;
        fn HcnUnregisterGuestNetworkServiceCallback(callbackhandle: *const c_void) -> HRESULT;
        fn HcnUnregisterServiceCallback(callbackhandle: *const c_void) -> HRESULT;
    }
    undeclared {
        fn HcnEnumerateSdnRoutes(query: PCWSTR, routes: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnCreateSdnRoute(id: *const GUID, settings: PCWSTR, route: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnOpenSdnRoute(id: *const GUID, route: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnModifySdnRoute(route: *const c_void, settings: PCWSTR, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnQuerySdnRouteProperties(route: *const c_void, query: PCWSTR, properties: *mut PWSTR, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnDeleteSdnRoute(id: *const GUID, errorrecord: *mut PWSTR) -> HRESULT;
        fn HcnCloseSdnRoute(route: *const c_void) -> HRESULT;
    }
}
