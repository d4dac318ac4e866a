//! The machine itself: features, packages, modules, services, restarts.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use wcow_hcs::machine::{self as windows, BuiltinGroup};
use wcow_host::codes::win32;
use wcow_host::{
    EditionClass, Feature, FeatureState, HostControl, HostError, HostInfo, Identity, Operation,
    Package, Service,
};
use wcow_ntmeta::{Guid, Hresult};

use crate::powershell::Script;
use crate::reading::{
    dism_table, feature, feature_state, is_plain_name, packages, sort_features, windows_name,
};
use crate::tools::{INVALID_DATA, Tools, code_of, code_of_exit};
use crate::work::on_thread;
use crate::{machine, services};

const GET_FEATURES: Script = Script {
    name: "Get-WindowsOptionalFeature",
    parts: &[include_str!("scripts/get-features.ps1")],
};
const ENABLE_FEATURE: Script = Script {
    name: "Enable-WindowsOptionalFeature",
    parts: &[include_str!("scripts/enable-feature.ps1")],
};
const DISABLE_FEATURE: Script = Script {
    name: "Disable-WindowsOptionalFeature",
    parts: &[include_str!("scripts/disable-feature.ps1")],
};
const GET_PACKAGES: Script = Script {
    name: "Get-WindowsPackage",
    parts: &[include_str!("scripts/get-packages.ps1")],
};
const GET_MODULES: Script = Script {
    name: "Get-Module",
    parts: &[include_str!("scripts/get-modules.ps1")],
};

/// `ERROR_NOT_SUPPORTED`.
const NOT_SUPPORTED: Hresult = Hresult::from_win32(50);
const FILE_NOT_FOUND: Hresult = Hresult::from_win32(2);
/// `CBS_E_UNKNOWN_UPDATE`: no feature of that name.
const UNKNOWN_FEATURE: Hresult = Hresult(0x800F_080C);
/// `ERROR_SUCCESS_REBOOT_REQUIRED`: done, after the next restart.
const DONE_AFTER_RESTART: i32 = 3010;

/// How long a machine may take to go down, once it was asked to.
const GOING_DOWN: Duration = Duration::from_secs(600);

/// The machine that this program runs on.
#[derive(Clone, Debug)]
pub struct WinControl {
    tools: Tools,
    media: Vec<PathBuf>,
    going_down: Duration,
}

impl Default for WinControl {
    fn default() -> Self {
        Self::new()
    }
}

impl WinControl {
    /// By the tools of this Windows. Packages of Nano Server come from the folder `NanoServer\Packages` of any drive: that is where
    /// installation media have them.
    #[must_use]
    pub fn new() -> Self {
        let drives = ('C'..='Z').map(|letter| format!(r"{letter}:\NanoServer\Packages").into());
        Self::with(Tools::of_windows(), drives.collect(), GOING_DOWN)
    }

    /// By other tools, with packages from other folders, and with another time that the machine may take to go down.
    #[must_use]
    pub fn with(tools: Tools, media: Vec<PathBuf>, going_down: Duration) -> Self {
        Self {
            tools,
            media,
            going_down,
        }
    }

    async fn call<T: Send + 'static>(
        &self,
        operation: Operation,
        object: &str,
        work: impl FnOnce(&Self) -> Result<T, HostError> + Send + 'static,
    ) -> Result<T, HostError> {
        let own = self.clone();
        on_thread(operation, object, move || work(&own)).await
    }

    /// PowerShell's answer; where PowerShell or the command is missing, that of `dism.exe`.
    fn or_dism<T>(
        answer: Result<T, HostError>,
        dism: impl FnOnce() -> Result<T, HostError>,
    ) -> Result<T, HostError> {
        match answer {
            Err(error) if error.is_command_missing() || error.is_win32(2) || error.is_win32(3) => {
                dism()
            }
            answer => answer,
        }
    }

    /// Rows of names and states.
    fn states(
        &self,
        operation: Operation,
        script: &Script,
        dism: &str,
    ) -> Result<Vec<(String, String)>, HostError> {
        let answer: Result<Vec<StateRow>, _> =
            self.tools.powershell(operation, "host", script, &[]);
        let answer = answer.map(|rows| rows.into_iter().map(|row| (row.name, row.state)).collect());
        Self::or_dism(answer, || {
            let arguments = ["/Online", "/English", dism, "/Format:Table"];
            let text = self.tools.text_of(operation, "dism", &arguments)?;
            dism_table(&text).ok_or_else(|| HostError::new(operation, "dism", INVALID_DATA))
        })
    }

    /// Has `dism.exe` change something.
    fn change(
        &self,
        operation: Operation,
        object: &str,
        arguments: &[&str],
    ) -> Result<(), HostError> {
        let mut all = vec!["/Online", "/English"];
        all.extend(arguments);
        all.push("/NoRestart");
        match self.tools.run(operation, "dism", &all, &[])?.exit {
            Some(0 | DONE_AFTER_RESTART) => Ok(()),
            exit => Err(HostError::new(operation, object, code_of_exit(exit))),
        }
    }

    fn read_features(&self) -> Result<Vec<Feature>, HostError> {
        let states = self.states(Operation::Features, &GET_FEATURES, "/Get-Features")?;
        let known = states
            .iter()
            .filter_map(|(name, state)| feature(name, state));
        Ok(sort_features(known.collect()))
    }

    fn switch_feature(
        &self,
        name: &str,
        script: &Script,
        dism: &[&str],
    ) -> Result<FeatureState, HostError> {
        let unknown = || HostError::new(Operation::Features, name, UNKNOWN_FEATURE);
        if !is_plain_name(name) {
            return Err(unknown());
        }
        let windows = windows_name(name);
        let answer: Result<Vec<StateRow>, _> =
            self.tools
                .powershell(Operation::Features, name, script, &[windows]);
        let answer = answer.and_then(|rows| {
            let state = rows.first().and_then(|row| feature_state(&row.state));
            state.ok_or_else(|| HostError::new(Operation::Features, name, INVALID_DATA))
        });
        Self::or_dism(answer, || {
            let named = format!("/FeatureName:{windows}");
            let mut arguments = dism.to_vec();
            arguments.push(&named);
            self.change(Operation::Features, name, &arguments)?;
            let features = self.read_features()?;
            let found = features
                .into_iter()
                .find(|feature| feature.name.eq_ignore_ascii_case(name));
            found.map(|feature| feature.state).ok_or_else(unknown)
        })
    }

    fn read_packages(&self) -> Result<Vec<Package>, HostError> {
        if machine::info()?.class != EditionClass::Nano {
            return Ok(Vec::new());
        }
        let states = self.states(Operation::Packages, &GET_PACKAGES, "/Get-Packages")?;
        Ok(packages(states))
    }

    fn put_package(&self, name: &str) -> Result<(), HostError> {
        let failed = |code| HostError::new(Operation::Packages, name, code);
        if machine::info()?.class != EditionClass::Nano {
            return Err(failed(NOT_SUPPORTED));
        }
        if !is_plain_name(name) {
            return Err(failed(FILE_NOT_FOUND));
        }
        let there = self.read_packages()?;
        if there
            .iter()
            .any(|package| package.name.eq_ignore_ascii_case(name))
        {
            return Ok(());
        }
        let files = self
            .media
            .iter()
            .find_map(|folder| package_files(folder, name))
            .ok_or_else(|| failed(FILE_NOT_FOUND))?;
        for file in files {
            let path = format!("/PackagePath:{}", file.display());
            self.change(Operation::Packages, name, &["/Add-Package", &path])?;
        }
        Ok(())
    }

    fn restart_machine(&self) -> Result<(), HostError> {
        let failed = |code| HostError::new(Operation::Reboot, "host", code);
        let ran = self
            .tools
            .run(Operation::Reboot, "shutdown", &["/r", "/t", "0"], &[])?;
        if ran.exit != Some(0) {
            return Err(failed(code_of_exit(ran.exit)));
        }
        // This program ends with the machine. If it is still there after that time, something holds the machine up.
        std::thread::sleep(self.going_down);
        Err(failed(win32::TIMEOUT))
    }
}

/// The files of a package in a folder of packages, the package itself first; then those of its languages, which lie in folders of
/// their own. None if it is not there.
fn package_files(folder: &Path, name: &str) -> Option<Vec<PathBuf>> {
    let stem = format!("Microsoft-NanoServer-{name}-Package");
    let package = folder.join(format!("{stem}.cab"));
    if !package.is_file() {
        return None;
    }
    let mut languages: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .flat_map(|entry| {
            let language = entry.file_name().to_string_lossy().into_owned();
            [format!("{stem}_{language}.cab"), format!("{stem}.cab")]
                .map(|file| entry.path().join(file))
        })
        .filter(|file| file.is_file())
        .collect();
    languages.sort();
    languages.insert(0, package);
    Some(languages)
}

#[derive(Deserialize)]
struct StateRow {
    name: String,
    state: String,
}

#[derive(Deserialize)]
struct NameRow {
    name: String,
}

impl HostControl for WinControl {
    async fn info(&self) -> Result<HostInfo, HostError> {
        self.call(Operation::HostInfo, "host", |_| machine::info())
            .await
    }

    async fn packages(&self) -> Result<Vec<Package>, HostError> {
        self.call(Operation::Packages, "host", Self::read_packages)
            .await
    }

    async fn add_package(&self, name: &str) -> Result<(), HostError> {
        let wanted = name.to_owned();
        self.call(Operation::Packages, name, move |own| {
            own.put_package(&wanted)
        })
        .await
    }

    async fn modules(&self) -> Result<Vec<String>, HostError> {
        self.call(Operation::Modules, "host", |own| {
            let rows: Vec<NameRow> =
                own.tools
                    .powershell(Operation::Modules, "host", &GET_MODULES, &[])?;
            let mut names: Vec<String> = rows.into_iter().map(|row| row.name).collect();
            names.sort();
            names.dedup();
            Ok(names)
        })
        .await
    }

    async fn features(&self) -> Result<Vec<Feature>, HostError> {
        self.call(Operation::Features, "host", Self::read_features)
            .await
    }

    async fn enable_feature(&self, name: &str) -> Result<FeatureState, HostError> {
        let wanted = name.to_owned();
        self.call(Operation::Features, name, move |own| {
            own.switch_feature(&wanted, &ENABLE_FEATURE, &["/Enable-Feature", "/All"])
        })
        .await
    }

    async fn disable_feature(&self, name: &str) -> Result<FeatureState, HostError> {
        let wanted = name.to_owned();
        self.call(Operation::Features, name, move |own| {
            own.switch_feature(&wanted, &DISABLE_FEATURE, &["/Disable-Feature"])
        })
        .await
    }

    async fn services(&self) -> Result<Vec<Service>, HostError> {
        self.call(Operation::Services, "host", |_| machine::services())
            .await
    }

    async fn restart_service(&self, name: &str) -> Result<(), HostError> {
        let wanted = name.to_owned();
        self.call(Operation::Services, name, move |_| {
            services::restart(&wanted)
        })
        .await
    }

    async fn start_service(&self, name: &str) -> Result<(), HostError> {
        let wanted = name.to_owned();
        self.call(Operation::StartService, name, move |_| {
            services::start(&wanted)
        })
        .await
    }

    async fn stop_service(&self, name: &str) -> Result<(), HostError> {
        let wanted = name.to_owned();
        self.call(Operation::StopService, name, move |_| {
            services::stop(&wanted)
        })
        .await
    }

    async fn identity(&self) -> Result<Identity, HostError> {
        let is_member = |group| {
            windows::is_member_of(group)
                .map_err(|error| HostError::new(Operation::Identity, "host", code_of(&error)))
        };
        Ok(if is_member(BuiltinGroup::Administrators)? {
            Identity::Administrator
        } else if is_member(BuiltinGroup::HyperVAdministrators)? {
            Identity::HyperVAdministrator
        } else {
            Identity::PlainUser
        })
    }

    /// Restarts the machine, and this program ends with it. It returns only where the machine does not go down: after ten minutes.
    async fn reboot(&self) -> Result<(), HostError> {
        self.call(Operation::Reboot, "host", Self::restart_machine)
            .await
    }

    async fn new_guid(&self) -> Result<Guid, HostError> {
        windows::new_guid().map_err(|error| HostError::new(Operation::NewGuid, "host", error.code))
    }
}
