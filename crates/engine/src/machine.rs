//! The machine: packages, features, restarts.

use serde::Serialize;
use wcow_host::{
    Adapter, EditionClass, Feature, FeatureState, Host, HostControl, Package, SwitchService,
};

use crate::{Engine, EngineError};

/// What turning something on came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Enabled {
    /// It works now.
    Now,
    /// It works after a restart of the host.
    AfterReboot,
}

impl<H: Host> Engine<H> {
    /// The packages of a Nano Server, by name; empty elsewhere.
    ///
    /// # Errors
    /// [`EngineError::Host`].
    pub async fn packages(&self) -> Result<Vec<Package>, EngineError> {
        self.host
            .control()
            .packages()
            .await
            .map_err(|error| EngineError::host("list the packages", error))
    }

    /// The network adapters, in the host's order.
    ///
    /// # Errors
    /// [`EngineError::Host`].
    pub async fn adapters(&self) -> Result<Vec<Adapter>, EngineError> {
        self.host
            .switches()
            .adapters()
            .await
            .map_err(|error| EngineError::host("list the adapters", error))
    }

    /// The optional features, by name.
    ///
    /// # Errors
    /// [`EngineError::Host`].
    pub async fn features(&self) -> Result<Vec<Feature>, EngineError> {
        self.host
            .control()
            .features()
            .await
            .map_err(|error| EngineError::host("list the features", error))
    }

    /// Adds a package (Nano Server) or turns a feature on (elsewhere).
    ///
    /// # Errors
    /// [`EngineError::Host`]: there is no such package or feature.
    pub async fn enable(&self, name: &str) -> Result<Enabled, EngineError> {
        let control = self.host.control();
        if self.info().await?.class == EditionClass::Nano {
            control
                .add_package(name)
                .await
                .map_err(|error| EngineError::host(format!("add the package {name:?}"), error))?;
            let pending = self
                .packages()
                .await?
                .iter()
                .any(|package| package.name == name && package.reboot_pending);
            return Ok(if pending {
                Enabled::AfterReboot
            } else {
                Enabled::Now
            });
        }
        let state = control
            .enable_feature(name)
            .await
            .map_err(|error| EngineError::host(format!("enable the feature {name:?}"), error))?;
        Ok(if state == FeatureState::Enabled {
            Enabled::Now
        } else {
            Enabled::AfterReboot
        })
    }

    /// Turns a feature off.
    ///
    /// # Errors
    /// [`EngineError::Host`]: there is no such feature; packages of a Nano Server stay.
    pub async fn disable(&self, name: &str) -> Result<FeatureState, EngineError> {
        self.host
            .control()
            .disable_feature(name)
            .await
            .map_err(|error| EngineError::host(format!("disable the feature {name:?}"), error))
    }

    /// Restarts the host. Everything that runs on it ends.
    ///
    /// # Errors
    /// [`EngineError::Host`].
    pub async fn reboot(&self) -> Result<(), EngineError> {
        self.host
            .control()
            .reboot()
            .await
            .map_err(|error| EngineError::host("restart the host", error))
    }
}
