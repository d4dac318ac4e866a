//! Every plan is carried out on a simulated host: it answers as predicted.

use wcow_host::{Code, Host, HostControl, HostError, NetworkService, SwitchService};
use wcow_network::{
    Driver, HostNetworking, NetworkPlan, NetworkSpec, NetworkStep, PlanError, plan,
};
use wcow_sim::{Profile, Sim, SimHost};

#[test]
fn every_driver_on_every_profile_ends_as_predicted() {
    let nano = Profile::nano_tp3();
    let mut profiles = Profile::all();
    profiles.push(nano.clone().restarted());
    // Every set of packages that a Nano Server can have.
    for set in 0..1_usize << nano.packages.len() {
        let mut profile = nano.clone().restarted();
        let mut bit = 0;
        profile.packages.retain(|_| {
            bit += 1;
            set >> (bit - 1) & 1 == 1
        });
        profiles.push(profile);
    }
    let mut refused = 0;
    for profile in profiles {
        for driver in Driver::ALL {
            refused += usize::from(check(&profile, &[], driver));
        }
    }
    assert!(refused > 30, "{refused} refusals");
}

#[test]
fn a_second_network_ends_as_predicted() {
    for profile in Profile::all().into_iter().map(Profile::restarted) {
        for first in Driver::ALL {
            for second in Driver::ALL {
                check(&profile, &[first], second);
            }
        }
    }
}

/// Carries out plans one after the other; the last one is compared. True if it was refused.
#[track_caller]
fn check(profile: &Profile, before: &[Driver], driver: Driver) -> bool {
    let what = format!(
        "{driver} after {before:?} on {} with {:?}",
        profile.name, profile.packages
    );
    let sim = Sim::new(profile.clone(), 0);
    let host = sim.client();
    for (index, driver) in before.iter().enumerate() {
        let networking = sim.block_on(read(&host));
        let Ok(plan) = plan(&spec(&format!("before {index}"), *driver), &networking) else {
            continue;
        };
        let _ = sim.block_on(carry_out(&host, &plan));
    }
    let networking = sim.block_on(read(&host));
    let plan = match plan(&spec("net", driver), &networking) {
        Ok(plan) => plan,
        Err(error) => {
            // The only requests of this test that are wrong in themselves.
            assert!(
                matches!(
                    error,
                    PlanError::NoAdapter { .. } | PlanError::AdapterInUse { .. }
                ),
                "{what}: {error}"
            );
            assert_eq!(driver, Driver::External, "{what}: {error}");
            return false;
        }
    };
    let answer = sim.block_on(carry_out(&host, &plan));
    match (plan.predicted(), answer) {
        (None, Ok(())) => false,
        (Some(prediction), Err((step, error))) => {
            assert_eq!(prediction.step, step, "{what}");
            assert_eq!(prediction.error.operation, error.operation, "{what}");
            match (&prediction.error.code, &error.code) {
                (Code::PowerShell(predicted), Code::PowerShell(found)) => {
                    assert_eq!(
                        (predicted.category, &predicted.id),
                        (found.category, &found.id),
                        "{what}"
                    );
                }
                (predicted, found) => assert_eq!(predicted, found, "{what}"),
            }
            assert!(
                prediction.failure.is_some(),
                "{what}: the catalogue does not know {error}"
            );
            true
        }
        (predicted, answer) => panic!("{what}: predicted {predicted:?}, found {answer:?}"),
    }
}

fn spec(name: &str, driver: Driver) -> NetworkSpec {
    NetworkSpec {
        name: name.to_owned(),
        driver,
        subnet: None,
        gateway: None,
        adapter: None,
    }
}

async fn read(host: &SimHost) -> HostNetworking {
    HostNetworking {
        info: host.control().info().await.unwrap(),
        modules: host.control().modules().await.unwrap(),
        adapters: host.switches().adapters().await.unwrap_or_default(),
        switches: host.switches().switches().await.unwrap_or_default(),
        nats: host.switches().nats().await.unwrap_or_default(),
        hns: host.network().networks().await.unwrap_or_default(),
        lost: Vec::new(),
    }
}

async fn carry_out(host: &SimHost, plan: &NetworkPlan) -> Result<(), (usize, HostError)> {
    for (index, step) in plan.steps.iter().enumerate() {
        let answer = match step {
            NetworkStep::NewSwitch(switch) => host.switches().new_switch(switch).await.map(|_| ()),
            NetworkStep::NewNat(nat) => host.switches().new_nat(nat).await.map(|_| ()),
            NetworkStep::HnsCreate(network) => {
                host.network().create_network(network).await.map(|_| ())
            }
        };
        answer.map_err(|error| (index, error))?;
    }
    Ok(())
}
