//! The virtual NTFS against a model: a map from whole upper-case paths to contents.
//!
//! Every third directory is written as a sealed tree in the simulated host, so the two must agree about sealed directories, too.

use std::collections::BTreeMap;

use proptest::prelude::*;
use wcow_host::{FileSystem, Host, HostError, WriteMode};
use wcow_ntmeta::{FileAttributes, FileTime, HostPath, WideName};
use wcow_sim::{Profile, Sim, SimHost};
use wcow_tree::{Entry, EntryId, Extra, Times, TreeSink};

use crate::support::{STEP, run};

/// A step; paths are up to three names out of few, in either case.
#[derive(Clone, Debug)]
enum Step {
    CreateDir(String),
    Tree(String),
    Write(String, u8, WriteMode),
    Copy(String, String),
    Rename(String, String),
    Replace(String, String),
    RemoveFile(String),
    RemoveDir(String),
    /// Saves the host and goes on with the copy.
    Reload,
}

/// `None` is a directory.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model(BTreeMap<String, Option<Vec<u8>>>);

impl Model {
    fn is_dir(&self, path: &str) -> bool {
        path == "C:" || self.0.get(path) == Some(&None)
    }

    fn is_file(&self, path: &str) -> bool {
        self.0.get(path).is_some_and(Option::is_some)
    }

    fn has(&self, path: &str) -> bool {
        path == "C:" || self.0.contains_key(path)
    }

    fn take_below(&mut self, path: &str) -> Vec<(String, Option<Vec<u8>>)> {
        let below = format!("{path}\\");
        let taken: Vec<_> = self
            .0
            .iter()
            .filter(|(name, _)| *name == path || name.starts_with(&below))
            .map(|(a, b)| (a.clone(), b.clone()))
            .collect();
        taken.iter().for_each(|(name, _)| drop(self.0.remove(name)));
        taken
    }

    fn move_to(&mut self, from: &str, to: &str) {
        for (name, contents) in self.take_below(from) {
            self.0
                .insert(format!("{to}{}", &name[from.len()..]), contents);
        }
    }

    /// Applies a step; true if it is legal.
    fn apply(&mut self, step: &Step) -> bool {
        let up = |path: &String| path.to_ascii_uppercase();
        match step {
            Step::CreateDir(path) => {
                let path = up(path);
                let all: Vec<&str> = path
                    .match_indices('\\')
                    .map(|(at, _)| &path[..at])
                    .chain([path.as_str()])
                    .collect();
                // Everything before a file in the way is made.
                for directory in all {
                    if self.is_file(directory) {
                        return false;
                    }
                    if directory != "C:" {
                        self.0.insert(directory.to_owned(), None);
                    }
                }
                true
            }
            Step::Tree(path) => {
                let path = up(path);
                let legal = !self.has(&path) && self.is_dir(parent(&path));
                if legal {
                    self.0.insert(path.clone(), None);
                    self.0.insert(format!("{path}\\A"), None);
                    self.0.insert(format!("{path}\\A\\B"), Some(Vec::new()));
                }
                legal
            }
            Step::Write(path, byte, mode) => {
                let path = up(path);
                let legal = self.is_dir(parent(&path))
                    && (!self.has(&path) || (*mode == WriteMode::Overwrite && self.is_file(&path)));
                if legal {
                    self.0.insert(path, Some(vec![*byte]));
                }
                legal
            }
            Step::Copy(from, to) => {
                let (from, to) = (up(from), up(to));
                let legal = self.is_file(&from) && !self.has(&to) && self.is_dir(parent(&to));
                if legal {
                    let contents = self.0[&from].clone();
                    self.0.insert(to, contents);
                }
                legal
            }
            Step::Rename(from, to) | Step::Replace(from, to) => {
                let (from, to) = (up(from), up(to));
                let replace = matches!(step, Step::Replace(..));
                let free = !self.has(&to) || from == to || (replace && self.is_file(&to));
                let inside = to.starts_with(&format!("{from}\\"));
                let kind = if replace {
                    self.is_file(&from)
                } else {
                    self.has(&from)
                };
                let legal = kind && free && !inside && self.is_dir(parent(&to));
                if legal {
                    self.move_to(&from, &to);
                }
                legal
            }
            Step::RemoveFile(path) => self.is_file(&up(path)) && self.0.remove(&up(path)).is_some(),
            Step::RemoveDir(path) => {
                self.is_dir(&up(path)) && !self.take_below(&up(path)).is_empty()
            }
            Step::Reload => true,
        }
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('\\').map_or("", |(parent, _)| parent)
}

fn host_path(text: &str) -> HostPath {
    HostPath::parse(text).unwrap()
}

async fn apply(client: &SimHost, step: &Step) -> Result<(), HostError> {
    let files = client.files();
    match step {
        Step::CreateDir(path) => files.create_dir_all(&host_path(path)).await,
        Step::Tree(path) => {
            let mut tree = files.create_tree(&host_path(path)).await?;
            let directory = FileAttributes::DIRECTORY;
            for (id, name, attributes) in [
                (0, "", directory),
                (1, "a", directory),
                (2, "b", FileAttributes::ARCHIVE),
            ] {
                let parent: Option<u32> = if id == 0 { None } else { Some(id - 1) };
                tree.entry(&entry(id, parent, name, attributes)).unwrap();
            }
            files.finish_tree(tree, STEP).await.map(drop)
        }
        Step::Write(path, byte, mode) => files.write(&host_path(path), &[*byte], *mode).await,
        Step::Copy(from, to) => files.copy_file(&host_path(from), &host_path(to)).await,
        Step::Rename(from, to) => files.rename(&host_path(from), &host_path(to)).await,
        Step::Replace(from, to) => files.replace(&host_path(from), &host_path(to)).await,
        Step::RemoveFile(path) => files.remove_file(&host_path(path)).await,
        Step::RemoveDir(path) => files.remove_dir_all(&host_path(path)).await,
        Step::Reload => Ok(()),
    }
}

fn entry(id: u32, parent: Option<u32>, name: &str, attributes: FileAttributes) -> Entry {
    let time = FileTime::ZERO;
    Entry {
        id: EntryId(id),
        parent: parent.map(EntryId),
        name: name.into(),
        short_name: WideName::new(),
        attributes,
        times: Times {
            created: time,
            accessed: time,
            written: time,
        },
        security: None,
        reparse: None,
        link_to: None,
        streams: Vec::new(),
        extra: Extra::default(),
    }
}

/// Everything on `C:`.
fn contents(sim: &Sim) -> Model {
    let client = sim.client();
    let mut model = Model::default();
    let mut left = vec![host_path(r"C:\")];
    while let Some(directory) = left.pop() {
        for entry in run(sim, client.files().list(&directory)).unwrap() {
            let path = directory.join(&entry.name.to_string());
            let name = path.to_string().to_ascii_uppercase();
            if entry.metadata.attributes.is_directory() {
                model.0.insert(name, None);
                left.push(path);
            } else {
                let bytes = run(sim, client.files().read(&path, 99)).unwrap();
                assert_eq!(bytes.len() as u64, entry.metadata.len);
                model.0.insert(name, Some(bytes.to_vec()));
            }
        }
    }
    model
}

fn any_path() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "A", "b", "c"]), 1..4)
        .prop_map(|names| format!("C:\\{}", names.join("\\")))
}

fn any_step() -> impl Strategy<Value = Step> {
    let mode = prop::sample::select(vec![WriteMode::CreateNew, WriteMode::Overwrite]);
    prop_oneof![
        3 => any_path().prop_map(Step::CreateDir),
        2 => any_path().prop_map(Step::Tree),
        4 => (any_path(), any::<u8>(), mode).prop_map(|(path, byte, mode)| Step::Write(path, byte, mode)),
        2 => (any_path(), any_path()).prop_map(|(from, to)| Step::Copy(from, to)),
        3 => (any_path(), any_path()).prop_map(|(from, to)| Step::Rename(from, to)),
        2 => (any_path(), any_path()).prop_map(|(from, to)| Step::Replace(from, to)),
        2 => any_path().prop_map(Step::RemoveFile),
        1 => any_path().prop_map(Step::RemoveDir),
        1 => Just(Step::Reload),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_file_system_agrees_with_a_map(steps in prop::collection::vec(any_step(), 1..40)) {
        let profile = Profile::server_2022();
        let mut sim = Sim::new(profile.clone(), 0);
        let mut model = Model::default();
        for step in &steps {
            if matches!(step, Step::Reload) {
                sim = Sim::load(&sim.save().unwrap(), sim.blobs()).unwrap();
            }
            let legal = model.apply(step);
            let answer = run(&sim, apply(&sim.client(), step));
            prop_assert_eq!(answer.is_ok(), legal, "{:?} answered {:?}", step, answer);
        }
        prop_assert_eq!(contents(&sim), model);
        let client = sim.client();
        for entry in run(&sim, client.files().list(&host_path(r"C:\"))).unwrap() {
            let path = host_path(r"C:\").join(&entry.name.to_string());
            if entry.metadata.attributes.is_directory() {
                run(&sim, client.files().remove_dir_all(&path)).unwrap();
            } else {
                run(&sim, client.files().remove_file(&path)).unwrap();
            }
        }
        run(&sim, client.files().sync_dir(&host_path(r"C:\"), STEP)).unwrap();
        prop_assert_eq!(sim.blobs_in_use().len(), 0, "what was removed is gone");
    }
}
