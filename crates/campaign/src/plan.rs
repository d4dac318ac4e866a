//! Plans: what the clients of a run do, one step after the other.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use wcow_network::Driver;
use wcow_sim::{Draws, Label};

use crate::care;
use crate::step::{Step, Wishes};

/// Most clients of a plan that is made up.
pub(crate) const CLIENTS: u64 = 3;
/// Most steps of each of them.
pub(crate) const STEPS: u64 = 12;
/// The most calls after which a client of such a plan is killed.
pub(crate) const KILLED_AFTER: u64 = 160;
/// The most durable steps after which it is: an install takes about twenty.
pub(crate) const KILLED_AFTER_DURABLE: u64 = 40;
/// The longest wait in such a plan, in seconds, and one more.
pub(crate) const WAIT: u64 = 30;

/// What each client does. All of them begin at the same time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Plan {
    /// The clients.
    pub clients: Vec<ClientPlan>,
}

/// What one client does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClientPlan {
    /// The steps; each begins when the one before it was answered, whatever the answer.
    pub steps: Vec<Step>,
    /// The client is killed right after it has issued so many calls to the host, once; another process goes on with the next step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub killed_after: Option<u64>,
    /// The same when it has issued so many durable steps and is about to issue one more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub killed_after_durable: Option<u64>,
}

/// What a plan is made up from on hosts of one profile.
#[derive(Clone, Copy)]
pub(crate) struct Things {
    pub(crate) wim: &'static str,
    pub(crate) image: &'static str,
    /// The same with a utility virtual machine, for containers with Hyper-V isolation.
    pub(crate) isolated: Option<(&'static str, &'static str)>,
    pub(crate) drivers: &'static [Driver],
}

pub(crate) fn things(profile: &str) -> Option<Things> {
    match profile {
        "server-2022" => Some(Things {
            wim: "servercore-20348.wim",
            image: "servercore",
            isolated: Some(("servercore-20348-hyperv.wim", "servercore-hyperv")),
            drivers: &[Driver::Nat, Driver::Internal],
        }),
        "core-tp3" => Some(Things {
            wim: "WindowsServerCore.wim",
            image: "WindowsServerCore",
            isolated: None,
            drivers: &[Driver::Nat],
        }),
        _ => None,
    }
}

pub(crate) const CONTAINERS: [&str; 2] = ["web", "db"];
pub(crate) const NETWORKS: [&str; 2] = ["front", "back"];
/// Subnets of NAT networks.
pub(crate) const SUBNETS: [Ipv4Net; 2] = [
    Ipv4Net::new_assert(Ipv4Addr::new(10, 1, 0, 0), 16),
    Ipv4Net::new_assert(Ipv4Addr::new(10, 2, 0, 0), 16),
];
pub(crate) const COMMANDS: [&str; 3] =
    ["cmd /c echo hello", "cmd /c exit 3", "ping -n 3 127.0.0.1"];

impl Plan {
    /// The profiles that plans can be made up for, the one on which most things work first.
    pub const PROFILES: [&'static str; 2] = ["server-2022", "core-tp3"];

    /// Makes up a plan for a host of a profile: an empty one if nothing is known of the profile.
    ///
    /// Names are few, so that clients meet. What is made, started and removed, and when, is drawn by [`Label::Plan`]; what is asked of
    /// containers by [`Label::Wish`]; what is done beyond that is woven in by [`Label::Care`]. The source of choices that gives zeros
    /// makes one client that installs an image.
    #[must_use]
    pub fn draw(profile: &str, draws: &mut Draws) -> Self {
        let Some(mut things) = things(profile) else {
            return Self::default();
        };
        let theme = draws.draw(Label::Care, 8);
        // What is looked after can be frozen too, if it has a machine of its own.
        let share = if theme == 7 { 2 } else { 5 };
        if draws.happens(Label::Wish, 1, share)
            && let Some((wim, image)) = things.isolated
        {
            (things.wim, things.image) = (wim, image);
        }
        let mut plan = match theme {
            6 => care::handed_over(&things, draws),
            7 => care::looked_after(&things, draws),
            _ => Self::of_a_theme(&things, draws),
        };
        care::wish(&mut plan, &things, draws);
        care::weave(&mut plan, draws);
        plan
    }

    fn of_a_theme(things: &Things, draws: &mut Draws) -> Self {
        let theme = Theme::draw(draws);
        let clients = match theme {
            Theme::CutOff => 1,
            _ => 1 + draws.draw(Label::Plan, CLIENTS),
        };
        let clients = (0..clients)
            .map(|client| {
                let mut steps = Vec::new();
                if client == 0 {
                    steps.push(Step::InstallImage(things.wim.to_owned()));
                } else {
                    // The others come when there may be an image, or a little earlier.
                    let seconds = draws.draw(Label::Plan, 8);
                    steps.push(Step::Wait(u32::try_from(seconds).unwrap_or(0)));
                }
                match theme {
                    Theme::Anything => {
                        for _ in 0..draws.draw(Label::Plan, STEPS) {
                            steps.push(step(things, draws));
                        }
                    }
                    Theme::Networks => {
                        for _ in 0..draws.draw(Label::Plan, STEPS) {
                            steps.push(network_step(things, draws));
                        }
                    }
                    Theme::Life | Theme::CutOff => steps.extend(life(things, draws)),
                }
                let mut client = ClientPlan {
                    steps,
                    ..ClientPlan::default()
                };
                if matches!(theme, Theme::CutOff) {
                    let steps = draws.draw(Label::Plan, KILLED_AFTER_DURABLE);
                    client.killed_after_durable = Some(steps);
                } else if draws.happens(Label::Plan, 1, 4) {
                    if draws.happens(Label::Plan, 1, 2) {
                        let most = KILLED_AFTER_DURABLE >> (2 * draws.draw(Label::Plan, 2));
                        let steps = draws.draw(Label::Plan, most);
                        client.killed_after_durable = Some(steps);
                    } else {
                        // A network takes a dozen calls, an install about sixty.
                        let most = KILLED_AFTER >> (2 * draws.draw(Label::Plan, 3));
                        client.killed_after = Some(1 + draws.draw(Label::Plan, most));
                    }
                }
                client
            })
            .collect();
        Self { clients }
    }

    /// The plan for hosts of another profile, with the image and the drivers that those have. `None` if nothing is known of one of
    /// the two.
    #[must_use]
    pub fn moved(&self, from: &str, to: &str) -> Option<Self> {
        let (from, to) = (things(from)?, things(to)?);
        let (isolated_wim, isolated_image) = from.isolated.unwrap_or((from.wim, from.image));
        let renamed = |name: &mut String, old: [&str; 2], new: &str| {
            if old.contains(&name.as_str()) {
                new.clone_into(name);
            }
        };
        let mut plan = self.clone();
        for step in plan.clients.iter_mut().flat_map(|it| &mut it.steps) {
            match step {
                Step::InstallImage(wim) => renamed(wim, [from.wim, isolated_wim], to.wim),
                Step::RemoveImage(image) | Step::CreateContainer { image, .. } => {
                    renamed(image, [from.image, isolated_image], to.image);
                }
                Step::CreateNetwork { driver, .. } if !to.drivers.contains(driver) => {
                    *driver = to.drivers.first().copied().unwrap_or(Driver::Nat);
                }
                _ => {}
            }
        }
        Some(plan)
    }

    /// How many steps there are.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.clients.iter().map(|client| client.steps.len()).sum()
    }
}

/// What the clients of a plan are about.
#[derive(Clone, Copy)]
enum Theme {
    /// Anything, in any order. Much of it is refused.
    Anything,
    /// Networks alone, so that they meet there.
    Networks,
    /// The life of a container, so that what comes late in it happens at all.
    Life,
    /// The same for one client alone that is always cut off in the middle of it, so that it goes on with what was just not durable.
    CutOff,
}

impl Theme {
    fn draw(draws: &mut Draws) -> Self {
        match draws.draw(Label::Plan, 8) {
            0..=2 => Self::Anything,
            3 => Self::Networks,
            4 | 5 => Self::Life,
            _ => Self::CutOff,
        }
    }
}

/// A container from its network to its removal, with gaps.
fn life(things: &Things, draws: &mut Draws) -> Vec<Step> {
    let name = pick(draws, &CONTAINERS);
    let network = draws
        .happens(Label::Plan, 3, 4)
        .then(|| create_network(things, draws));
    let mut steps = Vec::new();
    let mut with = None;
    if let Some(Step::CreateNetwork { name, .. }) = &network {
        with = Some(name.clone());
    }
    steps.extend(network);
    steps.push(Step::CreateContainer {
        name: name.clone(),
        image: things.image.to_owned(),
        network: with,
        wishes: Wishes::default(),
    });
    let later = [
        Step::Start(name.clone()),
        Step::Exec {
            name: name.clone(),
            command: pick(draws, &COMMANDS),
        },
        if draws.happens(Label::Plan, 1, 2) {
            Step::Stop(name.clone())
        } else {
            Step::Kill(name.clone())
        },
        Step::Start(name.clone()),
        Step::RemoveContainer(name),
    ];
    steps.extend(
        later
            .into_iter()
            .filter(|_| draws.happens(Label::Plan, 4, 5)),
    );
    steps
}

fn step(things: &Things, draws: &mut Draws) -> Step {
    let container = pick(draws, &CONTAINERS);
    match draws.draw(Label::Plan, 20) {
        0..=4 => Step::CreateContainer {
            name: container,
            image: things.image.to_owned(),
            network: draws
                .happens(Label::Plan, 1, 2)
                .then(|| pick(draws, &NETWORKS)),
            wishes: Wishes::default(),
        },
        5..=8 => Step::Start(container),
        9 | 10 => Step::Exec {
            name: container,
            command: pick(draws, &COMMANDS),
        },
        11 | 12 => create_network(things, draws),
        13 => Step::RemoveNetwork(pick(draws, &NETWORKS)),
        14 => Step::Stop(container),
        15 => Step::Kill(container),
        16 => Step::RemoveContainer(container),
        17 => Step::List,
        18 => match draws.draw(Label::Plan, 3) {
            0 => Step::Reboot,
            1 => Step::RemoveImage(things.image.to_owned()),
            _ => Step::InstallImage(things.wim.to_owned()),
        },
        _ => Step::Wait(u32::try_from(draws.draw(Label::Plan, WAIT)).unwrap_or(0)),
    }
}

fn network_step(things: &Things, draws: &mut Draws) -> Step {
    match draws.draw(Label::Plan, 8) {
        0..=2 => create_network(things, draws),
        3..=5 => Step::RemoveNetwork(pick(draws, &NETWORKS)),
        6 => Step::List,
        _ => Step::Wait(u32::try_from(draws.draw(Label::Plan, 3)).unwrap_or(0)),
    }
}

fn create_network(things: &Things, draws: &mut Draws) -> Step {
    let name = pick(draws, &NETWORKS);
    let driver = draws.pick(Label::Plan, things.drivers).copied();
    let driver = driver.unwrap_or(Driver::Nat);
    let subnet = (driver == Driver::Nat && draws.happens(Label::Plan, 1, 2))
        .then(|| draws.pick(Label::Plan, &SUBNETS).copied())
        .flatten();
    Step::CreateNetwork {
        name,
        driver,
        subnet,
    }
}

fn pick(draws: &mut Draws, names: &[&str]) -> String {
    pick_by(Label::Plan, draws, names)
}

pub(crate) fn pick_by(label: Label, draws: &mut Draws, names: &[&str]) -> String {
    let picked = draws.pick(label, names);
    picked.copied().unwrap_or_default().to_owned()
}
