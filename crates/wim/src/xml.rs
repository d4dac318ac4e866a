//! The XML data: what the images are called and, for Windows, which Windows is in them.
//!
//! UTF-16LE with a byte order mark, no declaration. Root `WIM`, in it one `IMAGE INDEX="n"` per image, in any order. Real files
//! lack the mark now and then, and end in NULs; both are read. Counts are informational: Microsoft's tools and wimlib do not
//! count alike. Nothing unknown is lost: [`XmlInfo::text`] is the whole document.
//!
//! The document comes from strangers, so before it is parsed it is scanned for depth and for the length of its tags, and a
//! document type (and with it entities of its own) is refused.

use std::fmt;

use wcow_ntmeta::FileTime;

use crate::error::Warnings;
use crate::{ImageIndex, Part};

/// Elements within elements; real files have four levels.
const MAX_DEPTH: u32 = 50;
/// Elements and texts; real files have some hundred per image.
const MAX_NODES: u32 = 4 << 20;
/// Bytes of one start tag; real ones have some twenty.
const MAX_TAG: usize = 4096;

/// What the XML data says.
#[derive(Clone, Debug, Default)]
pub struct XmlInfo {
    text: String,
    pub(crate) images: Vec<ImageInfo>,
    total_bytes: Option<u64>,
    encrypted: bool,
}

/// What the XML data says about one image.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageInfo {
    /// Its number.
    pub index: ImageIndex,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// A longer text.
    pub description: Option<String>,
    /// The name that Windows Setup shows.
    pub display_name: Option<String>,
    /// The text that Windows Setup shows.
    pub display_description: Option<String>,
    /// The edition, by habit (`FLAGS`).
    pub flags: Option<String>,
    /// Directories, as the writer counted them.
    pub directories: Option<u64>,
    /// Files, as the writer counted them.
    pub files: Option<u64>,
    /// Bytes of all files.
    pub total_bytes: Option<u64>,
    /// Bytes that hard links save.
    pub hard_link_bytes: Option<u64>,
    /// When the image was made.
    pub created: Option<FileTime>,
    /// When the image was last changed.
    pub modified: Option<FileTime>,
    /// True if the image was prepared for booting from the WIM itself.
    pub wimboot: bool,
    /// The Windows in the image, if it holds one.
    pub windows: Option<WindowsInfo>,
}

/// Which Windows an image holds (`WINDOWS`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowsInfo {
    /// Processor architecture.
    pub architecture: Option<Architecture>,
    /// Product name, for example `Microsoft® Windows® Operating System`.
    pub product_name: Option<String>,
    /// Edition, for example `ServerDatacenterNano`.
    pub edition_id: Option<String>,
    /// `Client`, `Server`, `Server Core` or `Nano Server`.
    pub installation_type: Option<String>,
    /// Hardware abstraction layer, in old images.
    pub hal: Option<String>,
    /// Product type, for example `ServerNT`.
    pub product_type: Option<String>,
    /// Product suite, for example `Terminal Server`.
    pub product_suite: Option<String>,
    /// Languages, for example `en-US`.
    pub languages: Vec<String>,
    /// The default language.
    pub default_language: Option<String>,
    /// Version of the system.
    pub version: Option<WindowsVersion>,
    /// System folder, `WINDOWS`.
    pub system_root: Option<String>,
}

/// Version of a Windows (`VERSION`); a number that is missing is 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowsVersion {
    /// Major version.
    pub major: u32,
    /// Minor version.
    pub minor: u32,
    /// Build.
    pub build: u32,
    /// Revision (`SPBUILD`).
    pub sp_build: u32,
    /// Service pack.
    pub sp_level: u32,
    /// Branch it was built from, in newer images.
    pub branch: Option<String>,
}

impl fmt::Display for WindowsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}.{}.{}",
            self.major, self.minor, self.build, self.sp_build
        )
    }
}

/// A processor architecture, by its number in the Windows headers (`PROCESSOR_ARCHITECTURE_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Architecture(pub u32);

impl Architecture {
    /// x86.
    pub const X86: Self = Self(0);
    /// 32-bit ARM.
    pub const ARM: Self = Self(5);
    /// Itanium.
    pub const IA64: Self = Self(6);
    /// x64.
    pub const X64: Self = Self(9);
    /// 64-bit ARM.
    pub const ARM64: Self = Self(12);
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::X86 => f.write_str("x86"),
            Self::ARM => f.write_str("ARM"),
            Self::IA64 => f.write_str("IA64"),
            Self::X64 => f.write_str("x64"),
            Self::ARM64 => f.write_str("ARM64"),
            Self(other) => write!(f, "unknown ({other})"),
        }
    }
}

/// Why XML data makes no sense.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum XmlError {
    /// Elements are nested too deeply.
    #[error(
        "expected at most {MAX_DEPTH} elements within each other, found more at character offset {offset:#x}"
    )]
    TooDeep {
        /// Offset in the text as UTF-8.
        offset: usize,
    },
    /// A tag is too long, or never ends.
    #[error(
        "expected a tag of at most {MAX_TAG} bytes, found a longer one at character offset {offset:#x}"
    )]
    TagTooLong {
        /// Offset in the text as UTF-8.
        offset: usize,
    },
    /// A name begins with a colon, which the parser would take for nothing.
    #[error(
        "expected names that do not begin with a colon, found one at character offset {offset:#x}"
    )]
    ColonFirst {
        /// Offset of the tag in the text as UTF-8.
        offset: usize,
    },
    /// It is not well-formed.
    #[error("expected a well-formed document without a document type")]
    Malformed(#[source] roxmltree::Error),
    /// The root element is another one.
    #[error("expected the root element WIM, found {found}")]
    Root {
        /// The name of the root element.
        found: String,
    },
    /// An `IMAGE` has a number that cannot be.
    #[error("expected IMAGE elements numbered from 1 to {count}, each once, found {found:?}")]
    ImageIndex {
        /// How many there are.
        count: usize,
        /// The number that does not fit, as it is written.
        found: String,
    },
    /// The header counts other images.
    #[error("expected {header} IMAGE elements as the header counts, found {found}")]
    ImageCount {
        /// Images in the header.
        header: u32,
        /// Images in the XML data.
        found: usize,
    },
}

impl XmlInfo {
    /// The whole document.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it says about each image, in order of their numbers.
    #[must_use]
    pub fn images(&self) -> &[ImageInfo] {
        &self.images
    }

    /// `TOTALBYTES` of the file, which real files do not agree on.
    #[must_use]
    pub fn total_bytes(&self) -> Option<u64> {
        self.total_bytes
    }

    /// True if the file is an encrypted ESD.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Reads the XML data of a file whose header counts `image_count` images.
    pub(crate) fn parse(
        bytes: &[u8],
        image_count: u32,
        warnings: &mut Warnings,
    ) -> Result<Self, XmlError> {
        let text = decode(bytes, warnings);
        check_shape(&text)?;
        let options = roxmltree::ParsingOptions {
            allow_dtd: false,
            nodes_limit: MAX_NODES,
            ..Default::default()
        };
        let document =
            roxmltree::Document::parse_with_options(&text, options).map_err(XmlError::Malformed)?;
        let root = document.root_element();
        if !is_named(&root, "WIM") {
            return Err(XmlError::Root {
                found: root.tag_name().name().to_owned(),
            });
        }
        let mut images = root
            .children()
            .filter(|node| is_named(node, "IMAGE"))
            .map(image)
            .collect::<Result<Vec<_>, _>>()?;
        images.sort_by_key(|image| image.index);
        let count = images.len();
        if let Some((_, image)) = (1_u32..)
            .zip(&images)
            .find(|(expected, image)| image.index.get() != *expected)
        {
            return Err(XmlError::ImageIndex {
                count,
                found: image.index.to_string(),
            });
        }
        if usize::try_from(image_count) != Ok(count) {
            return Err(XmlError::ImageCount {
                header: image_count,
                found: count,
            });
        }
        let encrypted = child(root, "ESD").is_some_and(|esd| child(esd, "ENCRYPTED").is_some());
        let total_bytes = number(root, "TOTALBYTES");
        drop(document);
        Ok(Self {
            images,
            total_bytes,
            encrypted,
            text,
        })
    }
}

type Node<'a, 'i> = roxmltree::Node<'a, 'i>;

/// UTF-16LE to a string; a lone surrogate becomes U+FFFD.
fn decode(bytes: &[u8], warnings: &mut Warnings) -> String {
    let (units, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        warnings.push(Part::Xml, 0, || {
            "an odd number of bytes; the last one is ignored".to_owned()
        });
    }
    let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
    let mut damaged = false;
    let mut text: String = char::decode_utf16(units)
        .map(|unit| {
            unit.unwrap_or_else(|_| {
                damaged = true;
                char::REPLACEMENT_CHARACTER
            })
        })
        .collect();
    if damaged {
        warnings.push(Part::Xml, 0, || {
            "half a character (a lone surrogate); read as U+FFFD".to_owned()
        });
    }
    match text.strip_prefix('\u{FEFF}') {
        Some(rest) => text = rest.to_owned(),
        None => warnings.push(Part::Xml, 0, || "no byte order mark".to_owned()),
    }
    text.truncate(text.trim_end_matches('\0').len());
    text
}

/// Bounds the work of the parser: no deep nesting, no tag with thousands of attributes. And refuses what it takes for well-formed, but
/// is not: names that begin with a colon.
fn check_shape(text: &str) -> Result<(), XmlError> {
    let mut depth = 0_u32;
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let Some(open) = rest.find('<') else { break };
        let offset = at + open;
        let tag = rest.get(open..).unwrap_or_default();
        let (end, len) = if tag.starts_with("<!--") {
            (tag.find("-->"), 3)
        } else if tag.starts_with("<![CDATA[") {
            (tag.find("]]>"), 3)
        } else if tag.starts_with("<?") {
            (tag.find("?>"), 2)
        } else {
            let end = tag_end(tag)
                .filter(|end| *end <= MAX_TAG)
                .ok_or(XmlError::TagTooLong { offset })?;
            if tag.get(..end).is_some_and(has_colon_first) {
                return Err(XmlError::ColonFirst { offset });
            }
            if tag.starts_with("</") {
                depth = depth.saturating_sub(1);
            } else if depth == MAX_DEPTH {
                return Err(XmlError::TooDeep { offset });
            } else if !tag.get(..end).is_some_and(|tag| tag.ends_with('/')) {
                depth += 1;
            }
            (Some(end), 1)
        };
        // What has no end is the parser's to refuse.
        let Some(end) = end else { break };
        at = offset + end + len;
    }
    Ok(())
}

/// Where the `>` of a tag is, not counting those in quotes.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    tag.bytes().take(MAX_TAG + 1).position(|byte| {
        match (quote, byte) {
            (None, b'>') => return true,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
        false
    })
}

/// True if a name in this tag, of the element or of an attribute, begins with a colon.
fn has_colon_first(tag: &str) -> bool {
    let mut quote = None;
    let mut last = b' ';
    tag.bytes().any(|byte| {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
        let starts = byte == b':' && (last.is_ascii_whitespace() || matches!(last, b'<' | b'/'));
        last = byte;
        quote.is_none() && starts
    })
}

fn image(node: Node<'_, '_>) -> Result<ImageInfo, XmlError> {
    let index = node.attribute("INDEX").unwrap_or_default();
    let index = index
        .trim()
        .parse()
        .ok()
        .and_then(ImageIndex::new)
        .ok_or_else(|| XmlError::ImageIndex {
            count: node.parent().map_or(0, |root| {
                root.children()
                    .filter(|node| is_named(node, "IMAGE"))
                    .count()
            }),
            found: index.to_owned(),
        })?;
    Ok(ImageInfo {
        index,
        name: text(node, "NAME"),
        description: text(node, "DESCRIPTION"),
        display_name: text(node, "DISPLAYNAME"),
        display_description: text(node, "DISPLAYDESCRIPTION"),
        flags: text(node, "FLAGS"),
        directories: number(node, "DIRCOUNT"),
        files: number(node, "FILECOUNT"),
        total_bytes: number(node, "TOTALBYTES"),
        hard_link_bytes: number(node, "HARDLINKBYTES"),
        created: time(node, "CREATIONTIME"),
        modified: time(node, "LASTMODIFICATIONTIME"),
        wimboot: number(node, "WIMBOOT") == Some(1),
        windows: child(node, "WINDOWS").map(windows),
    })
}

fn windows(node: Node<'_, '_>) -> WindowsInfo {
    let languages = child(node, "LANGUAGES");
    WindowsInfo {
        architecture: number(node, "ARCH")
            .and_then(|number| u32::try_from(number).ok())
            .map(Architecture),
        product_name: text(node, "PRODUCTNAME"),
        edition_id: text(node, "EDITIONID"),
        installation_type: text(node, "INSTALLATIONTYPE"),
        hal: text(node, "HAL"),
        product_type: text(node, "PRODUCTTYPE"),
        product_suite: text(node, "PRODUCTSUITE"),
        languages: languages
            .into_iter()
            .flat_map(|list| list.children().filter(|node| is_named(node, "LANGUAGE")))
            .map(|node| content(node).trim().to_owned())
            .collect(),
        default_language: languages.and_then(|list| text(list, "DEFAULT")),
        version: child(node, "VERSION").map(version),
        system_root: text(node, "SYSTEMROOT"),
    }
}

fn version(node: Node<'_, '_>) -> WindowsVersion {
    let part = |name| {
        number(node, name)
            .and_then(|number| u32::try_from(number).ok())
            .unwrap_or(0)
    };
    WindowsVersion {
        major: part("MAJOR"),
        minor: part("MINOR"),
        build: part("BUILD"),
        sp_build: part("SPBUILD"),
        sp_level: part("SPLEVEL"),
        branch: text(node, "BRANCH"),
    }
}

fn time(node: Node<'_, '_>, name: &str) -> Option<FileTime> {
    let node = child(node, name)?;
    let half = |name| u32::try_from(number(node, name)?).ok().map(u64::from);
    Some(FileTime::from_ticks(
        half("HIGHPART")? << 32 | half("LOWPART")?,
    ))
}

/// A decimal number, or a hexadecimal one after `0x`.
fn number(node: Node<'_, '_>, name: &str) -> Option<u64> {
    let text = text(node, name)?;
    let text = text.trim();
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn text(node: Node<'_, '_>, name: &str) -> Option<String> {
    child(node, name).map(content)
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|node| is_named(node, name))
}

/// True for an element with this name and no prefix: `<a:IMAGE>` is none of the format's, whatever the prefix stands for.
fn is_named(node: &Node<'_, '_>, name: &str) -> bool {
    let source = node.document().input_text().get(node.range());
    let behind = source.and_then(|tag| tag.strip_prefix('<')?.strip_prefix(name));
    node.has_tag_name(name) && behind.is_some_and(|rest| !rest.starts_with(':'))
}

/// The text before the first element that follows text, as wimlib reads it; comments do not end it.
fn content(node: Node<'_, '_>) -> String {
    node.children()
        .skip_while(|node| !node.is_text())
        .take_while(|node| !node.is_element())
        .filter(Node::is_text)
        .filter_map(|node| node.text())
        .collect()
}
