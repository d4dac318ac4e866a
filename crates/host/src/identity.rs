//! Who calls a host, as far as a host treats callers differently.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who calls.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// An administrator whose token is elevated.
    #[default]
    Administrator,
    /// A member of the group Hyper-V Administrators whose token is not elevated.
    HyperVAdministrator,
    /// Anybody else.
    PlainUser,
}

/// A privilege of a token that layers need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Privilege {
    /// `SeManageVolumePrivilege`: virtual disks are attached.
    ManageVolume,
    /// `SeBackupPrivilege`: files are read whatever their security descriptors say.
    Backup,
    /// `SeRestorePrivilege`: files are written whatever their security descriptors say.
    Restore,
}

impl Identity {
    /// Every identity, the most powerful first.
    pub const ALL: &'static [Self] = &[
        Self::Administrator,
        Self::HyperVAdministrator,
        Self::PlainUser,
    ];

    /// Whether its token is elevated.
    #[must_use]
    pub const fn is_elevated(self) -> bool {
        matches!(self, Self::Administrator)
    }

    /// Whether it may call the compute service.
    #[must_use]
    pub const fn may_use_containers(self) -> bool {
        !matches!(self, Self::PlainUser)
    }

    /// Whether its token has a privilege. Those of [`Privilege`] belong to administrators, and are filtered out of tokens that
    /// are not elevated.
    #[must_use]
    pub const fn holds(self, privilege: Privilege) -> bool {
        match privilege {
            Privilege::ManageVolume | Privilege::Backup | Privilege::Restore => self.is_elevated(),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Administrator => "an elevated administrator",
            Self::HyperVAdministrator => "a member of Hyper-V Administrators, not elevated",
            Self::PlainUser => "a user without rights to containers",
        })
    }
}
