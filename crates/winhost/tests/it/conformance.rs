//! A real host keeps the rules that every container host must keep, and so does the simulated one behind the same DLLs.
//!
//! | variable | meaning |
//! |---|---|
//! | `WCOW_HCS` | `real`: the service of this machine; `sim`: the DLLs in `System32` are those of the simulator; otherwise nothing is tried |
//! | `WCOW_IMAGE` | the folders of a base image that fits the host, nearest layer first, separated by `;` |
//! | `WCOW_SCRATCH` | a folder in which scratch layers can be made |
//!
//! On a real host the rules make, start and end containers, make layers and networks, and take them away again.

use std::sync::atomic::{AtomicU32, Ordering};

use wcow_conformance::{Arm, Image, host_conformance};
use wcow_hcs::layers::name_to_guid;
use wcow_host::{ComputeApi, Host, LayerDescriptor, LayerStorage};
use wcow_ntmeta::{HostPath, WideName};
use wcow_winhost::{CallLimits, WinHost, block_on};

/// This machine, through one surface.
struct WinArm {
    host: WinHost,
    mode: Option<String>,
}

fn arm(api: ComputeApi) -> WinArm {
    WinArm {
        host: WinHost::through(api, CallLimits::default()),
        mode: std::env::var("WCOW_HCS").ok(),
    }
}

impl WinArm {
    /// The layers that `WCOW_IMAGE` names.
    fn layers(&self) -> Result<Vec<LayerDescriptor>, String> {
        let image = std::env::var("WCOW_IMAGE").map_err(|_| "WCOW_IMAGE names no image")?;
        let layer = |folder: &str| {
            let path = HostPath::parse(folder).map_err(|error| format!("{folder}: {error}"))?;
            let name = path.file_name().ok_or("a layer is a folder with a name")?;
            let id = name_to_guid(&WideName::from(name).to_string())
                .map_err(|error| error.to_string())?;
            Ok(LayerDescriptor { id, path })
        };
        image.split(';').map(layer).collect()
    }
}

impl Arm for WinArm {
    type Host = WinHost;

    fn host(&self) -> &WinHost {
        &self.host
    }

    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        block_on(future)
    }

    fn image(&self, hyperv: bool) -> Result<Image, String> {
        match self.mode.as_deref() {
            Some("real" | "sim") => {}
            Some(other) => return Err(format!("WCOW_HCS is {other}, neither real nor sim")),
            None => return Err("WCOW_HCS is not set".to_owned()),
        }
        let layers = self.layers()?;
        if hyperv {
            let vm = layers.first().map(|layer| layer.path.join("UtilityVM"));
            let vm = vm.ok_or("WCOW_IMAGE names no layer")?;
            let exists = self.block_on(self.host.layers().exists(&vm));
            if !exists.map_err(|error| error.to_string())? {
                return Err(format!("the image has no {vm}"));
            }
        }
        let scratch = std::env::var("WCOW_SCRATCH").map_err(|_| "WCOW_SCRATCH names no folder")?;
        let scratch_root = HostPath::parse(&scratch).map_err(|error| error.to_string())?;
        Ok(Image {
            layers,
            scratch_root,
        })
    }

    fn networks(&self) -> Result<(), String> {
        match self.mode.as_deref() {
            Some("real" | "sim") => Ok(()),
            _ => Err("WCOW_HCS is not set".to_owned()),
        }
    }

    fn fresh_id(&self) -> String {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::SeqCst);
        format!("wcow-conformance-{}-{number}", std::process::id())
    }

    fn reaches_files(&self) -> bool {
        self.is_real()
    }

    fn is_real(&self) -> bool {
        self.mode.as_deref() == Some("real")
    }
}

host_conformance!(v1, arm(ComputeApi::V1));
host_conformance!(v2, arm(ComputeApi::V2));
