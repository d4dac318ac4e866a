//! The entries by topic. Equally good candidates are given in this order.

mod access;
mod compute;
mod guests;
mod images;
mod layers;
mod machine;
mod networks;
mod programs;
mod switches;

use super::{Failure, FailureCode, Hosts};
use crate::EditionClass;

/// Every known failure.
pub static CATALOGUE: &[Failure] = &concat();

const PARTS: [&[Failure]; 9] = [
    switches::FAILURES,
    images::FAILURES,
    compute::FAILURES,
    layers::FAILURES,
    networks::FAILURES,
    guests::FAILURES,
    programs::FAILURES,
    machine::FAILURES,
    access::FAILURES,
];

const LENGTH: usize = {
    let (mut length, mut part) = (0, 0);
    while part < PARTS.len() {
        length += PARTS[part].len();
        part += 1;
    }
    length
};

/// The parts as one list.
const fn concat() -> [Failure; LENGTH] {
    let mut all = [PARTS[0][0]; LENGTH];
    let (mut part, mut next) = (0, 0);
    while part < PARTS.len() {
        let mut entry = 0;
        while entry < PARTS[part].len() {
            all[next] = PARTS[part][entry];
            entry += 1;
            next += 1;
        }
        part += 1;
    }
    all
}

const NANO_TP3: Hosts = hosts(
    "Nano Server of Technical Preview 3",
    10514,
    10585,
    Some(EditionClass::Nano),
);
const TP: Hosts = hosts("Technical Previews 3 and 4", 0, 14299, None);
const TP3: Hosts = hosts("Technical Preview 3", 0, 10585, None);
const TP4: Hosts = hosts("Technical Preview 4", 10586, 14299, None);
const TP5: Hosts = hosts("Technical Preview 5", 14300, 14392, None);
const TP5_AND_2016: Hosts = hosts(
    "Technical Preview 5 and Windows Server 2016",
    14300,
    15062,
    None,
);
const ONLY_1709: Hosts = hosts("version 1709", 16299, 17133, None);
const ONLY_2019: Hosts = hosts("Windows Server 2019", 17763, 18361, None);
const ONLY_1903: Hosts = hosts("versions 1903 and 1909", 18362, 19040, None);
const PREVIEWS: Hosts = hosts("technical previews", 0, 14392, None);
const FROM_TP5: Hosts = hosts("Technical Preview 5 and later", 14300, u32::MAX, None);
const FROM_2016: Hosts = hosts("Windows Server 2016 and later", 14393, u32::MAX, None);
const ANY: Hosts = hosts("any", 0, u32::MAX, None);

const fn hosts(
    text: &'static str,
    first_build: u32,
    last_build: u32,
    class: Option<EditionClass>,
) -> Hosts {
    Hosts {
        text,
        first_build,
        last_build,
        class,
    }
}

const NOT_RECOGNIZED: FailureCode = FailureCode::PowerShellId("CommandNotFoundException");
