//! The scenario files that come with the simulator, as text, and the hosts they play on. `wcow-scenario` reads and plays them.

use serde_json::{Map, Value};

use crate::{FaultPlan, Profile, Sim};

/// A scenario file.
#[derive(Clone, Copy, Debug)]
pub struct ScenarioFile {
    /// Its name below `sim/scenarios/`.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(ScenarioFile { name: $name, text: include_str!(concat!("../scenarios/", $name)) }),*]
    };
}

/// The observations of the field report of 2015, S1 to S14, in order.
pub const SEED: &[ScenarioFile] = files![
    "seed/S01.toml",
    "seed/S02.toml",
    "seed/S03.toml",
    "seed/S04.toml",
    "seed/S05.toml",
    "seed/S06.toml",
    "seed/S07.toml",
    "seed/S08.toml",
    "seed/S09.toml",
    "seed/S10.toml",
    "seed/S11.toml",
    "seed/S12.toml",
    "seed/S13.toml",
    "seed/S14.toml",
];

/// What goes wrong, one file for each failure of the catalogue that is shown: the failure, and the way out working. A file has the name
/// of its failure.
pub const FAILURES: &[ScenarioFile] = files![
    "failures/adapter-in-use.toml",
    "failures/address-outside-subnet.toml",
    "failures/call-not-supported.toml",
    "failures/compute-service-missing.toml",
    "failures/compute-service-stopped.toml",
    "failures/container-before-reboot.toml",
    "failures/container-cmdlets-missing.toml",
    "failures/container-service-missing.toml",
    "failures/disk-access-missing.toml",
    "failures/disk-error.toml",
    "failures/disk-full.toml",
    "failures/elevation-missing.toml",
    "failures/endpoint-attached-elsewhere.toml",
    "failures/external-switch-no-adapter.toml",
    "failures/feature-unknown.toml",
    "failures/file-in-use.toml",
    "failures/firewall-service-stopped.toml",
    "failures/handle-gone.toml",
    "failures/hns-adapter-not-found.toml",
    "failures/hns-missing.toml",
    "failures/hns-stopped.toml",
    "failures/host-unreachable.toml",
    "failures/hyper-v-cmdlet-denied.toml",
    "failures/hyper-v-cmdlets-missing.toml",
    "failures/hyper-v-management-stopped.toml",
    "failures/hyper-v-not-installed.toml",
    "failures/ics-disabled.toml",
    "failures/image-mismatch.toml",
    "failures/invalid-document.toml",
    "failures/invalid-state.toml",
    "failures/layer-deleted-as-files.toml",
    "failures/layer-import-failed.toml",
    "failures/layer-in-use.toml",
    "failures/layer-missing.toml",
    "failures/layer-not-attached.toml",
    "failures/layer-not-exportable.toml",
    "failures/layers-prepared-at-once.toml",
    "failures/machine-type-mismatch.toml",
    "failures/mapped-directory-missing.toml",
    "failures/memory-limit-reached.toml",
    "failures/nat-prefix-conflict.toml",
    "failures/nat-switch-type-gone.toml",
    "failures/netnat-missing.toml",
    "failures/network-has-endpoints.toml",
    "failures/network-invalid.toml",
    "failures/network-name-taken.toml",
    "failures/network-needs-vfp.toml",
    "failures/network-not-found.toml",
    "failures/network-object-exists.toml",
    "failures/not-a-base-layer.toml",
    "failures/not-an-administrator.toml",
    "failures/port-mapping-invalid.toml",
    "failures/preview-export.toml",
    "failures/privilege-missing.toml",
    "failures/process-already-ended.toml",
    "failures/process-not-found.toml",
    "failures/program-not-found.toml",
    "failures/published-port-taken.toml",
    "failures/registry-hive-damaged.toml",
    "failures/scratch-disk-locked.toml",
    "failures/scratch-exists.toml",
    "failures/scratch-too-large.toml",
    "failures/service-unknown.toml",
    "failures/static-mapping-taken.toml",
    "failures/store-locked.toml",
    "failures/switch-no-matching-element.toml",
    "failures/switch-not-removed.toml",
    "failures/system-already-exists.toml",
    "failures/system-not-found.toml",
    "failures/system-not-running.toml",
    "failures/unexpected-exit.toml",
    "failures/user-unknown.toml",
    "failures/utility-vm-incomplete.toml",
    "failures/utility-vm-missing.toml",
    "failures/utility-vm-unreachable.toml",
    "failures/windows-insider-required.toml",
    "failures/working-directory-invalid.toml",
];

/// The successful way on a host of today.
pub const SERVER_2022: ScenarioFile = ScenarioFile {
    name: "server-2022.toml",
    text: include_str!("../scenarios/server-2022.toml"),
};

/// The scenario of a failure of the catalogue.
#[must_use]
pub fn of_failure(id: &str) -> Option<&'static ScenarioFile> {
    FAILURES.iter().find(|file| {
        file.name
            .strip_prefix("failures/")
            .and_then(|name| name.strip_suffix(".toml"))
            == Some(id)
    })
}

/// Makes the host that a scenario plays on: an embedded profile, some of its keys with other values, and calls that go wrong (a
/// [`FaultPlan`]; empty for none).
///
/// # Errors
/// [`SetUpError`].
pub fn set_up(
    profile: &str,
    host: Map<String, Value>,
    faults: Map<String, Value>,
    seed: u64,
) -> Result<Sim, SetUpError> {
    let known = Profile::named(profile).ok_or_else(|| SetUpError::Profile(profile.to_owned()))?;
    let mut value = serde_json::to_value(known).map_err(SetUpError::Host)?;
    if let Value::Object(keys) = &mut value {
        keys.extend(host);
    }
    let sim = Sim::new(
        serde_json::from_value(value).map_err(SetUpError::Host)?,
        seed,
    );
    if !faults.is_empty() {
        let plan: FaultPlan =
            serde_json::from_value(Value::Object(faults)).map_err(SetUpError::Faults)?;
        sim.set_faults(plan);
    }
    Ok(sim)
}

/// A host that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetUpError {
    /// No embedded profile has this name.
    #[error("no profile {0:?}")]
    Profile(String),
    /// A key of the profile, or its value.
    #[error("what is different about the host is not valid")]
    Host(#[source] serde_json::Error),
    /// The faults.
    #[error("the faults are not valid")]
    Faults(#[source] serde_json::Error),
}
