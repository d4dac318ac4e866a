//! Programs that share a world: this test serves one, and runs itself once more as a program that finds it by an environment variable.

use std::process::Command;
use std::ptr::null_mut;

use wcow_host::{ComputeApi, Identity};
use wcow_sim::{Profile, Sim};
use wcow_sim_dll::abi::PWSTR;
use wcow_sim_dll::v1::{HcsEnumerateComputeSystems, HcsGetServiceProperties};
use wcow_sim_link::{Server, World, install_image};

use crate::program::{take, world};

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
