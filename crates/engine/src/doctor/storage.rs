//! Disks, what fills them, and drivers that come between.

use wcow_host::EventLevel;

use super::verdict::{Verdict, need};
use super::{ANY, Check, FROM_2016, Fix, SUPPORT, Seen, Theme};

/// Free bytes below which nothing can be made.
const FULL: u64 = 1 << 30;
/// Free bytes below which an image may not fit any more.
const NEARLY_FULL: u64 = 10 << 30;
/// What containers lie on.
const DRIVE: &str = "C:";
/// How many left-over folders are named.
const SHOWN: usize = 10;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "file-system",
        title: "Images and containers lie on NTFS",
        theme: Theme::Storage,
        source: SUPPORT,
        hosts: ANY,
        finds: &[],
        run: file_system,
    },
    Check {
        id: "disk-space",
        title: "The disk has room for images and containers",
        theme: Theme::Storage,
        source: SUPPORT,
        hosts: ANY,
        finds: &["disk-full"],
        run: disk_space,
    },
    Check {
        id: "disk-errors",
        title: "The event logs of the last 24 hours tell of no disk errors",
        theme: Theme::Storage,
        source: SUPPORT,
        hosts: ANY,
        finds: &["disk-error"],
        run: disk_errors,
    },
    Check {
        id: "temp-folders",
        title: "Imports of layers left nothing among the temporary files",
        theme: Theme::Storage,
        source: SUPPORT,
        hosts: ANY,
        finds: &["disk-full"],
        run: temp_folders,
    },
    Check {
        id: "filter-drivers",
        title: "No foreign file-system filter driver gets between layers",
        theme: Theme::Storage,
        source: SUPPORT,
        hosts: FROM_2016,
        finds: &["layer-filter-conflict", "layer-in-use"],
        run: filter_drivers,
    },
];

fn file_system(seen: &Seen) -> Verdict {
    let volumes = need!(seen.volumes);
    let mut verdict = Verdict::ok();
    let Some(volume) = volumes.iter().find(|volume| volume.drive == DRIVE) else {
        return Verdict::cannot_tell("Windows lists no volume C:");
    };
    let text = format!("{DRIVE} is {}", volume.file_system);
    if volume.file_system.eq_ignore_ascii_case("NTFS") {
        return verdict.saw(text);
    }
    verdict
        .fail(text)
        .way_out("Layers need NTFS: put images and containers on a volume of that file system.");
    verdict
}

fn disk_space(seen: &Seen) -> Verdict {
    let volumes = need!(seen.volumes);
    let mut verdict = Verdict::ok();
    let Some(volume) = volumes.iter().find(|volume| volume.drive == DRIVE) else {
        return Verdict::cannot_tell("Windows lists no volume C:");
    };
    let mib = volume.free_bytes >> 20;
    let text = format!(
        "{DRIVE} has {}.{} GiB free",
        mib >> 10,
        (mib % 1024) * 10 / 1024
    );
    match volume.free_bytes {
        ..FULL => verdict.fail(text),
        FULL..NEARLY_FULL => verdict.warn(text),
        _ => return verdict.saw(text),
    }
    .cause("disk-full")
    .way_out("Remove images and containers that are not needed: wcow image rm, wcow container rm. Look at temp-folders and orphan-scratches too.");
    verdict
}

fn disk_errors(seen: &Seen) -> Verdict {
    /// Who writes to the System log when a disk is in trouble.
    const PROVIDERS: [&str; 4] = ["disk", "Ntfs", "Microsoft-Windows-Ntfs", "storahci"];
    let events = need!(seen.events);
    let mut verdict = Verdict::ok();
    for event in events {
        let of_disks = PROVIDERS
            .iter()
            .any(|provider| event.provider.eq_ignore_ascii_case(provider));
        if of_disks && event.level >= EventLevel::Error {
            verdict
                .warn(format!(
                    "{} {} {}: {}",
                    event.time, event.provider, event.id, event.message
                ))
                .cause("disk-error")
                .way_out(
                    "Check the disk: chkdsk C: /scan; of a virtual machine, the storage below it.",
                );
        }
    }
    if verdict.evidence.is_empty() {
        return verdict.saw("no such entry in the System log");
    }
    verdict
}

fn temp_folders(seen: &Seen) -> Verdict {
    let left = need!(seen.left_temp);
    let mut verdict = Verdict::ok();
    if left.is_empty() {
        return verdict.saw("no folder hcs* there");
    }
    for path in left.iter().take(SHOWN) {
        verdict.warn(path.to_string());
    }
    for path in left {
        verdict.fix(Fix::RemoveTempFolder(path.clone()));
    }
    if let Some(more) = left.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        verdict.note(format!("and {more} more"));
    }
    verdict
        .cause("disk-full")
        .way_out("Remove them, unless an image is being pulled right now.");
    verdict
}

/// Filter drivers that come with Windows.
const WINDOWS: &[&str] = &[
    "bfs",
    "bindflt",
    "cldflt",
    "csvflt",
    "csvnsflt",
    "datascrn",
    "dedup",
    "fileinfo",
    "filecrypt",
    "iorate",
    "luafv",
    "msseccore",
    "npsvctrig",
    "prjflt",
    "quota",
    "resumekeyfilter",
    "sisraw",
    "storqosflt",
    "unionfs",
    "wcifs",
    "wcnfs",
    "wdfilter",
    "wimmount",
    "wof",
];

/// What drivers do whose altitude lies in a range, by Microsoft's load order groups.
const GROUPS: [(u32, u32, &str); 8] = [
    (360_000, 389_999, "an activity monitor"),
    (320_000, 329_999, "an antivirus program"),
    (300_000, 309_999, "a replication program"),
    (280_000, 289_999, "a backup program"),
    (180_000, 189_999, "storage that is moved away (HSM, cloud)"),
    (160_000, 169_999, "compression"),
    (140_000, 149_999, "encryption"),
    (130_000, 139_999, "virtualization of files"),
];

fn filter_drivers(seen: &Seen) -> Verdict {
    let filters = need!(seen.filters);
    let mut verdict = Verdict::ok();
    for filter in filters {
        let name = filter.name.to_lowercase();
        if WINDOWS.contains(&name.as_str()) {
            continue;
        }
        let altitude = filter.altitude.parse::<f64>().ok();
        let group = GROUPS.iter().find(|(first, last, _)| {
            altitude.is_some_and(|altitude| {
                altitude >= f64::from(*first) && altitude < f64::from(*last) + 1.0
            })
        });
        let what = match (group, filter.altitude.is_empty()) {
            (Some((_, _, what)), _) => {
                format!("{} ({what}, altitude {})", filter.name, filter.altitude)
            }
            (None, true) => format!("{} (a legacy driver without altitude)", filter.name),
            (None, false) => format!("{} (altitude {})", filter.name, filter.altitude),
        };
        // Clients of cloud storage that build on this driver are known to break the preparation of layers.
        if name.starts_with("cbfs") || filter.altitude.is_empty() {
            verdict
                .fail(what)
                .cause("layer-filter-conflict")
                .way_out("Uninstall or update the cloud storage client that brought it, and restart the host.");
        } else {
            verdict
                .warn(what)
                .cause("layer-filter-conflict")
                .cause("layer-in-use")
                .way_out("If layers cannot be prepared, or are in use by nobody: exclude the folders of images and containers from that program, or try without it.");
        }
    }
    if verdict.evidence.is_empty() {
        let names: Vec<&str> = filters.iter().map(|filter| filter.name.as_str()).collect();
        return verdict.saw(format!("only those of Windows: {}", names.join(", ")));
    }
    verdict
}
