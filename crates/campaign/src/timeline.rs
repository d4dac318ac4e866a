//! Timelines: a run as a page for a browser, and as a trace for Chrome's and Perfetto's viewers.

use std::collections::BTreeMap;

use serde::Serialize;
use wcow_ntmeta::{FileTime, Guid};
use wcow_sim::{OpId, TraceEvent, TraceRecord};

use crate::run::Report;

/// The page without its data.
const PAGE: &str = include_str!("timeline.html");
/// Where the data go.
const PLACE: &str = "/*DATA*/null";

/// The lane of clients that wait for some time to pass.
const SLEEP: &str = "sleep";

/// Ticks of 100 ns in a microsecond.
const TICKS_PER_MICROSECOND: u64 = 10;

/// A run as the page shows it.
#[derive(Serialize)]
struct Data<'r> {
    title: &'r str,
    fingerprint: &'r str,
    /// Microseconds from the first event to the last.
    length: u64,
    /// Microseconds to the end of the last command: the page begins with that part.
    commands: u64,
    lanes: Vec<Lane>,
    spans: Vec<Span>,
    violations: Vec<String>,
}

/// What has a row of its own: a client's commands, its calls, an object, the host.
#[derive(Serialize)]
struct Lane {
    name: String,
    group: &'static str,
}

/// Something with a beginning and an end, both in microseconds; an event has the same twice.
#[derive(Clone, Serialize)]
struct Span {
    lane: usize,
    from: u64,
    to: u64,
    /// `command`, `call`, `host`, `fault`, `check`.
    kind: &'static str,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    failed: bool,
}

/// A self-contained page: nothing is loaded from anywhere.
#[must_use]
pub fn page(title: &str, report: &Report, trace: &[TraceRecord]) -> String {
    let spans = Spans::new(report, trace);
    let data = Data {
        title,
        fingerprint: &report.fingerprint,
        length: spans.length,
        commands: spans.commands,
        lanes: spans.lanes,
        spans: spans.spans,
        violations: report.violations.iter().map(ToString::to_string).collect(),
    };
    // Inside of a script element `</` would end it.
    let json = serde_json::to_string(&data)
        .unwrap_or_default()
        .replace("</", "<\\/");
    PAGE.replacen(PLACE, &json, 1)
}

/// The same in Chrome's trace event format, for `chrome://tracing` and Perfetto.
#[must_use]
pub fn chrome_trace(report: &Report, trace: &[TraceRecord]) -> String {
    #[derive(Serialize)]
    struct File {
        #[serde(rename = "traceEvents")]
        events: Vec<Event>,
        #[serde(rename = "displayTimeUnit")]
        unit: &'static str,
    }
    #[derive(Serialize)]
    struct Event {
        name: String,
        cat: &'static str,
        ph: &'static str,
        ts: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        dur: Option<u64>,
        pid: u32,
        tid: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        s: Option<&'static str>,
        args: BTreeMap<&'static str, String>,
    }
    let spans = Spans::new(report, trace);
    let mut events: Vec<Event> = spans
        .lanes
        .iter()
        .enumerate()
        .map(|(lane, named)| Event {
            name: "thread_name".to_owned(),
            cat: "__metadata",
            ph: "M",
            ts: 0,
            dur: None,
            pid: 1,
            tid: lane,
            s: None,
            args: BTreeMap::from([("name", named.name.clone())]),
        })
        .collect();
    events.extend(spans.spans.into_iter().map(|span| {
        let is_event = span.from == span.to;
        let mut args = BTreeMap::new();
        if !span.detail.is_empty() {
            args.insert("detail", span.detail);
        }
        Event {
            name: span.name,
            cat: span.kind,
            ph: if is_event { "i" } else { "X" },
            ts: span.from,
            dur: (!is_event).then(|| span.to - span.from),
            pid: 1,
            tid: span.lane,
            s: is_event.then_some("t"),
            args,
        }
    }));
    let file = File { events, unit: "ms" };
    serde_json::to_string(&file).unwrap_or_default()
}

struct Spans {
    start: FileTime,
    length: u64,
    commands: u64,
    lanes: Vec<Lane>,
    by_name: BTreeMap<(&'static str, String), usize>,
    spans: Vec<Span>,
    /// Calls that were seen and not answered yet, with the places of their spans.
    open: BTreeMap<OpId, usize>,
}

impl Spans {
    fn new(report: &Report, trace: &[TraceRecord]) -> Self {
        let first = trace.first().map(|record| record.time);
        let began = report.history.iter().map(|done| done.began).min();
        let start = first
            .into_iter()
            .chain(began)
            .min()
            .unwrap_or(FileTime::ZERO);
        let mut spans = Self {
            start,
            length: 0,
            commands: 0,
            lanes: Vec::new(),
            by_name: BTreeMap::new(),
            spans: Vec::new(),
            open: BTreeMap::new(),
        };
        spans.commands(report);
        spans.commands = spans.length;
        for record in trace {
            spans.event(record);
        }
        let host = spans.lane("host", "host");
        let end = spans.length;
        for violation in &report.violations {
            spans.push(Span {
                lane: host,
                from: end,
                to: end,
                kind: "check",
                name: violation.check().to_owned(),
                detail: violation.to_string(),
                failed: true,
            });
        }
        // What was never answered lasts to the end.
        for open in std::mem::take(&mut spans.open).into_values() {
            if let Some(span) = spans.spans.get_mut(open) {
                span.to = end;
                span.detail += " (never answered)";
                span.failed = true;
            }
        }
        spans
    }

    fn commands(&mut self, report: &Report) {
        for done in &report.history {
            let lane = self.lane("commands", &format!("client {}", done.client));
            let from = self.at(done.began);
            let (detail, failed) = match &done.ending {
                crate::Ending::Done => (String::new(), false),
                crate::Ending::Refused(why) => (format!("refused: {why}"), true),
                crate::Ending::Failed(why) => (format!("failed: {why}"), true),
                crate::Ending::Unknown => ("the client was gone".to_owned(), true),
            };
            let over = done.cut_off.or(done.ended);
            let to = over.map_or(from, |over| self.at(over));
            self.push(Span {
                lane,
                from,
                to,
                kind: "command",
                name: done.step.to_string(),
                detail,
                failed,
            });
        }
    }

    fn event(&mut self, record: &TraceRecord) {
        let at = self.at(record.time);
        match &record.event {
            TraceEvent::Call {
                op,
                issued,
                operation,
                object,
                step,
                ..
            } => {
                // A late call is seen twice; it is one.
                if self.open.contains_key(op) {
                    return;
                }
                let of = object_lane(object);
                let sleeps = of == SLEEP;
                let lane = self.lane("objects", &of);
                let from = self.at(*issued);
                self.open.insert(*op, self.spans.len());
                self.push(Span {
                    lane,
                    from,
                    to: at,
                    kind: "call",
                    name: if sleeps {
                        SLEEP.to_owned()
                    } else {
                        operation.to_string()
                    },
                    detail: match step {
                        Some(step) => format!("{object} ({step})"),
                        None => object.clone(),
                    },
                    failed: false,
                });
            }
            TraceEvent::Answer { op, error } => {
                if let Some(open) = self.open.remove(op)
                    && let Some(span) = self.spans.get_mut(open)
                {
                    span.to = at;
                    if let Some(error) = error {
                        span.failed = true;
                        span.detail.clone_from(error);
                    }
                }
            }
            TraceEvent::Fault { op, what } => {
                let lane = match self.open.get(op).and_then(|open| self.spans.get(*open)) {
                    Some(span) => span.lane,
                    None => self.lane("host", "host"),
                };
                self.mark(lane, at, "fault", what, true);
            }
            TraceEvent::Ended(client) => {
                let lane = self.lane("host", "host");
                self.mark(
                    lane,
                    at,
                    "host",
                    &format!("client {} ends", client.0),
                    false,
                );
            }
            TraceEvent::Host(what) => {
                let lane = self.lane("host", "host");
                self.mark(lane, at, "host", what, false);
            }
            other => {
                let lane = self.lane("host", "host");
                self.mark(lane, at, "host", &other.to_string(), false);
            }
        }
    }

    fn mark(&mut self, lane: usize, at: u64, kind: &'static str, name: &str, failed: bool) {
        self.push(Span {
            lane,
            from: at,
            to: at,
            kind,
            name: name.to_owned(),
            detail: String::new(),
            failed,
        });
    }

    fn push(&mut self, span: Span) {
        self.length = self.length.max(span.to);
        self.spans.push(span);
    }

    fn lane(&mut self, group: &'static str, name: &str) -> usize {
        let next = self.lanes.len();
        let lane = *self.by_name.entry((group, name.to_owned())).or_insert(next);
        if lane == next {
            self.lanes.push(Lane {
                name: name.to_owned(),
                group,
            });
        }
        lane
    }

    /// Microseconds since the start.
    fn at(&self, time: FileTime) -> u64 {
        time.ticks().saturating_sub(self.start.ticks()) / TICKS_PER_MICROSECOND
    }
}

/// The lane of an object: paths of one image or container are one object, as are handles.
fn object_lane(object: &str) -> String {
    if object.is_empty() {
        return "host".to_owned();
    }
    let folder = |marker: &str| {
        let (_, rest) = object.split_once(marker)?;
        let name = rest.split(['\\', '.']).next().unwrap_or(rest);
        Some(name.to_owned())
    };
    if let Some(rest) = object.split_once(r"\Windows\Images\").map(|(_, rest)| rest) {
        let name = rest.split('\\').next().unwrap_or(rest);
        return format!("image store: {name}");
    }
    if let Some(name) = folder(r"\wcow\containers\").or_else(|| folder(r"\Hyper-V\containers\")) {
        return format!("container {name}");
    }
    if object.contains(r"\wcow\records\locks") {
        return "locks".to_owned();
    }
    if object.contains(r"\wcow\records") {
        return "records".to_owned();
    }
    if object.starts_with("system handle") || object.starts_with("process") {
        return object.to_owned();
    }
    if object.starts_with("lock ") {
        return "locks".to_owned();
    }
    if object.starts_with("tree ") {
        return "trees".to_owned();
    }
    if FileTime::parse_rfc3339(object).is_ok() {
        return SLEEP.to_owned();
    }
    if object.parse::<Guid>().is_ok() {
        return format!("id {object}");
    }
    object.to_owned()
}
