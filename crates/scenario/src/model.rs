//! A scenario as it stands in its file.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use wcow_host::{Identity, SwitchType};

use crate::Call;

/// One story of a few steps, with what is expected of each.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// Short and unique: `S1`.
    pub id: String,
    /// One line.
    pub title: String,
    /// The profile of the host it plays on.
    pub profile: String,
    /// What was observed, and what it tells.
    pub story: String,
    /// How well the behaviour is known.
    pub source: Source,
    /// How the host is other than its profile says. Whoever makes the host reads it; the player does not.
    #[serde(default)]
    pub setup: Setup,
    /// What must be so before the first step. Mostly `ensure-...` actions: on a host where it is so already they do nothing.
    #[serde(default)]
    pub given: Vec<Action>,
    /// The steps.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
    /// The way out on another host, where there is none on this one.
    #[serde(default)]
    pub elsewhere: Option<Elsewhere>,
}

impl Scenario {
    /// What is played on the other host, as a scenario of its own.
    #[must_use]
    pub fn other_host(&self) -> Option<Self> {
        let elsewhere = self.elsewhere.clone()?;
        Some(Self {
            profile: elsewhere.profile,
            setup: Setup::default(),
            given: elsewhere.given,
            steps: elsewhere.steps,
            elsewhere: None,
            ..self.clone()
        })
    }

    /// Who makes steps beside the caller that the host has for itself: a player needs a client of each.
    #[must_use]
    pub fn callers(&self) -> BTreeSet<Identity> {
        self.steps.iter().filter_map(|step| step.caller).collect()
    }
}

/// How a host is other than its profile says, as data of whoever makes it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Setup {
    /// Keys of the profile with other values.
    #[serde(default)]
    pub host: serde_json::Map<String, serde_json::Value>,
    /// Calls that go wrong although the host is sound.
    #[serde(default)]
    pub faults: serde_json::Map<String, serde_json::Value>,
}

/// Steps on another host.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Elsewhere {
    /// The profile of that host.
    pub profile: String,
    /// What must be so before the first step.
    #[serde(default)]
    pub given: Vec<Action>,
    /// The steps.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
}

/// How well a behaviour is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The host's own words are known; ours match to the letter.
    Verbatim,
    /// The ordinary answer of Windows for such a case.
    Standard,
    /// Concluded from what is known.
    Inferred,
}

/// One step: what is done, and what the host is expected to answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Step {
    /// What is done.
    #[serde(rename = "do")]
    pub action: Action,
    /// Who does it, if it is not the caller that the host has for itself.
    #[serde(default)]
    pub caller: Option<Identity>,
    /// The command of the time, as it was typed.
    #[serde(default)]
    pub powershell: Option<String>,
    /// What is expected.
    #[serde(default)]
    pub expect: Expect,
    /// What the answer means, in a sentence.
    pub means: String,
}

/// What is expected of a step. Without a code the step must succeed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// The code of the failure: an HRESULT (`0x8000FFFF`), a FullyQualifiedErrorId, or one of our own refusals (`not-found`).
    #[serde(default)]
    pub code: Option<String>,
    /// Other codes that are as good: the host chooses.
    #[serde(default)]
    pub or: Vec<String>,
    /// The catalogue entry that must be the first candidate for it.
    #[serde(default)]
    pub failure: Option<String>,
    /// The host's whole answer, to the letter.
    #[serde(default)]
    pub answer: Option<String>,
    /// Lines or words that the answer must show.
    #[serde(default)]
    pub shows: Vec<String>,
    /// Lines or words that the answer must not show.
    #[serde(default)]
    pub hides: Vec<String>,
}

/// Something that is done to a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    deny_unknown_fields
)]
pub enum Action {
    /// The packages are there, and nothing waits for a restart.
    EnsurePackages(Vec<String>),
    /// The image of this WIM is installed.
    EnsureImage(String),
    /// A container of this name exists and is off.
    EnsureContainer {
        /// Its image.
        image: String,
        /// Its name.
        name: String,
    },
    /// Nothing waits for a restart.
    EnsureRestarted,
    /// No container of this name exists.
    EnsureNoContainer(String),
    /// Packages are added.
    AddPackages(Vec<String>),
    /// Packages, modules and adapters are shown.
    ShowHost,
    /// The host is restarted.
    Restart,
    /// A virtual switch is made.
    NewSwitch {
        /// Its name.
        name: String,
        /// Its type.
        kind: SwitchType,
        /// The adapter under an external switch.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        adapter: Option<String>,
        /// The subnet of a NAT switch.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subnet: Option<Ipv4Net>,
    },
    /// A NAT object is made.
    NewNat {
        /// Its name.
        name: String,
        /// Its prefix.
        prefix: Ipv4Net,
    },
    /// Virtual switches are listed.
    ListSwitches,
    /// A network is made: whatever that takes on this host.
    CreateNetwork {
        /// Its name.
        name: String,
        /// Its driver: `nat`, `external`, `internal`, `private`.
        driver: String,
        /// Its subnet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subnet: Option<Ipv4Net>,
        /// Its gateway.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gateway: Option<Ipv4Addr>,
    },
    /// Networks are listed.
    ListNetworks,
    /// The image of a WIM is installed.
    InstallImage(String),
    /// Images are listed.
    ListImages,
    /// An image is tested.
    TestImage(String),
    /// A container is created.
    CreateContainer {
        /// Its image.
        image: String,
        /// Its name.
        name: String,
        /// Its id; the host's choice if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The network it is connected to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        network: Option<String>,
    },
    /// A container is started.
    StartContainer(String),
    /// A container is stopped.
    StopContainer(String),
    /// A container is removed.
    RemoveContainer(String),
    /// Containers are listed.
    ListContainers,
    /// A program is run in a container.
    Exec {
        /// The container.
        name: String,
        /// The command line.
        command: String,
        /// The working directory in the container, if not its default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        directory: Option<String>,
        /// The user that it runs as, if not the container's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<String>,
    },
    /// A call straight to the host.
    Call(Call),
    /// A folder of the host is listed, with everything below it.
    ListFiles(String),
}

impl Action {
    /// The `wcow` command that does the same; `None` for what only a scenario does.
    #[must_use]
    pub fn command(&self) -> Option<String> {
        Some(match self {
            Self::EnsurePackages(_)
            | Self::EnsureImage(_)
            | Self::EnsureContainer { .. }
            | Self::EnsureRestarted
            | Self::EnsureNoContainer(_)
            | Self::NewSwitch { .. }
            | Self::NewNat { .. }
            | Self::ListSwitches
            | Self::Call(_)
            | Self::ListFiles(_) => return None,
            Self::AddPackages(packages) => format!("wcow host enable {}", packages.join(" ")),
            Self::ShowHost => "wcow host info".to_owned(),
            Self::Restart => "wcow host reboot".to_owned(),
            Self::CreateNetwork {
                name,
                driver,
                subnet,
                ..
            } => {
                let subnet =
                    subnet.map_or_else(String::new, |subnet| format!(" --subnet {subnet}"));
                format!("wcow network create {name} --driver {driver}{subnet}")
            }
            Self::ListNetworks => "wcow network ls".to_owned(),
            Self::InstallImage(wim) => format!("wcow image install {wim}"),
            Self::ListImages => "wcow image ls".to_owned(),
            Self::TestImage(image) => format!("wcow image test {}", quoted(image)),
            Self::CreateContainer {
                image,
                name,
                network,
                ..
            } => {
                let network = network
                    .as_ref()
                    .map_or_else(String::new, |network| format!(" --network {network}"));
                format!(
                    "wcow container create {} --name {name}{network}",
                    quoted(image)
                )
            }
            Self::StartContainer(name) => format!("wcow container start {name}"),
            Self::StopContainer(name) => format!("wcow container stop {name}"),
            Self::RemoveContainer(name) => format!("wcow container rm {name}"),
            Self::ListContainers => "wcow container ls".to_owned(),
            Self::Exec {
                name,
                command,
                directory,
                user,
            } => {
                let option = |option: &str, value: &Option<String>| {
                    let value = value.as_ref();
                    value.map_or_else(String::new, |value| format!("{option} {value} "))
                };
                let options = [option("--workdir", directory), option("--user", user)].concat();
                format!("wcow exec {options}{name} {}", for_a_shell(command))
            }
        })
    }
}

/// A command line of Windows as one types it to a Unix shell: what `cmd` is to read goes into single quotes if the shell would
/// take it apart.
fn for_a_shell(command: &str) -> String {
    match command.strip_prefix("cmd /c ") {
        Some(rest) if rest.contains(['>', '<', '&', '|', '\\', '"', '$']) => {
            format!("cmd /c '{rest}'")
        }
        _ => command.to_owned(),
    }
}

fn quoted(word: &str) -> String {
    if word.contains(' ') {
        format!("\"{word}\"")
    } else {
        word.to_owned()
    }
}
