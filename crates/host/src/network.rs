//! The Host Network Service: networks and endpoints, from Windows Server 2016 on.

use std::future::Future;

use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork};
use wcow_ntmeta::Guid;

use crate::HostError;

/// The Host Network Service. Hosts older than build 14300 have none: every call fails with 0x7F (procedure not found).
pub trait NetworkService: Send + Sync {
    /// Creates a network; the answer carries its id, and subnet and gateway where the service chose them.
    ///
    /// # Errors
    /// A second NAT prefix where one is the limit (0x57), the name is taken (0x803B0010), no adapter for a transparent network
    /// (0x803B0006), no type or one that does not exist (0x803B000B).
    fn create_network(
        &self,
        network: &HnsNetwork,
    ) -> impl Future<Output = Result<HnsNetwork, HostError>> + Send;

    /// All networks, by name.
    ///
    /// # Errors
    /// The service is stopped (0x426).
    fn networks(&self) -> impl Future<Output = Result<Vec<HnsNetwork>, HostError>> + Send;

    /// Deletes a network.
    ///
    /// # Errors
    /// It does not exist (0x490), it has endpoints (0x803B002C).
    fn delete_network(&self, id: Guid) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Creates an endpoint on `endpoint.virtual_network`; the answer carries its id and addresses.
    ///
    /// # Errors
    /// The network does not exist (0x803B0001), the address is outside its subnets (0x803B001E), a published port is taken
    /// (0x803B0013).
    fn create_endpoint(
        &self,
        endpoint: &HnsEndpoint,
    ) -> impl Future<Output = Result<HnsEndpoint, HostError>> + Send;

    /// All endpoints, by id.
    ///
    /// # Errors
    /// The service is stopped (0x426).
    fn endpoints(&self) -> impl Future<Output = Result<Vec<HnsEndpoint>, HostError>> + Send;

    /// Deletes an endpoint.
    ///
    /// # Errors
    /// It does not exist (0x490).
    fn delete_endpoint(&self, id: Guid) -> impl Future<Output = Result<(), HostError>> + Send;
}
