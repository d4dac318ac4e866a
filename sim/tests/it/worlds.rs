//! Worlds as a whole: where choices come from, which order events take, several hosts, forks, the wall clock.

use wcow_host::{
    Clock, FileSystem, Host, HostControl, NewVmSwitch, SwitchService, SwitchType, WriteMode,
};
use wcow_ntmeta::FileTime;
use wcow_sim::{Choices, Exhaustive, Label, Order, Profile, Recording, Schedule, Sim, SimHost};

use crate::support::{STEP, path, run};

const SECOND: u64 = 10_000_000;

/// Two clients do something at the same time.
fn two_clients(sim: &Sim) {
    let write = |client: SimHost, name: &'static str| async move {
        for number in 0..5_u8 {
            let file = path(&format!(r"C:\{name}{number}"));
            let files = client.files();
            files
                .write(&file, &[number], WriteMode::CreateNew)
                .await
                .unwrap();
            files.sync_file(&file, STEP).await.unwrap();
        }
    };
    let other = sim.spawn(write(sim.client(), "a"));
    run(sim, write(sim.client(), "b"));
    run(sim, other);
    let host = sim.client();
    run(sim, async { host.control().reboot().await.unwrap() });
}

#[test]
fn what_a_run_drew_repeats_it() {
    let first = Sim::new(Profile::server_2022(), 5);
    first.record_draws();
    two_clients(&first);
    let draws = first.take_draws();
    assert!(draws.len() > 20, "{} draws", draws.len());

    let recording = Recording::of(Some(5), &draws);
    let again = Sim::new(Profile::server_2022(), Choices::Recorded(recording.clone()));
    two_clients(&again);
    assert_eq!(again.fingerprint(), first.fingerprint());

    let mut without_torn = recording;
    without_torn.lists.remove(&Label::Latency);
    let from_the_seed = Sim::new(Profile::server_2022(), Choices::Recorded(without_torn));
    two_clients(&from_the_seed);
    assert_eq!(
        from_the_seed.fingerprint(),
        first.fingerprint(),
        "a label without a list follows the seed"
    );
}

#[test]
fn bytes_are_choices_too() {
    let run = |bytes: &[u8]| {
        let sim = Sim::new(Profile::server_2022(), Choices::Bytes(bytes.to_vec()));
        two_clients(&sim);
        sim.fingerprint()
    };
    assert_eq!(run(&[]), run(&[0; 500]));
    assert_ne!(run(&[]), run(&[200; 500]));
}

/// The order in which two clients, whose calls are due at the same time, write to the same file.
fn last_writers(sim: &Sim) -> Vec<u8> {
    sim.set_schedule(Schedule {
        order: Order::Random,
        quantum: SECOND,
    });
    let write = |client: SimHost, byte: u8| async move {
        let files = client.files();
        for _ in 0..2 {
            let file = path(r"C:\file");
            files
                .write(&file, &[byte], WriteMode::Overwrite)
                .await
                .unwrap();
        }
    };
    let other = sim.spawn(write(sim.client(), b'a'));
    run(sim, write(sim.client(), b'b'));
    run(sim, other);
    let reader = sim.client();
    run(sim, async {
        let read = reader.files().read(&path(r"C:\file"), 9).await.unwrap();
        read.to_vec()
    })
}

#[test]
fn all_orders_of_two_clients_are_enumerated() {
    let mut all = Exhaustive::new([Label::Order]);
    let mut last = Vec::new();
    let mut runs = 0;
    while let Some(choices) = all.choices() {
        let sim = Sim::new(Profile::server_2022(), choices);
        sim.record_draws();
        last.extend(last_writers(&sim));
        all.ran(&sim.take_draws());
        runs += 1;
    }
    last.sort_unstable();
    last.dedup();
    assert_eq!(last, b"ab", "each of them is last in some order");
    assert_eq!(runs, 4, "two decisions between two clients");
}

#[test]
fn an_order_follows_from_the_seed() {
    for order in [Order::FirstIn, Order::Random, Order::Priority { depth: 3 }] {
        let run = |seed| {
            let sim = Sim::new(Profile::server_2022(), seed);
            sim.set_schedule(Schedule {
                order,
                quantum: SECOND,
            });
            two_clients(&sim);
            sim.fingerprint()
        };
        for seed in 0..5_u64 {
            assert_eq!(run(seed), run(seed), "{order:?}, seed {seed}");
        }
    }
}

#[test]
fn hosts_of_one_world_share_the_time_and_nothing_else() {
    let first = Sim::new(Profile::server_2022(), 1);
    let second = first.add_host(Profile::core_tp3(), 2);
    assert_eq!(first.now(), second.now());
    let (a, b) = (first.client(), second.client());
    run(&first, async {
        let switch = NewVmSwitch {
            name: "inner".to_owned(),
            kind: SwitchType::Internal,
            adapter: None,
            nat_subnet: None,
        };
        a.switches().new_switch(&switch).await.unwrap();
        b.files()
            .write(&path(r"C:\only-here"), b"b", WriteMode::CreateNew)
            .await
            .unwrap();
        let count = a.switches().switches().await.unwrap().len();
        assert_eq!(b.switches().switches().await.unwrap().len() + 1, count);
        let there = a.files().metadata(&path(r"C:\only-here")).await.unwrap();
        assert_eq!(there, None);
        assert_eq!(a.control().info().await.unwrap().build, 20348);
        assert_eq!(b.control().info().await.unwrap().build, 10514);
        // While one restarts the other goes on.
        b.control().reboot().await.unwrap();
    });
    assert_eq!(first.now(), second.now());
    let before = first.now();
    second.advance(SECOND);
    assert_eq!(first.now().ticks(), before.ticks() + SECOND);
}

#[test]
fn hosts_of_one_world_repeat_together() {
    let run_both = |seed: u64| {
        let first = Sim::new(Profile::server_2022(), seed);
        let second = first.add_host(Profile::server_2022(), seed + 1);
        let other = second.spawn({
            let second = second.clone();
            async move {
                let client = second.client();
                for _ in 0..20 {
                    client.control().info().await.unwrap();
                }
                second.now()
            }
        });
        two_clients(&first);
        let end = run(&first, other);
        (first.fingerprint(), second.fingerprint(), end)
    };
    assert_eq!(run_both(3), run_both(3));
    assert_ne!(run_both(3), run_both(4));
}

#[test]
fn a_fork_goes_its_own_way() {
    let sim = Sim::new(Profile::server_2022(), 4);
    let host = sim.client();
    let file = path(r"C:\file");
    run(&sim, async {
        let files = host.files();
        files
            .write(&file, b"old", WriteMode::CreateNew)
            .await
            .unwrap();
        files.lock(&path(r"C:\lock")).await.unwrap();
    });
    let fork = sim.fork();
    let twin = sim.fork();
    let there = fork.client();
    let change = async {
        let files = there.files();
        files.lock(&path(r"C:\lock")).await.unwrap();
        files
            .write(&file, b"new", WriteMode::Overwrite)
            .await
            .unwrap();
    };
    run(&fork, change);
    let bytes = run(&sim, async { host.files().read(&file, 9).await.unwrap() });
    assert_eq!(bytes, b"old");

    let there = twin.client();
    run(&twin, async {
        let files = there.files();
        files.lock(&path(r"C:\lock")).await.unwrap();
        files
            .write(&file, b"new", WriteMode::Overwrite)
            .await
            .unwrap();
    });
    assert_eq!(twin.fingerprint(), fork.fingerprint(), "forks are alike");
}

#[test]
fn a_paced_host_serves_a_runtime_of_the_callers() {
    let sim = Sim::new(Profile::server_2022(), 1);
    let host = sim.client();
    let start = sim.now();
    let paced = sim.pace(1_000_000).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let other = host.clone();
        let sleeper = tokio::spawn(async move {
            let until = FileTime::from_ticks(other.clock().now().ticks() + 3600 * SECOND);
            other.clock().sleep_until(until).await;
            assert!(other.clock().now() >= until);
        });
        host.control().reboot().await.unwrap();
        sleeper.await.unwrap();
    });
    drop(paced);
    assert!(sim.now().ticks() >= start.ticks() + 3600 * SECOND);
    let rested = sim.now();
    assert_eq!(sim.now(), rested, "without a pace the clock stands");
}
