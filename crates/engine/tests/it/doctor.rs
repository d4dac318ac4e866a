//! The doctor: what is wrong with a host is found by the check that is there for it, and a healthy host has no failure.

use std::collections::BTreeSet;

use wcow_engine::doctor::{self, CheckReport, Fix, Fixed, Outcome, checks};
use wcow_engine::{CreateContainer, Engine, Force};
use wcow_hcs_schema::hns::HnsEndpoint;
use wcow_host::codes::{self, v2, win32};
use wcow_host::failures::{self, CATALOGUE};
use wcow_host::{
    EventLevel, EventRecord, FeatureState, FileSystem, FilterDriver, Host, Interface, Listener,
    NetworkService, NewNetNat, NewStaticMapping, NewVmSwitch, Operation, PortRange, RegistryData,
    RegistryValue, Route, Service, ServiceSetup, ServiceState, StartMode, SwitchService,
    SwitchType, TransportProtocol, WriteMode, era,
};
use wcow_network::{Driver, NetworkSpec};
use wcow_ntmeta::{HostPath, Hresult};
use wcow_sim::{Evidence, FaultPlan, FaultRule, Profile, What, When};

use crate::support::{Stage, records, wanted};

const CONTAINERS_KEY: &str =
    r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Virtualization\Containers";

fn path(text: &str) -> HostPath {
    HostPath::parse(text).expect("a path")
}

fn diagnose(stage: &Stage) -> Vec<CheckReport> {
    stage.ok(stage.engine.diagnose(&checks()))
}

#[track_caller]
fn report(stage: &Stage, check: &str) -> CheckReport {
    let check = doctor::check(check).expect("a check of this id");
    let mut reports = stage.ok(stage.engine.diagnose(&[check]));
    reports.pop().expect("one report")
}

fn server() -> Stage {
    Stage::new(Profile::server_2022())
}

/// A host of Windows Server 2022 that differs.
fn altered(change: impl FnOnce(&mut Profile)) -> Stage {
    let mut profile = Profile::server_2022();
    change(&mut profile);
    Stage::bare(profile)
}

/// The same, in what is around the containers.
fn showing(change: impl FnOnce(&mut Evidence)) -> Stage {
    let stage = with_network(server());
    stage.sim.change_evidence(change);
    stage
}

fn network(driver: Driver) -> NetworkSpec {
    NetworkSpec {
        name: "net".to_owned(),
        driver,
        subnet: (driver == Driver::Nat).then(|| "172.20.0.0/16".parse().expect("a subnet")),
        gateway: None,
        adapter: None,
    }
}

fn with_network(stage: Stage) -> Stage {
    stage.ok(stage.engine.create_network(&network(Driver::Nat)));
    stage
}

/// A host with a container that publishes port 8080.
fn publishing(stage: Stage) -> Stage {
    let stage = with_network(stage);
    stage.ok(stage.engine.create_container(CreateContainer {
        network: Some("net".to_owned()),
        publish: vec!["8080:80".parse().expect("a mapping")],
        ..wanted("base", "web")
    }));
    stage
}

/// A host with a container that runs.
fn running() -> Stage {
    let stage = publishing(server());
    stage.ok(stage.engine.start("web"));
    stage
}

/// A host whose records of containers are gone, as if somebody had deleted them.
fn forgotten() -> Stage {
    let stage = running();
    let files = stage.engine.host().files();
    let folder = records().join("containers");
    stage
        .sim
        .run(files.remove_dir_all(&folder))
        .expect("not stuck")
        .expect("removed");
    stage
}

/// A host that answers every call of a kind with a code.
fn refusing(operation: Operation, code: Hresult) -> Stage {
    let stage = with_network(server());
    stage.sim.set_faults(FaultPlan {
        rules: vec![FaultRule {
            when: When::Chance {
                operation: Some(operation),
                numerator: 1,
                denominator: 1,
            },
            what: What::RefusedWith(code),
        }],
        budget: 100,
    });
    stage
}

fn event(provider: &str, id: u32, message: &str) -> EventRecord {
    EventRecord {
        channel: "System".to_owned(),
        provider: provider.to_owned(),
        id,
        level: EventLevel::Error,
        time: Profile::server_2022().start,
        message: message.to_owned(),
    }
}

fn service(name: &str, state: ServiceState) -> Service {
    Service {
        name: name.to_owned(),
        state,
    }
}

fn setup(name: &str, start: StartMode) -> ServiceSetup {
    ServiceSetup {
        name: name.to_owned(),
        start,
        state: ServiceState::Stopped,
    }
}

fn value(key: &str, name: &str, data: u32) -> RegistryValue {
    RegistryValue {
        key: key.to_owned(),
        name: name.to_owned(),
        data: RegistryData::Dword(data),
    }
}

fn write(stage: &Stage, file: &str, bytes: &[u8]) {
    let files = stage.engine.host().files();
    let path = path(file);
    let work = async {
        files
            .create_dir_all(&path.parent().expect("a folder"))
            .await?;
        files.write(&path, bytes, WriteMode::Overwrite).await
    };
    stage.sim.run(work).expect("not stuck").expect("written");
}

fn image_folder(stage: &Stage) -> HostPath {
    stage.ok(stage.engine.image("base")).path
}

/// A host on which something is wrong, which failure of the catalogue that is the cause of, and the check that finds it.
type Condition = (&'static str, &'static str, fn() -> Stage);

/// Every failure with a cause that lasts.
const CONDITIONS: &[Condition] = &[
    ("container-before-reboot", "restart-pending", || {
        Stage::bare(Profile::nano_tp3())
    }),
    ("compute-service-missing", "containers-feature", || {
        altered(|profile| profile.features[0].state = FeatureState::Disabled)
    }),
    ("compute-service-missing", "compute-service", || {
        altered(|profile| profile.features[0].state = FeatureState::EnablePending)
    }),
    ("compute-service-missing", "restart-pending", || {
        altered(|profile| profile.features[0].state = FeatureState::EnablePending)
    }),
    ("container-cmdlets-missing", "containers-feature", || {
        Stage::bare(Profile::nano_tp3_bare())
    }),
    ("container-cmdlets-missing", "preview-modules", || {
        Stage::bare(Profile::nano_tp3_bare())
    }),
    ("compute-service-stopped", "compute-service", || {
        altered(|profile| {
            profile
                .services
                .push(service("vmcompute", ServiceState::Stopped))
        })
    }),
    ("compute-service-stopped", "service-crashes", || {
        showing(|evidence| {
            evidence.events.push(event(
                "Service Control Manager",
                7031,
                "The Host Compute Service terminated unexpectedly.",
            ))
        })
    }),
    ("hns-stopped", "network-service", || {
        altered(|profile| profile.services.push(service("hns", ServiceState::Stopped)))
    }),
    ("hns-missing", "network-service", || {
        Stage::bare(Profile::core_tp3())
    }),
    (
        "container-start-timeout-few-processors",
        "preview-processors",
        || Stage::bare(Profile::nano_tp3()),
    ),
    ("unexpected-exit", "memory", || {
        altered(|profile| profile.memory_mib = 512)
    }),
    ("hyper-v-not-installed", "hyper-v", || {
        altered(|profile| profile.features[1].state = FeatureState::Disabled)
    }),
    ("hyper-v-not-installed", "virtualization", || {
        showing(|evidence| evidence.virtualization = Some(false))
    }),
    ("hyper-v-cmdlets-missing", "hyper-v", || {
        Stage::bare(Profile::nano_tp3_bare())
    }),
    ("not-an-administrator", "rights", || {
        refusing(Operation::EnumerateSystems, v2::ACCESS_DENIED)
    }),
    ("not-an-administrator", "rights", || {
        refusing(Operation::FilterDrivers, win32::ACCESS_DENIED)
    }),
    ("privilege-missing", "rights", || {
        refusing(Operation::AttachedDisks, win32::PRIVILEGE_NOT_HELD)
    }),
    ("layer-missing", "layer-chains", without_base),
    ("layer-missing", "image-contents", || {
        let stage = server();
        let hive = image_folder(&stage).join(r"hives\System_Base");
        stage
            .sim
            .run(stage.engine.host().files().remove_file(&hive))
            .expect("not stuck")
            .expect("removed");
        stage
    }),
    ("layer-missing", "image-store", || {
        let stage = server();
        write(
            &stage,
            r"C:\ProgramData\Microsoft\Windows\Images\CN=Microsoft_torn_10.0.20348.0\files\x",
            b"",
        );
        stage
    }),
    ("registry-hive-damaged", "image-contents", || {
        let stage = server();
        let hive = image_folder(&stage).join(r"hives\System_Base");
        write(&stage, &hive.to_string(), b"regf, and no hive");
        stage
    }),
    ("layer-in-use", "attached-scratches", attached),
    ("scratch-exists", "orphan-scratches", forgotten),
    ("disk-full", "disk-space", || {
        altered(|profile| profile.free_bytes = 1 << 20)
    }),
    ("disk-full", "temp-folders", || {
        let stage = server();
        write(
            &stage,
            r"C:\Users\Ann\AppData\Local\Temp\hcs123456\Files\x",
            b"",
        );
        stage
    }),
    ("disk-error", "disk-errors", || {
        showing(|evidence| {
            evidence
                .events
                .push(event("disk", 7, "The device has a bad block."))
        })
    }),
    ("layer-filter-conflict", "filter-drivers", || {
        showing(|evidence| {
            evidence.filters.push(FilterDriver {
                name: "cbfs6".to_owned(),
                altitude: "188900".to_owned(),
            });
        })
    }),
    ("image-mismatch", "image-fits-host", || {
        let stage = Stage::bare(Profile::server_2022());
        stage.install("old", 17763, "ServerDatacenter", true);
        stage
    }),
    ("container-service-missing", "image-fits-host", || {
        let stage = Stage::bare(Profile::server_2022());
        stage.install("plain", 20348, "ServerDatacenter", false);
        stage
    }),
    ("windows-insider-required", "image-fits-host", || {
        let stage = server();
        stage.install("insider", 20289, "ServerDatacenter", true);
        stage
    }),
    ("machine-type-mismatch", "image-fits-host", || {
        let stage = Stage::bare(Profile::nano_tp3().restarted());
        stage.install("core", 10514, "ServerDatacenter", true);
        stage
    }),
    ("published-port-taken", "port-listeners", || {
        let stage = publishing(server());
        stage.sim.change_evidence(|evidence| {
            evidence.listeners.push(Listener {
                protocol: TransportProtocol::Tcp,
                address: [0, 0, 0, 0].into(),
                port: 8080,
                process: "httpd.exe".to_owned(),
            })
        });
        stage
    }),
    ("published-port-taken", "port-ranges", || {
        let stage = publishing(server());
        stage.sim.change_evidence(|evidence| {
            evidence.port_ranges.push(PortRange {
                protocol: TransportProtocol::Tcp,
                first: 8000,
                last: 8099,
                administered: false,
            })
        });
        stage
    }),
    ("published-port-taken", "port-duplicates", || {
        let stage = publishing(server());
        stage.ok(stage.engine.create_container(CreateContainer {
            network: Some("net".to_owned()),
            publish: vec!["8080:81".parse().expect("a mapping")],
            ..wanted("base", "other")
        }));
        stage
    }),
    ("static-mapping-taken", "port-duplicates", || {
        let stage = publishing(Stage::new(Profile::core_tp3()));
        let mapping = NewStaticMapping {
            nat: "ContainerNAT".to_owned(),
            protocol: TransportProtocol::Tcp,
            external_port: 8080,
            internal_address: [172, 20, 0, 9].into(),
            internal_port: 80,
        };
        let switches = stage.engine.host().switches();
        stage
            .sim
            .run(switches.add_static_mapping(&mapping))
            .expect("not stuck")
            .expect("made");
        stage
    }),
    ("network-has-endpoints", "orphan-endpoints", || {
        orphan_endpoint(None)
    }),
    ("endpoint-attached-elsewhere", "degraded-endpoints", || {
        orphan_endpoint(Some(5))
    }),
    ("network-not-found", "recorded-networks", || {
        let stage = server();
        stage.ok(stage.engine.create_network(&network(Driver::Internal)));
        let hns = stage.engine.host().network();
        let remove = async {
            for network in hns.networks().await? {
                hns.delete_network(network.id.parse().expect("a GUID"))
                    .await?;
            }
            Ok::<_, wcow_host::HostError>(())
        };
        stage.sim.run(remove).expect("not stuck").expect("removed");
        stage
    }),
    ("network-not-found", "ipv6", without_ipv6),
    ("network-object-exists", "stale-adapters", stale_adapter),
    ("network-object-exists", "nat-objects", stale_nat),
    ("nat-prefix-conflict", "nat-objects", stale_nat),
    ("nat-prefix-conflict", "route-overlap", || {
        showing(|evidence| {
            evidence.routes.push(Route {
                destination: "172.16.0.0/12".parse().expect("a prefix"),
                next_hop: Some([10, 8, 0, 1].into()),
                interface: "Contoso VPN".to_owned(),
            })
        })
    }),
    ("nat-prefix-conflict", "nat-host-overlap", || {
        showing(|evidence| {
            evidence.interfaces.push(Interface {
                name: "Ethernet 2".to_owned(),
                address: Some("172.20.5.5/24".parse().expect("an address")),
                switch: None,
            })
        })
    }),
    ("netnat-missing", "preview-modules", || {
        Stage::bare(Profile::nano_tp3())
    }),
    ("switch-no-matching-element", "preview-switches", || {
        Stage::bare(Profile::nano_tp3())
    }),
    ("netnat-provider-missing", "nat-provider", || {
        refusing(Operation::ListNats, codes::WMI_INVALID_CLASS)
    }),
    ("hns-adapter-not-found", "adapters", || {
        altered(|profile| profile.adapters.clear())
    }),
    ("external-switch-no-adapter", "adapters", || {
        altered(|profile| profile.adapters.clear())
    }),
    ("adapter-in-use", "adapters", || external(None)),
    ("apipa-without-mac-spoofing", "mac-spoofing", || {
        external(Some(false))
    }),
    ("firewall-service-off", "firewall-service", || {
        showing(|evidence| evidence.services = vec![setup("mpssvc", StartMode::Disabled)])
    }),
    ("ics-disabled", "sharing-service", || {
        showing(|evidence| evidence.services = vec![setup("SharedAccess", StartMode::Disabled)])
    }),
    ("compute-service-crashes", "service-crashes", || {
        showing(|evidence| {
            evidence.events.push(event(
                "Application Error",
                1000,
                "Faulting application name: vmcompute.exe",
            ))
        })
    }),
    ("duplicate-port-accepted", "port-duplicates", || {
        let profile = Profile {
            build: 16299,
            ..Profile::server_2022()
        };
        let stage = publishing(Stage::new(profile));
        stage.ok(stage.engine.create_container(CreateContainer {
            network: Some("net".to_owned()),
            publish: vec!["8080:81".parse().expect("a mapping")],
            ..wanted("base", "other")
        }));
        stage
    }),
    ("elevation-missing", "rights", || {
        refusing(Operation::ListEndpoints, win32::ACCESS_DENIED)
    }),
    ("endpoint-leak", "orphan-endpoints", || {
        orphan_endpoint(None)
    }),
    ("endpoint-leak", "degraded-endpoints", || {
        orphan_endpoint(Some(5))
    }),
    ("firewall-service-stopped", "firewall-service", || {
        showing(|evidence| evidence.services = vec![setup("mpssvc", StartMode::Automatic)])
    }),
    ("hns-create-failed", "stale-adapters", stale_adapter),
    ("hyper-v-management-stopped", "management-service", || {
        altered(|profile| {
            profile
                .services
                .push(service("vmms", ServiceState::Stopped))
        })
    }),
    ("layer-import-failed", "layer-chains", without_base),
    ("layer-left-after-destroy", "orphan-scratches", forgotten),
    ("layer-not-deletable", "orphan-scratches", forgotten),
    ("network-element-missing", "ipv6", without_ipv6),
    ("scratch-disk-locked", "attached-scratches", attached),
    ("switch-being-deleted", "stale-adapters", stale_adapter),
    ("utility-vm-of-another-preview", "image-fits-host", || {
        let stage = Stage::bare(Profile {
            build: 14300,
            ..Profile::core_tp3()
        });
        stage.install("old", 10586, "ServerDatacenter", true);
        stage
    }),
    ("system-already-exists", "orphan-systems", forgotten),
    ("system-not-found", "lost-systems", || {
        let stage = running();
        stage.ok(stage.engine.reboot());
        stage
    }),
];

/// A host whose base image lost its files.
fn without_base() -> Stage {
    let stage = publishing(server());
    let folder = image_folder(&stage).join("files");
    stage
        .sim
        .run(stage.engine.host().files().remove_dir_all(&folder))
        .expect("not stuck")
        .expect("removed");
    stage
}

/// A host on which somebody has the disk of a container attached.
fn attached() -> Stage {
    let stage = publishing(server());
    let scratch = stage.ok(stage.engine.container("web")).scratch;
    stage
        .sim
        .change_evidence(|evidence| evidence.attached.push(path(&scratch)));
    stage
}

/// A host without IPv6.
fn without_ipv6() -> Stage {
    showing(|evidence| {
        evidence.registry.push(value(
            r"SYSTEM\CurrentControlSet\Services\Tcpip6\Parameters",
            "DisabledComponents",
            0xFF,
        ))
    })
}

/// A host with an adapter of a network that is gone.
fn stale_adapter() -> Stage {
    showing(|evidence| {
        evidence.interfaces.push(Interface {
            name: "vEthernet (HNS Internal NIC)".to_owned(),
            address: None,
            switch: None,
        })
    })
}

fn orphan_endpoint(state: Option<u64>) -> Stage {
    let stage = with_network(server());
    let hns = stage.engine.host().network();
    let make = async {
        let network = hns.networks().await?.pop().expect("a network");
        let mut endpoint = HnsEndpoint {
            name: "left".to_owned(),
            virtual_network: network.id,
            ..HnsEndpoint::default()
        };
        if let Some(state) = state {
            endpoint.unknown.insert("State".to_owned(), state.into());
        }
        hns.create_endpoint(&endpoint).await
    };
    stage.sim.run(make).expect("not stuck").expect("made");
    stage
}

fn stale_nat() -> Stage {
    let stage = server();
    let nat = NewNetNat {
        name: "ContainerNAT".to_owned(),
        internal_prefix: "172.16.0.0/12".parse().expect("a prefix"),
    };
    let switches = stage.engine.host().switches();
    stage
        .sim
        .run(switches.new_nat(&nat))
        .expect("not stuck")
        .expect("made");
    stage
}

fn external(mac_spoofing: Option<bool>) -> Stage {
    let stage = server();
    let switch = NewVmSwitch {
        name: "out".to_owned(),
        kind: SwitchType::External,
        adapter: Some("Ethernet".to_owned()),
        nat_subnet: None,
    };
    let switches = stage.engine.host().switches();
    stage
        .sim
        .run(switches.new_switch(&switch))
        .expect("not stuck")
        .expect("made");
    stage
        .sim
        .change_evidence(|evidence| evidence.mac_spoofing = mac_spoofing);
    stage
}

/// Failures that the catalogue may not have yet: they are told of once it does.
const ANNOUNCED: &[&str] = &[
    "compute-service-crashes",
    "duplicate-port-accepted",
    "elevation-missing",
    "endpoint-leak",
    "firewall-service-stopped",
    "hns-create-failed",
    "hyper-v-management-stopped",
    "layer-import-failed",
    "layer-left-after-destroy",
    "layer-not-deletable",
    "network-element-missing",
    "scratch-disk-locked",
    "switch-being-deleted",
    "utility-vm-of-another-preview",
];

/// Causes that last, and that nothing shows which a host tells without being changed: the access rights of a disk, the size of the
/// volume in it, a volume that was never written.
const NOT_SHOWN: &[&str] = &[
    "disk-access-missing",
    "scratch-too-large",
    "base-volume-not-written",
];

/// What passes, and what is wrong with the request and not with the host: there is nothing that a check could find later.
const NOT_OF_THE_HOST: &[&str] = &[
    "program-not-found",
    "process-access-denied",
    "working-directory-invalid",
    "system-not-running",
    "invalid-state",
    "invalid-document",
    "connection-closed",
    "process-already-ended",
    "process-not-found",
    "feature-unknown",
    "handle-gone",
    "service-unknown",
    "layer-not-attached",
    "store-locked",
    "host-unreachable",
    "file-in-use",
    "network-name-taken",
    "address-outside-subnet",
    "network-invalid",
    "port-mapping-invalid",
    "network-needs-vfp",
    "nat-switch-type-gone",
    "switch-not-removed",
    "call-not-supported",
    "desktop-heap-exhausted",
    "guest-not-answering",
    "guest-unreachable",
    "hns-access-denied",
    "hns-unspecified",
    "hyper-v-cmdlet-denied",
    "layer-deleted-as-files",
    "layer-not-exportable",
    "layer-not-ready",
    "layer-storage-timeout",
    "layers-prepared-at-once",
    "mapped-directory-missing",
    "not-a-base-layer",
    "notification-lost",
    "preview-export",
    "preview-image-not-found",
    "utility-vm-incomplete",
    "utility-vm-missing",
    "utility-vm-unreachable",
];

#[test]
fn what_is_wrong_is_found_by_the_check_that_is_there_for_it() {
    for (failure, check, build) in CONDITIONS {
        if failures::get(failure).is_none() {
            assert!(ANNOUNCED.contains(failure), "{failure}");
            continue;
        }
        let stage = build();
        let report = report(&stage, check);
        let found = report.causes.iter().any(|cause| cause.0 == *failure);
        assert!(found, "{failure} is not found: {report:#?}");
        let says = report.outcome <= Outcome::Warning || *failure == "hns-missing";
        assert!(says, "{failure}: {report:#?}");
        assert!(
            *failure == "hns-missing" || !report.way_out.is_empty(),
            "{report:#?}"
        );
    }
}

#[test]
fn every_failure_of_the_catalogue_is_found_by_a_check_or_is_not_the_hosts() {
    let found: BTreeSet<&str> = CONDITIONS.iter().map(|(failure, ..)| *failure).collect();
    let mut missing = Vec::new();
    for failure in CATALOGUE {
        let id = failure.id.0;
        let elsewhere = NOT_OF_THE_HOST.contains(&id) || NOT_SHOWN.contains(&id);
        if found.contains(id) == elsewhere {
            missing.push(id);
        }
    }
    assert_eq!(missing, [""; 0], "expected each in one of the two lists");
}

#[test]
fn checks_promise_what_is_in_the_catalogue_and_find_nothing_else() {
    let mut ids = BTreeSet::new();
    for check in checks() {
        assert!(ids.insert(check.id), "{} is there twice", check.id);
        let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(check.id.chars().all(kebab), "{}", check.id);
        for id in check.finds {
            let known = failures::get(id).is_some() || ANNOUNCED.contains(id);
            assert!(known, "{}: {id}", check.id);
        }
    }
    for (_, _, build) in CONDITIONS {
        for report in diagnose(&build()) {
            let finds = doctor::check(report.id).expect("it is there").finds;
            for cause in &report.causes {
                assert!(finds.contains(&cause.0), "{}: {cause}", report.id);
            }
        }
    }
}

/// A host of a profile with all that containers need, an image, where it can be a network, and a container that runs.
fn ready(profile: Profile) -> Stage {
    let stage = Stage::bare(profile);
    let nano = stage.sim.profile().class == wcow_host::EditionClass::Nano;
    if nano {
        for package in ["Guest", "Compute", "Containers"] {
            stage.ok(stage.engine.enable(package));
        }
    }
    stage.ok(stage.engine.reboot());
    let stage = stage.with_base();
    let mut container = wanted("base", "web");
    if !nano {
        stage.ok(stage.engine.create_network(&network(Driver::Nat)));
        container.network = Some("net".to_owned());
        container.publish = vec!["8080:80".parse().expect("a mapping")];
    }
    stage.ok(stage.engine.create_container(container));
    stage.ok(stage.engine.start("web"));
    stage
}

#[test]
fn a_healthy_host_of_every_profile_has_no_failure() {
    for profile in Profile::all() {
        let stage = ready(profile);
        let name = stage.sim.profile().name;
        let before = stage.traces();
        for report in diagnose(&stage) {
            let bad = match report.outcome {
                Outcome::Failure => true,
                // What a technical preview lacks stays lacking.
                Outcome::Warning => era::has_hns(stage.sim.profile().build),
                Outcome::CannotTell => report.id != "mac-spoofing",
                Outcome::Ok | Outcome::NotApplicable => false,
            };
            assert!(!bad, "{name}: {report:#?}");
        }
        assert_eq!(stage.traces(), before, "looking changes nothing");
    }
}

#[test]
fn settings_of_the_script_are_checked() {
    type Row = (&'static str, fn() -> Stage);
    let rows: [Row; 11] = [
        ("windows-build", || altered(|profile| profile.build = 10074)),
        ("update-level", || {
            altered(|profile| (profile.build, profile.revision) = (14393, 350))
        }),
        ("broken-builds", || altered(|profile| profile.build = 14931)),
        ("vsmb-oplocks", || {
            showing(|evidence| {
                evidence
                    .registry
                    .push(value(CONTAINERS_KEY, "VSmbDisableOplocks", 1))
            })
        }),
        ("template-overrides", || {
            showing(|evidence| {
                evidence
                    .registry
                    .push(value(CONTAINERS_KEY, "zzTemplate", 0))
            })
        }),
        ("bitlocker-policy", || {
            showing(|evidence| {
                evidence.registry.push(value(
                    r"SYSTEM\CurrentControlSet\Policies\Microsoft\FVE",
                    "FDVDenyWriteAccess",
                    1,
                ))
            })
        }),
        ("file-system", || {
            showing(|evidence| evidence.file_system = "ReFS".to_owned())
        }),
        ("nat-switch", || {
            showing(|evidence| {
                evidence.interfaces.push(Interface {
                    name: "vEthernet (net)".to_owned(),
                    address: None,
                    switch: Some(SwitchType::Private),
                })
            })
        }),
        ("nat-translation", || {
            showing(|evidence| {
                evidence
                    .untranslated
                    .push("172.20.0.0/16".parse().expect("a prefix"))
            })
        }),
        ("nat-gateway", || {
            showing(|evidence| {
                evidence
                    .missing_interfaces
                    .push("vEthernet (net)".to_owned())
            })
        }),
        ("records", || {
            let stage = server();
            write(
                &stage,
                r"C:\ProgramData\wcow\records\containers\x.json",
                b"{",
            );
            stage
        }),
    ];
    for (check, build) in rows {
        let report = report(&build(), check);
        assert_eq!(report.outcome, Outcome::Failure, "{report:#?}");
        assert!(
            !report.evidence.is_empty() && !report.way_out.is_empty(),
            "{report:#?}"
        );
    }
    let warns: [Row; 3] = [
        ("any-network", || Stage::bare(Profile::server_2022())),
        ("base-image", || Stage::bare(Profile::server_2022())),
        ("recent-events", || {
            showing(|evidence| {
                evidence.events.push(event(
                    "Hyper-V-Compute",
                    11000,
                    "The container could not be started.",
                ))
            })
        }),
    ];
    for (check, build) in warns {
        assert_eq!(report(&build(), check).outcome, Outcome::Warning, "{check}");
    }
}

#[test]
fn what_docker_has_is_told_and_is_no_trouble() {
    let stage = showing(|evidence| {
        evidence.services.push(ServiceSetup {
            state: ServiceState::Running,
            ..setup("docker", StartMode::Automatic)
        });
        evidence
            .programs
            .push(path(r"C:\Program Files\Docker\docker.exe"));
    });
    for (check, says) in [
        ("docker-service", "docker runs"),
        ("docker-program", r"Docker\docker.exe"),
        ("event-source", "not registered"),
    ] {
        let report = report(&stage, check);
        assert_eq!(report.outcome, Outcome::Ok);
        assert!(
            report.evidence.iter().any(|line| line.contains(says)),
            "{report:#?}"
        );
    }
}

#[test]
fn what_a_host_would_not_say_cannot_be_told_and_the_rest_goes_on() {
    let stage = refusing(Operation::Listeners, win32::ACCESS_DENIED);
    let reports = diagnose(&stage);
    let of = |id: &str| {
        reports
            .iter()
            .find(|report| report.id == id)
            .expect("it is there")
    };
    assert_eq!(of("port-listeners").outcome, Outcome::CannotTell);
    assert_eq!(
        of("port-listeners").reason.as_deref(),
        Some("GetExtendedTcpTable failed: 0x80070005 ERROR_ACCESS_DENIED")
    );
    assert_eq!(of("port-ranges").outcome, Outcome::Ok);
    // A host of which nothing is known is an error of the whole.
    let stage = server();
    stage.sim.set_faults(FaultPlan {
        rules: Operation::ALL
            .iter()
            .map(|&operation| FaultRule {
                when: When::Chance {
                    operation: Some(operation),
                    numerator: 1,
                    denominator: 1,
                },
                what: What::Refused,
            })
            .collect(),
        budget: 1000,
    });
    for report in diagnose(&stage) {
        let told = matches!(
            report.outcome,
            Outcome::Ok | Outcome::CannotTell | Outcome::NotApplicable
        );
        assert!(told || report.id == "windows-build", "{report:#?}");
    }
}

/// Does everything that the doctor proposes on a host; the check that proposed it has nothing to say then.
#[track_caller]
fn fixes(stage: &Stage, check: &str, expected: &[&str]) {
    let before = report(stage, check);
    let actions: Vec<&str> = before.fixes.iter().map(Fix::action).collect();
    assert_eq!(actions, expected, "{before:#?}");
    for fix in &before.fixes {
        let fixed = stage.ok(stage.engine.fix(fix));
        assert_eq!(fixed == Fixed::AfterReboot, fix.needs_reboot(), "{fix}");
        if fixed == Fixed::AfterReboot {
            stage.ok(stage.engine.reboot());
        }
    }
    let after = report(stage, check);
    assert!(after.outcome >= Outcome::CannotTell, "{after:#?}");
    assert_eq!(after.fixes, []);
}

#[test]
fn what_is_proposed_sets_it_right() {
    let stage = altered(|profile| profile.features[0].state = FeatureState::Disabled);
    fixes(&stage, "containers-feature", &["enable-feature"]);
    let stage = Stage::bare(Profile::nano_tp3_bare());
    fixes(&stage, "containers-feature", &["enable-feature"]);
    for (name, check) in [
        ("vmcompute", "compute-service"),
        ("hns", "network-service"),
        ("vmms", "management-service"),
    ] {
        let stage = altered(|profile| profile.services.push(service(name, ServiceState::Stopped)));
        fixes(&stage, check, &["start-service"]);
    }
    let stage = showing(|evidence| evidence.services = vec![setup("mpssvc", StartMode::Automatic)]);
    fixes(&stage, "firewall-service", &["start-service"]);
    fixes(&stale_nat(), "nat-objects", &["remove-nat"]);
    fixes(
        &orphan_endpoint(None),
        "orphan-endpoints",
        &["remove-endpoint"],
    );
    let stage = server();
    write(&stage, r"C:\Windows\SystemTemp\hcs1\x", b"");
    write(&stage, r"C:\Users\Ann\AppData\Local\Temp\hcs2\x", b"");
    write(&stage, r"C:\Users\Ann\AppData\Local\Temp\kept\x", b"");
    fixes(
        &stage,
        "temp-folders",
        &["remove-temp-folder", "remove-temp-folder"],
    );
    let stage = server();
    write(
        &stage,
        r"C:\ProgramData\Microsoft\Windows\Images\.staging\1\x",
        b"",
    );
    fixes(&stage, "image-store", &["clean-image-store"]);
}

#[test]
fn what_a_lost_record_was_about_is_taken_away_step_by_step() {
    let stage = forgotten();
    fixes(&stage, "orphan-systems", &["end-system"]);
    fixes(&stage, "attached-scratches", &["detach-scratch"]);
    fixes(&stage, "orphan-endpoints", &["remove-endpoint"]);
    fixes(&stage, "orphan-scratches", &["destroy-scratch"]);
    assert_eq!(
        stage.traces(),
        [r"C:\ProgramData\wcow\records\networks\net.json"]
    );
}

#[test]
fn a_fix_whose_reason_is_gone_does_nothing() {
    let stage = running();
    let scratch = path(&stage.ok(stage.engine.container("web")).scratch);
    let fixed = stage.ok(stage.engine.fix(&Fix::DestroyScratch(scratch)));
    assert_eq!(fixed, Fixed::NotNeeded);
    let endpoint = stage
        .sim
        .run(stage.engine.host().network().endpoints())
        .expect("not stuck")
        .expect("listed")
        .pop()
        .expect("one");
    let fixed = stage.ok(stage
        .engine
        .fix(&Fix::RemoveEndpoint(endpoint.id.parse().expect("a GUID"))));
    assert_eq!(fixed, Fixed::NotNeeded);
    stage.ok(stage.engine.remove_container("web", Force::Yes));
}

#[test]
fn a_record_that_cannot_be_read_keeps_everything_that_it_may_be_about() {
    let stage = forgotten();
    write(
        &stage,
        r"C:\ProgramData\wcow\records\containers\x.json",
        b"{",
    );
    for check in ["orphan-systems", "orphan-endpoints", "orphan-scratches"] {
        assert_eq!(report(&stage, check).fixes, [], "{check}");
    }
}

/// A host on which the client that creates a container is killed after so many calls.
fn cut_off(calls: u64) -> Stage {
    let stage = server();
    let client = stage.sim.client();
    let engine = Engine::new(client.clone());
    let create = engine.create_container(wanted("base", "half"));
    let ended = stage.sim.run_killed_after(&client, calls, create);
    drop(ended.expect("not stuck"));
    stage
}

#[test]
fn a_command_that_was_cut_off_is_taken_back() {
    let half_made = |stage: &Stage| report(stage, "unfinished").outcome == Outcome::Warning;
    let stage = (1..60)
        .map(cut_off)
        .find(half_made)
        .expect("one of them leaves it half made");
    // Nobody takes it back before a minute has passed.
    stage.sim.advance(120 * 10_000_000);
    fixes(&stage, "unfinished", &["take-back-unfinished"]);
    assert_eq!(stage.traces(), [""; 0]);
}

#[test]
fn a_diagnosis_asks_each_container_a_few_times_only() {
    let calls = |containers: usize| {
        let stage = server();
        for number in 0..containers {
            stage.create("base", &format!("c{number}"));
        }
        let before = stage.sim.calls();
        diagnose(&stage);
        stage.sim.calls() - before
    };
    let (few, many) = (calls(2), calls(12));
    assert_eq!(many - few, 20, "its record, and its scratch disk");
    assert!(few < 80, "{few} calls");
}
