//! Programs that share a world: this test serves one, and runs itself once more as a program that finds it by an environment variable.

use std::process::Command;
use std::ptr::{null, null_mut};

use wcow_host::{ComputeApi, Identity};
use wcow_sim::{Profile, Sim};
use wcow_sim_dll::abi::PWSTR;
use wcow_sim_dll::network::HcnEnumerateNetworks;
use wcow_sim_dll::v1::{self, HcsEnumerateComputeSystems, HcsGetServiceProperties};
use wcow_sim_link::{Server, World, install_image};

use crate::program::{Wide, take, world};

const VARIABLE: &str = "WCOW_SIM_SERVER";

/// What the other program does; without the variable, nothing.
#[test]
fn a_program_of_a_served_world() {
    let Some(path) = std::env::var_os(VARIABLE) else {
        return;
    };
    let told = world();
    assert_eq!(
        (told["Build"].as_u64(), told["Image"].is_null()),
        (Some(17763), true),
        "{told}"
    );
    let mut text: PWSTR = null_mut();
    // SAFETY: places can be written.
    unsafe {
        assert_eq!(
            HcsGetServiceProperties(std::ptr::null(), &raw mut text, null_mut()),
            0
        );
        assert!(take(text).is_some());
        assert_eq!(
            HcsEnumerateComputeSystems(std::ptr::null(), &raw mut text, null_mut()),
            0
        );
        assert_eq!(take(text).as_deref(), Some("[]"));
        // The file goes when the server has gone.
        std::fs::write(std::path::Path::new(&path).with_extension("go"), "")
            .expect("it can be written");
        let until = std::time::Instant::now() + crate::program::LONG;
        loop {
            let code = HcsEnumerateComputeSystems(std::ptr::null(), &raw mut text, null_mut());
            take(text);
            if code == 0x8037_011E_u32 as i32 {
                break;
            }
            assert!(code == 0 && std::time::Instant::now() < until, "{code:x}");
        }
    }
}

#[test]
fn a_world_is_shared_and_its_end_is_an_error() {
    if std::env::var_os(VARIABLE).is_some() {
        return;
    }
    let profile = Profile::named("server-2019").expect("embedded").restarted();
    let sim = Sim::new(profile.clone(), 1);
    let client = sim.client_with(Identity::Administrator, ComputeApi::V1);
    sim.run(install_image(&client, &profile))
        .expect("it ends")
        .expect("it is taken");
    let world = World::start(sim, 1000).expect("a thread");
    let server = Server::start(&world).expect("a port");
    let path = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("served-{}", std::process::id()));
    server.address().write(&path).expect("it can be written");
    let go = path.with_extension("go");
    let mut program = Command::new(std::env::current_exe().expect("it has a path"))
        .args([
            "served::a_program_of_a_served_world",
            "--exact",
            "--nocapture",
        ])
        .env(VARIABLE, &path)
        .spawn()
        .expect("it starts");
    while !go.is_file() {
        if let Some(status) = program.try_wait().expect("it is a child") {
            panic!("the program ended: {status}");
        }
        std::thread::yield_now();
    }
    drop(server);
    assert!(program.wait().expect("it is a child").success());
    for path in [path, go] {
        std::fs::remove_file(path).expect("it is there");
    }
    world.runner().stop();
}

const WHO: &str = "WCOW_SIM_IDENTITY";

/// What a program does whose caller may nothing; for anybody else, nothing.
#[test]
fn a_program_without_rights() {
    if std::env::var(WHO).as_deref() != Ok("plain-user") {
        return;
    }
    let mut text: PWSTR = null_mut();
    let query = Wide::new("{}");
    // SAFETY: texts end with a NUL, places can be written.
    unsafe {
        // The document explains it.
        let code = v1::HcsEnumerateComputeSystems(query.get(), null_mut(), &raw mut text);
        assert_eq!(code & !0x4000_0000, 0x8037_011B_u32 as i32, "{code:x}");
        let document = take(text).expect("a document");
        assert!(document.contains("Hyper-V Administrators"), "{document}");
        let told = crate::v2::call(|operation| {
            wcow_sim_dll::v2::HcsEnumerateComputeSystems(query.get(), operation)
        });
        assert_eq!(told.expect_err("it may not").0, 0x8037_011B);
        let code = HcnEnumerateNetworks(null(), &raw mut text, null_mut());
        assert_eq!(code, 0x8007_0005_u32 as i32);
        let image = Wide::new(world()["Image"].as_str().expect("a folder"));
        let code = v1::layers::ProcessBaseImage(image.get());
        assert_eq!(code, 0x8007_0522_u32 as i32);
    }
}

#[test]
fn a_program_that_is_not_elevated_is_told_so() {
    let ended = Command::new(std::env::current_exe().expect("it has a path"))
        .args(["served::a_program_without_rights", "--exact", "--nocapture"])
        .env(WHO, "plain-user")
        .status();
    assert!(ended.expect("it starts").success());
}
