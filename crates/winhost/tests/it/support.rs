//! Stand-ins for the programs of Windows, and an executor.

use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use wcow_winhost::{Limits, Tools};

/// Long enough for whatever ends by itself.
pub(crate) const PATIENT: Limits = Limits {
    time: Duration::from_secs(300),
    output: 1 << 20,
};

/// A folder with stand-ins.
pub(crate) struct StandIns(TempDir);

/// What a stand-in was given.
#[derive(Debug, Deserialize)]
pub(crate) struct Call {
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) script: Option<String>,
    pub(crate) given: Option<Vec<String>>,
}

impl StandIns {
    /// Stand-ins for these programs with these answers: see `examples/stand_in.rs`.
    pub(crate) fn new(programs: &[(&str, Value)]) -> Self {
        let stand_in = stand_in();
        // On the same disk, so that the program need not be copied.
        let folder = stand_in.parent().expect("it lies in a folder");
        let own = Self(TempDir::new_in(folder).expect("a folder"));
        for (name, answers) in programs {
            own.add(name);
            let text = serde_json::to_vec(answers).expect("a document");
            fs::write(own.path().join(name).with_extension("json"), text).expect("written");
        }
        own
    }

    /// PowerShell alone, with one answer to everything.
    pub(crate) fn powershell(answer: Value) -> Self {
        let mut answer = answer;
        answer["to"] = json!("");
        Self::new(&[("powershell", json!([answer]))])
    }

    pub(crate) fn add(&self, name: &str) {
        let program = self
            .path()
            .join(name)
            .with_extension(std::env::consts::EXE_EXTENSION);
        fs::hard_link(stand_in(), program).expect("a link");
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn tools(&self) -> Tools {
        Tools::in_folder(self.path(), PATIENT)
    }

    /// What was asked of them, in order.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let Ok(entries) = fs::read_dir(self.path().join("calls")) else {
            return Vec::new();
        };
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("one").path()).collect();
        files.sort();
        let read = |path: &PathBuf| {
            serde_json::from_slice(&fs::read(path).expect("it is there")).expect("a call")
        };
        files.iter().map(read).collect()
    }
}

/// An answer of a script: these rows.
pub(crate) fn rows(rows: Value) -> Value {
    json!({ "stdout": format!("\r\nwcow-answer:{}\r\n", json!({ "rows": rows })) })
}

/// An answer of a script: this error record.
pub(crate) fn error(record: Value) -> Value {
    json!({ "stdout": format!("wcow-answer:{}\r\n", json!({ "error": record })) })
}

/// The stand-in itself; Cargo builds examples with the tests.
fn stand_in() -> PathBuf {
    let own = std::env::current_exe().expect("this program has a path");
    let target = own.ancestors().nth(2).expect("target/debug/deps/it");
    let name = format!("stand_in{}", std::env::consts::EXE_SUFFIX);
    let path = target.join("examples").join(name);
    assert!(
        path.is_file(),
        "{} is not built: cargo build -p wcow-winhost --examples",
        path.display()
    );
    path
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls a future until it is ready.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}
