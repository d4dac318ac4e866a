//! Guest network services: the part of the network service that belongs to a virtual machine. They reserve ports of the host and tell
//! their states.
//!
//! A reservation belongs to the world and to its service: it ends with its handle, or with the service. One whose process ends
//! without either stays until the service is deleted or the host restarts.
#![expect(
    unsafe_code,
    non_snake_case,
    reason = "foreign functions, by their names"
)]

use std::ffi::c_void;
use std::sync::Arc;

use serde_json::Value;
use wcow_ntmeta::Guid;
use wcow_sim::hcn::{HcnCall, HcnKind, PortClaim};

use super::objects::{self, Kind, call, find};
use crate::abi::{
    GUID, HANDLE, HCN_NOTIFICATION_CALLBACK, HCN_PORT_ACCESS, HCN_PORT_PROTOCOL,
    HCN_PORT_RANGE_ENTRY, HCN_PORT_RANGE_RESERVATION, HRESULT, PCWSTR, PWSTR,
};
use crate::answer::{E_INVALIDARG, E_UNEXPECTED, Outcome, number};
use crate::blocks;
use crate::exports::exports;
use crate::places::{empty, place_handle, register, unregister};
use crate::table::{self, Object};

const SERVICE: Kind = Kind::Newer(HcnKind::GuestNetworkService);
/// The protocols that ports are reserved for, bit by bit.
const TCP: HCN_PORT_PROTOCOL = 1;
const UDP: HCN_PORT_PROTOCOL = 2;
/// Who may use them.
const EXCLUSIVE: HCN_PORT_ACCESS = 1;
const SHARED: HCN_PORT_ACCESS = 2;

/// Reserved ports, by the number that the world knows them by.
#[derive(Debug)]
pub(crate) struct Reservation(u64);

fn pick(object: &Object) -> Option<Arc<Reservation>> {
    match object {
        Object::Ports(reservation) => Some(Arc::clone(reservation)),
        _ => None,
    }
}

/// Reserves ports; the answer is the first and the last.
///
/// # Safety
/// The place is null or can be written.
unsafe fn reserve(
    service: *const c_void,
    claim: PortClaim,
    place: *mut HANDLE,
) -> Outcome<(u16, u16)> {
    // SAFETY: the caller vouches for the place.
    unsafe { empty(place) }?;
    let service = find(SERVICE, service)?;
    let told = call(HcnCall::ReservePorts(service.id, claim))?;
    let id = told["Id"].as_u64().ok_or(E_UNEXPECTED)?;
    let ports = (port(&told["StartingPort"])?, port(&told["EndingPort"])?);
    // SAFETY: as above.
    unsafe { place_handle(place, Object::Ports(Arc::new(Reservation(id)))) }?;
    Ok(ports)
}

fn port(value: &Value) -> Outcome<u16> {
    let port = value.as_u64().and_then(|port| u16::try_from(port).ok());
    Ok(port.ok_or(E_UNEXPECTED)?)
}

/// A reservation as an entry of a list. What numbers stand for priorities, sharing and delivery is not public: they are 0.
fn entry(told: &Value) -> Outcome<HCN_PORT_RANGE_ENTRY> {
    let service: Option<Guid> = told["Service"].as_str().and_then(|text| text.parse().ok());
    let protocol = |key: &str, bit| if told[key] == true { bit } else { 0 };
    Ok(HCN_PORT_RANGE_ENTRY {
        OwningPartitionId: service.ok_or(E_UNEXPECTED)?.into(),
        TargetPartitionId: service.ok_or(E_UNEXPECTED)?.into(),
        Protocol: protocol("Tcp", TCP) | protocol("Udp", UDP),
        Priority: 0,
        ReservationType: 0,
        SharingFlags: 0,
        DeliveryMode: 0,
        StartingPort: port(&told["StartingPort"])?,
        EndingPort: port(&told["EndingPort"])?,
    })
}

fn code(outcome: Outcome<()>) -> HRESULT {
    number(outcome.map_err(|failure| failure.code))
}

exports! {
    ComputeNetwork;

    /// Creates a guest network service.
    "computenetwork_HcnCreateGuestNetworkService" fn HcnCreateGuestNetworkService(id: *const GUID, settings: PCWSTR, guestnetworkservice: *mut *mut c_void, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::create(SERVICE, None, id, settings, guestnetworkservice, errorrecord) }
    }

    /// Changes the state of a guest network service.
    "computenetwork_HcnModifyGuestNetworkService" fn HcnModifyGuestNetworkService(guestnetworkservice: *const c_void, settings: PCWSTR, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::modify(SERVICE, guestnetworkservice, settings, errorrecord) }
    }

    /// Deletes a guest network service; its ports are free again.
    "computenetwork_HcnDeleteGuestNetworkService" fn HcnDeleteGuestNetworkService(id: *const GUID, errorrecord: *mut PWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { objects::delete(SERVICE, id, errorrecord) }
    }

    /// Closes a handle; its registrations end.
    "computenetwork_HcnCloseGuestNetworkService" fn HcnCloseGuestNetworkService(guestnetworkservice: *const c_void) -> HRESULT {
        objects::close(SERVICE, guestnetworkservice)
    }

    /// Registers a function for the states that this handle gives its service.
    "computenetwork_HcnRegisterGuestNetworkServiceCallback" fn HcnRegisterGuestNetworkServiceCallback(guestnetworkservice: *const c_void, callback: HCN_NOTIFICATION_CALLBACK, context: *const c_void, callbackhandle: *mut *mut c_void) -> HRESULT {
        let registered = find(SERVICE, guestnetworkservice).and_then(|service| {
            // SAFETY: the caller vouches for the pointers.
            unsafe { register(&service.hub, callback, context, callbackhandle) }
        });
        number(registered)
    }

    /// Ends a registration; waits for a call that runs.
    "computenetwork_HcnUnregisterGuestNetworkServiceCallback" fn HcnUnregisterGuestNetworkServiceCallback(callbackhandle: *const c_void) -> HRESULT {
        unregister(callbackhandle.cast_mut())
    }

    /// Reserves a port of the host.
    "computenetwork_HcnReserveGuestNetworkServicePort" fn HcnReserveGuestNetworkServicePort(guestnetworkservice: *const c_void, protocol: HCN_PORT_PROTOCOL, access: HCN_PORT_ACCESS, port: u16, portreservationhandle: *mut HANDLE) -> HRESULT {
        code((|| {
            if protocol & !(TCP | UDP) != 0 || ![EXCLUSIVE, SHARED].contains(&access) {
                return Err(E_INVALIDARG.into());
            }
            let claim = PortClaim {
                tcp: protocol & TCP != 0,
                udp: protocol & UDP != 0,
                shared: access == SHARED,
                first: Some(port),
                count: 1,
            };
            // SAFETY: the caller vouches for the place.
            unsafe { reserve(guestnetworkservice, claim, portreservationhandle) }.map(|_| ())
        })())
    }

    /// Reserves so many ports that the service chooses, for both protocols and nobody else.
    "computenetwork_HcnReserveGuestNetworkServicePortRange" fn HcnReserveGuestNetworkServicePortRange(guestnetworkservice: *const c_void, portcount: u16, portrangereservation: *mut HCN_PORT_RANGE_RESERVATION, portreservationhandle: *mut HANDLE) -> HRESULT {
        code((|| {
            if portrangereservation.is_null() {
                return Err(E_INVALIDARG.into());
            }
            let claim = PortClaim { tcp: true, udp: true, shared: false, first: None, count: portcount };
            // SAFETY: the caller vouches for the place.
            let (startingPort, endingPort) = unsafe { reserve(guestnetworkservice, claim, portreservationhandle) }?;
            // SAFETY: it is not null; the caller vouches for the rest.
            unsafe { portrangereservation.write_unaligned(HCN_PORT_RANGE_RESERVATION { startingPort, endingPort }) };
            Ok(())
        })())
    }

    /// Gives ports back, and closes their handle.
    "computenetwork_HcnReleaseGuestNetworkServicePortReservationHandle" fn HcnReleaseGuestNetworkServicePortReservationHandle(portreservationhandle: HANDLE) -> HRESULT {
        code(table::close(portreservationhandle, pick).map_err(Into::into).and_then(|reservation| {
            call(HcnCall::ReleasePorts(reservation.0)).map(|_| ())
        }))
    }

    /// Hands out all reserved ports, to be freed by the function for that; null where there are none.
    "computenetwork_HcnEnumerateGuestNetworkPortReservations" fn HcnEnumerateGuestNetworkPortReservations(returncount: *mut u32, portentries: *mut *mut HCN_PORT_RANGE_ENTRY) -> HRESULT {
        code((|| {
            if returncount.is_null() || portentries.is_null() {
                return Err(E_INVALIDARG.into());
            }
            // SAFETY: neither is null; the caller vouches for the rest.
            unsafe {
                returncount.write_unaligned(0);
                portentries.write_unaligned(std::ptr::null_mut());
            }
            let told = call(HcnCall::ReservedPorts)?;
            let told = told.as_array().into_iter().flatten();
            let entries = told.map(entry).collect::<Outcome<Vec<_>>>()?;
            let count = u32::try_from(entries.len()).map_err(|_| E_UNEXPECTED)?;
            // SAFETY: as above.
            unsafe {
                portentries.write_unaligned(blocks::hand_out(entries));
                returncount.write_unaligned(count);
            }
            Ok(())
        })())
    }

    /// Frees a list of reserved ports.
    "computenetwork_HcnFreeGuestNetworkPortReservations" fn HcnFreeGuestNetworkPortReservations(portentries: *mut HCN_PORT_RANGE_ENTRY) -> () {
        blocks::take_back(portentries);
    }
}
