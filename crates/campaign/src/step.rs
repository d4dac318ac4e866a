//! Steps: what a client of a run does, one command after the other.

use std::fmt;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use wcow_engine::RestartPolicy;
use wcow_network::{Driver, PortMapping};
use wcow_runtime::{Isolation, Processors};

/// One command, as a user would give it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    deny_unknown_fields
)]
pub enum Step {
    /// Installs the image of a WIM file that the scenarios bring along, such as `servercore-20348.wim`.
    InstallImage(String),
    /// Removes an image.
    RemoveImage(String),
    /// Makes a network.
    CreateNetwork {
        /// Its name.
        name: String,
        /// Its driver.
        driver: Driver,
        /// Its subnet; the host's default if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subnet: Option<Ipv4Net>,
    },
    /// Removes a network.
    RemoveNetwork(String),
    /// Creates a container.
    CreateContainer {
        /// Its name.
        name: String,
        /// Its image.
        image: String,
        /// The network it is connected to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        network: Option<String>,
        /// What else is asked of it.
        #[serde(default, skip_serializing_if = "Wishes::are_none")]
        wishes: Wishes,
    },
    /// Starts a container, and its main process if it has one.
    Start(String),
    /// Runs a program in a container and waits for its end. After two minutes its user ends the command.
    Exec {
        /// The container.
        name: String,
        /// The command line.
        command: String,
    },
    /// Stops a container.
    Stop(String),
    /// Ends a container at once.
    Kill(String),
    /// Removes a container, also one that runs.
    RemoveContainer(String),
    /// Stops a container and starts it again.
    Restart(String),
    /// Freezes a container.
    Pause(String),
    /// Lets a frozen container go on.
    Resume(String),
    /// Waits for the end of a container's main process. After a minute its user ends the command and goes on with the next.
    WaitFor(String),
    /// Follows a container and starts it again as its policy says, and so often at most. After two minutes its user ends the command.
    Supervise {
        /// Its name.
        name: String,
        /// How often it is started again.
        most: u32,
    },
    /// Reads what a container's main process wrote.
    Logs(String),
    /// Looks at everything that is known of a container.
    Inspect(String),
    /// Measures what a container takes.
    Stats(String),
    /// Removes a container that is off.
    RemoveStopped(String),
    /// Removes all containers that are off, and what belongs to none.
    Prune,
    /// Lists containers, networks and images.
    List,
    /// Waits so many seconds.
    Wait(u32),
    /// Restarts the host.
    Reboot,
}

/// What a container is asked to be, beyond its image and its network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Wishes {
    /// The command line of its main process; without one it runs until somebody ends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// When it is started again by whoever supervises it.
    pub restart: RestartPolicy,
    /// How it is kept apart from the host.
    pub isolation: Isolation,
    /// The most memory it gets, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u64>,
    /// Which share of the processors it gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processors: Option<Processors>,
    /// Published ports.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub publish: Vec<PortMapping>,
}

impl Wishes {
    /// Whether nothing is asked for.
    #[must_use]
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }
}

/// As options of a command line, a space before each.
impl fmt::Display for Wishes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.isolation == Isolation::HyperV {
            f.write_str(" --isolation hyperv")?;
        }
        if self.restart != RestartPolicy::No {
            write!(f, " --restart {}", self.restart)?;
        }
        if let Some(memory) = self.memory_mib {
            write!(f, " --memory {memory}M")?;
        }
        match self.processors {
            Some(Processors::Count(count)) => write!(f, " --cpus {count}")?,
            Some(Processors::Limit(share)) => {
                write!(f, " --cpu-percent {}.{:02}", share / 100, share % 100)?;
            }
            Some(Processors::Weight(weight)) => write!(f, " --cpu-shares {weight}")?,
            None => {}
        }
        for ports in &self.publish {
            write!(f, " --publish {ports}")?;
        }
        self.command
            .iter()
            .try_for_each(|command| write!(f, " {command}"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InstallImage(wim) => write!(f, "image install {wim}"),
            Self::RemoveImage(name) => write!(f, "image rm {name}"),
            Self::CreateNetwork {
                name,
                driver,
                subnet,
            } => {
                write!(f, "network create {name} --driver {driver}")?;
                subnet
                    .iter()
                    .try_for_each(|subnet| write!(f, " --subnet {subnet}"))
            }
            Self::RemoveNetwork(name) => write!(f, "network rm {name}"),
            Self::CreateContainer {
                name,
                image,
                network,
                wishes,
            } => {
                write!(f, "container create {image} --name {name}")?;
                network
                    .iter()
                    .try_for_each(|network| write!(f, " --network {network}"))?;
                wishes.fmt(f)
            }
            Self::Start(name) => write!(f, "container start {name}"),
            Self::Exec { name, command } => write!(f, "exec {name} {command}"),
            Self::Stop(name) => write!(f, "container stop {name}"),
            Self::Kill(name) => write!(f, "container kill {name}"),
            Self::RemoveContainer(name) => write!(f, "container rm --force {name}"),
            Self::Restart(name) => write!(f, "container restart {name}"),
            Self::Pause(name) => write!(f, "container pause {name}"),
            Self::Resume(name) => write!(f, "container resume {name}"),
            Self::WaitFor(name) => write!(f, "container wait {name}"),
            Self::Supervise { name, most } => {
                write!(f, "container supervise {name} --max-restarts {most}")
            }
            Self::Logs(name) => write!(f, "container logs {name}"),
            Self::Inspect(name) => write!(f, "container inspect {name}"),
            Self::Stats(name) => write!(f, "container stats {name}"),
            Self::RemoveStopped(name) => write!(f, "container rm {name}"),
            Self::Prune => f.write_str("container prune"),
            Self::List => f.write_str("container ls"),
            Self::Wait(seconds) => write!(f, "wait {seconds} s"),
            Self::Reboot => f.write_str("host reboot"),
        }
    }
}
