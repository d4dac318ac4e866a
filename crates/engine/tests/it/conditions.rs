//! Hosts on which something is wrong, each with the failure that it is the cause of and the check that finds it.

use wcow_engine::doctor::{self, CheckReport, checks};
use wcow_engine::{CreateContainer, Engine};
use wcow_hcs_schema::hns::HnsEndpoint;
use wcow_host::codes::{self, v2, win32};
use wcow_host::{
    EventLevel, EventRecord, FeatureState, FileSystem, FilterDriver, Host, Identity, Interface,
    Listener, NetworkService, NewNetNat, NewStaticMapping, NewVmSwitch, Operation, PortRange,
    RegistryData, RegistryValue, Route, Service, ServiceSetup, ServiceState, StartMode,
    SwitchService, SwitchType, TransportProtocol, WriteMode,
};
use wcow_network::{Driver, NetworkSpec};
use wcow_ntmeta::{HostPath, Hresult};
use wcow_sim::{Evidence, FaultPlan, FaultRule, Profile, What, When};

use crate::support::{Stage, records, wanted};

pub(crate) const CONTAINERS_KEY: &str =
    r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Virtualization\Containers";

pub(crate) fn path(text: &str) -> HostPath {
    HostPath::parse(text).expect("a path")
}

pub(crate) fn diagnose(stage: &Stage) -> Vec<CheckReport> {
    stage.ok(stage.engine.diagnose(&checks()))
}

#[track_caller]
pub(crate) fn report(stage: &Stage, check: &str) -> CheckReport {
    let check = doctor::check(check).expect("a check of this id");
    let mut reports = stage.ok(stage.engine.diagnose(&[check]));
    reports.pop().expect("one report")
}

pub(crate) fn server() -> Stage {
    Stage::new(Profile::server_2022())
}

/// A host of Windows Server 2022 that differs.
pub(crate) fn altered(change: impl FnOnce(&mut Profile)) -> Stage {
    let mut profile = Profile::server_2022();
    change(&mut profile);
    Stage::bare(profile)
}

/// The same, in what is around the containers.
pub(crate) fn showing(change: impl FnOnce(&mut Evidence)) -> Stage {
    let stage = with_network(server());
    stage.sim.change_evidence(change);
    stage
}

/// A host whose caller is not an elevated administrator.
pub(crate) fn called_by(identity: Identity) -> Stage {
    let Stage { sim, .. } = server();
    let engine = Engine::new(sim.client_as(identity));
    Stage { sim, engine }
}

/// A host whose firewall service does not run.
pub(crate) fn firewall_off() -> Stage {
    altered(|profile| {
        profile
            .services
            .push(service("MpsSvc", ServiceState::Stopped))
    })
}

pub(crate) fn network(driver: Driver) -> NetworkSpec {
    NetworkSpec {
        name: "net".to_owned(),
        driver,
        subnet: (driver == Driver::Nat).then(|| "172.20.0.0/16".parse().expect("a subnet")),
        gateway: None,
        adapter: None,
    }
}

pub(crate) fn with_network(stage: Stage) -> Stage {
    stage.ok(stage.engine.create_network(&network(Driver::Nat)));
    stage
}

/// A host with a container that publishes port 8080.
pub(crate) fn publishing(stage: Stage) -> Stage {
    let stage = with_network(stage);
    stage.ok(stage.engine.create_container(CreateContainer {
        network: Some("net".to_owned()),
        publish: vec!["8080:80".parse().expect("a mapping")],
        ..wanted("base", "web")
    }));
    stage
}

/// A host with a container that runs.
pub(crate) fn running() -> Stage {
    let stage = publishing(server());
    stage.ok(stage.engine.start("web"));
    stage
}

/// A host whose records of containers are gone, as if somebody had deleted them.
pub(crate) fn forgotten() -> Stage {
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
pub(crate) fn refusing(operation: Operation, code: Hresult) -> Stage {
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

pub(crate) fn event(provider: &str, id: u32, message: &str) -> EventRecord {
    EventRecord {
        channel: "System".to_owned(),
        provider: provider.to_owned(),
        id,
        level: EventLevel::Error,
        time: Profile::server_2022().start,
        message: message.to_owned(),
    }
}

pub(crate) fn service(name: &str, state: ServiceState) -> Service {
    Service {
        name: name.to_owned(),
        state,
    }
}

pub(crate) fn setup(name: &str, start: StartMode) -> ServiceSetup {
    ServiceSetup {
        name: name.to_owned(),
        start,
        state: ServiceState::Stopped,
    }
}

pub(crate) fn value(key: &str, name: &str, data: u32) -> RegistryValue {
    RegistryValue {
        key: key.to_owned(),
        name: name.to_owned(),
        data: RegistryData::Dword(data),
    }
}

pub(crate) fn write(stage: &Stage, file: &str, bytes: &[u8]) {
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

pub(crate) fn image_folder(stage: &Stage) -> HostPath {
    stage.ok(stage.engine.image("base")).path
}

/// A host on which something is wrong, which failure of the catalogue that is the cause of, and the check that finds it.
pub(crate) type Condition = (&'static str, &'static str, fn() -> Stage);

/// Every failure with a cause that lasts.
pub(crate) const CONDITIONS: &[Condition] = &[
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
    ("firewall-service-stopped", "firewall-service", || {
        let stage = firewall_off();
        stage.sim.change_evidence(|evidence| {
            evidence.disabled_services = vec!["MpsSvc".to_owned()];
        });
        stage
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
    ("elevation-missing", "rights", || {
        called_by(Identity::HyperVAdministrator)
    }),
    ("privilege-missing", "rights", || {
        called_by(Identity::HyperVAdministrator)
    }),
    ("not-an-administrator", "rights", || {
        called_by(Identity::PlainUser)
    }),
    ("hyper-v-cmdlet-denied", "rights", || {
        called_by(Identity::PlainUser)
    }),
    ("endpoint-leak", "orphan-endpoints", || {
        orphan_endpoint(None)
    }),
    ("endpoint-leak", "degraded-endpoints", || {
        orphan_endpoint(Some(5))
    }),
    ("firewall-service-stopped", "firewall-service", || {
        firewall_off()
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
pub(crate) fn without_base() -> Stage {
    let stage = publishing(server());
    let image = image_folder(&stage);
    let files = stage.engine.host().files();
    stage
        .sim
        .run(files.rename(&image.join("files"), &image.join("elsewhere")))
        .expect("not stuck")
        .expect("moved");
    stage
}

/// A host on which somebody has the disk of a container attached.
pub(crate) fn attached() -> Stage {
    let stage = publishing(server());
    let scratch = stage.ok(stage.engine.container("web")).scratch;
    stage
        .sim
        .change_evidence(|evidence| evidence.attached.push(path(&scratch)));
    stage
}

/// A host without IPv6.
pub(crate) fn without_ipv6() -> Stage {
    showing(|evidence| {
        evidence.registry.push(value(
            r"SYSTEM\CurrentControlSet\Services\Tcpip6\Parameters",
            "DisabledComponents",
            0xFF,
        ))
    })
}

/// A host with an adapter of a network that is gone.
pub(crate) fn stale_adapter() -> Stage {
    showing(|evidence| {
        evidence.interfaces.push(Interface {
            name: "vEthernet (HNS Internal NIC)".to_owned(),
            address: None,
            switch: None,
        })
    })
}

pub(crate) fn orphan_endpoint(state: Option<u64>) -> Stage {
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

pub(crate) fn stale_nat() -> Stage {
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

pub(crate) fn external(mac_spoofing: Option<bool>) -> Stage {
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

/// Causes that last, and that nothing shows which a host tells without being changed: the size of the volume in a disk, a volume that was
/// never written. The access rights of a disk could be read, and would say nothing: who starts a container grants them anew each time.
pub(crate) const NOT_SHOWN: &[&str] = &[
    "disk-access-missing",
    "scratch-too-large",
    "base-volume-not-written",
];
