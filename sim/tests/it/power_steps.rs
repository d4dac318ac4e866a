//! What counts as a durable step, and for whom the power goes.

use wcow_host::{Clock, FileSystem, Host, HostControl, Operation};
use wcow_ntmeta::FileTime;
use wcow_sim::{Ended, FaultPlan, FaultRule, PowerCut, Profile, Sim, What, When};

use crate::power::{SEEDS, Syncs, read, write};
use crate::support::{STEP, path, run};

/// A host whose first flush of a file that was written over meets a fault.
fn with_fault(seed: u64, what: What) -> Sim {
    let sim = Sim::new(Profile::server_2022(), seed);
    let client = sim.client();
    run(&sim, async {
        write(&client, r"C:\a", b"old").await;
        client.sync_file(r"C:\a").await;
        client.sync_dir(r"C:\").await;
        write(&client, r"C:\a", b"new").await;
    });
    let when = When::Nth {
        operation: Operation::FlushFile,
        number: 1,
    };
    sim.set_faults(FaultPlan {
        rules: vec![FaultRule { when, what }],
        budget: 1,
    });
    sim
}

#[test]
fn a_durable_step_that_is_late_counts_when_it_takes_effect() {
    for seed in 0..SEEDS {
        let sim = with_fault(seed, What::Late(100_000_000));
        let steps = sim.durable_steps();
        sim.power_loss_at(PowerCut::After(steps + 1));
        let client = sim.client();
        let ended = sim.run_to_end(client.files().sync_file(&path(r"C:\a"), STEP));
        assert_eq!(ended.unwrap(), Ended::PowerLost);
        assert_eq!(sim.durable_steps(), steps + 1);
        let client = sim.client();
        assert_eq!(
            run(&sim, read(&client, r"C:\a")).as_deref(),
            Some(&b"new"[..])
        );
    }
}

#[test]
fn a_sync_that_a_fault_refuses_is_no_durable_step() {
    let sim = with_fault(0, What::Refused);
    let steps = sim.durable_steps();
    let client = sim.client();
    assert!(run(&sim, client.files().sync_file(&path(r"C:\a"), STEP)).is_err());
    assert_eq!(sim.durable_steps(), steps);
}

#[test]
fn the_power_of_another_host_is_no_end() {
    let first = Sim::new(Profile::server_2022(), 1);
    let second = first.add_host(Profile::core_tp3(), 2);
    first.power_loss_at(PowerCut::Before(1));
    let theirs = first.client();
    let lost =
        first.spawn(async move { theirs.files().sync_dir(&path(r"C:\"), STEP).await.is_ok() });
    let ours = second.client();
    let ended = second.run_to_end(async {
        let later = FileTime::from_ticks(ours.clock().now().ticks() + 1_000_000_000);
        ours.clock().sleep_until(later).await;
        ours.control().info().await.unwrap().build
    });
    assert_eq!(ended.unwrap(), Ended::Value(10514));
    assert_eq!(first.now(), second.now(), "they share the time");
    assert!(second.run(lost).is_err(), "its client is dead");
    let build = run(&first, first.client().control().info()).unwrap().build;
    assert_eq!(build, 20348, "it is up again");
}

#[test]
fn a_client_may_issue_so_many_durable_steps_and_no_more() {
    for most in 0..3 {
        let sim = Sim::new(Profile::server_2022(), 0);
        let client = sim.client();
        sim.limit_durable_steps(&client, most);
        let ended = sim.run(async {
            write(&client, r"C:\a", b"new").await;
            client.sync_file(r"C:\a").await;
            client.sync_dir(r"C:\").await;
        });
        assert_eq!(ended.is_ok(), most == 2);
        assert_eq!(sim.is_spent(&client), most < 2);
        assert_eq!(sim.durable_steps(), most);
        sim.kill(&client);
        let other = sim.client();
        assert_eq!(
            run(&sim, read(&other, r"C:\a")).as_deref(),
            Some(&b"new"[..])
        );
    }
}
