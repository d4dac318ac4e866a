//! Steps as commands of the engine.

use wcow_engine::{CreateContainer, Engine, EngineError, Force, InstallWimError};
use wcow_host::{Clock, Host, HostError};
use wcow_network::NetworkSpec;
use wcow_ntmeta::FileTime;
use wcow_runtime::ExecSpec;
use wcow_scenario::WimShelf;

use crate::plan::Step;
use crate::run::SECOND;

/// How long a container gets to stop.
const GRACE: u64 = 10 * SECOND;

/// A step that was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// The shelf has no WIM file of that name.
    #[error("there is no WIM {0:?}")]
    NoWim(String),
    /// The WIM file cannot be installed; the host was not asked.
    #[error(transparent)]
    Wim(InstallWimError),
    /// The engine's answer.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A program was started, and how it ended cannot be told.
    #[error(transparent)]
    Wait(HostError),
}

impl Step {
    /// Has an engine carry the step out. Of a program, gives its exit code.
    ///
    /// # Errors
    /// [`StepError`].
    pub async fn carry_out<H: Host>(
        &self,
        engine: &Engine<H>,
        shelf: &dyn WimShelf,
    ) -> Result<Option<u32>, StepError> {
        match self {
            Self::InstallImage(name) => {
                let (wim, index) = shelf
                    .wim(name)
                    .ok_or_else(|| StepError::NoWim(name.clone()))?;
                engine
                    .install_wim(wim, index, None)
                    .await
                    .map_err(|error| match error {
                        InstallWimError::Engine(error) => StepError::Engine(error),
                        error => StepError::Wim(error),
                    })?;
            }
            Self::RemoveImage(name) => drop(engine.remove_image(name).await?),
            Self::CreateNetwork {
                name,
                driver,
                subnet,
            } => {
                let spec = NetworkSpec {
                    name: name.clone(),
                    driver: *driver,
                    subnet: *subnet,
                    gateway: None,
                    adapter: None,
                };
                engine.create_network(&spec).await?;
            }
            Self::RemoveNetwork(name) => engine.remove_network(name).await?,
            Self::CreateContainer {
                name,
                image,
                network,
            } => {
                let wanted = CreateContainer {
                    image: image.clone(),
                    name: Some(name.clone()),
                    network: network.clone(),
                    ..CreateContainer::default()
                };
                engine.create_container(wanted).await?;
            }
            Self::Start(name) => drop(engine.start(name).await?),
            Self::Exec { name, command } => {
                let process = engine.exec(name, &ExecSpec::new(command)).await?;
                let ended = process.wait().await.map_err(StepError::Wait)?;
                return Ok(ended.code);
            }
            Self::Stop(name) => drop(engine.stop(name, GRACE).await?),
            Self::Kill(name) => drop(engine.kill(name).await?),
            Self::RemoveContainer(name) => engine.remove_container(name, Force::Yes).await?,
            Self::List => {
                engine.containers().await?;
                engine.networks().await?;
                engine.images().await?;
            }
            Self::Wait(seconds) => {
                let clock = engine.host().clock();
                let ticks = u64::from(*seconds) * SECOND;
                let until = clock.now().ticks().saturating_add(ticks);
                clock.sleep_until(FileTime::from_ticks(until)).await;
            }
            Self::Reboot => engine.reboot().await?,
        }
        Ok(None)
    }
}
