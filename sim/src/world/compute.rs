//! The compute service of a simulated host: compute systems and the processes in them.

use serde::{Deserialize, Serialize};
use wcow_ntmeta::{Guid, Hresult};

use super::{Outside, World};
use crate::call::{ClientId, ComputeCall, OpId, Outcome};

/// Everything the compute service knows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Compute {}

/// Something that will happen in the compute service. A restart of the machine cancels it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum ComputeEvent {}

impl World {
    /// A call takes effect.
    pub(super) fn compute_call(
        &mut self,
        _op: OpId,
        _client: ClientId,
        _call: &ComputeCall,
        _out: &mut Outside<'_>,
    ) -> Outcome {
        Err(Hresult::from_win32(0x32).into())
    }

    /// A planned event happens.
    pub(super) fn compute_event(&mut self, event: ComputeEvent, _out: &mut Outside<'_>) {
        match event {}
    }

    /// The machine goes down: everything that runs ends, handles and ephemeral systems are gone.
    pub(super) fn compute_on_reboot(&mut self, _out: &mut Outside<'_>) {}

    /// A client was killed: its handles are closed.
    pub(super) fn compute_client_gone(&mut self, _client: ClientId) {}

    /// Whether a compute system has an adapter on a switch of this name.
    pub(super) fn switch_in_use(&self, _name: &str) -> bool {
        false
    }

    /// Whether a compute system uses an endpoint.
    pub(super) fn endpoint_in_use(&self, _id: Guid) -> bool {
        false
    }
}
