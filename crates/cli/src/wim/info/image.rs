//! What is shown of one image: where its metadata is, and every field that its XML data has.

use serde::Serialize;
use wcow_wim::{ImageInfo, ResourceHeader};

/// What is shown of one image.
#[derive(Serialize)]
pub(super) struct Image {
    pub(super) index: u32,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) display_description: Option<String>,
    pub(super) flags: Option<String>,
    pub(super) directories: Option<u64>,
    pub(super) files: Option<u64>,
    pub(super) total_bytes: Option<u64>,
    pub(super) hard_link_bytes: Option<u64>,
    pub(super) created: Option<String>,
    pub(super) modified: Option<String>,
    pub(super) wimboot: bool,
    pub(super) architecture: Option<String>,
    pub(super) product_name: Option<String>,
    pub(super) edition: Option<String>,
    pub(super) installation_type: Option<String>,
    pub(super) hal: Option<String>,
    pub(super) product_type: Option<String>,
    pub(super) product_suite: Option<String>,
    pub(super) version: Option<String>,
    pub(super) service_pack: Option<u32>,
    pub(super) branch: Option<String>,
    pub(super) languages: Vec<String>,
    pub(super) default_language: Option<String>,
    pub(super) system_root: Option<String>,
    /// Uncompressed bytes of its metadata.
    pub(super) metadata_bytes: Option<u64>,
    pub(super) metadata_stored_bytes: Option<u64>,
}

impl Image {
    pub(super) fn new(info: &ImageInfo, metadata: Option<ResourceHeader>) -> Self {
        let windows = info.windows.clone().unwrap_or_default();
        let version = windows.version;
        Self {
            index: info.index.get(),
            name: info.name.clone(),
            description: info.description.clone(),
            display_name: info.display_name.clone(),
            display_description: info.display_description.clone(),
            flags: info.flags.clone(),
            directories: info.directories,
            files: info.files,
            total_bytes: info.total_bytes,
            hard_link_bytes: info.hard_link_bytes,
            created: info.created.map(|time| time.to_string()),
            modified: info.modified.map(|time| time.to_string()),
            wimboot: info.wimboot,
            architecture: windows
                .architecture
                .map(|architecture| architecture.to_string()),
            product_name: windows.product_name,
            edition: windows.edition_id,
            installation_type: windows.installation_type,
            hal: windows.hal,
            product_type: windows.product_type,
            product_suite: windows.product_suite,
            version: version.as_ref().map(ToString::to_string),
            service_pack: version.as_ref().map(|version| version.sp_level),
            branch: version.and_then(|version| version.branch),
            languages: windows.languages,
            default_language: windows.default_language,
            system_root: windows.system_root,
            metadata_bytes: metadata.map(|metadata| metadata.size),
            metadata_stored_bytes: metadata.map(|metadata| metadata.stored_size),
        }
    }
}
