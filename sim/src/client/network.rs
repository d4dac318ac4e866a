//! The Host Network Service, as a client sees it.

use std::future::Future;

use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork};
use wcow_host::{HostError, NetworkService};
use wcow_ntmeta::Guid;

use super::{Face, RemoteHost};
use crate::call::NetworkCall;

/// The same calls, whatever carries them.
macro_rules! network_service {
    ($face:ty) => {
        impl NetworkService for $face {
            fn create_network(
                &self,
                network: &HnsNetwork,
            ) -> impl Future<Output = Result<HnsNetwork, HostError>> + Send {
                self.call(NetworkCall::CreateNetwork(Box::new(network.clone())))
            }

            fn networks(&self) -> impl Future<Output = Result<Vec<HnsNetwork>, HostError>> + Send {
                self.call(NetworkCall::Networks)
            }

            fn delete_network(
                &self,
                id: Guid,
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(NetworkCall::DeleteNetwork(id))
            }

            fn create_endpoint(
                &self,
                endpoint: &HnsEndpoint,
            ) -> impl Future<Output = Result<HnsEndpoint, HostError>> + Send {
                self.call(NetworkCall::CreateEndpoint(Box::new(endpoint.clone())))
            }

            fn endpoints(
                &self,
            ) -> impl Future<Output = Result<Vec<HnsEndpoint>, HostError>> + Send {
                self.call(NetworkCall::Endpoints)
            }

            fn delete_endpoint(
                &self,
                id: Guid,
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(NetworkCall::DeleteEndpoint(id))
            }
        }
    };
}

network_service!(Face);
network_service!(RemoteHost);
