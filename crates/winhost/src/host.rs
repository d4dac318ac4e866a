//! All faces of this machine in one value.

use wcow_host::{ComputeApi, Host};

use crate::CallLimits;
use crate::clock::WinClock;
use crate::compute::WinCompute;
use crate::control::WinControl;
use crate::diagnostics::WinDiagnostics;
use crate::files::WinFiles;
use crate::layers::WinLayers;
use crate::network::WinNetwork;
use crate::switches::WinSwitches;

/// This machine as a container host.
pub struct WinHost {
    compute: WinCompute,
    layers: WinLayers,
    network: WinNetwork,
    switches: WinSwitches,
    control: WinControl,
    files: WinFiles,
    clock: WinClock,
    diagnostics: WinDiagnostics,
}

impl WinHost {
    /// This machine, through the surface of its compute service that fits it.
    #[must_use]
    pub fn new(limits: CallLimits) -> Self {
        Self::over(WinCompute::new(build(), limits), limits)
    }

    /// The same, through this surface.
    #[must_use]
    pub fn through(api: ComputeApi, limits: CallLimits) -> Self {
        Self::over(WinCompute::through(api, build(), limits), limits)
    }

    fn over(compute: WinCompute, limits: CallLimits) -> Self {
        Self {
            compute,
            layers: WinLayers::new(limits),
            network: WinNetwork::new(limits),
            switches: WinSwitches::default(),
            control: WinControl::default(),
            files: WinFiles::default(),
            clock: WinClock::default(),
            diagnostics: WinDiagnostics::default(),
        }
    }
}

impl Default for WinHost {
    fn default() -> Self {
        Self::new(CallLimits::default())
    }
}

/// The build of this machine. No manifest and no compatibility mode changes what this says.
fn build() -> u32 {
    windows_version::OsVersion::current().build
}

impl Host for WinHost {
    type Compute = WinCompute;
    type Layers = WinLayers;
    type Network = WinNetwork;
    type Switches = WinSwitches;
    type Control = WinControl;
    type Files = WinFiles;
    type Clock = WinClock;
    type Diagnostics = WinDiagnostics;

    fn compute(&self) -> &WinCompute {
        &self.compute
    }

    fn layers(&self) -> &WinLayers {
        &self.layers
    }

    fn network(&self) -> &WinNetwork {
        &self.network
    }

    fn switches(&self) -> &WinSwitches {
        &self.switches
    }

    fn control(&self) -> &WinControl {
        &self.control
    }

    fn files(&self) -> &WinFiles {
        &self.files
    }

    fn clock(&self) -> &WinClock {
        &self.clock
    }

    fn diagnostics(&self) -> &WinDiagnostics {
        &self.diagnostics
    }
}
