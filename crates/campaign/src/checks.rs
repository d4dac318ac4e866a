//! The promises, and whether they were kept.
//!
//! Beyond the faults that we promise to survive there is still a promise: no lie and no corruption. So what failed may be there or
//! not; what was acknowledged must be.

use std::collections::BTreeSet;
use std::fmt;

use wcow_engine::{ContainerStatus, Engine, EngineError, Force};
use wcow_host::{ComputeService, FileSystem, Host, NetworkService, Operation, SwitchService};
use wcow_image_store::ImageStore;
use wcow_network::Driver;
use wcow_ntmeta::HostPath;
use wcow_sim::{Sim, SimHost};

use crate::history::{Done, Ending, Thing, allowed, allowed_at_once, things};
use crate::plan::Step;

/// The longest record that is read, in bytes.
const MAX_RECORD: u64 = 1 << 20;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// Nothing is left to happen, or time is up, and a client still waits.
    Unsettled {
        /// The calls that wait for an answer.
        waiting: Vec<String>,
    },
    /// An image is listed and is not whole.
    BrokenImage {
        /// Its full name.
        image: String,
        /// What is wrong with it.
        errors: Vec<String>,
    },
    /// Something is there that must be gone.
    Back {
        /// What it is.
        thing: Thing,
        /// Its name.
        name: String,
    },
    /// Something is gone that must be there.
    Lost {
        /// What it is.
        thing: Thing,
        /// Its name.
        name: String,
    },
    /// A container runs without something that it needs.
    RunsWithout {
        /// The container's name.
        container: String,
        /// What is missing.
        missing: String,
    },
    /// Calls were answered that had been answered before.
    AnsweredAgain {
        /// How many.
        answers: u64,
    },
    /// A command ended with an error of which the catalogue of failures knows nothing.
    Unexplained {
        /// The error.
        error: String,
    },
    /// A command failed and left what it had made, although nothing kept it from taking that back.
    Left {
        /// What it is.
        what: String,
    },
    /// With nothing going wrong any more, what a command left that was cut off is not taken back.
    Unfinished {
        /// What it is.
        what: String,
    },
    /// With nothing going wrong any more, a command fails that cannot be refused.
    Refused {
        /// The command.
        command: String,
        /// The error.
        error: String,
    },
    /// Everything was removed, and something is left.
    Leaked {
        /// What it is.
        what: String,
    },
}

impl Violation {
    /// The id of the check.
    #[must_use]
    pub const fn check(&self) -> &'static str {
        match self {
            Self::Unsettled { .. } => "settles",
            Self::BrokenImage { .. } => "listed-images-are-complete",
            Self::Back { .. } => "removed-stays-removed",
            Self::Lost { .. } => "acknowledged-survives",
            Self::RunsWithout { .. } => "what-runs-has-its-parts",
            Self::AnsweredAgain { .. } => "calls-end-once",
            Self::Unexplained { .. } => "errors-are-explained",
            Self::Left { .. } => "failures-leave-nothing",
            Self::Unfinished { .. } => "cut-off-work-is-taken-back",
            Self::Refused { .. } => "commands-work-again",
            Self::Leaked { .. } => "nothing-leaks",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.check())?;
        match self {
            Self::Unsettled { waiting } if waiting.is_empty() => {
                f.write_str("the clients did not end, and no call of theirs is pending")
            }
            Self::Unsettled { waiting } => {
                write!(
                    f,
                    "the clients did not end; pending: {}",
                    waiting.join(", ")
                )
            }
            Self::BrokenImage { image, errors } => {
                write!(f, "image {image} is listed, but {}", errors.join("; "))
            }
            Self::Back { thing, name } => {
                write!(f, "{} {name} was removed and is there", thing.word())
            }
            Self::Lost { thing, name } => {
                write!(f, "{} {name} was made and is gone", thing.word())
            }
            Self::RunsWithout { container, missing } => {
                write!(f, "container {container} runs without {missing}")
            }
            Self::AnsweredAgain { answers } => write!(f, "{answers} calls were answered twice"),
            Self::Unexplained { error } => {
                write!(f, "the catalogue of failures has no entry for: {error}")
            }
            Self::Left { what } => write!(f, "a command failed, but {what} is left"),
            Self::Unfinished { what } => {
                write!(
                    f,
                    "nothing goes wrong any more, but {what} is still unfinished"
                )
            }
            Self::Refused { command, error } => {
                write!(
                    f,
                    "nothing goes wrong any more, but {command} fails: {error}"
                )
            }
            Self::Leaked { what } => write!(f, "everything was removed, but {what} is left"),
        }
    }
}

/// What a host holds that commands can leave behind, as names for people.
pub(crate) type Belongings = BTreeSet<String>;

/// What the host holds now. What it cannot tell (a service is missing) counts as nothing.
pub(crate) async fn belongings(host: &SimHost) -> Belongings {
    let mut all = Belongings::new();
    for system in host.compute().enumerate().await.unwrap_or_default() {
        all.insert(format!("compute system {}", system.id.0));
    }
    for network in host.network().networks().await.unwrap_or_default() {
        all.insert(format!("HNS network {}", network.name));
    }
    for endpoint in host.network().endpoints().await.unwrap_or_default() {
        all.insert(format!("endpoint {}", endpoint.id));
    }
    for switch in host.switches().switches().await.unwrap_or_default() {
        all.insert(format!("switch {}", switch.name));
    }
    for nat in host.switches().nats().await.unwrap_or_default() {
        all.insert(format!("NAT {}", nat.name));
    }
    for mapping in host.switches().static_mappings().await.unwrap_or_default() {
        all.insert(format!(
            "port mapping {} of {}",
            mapping.id, mapping.mapping.nat
        ));
    }
    files(host, &HostPath::root("C:"), &mut all).await;
    all
}

/// All files below a folder. Folders are no belongings: an empty one is kept for the next time.
async fn files(host: &SimHost, folder: &HostPath, all: &mut Belongings) {
    let mut left = vec![folder.clone()];
    while let Some(folder) = left.pop() {
        for entry in host.files().list(&folder).await.unwrap_or_default() {
            let mut path = folder.clone();
            if path.push(entry.name).is_err() {
                continue;
            }
            match entry.metadata.kind {
                wcow_host::FileKind::Directory => left.push(path),
                wcow_host::FileKind::File => {
                    all.insert(format!("file {path}"));
                }
            }
        }
    }
}

/// Checks everything after the clients have ended and faults have stopped.
pub(crate) async fn after(
    sim: &Sim,
    history: &[Done],
    before: Result<Belongings, wcow_sim::Stuck>,
) -> Vec<Violation> {
    let engine = Engine::new(sim.client());
    let mut violations = Vec::new();
    let result = async {
        left(&engine, history, &mut violations).await?;
        // Whoever opens the store next clears up what was cut off.
        command("image ls", clear_store(engine.host()).await)?;
        images(&engine, &mut violations).await?;
        acknowledged(&engine, history, &mut violations).await?;
        running(&engine, history, &mut violations).await?;
        attached(sim, &engine, history, &mut violations).await?;
        unfinished(&engine, &mut violations).await;
        start_all(&engine, history).await?;
        remove_all(&engine).await
    }
    .await;
    if let Err(violation) = result {
        violations.push(violation);
        return violations;
    }
    if let Ok(before) = before {
        let left = belongings(&sim.client()).await;
        for what in left.difference(&before) {
            if !is_kept(what) {
                violations.push(Violation::Leaked { what: what.clone() });
            }
        }
    }
    violations
}

/// Has the image store clear up what an interrupted command left.
async fn clear_store(host: &SimHost) -> Result<(), EngineError> {
    ImageStore::open(host).await?.close().await?;
    Ok(())
}

/// What is kept on purpose after everything was removed: the store's lock file, files of locks that nobody holds, the journal, and the
/// empty disk that new scratch layers are copies of.
fn is_kept(what: &str) -> bool {
    let file = what.strip_prefix("file ").unwrap_or_default();
    file.ends_with(r"\store.lock")
        || file.ends_with(r"\blank.vhdx")
        || file.starts_with(r"C:\ProgramData\wcow\records\locks\")
        || file.starts_with(r"C:\ProgramData\wcow\events\")
}

async fn images(
    engine: &Engine<SimHost>,
    violations: &mut Vec<Violation>,
) -> Result<(), Violation> {
    for image in command("image ls", engine.images().await)?.unwrap_or_default() {
        let tested = engine.test_image(&image.full_name).await;
        let errors = command("image test", tested)?.unwrap_or_default();
        if !errors.is_empty() {
            violations.push(Violation::BrokenImage {
                image: image.full_name,
                errors: errors.iter().map(ToString::to_string).collect(),
            });
        }
    }
    Ok(())
}

async fn acknowledged(
    engine: &Engine<SimHost>,
    history: &[Done],
    violations: &mut Vec<Violation>,
) -> Result<(), Violation> {
    let images = command("image ls", engine.images().await)?.unwrap_or_default();
    let networks = command("network ls", engine.networks().await)?.unwrap_or_default();
    let containers = command("container ls", engine.containers().await)?.unwrap_or_default();
    for (thing, name) in things(history) {
        let there = match thing {
            Thing::Image => images.iter().any(|image| image.name == name),
            Thing::Network => networks.iter().any(|network| network.name == name),
            Thing::Container => containers.iter().any(|container| {
                container.name == name && container.status != ContainerStatus::Unfinished
            }),
        };
        let allowed = allowed(history, thing, name);
        let name = name.to_owned();
        if there && !allowed.there {
            violations.push(Violation::Back { thing, name });
        } else if !there && !allowed.missing {
            violations.push(Violation::Lost { thing, name });
        }
    }
    Ok(())
}

/// What the engine keeps of an object: its name, and whether it is still being made or removed.
async fn records(host: &SimHost, folder: &str) -> Vec<(String, bool)> {
    let folder = HostPath::root("C:")
        .join(r"ProgramData\wcow\records")
        .join(folder);
    let mut records = Vec::new();
    for entry in host.files().list(&folder).await.unwrap_or_default() {
        let file = entry.name.to_string();
        // One that is not in its place yet, or that nobody can read, tells nothing of its object.
        if !file.ends_with(".json") {
            continue;
        }
        let bytes = host.files().read(&folder.join(&file), MAX_RECORD).await;
        let Ok(json) = bytes
            .map_err(drop)
            .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).map_err(drop))
        else {
            continue;
        };
        let record = json.get("record");
        let field = |key: &str| record.and_then(|record| record.get(key));
        let name = field("name").and_then(serde_json::Value::as_str);
        let is = |key: &str| field(key).and_then(serde_json::Value::as_bool) == Some(true);
        let partial = is("unfinished") || is("removing");
        records.extend(name.map(|name| (name.to_owned(), partial)));
    }
    records
}

/// What is there before anybody takes anything back: nothing of what failed and could do so itself.
async fn left(
    engine: &Engine<SimHost>,
    history: &[Done],
    violations: &mut Vec<Violation>,
) -> Result<(), Violation> {
    let host = engine.host();
    let images = command("image ls", engine.images().await)?.unwrap_or_default();
    let networks = records(host, "networks").await;
    let containers = records(host, "containers").await;
    for (thing, name) in things(history) {
        let there = match thing {
            Thing::Image => images.iter().any(|image| image.name == name),
            Thing::Network => networks.iter().any(|(network, _)| network == name),
            Thing::Container => containers.iter().any(|(container, _)| container == name),
        };
        if there
            && !allowed_at_once(history, thing, name).there
            && allowed(history, thing, name).there
        {
            violations.push(Violation::Left {
                what: format!("{} {name}", thing.word()),
            });
        }
    }
    for done in history {
        if done.must_leave_nothing() && makes_alone(&done.step) && !failed_while_undoing(done) {
            violations.extend(done.left_behind.iter().map(|what| Violation::Left {
                what: format!("{what}, of {}", done.step),
            }));
        }
    }
    let installs = history
        .iter()
        .filter(|done| matches!(done.step, Step::InstallImage(_)));
    let staging = wcow_host::era::image_root().join(".staging");
    let unfinished = host.files().list(&staging).await.unwrap_or_default();
    if !unfinished.is_empty()
        && installs.into_iter().all(|done| match done.ending {
            Ending::Done => true,
            Ending::Refused(_) | Ending::Failed(_) => done.one_fault,
            Ending::Unknown => false,
        })
    {
        violations.push(Violation::Left {
            what: "an unfinished install".to_owned(),
        });
    }
    Ok(())
}

/// Whether a step makes things, and takes them back only if it fails.
fn makes_alone(step: &Step) -> bool {
    matches!(
        step,
        Step::Start(_) | Step::CreateContainer { .. } | Step::CreateNetwork { .. }
    )
}

/// Whether what failed was one of the calls that take things back, such as those of an earlier start that was cut off.
fn failed_while_undoing(done: &Done) -> bool {
    let Ending::Failed(told) = &done.ending else {
        return false;
    };
    [
        Operation::OpenSystem,
        Operation::CloseSystem,
        Operation::TerminateSystem,
        Operation::RemoveSystem,
        Operation::UnprepareLayer,
        Operation::DeactivateLayer,
        Operation::DestroyLayer,
        Operation::DeleteEndpoint,
    ]
    .iter()
    .any(|undoing| told.starts_with(&format!("{undoing} of ")))
}

/// Everything was listed by now, and whoever lists takes back what was cut off.
async fn unfinished(engine: &Engine<SimHost>, violations: &mut Vec<Violation>) {
    for (thing, folder) in [
        (Thing::Network, "networks"),
        (Thing::Container, "containers"),
    ] {
        for (name, unfinished) in records(engine.host(), folder).await {
            if unfinished {
                violations.push(Violation::Unfinished {
                    what: format!("{} {name}", thing.word()),
                });
            }
        }
    }
}

/// What is off can be started, whatever it went through: unless its removal was begun, or its network was lost with a restart and
/// another NAT has taken the one place that there is.
async fn start_all(engine: &Engine<SimHost>, history: &[Done]) -> Result<(), Violation> {
    let networks = command("network ls", engine.networks().await)?.unwrap_or_default();
    let has_nat = networks
        .iter()
        .any(|network| network.present && network.driver == Driver::Nat);
    let is_lost = |name: &String| {
        has_nat
            && networks
                .iter()
                .any(|network| network.name == *name && !network.present)
    };
    for container in command("container ls", engine.containers().await)?.unwrap_or_default() {
        let in_doubt = history.iter().any(|done| {
            matches!(&done.step, Step::RemoveContainer(name) if *name == container.name)
                && matches!(done.ending, Ending::Failed(_) | Ending::Unknown)
        });
        let is_off = matches!(
            container.status,
            ContainerStatus::Off | ContainerStatus::Exited
        );
        if is_off && !in_doubt && !container.network.as_ref().is_some_and(is_lost) {
            let started = engine.start(&container.name).await;
            command(&format!("container start {}", container.name), started)?;
        }
    }
    Ok(())
}

/// A container that runs has its compute system and its scratch layer, and somebody has started it.
async fn running(
    engine: &Engine<SimHost>,
    history: &[Done],
    violations: &mut Vec<Violation>,
) -> Result<(), Violation> {
    let host = engine.host();
    let containers = command("container ls", engine.containers().await)?.unwrap_or_default();
    let systems = host.compute().enumerate().await.unwrap_or_default();
    for container in &containers {
        if container.status != ContainerStatus::Running {
            continue;
        }
        let started =
            |done: &Done| matches!(&done.step, Step::Start(name) if *name == container.name);
        let mut starts = history.iter().filter(|done| started(done));
        if starts.all(|done| done.must_leave_nothing() || matches!(done.ending, Ending::Refused(_)))
        {
            violations.push(Violation::Left {
                what: format!("running container {}", container.name),
            });
        }
        let mut without = |missing: String| {
            violations.push(Violation::RunsWithout {
                container: container.name.clone(),
                missing,
            });
        };
        if systems.iter().all(|system| system.id != container.id) {
            without("its compute system".to_owned());
        }
        let scratch = HostPath::parse(&container.scratch).ok();
        let is_there = match &scratch {
            Some(path) => matches!(host.files().metadata(path).await, Ok(Some(_))),
            None => false,
        };
        if !is_there {
            without(format!("its scratch layer {}", container.scratch));
        }
    }
    Ok(())
}

/// The scratch layer of a container that is off is not attached, unless a call of a start that was cut off came late.
async fn attached(
    sim: &Sim,
    engine: &Engine<SimHost>,
    history: &[Done],
    violations: &mut Vec<Violation>,
) -> Result<(), Violation> {
    let attached = sim.attached_layers();
    for container in command("container ls", engine.containers().await)?.unwrap_or_default() {
        let cut_off = |done: &Done| {
            matches!(&done.step, Step::Start(name) if *name == container.name)
                && done.ending == Ending::Unknown
        };
        let is_attached = HostPath::parse(&container.scratch)
            .is_ok_and(|scratch| attached.iter().any(|path| path.eq_ignore_case(&scratch)));
        if container.status == ContainerStatus::Off && is_attached && !history.iter().any(cut_off) {
            violations.push(Violation::Left {
                what: format!("the attached scratch layer of container {}", container.name),
            });
        }
    }
    Ok(())
}

/// Removes everything that commands have made.
async fn remove_all(engine: &Engine<SimHost>) -> Result<(), Violation> {
    for container in command("container ls", engine.containers().await)?.unwrap_or_default() {
        let removed = engine.remove_container(&container.name, Force::Yes).await;
        command(&format!("container rm --force {}", container.name), removed)?;
    }
    for network in command("network ls", engine.networks().await)?.unwrap_or_default() {
        if network.ours {
            let removed = engine.remove_network(&network.name).await;
            command(&format!("network rm {}", network.name), removed)?;
        }
    }
    for image in command("image ls", engine.images().await)?.unwrap_or_default() {
        let removed = engine.remove_image(&image.full_name).await;
        command(&format!("image rm {}", image.full_name), removed)?;
    }
    Ok(())
}

/// What a command answers; nothing if there was nothing to do, a violation for any other error.
fn command<T>(name: &str, answer: Result<T, EngineError>) -> Result<Option<T>, Violation> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(EngineError::NotFound { .. }) => Ok(None),
        Err(EngineError::Store(error)) if error.exit_code() == 3 => Ok(None),
        Err(error) => Err(Violation::Refused {
            command: name.to_owned(),
            error: chain(&error),
        }),
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
