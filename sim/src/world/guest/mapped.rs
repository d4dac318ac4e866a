//! Folders of the host that a container sees at paths of its own disk.

use serde::{Deserialize, Serialize};
use wcow_hcs_schema::schema1::ContainerConfig;
use wcow_host::codes::win32;
use wcow_ntmeta::{HostPath, Hresult, RelPath};

use super::paths;

/// One such folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mapped {
    /// Where the container sees it.
    at: RelPath,
    /// Where it is.
    host: HostPath,
    read_only: bool,
}

impl Mapped {
    /// The folders that a document names.
    pub(crate) fn of(document: &ContainerConfig) -> Result<Vec<Self>, Hresult> {
        let folders = document.mapped_directories.iter();
        folders
            .map(|folder| {
                let at = paths::resolve(
                    folder.container_path.as_deref().unwrap_or_default(),
                    &RelPath::root(),
                )
                .map_err(|paths::NoSuchDrive| win32::PATH_NOT_FOUND)?;
                if at.is_root() {
                    return Err(win32::INVALID_PARAMETER);
                }
                Ok(Self {
                    at,
                    host: HostPath::parse(folder.host_path.as_deref().unwrap_or_default())
                        .map_err(|_| win32::PATH_NOT_FOUND)?,
                    read_only: folder.read_only == Some(true),
                })
            })
            .collect()
    }

    /// Where the container sees it.
    pub(crate) fn at(&self) -> &RelPath {
        &self.at
    }

    /// Where it is.
    pub(crate) fn host(&self) -> &HostPath {
        &self.host
    }
}

/// A path of a container that is one of the host.
pub(crate) struct OnHost {
    /// The path on the host.
    pub(crate) path: HostPath,
    read_only: bool,
}

impl OnHost {
    /// The path on the host, if the container may write there.
    pub(crate) fn writable(self) -> Result<HostPath, Hresult> {
        if self.read_only {
            Err(win32::ACCESS_DENIED)
        } else {
            Ok(self.path)
        }
    }
}

/// Where on the host a path of a container is, if it is there. Of folders inside each other the innermost counts.
pub(crate) fn on_host(mapped: &[Mapped], path: &RelPath) -> Result<Option<OnHost>, Hresult> {
    if mapped.is_empty() {
        return Ok(None);
    }
    let key = path.upcased();
    let holds = |folder: &&Mapped| {
        let at = folder.at.upcased();
        key.components().starts_with(at.components())
    };
    let Some(folder) = mapped
        .iter()
        .filter(holds)
        .max_by_key(|folder| folder.at.depth())
    else {
        return Ok(None);
    };
    let below = path.components().iter().skip(folder.at.depth()).cloned();
    let path = folder
        .host
        .join_rel(&below.collect())
        .map_err(|_| win32::PATH_NOT_FOUND)?;
    Ok(Some(OnHost {
        path,
        read_only: folder.read_only,
    }))
}
