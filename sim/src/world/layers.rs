//! Layer storage of a simulated host: base layers made usable, scratch layers made, mounted and removed.

use serde::{Deserialize, Serialize};
use wcow_ntmeta::Hresult;

use super::{Outside, World};
use crate::call::{ClientId, LayersCall, OpId, Outcome};

/// Everything the host knows of layers beside the files.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Layers {}

impl World {
    /// A call takes effect.
    pub(super) fn layers_call(
        &mut self,
        _op: OpId,
        _client: ClientId,
        _call: &LayersCall,
        _out: &mut Outside<'_>,
    ) -> Outcome {
        Err(Hresult::from_win32(0x32).into())
    }

    /// The machine goes down: nothing is attached any more.
    pub(super) fn layers_on_reboot(&mut self) {}
}
