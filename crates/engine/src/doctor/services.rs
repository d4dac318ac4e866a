//! Services: those of containers, those that they lean on, and docker's, which wcow does without.

use wcow_host::{EventLevel, FeatureState, ServiceState, StartMode, era};

use super::gather::{DOCKER_SERVICES, FIREWALL, SHARING};
use super::verdict::{Verdict, need};
use super::{ANY, Check, FROM_TP5, Fix, SCRIPT, SUPPORT, Seen, Theme};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "compute-service",
        title: "The compute service (vmcompute) runs",
        theme: Theme::Services,
        source: SUPPORT,
        hosts: ANY,
        finds: &["compute-service-stopped", "compute-service-missing"],
        run: compute_service,
    },
    Check {
        id: "network-service",
        title: "The Host Network Service (hns) runs",
        theme: Theme::Services,
        source: SUPPORT,
        hosts: ANY,
        finds: &["hns-stopped", "hns-missing"],
        run: network_service,
    },
    Check {
        id: "management-service",
        title: "The Hyper-V management service (vmms) runs where Hyper-V is on",
        theme: Theme::Services,
        source: SUPPORT,
        hosts: ANY,
        finds: &["hyper-v-management-stopped"],
        run: management_service,
    },
    Check {
        id: "service-crashes",
        title: "No container service crashed in the last 24 hours",
        theme: Theme::Services,
        source: SUPPORT,
        hosts: ANY,
        finds: &[
            "compute-service-stopped",
            "compute-service-crashes",
            "hns-stopped",
        ],
        run: crashes,
    },
    Check {
        id: "firewall-service",
        title: "The firewall service (MpsSvc) runs",
        theme: Theme::Services,
        source: SUPPORT,
        hosts: FROM_TP5,
        finds: &["firewall-service-stopped"],
        run: firewall,
    },
    Check {
        id: "sharing-service",
        title: "Internet Connection Sharing (SharedAccess) can be started, for networks of type ics",
        theme: Theme::Services,
        source: SUPPORT,
        hosts: FROM_TP5,
        finds: &["ics-disabled"],
        run: sharing,
    },
    Check {
        id: "docker-service",
        title: "Docker's service, for information: wcow does without it",
        theme: Theme::Services,
        source: SCRIPT,
        hosts: ANY,
        finds: &[],
        run: docker_service,
    },
    Check {
        id: "docker-program",
        title: "docker.exe on the PATH, for information: wcow does without it",
        theme: Theme::Services,
        source: SCRIPT,
        hosts: ANY,
        finds: &[],
        run: docker_program,
    },
];

/// A container service that must run: its state, and whether it is on this host at all.
fn must_run(
    seen: &Seen,
    name: &str,
    stopped: &[&'static str],
    missing: Option<&'static str>,
) -> Verdict {
    let services = need!(seen.services);
    let mut verdict = Verdict::ok();
    let found = services
        .iter()
        .find(|service| service.name.eq_ignore_ascii_case(name));
    match found {
        Some(service) if service.state == ServiceState::Running => {
            return verdict.saw(format!("{name} runs"));
        }
        Some(_) => {
            verdict.fail(format!("{name} is there and does not run"));
            for cause in stopped {
                verdict.cause(cause);
            }
            verdict
                .way_out(format!(
                    "Start it: Start-Service {name}. If it stops again, look at service-crashes."
                ))
                .fix(Fix::StartService(name.to_owned()));
        }
        None => {
            verdict.fail(format!("there is no service {name}"));
            if let Some(cause) = missing {
                verdict.cause(cause);
            }
            verdict.way_out(
                "It comes with the container feature and a restart: look at containers-feature and restart-pending.",
            );
        }
    }
    verdict
}

fn compute_service(seen: &Seen) -> Verdict {
    let missing = if era::containers_persist(seen.info.build) {
        None
    } else {
        Some("compute-service-missing")
    };
    must_run(seen, "vmcompute", &["compute-service-stopped"], missing)
}

fn network_service(seen: &Seen) -> Verdict {
    if !era::has_hns(seen.info.build) {
        let mut verdict = Verdict::not_applicable(
            "before build 14300 there is no Host Network Service: networks are virtual switches",
        );
        verdict.cause("hns-missing");
        return verdict;
    }
    must_run(seen, "hns", &["hns-stopped"], None)
}

fn management_service(seen: &Seen) -> Verdict {
    let features = need!(seen.features);
    let on = features.iter().any(|feature| {
        feature.name == "Hyper-V"
            && matches!(
                feature.state,
                FeatureState::Enabled | FeatureState::DisablePending
            )
    });
    if !on && !seen.has_package("Compute") {
        return Verdict::not_applicable("Hyper-V is off");
    }
    must_run(seen, "vmms", &["hyper-v-management-stopped"], None)
}

fn crashes(seen: &Seen) -> Verdict {
    /// Entries of the Service Control Manager for a service that ended by itself, and of Windows Error Reporting.
    const ENDED: [u32; 4] = [7023, 7031, 7034, 1000];
    let events = need!(seen.events);
    let mut verdict = Verdict::ok();
    for event in events {
        let text = event.message.to_lowercase();
        let compute = text.contains("vmcompute") || text.contains("host compute service");
        let network = text.contains("hns") || text.contains("host network service");
        if event.level < EventLevel::Error
            || !ENDED.contains(&event.id)
            || !(compute || network || text.contains("vmms"))
        {
            continue;
        }
        verdict.warn(format!(
            "{} {} {}: {}",
            event.time, event.provider, event.id, event.message
        ));
        if compute {
            verdict
                .cause("compute-service-stopped")
                .cause("compute-service-crashes");
        }
        if network {
            verdict.cause("hns-stopped");
        }
    }
    if verdict.evidence.is_empty() {
        return verdict.saw("no such entry in the event logs");
    }
    verdict.way_out(
        "Update Windows; if it goes on, report it with the dump and the Hyper-V-Compute logs.",
    );
    verdict
}

fn firewall(seen: &Seen) -> Verdict {
    let setups = need!(seen.setups);
    let mut verdict = Verdict::ok();
    let Some(setup) = setups
        .iter()
        .find(|setup| setup.name.eq_ignore_ascii_case(FIREWALL))
    else {
        return Verdict::cannot_tell("Windows lists no service MpsSvc");
    };
    if setup.state == ServiceState::Running {
        return verdict.saw("MpsSvc runs");
    }
    let disabled = setup.start == StartMode::Disabled;
    verdict
        .fail(if disabled {
            "MpsSvc is disabled"
        } else {
            "MpsSvc does not run"
        })
        .cause("firewall-service-stopped");
    if disabled {
        verdict.way_out("Let it start with the machine, then start it: sc config MpsSvc start= auto. To let everything through, turn off the profiles of the firewall instead of its service.");
    } else {
        verdict
            .way_out("Start it. To let everything through, turn off the profiles of the firewall instead of its service.")
            .fix(Fix::StartService(FIREWALL.to_owned()));
    }
    verdict
}

fn sharing(seen: &Seen) -> Verdict {
    let setups = need!(seen.setups);
    let mut verdict = Verdict::ok();
    let found = setups
        .iter()
        .find(|setup| setup.name.eq_ignore_ascii_case(SHARING));
    match found {
        Some(setup) if setup.start == StartMode::Disabled => {
            verdict
                .warn("SharedAccess is disabled: networks of type ics cannot be made")
                .cause("ics-disabled")
                .way_out("Only if you need such a network: sc config SharedAccess start= demand");
            verdict
        }
        Some(_) => verdict.saw("SharedAccess can be started"),
        None => Verdict::not_applicable("Windows lists no service SharedAccess"),
    }
}

fn docker_service(seen: &Seen) -> Verdict {
    let setups = need!(seen.setups);
    let found = setups
        .iter()
        .find(|setup| DOCKER_SERVICES.contains(&setup.name.as_str()));
    Verdict::ok().saw(match found {
        Some(setup) if setup.state == ServiceState::Running => format!(
            "{} runs: it may use the same networks and ports",
            setup.name
        ),
        Some(setup) => format!("{} is there and does not run", setup.name),
        None => "not there".to_owned(),
    })
}

fn docker_program(seen: &Seen) -> Verdict {
    Verdict::ok().saw(match need!(seen.docker_program) {
        Some(path) => path.to_string(),
        None => "not there".to_owned(),
    })
}
