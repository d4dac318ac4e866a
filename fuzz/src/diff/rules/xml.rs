//! The differences in XML data. wimlib 1.14.4 has a small reader of its own, we have a complete one.

use std::collections::BTreeSet;

use wcow_wim::{Wim, XmlError};

use crate::mutate::format::{Resource, Shape, at};

/// True for XML data that wimlib reads, and no XML parser would, or not within our limits.
pub(super) fn is_refused_by_us_alone(error: &XmlError) -> bool {
    matches!(
        error,
        XmlError::Malformed(_)
            | XmlError::ColonFirst { .. }
            | XmlError::TooDeep { .. }
            | XmlError::TagTooLong { .. }
    )
}

/// True for XML data that we read, and wimlib does not.
pub(super) fn is_refused_by_wimlib_alone(data: &[u8], wim: &Wim) -> bool {
    let text = wim.xml().text();
    let markup = without_sections(text);
    // It wants whole characters: we ignore an odd byte at the end, with a warning.
    stored(data).is_some_and(|xml| xml.len() % 2 != 0)
        // It knows one byte order mark.
        || text.starts_with('\u{feff}')
        // It knows the five names of characters, and no numbers.
        || markup.contains("&#")
        // Two names that differ only by halves of characters are one to us.
        || has_half_in_tag(data, &markup)
        // It skips ASCII spaces before a number of an image, and no others.
        || image_numbers(text).any(|number| {
            number != number.trim_end() || number.trim() != number.trim_ascii_start()
        })
}

/// A text that wimlib gave out, as we would have read it: ends of lines are one character, and halves of characters are replaced.
pub(in crate::diff) fn as_we_read(units: &[u16]) -> String {
    String::from_utf16_lossy(units)
        .replace("\r\n", "\n")
        .replace('\r', "\n")
}

/// True for files on which wimlib 1.14.4 ends with a double free, as it refuses the XML data: two images have the same number, and the
/// greatest number is the count of images. The numbers are those of any attribute `INDEX`, for this must not depend on a parser.
pub(in crate::diff) fn is_freed_twice(data: &[u8]) -> bool {
    let xml = stored(data);
    let (units, _) = xml.unwrap_or_default().as_chunks::<2>();
    let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    let text = String::from_utf16_lossy(&units);
    let mut numbers = BTreeSet::new();
    // Signs, zeros and spaces before a number do not matter.
    let number = |value: &str| -> String {
        let digits = value.chars().filter(char::is_ascii_digit);
        digits.skip_while(|digit| *digit == '0').collect()
    };
    image_numbers(&text).any(|value| !numbers.insert(number(value)))
}

/// The bytes of the XML data; wimlib does not look at the stored size of what is not compressed.
fn stored(data: &[u8]) -> Option<&[u8]> {
    let shape = Shape::read(data)?;
    let xml = Resource::read(data, shape.header + at::XML)?;
    let start = usize::try_from(xml.offset).ok()?;
    let end = start.checked_add(usize::try_from(xml.size).ok()?)?;
    data.get(start..end)
}

/// The text without comments, character data and processing instructions, in which nothing stands for something else.
fn without_sections(text: &str) -> String {
    let sections = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")];
    let mut rest = text;
    let mut kept = String::new();
    while let Some((first, tail)) = rest.split_at_checked(rest.find('<').unwrap_or(rest.len())) {
        kept.push_str(first);
        let section = sections.iter().find(|(open, _)| tail.starts_with(open));
        let end = section.and_then(|(open, close)| {
            let end = tail.get(open.len()..)?.find(close)?;
            Some(open.len() + end + close.len())
        });
        let len = end.unwrap_or(tail.len().min(1));
        let (skipped, after) = tail.split_at_checked(len).unwrap_or((tail, ""));
        if end.is_none() {
            kept.push_str(skipped);
        }
        if tail.is_empty() {
            break;
        }
        rest = after;
    }
    kept
}

/// True if there is half a character, which we read as U+FFFD, in a tag of this text.
fn has_half_in_tag(data: &[u8], markup: &str) -> bool {
    let (units, _) = stored(data).unwrap_or_default().as_chunks::<2>();
    let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
    let mut tags = markup
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split('>').next());
    char::decode_utf16(units).any(|unit| unit.is_err())
        && tags.any(|tag| tag.contains(char::REPLACEMENT_CHARACTER))
}

/// The values of all attributes `INDEX`.
fn image_numbers(text: &str) -> impl Iterator<Item = &str> {
    text.split("INDEX")
        .skip(1)
        .filter_map(|rest| rest.split(['"', '\'']).nth(1))
}
