//! A folder of one's own, and the program run in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use wcow_ntmeta::Guid;
use wcow_scenario::wims::{RARE, WIMS};
use wcow_tree::memory::MemoryTree;
use wcow_wim::{NewImage, WriteOptions, write_uncompressed};

/// The name of the image that the tests make containers of.
pub(crate) const IMAGE: &str = "servercore";
/// The file that it is in.
pub(crate) const IMAGE_FILE: &str = "servercore-20348.wim";

/// A folder with simulated hosts and files, gone at the end.
pub(crate) struct Home {
    folder: TempDir,
}

/// What a command did.
pub(crate) struct Ran {
    words: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::with_prefix("wcow-cli").expect("a temporary folder"),
        }
    }

    /// A home whose default host has the image of the tests.
    #[track_caller]
    pub(crate) fn with_image() -> Self {
        let home = Self::new();
        let file = home.demo(IMAGE_FILE);
        home.wcow(&["image", "install", text(&file)]).ok();
        home
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("the folder can be written to");
        path
    }

    /// Writes one of the WIM files of the tour.
    pub(crate) fn demo(&self, name: &str) -> PathBuf {
        let wim = WIMS
            .iter()
            .chain(&RARE)
            .find(|wim| wim.name == name)
            .expect("one of the scenarios' files");
        self.put(name, &wim.build().expect("it can be built"))
    }

    /// The program with these words, its surroundings set.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wcow"));
        command
            .args(words)
            .current_dir(self.folder.path())
            .env("WCOW_DATA_DIR", self.path("data"))
            .env("WCOW_ELAPSED", "0")
            .env("NO_COLOR", "1")
            .env_remove("WCOW_HOST")
            .stdin(Stdio::null());
        // On Windows the real host is the default.
        if cfg!(windows) {
            command.env("WCOW_HOST", "sim");
        }
        command
    }

    pub(crate) fn wcow(&self, words: &[&str]) -> Ran {
        run(self.command(words), words)
    }

    /// The world file of a host.
    pub(crate) fn world(&self, host: &str) -> PathBuf {
        self.path("data").join("hosts").join(host).join("world")
    }
}

/// ERROR_INTERNAL_ERROR: what Wine 8 answers now and then to a process that is to be made while it is busy.
const WINE_IS_BUSY: i32 = 1359;

/// Starts a command and waits for it. A process that Wine did not make has done nothing, so it is asked for again.
fn output(command: &mut Command) -> Output {
    for _ in 0..20 {
        match command.output() {
            Err(error) if cfg!(windows) && error.raw_os_error() == Some(WINE_IS_BUSY) => {}
            output => return output.expect("the program can be run"),
        }
    }
    command.output().expect("the program can be run")
}

/// Runs a command to its end.
pub(crate) fn run(mut command: Command, words: &[&str]) -> Ran {
    Ran::new(words, output(&mut command))
}

impl Ran {
    /// What a command of these words did.
    pub(crate) fn new(words: &[&str], output: Output) -> Self {
        Self {
            words: words.join(" "),
            code: output.status.code(),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).expect("messages are UTF-8"),
        }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// It worked; what it printed.
    #[track_caller]
    pub(crate) fn ok(&self) -> String {
        self.ends(0);
        self.text()
    }

    /// It ended with this code.
    #[track_caller]
    pub(crate) fn ends(&self, code: i32) -> &Self {
        assert_eq!(
            self.code,
            Some(code),
            "wcow {}\n{}\n{}",
            self.words,
            self.text(),
            self.stderr
        );
        self
    }

    /// It failed with this code, said these words on standard error, and printed no data.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, words: &[&str]) {
        self.ends(code);
        assert_eq!(self.text(), "", "wcow {}: data of a failure", self.words);
        assert!(
            self.stderr.starts_with("error: ") || self.stderr.contains("\nerror: "),
            "wcow {}: {}",
            self.words,
            self.stderr
        );
        self.says(words);
    }

    /// Standard error has these words, no escape sequence, and nothing that looks like the insides of a program.
    #[track_caller]
    pub(crate) fn says(&self, words: &[&str]) {
        for word in words {
            assert!(
                self.stderr.contains(word),
                "wcow {}: expected {word:?} in\n{}",
                self.words,
                self.stderr
            );
        }
        for leak in ["panicked", "Some(", "None", "Err(", " { ", "\u{1b}"] {
            assert!(
                !self.stderr.contains(leak),
                "wcow {}: {leak:?} in\n{}",
                self.words,
                self.stderr
            );
        }
    }

    /// The items of its JSON, whose schema is this kind.
    #[track_caller]
    pub(crate) fn items(&self, kind: &str) -> Vec<Value> {
        let value: Value = serde_json::from_slice(&self.stdout).expect("standard output is JSON");
        assert_eq!(
            value.get("schema").and_then(Value::as_str),
            Some(format!("wcow.{kind}/1").as_str()),
            "wcow {}",
            self.words
        );
        value
            .get("items")
            .and_then(Value::as_array)
            .expect("there is a list of items")
            .clone()
    }
}

/// A path as a word of a command line.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}

/// A WIM of these images.
#[track_caller]
pub(crate) fn wim_of(images: &[(&str, MemoryTree)]) -> Vec<u8> {
    let mut trees: Vec<_> = images.to_vec();
    let images = trees
        .iter_mut()
        .map(|(name, tree)| NewImage::new(*name, tree))
        .collect();
    let mut out = std::io::Cursor::new(Vec::new());
    let options = WriteOptions::new(Guid::from_bytes([9; 16]));
    write_uncompressed(&mut out, images, &options).expect("the trees can be written");
    out.into_inner()
}

/// The bytes of a file.
#[track_caller]
pub(crate) fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("the file can be read")
}

/// Where the metadata of the first image of an uncompressed WIM is: offset, length, and the place of its row in the lookup table.
#[track_caller]
pub(crate) fn metadata(wim: &[u8]) -> (usize, usize, usize) {
    let number = |at: usize| {
        let bytes = wim[at..at + 8].try_into().expect("8 bytes");
        usize::try_from(u64::from_le_bytes(bytes)).expect("small")
    };
    // Rows of 50 bytes: flags at 7, offset at 8, length at 16.
    let table = number(0x38);
    let row = (0..)
        .map(|index| table + 50 * index)
        .find(|row| wim[row + 7] & 2 != 0)
        .expect("there is an image");
    (number(row + 8), number(row + 16), row)
}
