//! Scratch layers, and the images below them.

use wcow_host::era;
use wcow_ntmeta::{HostPath, WideName};

use super::verdict::{Verdict, need};
use super::{ANY, Check, Fix, SUPPORT, Seen, Theme};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "layer-chains",
        title: "Every container has its scratch disk and all layers below it",
        theme: Theme::Layers,
        source: SUPPORT,
        hosts: ANY,
        finds: &["layer-missing", "layer-import-failed"],
        run: layer_chains,
    },
    Check {
        id: "orphan-scratches",
        title: "Every scratch layer belongs to a container",
        theme: Theme::Layers,
        source: SUPPORT,
        hosts: ANY,
        finds: &[
            "scratch-exists",
            "disk-full",
            "layer-left-after-destroy",
            "layer-not-deletable",
        ],
        run: orphan_scratches,
    },
    Check {
        id: "attached-scratches",
        title: "No scratch disk is attached whose container does not run",
        theme: Theme::Layers,
        source: SUPPORT,
        hosts: ANY,
        finds: &["layer-in-use", "scratch-disk-locked"],
        run: attached_scratches,
    },
];

fn layer_chains(seen: &Seen) -> Verdict {
    let containers = need!(seen.containers);
    let missing = need!(seen.missing_layers);
    let mut verdict = Verdict::ok();
    for (container, path) in missing {
        verdict
            .fail(format!("container {container}: {path} is not there or not whole"))
            .cause("layer-missing")
            .cause("layer-import-failed")
            .way_out("Install the image again where an image is missing; where it is the scratch disk, remove the container and create it again.");
    }
    if missing.is_empty() {
        return verdict.saw(format!(
            "complete for {}",
            count(containers.len(), "container")
        ));
    }
    verdict
}

fn orphan_scratches(seen: &Seen) -> Verdict {
    let (scratches, containers) = (need!(seen.scratches), need!(seen.containers));
    let persists = era::containers_persist(seen.info.build);
    let systems = if persists {
        need!(seen.systems).as_slice()
    } else {
        &[]
    };
    let mut verdict = Verdict::ok();
    let mut claimed: Vec<String> = containers
        .iter()
        .map(|record| record.created.scratch.to_string().to_uppercase())
        .collect();
    // There the host itself keeps containers, whoever made them.
    claimed.extend(systems.iter().map(|system| {
        era::scratch_folder(seen.info.build, &system.id.0)
            .to_string()
            .to_uppercase()
    }));
    claimed.sort();
    for scratch in scratches {
        if claimed
            .binary_search(&scratch.to_string().to_uppercase())
            .is_err()
        {
            verdict
                .warn(format!("{scratch} belongs to no container"))
                .cause("scratch-exists")
                .cause("disk-full")
                .cause("layer-left-after-destroy")
                .cause("layer-not-deletable")
                .way_out("Destroy it if nobody needs what was written in it.");
            // The record that names it may be one that cannot be read.
            if seen.bad_records.is_empty() {
                verdict.fix(Fix::DestroyScratch(scratch.clone()));
            }
        }
    }
    if verdict.evidence.is_empty() {
        return verdict.saw(count(scratches.len(), "scratch layer"));
    }
    verdict
}

fn attached_scratches(seen: &Seen) -> Verdict {
    let attached = need!(seen.attached);
    let (containers, systems) = (need!(seen.containers), need!(seen.systems));
    let mut verdict = Verdict::ok();
    let ours = era::scratch_folder(seen.info.build, "x").parent();
    let (mut used, mut foreign) = (0, 0);
    for path in attached {
        let of = containers
            .iter()
            .find(|record| record.created.scratch.eq_ignore_case(path));
        let in_use = match of {
            Some(record) => record.running.is_some() || record.is_partial(),
            None => system_of(path, systems.iter().map(|system| system.id.0.as_str())),
        };
        if in_use {
            used += 1;
        } else if ours.as_ref().is_some_and(|folder| path.starts_with(folder)) {
            verdict
                .fail(match of {
                    Some(record) => format!("container {} does not run, and {path} is attached", record.name),
                    None => format!("{path} is attached, and no container has it"),
                })
                .cause("layer-in-use")
                .cause("scratch-disk-locked")
                .way_out("Detach it; if something holds it that cannot be found, restart the host: attachments do not survive that.")
                .fix(Fix::DetachScratch(path.clone()));
        } else {
            foreign += 1;
        }
    }
    verdict.note(format!(
        "{} of running containers, {} of other programs",
        count(used, "attached disk"),
        foreign
    ));
    verdict
}

/// Whether a layer's name is the id of one of these compute systems.
fn system_of<'a>(path: &HostPath, mut ids: impl Iterator<Item = &'a str>) -> bool {
    let name = path
        .file_name()
        .map(|name| WideName::from(name).to_string());
    ids.any(|id| {
        name.as_deref()
            .is_some_and(|name| name.eq_ignore_ascii_case(id))
    })
}

/// A number of things.
pub(super) fn count(number: usize, thing: &str) -> String {
    if number == 1 {
        format!("1 {thing}")
    } else {
        format!("{number} {thing}s")
    }
}
