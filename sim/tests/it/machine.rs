//! Packages, features, services, restarts.

use wcow_host::{
    Clock, FeatureState, FileSystem, Host, HostControl, Operation, SwitchService, WriteMode,
};
use wcow_ntmeta::FileTime;
use wcow_sim::{FaultPlan, FaultRule, Profile, What, When};

use crate::support::{code, host, path, run, win32};

#[test]
fn a_package_works_after_a_restart() {
    let (sim, client) = host(Profile::nano_tp3().without_packages());
    let control = client.control();
    run(&sim, async {
        assert!(control.packages().await.unwrap().is_empty());
        assert!(!control.info().await.unwrap().reboot_pending);
        assert_eq!(
            code(client.switches().switches().await),
            "CommandNotFoundException"
        );
        for package in ["guest", "Compute", "Containers", "Containers"] {
            control.add_package(package).await.unwrap();
        }
        assert_eq!(code(control.add_package("Solitaire").await), win32(0x2));
        let names: Vec<String> = control
            .packages()
            .await
            .unwrap()
            .into_iter()
            .map(|package| package.name)
            .collect();
        assert_eq!(names, ["Compute", "Containers", "Guest"]);
        let before = control.info().await.unwrap();
        assert!(before.reboot_pending);
        let time = client.clock().now();
        control.reboot().await.unwrap();
        let after = control.info().await.unwrap();
        assert!(!after.reboot_pending);
        assert_ne!(before.boot_id, after.boot_id);
        assert!(client.clock().now().ticks() > time.ticks() + 20 * 10_000_000);
        assert!(client.switches().switches().await.unwrap().is_empty());
    });
}

#[test]
fn without_the_guest_package_a_virtual_machine_shows_no_adapter() {
    let (sim, client) = host(Profile::nano_tp3());
    assert_eq!(run(&sim, client.switches().adapters()).unwrap().len(), 1);
    let mut profile = Profile::nano_tp3();
    profile.packages.retain(|package| package.name != "Guest");
    let (sim, client) = host(profile);
    assert!(run(&sim, client.switches().adapters()).unwrap().is_empty());
}

#[test]
fn features_change_with_a_restart() {
    let (sim, client) = host(Profile::server_2022());
    let control = client.control();
    run(&sim, async {
        assert_eq!(
            control.disable_feature("hyper-v").await.unwrap(),
            FeatureState::DisablePending
        );
        assert!(
            control
                .services()
                .await
                .unwrap()
                .iter()
                .any(|service| service.name == "vmms")
        );
        control.reboot().await.unwrap();
        assert!(
            !control
                .services()
                .await
                .unwrap()
                .iter()
                .any(|service| service.name == "vmms")
        );
        assert_eq!(
            control.enable_feature("Hyper-V").await.unwrap(),
            FeatureState::EnablePending
        );
        assert_eq!(
            control.disable_feature("Hyper-V").await.unwrap(),
            FeatureState::Disabled
        );
        assert_eq!(code(control.enable_feature("Telnet").await), "0x800F080C");
        assert_eq!(code(control.add_package("Containers").await), win32(0x32));
        assert_eq!(code(control.restart_service("nothing").await), win32(0x424));
        control.restart_service("hns").await.unwrap();
    });
}

#[test]
fn nothing_is_open_after_a_restart_and_calls_on_the_way_fail() {
    let (sim, client) = host(Profile::server_2022());
    let other = sim.client();
    let lock = path(r"C:\lock");
    run(&sim, async {
        let held = client.files().lock(&lock).await.unwrap();
        let rebooting = sim.spawn({
            let client = client.clone();
            async move { client.control().reboot().await }
        });
        let soon = FileTime::from_ticks(sim.now().ticks() + 10_000_000);
        other.clock().sleep_until(soon).await;
        assert_eq!(
            code(other.control().info().await),
            win32(0x6ba),
            "the machine is down"
        );
        rebooting.await.unwrap();
        assert_eq!(code(client.files().unlock(held).await), win32(0x6));
        other.files().lock(&lock).await.unwrap();
    });
}

#[test]
fn a_call_that_is_late_goes_down_with_the_machine() {
    let (sim, client) = host(Profile::server_2022());
    let writer = sim.client();
    let rule = FaultRule {
        when: When::Nth {
            operation: Operation::WriteFile,
            number: 1,
        },
        what: What::Late(3_000_000_000),
    };
    sim.set_faults(FaultPlan {
        rules: vec![rule],
        budget: 1,
    });
    let file = path(r"C:\late");
    let writing = sim.spawn({
        let (writer, file) = (writer.clone(), file.clone());
        async move {
            let mode = WriteMode::CreateNew;
            let answer = writer.files().write(&file, b"x", mode).await;
            (answer, writer.clock().now())
        }
    });
    run(&sim, async {
        let soon = FileTime::from_ticks(sim.now().ticks() + 10_000_000);
        client.clock().sleep_until(soon).await;
        client.control().reboot().await.unwrap();
        let (answer, when) = writing.await;
        assert_eq!(code(answer), win32(0x6be));
        assert!(
            when < FileTime::from_ticks(soon.ticks() + 10_000_000),
            "it hears of it at once"
        );
    });
    sim.advance(6_000_000_000);
    let found = run(&sim, client.files().metadata(&file)).unwrap();
    assert!(found.is_none(), "it never takes effect");
}

#[test]
fn what_a_host_is_stands_in_its_profile() {
    for profile in Profile::all() {
        let (sim, client) = host(profile.clone());
        let info = run(&sim, client.control().info()).unwrap();
        assert_eq!(
            (info.build, &info.edition),
            (profile.build, &profile.edition)
        );
        assert_eq!(info.simulated.as_deref(), Some(&*profile.name));
        assert_eq!(info.reboot_pending, *profile.name == *"nano-tp3");
    }
}
