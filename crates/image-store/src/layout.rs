//! The names of the store.

use std::fmt::Write as _;
use std::sync::LazyLock;

use wcow_host::era;
use wcow_ntmeta::upcase::upcase_unit;
use wcow_ntmeta::{HostPath, WideName};

use crate::ImageVersion;

/// The bulk of an image.
pub(crate) const FILES: &str = "files";
/// The base hives of an image.
pub(crate) const HIVES: &str = "hives";
/// The virtual machine of Hyper-V isolation, beside the files: where the host looks for it.
pub(crate) const UTILITY_VM: &str = "UtilityVM";
/// Description of an image.
pub(crate) const METADATA: &str = "metadata.json";
/// What the host compares with itself.
pub(crate) const VERSION_FILE: &str = "version.wcx";
/// Held open by whoever changes the store.
pub(crate) static LOCK: LazyLock<HostPath> = LazyLock::new(|| era::image_root().join("store.lock"));
/// Installs that are not done.
pub(crate) static STAGING: LazyLock<HostPath> =
    LazyLock::new(|| era::image_root().join(".staging"));
/// Images that are no longer there.
pub(crate) static REMOVING: LazyLock<HostPath> =
    LazyLock::new(|| era::image_root().join(".removing"));
/// Folders that look like images and are none.
pub(crate) static QUARANTINE: LazyLock<HostPath> =
    LazyLock::new(|| era::image_root().join(".quarantine"));
/// The service in a container that the host talks to, below the image's folder.
pub(crate) const CONTAINER_SERVICE: &str = r"files\Windows\System32\CExecSvc.exe";
/// Where every Windows image has its hives, below the image's folder.
pub(crate) const CONFIG: &str = r"files\Windows\System32\config";
/// What the name of every image's folder begins with, in whatever case.
pub(crate) const IMAGE_PREFIX: &str = "CN=";
/// The publisher part that this store writes.
const PUBLISHER: &str = "CN=Microsoft_";

/// Room for a version and the `_` before it: `_10.0.20348.2700`.
const USUAL_VERSION: usize = 20;

/// A hive that every base image needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BaseHive {
    /// Its file name in `files\Windows\System32\config`.
    pub source: &'static str,
    /// Its file name in `hives`.
    pub base: &'static str,
}

/// The five hives of a base image.
pub const BASE_HIVES: [BaseHive; 5] = [
    BaseHive {
        source: "DEFAULT",
        base: "DefaultUser_Base",
    },
    BaseHive {
        source: "SAM",
        base: "Sam_Base",
    },
    BaseHive {
        source: "SECURITY",
        base: "Security_Base",
    },
    BaseHive {
        source: "SOFTWARE",
        base: "Software_Base",
    },
    BaseHive {
        source: "SYSTEM",
        base: "System_Base",
    },
];

/// Whether the name of a folder is that of an image's.
pub(crate) fn is_image(folder: &WideName) -> bool {
    let mut units = folder.units().iter().map(|&unit| upcase_unit(unit));
    let mut prefix = IMAGE_PREFIX.encode_utf16();
    prefix.all(|unit| units.next() == Some(unit))
}

/// The name of an image's folder.
pub(crate) fn full_name(name: &str, version: ImageVersion) -> String {
    let mut full = String::with_capacity(PUBLISHER.len() + name.len() + USUAL_VERSION);
    let _ = write!(full, "{PUBLISHER}{name}_{version}");
    full
}
