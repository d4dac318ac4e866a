//! Entries of event logs, as `wevtutil.exe` writes them: elements `Event` one after the other, with no element around them.
//!
//! The XML is that of [MS-EVEN6] 2.2.16. `RenderingInfo` has the text in the host's language; where the source of an entry is not
//! installed any more there is none, and the values of the entry stand in for it.

use std::cmp::Reverse;
use std::fmt;

use roxmltree::{Document, Node, ParsingOptions};
use wcow_host::{EventLevel, EventRecord};
use wcow_ntmeta::FileTime;

/// The most elements that are read at once.
const MOST_NODES: u32 = 1_000_000;
/// The longest text that is kept, in characters.
const LONGEST_MESSAGE: usize = 2000;

/// A query for the entries since a time, in the XPath that event logs understand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedQuery(pub FileTime);

impl fmt::Display for TimedQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "*[System[TimeCreated[@SystemTime>='{}']]]", self.0)
    }
}

/// The entries in what `wevtutil qe /f:RenderedXml` wrote; none if that is no XML. An entry without a number or a time is left out.
#[must_use]
pub fn events(text: &str) -> Option<Vec<EventRecord>> {
    let text = format!("<Events>{}</Events>", text.trim_start_matches('\u{FEFF}'));
    let options = ParsingOptions {
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(&text, options).ok()?;
    let events = document.root_element().children();
    Some(
        events
            .filter(|node| node.tag_name().name() == "Event")
            .filter_map(event)
            .collect(),
    )
}

/// The newest entries of several logs, at most so many.
#[must_use]
pub fn newest_first(mut events: Vec<EventRecord>, most: usize) -> Vec<EventRecord> {
    events.sort_by_key(|event| Reverse(event.time));
    events.truncate(most);
    events
}

fn event(node: Node<'_, '_>) -> Option<EventRecord> {
    let system = child(node, "System")?;
    let text = |name| {
        child(system, name)
            .and_then(|node| node.text())
            .map(str::trim)
    };
    let level = text("Level").and_then(|level| level.parse().ok());
    Some(EventRecord {
        channel: text("Channel").unwrap_or_default().to_owned(),
        provider: child(system, "Provider")
            .and_then(|node| node.attribute("Name"))
            .unwrap_or_default()
            .to_owned(),
        id: text("EventID")?.parse().ok()?,
        level: match level {
            Some(1u8) => EventLevel::Critical,
            Some(2) => EventLevel::Error,
            Some(3) => EventLevel::Warning,
            _ => EventLevel::Information,
        },
        time: FileTime::parse_rfc3339(child(system, "TimeCreated")?.attribute("SystemTime")?)
            .ok()?,
        message: message(node),
    })
}

fn message(event: Node<'_, '_>) -> String {
    let rendered = child(event, "RenderingInfo")
        .and_then(|info| child(info, "Message"))
        .and_then(|node| node.text());
    let whole = match rendered {
        Some(text) => text.trim().to_owned(),
        None => {
            let values = event
                .children()
                .filter(|node| matches!(node.tag_name().name(), "EventData" | "UserData"))
                .flat_map(|node| node.descendants())
                .filter(Node::is_text)
                .filter_map(|node| node.text())
                .map(str::trim)
                .filter(|text| !text.is_empty());
            values.collect::<Vec<_>>().join("; ")
        }
    };
    whole.chars().take(LONGEST_MESSAGE).collect()
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children()
        .find(|child| child.tag_name().name() == name)
}
