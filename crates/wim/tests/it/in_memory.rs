//! Files in memory: read in place, each blob hashed once; and nothing else is different.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use wcow_tree::memory::MemoryTree;
use wcow_wim::{ReadAt, SourceProblems, Wim};

use crate::build::{Codec, Contents, Style};
use crate::support::{chain, first, put, row_at, runs, small_tree, tree_of, verify, wim_of};

/// A file that is not in memory, as far as anybody is told.
struct Elsewhere(Vec<u8>);

impl ReadAt for Elsewhere {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.0.read_at(offset, buf)
    }

    fn len(&self) -> io::Result<u64> {
        ReadAt::len(&self.0)
    }
}

/// What comes of a file: its only image, extracted twice, and what verification says before and after.
fn outcome(source: impl ReadAt + 'static) -> Vec<String> {
    let wim = match Wim::open(source) {
        Ok(wim) => wim,
        Err(error) => return vec![chain(&error)],
    };
    let image = match wim.image(first()) {
        Ok(image) => image,
        Err(error) => return vec![chain(&error)],
    };
    let verified = || {
        let problems = verify(&wim).problems;
        let problems: Vec<String> = problems.iter().map(|problem| chain(problem)).collect();
        format!("{problems:?}")
    };
    let extracted = || match MemoryTree::collect(&mut wim.extractor(&image)) {
        Ok(tree) => format!("{tree:?}"),
        Err(error) => {
            let mut text = chain(&error);
            let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
            while let Some(error) = cause {
                if let Some(problems) = error.downcast_ref::<SourceProblems>() {
                    problems
                        .problems
                        .iter()
                        .for_each(|problem| text.push_str(&chain(problem)));
                }
                cause = error.source();
            }
            text
        }
    };
    vec![extracted(), verified(), extracted(), verified()]
}

#[test]
fn a_file_in_memory_is_read_as_any_other_sound_or_damaged() {
    let tree = MemoryTree::new()
        .file("a", runs(1, 20_000))
        .file("b", runs(2, 3_000))
        .file(r"folder\same", runs(2, 3_000))
        .file("c", "short")
        .stream("b", "name", runs(3, 100))
        .file("nothing", "");
    let contents = Contents::of(&[tree]);
    let styles = [
        Style::PLAIN,
        Style::compressed(Codec::XPRESS),
        Style::solid(Codec::XPRESS, 2, 10_000),
    ];
    let mut damaged = 0;
    for style in styles {
        let file = style.file(&contents);
        let sound = outcome(file.clone());
        assert_eq!(sound, outcome(Elsewhere(file.clone())));
        for at in (0..file.len()).step_by(61) {
            let mut file = file.clone();
            file[at] ^= 0x55;
            let found = outcome(file.clone());
            assert_eq!(found, outcome(Elsewhere(file)), "damage at {at}");
            damaged += usize::from(found != sound);
        }
    }
    assert!(damaged > 100, "{damaged} files were found to be damaged");
}

/// A file in memory that breaks its promise: its bytes change.
#[derive(Clone)]
struct Changing {
    before: Arc<Vec<u8>>,
    after: Arc<Vec<u8>>,
    changed: Arc<AtomicBool>,
}

impl Changing {
    fn now(&self) -> &Vec<u8> {
        if self.changed.load(Ordering::Relaxed) {
            &self.after
        } else {
            &self.before
        }
    }
}

impl ReadAt for Changing {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.now().read_at(offset, buf)
    }

    fn len(&self) -> io::Result<u64> {
        ReadAt::len(self.now())
    }

    fn in_memory(&self) -> Option<&[u8]> {
        Some(self.now())
    }
}

#[test]
fn a_blob_in_memory_is_hashed_by_the_first_extraction_and_by_every_verification() {
    let before = wim_of(&MemoryTree::new().file("a", "[fonts]"));
    let mut after = before.clone();
    let at = after
        .windows(7)
        .position(|bytes| bytes == b"[fonts]")
        .expect("it is stored as it is");
    after[at] = b'(';
    let source = Changing {
        before: before.into(),
        after: after.into(),
        changed: Arc::default(),
    };
    let wim = Wim::open(source.clone()).expect("it opens");
    let image = wim.image(first()).expect("it is sound");
    let extract = || MemoryTree::collect(&mut wim.extractor(&image));
    let sound = MemoryTree::new().file("a", "[fonts]");
    assert_eq!(extract().expect("it is sound"), sound);
    source.changed.store(true, Ordering::Relaxed);
    // That it was sound once is enough, for an extraction alone.
    assert_eq!(
        extract().expect("it is not looked at again"),
        MemoryTree::new().file("a", "(fonts]")
    );
    assert_eq!(verify(&wim).problems.len(), 1);
    // Whoever opens the file anew hashes it anew.
    let again = Wim::open(source).expect("it opens");
    let image = again.image(first()).expect("it is sound");
    MemoryTree::collect(&mut again.extractor(&image)).expect_err("it is damaged");
}

#[test]
fn that_a_blob_is_sound_says_nothing_of_other_bytes_with_its_sha1() {
    let mut file = wim_of(&small_tree());
    let wim = Wim::open(file.clone()).expect("it opens");
    let digest = wim.blobs()[0].digest;
    // The image's metadata claims to have the SHA-1 of a blob.
    let row = row_at(&file, 0);
    assert_eq!(file[row + 7] & 2, 2, "the first row is the metadata's");
    put(&mut file, row + 30, &digest.0);
    let wim = Wim::open(file).expect("it opens");
    for _ in 0..2 {
        // Hashes the blobs, and finds them sound.
        verify(&wim);
        let error = wim.image(first()).expect_err("it has another SHA-1");
        let expected = format!("expected SHA-1 {digest}");
        assert!(chain(&error).contains(&expected), "{}", chain(&error));
    }
    // An unharmed file beside it.
    let wim = Wim::open(wim_of(&small_tree())).expect("it opens");
    assert_eq!(tree_of(&wim, first()), small_tree());
}
