//! Texts on their way to Windows: UTF-16 with a NUL at the end.

use crate::error::{Dll, Error};

/// A text that Windows can read: it ends with the only NUL in it.
#[derive(Debug)]
pub(crate) struct Wide(Vec<u16>);

impl Wide {
    /// The text for an argument of `call`.
    ///
    /// # Errors
    /// A NUL in it: Windows would read less than was meant.
    pub(crate) fn new(call: &'static str, dll: Dll, text: &str) -> Result<Self, Error> {
        if text.contains('\0') {
            return Err(Error::argument(call, dll));
        }
        Ok(Self(text.encode_utf16().chain([0]).collect()))
    }

    /// Where it begins. Good as long as the value lives.
    #[cfg(windows)]
    pub(crate) fn as_ptr(&self) -> *const u16 {
        self.0.as_ptr()
    }
}

/// The text of these units; a lone surrogate becomes U+FFFD, because no document has one.
pub(crate) fn from_units(units: &[u16]) -> String {
    String::from_utf16_lossy(units)
}

#[cfg(test)]
mod tests {
    use wcow_ntmeta::Hresult;

    use super::{Wide, from_units};
    use crate::error::{Dll, Stage};

    #[test]
    fn a_text_ends_with_its_only_nul() {
        let wide = Wide::new("F", Dll::VmCompute, "a\u{1F600}").expect("no NUL in it");
        assert_eq!(wide.0, [0x61, 0xD83D, 0xDE00, 0]);
        let error = Wide::new("F", Dll::VmCompute, "a\0b").expect_err("a NUL in it");
        assert_eq!(
            (error.stage, error.code),
            (Stage::Argument, Hresult(0x8007_0057))
        );
    }

    #[test]
    fn a_lone_surrogate_is_shown() {
        assert_eq!(from_units(&[0x61, 0xD800]), "a\u{FFFD}");
    }
}
