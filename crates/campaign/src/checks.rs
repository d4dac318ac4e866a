//! The promises, and whether they were kept.
//!
//! Beyond the faults that we promise to survive there is still a promise: no lie and no corruption. So what failed may be there or
//! not; what was acknowledged must be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use wcow_engine::{
    ContainerStatus, ContainerSummary, Engine, EngineError, Force, LogQuery, NetworkSummary,
};
use wcow_host::{
    ComputeApi, ComputeService, FileSystem, Host, NetworkService, Operation, SwitchService,
};
use wcow_image_store::{ImageStore, StoredImage};
use wcow_network::{Driver, PortMapping};
use wcow_ntmeta::{FileTime, HostPath};
use wcow_sim::{Profile, Sim, SimHost};

use crate::history::{Done, Ending, Thing, allowed, allowed_at_once, things};
use crate::step::Step;
use crate::violation::Violation;

/// The longest record that is read, in bytes.
const MAX_RECORD: u64 = 1 << 20;

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

/// What a host of a profile holds before anybody has asked it for anything; looked at once in each process.
fn belongings_before(profile: &Profile) -> Arc<Belongings> {
    static KNOWN: Mutex<BTreeMap<Arc<str>, Arc<Belongings>>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = known.get(&profile.name) {
        return Arc::clone(known);
    }
    let sim = Sim::new(profile.clone(), 0);
    let fresh = Arc::new(sim.run(belongings(&sim.client())).unwrap_or_default());
    known.insert(Arc::clone(&profile.name), Arc::clone(&fresh));
    fresh
}

/// All files below a folder. Folders are no belongings: an empty one is kept for the next time.
async fn files(host: &SimHost, folder: &HostPath, all: &mut Belongings) {
    let mut left = vec![folder.clone()];
    while let Some(folder) = left.pop() {
        for entry in host.files().list(&folder).await.unwrap_or_default() {
            let mut path = folder.clone();
            if path.push(entry.name.units()).is_err() {
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
    surface: ComputeApi,
    history: &[Done],
    up_again: Option<FileTime>,
) -> Vec<Violation> {
    let engine = Engine::new(sim.client_of(surface));
    let mut violations = Vec::new();
    let result = async {
        left(&engine, history, &mut violations).await?;
        // Whoever opens the store next clears up what was cut off.
        command("image ls", clear_store(engine.host()).await)?;
        let listed = Listed::of(&engine).await?;
        images(&engine, &listed, &mut violations).await?;
        acknowledged(&listed, history, &mut violations);
        running(&engine, &listed, history, &mut violations).await;
        attached(sim, &listed, history, &mut violations);
        unfinished(&engine, &mut violations).await;
        // A service that crashes takes containers with it, as the power does, and calls that come late have no end that anybody heard of.
        let cut_off = history.iter().any(|done| done.cut_off.is_some());
        if up_again.is_none() && !cut_off && sim.fault_hits().is_empty() {
            doing(&listed, history, &mut violations);
        }
        start_all(&engine, &listed, history).await?;
        look_at_all(&engine, &listed).await?;
        if history.iter().any(|done| done.step == Step::Prune) {
            prune(&engine, &mut violations).await?;
        }
        remove_all(&engine, &listed).await
    }
    .await;
    if let Err(violation) = result {
        violations.push(violation);
        return violations;
    }
    let before = belongings_before(&sim.profile());
    let left = belongings(engine.host()).await;
    let left = left.difference(&before).filter(|what| !is_kept(what));
    violations.extend(left.map(|what| Violation::Leaked { what: what.clone() }));
    violations
}

/// What lists show when clients are done and everything that was cut off is taken back.
struct Listed {
    images: Vec<StoredImage>,
    networks: Vec<NetworkSummary>,
    containers: Vec<ContainerSummary>,
}

impl Listed {
    async fn of(engine: &Engine<SimHost>) -> Result<Self, Violation> {
        Ok(Self {
            images: answered("image ls", engine.images().await)?,
            networks: answered("network ls", engine.networks().await)?,
            containers: answered("container ls", engine.containers().await)?,
        })
    }
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
    listed: &Listed,
    violations: &mut Vec<Violation>,
) -> Result<(), Violation> {
    for image in &listed.images {
        let tested = engine.test_image(&image.full_name).await;
        let errors = command("image test", tested)?.unwrap_or_default();
        if !errors.is_empty() {
            violations.push(Violation::BrokenImage {
                image: image.full_name.clone(),
                errors: errors.iter().map(ToString::to_string).collect(),
            });
        }
    }
    Ok(())
}

fn acknowledged(listed: &Listed, history: &[Done], violations: &mut Vec<Violation>) {
    let Listed {
        images,
        networks,
        containers,
    } = listed;
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
async fn start_all(
    engine: &Engine<SimHost>,
    listed: &Listed,
    history: &[Done],
) -> Result<(), Violation> {
    let Listed {
        networks,
        containers,
        ..
    } = listed;
    let has_nat = networks
        .iter()
        .any(|network| network.present && network.driver == Driver::Nat);
    let is_lost = |name: &String| {
        has_nat
            && networks
                .iter()
                .any(|network| network.name == *name && !network.present)
    };
    for container in containers {
        let in_doubt = history.iter().any(|done| {
            let removes = match &done.step {
                Step::RemoveContainer(name) | Step::RemoveStopped(name) => *name == container.name,
                Step::Prune => true,
                _ => false,
            };
            removes && matches!(done.ending, Ending::Failed(_) | Ending::Unknown)
        });
        let is_off = matches!(
            container.status,
            ContainerStatus::Off | ContainerStatus::Exited
        );
        // Somebody else may have its port.
        let is_free = containers.iter().all(|other| {
            let shares = |ports: &PortMapping| other.ports.contains(ports);
            other.name == container.name || !container.ports.iter().any(shares)
        });
        if is_off && !in_doubt && is_free && !container.network.as_ref().is_some_and(is_lost) {
            let started = engine.start(&container.name).await;
            answered(&format!("container start {}", container.name), started)?;
        }
    }
    Ok(())
}

/// What a client was told that a container is doing it does, unless another step came between, or the end of its main process.
fn doing(listed: &Listed, history: &[Done], violations: &mut Vec<Violation>) {
    for container in &listed.containers {
        let mut steps = history
            .iter()
            .filter(|done| done.step.can_change(&container.name))
            .rev();
        let Some((last, told)) = steps.next().and_then(|last| {
            let (_, told) = last.step.leads_to()?;
            (last.ending == Ending::Done).then_some((last, told))
        }) else {
            continue;
        };
        let is_alone = steps.all(|done| done.ended.is_some_and(|ended| ended <= last.began));
        if is_alone && container.command.is_none() && container.status != told {
            violations.push(Violation::OtherState {
                container: container.name.clone(),
                told,
                is: container.status,
            });
        }
    }
}

/// Everything that can be told of a container is told.
async fn look_at_all(engine: &Engine<SimHost>, listed: &Listed) -> Result<(), Violation> {
    for container in &listed.containers {
        let name = &container.name;
        let logs = engine.logs(name, &LogQuery::default()).await;
        answered(&format!("container logs {name}"), logs)?;
        let details = engine.inspect(name).await;
        let details = answered(&format!("container inspect {name}"), details)?;
        if matches!(
            details.summary.status,
            ContainerStatus::Running | ContainerStatus::Paused
        ) {
            match engine.stats(name).await {
                // Its main process ended just now.
                Err(EngineError::State { .. }) => {}
                stats => drop(answered(&format!("container stats {name}"), stats)?),
            }
        }
    }
    Ok(())
}

/// A prune removes what is off, and finds nothing that belongs to none: all that was made has a record.
async fn prune(engine: &Engine<SimHost>, violations: &mut Vec<Violation>) -> Result<(), Violation> {
    let pruned = answered("container prune", engine.prune().await)?;
    if let Some(failed) = pruned.failed.first() {
        return Err(Violation::Refused {
            command: "container prune".to_owned(),
            error: failed.clone(),
        });
    }
    let systems = pruned.systems.iter();
    let strays = systems
        .map(|system| format!("compute system {}", system.0))
        .chain(pruned.layers.iter().map(|it| format!("layer {it}")))
        .chain(pruned.endpoints.iter().map(|it| format!("endpoint {it}")))
        .chain(pruned.logs.iter().map(|it| format!("the log of {it}")));
    violations.extend(strays.map(|what| Violation::Leaked { what }));
    let left = command("container ls", engine.containers().await)?.unwrap_or_default();
    let back = left
        .into_iter()
        .filter(|container| pruned.containers.contains(&container.name));
    violations.extend(back.map(|container| Violation::Back {
        thing: Thing::Container,
        name: container.name,
    }));
    Ok(())
}

/// A container that runs has its compute system and its scratch layer, and somebody has started it.
async fn running(
    engine: &Engine<SimHost>,
    listed: &Listed,
    history: &[Done],
    violations: &mut Vec<Violation>,
) {
    let host = engine.host();
    let systems = host.compute().enumerate().await.unwrap_or_default();
    for container in &listed.containers {
        if container.status != ContainerStatus::Running {
            continue;
        }
        let mut starts = history
            .iter()
            .filter(|done| done.step.can_start(&container.name));
        let has_left_nothing = |done: &Done| {
            // The others can have started it, and failed at what comes then.
            matches!(done.step, Step::Start(_))
                && (done.must_leave_nothing() || matches!(done.ending, Ending::Refused(_)))
        };
        if starts.all(has_left_nothing) {
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
}

/// The scratch layer of a container that is off is not attached, unless a call of a start that was cut off came late.
fn attached(sim: &Sim, listed: &Listed, history: &[Done], violations: &mut Vec<Violation>) {
    let attached = sim.attached_layers();
    for container in &listed.containers {
        let cut_off =
            |done: &Done| done.step.can_start(&container.name) && done.ending == Ending::Unknown;
        let is_attached = HostPath::parse(&container.scratch)
            .is_ok_and(|scratch| attached.iter().any(|path| path.eq_ignore_case(&scratch)));
        if container.status == ContainerStatus::Off && is_attached && !history.iter().any(cut_off) {
            violations.push(Violation::Left {
                what: format!("the attached scratch layer of container {}", container.name),
            });
        }
    }
}

/// Removes everything that commands have made.
async fn remove_all(engine: &Engine<SimHost>, listed: &Listed) -> Result<(), Violation> {
    for container in &listed.containers {
        let removed = engine.remove_container(&container.name, Force::Yes).await;
        command(&format!("container rm --force {}", container.name), removed)?;
    }
    for network in listed.networks.iter().filter(|network| network.ours) {
        let removed = engine.remove_network(&network.name).await;
        command(&format!("network rm {}", network.name), removed)?;
    }
    for image in &listed.images {
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
        answer => answered(name, answer).map(Some),
    }
}

/// What a command answers about something that is there, and whose parts are: any error is a violation.
fn answered<T>(name: &str, answer: Result<T, EngineError>) -> Result<T, Violation> {
    answer.map_err(|error| Violation::Refused {
        command: name.to_owned(),
        error: chain(&error),
    })
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
