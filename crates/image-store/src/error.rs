//! What can go wrong, one type per phase.

use std::error::Error;

use wcow_hive::HiveError;
use wcow_host::HostError;
use wcow_ntmeta::HostPath;
use wcow_tree::SendError;

/// Why the store cannot be opened, read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Somebody else is changing the store.
    #[error("the image store is in use by another program, which holds {path}")]
    Locked {
        /// The lock file.
        path: HostPath,
    },
    /// An image was written by a newer version of this program. Nothing was touched.
    #[error("{path}: expected metadata of format {ours} or older, found format {found}")]
    OtherVersion {
        /// The image's metadata file.
        path: HostPath,
        /// The format it has.
        found: u64,
        /// The newest format that this version reads.
        ours: u32,
    },
    /// The store was opened for reading.
    #[error("the image store was opened for reading only")]
    ReadOnly,
    /// No such image.
    #[error("no image {reference:?}; {}", there_are(.existing))]
    NotFound {
        /// What was asked for.
        reference: String,
        /// The full names of the images that there are.
        existing: Vec<String>,
    },
    /// More than one image is meant.
    #[error("{reference:?} means more than one image: {}", .matches.join(", "))]
    Ambiguous {
        /// What was asked for.
        reference: String,
        /// The full names of the images that match.
        matches: Vec<String>,
    },
    /// The host refused.
    #[error("could not {doing}")]
    Host {
        /// What was being done: `list the images`.
        doing: &'static str,
        /// The host's answer.
        #[source]
        error: Box<HostError>,
    },
}

impl StoreError {
    /// The host's answer, if it was the host that refused.
    #[must_use]
    pub fn host_error(&self) -> Option<&HostError> {
        match self {
            Self::Host { error, .. } => Some(error),
            _ => None,
        }
    }

    /// The exit code of a command that ends with it: 1 failed, 3 not found, 4 in use or ambiguous, 5 not supported.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::ReadOnly | Self::Host { .. } => 1,
            Self::NotFound { .. } => 3,
            Self::Locked { .. } | Self::Ambiguous { .. } => 4,
            Self::OtherVersion { .. } => 5,
        }
    }
}

/// Why an image was not installed. The store is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The name cannot be part of a folder's name.
    #[error("expected an image name that can be part of a file name, found {name:?}")]
    BadName {
        /// The name as given.
        name: String,
    },
    /// The EditionID cannot stand in `version.wcx`.
    #[error("expected an EditionID of printable ASCII characters, found {product_name:?}")]
    BadProductName {
        /// The EditionID as given.
        product_name: String,
    },
    /// The store has this image.
    #[error("image {full_name} exists already")]
    AlreadyExists {
        /// Its full name.
        full_name: String,
    },
    /// The tree did not arrive whole.
    #[error("the image's files could not be written to the store")]
    Transfer(#[source] SendError),
    /// The source had damaged contents.
    #[error("{count} streams of the image are damaged, the first of them in {first}")]
    DamagedStreams {
        /// How many.
        count: u64,
        /// The path of the first, relative to the image's root.
        first: String,
    },
    /// The image lacks a hive that every Windows has.
    #[error("expected hive {name} at {path} of the image, found nothing there")]
    MissingHive {
        /// Its name: `SOFTWARE`.
        name: &'static str,
        /// Where it should be, relative to the image's root.
        path: String,
    },
    /// A hive of the image is damaged.
    #[error("hive {name} of the image is damaged")]
    BadHive {
        /// Its name: `SOFTWARE`.
        name: &'static str,
        /// What is wrong with it.
        #[source]
        error: HiveError,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl InstallError {
    /// The host's answer, if it was the host that refused.
    #[must_use]
    pub fn host_error(&self) -> Option<&HostError> {
        match self {
            Self::Store(error) => error.host_error(),
            Self::Transfer(error) => {
                let mut cause = error.source();
                while let Some(error) = cause {
                    if let Some(host) = error.downcast_ref() {
                        return Some(host);
                    }
                    cause = error.source();
                }
                None
            }
            _ => None,
        }
    }

    /// The exit code of a command that ends with it: 1 failed, 2 usage, 4 conflict, 6 integrity, or that of the store's error.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::BadName { .. } | Self::BadProductName { .. } => 2,
            Self::AlreadyExists { .. } => 4,
            Self::MissingHive { .. } | Self::Transfer(SendError::Sink(_)) => 1,
            Self::Transfer(_) | Self::DamagedStreams { .. } | Self::BadHive { .. } => 6,
            Self::Store(error) => error.exit_code(),
        }
    }
}

/// One thing that is wrong with an image in the store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValidationError {
    /// The metadata file is missing.
    #[error("expected {path}, found nothing there")]
    MetadataMissing {
        /// Where it should be.
        path: HostPath,
    },
    /// The metadata file says nothing that can be used.
    #[error("{path} is not image metadata: {reason}")]
    MetadataInvalid {
        /// The file.
        path: HostPath,
        /// What is wrong with it.
        reason: String,
    },
    /// The metadata is that of another image.
    #[error("expected metadata of {folder}, found that of {found}")]
    OtherImage {
        /// The folder's name.
        folder: String,
        /// The full name by the metadata.
        found: String,
    },
    /// It was put in quarantine, and its metadata is readable now.
    #[error("the folder is in quarantine; its metadata is readable")]
    Quarantined,
    /// The metadata names another folder.
    #[error("metadata: expected path {expected}, found {found}")]
    PathDiffers {
        /// Where the image is.
        expected: String,
        /// Where it is by the metadata.
        found: String,
    },
    /// `version.wcx` is missing.
    #[error("expected {path}, found nothing there")]
    VersionFileMissing {
        /// Where it should be.
        path: HostPath,
    },
    /// A line of `version.wcx` does not agree with the metadata.
    #[error("{path}: expected {key}={expected}, found {}", found_or_nothing(.found.as_deref()))]
    VersionFileDiffers {
        /// The file.
        path: HostPath,
        /// The key.
        key: &'static str,
        /// Its value by the metadata.
        expected: String,
        /// Its value, if the key is there.
        found: Option<String>,
    },
    /// A directory of the image is missing.
    #[error("expected directory {path}, found nothing there")]
    DirectoryMissing {
        /// Where it should be.
        path: HostPath,
    },
    /// A base hive is missing.
    #[error("expected hive {path}, found nothing there")]
    HiveMissing {
        /// Where it should be.
        path: HostPath,
    },
    /// A base hive is damaged.
    #[error("hive {path} is damaged: {error}")]
    HiveDamaged {
        /// The hive.
        path: HostPath,
        /// What is wrong with it.
        error: HiveError,
    },
    /// A base hive is not the one that was installed.
    #[error("hive {path}: expected SHA-256 {expected}, found {found}")]
    HiveChanged {
        /// The hive.
        path: HostPath,
        /// The digest at the time of the install.
        expected: String,
        /// The digest now.
        found: String,
    },
    /// The container service came or went since the install.
    #[error("expected {path} {}, found it {}", there(*.expected), there(!*.expected))]
    ContainerServiceDiffers {
        /// The service's program.
        path: HostPath,
        /// Whether it was there at the time of the install.
        expected: bool,
    },
}

fn there_are(existing: &[String]) -> String {
    if existing.is_empty() {
        "there are no images".to_owned()
    } else {
        format!("there are: {}", existing.join(", "))
    }
}

fn found_or_nothing(found: Option<&str>) -> String {
    found.map_or_else(|| "no such line".to_owned(), |found| format!("{found:?}"))
}

fn there(is: bool) -> &'static str {
    if is { "to be there" } else { "not to be there" }
}
