//! Extraction: what is sent, in part, with shared blobs, to sinks that fail, and until it is cancelled.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use wcow_ntmeta::RelPath;
use wcow_tree::memory::MemoryTree;
use wcow_tree::{SendError, TreeSource as _};
use wcow_wim::{ExtractError, NodeId, Options, Wim};

use crate::build::{Algorithm, Codec, Contents, Style, open_parts};
use crate::record::{Recorder, extract, outcome};
use crate::support::{chain, first, rich_tree, runs, sha1};

/// One large blob, a large one for two files, a small one for three.
fn tree() -> MemoryTree {
    let (shared, small) = (runs(1, 200_000), runs(2, 3000));
    MemoryTree::new()
        .file("large", runs(3, (2 << 20) + 50_000))
        .file(r"dir\shared 1", &shared)
        .file(r"dir\shared 2", &shared)
        .file(r"dir\small 1", &small)
        .file(r"dir\small 2", &small)
        .file("small 3", &small)
        .file("empty", "")
        .hard_link(r"dir\linked", "small 3")
}

fn styles() -> [Style; 4] {
    [
        Style::PLAIN,
        Style::compressed(Codec::XPRESS),
        Style::solid(Codec::new(Algorithm::Lzms, 1 << 15), 9, usize::MAX),
        Style::solid(Codec::XPRESS, 2, 1 << 20),
    ]
}

fn open(style: Style, tree: &MemoryTree, shared_blob_bytes: u64) -> Wim {
    let mut options = Options::default();
    options.limits.shared_blob_bytes = shared_blob_bytes;
    let files = style.files(&Contents::of(std::slice::from_ref(tree)));
    open_parts(files, options).expect("it opens")
}

#[test]
fn shared_blobs_are_sent_to_every_file() {
    for style in styles() {
        for shared in [16 << 20, 100_000, 0] {
            let wim = open(style, &tree(), shared);
            let course = extract(&wim, 1);
            assert_eq!(extract(&wim, 2), course);
            assert_eq!(course.outcome, Vec::<String>::new());
            let progress = course.progress.expect("something was sent");
            let bytes = (2 << 20) + 50_000 + 2 * 200_000 + 3 * 3000;
            assert_eq!((progress.done, progress.total), (bytes, bytes));
            let image = wim.image(first()).expect("it is there");
            let sent = MemoryTree::collect(&mut wim.extractor(&image)).expect("it can be sent");
            assert_eq!(sent.differences(&tree()), Vec::<String>::new());
        }
    }
}

#[test]
fn a_damaged_blob_that_is_shared_is_damaged_for_all() {
    for style in styles() {
        for shared in [16 << 20, 0] {
            let contents = Contents::of(&[tree()]);
            let mut file = style.file(&contents);
            let digest = sha1(&runs(2, 3000));
            let row = file.windows(20).rposition(|bytes| *bytes == digest.0);
            // The image still wants the blob; its row says that its contents are those of another.
            let row = row.expect("its row");
            let large = sha1(&runs(3, (2 << 20) + 50_000));
            let other = file
                .windows(20)
                .rposition(|bytes| *bytes == large.0)
                .expect("its row");
            file[other..other + 20].copy_from_slice(&digest.0);
            file[row..row + 20].copy_from_slice(&large.0);
            let mut options = Options::default();
            options.limits.shared_blob_bytes = shared;
            let wim = Wim::open_with(file, options).expect("it opens");
            let image = wim.image(first()).expect("it is there");
            let mut sink = Recorder::default();
            let mut extractor = wim.extractor(&image);
            let error = extractor.send(&mut sink).expect_err("two blobs are wrong");
            sink.check_order();
            let told = outcome(&error);
            assert_eq!(told.len(), 1 + 4, "{told:#?}");
            let damaged = sink.calls.iter().filter(|call| *call == "close Damaged");
            assert_eq!(damaged.count(), 4);
            if shared == 0 {
                assert_eq!(extract(&wim, 2), extract(&wim, 1));
            } else {
                let again = told
                    .iter()
                    .filter(|line| line.ends_with("as for the first file that needs it"));
                assert_eq!(again.count(), 2, "{told:#?}");
            }
        }
    }
}

#[test]
fn a_part_of_the_image_is_planned_and_sent() {
    let wim = open(Style::compressed(Codec::XPRESS), &tree(), 1000);
    let image = wim.image(first()).expect("it is there");
    let node = |path: &str| image.lookup(&RelPath::parse(path)).expect("it is there");
    let plan = wim.extractor(&image).plan();
    assert_eq!(
        (plan.entries, plan.streams, plan.bytes, plan.missing),
        (10, 7, (2 << 20) + 50_000 + 409_000, 0)
    );
    let (dir, large) = (node("dir"), node("large"));
    let filter = |id: NodeId| image.name(id) != "shared 2" && id != large;
    let mut extractor = wim.extractor(&image).only([dir, large]).filter(&filter);
    let plan = extractor.plan();
    assert_eq!((plan.entries, plan.streams, plan.bytes), (6, 4, 209_000));
    let sent = MemoryTree::collect(&mut extractor).expect("it can be sent");
    let paths: Vec<String> = sent.paths().iter().map(ToString::to_string).collect();
    assert_eq!(
        paths,
        [
            "dir",
            r"dir\linked",
            r"dir\shared 1",
            r"dir\small 1",
            r"dir\small 2"
        ]
    );
    assert_eq!(sent.contents(r"dir\linked"), Some(&runs(2, 3000)[..]));
    // A directory that is left out takes everything in it along, also what was selected.
    let filter = |id: NodeId| id != dir;
    let selected = [node(r"dir\small 1"), node("small 3")];
    let mut extractor = wim.extractor(&image).only(selected).filter(&filter);
    let sent = MemoryTree::collect(&mut extractor).expect("it can be sent");
    let paths: Vec<String> = sent.paths().iter().map(ToString::to_string).collect();
    assert_eq!(paths, ["small 3"]);
}

#[test]
fn a_sink_that_fails_is_asked_nothing_more() {
    for (style, shared) in styles().into_iter().zip([0, 1 << 20, 0, 1 << 20]) {
        let wim = open(style, &tree(), shared);
        let image = wim.image(first()).expect("it is there");
        let whole = extract(&wim, 1).calls;
        for fail_at in 0..whole.len() {
            let mut sink = Recorder {
                fail_at: Some(fail_at),
                ..Recorder::default()
            };
            let workers = (1 + fail_at % 3).try_into().expect("at least one");
            let error = wim
                .extractor(&image)
                .workers(workers)
                .send(&mut sink)
                .expect_err("the sink fails");
            assert!(matches!(error, SendError::Sink(_)), "{}", chain(&error));
            assert_eq!(sink.calls[..], whole[..=fail_at]);
        }
    }
}

#[test]
fn a_cancelled_extraction_leaves_no_stream_open() {
    let mut damaged = 0;
    for (style, shared) in styles().into_iter().zip([1 << 20, 0, 1 << 20, 0]) {
        let wim = open(style, &tree(), shared);
        let image = wim.image(first()).expect("it is there");
        let whole = extract(&wim, 1).calls;
        let contents = whole.iter().position(|call| call.starts_with("write"));
        for cancel_at in contents.expect("bytes are sent")..whole.len() {
            let cancel = AtomicBool::new(false);
            let mut sink = Recorder {
                cancel_at: Some((cancel_at, &cancel)),
                ..Recorder::default()
            };
            let workers = (1 + cancel_at % 3).try_into().expect("at least one");
            let result = wim
                .extractor(&image)
                .workers(workers)
                .cancel(&cancel)
                .send(&mut sink);
            sink.check_order();
            assert!(cancel.load(Ordering::Relaxed));
            let same = sink.calls.len().min(whole.len());
            if sink
                .calls
                .last()
                .is_some_and(|call| call == "close Damaged")
            {
                damaged += 1;
                assert_eq!(sink.calls[..same - 1], whole[..same - 1]);
            } else {
                assert_eq!(sink.calls[..same], whole[..same]);
            }
            match result {
                Err(SendError::Source(error)) => assert!(
                    matches!(error.downcast_ref(), Some(ExtractError::Cancelled)),
                    "{error}"
                ),
                Err(error) => panic!("the sink was fine: {}", chain(&error)),
                Ok(()) => assert_eq!(sink.calls, whole),
            }
        }
    }
    assert!(damaged > 0, "some were cancelled within a stream");
}

#[test]
fn a_sink_that_panics_is_no_standstill() {
    let wim = open(Style::compressed(Codec::XPRESS), &tree(), 1 << 20);
    let image = wim.image(first()).expect("it is there");
    let whole = extract(&wim, 1).calls;
    let opened = whole.iter().position(|call| call.starts_with("open"));
    for panic_at in opened.expect("streams are sent")..whole.len() {
        for workers in [1, 2, 5] {
            let mut sink = Recorder {
                panic_at: Some(panic_at),
                ..Recorder::default()
            };
            let workers = workers.try_into().expect("at least one");
            let mut extractor = wim.extractor(&image).workers(workers);
            let sent = catch_unwind(AssertUnwindSafe(|| extractor.send(&mut sink)));
            assert!(sent.is_err(), "the panic is handed on");
            drop(extractor);
            assert_eq!(sink.calls[..], whole[..=panic_at]);
        }
    }
    assert_eq!(extract(&wim, 2).calls, whole, "the WIM can still be used");
}

#[test]
fn streams_that_a_sink_does_not_want_are_left_out() {
    for style in styles() {
        for shared in [1 << 20, 0] {
            let wim = open(style, &rich_tree(), shared);
            let image = wim.image(first()).expect("it is there");
            let mut sink = Recorder {
                declines: Some(|_| true),
                ..Recorder::default()
            };
            wim.extractor(&image)
                .send(&mut sink)
                .expect("it can be sent");
            sink.check_order();
            assert!(sink.calls.iter().all(|call| !call.starts_with("write")));
            let mut sink = Recorder {
                declines: Some(|stream| stream.entry.0 % 2 == 1),
                ..Recorder::default()
            };
            wim.extractor(&image)
                .send(&mut sink)
                .expect("it can be sent");
            sink.check_order();
            assert!(sink.calls.iter().any(|call| call.starts_with("write")));
        }
    }
}
