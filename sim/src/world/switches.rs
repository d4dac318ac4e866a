//! Hyper-V switches, NAT objects and adapters.

use serde::{Deserialize, Serialize};
use wcow_host::Adapter;
use wcow_ntmeta::Hresult;

use super::World;
use crate::call::{Outcome, SwitchesCall};
use crate::profile::Profile;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Switches {
    adapters: Vec<Adapter>,
}

impl Switches {
    pub(super) fn new(profile: &Profile) -> Self {
        Self {
            adapters: profile.adapters.clone(),
        }
    }
}

impl World {
    pub(super) fn switches_call(&mut self, call: &SwitchesCall) -> Outcome {
        match call {
            SwitchesCall::Adapters => Ok(self.switches.adapters.clone().into()),
            _ => Err(Hresult::from_win32(0x32).into()),
        }
    }
}
