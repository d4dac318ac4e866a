//! All faces of this machine in one value.

use wcow_host::{Clock, ComputeApi, Diagnostics, FileSystem, Host, HostControl, SwitchService};

use crate::CallLimits;
use crate::compute::WinCompute;
use crate::layers::WinLayers;
use crate::network::WinNetwork;

/// A real Windows host: the container services of this machine, and its other faces, whatever they are made of.
pub struct WinHost<Switches, Control, Files, Time, Evidence> {
    compute: WinCompute,
    layers: WinLayers,
    network: WinNetwork,
    switches: Switches,
    control: Control,
    files: Files,
    clock: Time,
    diagnostics: Evidence,
}

impl<Switches, Control, Files, Time, Evidence> WinHost<Switches, Control, Files, Time, Evidence>
where
    Switches: Default,
    Control: Default,
    Files: Default,
    Time: Default,
    Evidence: Default,
{
    /// This machine, whose build is given, through the surface that fits it.
    #[must_use]
    pub fn new(build: u32, limits: CallLimits) -> Self {
        Self::over(WinCompute::new(build, limits), limits)
    }

    /// The same, through this surface of the compute service.
    #[must_use]
    pub fn through(api: ComputeApi, build: u32, limits: CallLimits) -> Self {
        Self::over(WinCompute::through(api, build, limits), limits)
    }

    fn over(compute: WinCompute, limits: CallLimits) -> Self {
        Self {
            compute,
            layers: WinLayers::new(limits),
            network: WinNetwork::new(limits),
            switches: Switches::default(),
            control: Control::default(),
            files: Files::default(),
            clock: Time::default(),
            diagnostics: Evidence::default(),
        }
    }
}

impl<Switches, Control, Files, Time, Evidence> Host
    for WinHost<Switches, Control, Files, Time, Evidence>
where
    Switches: SwitchService,
    Control: HostControl,
    Files: FileSystem,
    Time: Clock,
    Evidence: Diagnostics,
{
    type Compute = WinCompute;
    type Layers = WinLayers;
    type Network = WinNetwork;
    type Switches = Switches;
    type Control = Control;
    type Files = Files;
    type Clock = Time;
    type Diagnostics = Evidence;

    fn compute(&self) -> &WinCompute {
        &self.compute
    }

    fn layers(&self) -> &WinLayers {
        &self.layers
    }

    fn network(&self) -> &WinNetwork {
        &self.network
    }

    fn switches(&self) -> &Switches {
        &self.switches
    }

    fn control(&self) -> &Control {
        &self.control
    }

    fn files(&self) -> &Files {
        &self.files
    }

    fn clock(&self) -> &Time {
        &self.clock
    }

    fn diagnostics(&self) -> &Evidence {
        &self.diagnostics
    }
}
