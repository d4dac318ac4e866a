//! How a Windows name is written on a disk that cannot hold it as it is.
//!
//! A name is written as it is wherever that is safe. Otherwise single units are replaced, so that no two names become
//! one, and the result can be read back by a person:
//!
//! | what | becomes |
//! |---|---|
//! | a unit that must not stand in a name | `%XXXX`, its four upper-case hexadecimal digits |
//! | `%` before four hexadecimal digits, `~` or `#` | `%0025` |
//! | every unit of `.` and `..` | `%002E` |
//! | the empty name | `%~` |
//! | more than 255 bytes (UTF-8) or units | its beginning, `%#`, the SHA-1 of its UTF-16LE bytes |
//! | a name that the directory already has in another case | `%~2`, `%~3`, ... behind it |
//!
//! What must not stand in a name: NUL, `/`, `\` and lone surrogates everywhere. By the Windows rule also
//! `: * ? " < > |`, control characters, a dot or a space at the end, and the first letter of a device name (`CON`,
//! `NUL.txt`, ...). Without the last two rows of the table the mapping is injective; with the row before the last, as
//! far as SHA-1 is. The last row depends on what was written before, and is the sink's.

use sha1::{Digest as _, Sha1};
use wcow_ntmeta::WideName;

/// Which names a destination can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameRule {
    /// UTF-8, anything but `/` and NUL; `\` is not used either, because other programs take it for a separator.
    Unix,
    /// What Windows allows in a name.
    Windows,
    /// What both allow: the characters of Windows, and no more bytes than Unix takes.
    Both,
}

/// The longest name that is written: in UTF-16 units by the Windows rule, in bytes of UTF-8 by the others.
pub const MAX_NAME: usize = 255;

/// The name to write for a Windows name. It is never empty, `.` or `..`, and has no separator and no NUL.
///
/// ```
/// use wcow_tree::names::{NameRule, written_name};
///
/// assert_eq!(written_name(&"notes.txt".into(), NameRule::Unix), "notes.txt");
/// assert_eq!(written_name(&"..".into(), NameRule::Unix), "%002E%002E");
/// assert_eq!(written_name(&r"a\b".into(), NameRule::Unix), "a%005Cb");
/// assert_eq!(written_name(&"aux.h".into(), NameRule::Windows), "%0061ux.h");
/// ```
pub fn written_name(name: &WideName, rule: NameRule) -> String {
    if let Some(text) = plain(name.units()) {
        return text;
    }
    let text = escape(name.units(), rule);
    if measure(&text, rule) <= MAX_NAME {
        text
    } else {
        shorten(&text, name, rule)
    }
}

/// A name for the `number`th entry (from 2 on) whose name the destination takes for the same.
pub fn numbered_name(written: &str, number: u32, rule: NameRule) -> String {
    let suffix = format!("%~{number}");
    cut(written, MAX_NAME - suffix.len(), rule) + &suffix
}

const DOT: u16 = b'.' as u16;
const SPACE: u16 = b' ' as u16;
const PERCENT: u16 = b'%' as u16;

/// Device names besides COM and LPT with a digit.
const DEVICES: &[&str] = &["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"];
/// Units in the longest of all device names.
const LONGEST_DEVICE: usize = 7;
/// First letters of all device names, in upper case.
const DEVICE_LETTERS: [u16; 5] = [
    b'A' as u16,
    b'C' as u16,
    b'L' as u16,
    b'N' as u16,
    b'P' as u16,
];

/// Most names at once: not too long, of ASCII letters, digits, `-` and `_` with dots among them, and surely no device name.
/// Every rule leaves those as they are.
fn plain(units: &[u16]) -> Option<String> {
    let [first, ..] = units else { return None };
    let base = units.iter().take_while(|unit| **unit != DOT).count();
    let may_be_device = base <= LONGEST_DEVICE && DEVICE_LETTERS.contains(&(first & !0x20));
    if units.len() > MAX_NAME || base == 0 || may_be_device || units.last() == Some(&DOT) {
        return None;
    }
    let mut text = String::with_capacity(units.len());
    for unit in units {
        let character = char::from(u8::try_from(*unit).ok()?);
        if !(character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_')) {
            return None;
        }
        text.push(character);
    }
    Some(text)
}

fn escape(units: &[u16], rule: NameRule) -> String {
    match units {
        [] => return "%~".to_owned(),
        [DOT] | [DOT, DOT] => return units.iter().map(|unit| escaped(*unit)).collect(),
        _ => {}
    }
    let windows = rule != NameRule::Unix;
    let device = windows && is_device(units);
    let last = units.len() - 1;
    let mut text = String::with_capacity(units.len());
    let mut at = 0;
    for decoded in char::decode_utf16(units.iter().copied()) {
        let here = at;
        at += decoded
            .as_ref()
            .map_or(1, |character| character.len_utf16());
        match decoded {
            Err(lone) => text.push_str(&escaped(lone.unpaired_surrogate())),
            Ok(character) => {
                let unit = units.get(here).copied().unwrap_or(0);
                let refused = matches!(character, '\0' | '/' | '\\')
                    || unit == PERCENT && looks_escaped(units.get(here + 1..).unwrap_or(&[]))
                    || windows
                        && (matches!(
                            character,
                            ':' | '*' | '?' | '"' | '<' | '>' | '|' | '\x01'..='\x1f'
                        ))
                    || windows && here == last && (unit == DOT || unit == SPACE)
                    || device && here == 0;
                if refused {
                    text.push_str(&escaped(unit));
                } else {
                    text.push(character);
                }
            }
        }
    }
    text
}

fn escaped(unit: u16) -> String {
    format!("%{unit:04X}")
}

/// Whether a `%` before these units would be taken for one of ours.
fn looks_escaped(after: &[u16]) -> bool {
    let is_hex = |unit: &u16| u8::try_from(*unit).is_ok_and(|byte| byte.is_ascii_hexdigit());
    let marks = [u16::from(b'~'), u16::from(b'#')];
    after.first().is_some_and(|unit| marks.contains(unit))
        || after.get(..4).is_some_and(|four| four.iter().all(is_hex))
}

/// Whether Windows takes the name for a device, whatever its extension.
fn is_device(units: &[u16]) -> bool {
    let base = units
        .split(|unit| *unit == DOT || *unit == u16::from(b':'))
        .next()
        .unwrap_or(&[]);
    let end = base
        .iter()
        .rposition(|unit| *unit != SPACE)
        .map_or(0, |at| at + 1);
    let base = String::from_utf16_lossy(base.get(..end).unwrap_or(&[])).to_ascii_uppercase();
    let numbered = base
        .strip_prefix("COM")
        .or_else(|| base.strip_prefix("LPT"));
    let digit = |rest: &str| {
        matches!(rest, "¹" | "²" | "³")
            || rest.len() == 1 && rest.bytes().all(|b| b.is_ascii_digit())
    };
    DEVICES.contains(&base.as_str()) || numbered.is_some_and(digit)
}

fn measure(text: &str, rule: NameRule) -> usize {
    match rule {
        NameRule::Unix | NameRule::Both => text.len(),
        NameRule::Windows => text.encode_utf16().count(),
    }
}

fn shorten(text: &str, name: &WideName, rule: NameRule) -> String {
    let digest: String = Sha1::digest(name.to_le_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    cut(text, MAX_NAME - digest.len() - 2, rule) + "%#" + &digest
}

/// The longest beginning of whole characters and whole escapes that measures at most `max`.
fn cut(text: &str, max: usize, rule: NameRule) -> String {
    let mut rest = text;
    let mut taken = 0;
    while let Some(first) = rest.chars().next() {
        let whole_escape = first == '%'
            && rest
                .get(1..5)
                .is_some_and(|four| four.bytes().all(|b| b.is_ascii_hexdigit()));
        let step = if whole_escape { 5 } else { first.len_utf8() };
        let (head, tail) = rest.split_at(step);
        taken += measure(head, rule);
        if taken > max {
            break;
        }
        rest = tail;
    }
    text.strip_suffix(rest).unwrap_or(text).to_owned()
}
