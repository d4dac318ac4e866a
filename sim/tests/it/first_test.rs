//! A tool that makes switches, and its test.

use wcow_host::{Host, HostError, NewVmSwitch, Retry, SwitchService, SwitchType};
use wcow_sim::{Check, Profile, Sim};

/// The tool: makes a switch, and tries again where the host says that it may help.
async fn make_switch<H: Host>(host: &H, name: &str) -> Result<(), HostError> {
    let (name, kind) = (name.to_owned(), SwitchType::Internal);
    let wanted = NewVmSwitch {
        name,
        kind,
        adapter: None,
        nat_subnet: None,
    };
    loop {
        match host.switches().new_switch(&wanted).await {
            Err(error) if error.retry == Retry::Soon => {}
            answer => return answer.map(drop),
        }
    }
}

/// What has to hold: when the tool is done, there is one switch of that name.
pub(crate) async fn one_switch(sim: Sim) {
    let host = sim.client();
    make_switch(&host, "lab")
        .await
        .expect("it succeeds in the end");
    sim.take_faults(); // from here on nothing goes wrong
    let switches = host.switches().switches().await.expect("no fault");
    let named = switches.iter().filter(|switch| switch.name == "lab");
    assert_eq!(named.count(), 1);
}

pub(crate) fn there_is_one_switch() {
    Check::new(Profile::server_2022()).faults(3).run(one_switch);
}
