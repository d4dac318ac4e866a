//! `wcow network`.

use wcow_engine::{NetworkBacking, NetworkSummary};
use wcow_network::NetworkSpec;

use super::remove_each;
use crate::args::{Global, NetworkCommand};
use crate::failure::Failure;
use crate::output::Output;
use crate::session::with_host;

/// Runs one command of the group.
pub(crate) fn run(
    command: &NetworkCommand,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        NetworkCommand::Create {
            name,
            driver,
            subnet,
            gateway,
            adapter,
        } => {
            let spec = NetworkSpec {
                name: name.clone(),
                driver: *driver,
                subnet: *subnet,
                gateway: *gateway,
                adapter: adapter.clone(),
            };
            let network = with_host(global, |session| {
                session.run(|engine| engine.create_network(&spec))
            })?;
            if output.is_json() {
                output.json("network", &[network])?;
            } else {
                output.line(&network.name)?;
            }
        }
        NetworkCommand::Ls => {
            let networks = with_host(global, |session| session.run(|engine| engine.networks()))?;
            output.list(
                "network",
                &networks,
                &["NAME", "DRIVER", "SUBNET", "ON THE HOST"],
                |network| {
                    vec![
                        network.name.clone(),
                        network.driver.to_string(),
                        subnet(network),
                        backing(network),
                    ]
                },
            )?;
        }
        NetworkCommand::Inspect { name } => {
            let network = with_host(global, |session| session.run(|engine| engine.network(name)))?;
            let lines = [
                ("Name", network.name.clone()),
                ("Driver", network.driver.to_string()),
                ("Subnet", subnet(&network)),
                ("On the host", backing(&network)),
                (
                    "Made by",
                    if network.ours {
                        "wcow"
                    } else {
                        "somebody else"
                    }
                    .to_owned(),
                ),
            ];
            output.record("network", &network, &lines)?;
        }
        NetworkCommand::Rm { names } => {
            with_host(global, |session| {
                remove_each("network", names, output, |name| {
                    session.run(|engine| engine.remove_network(name))
                })
            })?;
        }
    }
    Ok(())
}

fn subnet(network: &NetworkSummary) -> String {
    network
        .subnet
        .map_or_else(|| "-".to_owned(), |subnet| subnet.to_string())
}

fn backing(network: &NetworkSummary) -> String {
    match &network.backing {
        NetworkBacking::Switch {
            switch,
            nat: Some(nat),
        } => format!("switch {switch:?}, NAT {nat:?}"),
        NetworkBacking::Switch { switch, nat: None } => format!("switch {switch:?}"),
        NetworkBacking::Hns { id } => format!("HNS network {id}"),
    }
}
