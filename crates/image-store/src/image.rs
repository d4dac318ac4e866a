//! What the store says of its images.

use serde::{Deserialize, Serialize};
use wcow_host::era::ImageFacts;
use wcow_host::{FileKind, TreeSummary};
use wcow_ntmeta::{FileTime, HostPath};

use crate::layout;
use crate::{ImageVersion, ValidationError};

/// An image to be installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallRequest {
    /// Its name, as the WIM has it: `WindowsServerCore`.
    pub name: String,
    /// Its version, as the WIM has it.
    pub version: ImageVersion,
    /// Its EditionID, which a technical preview compares with its own: `ServerDatacenter`.
    pub product_name: String,
    /// What the WIM says of it; may be empty.
    pub description: String,
    /// Bytes of all its files, as the WIM has it.
    pub size: u64,
}

impl InstallRequest {
    /// The name of its folder: `CN=Microsoft_<Name>_<Version>`.
    #[must_use]
    pub fn full_name(&self) -> String {
        layout::full_name(&self.name, self.version)
    }
}

/// An image in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredImage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: ImageVersion,
    /// The name of its folder: `CN=Microsoft_<Name>_<Version>`.
    pub full_name: String,
    /// Its folder.
    pub path: HostPath,
    /// When it was installed.
    pub created: FileTime,
    /// Bytes of all its files, as the WIM said.
    pub size: u64,
    /// Its EditionID; empty if it cannot be read.
    pub product_name: String,
    /// True if the container service (`CExecSvc.exe`) is in it. Without it no container of the image gets to run.
    pub container_service: bool,
}

impl StoredImage {
    /// What a host goes by when it decides whether a container of this image may run.
    #[must_use]
    pub fn facts(&self) -> ImageFacts {
        ImageFacts {
            build: self.version.build,
            revision: self.version.revision,
            product_name: self.product_name.clone(),
            container_service: self.container_service,
        }
    }
}

/// Everything in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageList {
    /// The images, by full name.
    pub images: Vec<StoredImage>,
    /// Folders that look like images and are none, also those in quarantine. They are never used.
    pub damaged: Vec<DamagedImage>,
}

/// A folder that looks like an image and is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedImage {
    /// The folder's name.
    pub folder: String,
    /// Where it is now.
    pub path: HostPath,
    /// What is wrong.
    pub reason: ValidationError,
}

/// One image in detail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageDetails {
    /// What a list shows of it.
    pub image: StoredImage,
    /// The format of its metadata; `None` if another tool installed it.
    pub format: Option<u32>,
    /// What the WIM said of it; empty if that is not known.
    pub description: String,
    /// What its tree holds; `None` if another tool installed it.
    pub tree: Option<TreeSummary>,
    /// The names in its folder and in `hives`, in that order.
    pub layout: Vec<LayoutEntry>,
    /// Its base hives.
    pub hives: Vec<HiveDetails>,
}

/// One name in an image's folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayoutEntry {
    /// Its path, relative to the image's folder.
    pub path: String,
    /// File or directory.
    pub kind: FileKind,
    /// Length in bytes; 0 for a directory.
    pub len: u64,
}

/// One base hive of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HiveDetails {
    /// Its name: `Software_Base`.
    pub name: String,
    /// Length in bytes; `None` if it is missing.
    pub len: Option<u64>,
    /// SHA-256 at the time of the install, in hex; `None` if another tool installed the image.
    pub sha256: Option<String>,
}
