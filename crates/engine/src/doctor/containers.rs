//! Containers and the compute systems behind them, and what support asks for.

use wcow_host::era;
use wcow_host::utility_vm::UtilityVm;

use super::layers::count;
use super::verdict::{Verdict, need};
use super::{ANY, Check, Fix, SUPPORT, Seen, Theme};

/// Who made a compute system, where it was this program.
const OWNER: &str = "wcow";
/// How many things of a kind are named.
const SHOWN: usize = 20;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "orphan-systems",
        title: "Every compute system belongs to a container",
        theme: Theme::Containers,
        source: SUPPORT,
        hosts: ANY,
        finds: &["system-already-exists"],
        run: orphan_systems,
    },
    Check {
        id: "lost-systems",
        title: "Every started container has its compute system",
        theme: Theme::Containers,
        source: SUPPORT,
        hosts: ANY,
        finds: &["system-not-found", "unexpected-exit"],
        run: lost_systems,
    },
    Check {
        id: "unfinished",
        title: "No command was cut off that left something half made",
        theme: Theme::Containers,
        source: SUPPORT,
        hosts: ANY,
        finds: &[],
        run: unfinished,
    },
    Check {
        id: "records",
        title: "All records of containers and networks can be read",
        theme: Theme::Containers,
        source: SUPPORT,
        hosts: ANY,
        finds: &[],
        run: records,
    },
    Check {
        id: "support-data",
        title: "What support asks for, for information",
        theme: Theme::Containers,
        source: SUPPORT,
        hosts: ANY,
        finds: &[],
        run: support_data,
    },
];

fn orphan_systems(seen: &Seen) -> Verdict {
    let (systems, containers) = (need!(seen.systems), need!(seen.containers));
    let mut verdict = Verdict::ok();
    for system in systems {
        // A utility VM belongs to a container that runs, and to nothing else.
        let container = UtilityVm::container_of(&system.id);
        let known = containers.iter().any(|record| match &container {
            Some(container) => {
                record.running.is_some() && record.id().eq_ignore_ascii_case(&container.0)
            }
            None => record.id().eq_ignore_ascii_case(&system.id.0),
        });
        if known {
            continue;
        }
        if system.owner == OWNER {
            verdict
                .warn(format!(
                    "{} ({}) belongs to no container",
                    system.id, system.name
                ))
                .cause("system-already-exists")
                .way_out("End it, if nobody needs what runs in it.");
            if seen.bad_records.is_empty() {
                verdict.fix(Fix::EndSystem(system.id.clone()));
            }
        } else {
            verdict.note(format!("{} is of {:?}", system.id, system.owner));
        }
    }
    if verdict.evidence.is_empty() {
        return verdict.saw(count(systems.len(), "compute system"));
    }
    verdict
}

fn lost_systems(seen: &Seen) -> Verdict {
    let systems = need!(seen.systems);
    let containers = need!(seen.containers);
    let mut verdict = Verdict::ok();
    let persists = era::containers_persist(seen.info.build);
    let has_system = |id: &str| {
        systems
            .iter()
            .any(|system| system.id.0.eq_ignore_ascii_case(id))
    };
    for record in containers.iter().filter(|record| !record.is_partial()) {
        if has_system(record.id()) {
            continue;
        }
        if record.running.is_some() {
            verdict
                .warn(format!("container {} was started, and has ended by itself or with the host", record.name))
                .cause("system-not-found")
                .cause("unexpected-exit")
                .way_out("Start it again: wcow container start NAME. What it holds on the host is given back then.");
        } else if persists {
            verdict
                .fail(format!(
                    "container {} is not on the host any more",
                    record.name
                ))
                .cause("system-not-found")
                .way_out("Remove it and create it again: wcow container rm NAME");
        }
    }
    if verdict.evidence.is_empty() {
        return verdict.saw(
            format!(
                "{} of {}",
                seen.started().count(),
                count(containers.len(), "container")
            ) + " started",
        );
    }
    verdict
}

fn unfinished(seen: &Seen) -> Verdict {
    let (containers, networks) = (need!(seen.containers), need!(seen.recorded_networks));
    let mut verdict = Verdict::ok();
    let partial = containers
        .iter()
        .filter(|record| record.is_partial())
        .map(|record| format!("container {}", record.name));
    let half = networks
        .iter()
        .filter(|network| network.unfinished)
        .map(|network| format!("network {}", network.name));
    for name in partial.chain(half) {
        verdict
            .warn(format!("{name} is half made or half removed"))
            .way_out("If no command is at it right now, the next one that lists it takes it back, a minute after it was begun.")
            .fix(Fix::TakeBackUnfinished);
    }
    if verdict.evidence.is_empty() {
        return verdict.saw("nothing is half made");
    }
    verdict
}

fn records(seen: &Seen) -> Verdict {
    let (containers, networks) = (need!(seen.containers), need!(seen.recorded_networks));
    let mut verdict = Verdict::ok();
    for bad in &seen.bad_records {
        verdict
            .fail(bad.clone())
            .way_out("If a newer wcow wrote it, use that. If it is damaged, move the file away: what it was about is found by orphan-scratches, orphan-systems and orphan-endpoints.");
    }
    if seen.bad_records.is_empty() {
        return verdict.saw(format!(
            "{}, {}",
            count(containers.len(), "container"),
            count(networks.len(), "network")
        ));
    }
    verdict
}

fn support_data(seen: &Seen) -> Verdict {
    /// The programs behind containers.
    const PROGRAMS: [&str; 3] = ["vmcompute.exe", "vmwp.exe", "CExecSvc.exe"];
    let info = &seen.info;
    let mut verdict = Verdict::ok().saw(format!(
        "{} build {}.{}, {}, wcow {}",
        info.product,
        info.build,
        info.revision,
        info.edition,
        env!("CARGO_PKG_VERSION")
    ));
    let listed = |what: &str, names: Vec<String>| {
        let more = names.len().saturating_sub(SHOWN);
        let shown: Vec<String> = names.into_iter().take(SHOWN).collect();
        match (shown.is_empty(), more) {
            (true, _) => format!("{what}: none"),
            (false, 0) => format!("{what}: {}", shown.join(", ")),
            (false, more) => format!("{what}: {} and {more} more", shown.join(", ")),
        }
    };
    if let Ok(systems) = &seen.systems {
        let names = systems.iter().map(|system| {
            format!(
                "{} ({:?}, of {})",
                system.id,
                system.known_state(),
                system.owner
            )
        });
        verdict.note(listed("compute systems", names.collect()));
    }
    if let Ok(networks) = &seen.networks {
        let names = networks
            .iter()
            .map(|network| format!("{} ({})", network.name, network.kind));
        verdict.note(listed("networks", names.collect()));
    }
    if let Ok(endpoints) = &seen.endpoints {
        let names = endpoints
            .iter()
            .map(|endpoint| format!("{} {}", endpoint.name, endpoint.address));
        verdict.note(listed("endpoints", names.collect()));
    }
    if let Ok(switches) = &seen.switches {
        let names = switches.iter().map(|switch| switch.name.clone());
        verdict.note(listed("switches", names.collect()));
    }
    if let Ok(scratches) = &seen.scratches {
        let names = scratches.iter().map(ToString::to_string);
        verdict.note(listed("scratch layers", names.collect()));
    }
    if let Ok(images) = &seen.images {
        let names = images.images.iter().map(|image| image.full_name.clone());
        verdict.note(listed("images", names.collect()));
    }
    if let Ok(processes) = &seen.processes {
        let names = PROGRAMS.iter().map(|program| {
            let running = processes
                .iter()
                .filter(|process| process.name.eq_ignore_ascii_case(program))
                .count();
            format!("{running} {program}")
        });
        verdict.note(listed("processes", names.collect()));
    }
    if let Ok(events) = &seen.events {
        verdict.note(format!(
            "{} of the last 24 hours: look at recent-events",
            count(events.len(), "event")
        ));
    }
    verdict
}
