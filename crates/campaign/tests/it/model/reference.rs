//! The model: what the engine promises, in as few words as it takes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use wcow_campaign::Step;
use wcow_engine::{ContainerStatus, Engine};
use wcow_network::Driver;
use wcow_sim::SimHost;

use super::machine::exit_code;

/// What a command is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    Exited(u32),
    NotFound(String),
    Exists(String),
    InUse(String),
    State(&'static str),
    NetworkGone,
    /// The host refuses.
    Refused,
    /// The model knows no such answer.
    Other(String),
}

impl Answer {
    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Done | Self::Exited(_))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Status {
    Off,
    Running,
    /// It ran, and nobody took back what its start had made.
    Exited,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Off => ContainerStatus::Off.word(),
            Self::Running => ContainerStatus::Running.word(),
            Self::Exited => ContainerStatus::Exited.word(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Container {
    status: Status,
    network: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Network {
    nat: bool,
    /// The host has it: its switch, or its network of the Host Network Service.
    present: bool,
    /// The host has its NAT, if it is of that kind.
    translates: bool,
}

/// What is true of a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Model {
    /// It has the Host Network Service, which forgets its NAT networks when the host restarts.
    hns: bool,
    image: bool,
    networks: BTreeMap<String, Network>,
    containers: BTreeMap<String, Container>,
}

impl Model {
    pub(crate) fn new(profile: &str) -> Self {
        Self {
            hns: profile != "core-tp3",
            image: false,
            networks: BTreeMap::new(),
            containers: BTreeMap::new(),
        }
    }

    /// What a command is answered now.
    pub(crate) fn answer(&self, step: &Step) -> Answer {
        let not_found = |kind: &str| Answer::NotFound(kind.to_owned());
        let container = |name: &str, answer: &dyn Fn(&Container) -> Answer| {
            self.containers
                .get(name)
                .map_or_else(|| not_found("container"), answer)
        };
        match step {
            Step::InstallImage(_) if self.image => Answer::Exists("image".to_owned()),
            Step::RemoveImage(_) if !self.image => not_found("image"),
            Step::RemoveImage(_) if !self.containers.is_empty() => {
                Answer::InUse("image".to_owned())
            }
            Step::CreateNetwork { name, .. } if self.networks.contains_key(name) => {
                Answer::Exists("network".to_owned())
            }
            // Windows had one NAT per host then.
            Step::CreateNetwork { .. }
                if !self.hns && self.networks.values().any(|network| network.translates) =>
            {
                Answer::Refused
            }
            Step::RemoveNetwork(name) if !self.networks.contains_key(name) => not_found("network"),
            Step::RemoveNetwork(name) if self.is_used(name) => Answer::InUse("network".to_owned()),
            Step::CreateContainer { name, .. } if self.containers.contains_key(name) => {
                Answer::Exists("container".to_owned())
            }
            Step::CreateContainer { .. } if !self.image => not_found("image"),
            Step::CreateContainer { network, .. } => self.connects(network.as_deref()),
            Step::Start(name) => container(name, &|container| match container.status {
                Status::Running => Answer::State(Status::Running.word()),
                Status::Off | Status::Exited => match &container.network {
                    // Before the Host Network Service the switch alone decides.
                    Some(network) if self.hns => self.connects(Some(network)),
                    _ => Answer::Done,
                },
            }),
            Step::Exec { name, command } => container(name, &|container| match container.status {
                Status::Running => Answer::Exited(exit_code(command)),
                status => Answer::State(status.word()),
            }),
            Step::Stop(name) | Step::Kill(name) => container(name, &|_| Answer::Done),
            Step::RemoveContainer(name) => container(name, &|container| match container.status {
                Status::Running => Answer::State(Status::Running.word()),
                Status::Off | Status::Exited => Answer::Done,
            }),
            _ => Answer::Done,
        }
    }

    fn is_used(&self, network: &str) -> bool {
        self.containers
            .values()
            .any(|container| container.network.as_deref() == Some(network))
    }

    fn connects(&self, network: Option<&str>) -> Answer {
        let Some(name) = network else {
            return Answer::Done;
        };
        match self.networks.get(name) {
            None => Answer::NotFound("network".to_owned()),
            Some(network) if network.present || self.makes_again(*network) => Answer::Done,
            Some(_) => Answer::NetworkGone,
        }
    }

    /// A NAT network that the host has lost is made again when a container needs it.
    fn makes_again(&self, network: Network) -> bool {
        self.hns && network.nat
    }

    /// What is true after a command was answered.
    pub(crate) fn after(&self, step: &Step) -> Self {
        let mut model = self.clone();
        if self.answer(step).is_done() {
            model.apply(step);
        }
        model
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::InstallImage(_) => self.image = true,
            Step::RemoveImage(_) => self.image = false,
            Step::CreateNetwork { name, driver, .. } => {
                let nat = *driver == Driver::Nat;
                let network = Network {
                    nat,
                    present: true,
                    translates: nat,
                };
                self.networks.insert(name.clone(), network);
            }
            Step::RemoveNetwork(name) => drop(self.networks.remove(name)),
            Step::CreateContainer { name, network, .. } => {
                self.connect(network.as_deref());
                let container = Container {
                    status: Status::Off,
                    network: network.clone(),
                };
                self.containers.insert(name.clone(), container);
            }
            Step::Start(name) => {
                let network = self.containers.get(name).and_then(|it| it.network.clone());
                self.connect(network.as_deref());
                self.set(name, Status::Running);
            }
            Step::Stop(name) | Step::Kill(name) => self.set(name, Status::Off),
            Step::RemoveContainer(name) => drop(self.containers.remove(name)),
            Step::Reboot => {
                for container in self.containers.values_mut() {
                    if container.status == Status::Running {
                        container.status = Status::Exited;
                    }
                }
                for network in self.networks.values_mut() {
                    network.present &= !(self.hns && network.nat);
                }
            }
            // Those that are left are none of the machine's.
            _ => {}
        }
    }

    fn connect(&mut self, network: Option<&str>) {
        if let Some(network) = network.and_then(|name| self.networks.get_mut(name)) {
            network.present = true;
        }
    }

    fn set(&mut self, container: &str, status: Status) {
        if let Some(container) = self.containers.get_mut(container) {
            container.status = status;
        }
    }

    /// What can be true after the process that carried out a command was killed, and the host has come to rest: nothing was done,
    /// or all, and where a command has parts that one can see, some of them.
    pub(crate) fn after_part_of(&self, step: &Step) -> BTreeSet<Self> {
        let mut all = BTreeSet::from([self.clone(), self.after(step)]);
        if !self.answer(step).is_done() {
            return all;
        }
        match step {
            Step::Start(name)
            | Step::Stop(name)
            | Step::Kill(name)
            | Step::RemoveContainer(name) => {
                // What a start has made belongs to nobody.
                let from = self.containers.get(name).map(|it| it.status);
                if matches!(step, Step::Start(_)) || from != Some(Status::Off) {
                    for status in [Status::Exited, Status::Off] {
                        let mut model = self.clone();
                        model.set(name, status);
                        all.insert(model.clone());
                        if let Step::Start(_) = step {
                            let network =
                                self.containers.get(name).and_then(|it| it.network.clone());
                            model.connect(network.as_deref());
                            all.insert(model);
                        }
                    }
                }
            }
            Step::CreateContainer { network, .. } => {
                let mut model = self.clone();
                model.connect(network.as_deref());
                all.insert(model);
            }
            Step::RemoveNetwork(name) => {
                // The switch goes first, then the NAT, then the record.
                for translates in [false, true] {
                    let mut model = self.clone();
                    if let Some(network) = model.networks.get_mut(name) {
                        network.present = false;
                        network.translates &= translates;
                    }
                    all.insert(model);
                }
            }
            _ => {}
        }
        all
    }

    /// What lists must show.
    pub(crate) fn shown(&self) -> Shown {
        Shown {
            image: self.image,
            networks: self
                .networks
                .iter()
                .map(|(name, network)| (name.clone(), network.present))
                .collect(),
            containers: self
                .containers
                .iter()
                .map(|(name, container)| {
                    let shown = (container.status.word(), container.network.clone());
                    (name.clone(), shown)
                })
                .collect(),
        }
    }
}

/// What lists show.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shown {
    image: bool,
    /// Whether the host has them, by name.
    networks: BTreeMap<String, bool>,
    /// Status and network, by name.
    containers: BTreeMap<String, (&'static str, Option<String>)>,
}

impl Shown {
    pub(crate) async fn of(engine: &Engine<SimHost>) -> Self {
        let images = engine.images().await.unwrap();
        assert!(images.len() <= 1, "{images:?}");
        for image in &images {
            assert_eq!(engine.test_image(&image.full_name).await.unwrap(), []);
        }
        assert!(engine.damaged_images().await.unwrap().is_empty());
        let networks = engine.networks().await.unwrap();
        let containers = engine.containers().await.unwrap();
        Self {
            image: !images.is_empty(),
            networks: networks
                .into_iter()
                .filter(|network| network.ours)
                .map(|network| (network.name, network.present))
                .collect(),
            containers: containers
                .into_iter()
                .map(|it| (it.name, (it.status.word(), it.network)))
                .collect(),
        }
    }
}
