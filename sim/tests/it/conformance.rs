//! The simulated host keeps the rules that every container host must keep, seen through either surface, on every generation from
//! Windows Server 2016 on; those about layers and networks on the technical previews too.

use std::cell::Cell;
use std::future::Future;

use wcow_conformance::{
    About, Arm, Call, Image, Verdict, host_conformance, rules, storage_conformance, verdict,
};
use wcow_hive::HiveBuilder;
use wcow_host::era::ImageFacts;
use wcow_host::{ComputeApi, FileSystem, Host, HostControl, WriteMode, era};
use wcow_sim::{Profile, Sim, SimHost};

use crate::containers::{ID, IMAGE, fitting, install_image, install_utility_vm, parents};
use crate::support::path;

/// A simulated host of its own.
struct SimArm {
    sim: Sim,
    client: SimHost,
    profile: Profile,
    ids: Cell<u32>,
}

impl SimArm {
    fn new(profile: Profile, api: ComputeApi) -> Self {
        let image = fitting(&profile);
        Self::with_image(profile, api, &image)
    }

    fn with_image(profile: Profile, api: ComputeApi, image: &ImageFacts) -> Self {
        let sim = Sim::new(profile.clone(), 7);
        let client = sim.client_of(api);
        sim.run(async {
            install_image(&client, image).await;
            install_utility_vm(&client).await;
            // Hives with something in them: layers can be imported over the image.
            for name in ["DefaultUser", "Sam", "Security", "Software", "System"] {
                let mut hive = HiveBuilder::new(name);
                hive.key("Microsoft").unwrap();
                let at = path(IMAGE).join(&format!(r"hives\{name}_Base"));
                let bytes = hive.build();
                let files = client.files();
                files
                    .write(&at, &bytes, WriteMode::Overwrite)
                    .await
                    .unwrap();
            }
        })
        .unwrap();
        Self {
            sim,
            client,
            profile,
            ids: Cell::new(0),
        }
    }
}

impl Arm for SimArm {
    type Host = SimHost;

    fn host(&self) -> &SimHost {
        &self.client
    }

    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.sim.run(future).unwrap()
    }

    fn image(&self, _: bool) -> Result<Image, String> {
        let scratch = era::scratch_folder(self.profile.build, ID);
        Ok(Image {
            layers: parents(),
            scratch_root: scratch.parent().unwrap(),
        })
    }

    fn networks(&self) -> Result<(), String> {
        Ok(())
    }

    fn fresh_id(&self) -> String {
        self.ids.set(self.ids.get() + 1);
        format!("conformance-{}", self.ids.get())
    }

    fn is_real(&self) -> bool {
        false
    }
}

/// A host of that profile after the restart that its packages wait for.
fn arm(profile: &str, api: ComputeApi) -> SimArm {
    let profile = Profile::named(profile).expect("it is embedded");
    SimArm::new(profile.restarted(), api)
}

host_conformance!(nano_2016, arm("nano-2016", ComputeApi::V1));
host_conformance!(core_2016, arm("core-2016", ComputeApi::V1));
host_conformance!(server_2019_v1, arm("server-2019", ComputeApi::V1));
host_conformance!(server_2019_v2, arm("server-2019", ComputeApi::V2));
host_conformance!(server_2022_v1, arm("server-2022", ComputeApi::V1));
host_conformance!(server_2022_v2, arm("server-2022", ComputeApi::V2));
host_conformance!(server_2025_v1, arm("server-2025", ComputeApi::V1));
host_conformance!(server_2025_v2, arm("server-2025", ComputeApi::V2));
host_conformance!(windows_11_v1, arm("windows-11", ComputeApi::V1));
host_conformance!(windows_11_v2, arm("windows-11", ComputeApi::V2));

storage_conformance!(nano_tp3, arm("nano-tp3", ComputeApi::V1));
storage_conformance!(core_tp3, arm("core-tp3", ComputeApi::V1));
storage_conformance!(nano_tp4, arm("nano-tp4", ComputeApi::V1));
storage_conformance!(nano_tp5, arm("nano-tp5", ComputeApi::V1));

#[test]
fn layers_and_networks_that_do_otherwise_are_found_out() {
    // No service of the network runs, and nothing of the container stack.
    let profile = Profile::server_2022();
    let mut holding = Vec::new();
    for rule in rules().iter().filter(|rule| rule.about != About::Systems) {
        let arm = SimArm::new(profile.clone(), ComputeApi::V1);
        arm.block_on(async {
            let control = arm.host().control();
            control.stop_service("hns").await.unwrap();
            control.disable_feature("Containers").await.unwrap();
            crate::containers::reboot(arm.host()).await;
        });
        if !matches!(verdict(rule.name, &arm), Verdict::Differs(_)) {
            holding.push(rule.name);
        }
    }
    assert_eq!(
        holding,
        [
            "missing_layer_is_not_activated",
            "missing_layer_is_not_destroyed",
            "missing_layer_does_not_exist",
            "empty_folder_exists",
            "shared_images_end_with_2016",
        ]
    );
}

#[test]
fn a_host_that_does_otherwise_is_found_out() {
    // Nothing of this image starts, so no rule that needs a running system can hold.
    let profile = Profile::server_2022();
    let image = ImageFacts {
        build: profile.build + 1,
        ..fitting(&profile)
    };
    for rule in rules().iter().filter(|rule| rule.about == About::Systems) {
        let arm = SimArm::with_image(profile.clone(), ComputeApi::V1, &image);
        let needs_none = rule.row.is_some_and(|row| {
            use wcow_conformance::State::{Absent, Created};
            let created = row.state == Created && row.hyperv;
            created || (row.state == Absent && row.call == Call::Open)
        });
        // What cannot be read asks for no image.
        let needs_none = needs_none || rule.name.starts_with("document_of_");
        let verdict = verdict(rule.name, &arm);
        if rule.is_of_machine() {
            assert!(matches!(verdict, Verdict::Skipped(_)), "{}", rule.name);
            continue;
        }
        let differs = matches!(verdict, Verdict::Differs(_));
        assert_eq!(differs, !needs_none, "{}: {verdict:?}", rule.name);
    }
}
