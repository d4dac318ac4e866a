//! Builds and generations.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A generation of Windows, as far as its container hosts differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Generation {
    /// Windows Server 2016 Technical Preview 3, build 10514, and what came before.
    TechnicalPreview3,
    /// Windows Server 2016 Technical Preview 4, build 10586.
    TechnicalPreview4,
    /// Windows Server 2016 Technical Preview 5, build 14300.
    TechnicalPreview5,
    /// Windows Server 2016 and Windows 10 1607, build 14393.
    Server2016,
    /// Versions 1703, 1709 and 1803: builds 15063, 16299 and 17134.
    Sac2017,
    /// Windows Server 2019 and versions 1809 to 22H2 of Windows 10: builds 17763 to 19045.
    Server2019,
    /// Windows Server 2022, version 23H2 and Windows 11 up to 23H2: builds 20348 to 25398.
    Server2022,
    /// Windows Server 2025 and Windows 11 from 24H2 on: from build 26100.
    Server2025,
}

impl Generation {
    /// Every generation, oldest first.
    pub const ALL: &'static [Self] = &[
        Self::TechnicalPreview3,
        Self::TechnicalPreview4,
        Self::TechnicalPreview5,
        Self::Server2016,
        Self::Sac2017,
        Self::Server2019,
        Self::Server2022,
        Self::Server2025,
    ];

    /// What people call it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::TechnicalPreview3 => "2016 Technical Preview 3",
            Self::TechnicalPreview4 => "2016 Technical Preview 4",
            Self::TechnicalPreview5 => "2016 Technical Preview 5",
            Self::Server2016 => "Server 2016",
            Self::Sac2017 => "versions 1703 to 1803",
            Self::Server2019 => "Server 2019",
            Self::Server2022 => "Server 2022",
            Self::Server2025 => "Server 2025",
        }
    }

    /// The first build that belongs to it. The oldest generation begins at 0.
    #[must_use]
    pub const fn first_build(self) -> u32 {
        match self {
            Self::TechnicalPreview3 => 0,
            Self::TechnicalPreview4 => TP4,
            Self::TechnicalPreview5 => TP5,
            Self::Server2016 => RS1,
            Self::Sac2017 => 15063,
            Self::Server2019 => 17763,
            Self::Server2022 => 20348,
            Self::Server2025 => 26100,
        }
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

pub(super) const TP3: u32 = 10514;
pub(super) const TP4: u32 = 10586;
pub(super) const TP5: u32 = 14300;
pub(super) const RS1: u32 = 14393;

/// The generation that a build belongs to. A build between two releases belongs to the earlier one.
#[must_use]
pub fn generation(build: u32) -> Generation {
    let known = Generation::ALL
        .iter()
        .rev()
        .find(|generation| generation.first_build() <= build);
    known.copied().unwrap_or(Generation::TechnicalPreview3)
}

/// Whether containers persist, off, until they are removed, and are driven by cmdlets (Technical Previews 3 and 4); later
/// compute systems are gone once they have stopped.
#[must_use]
pub fn containers_persist(build: u32) -> bool {
    build < TP5
}

/// Whether the host has a Host Network Service: from Technical Preview 5 on.
#[must_use]
pub fn has_hns(build: u32) -> bool {
    build >= TP5
}

/// Whether virtual switches of type NAT exist: Technical Previews 3 and 4.
#[must_use]
pub fn has_nat_switch(build: u32) -> bool {
    (TP3..TP5).contains(&build)
}
