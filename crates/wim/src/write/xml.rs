//! Writes the XML data.

use std::collections::BTreeSet;

use wcow_ntmeta::FileTime;

use crate::{ImageIndex, WindowsInfo, WindowsVersion};

use super::{ImageSummary, NewImage, WriteError};

/// What the XML data says of an image, besides its counts.
pub(super) struct Described {
    name: String,
    description: Option<String>,
    flags: Option<String>,
    windows: Option<WindowsInfo>,
    created: FileTime,
}

impl Described {
    pub(super) fn new(image: NewImage<'_>) -> Self {
        let NewImage {
            name,
            description,
            flags,
            windows,
            created,
            source: _,
        } = image;
        Self {
            name,
            description,
            flags,
            windows,
            created,
        }
    }
}

/// Checks that the images can be told apart, and that their texts can be in XML.
pub(super) fn check(images: &[NewImage<'_>]) -> Result<(), WriteError> {
    let mut names = BTreeSet::new();
    for (index, image) in (1..).filter_map(ImageIndex::new).zip(images) {
        let fail = |what| Err(WriteError::Properties { image: index, what });
        if image.name.is_empty() {
            return fail("expected a name, found none".to_owned());
        }
        if !names.insert(&image.name) {
            return fail(format!(
                "expected a name of its own, found {:?} again",
                image.name
            ));
        }
        let windows = image.windows.iter().flat_map(texts);
        let own = [
            Some(&image.name),
            image.description.as_ref(),
            image.flags.as_ref(),
        ]
        .into_iter()
        .flatten();
        if let Some(text) = own.chain(windows).find(|text| !text.chars().all(is_xml)) {
            return fail(format!(
                "expected a text of characters that XML has, found {text:?}"
            ));
        }
    }
    Ok(())
}

/// The document, as UTF-16LE with a byte order mark.
pub(super) fn document(
    images: &[Described],
    summaries: &[ImageSummary],
    total_bytes: u64,
) -> Vec<u8> {
    let mut out = Writer::default();
    out.open("WIM");
    out.text("TOTALBYTES", &total_bytes.to_string());
    for ((number, image), summary) in (1_u32..).zip(images).zip(summaries) {
        out.image(number, image, summary);
    }
    out.close("WIM");
    "\u{FEFF}"
        .encode_utf16()
        .chain(out.text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect()
}

#[derive(Default)]
struct Writer {
    text: String,
}

impl Writer {
    fn image(&mut self, number: u32, image: &Described, summary: &ImageSummary) {
        self.open(&format!("IMAGE INDEX=\"{number}\""));
        self.text("DIRCOUNT", &summary.directories.to_string());
        self.text("FILECOUNT", &summary.files.to_string());
        self.text("TOTALBYTES", &summary.total_bytes.to_string());
        self.text("HARDLINKBYTES", &summary.hard_link_bytes.to_string());
        self.time("CREATIONTIME", image.created);
        self.time("LASTMODIFICATIONTIME", image.created);
        if let Some(windows) = &image.windows {
            self.windows(windows);
        }
        self.text("NAME", &image.name);
        self.optional("DESCRIPTION", image.description.as_ref());
        self.optional("FLAGS", image.flags.as_ref());
        self.close("IMAGE");
    }

    fn windows(&mut self, windows: &WindowsInfo) {
        self.open("WINDOWS");
        if let Some(architecture) = windows.architecture {
            self.text("ARCH", &architecture.0.to_string());
        }
        self.optional("PRODUCTNAME", windows.product_name.as_ref());
        self.optional("EDITIONID", windows.edition_id.as_ref());
        self.optional("INSTALLATIONTYPE", windows.installation_type.as_ref());
        self.optional("HAL", windows.hal.as_ref());
        self.optional("PRODUCTTYPE", windows.product_type.as_ref());
        self.optional("PRODUCTSUITE", windows.product_suite.as_ref());
        if !windows.languages.is_empty() || windows.default_language.is_some() {
            self.open("LANGUAGES");
            for language in &windows.languages {
                self.text("LANGUAGE", language);
            }
            self.optional("DEFAULT", windows.default_language.as_ref());
            self.close("LANGUAGES");
        }
        if let Some(version) = &windows.version {
            self.version(version);
        }
        self.optional("SYSTEMROOT", windows.system_root.as_ref());
        self.close("WINDOWS");
    }

    fn version(&mut self, version: &WindowsVersion) {
        self.open("VERSION");
        let parts = [
            ("MAJOR", version.major),
            ("MINOR", version.minor),
            ("BUILD", version.build),
            ("SPBUILD", version.sp_build),
            ("SPLEVEL", version.sp_level),
        ];
        for (name, value) in parts {
            self.text(name, &value.to_string());
        }
        self.optional("BRANCH", version.branch.as_ref());
        self.close("VERSION");
    }

    fn time(&mut self, name: &str, time: FileTime) {
        self.open(name);
        self.text("HIGHPART", &format!("0x{:08X}", time.ticks() >> 32));
        self.text("LOWPART", &format!("0x{:08X}", time.ticks() & 0xFFFF_FFFF));
        self.close(name);
    }

    fn optional(&mut self, name: &str, value: Option<&String>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    fn text(&mut self, name: &str, value: &str) {
        self.open(name);
        for character in value.chars() {
            match character {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                // A bare one would be read as a line feed.
                '\r' => self.text.push_str("&#xD;"),
                other => self.text.push(other),
            }
        }
        self.close(name);
    }

    fn open(&mut self, tag: &str) {
        self.text.push('<');
        self.text.push_str(tag);
        self.text.push('>');
    }

    fn close(&mut self, name: &str) {
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
    }
}

fn texts(windows: &WindowsInfo) -> impl Iterator<Item = &String> {
    let branch = windows
        .version
        .as_ref()
        .and_then(|version| version.branch.as_ref());
    [
        windows.product_name.as_ref(),
        windows.edition_id.as_ref(),
        windows.installation_type.as_ref(),
        windows.hal.as_ref(),
        windows.product_type.as_ref(),
        windows.product_suite.as_ref(),
        windows.default_language.as_ref(),
        windows.system_root.as_ref(),
        branch,
    ]
    .into_iter()
    .flatten()
    .chain(&windows.languages)
}

/// True for a character that XML 1.0 can hold.
fn is_xml(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
}
