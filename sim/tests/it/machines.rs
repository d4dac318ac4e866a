//! Virtual machines of their own, and the containers in them: what the conformance suite does not ask, because it takes a host that lacks
//! something, a machine that is changed, or two of them.

use std::cell::Cell;

use proptest::prelude::*;
use wcow_hcs_schema::SchemaVersion;
use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork};
use wcow_hcs_schema::schema1::{ContainerConfig, MappedDirectory, ModifyRequestType, PropertyType};
use wcow_hcs_schema::schema2::{
    Attachment, ComputeSystem, GuestRequest, GuestRequestType, GuestResource, ModifySettingRequest,
    PathPart, ResourcePath, Services, Shutdown, VirtualMachine, VirtualSmbShare,
};
use wcow_host::client::{Client, race};
use wcow_host::era::ImageFacts;
use wcow_host::utility_vm::UtilityVm;
use wcow_host::{
    Clock, ComputeApi, ComputeService, CreateDocument, ExitType, FileSystem, Host, HostControl,
    HostError, LayerStorage, Modification, NetworkService, SaveType, SystemEvent, SystemHandle,
    SystemId, SystemState, WriteMode,
};
use wcow_ntmeta::FileTime;
use wcow_sim::{Profile, Sim, SimHost};

use crate::containers::*;
use crate::support::{code, host, path, run, win32};

/// What Windows takes in a machine, with a container in it, in MiB, rounded up; and what a program of the tests takes.
const MACHINE: i64 = 128 + 26 + 26;
const PROGRAM: i64 = 3;

/// A host with the scratch layer of a container and the disks of its machine.
struct Bed {
    sim: Sim,
    client: SimHost,
    machine: UtilityVm,
}

impl Bed {
    fn new(
        profile: &Profile,
        image: &ImageFacts,
        change: impl FnOnce(&mut ContainerConfig),
    ) -> Self {
        let sim = host(profile.clone()).0;
        let client = sim.client_of(ComputeApi::V2);
        let machine = run(&sim, async {
            install_image(&client, image).await;
            install_utility_vm(&client).await;
            let layers = client.layers();
            let folder = scratch(profile);
            layers.create_scratch(&folder, &parents()).await.unwrap();
            let CreateDocument::Schema1(mut config) = document(&client, profile).await else {
                panic!("a document of schema 1");
            };
            config.hv_partition = true;
            change(&mut config);
            let machine = UtilityVm::new(&id(), config).unwrap();
            let made = Client::new(&client).make_machine_disks(&machine).await;
            made.unwrap();
            machine
        });
        Self {
            sim,
            client,
            machine,
        }
    }

    fn usual() -> Self {
        let profile = Profile::server_2022();
        Self::new(&profile, &fitting(&profile), |_| {})
    }

    fn run<T>(&self, future: impl Future<Output = T>) -> T {
        run(&self.sim, future)
    }

    async fn create(
        &self,
        id: &SystemId,
        document: ComputeSystem,
    ) -> Result<SystemHandle, HostError> {
        let document = CreateDocument::Schema2(Box::new(document));
        self.client.compute().create(id, &document).await
    }

    async fn create_machine(&self) -> SystemHandle {
        let document = self.machine.machine();
        self.create(self.machine.id(), document).await.unwrap()
    }

    async fn change(
        &self,
        system: SystemHandle,
        change: ModifySettingRequest,
    ) -> Result<(), HostError> {
        let change = Modification::Schema2(change);
        self.client.compute().modify(system, &change).await
    }

    /// The machine and the container in it, running.
    async fn both(&self) -> (SystemHandle, SystemHandle) {
        let machine = self.create_machine().await;
        let compute = self.client.compute();
        compute.start(machine).await.unwrap();
        for change in self.machine.preparations() {
            self.change(machine, change).await.unwrap();
        }
        let container = self.create(&id(), self.machine.container()).await.unwrap();
        compute.start(container).await.unwrap();
        (machine, container)
    }
}

fn asked(document: &mut ComputeSystem) -> &mut VirtualMachine {
    document.virtual_machine.as_mut().expect("a machine")
}

#[test]
fn a_host_without_hyper_v_has_no_machine() {
    let profile = Profile::server_2022();
    let bed = Bed::usual();
    bed.run(async {
        let control = bed.client.control();
        control.disable_feature("Hyper-V").await.unwrap();
        reboot(&bed.client).await;
        let again = bed.sim.client_of(ComputeApi::V2);
        let document = CreateDocument::Schema2(Box::new(bed.machine.machine()));
        let answer = again.compute().create(bed.machine.id(), &document).await;
        assert_eq!(code(answer), "0x80370102", "{}", profile.name);
    });
}

#[test]
fn a_newer_image_does_not_come_up_and_an_older_guest_knows_no_schema_2() {
    let profile = Profile::server_2022();
    let fitting = fitting(&profile);
    for (build, expected) in [
        (20349, "0x80370101"),
        (20348, "ok"),
        (17763, "ok"),
        (14393, "ok"),
    ] {
        let image = ImageFacts {
            build,
            ..fitting.clone()
        };
        let bed = Bed::new(&profile, &image, |_| {});
        bed.run(async {
            let machine = bed.create_machine().await;
            let started = bed.client.compute().start(machine).await;
            assert_eq!(code(started), expected, "build {build}");
            if expected != "ok" {
                return;
            }
            for change in bed.machine.preparations() {
                bed.change(machine, change).await.unwrap();
            }
            let container = bed.create(&id(), bed.machine.container()).await;
            let expected = if build < 17763 { "0x8037010C" } else { "ok" };
            assert_eq!(code(container), expected, "build {build}");
        });
    }
}

#[test]
fn a_guest_that_never_answers_fails_the_start_after_four_minutes() {
    let bed = Bed::usual();
    bed.run(async {
        let boot = r"UtilityVM\Files\EFI\Microsoft\Boot\bootmgfw.efi";
        let boot = path(IMAGE).join(boot);
        bed.client.files().remove_file(&boot).await.unwrap();
        let machine = bed.create_machine().await;
        let before = bed.client.clock().now();
        let started = bed.client.compute().start(machine).await;
        assert_eq!(code(started), "0x80370109");
        let waited = bed.client.clock().now().ticks() - before.ticks();
        assert_eq!(waited / 10_000_000, 240);
        let event = bed.client.compute().next_event(machine).await.unwrap();
        assert!(matches!(
            event,
            SystemEvent::Exited {
                exit: ExitType::UnexpectedExit,
                ..
            }
        ));
    });
}

#[test]
fn a_machine_has_its_memory_and_shares_it_with_its_containers() {
    let profile = Profile::server_2022();
    let of = |mib: i64| {
        Bed::new(&profile, &fitting(&profile), move |config| {
            config.memory_maximum_in_mb = mib;
        })
    };
    let host = i64::try_from(profile.memory_mib).unwrap();
    for (mib, expected) in [(100, "0x80370106"), (host, "ok"), (host + 1, "0x80370106")] {
        let bed = of(mib);
        bed.run(async {
            let machine = bed.create_machine().await;
            let started = bed.client.compute().start(machine).await;
            assert_eq!(code(started), expected, "{mib} MiB");
        });
    }
    let bed = of(MACHINE + PROGRAM);
    bed.run(async {
        let (_, container) = bed.both().await;
        let line = parameters("ping -n 100 localhost");
        let compute = bed.client.compute();
        let mut answers = Vec::new();
        for _ in 0..4 {
            answers.push(code(compute.create_process(container, &line).await));
        }
        assert_eq!(answers.first().map(String::as_str), Some("ok"));
        assert_eq!(answers.last(), Some(&win32(0x5af)));
    });
}

#[test]
fn machines_that_keep_their_memory_must_fit_the_host_together() {
    let profile = Profile::server_2022();
    let half = i64::try_from(profile.memory_mib).unwrap() / 2 + 1;
    let bed = Bed::new(&profile, &fitting(&profile), move |config| {
        config.memory_maximum_in_mb = half;
    });
    bed.run(async {
        for (overcommits, expected) in [(true, "ok"), (false, "0x80370106")] {
            let mut systems = Vec::new();
            for name in ["first", "second"] {
                let mut document = bed.machine.machine();
                let machine = asked(&mut document);
                let topology = machine.compute_topology.as_mut().unwrap();
                topology.memory.as_mut().unwrap().allow_overcommit = Some(overcommits);
                machine.devices.as_mut().unwrap().scsi.clear();
                let name = SystemId(name.to_owned());
                systems.push(bed.create(&name, document).await.unwrap());
            }
            let compute = bed.client.compute();
            compute.start(systems[0]).await.unwrap();
            assert_eq!(code(compute.start(systems[1]).await), expected);
            for system in systems {
                let _ = compute.terminate(system).await;
            }
        }
    });
}

#[test]
fn a_machine_with_the_service_for_it_shuts_down() {
    let bed = Bed::usual();
    bed.run(async {
        let mut document = bed.machine.machine();
        document.schema_version = Some(SchemaVersion::new(2, 5));
        asked(&mut document).services = Some(Services {
            shutdown: Some(Shutdown::default()),
            ..Services::default()
        });
        let compute = bed.client.compute();
        let machine = bed.create(bed.machine.id(), document).await.unwrap();
        compute.start(machine).await.unwrap();
        compute.shutdown(machine).await.unwrap();
        let event = compute.next_event(machine).await.unwrap();
        assert!(matches!(
            event,
            SystemEvent::Exited {
                exit: ExitType::GracefulExit,
                ..
            }
        ));
    });
}

#[test]
fn a_disk_is_the_hosts_or_a_machines() {
    let bed = Bed::usual();
    let folder = scratch(&Profile::server_2022());
    bed.run(async {
        let (layers, compute) = (bed.client.layers(), bed.client.compute());
        let machine = bed.create_machine().await;
        compute.start(machine).await.unwrap();
        let [attach, combine] = bed.machine.preparations();
        layers.activate(&folder).await.unwrap();
        assert_eq!(code(bed.change(machine, attach.clone()).await), win32(0x20));
        layers.deactivate(&folder).await.unwrap();
        bed.change(machine, attach.clone()).await.unwrap();
        assert_eq!(code(layers.activate(&folder).await), win32(0x20));
        assert_eq!(code(layers.destroy(&folder).await), win32(0x20));
        assert_eq!(code(bed.change(machine, attach).await), win32(0xb7));
        bed.change(machine, combine.clone()).await.unwrap();
        assert_eq!(code(bed.change(machine, combine).await), win32(0xb7));
        compute.terminate(machine).await.unwrap();
        layers.activate(&folder).await.unwrap();
        layers.deactivate(&folder).await.unwrap();
        layers.destroy(&folder).await.unwrap();
    });
}

#[test]
fn what_a_container_stands_on_cannot_be_taken_away() {
    let bed = Bed::usual();
    bed.run(async {
        let (machine, container) = bed.both().await;
        let [mut attach, mut combine] = bed.machine.preparations();
        let remove = |request: &mut ModifySettingRequest| {
            let asked = request.guest_request.take().unwrap();
            let mut asked: GuestRequest = serde_json::from_value(asked).unwrap();
            asked.request_type = Some(GuestRequestType::Remove);
            request.guest_request = Some(asked.to_value());
            request.request_type = Some(ModifyRequestType::Remove);
        };
        remove(&mut attach);
        remove(&mut combine);
        assert_eq!(
            code(bed.change(machine, combine.clone()).await),
            win32(0x20)
        );
        assert_eq!(code(bed.change(machine, attach.clone()).await), win32(0x20));
        bed.client.compute().terminate(container).await.unwrap();
        bed.change(machine, combine).await.unwrap();
        bed.change(machine, attach.clone()).await.unwrap();
        assert_eq!(code(bed.change(machine, attach).await), win32(0x490));
        // Nothing holds the disk any more.
        let folder = scratch(&Profile::server_2022());
        bed.client.layers().activate(&folder).await.unwrap();
    });
}

#[test]
fn changes_that_do_not_fit_are_refused_and_change_nothing() {
    let bed = Bed::usual();
    bed.run(async {
        let machine = bed.create_machine().await;
        bed.client.compute().start(machine).await.unwrap();
        let share = |name: &str, folder: &str| VirtualSmbShare {
            name: Some(name.to_owned()),
            path: Some(folder.to_owned()),
            ..VirtualSmbShare::default()
        };
        let shares = |request, share: &VirtualSmbShare| {
            ModifySettingRequest::new(&ResourcePath::VirtualSmbShares, request)
                .with_settings(share.to_value())
        };
        let (add, remove) = (ModifyRequestType::Add, ModifyRequestType::Remove);
        let disk = |lun| {
            let path = ResourcePath::ScsiAttachment(PathPart::new("0").unwrap(), lun);
            let disk = Attachment {
                path: Some(bed.machine.scratch_disk().to_string()),
                ..Attachment::default()
            };
            ModifySettingRequest::new(&path, ModifyRequestType::Add).with_settings(disk.to_value())
        };
        let guest = |resource| {
            ModifySettingRequest::default().with_guest_request(&GuestRequest {
                resource_type: Some(resource),
                request_type: Some(GuestRequestType::Add),
                ..GuestRequest::default()
            })
        };
        let data = share("data", r"C:\ProgramData");
        let refused_by_guest = disk(7).with_guest_request(&GuestRequest {
            resource_type: Some(GuestResource::SecurityPolicy),
            request_type: Some(GuestRequestType::Add),
            ..GuestRequest::default()
        });
        for (change, expected) in [
            (shares(add.clone(), &share("none", r"C:\none")), win32(0x3)),
            (
                shares(remove.clone(), &share("none", r"C:\none")),
                win32(0x490),
            ),
            (
                shares(add.clone(), &share("", r"C:\ProgramData")),
                "0x8037010D".to_owned(),
            ),
            (shares(add.clone(), &data), "ok".to_owned()),
            (shares(add, &data), win32(0xb7)),
            (shares(remove, &data), "ok".to_owned()),
            (refused_by_guest, win32(0x32)),
            (disk(7), "ok".to_owned()),
            (disk(8), win32(0x20)),
            (guest(GuestResource::HvSocket), win32(0x32)),
            (
                guest(GuestResource::CombinedLayers),
                "0x8037010D".to_owned(),
            ),
            (ModifySettingRequest::default(), "0x8037010D".to_owned()),
        ] {
            assert_eq!(
                code(bed.change(machine, change.clone()).await),
                expected,
                "{change:?}"
            );
        }
    });
}

#[test]
fn folders_of_the_host_are_shared_with_the_machine_and_seen_by_the_container() {
    let profile = Profile::server_2022();
    let bed = Bed::new(&profile, &fitting(&profile), |config| {
        config.mapped_directories = [(r"C:\data", false), (r"C:\rules", true)]
            .map(|(folder, read_only)| MappedDirectory {
                host_path: Some(folder.to_owned()),
                container_path: Some(folder.to_owned()),
                read_only: Some(read_only),
                ..MappedDirectory::default()
            })
            .to_vec();
    });
    bed.run(async {
        let files = bed.client.files();
        for folder in [r"C:\data", r"C:\rules"] {
            files.create_dir_all(&path(folder)).await.unwrap();
            let file = path(folder).join("a.txt");
            files
                .write(&file, b"of the host", WriteMode::CreateNew)
                .await
                .unwrap();
        }
        let (_, container) = bed.both().await;
        let seen = exec(&bed.client, container, r"cmd /c type C:\data\a.txt").await;
        assert_eq!(seen.out.trim(), "of the host");
        exec(&bed.client, container, r"cmd /c echo new> C:\data\b.txt").await;
        exec(&bed.client, container, r"cmd /c echo new> C:\rules\b.txt").await;
        assert!(
            files
                .metadata(&path(r"C:\data\b.txt"))
                .await
                .unwrap()
                .is_some()
        );
        assert!(
            files
                .metadata(&path(r"C:\rules\b.txt"))
                .await
                .unwrap()
                .is_none()
        );
    });
}

#[test]
fn an_endpoint_is_an_adapter_of_the_machine() {
    let profile = Profile::server_2022();
    let (sim, client) = host(profile.clone());
    let endpoint = run(&sim, async {
        let network = HnsNetwork {
            name: "nat".to_owned(),
            kind: "nat".to_owned(),
            ..HnsNetwork::default()
        };
        let hns = client.network();
        let network = hns.create_network(&network).await.unwrap();
        let endpoint = HnsEndpoint {
            virtual_network: network.id,
            ..HnsEndpoint::default()
        };
        hns.create_endpoint(&endpoint).await.unwrap().id
    });
    let config = ContainerConfig {
        layer_folder_path: scratch(&profile).to_string(),
        layers: vec![wcow_hcs_schema::schema1::Layer {
            id: String::new(),
            path: IMAGE.to_owned(),
            ..wcow_hcs_schema::schema1::Layer::default()
        }],
        endpoint_list: vec![endpoint.clone()],
        hv_partition: true,
        ..ContainerConfig::default()
    };
    let client = sim.client_of(ComputeApi::V2);
    let machine = UtilityVm::new(&id(), config).unwrap();
    run(&sim, async {
        install_image(&client, &fitting(&profile)).await;
        install_utility_vm(&client).await;
        let folder = scratch(&profile);
        client
            .layers()
            .create_scratch(&folder, &parents())
            .await
            .unwrap();
        Client::new(&client)
            .make_machine_disks(&machine)
            .await
            .unwrap();
    });
    let bed = Bed {
        sim,
        client,
        machine,
    };
    bed.run(async {
        let (machine, _) = bed.both().await;
        let hns = bed.client.network();
        let users = hns.endpoints().await.unwrap()[0].shared_containers.clone();
        assert_eq!(users, [bed.machine.id().0.clone()]);
        assert!(
            hns.delete_endpoint(endpoint.parse().unwrap())
                .await
                .is_err()
        );
        bed.client.compute().terminate(machine).await.unwrap();
        hns.delete_endpoint(endpoint.parse().unwrap())
            .await
            .unwrap();
    });
}

#[test]
fn a_machine_that_stands_still_holds_back_what_was_about_to_happen() {
    let bed = Bed::usual();
    bed.run(async {
        let (machine, container) = bed.both().await;
        let compute = bed.client.compute();
        let still_there = Cell::new(false);
        let asked = compute.shutdown(container);
        let told = race(asked, async {
            let soon = FileTime::from_ticks(bed.client.clock().now().ticks() + 500_000);
            bed.client.clock().sleep_until(soon).await;
            compute.pause(machine).await.unwrap();
            let later = FileTime::from_ticks(bed.client.clock().now().ticks() + 600_000_000);
            bed.client.clock().sleep_until(later).await;
            let status = compute.status(container).await.unwrap();
            still_there.set(status.state == SystemState::Running);
            compute.resume(machine).await.unwrap();
        });
        told.await;
        assert!(still_there.get(), "a minute later");
        let event = compute.next_event(container).await.unwrap();
        assert!(matches!(
            event,
            SystemEvent::Exited {
                exit: ExitType::GracefulExit,
                ..
            }
        ));
    });
}

#[test]
fn a_saved_host_goes_on_with_its_machines_and_a_restart_ends_them() {
    let bed = Bed::usual();
    bed.run(bed.both());
    let saved = bed.sim.save().unwrap();
    let sim = Sim::load(&saved, bed.sim.blobs()).unwrap();
    let client = sim.client_of(ComputeApi::V2);
    run(&sim, async {
        let compute = client.compute();
        let container = compute.open(&id()).await.unwrap();
        let ran = exec(&client, container, "cmd /c echo again").await;
        assert_eq!(ran.out.trim(), "again");
        let machine = compute.open(bed.machine.id()).await.unwrap();
        let asked = [PropertyType::GuestConnection];
        let told = compute.properties(machine, &asked).await.unwrap();
        let guest = told.guest_connection_info.unwrap();
        assert_eq!(guest.supported_schema_versions, [SchemaVersion::new(2, 5)]);
        reboot(&client).await;
    });
    let client = sim.client_of(ComputeApi::V2);
    run(&sim, async {
        assert_eq!(client.compute().enumerate().await.unwrap(), []);
        let folder = scratch(&Profile::server_2022());
        client.layers().destroy(&folder).await.unwrap();
    });
}

/// A call, by number, on the machine or on the container.
#[derive(Clone, Copy, Debug)]
struct Step {
    call: u8,
    container: bool,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever is called in whatever order: every call is answered, a container never outlives its machine, and once both are
    /// gone nothing of them holds a disk or a layer.
    #[test]
    fn any_order_of_calls_leaves_nothing_behind(
        steps in prop::collection::vec(
            (0_u8..11, any::<bool>()).prop_map(|(call, container)| Step { call, container }),
            1..24,
        ),
    ) {
        let bed = Bed::usual();
        let folder = scratch(&Profile::server_2022());
        bed.run(async {
            let compute = bed.client.compute();
            for step in steps {
                let name = if step.container { id() } else { bed.machine.id().clone() };
                if step.call == 0 {
                    let document = if step.container {
                        bed.machine.container()
                    } else {
                        bed.machine.machine()
                    };
                    let _ = bed.create(&name, document).await;
                    continue;
                }
                let Ok(system) = compute.open(&name).await else {
                    continue;
                };
                let [attach, combine] = bed.machine.preparations();
                let _ = match step.call {
                    1 | 2 => compute.start(system).await,
                    3 => compute.pause(system).await,
                    4 => compute.resume(system).await,
                    5 => compute.save(system, SaveType::ToFile).await,
                    6 => compute.terminate(system).await,
                    7 => bed.change(system, attach).await,
                    8 => bed.change(system, combine).await,
                    9 => compute.shutdown(system).await,
                    _ => compute.create_process(system, &parameters("ping -n 9 localhost")).await.map(drop),
                };
                let machine = compute.open(bed.machine.id()).await;
                let container = compute.open(&id()).await;
                assert!(machine.is_ok() || container.is_err());
            }
            for name in [id(), bed.machine.id().clone()] {
                if let Ok(system) = compute.open(&name).await {
                    let _ = compute.terminate(system).await;
                }
            }
            assert_eq!(compute.enumerate().await.unwrap(), []);
            bed.client.layers().destroy(&folder).await.unwrap();
        });
    }
}
