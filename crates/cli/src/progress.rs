//! A progress bar on a terminal, nothing elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wcow_tree::{Entry, SinkError, StreamEnd, StreamRef, TreeSink};

/// A bar that counts bytes.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// A bar with a word before it.
    pub(crate) fn bytes(doing: &'static str) -> Self {
        let bar = ProgressBar::no_length().with_message(doing);
        if !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        if let Ok(style) =
            ProgressStyle::with_template("{msg} [{wide_bar}] {bytes}/{total_bytes} {eta}")
        {
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

/// A sink that shows how far it is: out of the bytes of all entries that were announced.
pub(crate) struct Watched<'a> {
    sink: &'a mut dyn TreeSink,
    bar: &'a Bar,
    done: u64,
    total: u64,
}

impl<'a> Watched<'a> {
    /// Shows the progress of `sink` on `bar`.
    pub(crate) fn new(sink: &'a mut dyn TreeSink, bar: &'a Bar) -> Self {
        Self {
            sink,
            bar,
            done: 0,
            total: 0,
        }
    }
}

impl TreeSink for Watched<'_> {
    fn entry(&mut self, entry: &Entry) -> Result<(), SinkError> {
        if entry.link_to.is_none() {
            self.total = entry
                .streams
                .iter()
                .map(|stream| stream.len)
                .fold(self.total, u64::saturating_add);
        }
        self.sink.entry(entry)
    }

    fn open_stream(&mut self, stream: StreamRef) -> Result<bool, SinkError> {
        self.sink.open_stream(stream)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        self.done = self
            .done
            .saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.bar.set(self.done, self.total.max(self.done));
        self.sink.write(bytes)
    }

    fn close_stream(&mut self, end: StreamEnd) -> Result<(), SinkError> {
        self.sink.close_stream(end)
    }
}
