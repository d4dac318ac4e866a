//! `metadata.json` and `version.wcx`, byte for byte as Technical Preview 3 had them.
//!
//! `metadata.json` is compact UTF-8 without a byte order mark. The first five keys are the ones of the time, in their order;
//! a sixth, `Wcow`, is ours. Other tools wrote the five in other orders, and without the sixth.
//!
//! | key | value |
//! |---|---|
//! | `CreatedTime` | UTC, seven decimals: `2015-08-14T15:51:55.0510000Z` |
//! | `Size` | bytes of all files, from the WIM |
//! | `Path` | the image's folder |
//! | `Name` | the name, from the WIM |
//! | `Version` | four numbers: `10.0.10514.0` |
//! | `Wcow` | see [`OurPart`] |
//!
//! `version.wcx` has two lines, `BuildNumber=<third part of the version>` and `ProductName=<EditionID>`, each ended by CR LF.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wcow_host::TreeSummary;
use wcow_ntmeta::{FileTime, WideName};

use crate::{ImageVersion, layout};

/// The format of the `Wcow` part that this version writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// The longest `metadata.json` that is read, in bytes.
pub(crate) const MAX_METADATA: u64 = 1 << 20;
/// No `metadata.json` of a usual image is longer, in bytes.
const USUAL_LEN: usize = 1536;
/// The longest `version.wcx` that is read, in bytes.
pub(crate) const MAX_VERSION_FILE: u64 = 1 << 16;

/// `metadata.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Metadata {
    /// As text, because Windows reads it as text.
    pub(crate) created_time: String,
    pub(crate) size: u64,
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) version: ImageVersion,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wcow: Option<OurPart>,
}

/// What only this crate writes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct OurPart {
    pub(crate) format: u32,
    pub(crate) product_name: String,
    pub(crate) description: String,
    /// By file name in `hives`.
    pub(crate) hives: BTreeMap<String, HiveRecord>,
    pub(crate) tree: TreeRecord,
    pub(crate) container_service: bool,
}

/// A base hive at the time of the install.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct HiveRecord {
    pub(crate) size: u64,
    /// In hex.
    pub(crate) sha256: String,
}

/// What the tree held.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TreeRecord {
    pub(crate) directories: u64,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

/// Why bytes are no metadata.
#[derive(Debug)]
pub(crate) enum MetadataError {
    /// Written by a newer version.
    Newer(u64),
    /// Something is wrong with it.
    Invalid(String),
}

/// A `metadata.json` that was read, and what follows from it.
pub(crate) struct Reading {
    pub(crate) metadata: Metadata,
    pub(crate) created: FileTime,
    /// The name of the image's folder, as text and as folders have names.
    pub(crate) full_name: String,
    pub(crate) folder: WideName,
}

impl Reading {
    /// What follows from metadata, whose time is this.
    pub(crate) fn of(metadata: Metadata, created: FileTime) -> Self {
        let full_name = layout::full_name(&metadata.name, metadata.version);
        Self {
            folder: full_name.as_str().into(),
            full_name,
            metadata,
            created,
        }
    }
}

impl Metadata {
    /// Reads `metadata.json`.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Reading, MetadataError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| MetadataError::Invalid(error.to_string()))?;
        let metadata = match serde_json::from_str::<Self>(text) {
            Ok(metadata)
                if metadata
                    .wcow
                    .as_ref()
                    .is_none_or(|ours| ours.format <= FORMAT) =>
            {
                metadata
            }
            // Another format, or nothing that can be read: to tell which, it is looked at without its fields.
            _ => Self::parse_loosely(text)?,
        };
        let created = FileTime::parse_rfc3339(&metadata.created_time)
            .map_err(|error| MetadataError::Invalid(error.to_string()))?;
        Ok(Reading::of(metadata, created))
    }

    /// The bytes of `metadata.json`.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(USUAL_LEN);
        serde_json::to_writer(&mut bytes, self)
            .expect("numbers, strings and maps with string keys are always JSON");
        bytes
    }

    fn parse_loosely(text: &str) -> Result<Self, MetadataError> {
        let invalid = |error: serde_json::Error| MetadataError::Invalid(error.to_string());
        let value: serde_json::Value = serde_json::from_str(text).map_err(invalid)?;
        // A newer format may have other fields, so it is looked at first.
        let format = value
            .get("Wcow")
            .and_then(|ours| ours.get("Format"))
            .and_then(serde_json::Value::as_u64);
        if let Some(format) = format.filter(|format| *format > u64::from(FORMAT)) {
            return Err(MetadataError::Newer(format));
        }
        serde_json::from_value(value).map_err(invalid)
    }
}

impl From<TreeSummary> for TreeRecord {
    fn from(summary: TreeSummary) -> Self {
        Self {
            directories: summary.directories,
            files: summary.files,
            bytes: summary.bytes,
        }
    }
}

impl From<TreeRecord> for TreeSummary {
    fn from(record: TreeRecord) -> Self {
        Self {
            directories: record.directories,
            files: record.files,
            bytes: record.bytes,
        }
    }
}

/// The bytes of `version.wcx`.
pub(crate) fn version_file(build: u32, product_name: &str) -> Vec<u8> {
    format!("BuildNumber={build}\r\nProductName={product_name}\r\n").into_bytes()
}

/// The value of a key of `version.wcx`, if there is such a line.
pub(crate) fn version_value(bytes: &[u8], key: &str) -> Option<String> {
    String::from_utf8_lossy(bytes)
        .lines()
        .filter_map(|line| line.split_once('='))
        .find(|(found, _)| found.trim().eq_ignore_ascii_case(key))
        .map(|(_, value)| value.trim().to_owned())
}
