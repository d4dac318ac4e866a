//! Steps as commands of the engine.

use wcow_engine::{
    CreateContainer, Engine, EngineError, Flow, Force, InstallWimError, LogQuery, Pruned, Settings,
};
use wcow_host::{Clock, Host, HostError};
use wcow_network::NetworkSpec;
use wcow_ntmeta::FileTime;
use wcow_runtime::ExecSpec;
use wcow_scenario::WimShelf;

use crate::run::SECOND;
use crate::step::Step;

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

/// What a step that was done has to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The exit code of the program that it ran or waited for.
    pub code: Option<u32>,
    /// What it removed of which it had no names.
    pub pruned: Option<Pruned>,
}

impl Answer {
    const fn of_program(code: Option<u32>) -> Self {
        Self { code, pruned: None }
    }
}

impl Step {
    /// How long its user waits for it before ending it as one ends a program, in ticks of 100 ns. `None` for those that end by themselves.
    #[must_use]
    pub const fn patience(&self) -> Option<u64> {
        match self {
            Self::WaitFor(_) => Some(60 * SECOND),
            // Somebody may freeze the container in which a program runs.
            Self::Supervise { .. } | Self::Exec { .. } => Some(120 * SECOND),
            _ => None,
        }
    }

    /// Has an engine carry the step out, and waits for its end as long as it takes.
    ///
    /// # Errors
    /// [`StepError`].
    pub async fn carry_out<H: Host>(
        &self,
        engine: &Engine<H>,
        shelf: &dyn WimShelf,
    ) -> Result<Answer, StepError> {
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
                wishes,
            } => {
                let wanted = CreateContainer {
                    image: image.clone(),
                    name: Some(name.clone()),
                    network: network.clone(),
                    publish: wishes.publish.clone(),
                    isolation: wishes.isolation,
                    memory_mib: wishes.memory_mib,
                    processors: wishes.processors,
                    settings: Settings {
                        command: wishes.command.clone(),
                        restart: wishes.restart,
                        ..Settings::default()
                    },
                    ..CreateContainer::default()
                };
                engine.create_container(wanted).await?;
            }
            Self::Start(name) => drop(engine.start(name).await?),
            Self::Exec { name, command } => {
                let process = engine.exec(name, &ExecSpec::new(command)).await?;
                let ended = process.wait().await.map_err(StepError::Wait)?;
                return Ok(Answer::of_program(ended.code));
            }
            Self::Stop(name) => drop(engine.stop(name, GRACE).await?),
            Self::Kill(name) => drop(engine.kill(name).await?),
            Self::RemoveContainer(name) => engine.remove_container(name, Force::Yes).await?,
            Self::Restart(name) => drop(engine.restart(name, GRACE).await?),
            Self::Pause(name) => drop(engine.pause(name).await?),
            Self::Resume(name) => drop(engine.resume(name).await?),
            Self::WaitFor(name) => return Ok(Answer::of_program(engine.wait(name).await?.code)),
            Self::Supervise { name, most } => {
                engine.supervise(name, Some(*most), |_| Flow::Go).await?;
            }
            Self::Logs(name) => drop(engine.logs(name, &LogQuery::default()).await?),
            Self::Inspect(name) => drop(engine.inspect(name).await?),
            Self::Stats(name) => drop(engine.stats(name).await?),
            Self::RemoveStopped(name) => engine.remove_container(name, Force::No).await?,
            Self::Prune => {
                let pruned = Some(engine.prune().await?);
                return Ok(Answer { code: None, pruned });
            }
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
        Ok(Answer::default())
    }
}
