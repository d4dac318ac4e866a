//! The Host Network Service, through `HNSCall` of vmcompute.dll.

use std::sync::Arc;

use serde_json::Value;
use wcow_hcs::network::hns_call;
use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork};
use wcow_host::codes::{self, win32};
use wcow_host::{HostError, NetworkService, Operation};
use wcow_ntmeta::{Guid, Hresult};

use crate::CallLimits;
use crate::answers::{failed, refused, unanswered, unreadable};
use crate::hns::{self, Answer, ENDPOINTS, NETWORKS};
use crate::pool::Pool;

/// How many calls run at once at most.
const THREADS: usize = 4;

/// The Host Network Service of this machine.
pub struct WinNetwork {
    limits: CallLimits,
    calls: Arc<Pool>,
}

/// A request that the service refused: with a code, or without one.
struct Refusal {
    code: Option<Hresult>,
    answer: String,
}

impl WinNetwork {
    /// The Host Network Service of this machine.
    #[must_use]
    pub fn new(limits: CallLimits) -> Self {
        Self {
            limits,
            calls: Pool::new("wcow-hns", THREADS),
        }
    }

    /// A request. The outer error is a call that failed, the inner one a refusal.
    async fn ask(
        &self,
        operation: Operation,
        object: &str,
        method: &'static str,
        path: String,
        request: String,
    ) -> Result<Result<(Value, String), Refusal>, HostError> {
        let call = move || hns_call(method, &path, &request);
        let answer = match self.calls.run_within(self.limits.call, call).await {
            Ok(answer) => answer.map_err(|error| failed(operation, object, error))?,
            Err(why) => return Err(unanswered(operation, object, why)),
        };
        match hns::read(&answer) {
            Answer::Done(output) => Ok(Ok((output, answer))),
            Answer::Refused(code) => Ok(Err(Refusal { code, answer })),
            Answer::Unreadable => Err(unreadable(operation, object, &answer)),
        }
    }

    /// A listing, as its reader has it.
    async fn list<T>(
        &self,
        operation: Operation,
        path: &str,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Result<T, HostError> {
        let asked = self.ask(operation, "", "GET", path.to_owned(), String::new());
        match asked.await? {
            Ok((output, answer)) => read(output).ok_or_else(|| unreadable(operation, "", &answer)),
            Err(refusal) => Err(refusal.error(operation, "", codes::FAIL)),
        }
    }

    async fn create<T>(
        &self,
        operation: Operation,
        object: &str,
        path: &str,
        request: Option<String>,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Result<Result<T, Refusal>, HostError> {
        let request = request.ok_or_else(|| refused(operation, object, win32::INVALID_DATA))?;
        let asked = self.ask(operation, object, "POST", path.to_owned(), request);
        match asked.await? {
            Ok((output, answer)) => {
                let created = read(output);
                created
                    .map(Ok)
                    .ok_or_else(|| unreadable(operation, object, &answer))
            }
            Err(refusal) => Ok(Err(refusal)),
        }
    }
}

impl Refusal {
    /// The error, with `otherwise` where the service gave no code.
    fn error(self, operation: Operation, object: &str, otherwise: Hresult) -> HostError {
        HostError {
            document: Some(self.answer),
            ..refused(operation, object, self.code.unwrap_or(otherwise))
        }
    }
}

impl NetworkService for WinNetwork {
    async fn create_network(&self, network: &HnsNetwork) -> Result<HnsNetwork, HostError> {
        let operation = Operation::CreateNetwork;
        let request = serde_json::to_string(network).ok();
        let created = self
            .create(operation, &network.name, NETWORKS, request, hns::network)
            .await?;
        match created {
            Ok(created) => Ok(created),
            Err(refusal) => {
                let otherwise = match refusal.code {
                    Some(code) => code,
                    None => hns::network_refused(network, &self.networks().await?),
                };
                Err(refusal.error(operation, &network.name, otherwise))
            }
        }
    }

    async fn networks(&self) -> Result<Vec<HnsNetwork>, HostError> {
        self.list(Operation::ListNetworks, NETWORKS, hns::networks)
            .await
    }

    async fn delete_network(&self, id: Guid) -> Result<(), HostError> {
        let operation = Operation::DeleteNetwork;
        let (object, path) = (id.to_string(), hns::one(NETWORKS, id));
        let asked = self.ask(operation, &object, "DELETE", path, String::new());
        let Err(refusal) = asked.await? else {
            return Ok(());
        };
        let otherwise = match refusal.code {
            Some(code) => code,
            None => {
                let networks = self.networks().await?;
                hns::deletion_refused(id, networks.iter().map(|network| network.id.as_str()))
            }
        };
        Err(refusal.error(operation, &object, otherwise))
    }

    async fn create_endpoint(&self, endpoint: &HnsEndpoint) -> Result<HnsEndpoint, HostError> {
        let operation = Operation::CreateEndpoint;
        let request = serde_json::to_string(endpoint).ok();
        let created = self
            .create(operation, &endpoint.name, ENDPOINTS, request, hns::endpoint)
            .await?;
        match created {
            Ok(created) => Ok(created),
            Err(refusal) => {
                let otherwise = match refusal.code {
                    Some(code) => code,
                    None => hns::endpoint_refused(endpoint, &self.networks().await?),
                };
                Err(refusal.error(operation, &endpoint.name, otherwise))
            }
        }
    }

    async fn endpoints(&self) -> Result<Vec<HnsEndpoint>, HostError> {
        self.list(Operation::ListEndpoints, ENDPOINTS, hns::endpoints)
            .await
    }

    async fn delete_endpoint(&self, id: Guid) -> Result<(), HostError> {
        let operation = Operation::DeleteEndpoint;
        let (object, path) = (id.to_string(), hns::one(ENDPOINTS, id));
        let asked = self.ask(operation, &object, "DELETE", path, String::new());
        let Err(refusal) = asked.await? else {
            return Ok(());
        };
        let otherwise = match refusal.code {
            Some(code) => code,
            None => {
                let endpoints = self.endpoints().await?;
                hns::deletion_refused(id, endpoints.iter().map(|endpoint| endpoint.id.as_str()))
            }
        };
        Err(refusal.error(operation, &object, otherwise))
    }
}
