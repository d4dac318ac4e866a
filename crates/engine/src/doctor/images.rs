//! Base images: whether there is one, whether it is whole, and whether it fits the host.

use wcow_host::era::{self, Generation, Verdict as Answered};
use wcow_image_store::{StoreError, ValidationError};

use super::layers::count;
use super::verdict::{Verdict, answer};
use super::{ANY, Check, Fix, SCRIPT, SUPPORT, Seen, Theme};

/// Builds that were released, from Windows Server 2016 on. Images of others are Insider builds.
const RELEASED: [u32; 17] = [
    14393, 15063, 16299, 17134, 17763, 18362, 18363, 19041, 19042, 19043, 19044, 19045, 20348,
    25398, 26100, 26200, 22621,
];

/// Technical Preview 4, whose images keep their utility virtual machine elsewhere than the next preview looks for it.
const PREVIEW_4: u32 = 10586;
/// Technical Preview 5.
const PREVIEW_5: u32 = 14300;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "base-image",
        title: "There is a base image",
        theme: Theme::Images,
        source: SCRIPT,
        hosts: ANY,
        finds: &[],
        run: base_image,
    },
    Check {
        id: "image-fits-host",
        title: "Every image fits the Windows of the host",
        theme: Theme::Images,
        source: SUPPORT,
        hosts: ANY,
        finds: &[
            "machine-type-mismatch",
            "image-mismatch",
            "container-service-missing",
            "windows-insider-required",
            "utility-vm-of-another-preview",
        ],
        run: fits_host,
    },
    Check {
        id: "image-contents",
        title: "Every image is what was installed",
        theme: Theme::Images,
        source: SUPPORT,
        hosts: ANY,
        finds: &[
            "layer-missing",
            "layer-import-failed",
            "registry-hive-damaged",
            "unexpected-exit",
        ],
        run: contents,
    },
    Check {
        id: "image-store",
        title: "The image store holds nothing but whole images",
        theme: Theme::Images,
        source: SUPPORT,
        hosts: ANY,
        finds: &["layer-missing"],
        run: store,
    },
];

fn unanswered(error: &StoreError) -> Verdict {
    Verdict::cannot_tell(match error.host_error() {
        Some(error) => answer(error),
        None => error.to_string(),
    })
}

fn base_image(seen: &Seen) -> Verdict {
    let images = match &seen.images {
        Ok(list) => &list.images,
        Err(error) => return unanswered(error),
    };
    let mut verdict = Verdict::ok();
    for image in images {
        verdict.note(format!(
            "{} of build {}",
            image.full_name, image.version.build
        ));
    }
    if images.is_empty() {
        verdict
            .warn("no image is installed: no container can be created")
            .way_out("Install one that was published for containers of this build: wcow image install FILE.wim");
    }
    verdict
}

fn fits_host(seen: &Seen) -> Verdict {
    let images = match &seen.images {
        Ok(list) => &list.images,
        Err(error) => return unanswered(error),
    };
    if images.is_empty() {
        return Verdict::not_applicable("there is no image");
    }
    let mut verdict = Verdict::ok();
    let host = &seen.info;
    let mut refused = 0;
    for image in images {
        let facts = image.facts();
        let name = &image.full_name;
        match era::start_verdict(host, &facts) {
            Answered::Runs
                if era::revision_matters(host.build) && facts.revision != host.revision =>
            {
                verdict
                    .warn(format!(
                        "{name} has revision {}, the host {}: on this build it may not start",
                        facts.revision, host.revision
                    ))
                    .way_out("Use an image of the host's own revision.");
            }
            Answered::Runs => verdict.note(format!("{name} runs here, process-isolated")),
            Answered::Refused {
                code,
                failure,
                rule,
                ..
            } => {
                refused += 1;
                let is = if facts.build == host.build
                    || host.build < Generation::Server2016.first_build()
                {
                    format!(
                        "{name} is of build {} and edition {}, the host of {} and {}",
                        facts.build, facts.product_name, host.build, host.edition
                    )
                } else {
                    format!(
                        "{name} is of build {}, the host of {}",
                        facts.build, host.build
                    )
                };
                verdict
                    .warn(format!("{is}: a container of it will be refused with {code}. {rule}"))
                    .cause_id(failure)
                    .way_out(match failure.0 {
                        "container-service-missing" => "Use an image that was published for containers: this one has no container service (CExecSvc).",
                        _ => "Use an image of this host's build and edition. From Windows Server 2016 on, Hyper-V isolation runs older images too.",
                    });
            }
        }
        if (facts.build, host.build) == (PREVIEW_4, PREVIEW_5) {
            verdict.cause("utility-vm-of-another-preview");
        }
        let released = facts.build < Generation::Server2016.first_build()
            || RELEASED.contains(&facts.build)
            || facts.build == host.build;
        if !released {
            verdict
                .warn(format!(
                    "{name} is of build {}, which was never released: an Insider build",
                    facts.build
                ))
                .cause("windows-insider-required");
        }
    }
    if refused == images.len() {
        verdict.fail("no image here fits this host");
    }
    verdict
}

fn contents(seen: &Seen) -> Verdict {
    if let Err(error) = &seen.images {
        return unanswered(error);
    }
    if seen.image_errors.is_empty() {
        return Verdict::not_applicable("there is no image");
    }
    let mut verdict = Verdict::ok();
    for (image, tested) in &seen.image_errors {
        let errors = match tested {
            Ok(errors) => errors,
            Err(error) => return unanswered(error),
        };
        for error in errors {
            let hive = matches!(
                error,
                ValidationError::HiveDamaged { .. } | ValidationError::HiveChanged { .. }
            );
            verdict
                .fail(format!("{image}: {error}"))
                .cause(if hive { "registry-hive-damaged" } else { "layer-missing" })
                .cause("layer-import-failed")
                .cause("unexpected-exit")
                .way_out("Remove the image and install it again: wcow image rm NAME; wcow image install FILE.wim");
        }
    }
    if verdict.evidence.is_empty() {
        return verdict.saw(count(seen.image_errors.len(), "image"));
    }
    verdict
}

fn store(seen: &Seen) -> Verdict {
    let damaged = match &seen.images {
        Ok(list) => &list.damaged,
        Err(error) => return unanswered(error),
    };
    let unfinished = match &seen.unfinished_images {
        Ok(unfinished) => unfinished,
        Err(error) => return unanswered(error),
    };
    let mut verdict = Verdict::ok();
    for path in unfinished {
        verdict
            .warn(format!(
                "{path} is of an install or a removal that is not done"
            ))
            .way_out("Unless one is under way right now: clear it up.")
            .fix(Fix::CleanImageStore);
    }
    let quarantine = |path: &str| path.to_lowercase().contains(r"\.quarantine\");
    for image in damaged {
        let path = image.path.to_string();
        if quarantine(&path) {
            verdict.note(format!("{path} was put aside: {}", image.reason));
            verdict.way_out("What was put aside can be removed: wcow image rm FOLDER");
        } else {
            verdict
                .fail(format!("{path} is no whole image: {}", image.reason))
                .cause("layer-missing")
                .way_out("Install the image again; what is there of it can be put aside.")
                .fix(Fix::CleanImageStore);
        }
    }
    if verdict.evidence.is_empty() {
        return verdict.saw("nothing else");
    }
    verdict
}
