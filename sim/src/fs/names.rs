//! Which names a file can be given.

use wcow_ntmeta::{HostPath, Hresult, WideName};

use super::code;

/// Refuses a path with a component that Win32 would not create.
pub(super) fn check_path(path: &HostPath) -> Result<(), Hresult> {
    if path.components().all(is_plain) {
        Ok(())
    } else {
        Err(code::INVALID_NAME)
    }
}

/// Whether a file can be given this name through Win32: no reserved characters, no device, no dot or space at the end.
pub(crate) fn is_plain(name: &WideName) -> bool {
    let last_is_bad = name
        .units()
        .last()
        .is_none_or(|&unit| unit == u16::from(b'.') || unit == u16::from(b' '));
    !last_is_bad && is_storable(name) && !is_device(name)
}

/// Whether NTFS can store the name at all.
pub(super) fn is_storable(name: &WideName) -> bool {
    const RESERVED: &[u8] = b"<>:\"/\\|?*";
    let bad =
        |unit: u16| unit < 32 || u8::try_from(unit).is_ok_and(|byte| RESERVED.contains(&byte));
    name.is_component() && name.len() <= 255 && !name.units().iter().any(|&unit| bad(unit))
}

/// `NUL`, `COM1` and so on, with any extension.
fn is_device(name: &WideName) -> bool {
    const DEVICES: [&str; 4] = ["CON", "PRN", "AUX", "NUL"];
    let stem: Vec<u16> = name
        .units()
        .iter()
        .copied()
        .take_while(|&unit| unit != u16::from(b'.'))
        .collect();
    if stem.len() > 4 {
        return false;
    }
    let stem = String::from_utf16_lossy(&stem)
        .trim_end()
        .to_ascii_uppercase();
    let numbered = |port: &str| {
        stem.strip_prefix(port)
            .is_some_and(|number| matches!(number.as_bytes(), [b'1'..=b'9']))
    };
    DEVICES.contains(&stem.as_str()) || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, plain: bool) {
        assert_eq!(is_plain(&name.into()), plain, "{name:?}");
    }

    #[test]
    fn names_that_win32_refuses_are_refused() {
        for name in [
            "a:b", "a*", "a?", "\u{1}", "NUL", "nul.txt", "Com1", "lpt9.log", "end.", "end ",
            "a|b", "<", "\"",
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
