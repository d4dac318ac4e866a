//! What a host will refuse of a plan, by the rules of its generation.

use ipnet::Ipv4Net;
use wcow_host::failures::{self, FailureId};
use wcow_host::{HostError, Operation, era};

use crate::{HostNetworking, NetworkStep};

/// A step that the host will refuse.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Position of the step in the plan, from 0. The steps before it succeed.
    pub step: usize,
    /// The error that the host will give.
    pub error: HostError,
    /// The catalogue entry that explains it; `None` if the catalogue has none.
    pub failure: Option<FailureId>,
    /// The same in one sentence.
    pub sentence: String,
}

/// The first step of a plan that the host will refuse.
pub(crate) fn predict(steps: &[NetworkStep], host: &HostNetworking) -> Option<Prediction> {
    let refused = |(step, wanted)| refusal(wanted, host).map(|error| (step, error));
    let (step, error) = steps.iter().enumerate().find_map(refused)?;
    let failure = failures::candidates(&error, &host.info).into_iter().next();
    let why = failure.map_or_else(
        || error.code.to_string(),
        |failure| failure.title.to_string(),
    );
    let sentence = format!(
        "step {} of {} ({}) will be refused: {why}",
        step + 1,
        steps.len(),
        error.operation
    );
    Some(Prediction {
        step,
        error,
        failure: failure.map(|failure| failure.id),
        sentence,
    })
}

fn refusal(step: &NetworkStep, host: &HostNetworking) -> Option<HostError> {
    match step {
        NetworkStep::NewSwitch(switch) => era::new_switch(&host.info, &host.modules, switch.kind)
            .err()
            .map(|error| HostError::powershell(Operation::NewSwitch, &switch.name, error)),
        NetworkStep::NewNat(nat) => {
            let existing: Vec<_> = host.nats.iter().map(|nat| nat.internal_prefix).collect();
            era::new_nat(&host.info, &host.modules, &existing, nat.internal_prefix)
                .err()
                .map(|error| HostError::powershell(Operation::NewNat, &nat.name, error))
        }
        NetworkStep::HnsCreate(network) => {
            if !network.kind.eq_ignore_ascii_case("nat") {
                return None;
            }
            let wanted: Ipv4Net = network
                .subnets
                .iter()
                .find_map(|subnet| subnet.address_prefix.parse().ok())?;
            era::hns_create_network(&host.info, &host.nat_prefixes(), wanted)
                .err()
                .map(|code| HostError::new(Operation::CreateNetwork, &network.name, code))
        }
    }
}
