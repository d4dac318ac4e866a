//! Bodies that run over many seeds.

use std::cell::Cell;

use wcow_host::{FileSystem, Host, HostControl, WriteMode};
use wcow_sim::{Check, Profile, Sim, check};

use crate::support::path;

#[test]
fn a_body_runs_once_for_each_seed() {
    let runs = Cell::new(0);
    Check::new(Profile::server_2022())
        .seeds(7)
        .run(async |sim: Sim| {
            runs.set(runs.get() + 1);
            sim.client().control().info().await.unwrap();
        });
    assert_eq!(runs.get(), 7);
    check(Profile::core_tp3(), async |sim| {
        sim.client().control().info().await.map(|_| ())
    });
}

/// Two clients add one to a number in a file, without a lock.
async fn count_to_two(sim: Sim) {
    let file = path(r"C:\number");
    let first = sim.client();
    first
        .files()
        .write(&file, &[0], WriteMode::CreateNew)
        .await
        .unwrap();
    let add = |client: wcow_sim::SimHost| async move {
        let file = path(r"C:\number");
        let read = client.files().read(&file, 1).await.unwrap();
        client
            .files()
            .write(&file, &[read[0] + 1], WriteMode::Overwrite)
            .await
            .unwrap();
    };
    let other = sim.spawn(add(sim.client()));
    add(sim.client()).await;
    other.await;
    let read = first.files().read(&file, 1).await.unwrap();
    assert_eq!(read, [2]);
}

#[test]
fn a_race_is_found_and_its_seed_finds_it_again() {
    let check = Check::new(Profile::server_2022()).any_order().seeds(200);
    let found = check.find(count_to_two).expect("an update is lost");
    let sim = check.host(found.seed);
    let again = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        sim.run(count_to_two(sim.clone()))
    }));
    assert!(again.is_err(), "seed {}", found.seed);
}

#[test]
fn a_body_that_trusts_the_disk_is_found_by_faults() {
    let body = async |sim: Sim| {
        let client = sim.client();
        let file = path(r"C:\file");
        for _ in 0..40 {
            let written = client
                .files()
                .write(&file, b"x", WriteMode::Overwrite)
                .await;
            written.map_err(|error| error.to_string())?;
        }
        Ok::<_, String>(())
    };
    let check = Check::new(Profile::server_2022()).seeds(50);
    assert!(check.find(body).is_none());
    let found = check.faults(5).find(body).expect("a call is refused");
    assert!(found.told.contains("WriteFile"), "{}", found.told);
}

#[test]
fn a_body_that_waits_for_nothing_is_told() {
    let found = Check::new(Profile::server_2022())
        .seeds(1)
        .find(async |_| std::future::pending::<()>().await)
        .expect("it does not end");
    assert!(
        found.told.contains("nothing is left to happen"),
        "{}",
        found.told
    );
}
