//! The same calls on the simulated file system and, on Windows, on the real one: one table of answers for both.

use wcow_host::{FileKind, FileSystem, HostError, Precaution, WriteMode};
use wcow_ntmeta::{FileAttributes, HostPath, SecurityDescriptor};
use wcow_tree::TreeSource;
use wcow_tree::memory::MemoryTree;

const STEP: Precaution = Precaution::new("sync-for-a-test");

/// Each call with its answer: `ok`, what was found, or the Win32 error.
const ANSWERS: &[(&str, &str)] = &[
    ("make a folder in a folder", "ok"),
    ("make it again", "ok"),
    ("look at it", "directory 0"),
    ("look at nothing", "nothing"),
    ("look below a file", "nothing"),
    ("write a new file", "ok"),
    ("write it as a new one again", "0x50"),
    ("write over it", "ok"),
    ("write below nothing", "0x3"),
    ("write below a file", "0x3"),
    ("write a reserved name", "0x7b"),
    ("write a device", "0x7b"),
    ("write a name with a dot at the end", "0x7b"),
    ("make a folder where a file is", "0xb7"),
    ("look at the file", "file 9"),
    ("read it", "something"),
    ("read it with too small a limit", "0xdf"),
    ("read nothing", "0x2"),
    ("read below nothing", "0x3"),
    ("read a folder", "0x5"),
    ("copy it", "ok"),
    ("copy it again", "0x50"),
    ("copy nothing", "0x2"),
    ("read the copy", "something"),
    ("sync the file", "ok"),
    ("sync nothing", "0x2"),
    ("sync the folder", "ok"),
    ("sync no folder", "0x3"),
    ("list", "B.txt copy file inner"),
    ("list nothing", "0x3"),
    ("list a file", "0x10b"),
    ("rename to what is there", "0xb7"),
    ("rename nothing", "0x2"),
    ("rename", "ok"),
    ("rename in case only", "ok"),
    ("rename into another folder", "ok"),
    ("rename into no folder", "0x3"),
    ("replace", "ok"),
    ("replace with nothing", "0x2"),
    ("read what replaced", "something"),
    ("rename a folder", "ok"),
    ("rename it back", "ok"),
    ("replace with a folder", "0x5"),
    ("lock", "ok"),
    ("lock again", "0x20"),
    ("read what is locked", "0x20"),
    ("write what is locked", "0x20"),
    ("delete what is locked", "0x20"),
    ("replace what is locked", "0x20"),
    ("rename what is locked", "0x20"),
    ("delete around what is locked", "0x20"),
    ("unlock", "ok"),
    ("unlock again", "0x6"),
    ("lock once more", "ok"),
    ("unlock once more", "ok"),
    ("lock a folder", "0x5"),
    ("delete a file", "ok"),
    ("delete it again", "0x2"),
    ("delete a folder as a file", "0x5"),
    ("begin a tree where something is", "0xb7"),
    ("begin a tree below nothing", "0x3"),
    ("begin a tree", "ok"),
    ("finish it", "3 directories, 4 files, 17 bytes"),
    ("list the tree", "dir One twin two"),
    ("look at a read-only file", "file 3"),
    ("read from the tree", "two"),
    ("write over what is read-only", "0x5"),
    ("delete what is read-only", "0x5"),
    ("replace what is read-only", "0x5"),
    ("delete the tree", "ok"),
    ("delete it again as a tree", "0x3"),
    ("delete a file as a tree", "0x10b"),
    ("rename what replaced", "ok"),
    ("list what is left", "B.txt inner left"),
];

/// Makes the calls below a folder, and gives the answers.
async fn answers<F: FileSystem>(files: &F, base: &HostPath) -> Vec<(&'static str, String)> {
    let mut all = Answers(Vec::new());
    let p = |below: &str| base.join(below);
    let inner = p("inner");
    all.unit(
        "make a folder in a folder",
        files.create_dir_all(&inner).await,
    );
    all.unit("make it again", files.create_dir_all(&inner).await);
    let look = async |path: &str| {
        let found = files.metadata(&p(path)).await?;
        Ok(found.map_or("nothing".to_owned(), |found| {
            let kind = match found.kind {
                FileKind::File => "file",
                FileKind::Directory => "directory",
            };
            format!("{kind} {}", found.len)
        }))
    };
    let write =
        async |path: &str, bytes: &str, mode| files.write(&p(path), bytes.as_bytes(), mode).await;
    let read = async |path: &str, max| {
        let bytes = files.read(&p(path), max).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let list = async |path: &str| {
        let entries = files.list(&p(path)).await?;
        let names: Vec<_> = entries.iter().map(|entry| entry.name.to_string()).collect();
        Ok(names.join(" "))
    };
    let (new, over) = (WriteMode::CreateNew, WriteMode::Overwrite);
    all.text("look at it", look("inner").await);
    all.text("look at nothing", look("none").await);
    write("file", "", over).await.expect("room");
    all.text("look below a file", look(r"file\x").await);
    files.remove_file(&p("file")).await.expect("just made");
    all.unit("write a new file", write("file", "some", new).await);
    all.unit("write it as a new one again", write("file", "s", new).await);
    all.unit("write over it", write("file", "something", over).await);
    all.unit("write below nothing", write(r"none\x", "s", new).await);
    all.unit("write below a file", write(r"file\x", "s", new).await);
    all.unit("write a reserved name", write("a:b", "s", new).await);
    all.unit("write a device", write("NUL.txt", "s", new).await);
    all.unit(
        "write a name with a dot at the end",
        write("end.", "s", new).await,
    );
    all.unit(
        "make a folder where a file is",
        files.create_dir_all(&p("file")).await,
    );
    all.text("look at the file", look("FILE").await);
    all.text("read it", read("file", 9).await);
    all.text("read it with too small a limit", read("file", 8).await);
    all.text("read nothing", read("none", 9).await);
    all.text("read below nothing", read(r"none\x", 9).await);
    all.text("read a folder", read("inner", 9).await);
    let copy = async |from: &str, to: &str| files.copy_file(&p(from), &p(to)).await;
    all.unit("copy it", copy("file", "copy").await);
    all.unit("copy it again", copy("file", "copy").await);
    all.unit("copy nothing", copy("none", "x").await);
    all.text("read the copy", read("copy", 9).await);
    all.unit("sync the file", files.sync_file(&p("file"), STEP).await);
    all.unit("sync nothing", files.sync_file(&p("none"), STEP).await);
    all.unit("sync the folder", files.sync_dir(&inner, STEP).await);
    all.unit("sync no folder", files.sync_dir(&p("none"), STEP).await);
    write("B.txt", "b", new).await.expect("room");
    all.text("list", list("").await);
    all.text("list nothing", list("none").await);
    all.text("list a file", list("file").await);
    let rename = async |from: &str, to: &str| files.rename(&p(from), &p(to)).await;
    let replace = async |from: &str, to: &str| files.replace(&p(from), &p(to)).await;
    all.unit("rename to what is there", rename("file", "copy").await);
    all.unit("rename nothing", rename("none", "x").await);
    all.unit("rename", rename("file", "other").await);
    all.unit("rename in case only", rename("other", "OTHER").await);
    all.unit(
        "rename into another folder",
        rename("OTHER", r"inner\moved").await,
    );
    all.unit("rename into no folder", rename("copy", r"none\x").await);
    write("over", "old", new).await.expect("room");
    all.unit("replace", replace(r"inner\moved", "over").await);
    all.unit("replace with nothing", replace("none", "over").await);
    all.text("read what replaced", read("over", 9).await);
    write(r"inner\deep", "d", new).await.expect("room");
    all.unit("rename a folder", rename("inner", "outer").await);
    all.unit("rename it back", rename("outer", "inner").await);
    all.unit("replace with a folder", replace("inner", "over").await);
    let lock = files.lock(&p(r"inner\lock")).await;
    let held = lock.as_ref().ok().copied();
    all.unit("lock", lock);
    all.unit("lock again", files.lock(&p(r"inner\lock")).await);
    all.text("read what is locked", read(r"inner\lock", 9).await);
    all.unit(
        "write what is locked",
        write(r"inner\lock", "x", over).await,
    );
    all.unit(
        "delete what is locked",
        files.remove_file(&p(r"inner\lock")).await,
    );
    all.unit(
        "replace what is locked",
        replace("over", r"inner\lock").await,
    );
    all.unit("rename what is locked", rename(r"inner\lock", "x").await);
    all.unit(
        "delete around what is locked",
        files.remove_dir_all(&inner).await,
    );
    let held = held.expect("it was free");
    all.unit("unlock", files.unlock(held).await);
    all.unit("unlock again", files.unlock(held).await);
    let again = files.lock(&p(r"inner\lock")).await;
    let held = again.as_ref().ok().copied();
    all.unit("lock once more", again);
    all.unit("unlock once more", files.unlock(held.expect("free")).await);
    all.unit("lock a folder", files.lock(&inner).await);
    all.unit("delete a file", files.remove_file(&p("copy")).await);
    all.unit("delete it again", files.remove_file(&p("copy")).await);
    all.unit("delete a folder as a file", files.remove_file(&inner).await);
    let begun = files.create_tree(&inner).await;
    all.unit("begin a tree where something is", begun.map(drop));
    let begun = files.create_tree(&p(r"none\x")).await;
    all.unit("begin a tree below nothing", begun.map(drop));
    let begun = files.create_tree(&p("tree")).await;
    let mut tree = begun.expect("the name is free");
    all.unit("begin a tree", Ok(()));
    MemoryTree::new()
        .file("One", "one")
        .hard_link("twin", "One")
        .file("two", "two")
        .attributes("two", FileAttributes::READONLY)
        .security(
            r"dir\deep\file",
            SecurityDescriptor::from_sddl("D:(A;;FA;;;WD)").expect("a descriptor"),
        )
        .file(r"dir\deep\file", "something!!")
        .send(&mut tree)
        .expect("room");
    let finished = files.finish_tree(tree, STEP).await;
    all.text(
        "finish it",
        finished.map(|summary| {
            format!(
                "{} directories, {} files, {} bytes",
                summary.directories, summary.files, summary.bytes
            )
        }),
    );
    all.text("list the tree", list("tree").await);
    all.text("look at a read-only file", look(r"tree\two").await);
    all.text("read from the tree", read(r"tree\two", 9).await);
    all.unit(
        "write over what is read-only",
        write(r"tree\two", "x", over).await,
    );
    all.unit(
        "delete what is read-only",
        files.remove_file(&p(r"tree\two")).await,
    );
    write("new", "new", new).await.expect("room");
    all.unit(
        "replace what is read-only",
        replace("new", r"tree\two").await,
    );
    // It is gone where it did replace.
    drop(files.remove_file(&p("new")).await);
    all.unit("delete the tree", files.remove_dir_all(&p("tree")).await);
    all.unit(
        "delete it again as a tree",
        files.remove_dir_all(&p("tree")).await,
    );
    all.unit(
        "delete a file as a tree",
        files.remove_dir_all(&p("over")).await,
    );
    all.unit("rename what replaced", rename("over", "left").await);
    all.text("list what is left", list("").await);
    all.0
}

struct Answers(Vec<(&'static str, String)>);

impl Answers {
    fn unit<T>(&mut self, what: &'static str, answer: Result<T, HostError>) {
        self.text(what, answer.map(|_| "ok".to_owned()));
    }

    fn text(&mut self, what: &'static str, answer: Result<String, HostError>) {
        let text = answer.unwrap_or_else(|error| {
            let code = error.hresult().and_then(|code| code.as_win32());
            code.map_or_else(|| error.to_string(), |code| format!("{code:#x}"))
        });
        self.0.push((what, text));
    }
}

/// What differs from the table, but for what the system is known not to do.
#[track_caller]
fn check(found: &[(&'static str, String)], known: &[(&str, &str)]) {
    assert_eq!(found.len(), ANSWERS.len(), "one answer for each call");
    let wrong: Vec<String> = found
        .iter()
        .zip(ANSWERS)
        .filter(|((what, found), expected)| (*what, found.as_str()) != **expected)
        .filter(|((what, found), _)| !known.contains(&(what, found.as_str())))
        .map(|((what, found), expected)| format!("{what}: {found}, and not {expected:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[cfg(not(windows))]
mod simulated {
    use wcow_host::{FileSystem as _, Host as _};
    use wcow_ntmeta::HostPath;
    use wcow_sim::{Profile, Sim};

    use super::{answers, check};

    #[test]
    fn the_simulated_file_system_answers_by_the_table() {
        let sim = Sim::new(Profile::server_2022(), 1);
        let host = sim.client();
        let base = HostPath::root("C:").join("base");
        let found = sim.block_on(async {
            host.files().create_dir_all(&base).await.expect("room");
            answers(host.files(), &base).await
        });
        check(&found, &[]);
    }
}

#[cfg(windows)]
mod real {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use wcow_ntmeta::ReparsePoint;
    use wcow_tree::{Entry, SinkError, StreamEnd, StreamRef, TreeSink};
    use wcow_winhost::files::WinFiles;

    use super::*;

    /// What Wine answers otherwise than Windows is documented to: it leaves read-only files to the user's rights.
    const WINE: &[(&str, &str)] = &[
        ("write over what is read-only", "ok"),
        ("replace what is read-only", "ok"),
    ];

    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => unreachable!("these futures are ready when they are made"),
        }
    }

    fn place() -> (tempfile::TempDir, HostPath) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let base = HostPath::parse(&dir.path().display().to_string()).expect("absolute");
        (dir, base)
    }

    #[test]
    fn this_file_system_answers_by_the_table() {
        let (_dir, base) = place();
        let files = WinFiles::new();
        let found = now(answers(&files, &base));
        for refused in files.take_refused() {
            println!("refused here: {refused:?}");
        }
        let wine: Vec<_> = found
            .iter()
            .filter(|(what, text)| WINE.contains(&(what, text.as_str())))
            .collect();
        println!("answered otherwise, as Wine is known to: {wine:?}");
        check(&found, WINE);
    }

    #[test]
    fn a_damaged_tree_is_no_tree() {
        let (_dir, base) = place();
        let files = WinFiles::new();
        let mut tree = now(files.create_tree(&base.join("tree"))).expect("room");
        let source = MemoryTree::new().file("a", "text");
        let entries: Vec<Entry> = source.entries().map(|(_, entry)| entry.clone()).collect();
        entries
            .iter()
            .for_each(|entry| tree.entry(entry).expect("room"));
        let entry = source.get("a").expect("just made").id;
        let send = |tree: &mut dyn TreeSink| -> Result<(), SinkError> {
            assert!(tree.open_stream(StreamRef { entry, index: 0 })?);
            tree.write(b"te")?;
            tree.close_stream(StreamEnd::Damaged)
        };
        send(&mut tree).expect("room");
        let error = now(files.finish_tree(tree, STEP)).expect_err("a file is damaged");
        assert!(error.is_win32(0x1d), "{error}");
        assert!(error.object.contains(r"tree\a"), "{error}");
        now(files.remove_dir_all(&base.join("tree"))).expect("it can be deleted");
    }

    /// What a junction leads to stays when the junction is deleted.
    #[test]
    fn deleting_follows_no_link() {
        let (_dir, base) = place();
        let files = WinFiles::new();
        let outside = base.join("outside");
        now(files.create_dir_all(&outside)).expect("room");
        now(files.write(&outside.join("file"), b"stays", WriteMode::CreateNew)).expect("room");
        let target = format!(r"\??\{outside}");
        let mut tree = now(files.create_tree(&base.join("tree"))).expect("room");
        MemoryTree::new()
            .dir("out")
            .reparse("out", ReparsePoint::mount_point(target, "").expect("short"))
            .send(&mut tree)
            .expect("room");
        now(files.finish_tree(tree, STEP)).expect("whole, or told");
        for refused in files.take_refused() {
            println!("refused here: {refused:?}");
        }
        now(files.remove_dir_all(&base.join("tree"))).expect("it can be deleted");
        let bytes = now(files.read(&outside.join("file"), 9)).expect("not in the tree");
        assert_eq!(&*bytes, b"stays");
    }
}
