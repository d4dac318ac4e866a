//! Parts of an image: what a selection and a filter leave of it, and what a cancelled extraction sends.

use std::sync::atomic::{AtomicBool, Ordering};

use wcow_tree::{
    Entry, EntryId, SendError, SinkError, StreamEnd, StreamRef, TreeSink, TreeSource as _,
};
use wcow_wim::{ExtractError, Image, NodeId, Wim};

use crate::image::{Rules, told};
use crate::rng::Rng;

/// Bytes that are sent at most.
const BYTES: u64 = 8 << 20;

/// A selection and a filter, drawn from `seed`: exactly what they leave is sent, as the plan says, by one worker and by two.
///
/// # Panics
/// If more or less is sent, or another plan is made.
pub(crate) fn selected(wim: &Wim, image: &Image, seed: u64) {
    let mut rng = Rng::new(seed);
    let nodes: Vec<NodeId> = image.nodes().collect();
    let only = (!rng.one_in(4)).then(|| {
        let count = rng.below(4);
        let picks = (0..count).filter_map(|_| rng.pick(&nodes).copied());
        picks.collect::<Vec<_>>()
    });
    let salt = rng.bits();
    // Of the nodes that it is asked for, the filter leaves out one in four, or none.
    let filtering = rng.one_in(2);
    let filter =
        |node: NodeId| !filtering || Rng::new(salt ^ u64::from(node.index())).bits() & 3 != 0;
    let expected = expected(image, &nodes, only.as_deref(), &filter);
    let [one, two] = [1, 2].map(|workers| {
        let mut extractor = wim.extractor(image).workers(crate::wims::count(workers));
        if let Some(only) = &only {
            extractor = extractor.only(only.iter().copied());
        }
        if filtering {
            extractor = extractor.filter(&filter);
        }
        let plan = extractor.plan();
        let mut rules = Rules::new(BYTES, u64::MAX);
        let sent = extractor.send(&mut rules);
        let ids: Vec<u32> = rules.ids().map(|EntryId(id)| id).collect();
        if !rules.refused {
            assert_eq!(ids, expected, "a part is more or less than was asked for");
            let planned = usize::try_from(plan.entries).unwrap_or(usize::MAX);
            assert_eq!(planned, ids.len(), "the plan counts other entries");
            assert!(
                sent.is_err() || BYTES - rules.bytes == plan.bytes,
                "the plan counts other bytes"
            );
            assert!(
                sent.is_err() || plan.missing == 0,
                "streams are missing, and nothing says so"
            );
        }
        (rules.calls(), sent.err().map(|error| told(&error)))
    });
    assert_eq!(one, two, "a part depends on the number of workers");
}

/// The numbers of the nodes that are sent: those selected, with all in them and the directories on the way, without what is left out.
fn expected(
    image: &Image,
    nodes: &[NodeId],
    only: Option<&[NodeId]>,
    filter: &dyn Fn(NodeId) -> bool,
) -> Vec<u32> {
    let mut kept = std::collections::BTreeSet::from([image.root().index()]);
    for &node in nodes {
        let mut way = vec![node];
        while let Some(parent) = way.last().and_then(|last| image.parent(*last)) {
            way.push(parent);
        }
        let chosen = only.is_none_or(|only| way.iter().any(|node| only.contains(node)));
        let whole = way
            .iter()
            .all(|node| *node == image.root() || filter(*node));
        if chosen && whole {
            kept.extend(way.iter().map(|node| node.index()));
        }
    }
    kept.into_iter().collect()
}

/// Cancelled after some calls, drawn from `seed`: it ends as cancelled or was done already, with every stream ended.
///
/// # Panics
/// If it goes on, ends otherwise, or leaves a stream open.
pub(crate) fn cancelled(wim: &Wim, image: &Image, seed: u64) {
    let whole = |cancel: Option<u64>| {
        let flag = AtomicBool::new(cancel == Some(0));
        let mut sink = Cancelling {
            rules: Rules::new(BYTES, u64::MAX),
            flag: &flag,
            left: cancel.unwrap_or(u64::MAX),
            calls: 0,
            after: 0,
        };
        let sent = wim.extractor(image).cancel(&flag).send(&mut sink);
        (sent, sink.calls, sink.after, sink.rules)
    };
    let (sent, calls, _, rules) = whole(None);
    if rules.refused {
        return;
    }
    let end = sent.err().map(|error| told(&error));
    let after = Rng::new(seed).bits() % calls.max(1);
    let (sent, _, pieces, stopped) = whole(Some(after));
    assert!(!stopped.is_open(), "a stream is left open");
    let is_cancelled = match &sent {
        Err(SendError::Source(error)) => matches!(
            error.downcast_ref::<ExtractError>(),
            Some(ExtractError::Cancelled)
        ),
        _ => false,
    };
    if is_cancelled {
        assert!(pieces <= 1, "it goes on after it was cancelled");
    } else {
        let ended = sent.err().map(|error| told(&error));
        assert_eq!(
            (ended, stopped.calls()),
            (end, rules.calls()),
            "it is neither cancelled nor whole"
        );
    }
}

/// Cancels after some calls.
struct Cancelling<'a> {
    rules: Rules,
    flag: &'a AtomicBool,
    left: u64,
    calls: u64,
    /// Pieces of streams that came after that.
    after: u64,
}

impl Cancelling<'_> {
    fn count(&mut self) {
        self.calls += 1;
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            self.flag.store(true, Ordering::Relaxed);
        }
    }
}

impl TreeSink for Cancelling<'_> {
    fn entry(&mut self, entry: &Entry) -> Result<(), SinkError> {
        self.rules.entry(entry)?;
        self.count();
        Ok(())
    }

    fn open_stream(&mut self, stream: StreamRef) -> Result<bool, SinkError> {
        let wanted = self.rules.open_stream(stream)?;
        self.count();
        Ok(wanted)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        self.after += u64::from(self.flag.load(Ordering::Relaxed));
        self.rules.write(bytes)?;
        self.count();
        Ok(())
    }

    fn close_stream(&mut self, end: StreamEnd) -> Result<(), SinkError> {
        self.rules.close_stream(end)?;
        self.count();
        Ok(())
    }
}
