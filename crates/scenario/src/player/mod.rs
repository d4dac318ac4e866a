//! Plays scenarios on a host.

mod calls;
mod compare;
mod layers;

use std::fmt::{Display, Write};
use std::future::Future;

use wcow_engine::{ContainerSummary, CreateContainer, Engine, EngineError, Force, InstallWimError};
use wcow_host::{
    FileKind, FileSystem, Host, HostInfo, Identity, NewNetNat, NewVmSwitch, Output, SwitchService,
    SwitchType, render,
};
use wcow_image_store::StoredImage;
use wcow_network::NetworkSpec;
use wcow_ntmeta::{Guid, HostPath};
use wcow_runtime::ExecSpec;
use wcow_wim::{ImageIndex, Wim};

use self::compare::{differences, expected, seen};
use crate::{Action, Answer, Scenario, Step};

/// How many seconds a container gets to stop.
const GRACE: u64 = 10 * 10_000_000;
/// How much is read from a pipe at once.
const CHUNK: usize = 64 * 1024;
/// Room for a line of a list of files, in bytes.
const USUAL_LINE: usize = 64;
/// Room for what most actions show, in bytes.
const USUAL_TEXT: usize = 256;

/// Where a scenario finds the WIM files it names.
pub trait WimShelf: Send + Sync {
    /// The WIM of this name, opened, and the image in it that is meant.
    fn wim(&self, name: &str) -> Option<(&Wim, ImageIndex)>;
}

/// What one step came to.
#[derive(Clone, Debug)]
pub struct Outcome<'s> {
    /// What was done, and what was expected.
    pub step: &'s Step,
    /// The whole answer.
    pub answer: Answer,
    /// What differs from what was expected; empty if nothing does.
    pub differences: Vec<String>,
}

impl Outcome<'_> {
    /// What was expected, in a few words.
    #[must_use]
    pub fn expected(&self) -> String {
        expected(&self.step.expect)
    }

    /// What was seen, in as few.
    #[must_use]
    pub fn seen(&self) -> &str {
        seen(&self.answer)
    }

    /// True if everything was as expected.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.differences.is_empty()
    }
}

/// A scenario that could not be played to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlayError {
    /// What the scenario takes as given could not be brought about.
    #[error("{scenario}: what it takes as given could not be had: {action:?} answered {answer}")]
    Given {
        /// The scenario.
        scenario: String,
        /// The action that failed.
        action: Action,
        /// What it answered.
        answer: String,
    },
    /// The host cannot be reached.
    #[error("the host cannot say what it is")]
    Host(#[source] EngineError),
    /// A step is made by somebody whom the player has no client of.
    #[error("{scenario}: a step is made by {caller}, and the player has no such client")]
    Caller {
        /// The scenario.
        scenario: String,
        /// Who makes the step.
        caller: Identity,
    },
}

/// Plays scenarios on one host, one after the other.
pub struct Player<'e, H: Host> {
    engine: &'e Engine<H>,
    shelf: &'e dyn WimShelf,
    hands: calls::Hands,
    others: Vec<(Identity, Self)>,
}

impl<'e, H: Host> Player<'e, H> {
    /// A player for this host, with these WIM files.
    pub fn new(engine: &'e Engine<H>, shelf: &'e dyn WimShelf) -> Self {
        Self {
            engine,
            shelf,
            hands: calls::Hands::default(),
            others: Vec::new(),
        }
    }

    /// The same with a client of somebody else on the host: the steps of a scenario that name this caller are made by it. See
    /// [`Scenario::callers`].
    #[must_use]
    pub fn with_caller(mut self, caller: Identity, engine: &'e Engine<H>) -> Self {
        self.others.push((caller, Self::new(engine, self.shelf)));
        self
    }

    /// Plays a whole scenario: brings about what it takes as given, then every step, also after one that does not agree.
    ///
    /// # Errors
    /// [`PlayError`].
    pub async fn play<'s>(&self, scenario: &'s Scenario) -> Result<Vec<Outcome<'s>>, PlayError> {
        self.prepare(scenario).await?;
        let mut outcomes = Vec::with_capacity(scenario.steps.len());
        for step in &scenario.steps {
            outcomes.push(self.step(&scenario.id, step).await?);
        }
        Ok(outcomes)
    }

    /// Brings about what a scenario takes as given.
    ///
    /// # Errors
    /// [`PlayError::Given`].
    pub async fn prepare(&self, scenario: &Scenario) -> Result<(), PlayError> {
        for action in &scenario.given {
            let answer = self.act(action, None).await?;
            if answer.code.is_some() {
                return Err(PlayError::Given {
                    scenario: scenario.id.clone(),
                    action: action.clone(),
                    answer: answer.text.trim_end().to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Plays one step.
    ///
    /// # Errors
    /// [`PlayError::Host`], [`PlayError::Caller`].
    pub async fn step<'s>(&self, scenario: &str, step: &'s Step) -> Result<Outcome<'s>, PlayError> {
        let player = self.of(step.caller).ok_or_else(|| PlayError::Caller {
            scenario: scenario.to_owned(),
            caller: step.caller.unwrap_or_default(),
        })?;
        let answer = player.act(&step.action, step.powershell.as_deref()).await?;
        Ok(Outcome {
            step,
            differences: differences(&step.expect, &answer),
            answer,
        })
    }

    /// The player that has the client of this caller.
    fn of(&self, caller: Option<Identity>) -> Option<&Self> {
        let Some(caller) = caller else {
            return Some(self);
        };
        let mut others = self.others.iter();
        others
            .find(|(who, _)| *who == caller)
            .map(|(_, player)| player)
    }

    async fn act(&self, action: &Action, typed: Option<&str>) -> Result<Answer, PlayError> {
        let typed = || render::CommandLine {
            typed: typed.or(cmdlet(action)).unwrap_or_default().to_owned(),
        };
        let done = match action {
            Action::InstallImage(wim) => {
                return Ok(match self.install(wim).await {
                    Ok(image) => Answer::shown(images(&[image])),
                    Err(error) => Answer::not_installed(&error, &self.host().await?, &typed()),
                });
            }
            Action::EnsureImage(wim) => {
                return Ok(match self.ensure_image(wim).await {
                    Ok(()) => Answer::default(),
                    Err(error) => Answer::not_installed(&error, &self.host().await?, &typed()),
                });
            }
            other => self.do_action(other).await,
        };
        Ok(match done {
            Ok(text) => Answer::shown(text),
            Err(error) => {
                let host = self.host().await?;
                let subject = self.subject(action).await;
                let subject = subject.as_ref().map(|(name, id)| render::Subject {
                    container_name: name,
                    container_id: id,
                });
                Answer::refused(&error, &host, &typed(), subject.as_ref())
            }
        })
    }

    /// What the host is, to show a refusal as it would.
    async fn host(&self) -> Result<HostInfo, PlayError> {
        self.engine.info().await.map_err(PlayError::Host)
    }

    async fn do_action(&self, action: &Action) -> Result<String, EngineError> {
        let engine = self.engine;
        match action {
            Action::EnsurePackages(packages) => {
                let there = engine.packages().await?;
                for package in packages {
                    if there.iter().all(|there| there.name != *package) {
                        engine.enable(package).await?;
                    }
                }
                Ok(String::new())
            }
            Action::EnsureRestarted => {
                if engine.info().await?.reboot_pending {
                    engine.reboot().await?;
                }
                Ok(String::new())
            }
            Action::EnsureContainer { image, name } => {
                if engine
                    .containers()
                    .await?
                    .iter()
                    .all(|container| container.name != *name)
                {
                    engine
                        .create_container(wanted(image, name, None, None))
                        .await?;
                }
                Ok(String::new())
            }
            Action::EnsureNoContainer(name) => {
                if engine
                    .containers()
                    .await?
                    .iter()
                    .any(|container| container.name == *name)
                {
                    engine.remove_container(name, Force::Yes).await?;
                }
                Ok(String::new())
            }
            Action::AddPackages(packages) => {
                for package in packages {
                    engine.enable(package).await?;
                }
                Ok(format!("{}\n", packages.join("\n")))
            }
            Action::ShowHost => self.show_host().await,
            Action::Restart => engine.reboot().await.map(|()| String::new()),
            Action::NewSwitch {
                name,
                kind,
                adapter,
                subnet,
            } => {
                let wanted = NewVmSwitch {
                    name: name.clone(),
                    kind: *kind,
                    adapter: adapter.clone(),
                    nat_subnet: *subnet,
                };
                direct(
                    format!("make the switch {name:?}"),
                    engine.host().switches().new_switch(&wanted),
                )
                .await?;
                Ok(format!("{name}\n"))
            }
            Action::NewNat { name, prefix } => {
                let wanted = NewNetNat {
                    name: name.clone(),
                    internal_prefix: *prefix,
                };
                direct(
                    format!("make the NAT {name:?}"),
                    engine.host().switches().new_nat(&wanted),
                )
                .await?;
                Ok(format!("{name}\n"))
            }
            Action::ListSwitches => {
                let switches =
                    direct("list the switches", engine.host().switches().switches()).await?;
                let mut text = String::with_capacity(USUAL_TEXT);
                for switch in &switches {
                    text.extend([&switch.name, "  ", switch_type(switch.kind)]);
                    if let Some(subnet) = switch.nat_subnet {
                        let _ = write!(text, "  {subnet}");
                    }
                    text.push('\n');
                }
                Ok(text)
            }
            Action::CreateNetwork {
                name,
                driver,
                subnet,
                gateway,
            } => {
                let Ok(driver) = driver.parse() else {
                    return Err(EngineError::BadName {
                        kind: wcow_engine::Kind::Network,
                        name: driver.clone(),
                    });
                };
                let spec = NetworkSpec {
                    name: name.clone(),
                    driver,
                    subnet: *subnet,
                    gateway: *gateway,
                    adapter: None,
                };
                engine.create_network(&spec).await?;
                Ok(format!("{name}\n"))
            }
            Action::ListNetworks => {
                let networks = engine.networks().await?;
                Ok(lines(networks.iter().map(|network| {
                    let subnet = network
                        .subnet
                        .map_or_else(String::new, |subnet| format!("  {subnet}"));
                    format!("{}  {}{subnet}", network.name, network.driver)
                })))
            }
            Action::ListImages => Ok(images(&engine.images().await?)),
            Action::TestImage(image) => {
                let errors = engine.test_image(image).await?;
                let errors = errors
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(", ");
                Ok(format!(
                    "Image             ValidationErrors\n-----             ----------------\n{image}  {{{errors}}}\n"
                ))
            }
            Action::CreateContainer {
                image,
                name,
                id,
                network,
            } => {
                let id = id.as_ref().and_then(|id| id.parse::<Guid>().ok());
                let made = engine
                    .create_container(wanted(image, name, id, network.as_deref()))
                    .await?;
                Ok(containers(&[made]))
            }
            Action::StartContainer(name) => Ok(containers(&[engine.start(name).await?])),
            Action::StopContainer(name) => Ok(containers(&[engine.stop(name, GRACE).await?])),
            Action::RemoveContainer(name) => engine
                .remove_container(name, Force::No)
                .await
                .map(|()| String::new()),
            Action::ListContainers => Ok(containers(&engine.containers().await?)),
            Action::Exec {
                name,
                command,
                directory,
                user,
            } => {
                let spec = ExecSpec {
                    console: true,
                    working_directory: directory.clone().unwrap_or_default(),
                    user: user.clone().unwrap_or_default(),
                    ..ExecSpec::new(command.as_str())
                };
                self.exec(name, &spec).await
            }
            Action::Call(call) => self.call(call).await,
            Action::ListFiles(path) => self.list_files(path).await,
            // These answer with an error of another type and are handled before.
            Action::InstallImage(_) | Action::EnsureImage(_) => Ok(String::new()),
        }
    }

    async fn install(&self, name: &str) -> Result<StoredImage, InstallWimError> {
        let (wim, index) = self.on_shelf(name)?;
        self.engine.install_wim(wim, index, None).await
    }

    async fn ensure_image(&self, name: &str) -> Result<(), InstallWimError> {
        let (wim, index) = self.on_shelf(name)?;
        let info = wim.images().iter().find(|info| info.index == index);
        let wanted = info.and_then(|info| info.name.clone()).unwrap_or_default();
        if self
            .engine
            .images()
            .await?
            .iter()
            .all(|image| image.name != wanted)
        {
            self.engine.install_wim(wim, index, None).await?;
        }
        Ok(())
    }

    fn on_shelf(&self, name: &str) -> Result<(&Wim, ImageIndex), InstallWimError> {
        self.shelf.wim(name).ok_or_else(|| {
            InstallWimError::Engine(EngineError::NotFound {
                kind: wcow_engine::Kind::Image,
                name: name.to_owned(),
                existing: Vec::new(),
            })
        })
    }

    /// Name and id of the container that an action is about, for answers that name both.
    async fn subject(&self, action: &Action) -> Option<(String, String)> {
        let (name, id) = match action {
            Action::CreateContainer { name, id, .. } => (name, id.clone()),
            Action::StartContainer(name)
            | Action::StopContainer(name)
            | Action::RemoveContainer(name)
            | Action::Exec { name, .. } => (name, None),
            _ => return None,
        };
        let id = match id {
            Some(id) => id,
            None => self.engine.container(name).await.ok()?.id.0,
        };
        Some((name.clone(), id.to_uppercase()))
    }

    async fn show_host(&self) -> Result<String, EngineError> {
        let host = self.engine.info().await?;
        let packages = self.engine.packages().await?;
        let adapters = self.engine.adapters().await.unwrap_or_default();
        let mut text = format!("{}, build {}, {}\n", host.product, host.build, host.edition);
        for package in packages {
            let pending = if package.reboot_pending {
                " (after a restart)"
            } else {
                ""
            };
            text.push_str(&format!("package  {}{pending}\n", package.name));
        }
        for adapter in adapters {
            text.push_str(&format!("adapter  {}\n", adapter.name));
        }
        Ok(text)
    }

    async fn exec(&self, name: &str, spec: &ExecSpec) -> Result<String, EngineError> {
        let doing = format!("follow {:?}", spec.command_line);
        let process = self.engine.exec(name, spec).await?;
        let mut shown = Vec::new();
        loop {
            let bytes = direct(&doing, process.read(Output::Out, CHUNK)).await?;
            if bytes.is_empty() {
                break;
            }
            shown.extend_from_slice(&bytes);
        }
        let exit = direct(&doing, process.wait()).await?;
        let mut text = String::from_utf8_lossy(&shown).replace("\r\n", "\n");
        match exit.code {
            Some(0) => {}
            Some(code) => text.push_str(&format!("exit code {code}\n")),
            None => text.push_str("no exit code\n"),
        }
        Ok(text)
    }

    /// A folder with everything below it that is not in a `files` tree, which is too long to show.
    async fn list_files(&self, path: &str) -> Result<String, EngineError> {
        let doing = format!("list {path}");
        let root = HostPath::parse(path).map_err(|_| EngineError::Record {
            path: path.to_owned(),
            reason: "not a path of a host".to_owned(),
        })?;
        let files = self.engine.host().files();
        let mut shown = Vec::new();
        let mut open = vec![(root, String::new())];
        while let Some((folder, prefix)) = open.pop() {
            for entry in direct(&doing, files.list(&folder)).await? {
                let mut name = entry
                    .name
                    .to_utf8()
                    .unwrap_or_else(|| entry.name.to_string());
                name.insert_str(0, &prefix);
                let is_open = entry.metadata.kind == FileKind::Directory && name != "files";
                let mut below = folder.clone();
                if is_open && below.push(entry.name.units()).is_ok() {
                    open.push((below, format!("{name}\\")));
                }
                shown.push((name, entry.metadata));
            }
        }
        shown.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut text = String::with_capacity(shown.len() * USUAL_LINE);
        for (name, metadata) in &shown {
            match metadata.kind {
                FileKind::File => {
                    let _ = writeln!(text, "{:>12}  {name}", metadata.len);
                }
                FileKind::Directory => text.extend(["       <DIR>  ", name, "\n"]),
            }
        }
        Ok(text)
    }
}

/// A call straight to the host, past the engine's names.
async fn direct<T>(
    doing: impl Display,
    call: impl Future<Output = Result<T, wcow_host::HostError>>,
) -> Result<T, EngineError> {
    call.await.map_err(|error| EngineError::Host {
        doing: doing.to_string(),
        error: Box::new(error),
        left_behind: Vec::new(),
    })
}

fn wanted(image: &str, name: &str, id: Option<Guid>, network: Option<&str>) -> CreateContainer {
    CreateContainer {
        image: image.to_owned(),
        name: Some(name.to_owned()),
        id,
        network: network.map(str::to_owned),
        ..CreateContainer::default()
    }
}

/// The cmdlet that an action stands for, when the scenario does not say how it was typed.
fn cmdlet(action: &Action) -> Option<&'static str> {
    Some(match action {
        Action::NewSwitch { .. } => "New-VMSwitch",
        Action::NewNat { .. } => "New-NetNat",
        Action::InstallImage(_) | Action::EnsureImage(_) => "Install-ContainerOSImage",
        Action::CreateContainer { .. } | Action::EnsureContainer { .. } => "New-Container",
        Action::StartContainer(_) => "Start-Container",
        Action::StopContainer(_) => "Stop-Container",
        Action::RemoveContainer(_) => "Remove-Container",
        _ => return None,
    })
}

fn switch_type(kind: SwitchType) -> &'static str {
    match kind {
        SwitchType::Private => "Private",
        SwitchType::Internal => "Internal",
        SwitchType::External => "External",
        SwitchType::Nat => "NAT",
    }
}

fn images(images: &[StoredImage]) -> String {
    let mut text = String::with_capacity(USUAL_TEXT);
    for image in images {
        let _ = writeln!(
            text,
            "{}  {}  {}",
            image.name, image.version, image.full_name
        );
    }
    text
}

fn containers(containers: &[ContainerSummary]) -> String {
    let mut text = String::with_capacity(USUAL_TEXT);
    for container in containers {
        let status = container.status.word();
        text.extend([&container.name, "  ", status, "  ", &container.image, "\n"]);
    }
    text
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.fold(String::with_capacity(USUAL_TEXT), |text, line| {
        text + &line + "\n"
    })
}
