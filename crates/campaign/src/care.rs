//! What plans try beyond making, starting and removing things: containers with a main process, limits and ports, whoever looks after
//! them, and work that one client leaves half-done and another one builds upon.

use wcow_engine::RestartPolicy;
use wcow_network::{Driver, PortMapping};
use wcow_runtime::{Isolation, Processors};
use wcow_sim::{Draws, Label};

use crate::plan::{
    COMMANDS, CONTAINERS, ClientPlan, KILLED_AFTER, NETWORKS, Plan, Things, WAIT, pick_by,
};
use crate::step::{Step, Wishes};

/// Main processes: one that ends at once, one that fails, one that goes on for a while, and one that waits for a user who has gone.
pub(crate) const MAIN: [&str; 4] = [
    "cmd /c echo hello",
    "cmd /c exit 3",
    "ping -n 5 127.0.0.1",
    "ping -t 127.0.0.1",
];
/// The ports that are published: few, so that containers meet there too.
pub(crate) const PORTS: [u16; 2] = [8080, 8081];
/// How often a container that is supervised is started again in such a plan at most, and one more.
pub(crate) const RESTARTS: u64 = 4;
/// The most steps that are woven into those of one client.
const WOVEN: u64 = 5;
/// The durable steps of making a network from a process that has written no record yet, and a few more.
const NETWORK_STEPS: u64 = 12;
/// Those of installing an image.
const IMAGE_STEPS: u64 = 24;

/// Has some containers be asked for more than their image.
pub(crate) fn wish(plan: &mut Plan, things: &Things, draws: &mut Draws) {
    let has_machine = things.isolated.is_some_and(|(wim, _)| wim == things.wim);
    for step in plan.clients.iter_mut().flat_map(|it| &mut it.steps) {
        if let Step::CreateContainer {
            wishes, network, ..
        } = step
        {
            if has_machine && draws.happens(Label::Wish, 3, 4) {
                wishes.isolation = Isolation::HyperV;
            }
            if draws.happens(Label::Wish, 1, 2) {
                some(wishes, network.is_some(), draws);
            }
        }
    }
}

fn some(wishes: &mut Wishes, is_connected: bool, draws: &mut Draws) {
    if draws.happens(Label::Wish, 2, 3) {
        wishes.command = Some(pick_by(Label::Wish, draws, &MAIN));
        wishes.restart = match draws.draw(Label::Wish, 4) {
            0 => RestartPolicy::No,
            1 => RestartPolicy::OnFailure(Some(2)),
            2 => RestartPolicy::Always,
            _ => RestartPolicy::UnlessStopped,
        };
    }
    if draws.happens(Label::Wish, 1, 3) {
        wishes.memory_mib = Some(512);
    }
    if draws.happens(Label::Wish, 1, 3) {
        wishes.processors = Some(match draws.draw(Label::Wish, 3) {
            0 => Processors::Count(1),
            1 => Processors::Limit(5000),
            _ => Processors::Weight(500),
        });
    }
    if is_connected && draws.happens(Label::Wish, 1, 3) {
        let external = draws.pick(Label::Wish, &PORTS).copied();
        let mapping = external.and_then(|port| format!("{port}:80").parse::<PortMapping>().ok());
        wishes.publish.extend(mapping);
    }
}

/// Puts steps between those of a plan: half of them right behind a start, about the container that was started.
pub(crate) fn weave(plan: &mut Plan, draws: &mut Draws) {
    for client in &mut plan.clients {
        if !draws.happens(Label::Care, 1, 2) {
            continue;
        }
        for _ in 0..=draws.draw(Label::Care, WOVEN) {
            let places = u64::try_from(client.steps.len()).unwrap_or(0);
            let drawn = usize::try_from(draws.draw(Label::Care, places)).unwrap_or(0);
            // Never the first, which makes the image that all the others need.
            let mut place = (drawn + 1).min(client.steps.len());
            let mut name = pick_by(Label::Care, draws, &CONTAINERS);
            if draws.happens(Label::Care, 1, 2) {
                let mut starts = client.steps.iter().enumerate().skip(drawn);
                let start = starts.find_map(|(place, step)| match step {
                    Step::Start(name) => Some((place + 1, name.clone())),
                    _ => None,
                });
                (place, name) = start.unwrap_or((place, name));
            }
            client.steps.insert(place, step(name, draws));
        }
    }
}

fn step(name: String, draws: &mut Draws) -> Step {
    match draws.draw(Label::Care, 16) {
        0 | 1 => Step::Logs(name),
        2 => Step::Inspect(name),
        3 => Step::Stats(name),
        4 => Step::Restart(name),
        5 | 6 => Step::Pause(name),
        7 => Step::Resume(name),
        8..=10 => Step::Supervise {
            name,
            most: u32::try_from(draws.draw(Label::Care, RESTARTS)).unwrap_or(0),
        },
        11 | 12 => Step::WaitFor(name),
        13 => Step::RemoveStopped(name),
        14 => Step::Prune,
        _ => Step::Wait(u32::try_from(draws.draw(Label::Care, WAIT)).unwrap_or(0)),
    }
}

/// One client makes a container and starts it; then it and another one look after it.
pub(crate) fn looked_after(things: &Things, draws: &mut Draws) -> Plan {
    let name = CONTAINERS[0];
    let mut first = ClientPlan {
        steps: vec![
            Step::InstallImage(things.wim.to_owned()),
            Step::CreateContainer {
                name: name.to_owned(),
                image: things.image.to_owned(),
                network: None,
                wishes: Wishes::default(),
            },
            Step::Start(name.to_owned()),
        ],
        ..ClientPlan::default()
    };
    let has_machine = things.isolated.is_some_and(|(wim, _)| wim == things.wim);
    if has_machine && draws.happens(Label::Care, 2, 3) {
        first.steps.push(Step::Pause(name.to_owned()));
        if draws.happens(Label::Care, 1, 2) {
            first.steps.push(Step::Resume(name.to_owned()));
        }
    }
    let mut second = ClientPlan {
        steps: vec![Step::Wait(
            u32::try_from(2 + draws.draw(Label::Care, 4)).unwrap_or(0),
        )],
        ..ClientPlan::default()
    };
    for client in [&mut first, &mut second] {
        for _ in 0..draws.draw(Label::Care, 2 * WOVEN) {
            let name = name.to_owned();
            client.steps.push(match draws.draw(Label::Care, 8) {
                0 => Step::Start(name),
                1 => Step::Exec {
                    name,
                    command: pick_by(Label::Care, draws, &COMMANDS),
                },
                2 => Step::Stop(name),
                _ => step(name, draws),
            });
        }
        if draws.happens(Label::Care, 1, 3) {
            client.killed_after = Some(1 + draws.draw(Label::Care, KILLED_AFTER));
        }
    }
    if draws.happens(Label::Care, 1, 2) {
        second.steps.push(Step::RemoveContainer(name.to_owned()));
    }
    Plan {
        clients: vec![first, second],
    }
}

/// One client makes a network or an image and is cut off about when that is done; another one builds upon it.
///
/// What the first one made is there for everybody and need not be durable. If it goes with the next power loss, what was built
/// upon it must not be told to be there.
pub(crate) fn handed_over(things: &Things, draws: &mut Draws) -> Plan {
    let install = Step::InstallImage(things.wim.to_owned());
    let is_network = draws.happens(Label::Care, 1, 2);
    let network = is_network.then(|| NETWORKS[0].to_owned());
    let driver = draws.pick(Label::Care, things.drivers).copied();
    let wait = |draws: &mut Draws, seconds| {
        Step::Wait(u32::try_from(draws.draw(Label::Care, seconds)).unwrap_or(0))
    };
    let mut first = ClientPlan::default();
    let mut second = ClientPlan::default();
    match &network {
        Some(name) => {
            second.steps.push(install);
            first.steps.push(wait(draws, 4));
            first.steps.push(Step::CreateNetwork {
                name: name.clone(),
                driver: driver.unwrap_or(Driver::Nat),
                subnet: None,
            });
            first.killed_after_durable = Some(draws.draw(Label::Care, NETWORK_STEPS));
        }
        None => {
            first.steps.push(install);
            first.killed_after_durable = Some(draws.draw(Label::Care, IMAGE_STEPS));
        }
    }
    let create = |name: &str| Step::CreateContainer {
        name: name.to_owned(),
        image: things.image.to_owned(),
        network: network.clone(),
        wishes: Wishes::default(),
    };
    second.steps.push(wait(draws, 8));
    for name in CONTAINERS {
        if draws.happens(Label::Care, 2, 3) {
            second.steps.push(create(name));
        }
        if draws.happens(Label::Care, 1, 3) {
            second.steps.push(Step::Start(name.to_owned()));
        }
    }
    if draws.happens(Label::Care, 1, 2) {
        // As a user would who has lost the connection.
        first.steps.push(create(CONTAINERS[0]));
    }
    Plan {
        clients: vec![first, second],
    }
}
