//! A progress bar on a terminal, nothing elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How far a command is.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// A bar that counts bytes, with a word before it.
    pub(crate) fn bytes(doing: &'static str) -> Self {
        Self::new(
            doing,
            "{msg} [{wide_bar}] {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        )
    }

    /// A bar that counts things, which are named before it.
    pub(crate) fn count(what: &'static str) -> Self {
        Self::new(what, "{msg} [{wide_bar}] {pos}/{len} {per_sec} {eta}")
    }

    fn new(doing: &'static str, template: &str) -> Self {
        let bar = ProgressBar::no_length().with_message(doing);
        if !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// How far it is.
    pub(crate) fn set(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }

    /// Takes it away.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
