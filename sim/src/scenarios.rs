//! The scenario files that come with the simulator, as text. `wcow-scenario` reads and plays them.

/// A scenario file.
#[derive(Clone, Copy, Debug)]
pub struct ScenarioFile {
    /// Its name below `sim/scenarios/`.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(ScenarioFile { name: $name, text: include_str!(concat!("../scenarios/", $name)) }),*]
    };
}

/// The observations of the field report of 2015, S1 to S14, in order.
pub const SEED: &[ScenarioFile] = files![
    "seed/S01.toml",
    "seed/S02.toml",
    "seed/S03.toml",
    "seed/S04.toml",
    "seed/S05.toml",
    "seed/S06.toml",
    "seed/S07.toml",
    "seed/S08.toml",
    "seed/S09.toml",
    "seed/S10.toml",
    "seed/S11.toml",
    "seed/S12.toml",
    "seed/S13.toml",
    "seed/S14.toml",
];

/// The successful way on a host of today.
pub const SERVER_2022: ScenarioFile = ScenarioFile {
    name: "server-2022.toml",
    text: include_str!("../scenarios/server-2022.toml"),
};
