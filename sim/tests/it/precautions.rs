//! Precautions that are ignored.

use std::collections::BTreeSet;

use wcow_host::{FileSystem, Host, Precaution};
use wcow_sim::{Profile, Sim, SimHost, TraceEvent};
use wcow_tree::TreeSource;
use wcow_tree::memory::MemoryTree;

use crate::power::{SEEDS, read, write};
use crate::support::{path, run};

const CONTENTS: Precaution = Precaution::new("sync-contents");
const NAMES: Precaution = Precaution::new("sync-names");
const TREE: Precaution = Precaution::new("sync-tree");

/// Writes a file and a tree with every durable step there is.
async fn write_all(client: &SimHost) {
    let files = client.files();
    write(client, r"C:\file", b"contents").await;
    files.sync_file(&path(r"C:\file"), CONTENTS).await.unwrap();
    let mut sink = files.create_tree(&path(r"C:\tree")).await.unwrap();
    MemoryTree::new()
        .file("one", "1111")
        .file("two", "2222")
        .send(&mut sink)
        .unwrap();
    assert_eq!(files.finish_tree(sink, TREE).await.unwrap().files, 2);
    files.sync_dir(&path(r"C:\"), NAMES).await.unwrap();
    // Until the power goes nobody sees a difference.
    assert_eq!(look(client).await, whole());
}

/// The file, and how much of the tree is there.
async fn look(client: &SimHost) -> (Option<Vec<u8>>, usize) {
    let mut there = 0;
    for (name, bytes) in [("one", b"1111"), ("two", b"2222")] {
        let found = read(client, &format!(r"C:\tree\{name}")).await;
        there += usize::from(found.as_deref() == Some(bytes.as_slice()));
    }
    (read(client, r"C:\file").await, there)
}

fn whole() -> (Option<Vec<u8>>, usize) {
    (Some(b"contents".to_vec()), 2)
}

/// Everything that a power loss leaves when a precaution is ignored.
fn left_without(ignored: Option<Precaution>) -> BTreeSet<(Option<Vec<u8>>, usize)> {
    (0..SEEDS)
        .map(|seed| {
            let sim = Sim::new(Profile::server_2022(), seed);
            if let Some(ignored) = ignored {
                sim.ignore(ignored.name());
            }
            run(&sim, write_all(&sim.client()));
            sim.power_loss();
            run(&sim, look(&sim.client()))
        })
        .collect()
}

#[test]
fn a_durable_step_that_is_ignored_makes_nothing_durable_and_no_other_step_does_less() {
    assert_eq!(left_without(None), [whole()].into());
    assert_eq!(
        left_without(Some(Precaution::new("sync-other"))),
        [whole()].into()
    );
    let contents = left_without(Some(CONTENTS));
    assert!(contents.contains(&(Some(Vec::new()), 2)), "{contents:?}");
    assert!(
        contents
            .iter()
            .all(|(file, tree)| file.is_some() && *tree == 2),
        "names and the tree are durable: {contents:?}"
    );
    let trees: BTreeSet<usize> = left_without(Some(TREE))
        .into_iter()
        .map(|(file, tree)| {
            assert_eq!(file, whole().0);
            tree
        })
        .collect();
    assert_eq!(trees, [0, 1, 2].into());
    let names = left_without(Some(NAMES));
    assert!(names.contains(&(None, 0)), "{names:?}");
    assert!(
        names
            .iter()
            .all(|(file, tree)| (file.is_none() || *file == whole().0) && [0, 2].contains(tree)),
        "what has its name is whole: {names:?}"
    );
}

#[test]
fn a_tree_that_was_written_to_or_removed_since_is_left_alone() {
    for seed in 0..SEEDS {
        let sim = Sim::new(Profile::server_2022(), seed);
        sim.ignore(TREE.name());
        let client = sim.client();
        run(&sim, async {
            write_all(&client).await;
            write(&client, r"C:\tree\three", b"3").await;
            let files = client.files();
            files
                .sync_file(&path(r"C:\tree\three"), CONTENTS)
                .await
                .unwrap();
            files.sync_dir(&path(r"C:\tree"), NAMES).await.unwrap();
        });
        sim.power_loss();
        let client = sim.client();
        assert_eq!(run(&sim, look(&client)), whole());
        run(&sim, async {
            let files = client.files();
            files.remove_dir_all(&path(r"C:\tree")).await.unwrap();
            files.sync_dir(&path(r"C:\"), NAMES).await.unwrap();
        });
        sim.power_loss();
        assert_eq!(run(&sim, look(&sim.client())).1, 0);
    }
}

#[test]
fn a_host_says_which_rollbacks_are_ignored_and_goes_on_doing_so_when_saved_or_forked() {
    let sim = Sim::new(Profile::server_2022(), 1);
    let rollback = Precaution::new("rollback-all");
    assert!(!sim.client().ignores(rollback));
    let before = sim.fork();
    sim.ignore(rollback.name());
    let loaded = Sim::load(&sim.save().unwrap(), sim.blobs()).unwrap();
    for sim in [&sim, &sim.fork(), &loaded] {
        assert!(sim.client().ignores(rollback));
        assert!(!sim.client().ignores(Precaution::new("rollback")));
    }
    assert!(!before.client().ignores(rollback));
}

#[test]
fn ignoring_changes_no_event_and_the_trace_names_the_steps() {
    let traced = |ignored: Option<Precaution>| {
        let sim = Sim::new(Profile::server_2022(), 3);
        ignored
            .iter()
            .for_each(|ignored| sim.ignore(ignored.name()));
        sim.start_trace();
        run(&sim, write_all(&sim.client()));
        (sim.fingerprint(), sim.take_trace())
    };
    let (fingerprint, trace) = traced(None);
    assert_eq!(traced(Some(CONTENTS)), (fingerprint.clone(), trace.clone()));
    let steps: Vec<&str> = trace
        .iter()
        .filter_map(|record| match &record.event {
            TraceEvent::Call { step, .. } => step.as_deref(),
            _ => None,
        })
        .collect();
    assert_eq!(steps, ["sync-contents", "sync-tree", "sync-names"]);
    let lines: Vec<String> = trace.iter().map(ToString::to_string).collect();
    assert!(
        lines
            .iter()
            .any(|line| line.ends_with(r"C:\file (sync-contents)")),
        "{lines:?}"
    );
}
