//! One file of a listing as JSON: `wcow.wim.entry/1`.

use serde::Serialize;
use wcow_ntmeta::{FileTime, ReparseTarget, SecurityDescriptor, WideName, WideStr};
use wcow_tree::{Digest, Extra};
use wcow_wim::{Image, ImageStream, NodeId, StreamRole};

use super::ls::target_name;

/// One file or folder with all its metadata. What a file does not have is left out.
#[derive(Serialize)]
pub(super) struct Line {
    /// From the root, with `\`; U+FFFD for a lone surrogate.
    path: String,
    kind: &'static str,
    /// The file's own data in bytes.
    size: u64,
    attributes: u32,
    created: FileTime,
    written: FileTime,
    accessed: FileTime,
    /// The units of the name, if it is not valid UTF-16.
    #[serde(skip_serializing_if = "Option::is_none")]
    name_units: Option<Vec<u16>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    short_name: Option<String>,
    /// Alternate data streams.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    streams: Vec<StreamLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reparse_tag: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Target>,
    /// Of the file's own data; of its raw backup if it is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    sha1: Option<String>,
    /// Names of one file have the same number.
    #[serde(skip_serializing_if = "Option::is_none")]
    link_group: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    security_id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sddl: Option<String>,
    /// Hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    object_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extended_attributes: Vec<AttributeLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unix: Option<UnixLine>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tagged_items: Vec<TaggedLine>,
    /// The 32 bits whose meaning is not public, if one is set.
    #[serde(skip_serializing_if = "is_zero")]
    reserved: u32,
}

/// An alternate data stream of a file.
#[derive(Serialize)]
struct StreamLine {
    name: String,
    size: u64,
    sha1: Option<String>,
}

/// Where a symbolic link or junction leads.
#[derive(Serialize)]
struct Target {
    /// As it is meant for people.
    name: String,
    /// As the system follows it.
    substitute: String,
    relative: bool,
    /// False if the target was left as it was when the tree was captured.
    rewritten: bool,
}

/// An extended attribute.
#[derive(Serialize)]
struct AttributeLine {
    name: String,
    flags: u8,
    /// Hexadecimal.
    value: String,
}

/// Owner and mode of a file of a Unix system.
#[derive(Serialize)]
struct UnixLine {
    uid: u32,
    gid: u32,
    mode: u32,
    rdev: u32,
}

/// A tagged item that is neither object id nor extended attributes of Windows.
#[derive(Serialize)]
struct TaggedLine {
    tag: u32,
    /// Hexadecimal.
    data: String,
}

impl Line {
    pub(super) fn new(
        image: &Image,
        node: NodeId,
        path: String,
        target: Option<ReparseTarget>,
    ) -> Self {
        let times = image.times(node);
        let attributes = image.attributes(node);
        let streams = image.streams(node);
        let extra = image.extra(node);
        Self {
            path,
            kind: match (attributes.is_directory(), attributes.is_reparse_point()) {
                (true, false) => "directory",
                (true, true) => "directory-link",
                (false, true) => "link",
                (false, false) => "file",
            },
            size: image.data_len(node).unwrap_or(0),
            attributes: attributes.bits(),
            created: times.created,
            written: times.written,
            accessed: times.accessed,
            name_units: odd_units(image.name(node)),
            short_name: image.short_name(node).map(|name| name.to_string()),
            streams: named(image, streams),
            reparse_tag: image.reparse_tag(node),
            target: target.map(|target| Target::new(&target, &extra)),
            sha1: streams
                .iter()
                .find(|stream| matches!(stream.role, StreamRole::Data | StreamRole::EncryptedRaw))
                .and_then(|stream| sha1(stream.digest)),
            link_group: image.link_group(node),
            security_id: image.security_id(node),
            sddl: image.security(node).map(SecurityDescriptor::to_sddl),
            object_id: image.object_id(node).map(hex),
            extended_attributes: image
                .extended_attributes(node)
                .map(|attribute| AttributeLine {
                    name: String::from_utf8_lossy(attribute.name).into_owned(),
                    flags: attribute.flags,
                    value: hex(attribute.value),
                })
                .collect(),
            unix: image.unix_data(node).map(|unix| UnixLine {
                uid: unix.uid,
                gid: unix.gid,
                mode: unix.mode,
                rdev: unix.rdev,
            }),
            tagged_items: extra
                .unknown
                .iter()
                .map(|item| TaggedLine {
                    tag: item.tag,
                    data: hex(&item.data),
                })
                .collect(),
            reserved: extra.reserved,
        }
    }
}

impl Target {
    fn new(target: &ReparseTarget, extra: &Extra) -> Self {
        let (substitute, relative) = match target {
            ReparseTarget::Symlink {
                substitute,
                relative,
                ..
            } => (substitute, *relative),
            ReparseTarget::MountPoint { substitute, .. } => (substitute, false),
        };
        Self {
            name: target_name(target).to_string(),
            substitute: substitute.to_string(),
            relative,
            rewritten: !extra.target_not_fixed,
        }
    }
}

fn named(image: &Image, streams: &[ImageStream]) -> Vec<StreamLine> {
    let named = streams
        .iter()
        .filter(|stream| stream.role == StreamRole::Named);
    named
        .map(|stream| StreamLine {
            name: stream
                .name
                .as_ref()
                .map(WideName::to_string)
                .unwrap_or_default(),
            size: image.stream_len(stream).unwrap_or(0),
            sha1: sha1(stream.digest),
        })
        .collect()
}

fn odd_units(name: WideStr<'_>) -> Option<Vec<u16>> {
    let is_odd = name.chars().any(|character| character.is_err());
    is_odd.then(|| name.units().collect())
}

fn sha1(digest: Digest) -> Option<String> {
    (!digest.is_zero()).then(|| digest.to_string())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // A string takes whatever is written to it.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn is_zero(bits: &u32) -> bool {
    *bits == 0
}
