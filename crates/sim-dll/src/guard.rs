//! Panics end here: none crosses the boundary.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::abi::HANDLE;
use crate::answer::E_UNEXPECTED;

/// What a function answers when this library is wrong.
pub(crate) trait Unexpected {
    /// E_UNEXPECTED, if the type can say so.
    fn unexpected() -> Self;
}

impl Unexpected for i32 {
    fn unexpected() -> Self {
        E_UNEXPECTED.as_i32()
    }
}

impl Unexpected for u64 {
    fn unexpected() -> Self {
        0
    }
}

impl Unexpected for () {
    fn unexpected() -> Self {}
}

impl Unexpected for HANDLE {
    fn unexpected() -> Self {
        std::ptr::null_mut()
    }
}

/// Runs the body of an exported function.
pub(crate) fn guarded<T: Unexpected>(name: &str, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        let what = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("a panic without a text");
        log(&format!("{name}: {what}"));
        T::unexpected()
    })
}

/// Adds a line to the file that `WCOW_SIM_LOG` names, if it names one.
pub(crate) fn log(line: &str) {
    let Some(path) = std::env::var_os("WCOW_SIM_LOG") else {
        return;
    };
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path);
    if let Ok(mut file) = file {
        // There is nobody to tell that the log cannot be written.
        let _ = writeln!(file, "{line}");
    }
}
