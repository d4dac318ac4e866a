//! The Host Network Service.

use serde::{Deserialize, Serialize};
use wcow_ntmeta::Hresult;

use super::World;
use crate::call::{NetworkCall, Outcome};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Hns {}

impl World {
    pub(super) fn network_call(&mut self, _call: &NetworkCall) -> Outcome {
        Err(Hresult::from_win32(0x32).into())
    }

    pub(super) fn network_on_reboot(&mut self) {}
}
