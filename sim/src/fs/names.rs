//! Which names a file can be given.

use wcow_ntmeta::upcase::upcase_unit;
use wcow_ntmeta::{HostPath, Hresult};

use super::{Fs, code};

impl Fs {
    /// Refuses a path with a component that Win32 would not create.
    pub(super) fn check_path(&self, path: &HostPath) -> Result<(), Hresult> {
        self.recent
            .is_plain(path)
            .then_some(())
            .ok_or(code::INVALID_NAME)
    }
}

/// Whether a file can be given this name through Win32: no reserved characters, no device, no dot or space at the end.
pub(crate) fn is_plain(name: &[u16]) -> bool {
    let last_is_bad = name
        .last()
        .is_none_or(|&unit| unit == u16::from(b'.') || unit == u16::from(b' '));
    !last_is_bad && is_storable(name) && !is_device(name)
}

/// Whether NTFS can store the name at all.
pub(super) fn is_storable(name: &[u16]) -> bool {
    const DOT: u16 = b'.' as u16;
    !matches!(name, [] | [DOT] | [DOT, DOT])
        && name.len() <= 255
        && (is_of_usual_units(name) || !name.iter().copied().any(is_reserved))
}

/// Whether a name has nothing but units that are common and not reserved. Eight at once, the last ones twice where they are no eight:
/// every name that is created passes here.
fn is_of_usual_units(name: &[u16]) -> bool {
    let usual = |units: &[u16; 8]| {
        units.iter().fold(true, |all, &unit| {
            let from_letters_on = (unit >= 0x40) & (unit != 0x5c) & (unit != 0x7c);
            let dash_dot_digits = (unit.wrapping_sub(0x2d) < 13) & (unit != 0x2f);
            all & (from_letters_on | dash_dot_digits)
        })
    };
    name.last_chunk().is_some_and(usual) && name.as_chunks().0.iter().all(usual)
}

/// Control characters and those that separate or stand for others.
fn is_reserved(unit: u16) -> bool {
    const RESERVED: [bool; 128] = {
        let mut reserved = [false; 128];
        let mut control = 0;
        while control < 32 {
            reserved[control] = true;
            control += 1;
        }
        let mut rest: &[u8] = br#"<>:"/\|?*"#;
        while let [byte, more @ ..] = rest {
            reserved[*byte as usize] = true;
            rest = more;
        }
        reserved
    };
    RESERVED.get(usize::from(unit)) == Some(&true)
}

/// `NUL`, `COM1` and so on, with any extension; the superscript digits 1 to 3 count as digits. `CONIN$` and `CONOUT$` too.
fn is_device(name: &[u16]) -> bool {
    let mut stem = name;
    // Most names are told apart from devices by their first letter: every name of every path that is written to passes here.
    let may_begin = |unit: &u16| {
        b"acnlp"
            .iter()
            .any(|&letter| *unit | 0x20 == u16::from(letter))
    };
    if !stem.first().is_some_and(may_begin) {
        return false;
    }
    let is = |device: &str| {
        let upcased = name.iter().map(|&unit| upcase_unit(unit));
        name.len() == device.len() && upcased.eq(device.encode_utf16())
    };
    if is("CONIN$") || is("CONOUT$") {
        return true;
    }
    if let Some(dot) = stem.iter().position(|&unit| unit == u16::from(b'.')) {
        stem = stem.get(..dot).unwrap_or_default();
    }
    if stem.len() > 4 {
        return false;
    }
    let is_space = |unit: u16| char::from_u32(u32::from(unit)).is_some_and(char::is_whitespace);
    while let Some((&last, rest)) = stem.split_last()
        && is_space(last)
    {
        stem = rest;
    }
    let mut upper = [0; 4];
    for (to, &unit) in upper.iter_mut().zip(stem) {
        match u8::try_from(unit) {
            Ok(byte) => *to = byte.to_ascii_uppercase(),
            Err(_) => return false,
        }
    }
    match upper.get(..stem.len()) {
        Some(b"CON" | b"PRN" | b"AUX" | b"NUL") => true,
        Some([port @ .., b'1'..=b'9' | 0xb9 | 0xb2 | 0xb3]) => matches!(port, b"COM" | b"LPT"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_units_are_not_reserved() {
        for unit in 0..=u16::MAX {
            for place in 0..11 {
                let mut name = [u16::from(b'a'); 11];
                name[place] = unit;
                assert!(
                    !(is_of_usual_units(&name) && is_reserved(unit)),
                    "{unit:#x}"
                );
            }
        }
        let usual: Vec<u16> = "CN=Microsoft".encode_utf16().collect();
        assert!(!is_of_usual_units(&usual), "= is rare");
        let usual: Vec<u16> = "a-b_c.vhdx{0123456789}".encode_utf16().collect();
        assert!(is_of_usual_units(&usual));
    }

    #[track_caller]
    fn check(name: &str, plain: bool) {
        let units: Vec<u16> = name.encode_utf16().collect();
        assert_eq!(is_plain(&units), plain, "{name:?}");
    }

    #[test]
    fn names_that_win32_refuses_are_refused() {
        for name in [
            "a:b",
            "a*",
            "a?",
            "\u{1}",
            "NUL",
            "nul.txt",
            "Com1",
            "lpt9.log",
            "end.",
            "end ",
            "a|b",
            "<",
            "\"",
            "con .x",
            "com\u{b9}",
            "LPT\u{b3}.txt",
            "conin$",
            "CONOUT$",
        ] {
            check(name, false);
        }
        for name in [
            "CN=Microsoft_Server_10.0",
            "null",
            "com0",
            "com10",
            "console",
            ".hidden",
            "a b",
            "\u{e4}",
        ] {
            check(name, true);
        }
    }
}
