//! What a simulated host is at the moment it is made.

use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};
use wcow_host::era::StableAbiRule;
use wcow_host::{Adapter, EditionClass, Feature, Machine, Package, Service};
use wcow_ntmeta::FileTime;

use crate::evidence::Evidence;
use crate::fs::DiskModel;

/// A kind of host, as data. The embedded ones are [`Profile::all`]; a test may change a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its name: `nano-tp3`.
    pub name: Arc<str>,
    /// One line about it for people.
    pub about: String,
    /// What people call the Windows on it.
    pub product: Arc<str>,
    /// The computer's name.
    pub computer: Arc<str>,
    /// Build number.
    pub build: u32,
    /// Update build revision.
    pub revision: u32,
    /// Kind of installation.
    pub class: EditionClass,
    /// EditionID of the registry.
    pub edition: Arc<str>,
    /// Hardware or virtual machine.
    pub machine: Machine,
    /// Logical processors.
    pub processors: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// Free space on `C:` in bytes.
    pub free_bytes: u64,
    /// When the host is switched on for the first time.
    pub start: FileTime,
    /// Names of the packages that can be added (Nano Server).
    #[serde(default)]
    pub available_packages: Vec<String>,
    /// The packages that are there.
    #[serde(default)]
    pub packages: Vec<Package>,
    /// The optional features.
    #[serde(default)]
    pub features: Vec<Feature>,
    /// The services that containers need and that come with Windows.
    #[serde(default)]
    pub services: Vec<Service>,
    /// The physical adapters.
    #[serde(default)]
    pub adapters: Vec<Adapter>,
    /// What its disk promises across a power loss.
    #[serde(default)]
    pub disk: DiskModel,
    /// What a diagnosis finds beside that.
    #[serde(default, skip_serializing_if = "Evidence::is_ordinary")]
    pub evidence: Evidence,
    /// By which of the published readings of the stable container ABI it takes images.
    #[serde(default)]
    pub version_rule: StableAbiRule,
    /// What in this profile no document states, as sentences.
    #[serde(default)]
    pub inferred: Vec<String>,
}

/// The embedded profiles, each with the function that gives it.
macro_rules! embedded {
    ($($(#[doc = $doc:literal])* $function:ident = $file:literal;)*) => {
        impl Profile {
            $($(#[doc = $doc])*
            #[must_use]
            pub fn $function() -> Self {
                static READ: LazyLock<Profile> =
                    LazyLock::new(|| embedded(include_str!(concat!("../profiles/", $file, ".json"))));
                READ.clone()
            })*
        }
    };
}

embedded! {
    /// The field report's host: Nano Server, Technical Preview 3, its container package not yet followed by a restart.
    nano_tp3 = "nano-tp3";
    /// A Server Core host of the same build, on which everything works.
    core_tp3 = "core-tp3";
    /// Nano Server, Technical Preview 4.
    nano_tp4 = "nano-tp4";
    /// Nano Server, Technical Preview 5.
    nano_tp5 = "nano-tp5";
    /// Windows Server 2016, Nano Server.
    nano_2016 = "nano-2016";
    /// Windows Server 2016, Server Core.
    core_2016 = "core-2016";
    /// Windows Server 2019, Server Core.
    server_2019 = "server-2019";
    /// Windows Server 2022, Server Core.
    server_2022 = "server-2022";
    /// Windows Server 2025, Server Core.
    server_2025 = "server-2025";
    /// Windows 11 25H2.
    windows_11 = "windows-11";
}

impl Profile {
    /// The embedded profiles, oldest Windows first; `nano-tp3-bare` is `nano-tp3` without its packages.
    #[must_use]
    pub fn all() -> Vec<Self> {
        vec![
            Self::nano_tp3_bare(),
            Self::nano_tp3(),
            Self::core_tp3(),
            Self::nano_tp4(),
            Self::nano_tp5(),
            Self::nano_2016(),
            Self::core_2016(),
            Self::server_2019(),
            Self::server_2022(),
            Self::server_2025(),
            Self::windows_11(),
        ]
    }

    /// The embedded profile of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        static ALL: LazyLock<Vec<Profile>> = LazyLock::new(Profile::all);
        ALL.iter().find(|profile| *profile.name == *name).cloned()
    }

    /// The field report's host before any package was added to it.
    #[must_use]
    pub fn nano_tp3_bare() -> Self {
        Self {
            name: "nano-tp3-bare".into(),
            about: "the field report's host before any package was added to it".to_owned(),
            ..Self::nano_tp3().without_packages()
        }
    }

    /// The same host before any package was added to it.
    #[must_use]
    pub fn without_packages(mut self) -> Self {
        self.packages.clear();
        self
    }

    /// The same host after the restart that its packages and features wait for.
    #[must_use]
    pub fn restarted(mut self) -> Self {
        self.packages
            .iter_mut()
            .for_each(|package| package.reboot_pending = false);
        self
    }
}

fn embedded(text: &str) -> Profile {
    serde_json::from_str(text).expect("the embedded profiles are read by a test")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_profile_can_be_read() {
        let profiles = Profile::all();
        let names: Vec<&str> = profiles.iter().map(|profile| &*profile.name).collect();
        assert_eq!(
            names,
            [
                "nano-tp3-bare",
                "nano-tp3",
                "core-tp3",
                "nano-tp4",
                "nano-tp5",
                "nano-2016",
                "core-2016",
                "server-2019",
                "server-2022",
                "server-2025",
                "windows-11",
            ]
        );
        let all = Profile::all();
        assert!(all.iter().is_sorted_by_key(|profile| profile.build));
        for profile in &all {
            assert!(!profile.inferred.is_empty(), "{}", profile.name);
            let pending = profile
                .packages
                .iter()
                .any(|package| package.reboot_pending);
            assert_eq!(pending, *profile.name == *"nano-tp3");
            for package in &profile.packages {
                let known = profile.available_packages.contains(&package.name);
                assert!(known, "{}: {}", profile.name, package.name);
            }
            let released = wcow_host::era::release(profile.build);
            assert!(released.is_some(), "{}", profile.name);
        }
        assert!(Profile::named("server-2003").is_none());
    }
}
