//! What a sink was told, call by call; and a sink that is not pleased.

use std::sync::atomic::{AtomicBool, Ordering};

use wcow_tree::{Entry, SinkError, StreamEnd, StreamRef, TreeSink};
use wcow_wim::Progress;

use crate::support::{chain, sha1};

/// Notes every call.
#[derive(Default)]
pub(crate) struct Recorder<'a> {
    pub(crate) calls: Vec<String>,
    /// Fails at this call, counted from 0.
    pub(crate) fail_at: Option<usize>,
    /// Becomes true at this call.
    pub(crate) cancel_at: Option<(usize, &'a AtomicBool)>,
    /// Panics at this call.
    pub(crate) panic_at: Option<usize>,
    /// Wants no stream for which this is true.
    pub(crate) declines: Option<fn(StreamRef) -> bool>,
}

impl Recorder<'_> {
    fn note(&mut self, call: String) -> Result<(), SinkError> {
        let number = self.calls.len();
        self.calls.push(call);
        if let Some((at, flag)) = self.cancel_at
            && at == number
        {
            flag.store(true, Ordering::Relaxed);
        }
        if self.panic_at == Some(number) {
            // Without the message of a panic, which nobody wants to see.
            std::panic::resume_unwind(Box::new("the sink panics"));
        }
        if self.fail_at == Some(number) {
            return Err(SinkError::message("the sink is full"));
        }
        Ok(())
    }

    /// Checks the order that [`TreeSink`] promises: one stream at a time.
    #[track_caller]
    pub(crate) fn check_order(&self) {
        let mut open = false;
        for call in &self.calls {
            match call.split(' ').next() {
                Some("entry") => assert!(!open, "{call} while a stream is open"),
                Some("open") => {
                    assert!(!open, "{call} while another is open: {:#?}", self.calls);
                    open = !call.ends_with("declined");
                }
                _ => {
                    assert!(open, "{call} while no stream is open: {:#?}", self.calls);
                    open = call.starts_with("write");
                }
            }
        }
        let unhappy = self.fail_at.is_some() || self.panic_at.is_some();
        assert!(!open || unhappy, "a stream is left open");
    }
}

impl TreeSink for Recorder<'_> {
    fn entry(&mut self, entry: &Entry) -> Result<(), SinkError> {
        self.note(format!("entry {entry:?}"))
    }

    fn open_stream(&mut self, stream: StreamRef) -> Result<bool, SinkError> {
        let wanted = self.declines.is_none_or(|declines| !declines(stream));
        let answer = if wanted { "" } else { " declined" };
        let StreamRef { entry, index } = stream;
        self.note(format!("open {}.{index}{answer}", entry.0))?;
        Ok(wanted)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        self.note(format!("write {} {}", bytes.len(), sha1(bytes)))
    }

    fn close_stream(&mut self, end: StreamEnd) -> Result<(), SinkError> {
        self.note(format!("close {end:?}"))
    }
}

/// How an extraction or a verification went: all that may not depend on the number of workers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Course {
    pub(crate) calls: Vec<String>,
    pub(crate) outcome: Vec<String>,
    /// As it was told last.
    pub(crate) progress: Option<Progress>,
}

/// Extracts the first image on so many workers.
pub(crate) fn extract(wim: &wcow_wim::Wim, workers: usize) -> Course {
    let image = match wim.image(crate::support::first()) {
        Ok(image) => image,
        Err(error) => {
            return Course {
                calls: Vec::new(),
                outcome: vec![chain(&error)],
                progress: None,
            };
        }
    };
    let mut sink = Recorder::default();
    let mut progress = None;
    let mut note = |now| progress = Some(now);
    let workers = workers.try_into().expect("at least one");
    let mut extractor = wim.extractor(&image).workers(workers).progress(&mut note);
    let result = wcow_tree::TreeSource::send(&mut extractor, &mut sink);
    drop(extractor);
    sink.check_order();
    Course {
        calls: sink.calls,
        outcome: result
            .err()
            .map(|error| outcome(&error))
            .unwrap_or_default(),
        progress,
    }
}

/// An error of an extraction, with every problem it names.
pub(crate) fn outcome(error: &wcow_tree::SendError) -> Vec<String> {
    let mut lines = vec![chain(error)];
    if let wcow_tree::SendError::Source(source) = error
        && let Some(problems) = source.downcast_ref::<wcow_wim::SourceProblems>()
    {
        lines.extend(problems.problems.iter().map(|problem| chain(problem)));
    }
    lines
}

/// Verifies on so many workers.
pub(crate) fn verify(wim: &wcow_wim::Wim, workers: usize) -> Course {
    let mut progress = None;
    let mut note = |now| progress = Some(now);
    let workers = workers.try_into().expect("at least one");
    let report = wim.verifier().workers(workers).progress(&mut note).run();
    let problems = report.problems.iter().map(|problem| chain(problem));
    let mut outcome: Vec<String> = problems.collect();
    outcome.extend(report.warnings.iter().map(ToString::to_string));
    outcome.push(format!(
        "{} images, {} blobs, {} bytes, integrity {}",
        report.images, report.blobs, report.bytes, report.integrity_checked
    ));
    Course {
        calls: Vec::new(),
        outcome,
        progress,
    }
}
