//! `wcow wim ls`: patterns, columns, JSON, and odd names.

use std::io::Read;
use std::process::Stdio;

use wcow_ntmeta::{FileAttributes, RelPath, ReparsePoint, SecurityDescriptor, WideName};
use wcow_tree::memory::MemoryTree;

use crate::support::{Home, Ran, wim_of};

/// A home with `a.wim`.
fn home(tree: MemoryTree) -> Home {
    let home = Home::new();
    home.put("a.wim", &wim_of(&[("one", tree)]));
    home
}

fn ls(home: &Home, words: &[&str]) -> Ran {
    let mut all = vec!["wim", "ls", "a.wim", "1"];
    all.extend(words);
    home.wcow(&all)
}

fn tree() -> MemoryTree {
    MemoryTree::new()
        .file(r"Windows\System32\config\SAM", "x")
        .file(r"Windows\System32\a1.dll", "xx")
        .file(r"Windows\System32\a2.dll", "xxx")
        .file(r"Windows\System32\b1.dll", "")
        .file(r"Windows\notepad.exe", "1234567890")
        .file(r"Users\Public\a[1].txt", "")
}

#[test]
fn patterns() {
    let home = home(tree());
    #[track_caller]
    fn check(home: &Home, words: &[&str], expected: &[&str]) {
        let text = ls(home, words).ok();
        assert_eq!(text.lines().collect::<Vec<_>>(), expected, "{words:?}");
    }
    check(
        &home,
        &["windows/system32/[AB]1.*"],
        &[r"Windows\System32\a1.dll", r"Windows\System32\b1.dll"],
    );
    check(
        &home,
        &["windows/system32/[!b]?.dll"],
        &[r"Windows\System32\a1.dll", r"Windows\System32\a2.dll"],
    );
    check(
        &home,
        &["**/*.EXE", "**/sam"],
        &[r"Windows\notepad.exe", r"Windows\System32\config\SAM"],
    );
    check(
        &home,
        &["Windows/**/config"],
        &[r"Windows\System32\config\"],
    );
    check(&home, &["Win*"], &[r"Windows\"]);
    check(
        &home,
        &["-R", "Win*/[s]*"],
        &[
            r"Windows\System32\",
            r"Windows\System32\a1.dll",
            r"Windows\System32\a2.dll",
            r"Windows\System32\b1.dll",
            r"Windows\System32\config\",
            r"Windows\System32\config\SAM",
        ],
    );
    check(
        &home,
        &["users/**"],
        &[r"Users\Public\", r"Users\Public\a[1].txt"],
    );
    // A name that looks like a pattern names itself; what two patterns match is listed once.
    check(
        &home,
        &["users/public/a[1].txt", "Users/*/a*"],
        &[r"Users\Public\a[1].txt"],
    );
    check(&home, &["/"], &[r"Users\", r"Windows\"]);
    check(&home, &["windows/notepad.exe"], &[r"Windows\notepad.exe"]);
}

#[test]
fn what_is_not_there_is_said_with_names_that_are() {
    let home = home(tree());
    ls(&home, &["windows/notpad.exe"])
        .fails(3, &["windows/notpad.exe", r"there is Windows\notepad.exe"]);
    ls(&home, &["windows/system32/conf"]).fails(3, &[r"there is Windows\System32\config"]);
    ls(&home, &["nothing/like/it"]).fails(3, &["lists everything"]);
    ls(&home, &["**/*.nosuch"]).fails(3, &["nothing matches"]);
    ls(&home, &["windows/*", "*.nosuch"]).fails(3, &["*.nosuch"]);
    ls(&home, &[&"*/".repeat(64)]).fails(2, &["63 components"]);
}

/// A file with everything, a link, and a lone surrogate.
fn rich() -> MemoryTree {
    let security = SecurityDescriptor::from_sddl("O:SYG:SYD:(A;;FA;;;SY)").expect("valid");
    let link = ReparsePoint::symlink(r"..\dir\f.txt", r"..\dir\f.txt", true);
    MemoryTree::new()
        .file(r"dir\f.txt", "12345")
        .stream(r"dir\f.txt", "Zone.Identifier", "ZoneId=3")
        .hard_link(r"dir\second", r"dir\f.txt")
        .security(r"dir\f.txt", security)
        .short_name(r"dir\f.txt", "F~1.TXT")
        .attributes(
            r"dir\f.txt",
            FileAttributes::HIDDEN | FileAttributes::ARCHIVE,
        )
        .reparse("link", link.expect("short"))
        .file(
            RelPath::root().join(WideName::from_units(vec![0xD800, 0x41])),
            "",
        )
        .file("esc\u{1b}[31m\u{202e}x", "")
}

#[test]
fn columns_and_details() {
    let home = home(rich());
    let text = ls(&home, &["-lR", "--streams", "--sddl"]).ok();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "ATTRIBUTES    SIZE  WRITTEN                       PATH"
    );
    let at = lines
        .iter()
        .position(|line| line.ends_with(r"  dir\f.txt"))
        .expect("it is there");
    assert!(
        lines[at].starts_with("--h-a-------     5  "),
        "{}",
        lines[at]
    );
    assert_eq!(lines[at + 1], "    stream Zone.Identifier  8");
    assert_eq!(lines[at + 2], "    security O:SYG:SYD:(A;;FA;;;SY)");
    assert!(
        text.contains("  link -> ..\\dir\\f.txt\n    security none\n"),
        "{text}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("d---") && line.ends_with(r"  dir\")),
        "{text}"
    );
    // Nothing that would do something to a terminal; lone surrogates are visible.
    assert!(text.contains("  \\u{d800}A\n"), "{text}");
    assert!(text.contains("  esc\\u{1b}[31m\\u{202e}x\n"), "{text}");
    let short = ls(&home, &["--streams", "dir"]).ok();
    assert!(
        short.starts_with("dir\\f.txt\n    stream Zone.Identifier  8\ndir\\second\n"),
        "{short}"
    );
}

#[test]
fn json_has_all_fields() {
    let home = home(rich());
    let items = ls(&home, &["-R", "--format", "json"]).items("wim.entry");
    let find = |path: &str| {
        let found = items.iter().find(|item| item["path"] == path);
        found.unwrap_or_else(|| panic!("{path} in {items:?}"))
    };
    let file = find(r"dir\f.txt");
    assert_eq!(file["kind"], "file");
    assert_eq!(file["size"], 5);
    assert_eq!(file["short_name"], "F~1.TXT");
    assert_eq!(file["sddl"], "O:SYG:SYD:(A;;FA;;;SY)");
    assert_eq!(file["security_id"], 0);
    assert_eq!(file["streams"][0]["name"], "Zone.Identifier");
    assert_eq!(file["streams"][0]["size"], 8);
    assert_eq!(file["sha1"], "8cb2237d0679ca88db6464eac60da96345513964");
    assert_eq!(file["link_group"], find(r"dir\second")["link_group"]);
    assert!(file["link_group"].is_u64());
    let link = find("link");
    assert_eq!(link["kind"], "link");
    assert_eq!(link["reparse_tag"], 0xA000_000C_u32);
    assert_eq!(link["target"]["name"], r"..\dir\f.txt");
    assert_eq!(link["target"]["relative"], true);
    assert_eq!(
        find("\u{fffd}A")["name_units"],
        serde_json::json!([0xD800, 0x41])
    );
    assert!(find("dir").get("name_units").is_none());
    assert!(
        items
            .iter()
            .any(|item| item["path"] == "esc\u{1b}[31m\u{202e}x")
    );
    assert_eq!(
        home.wcow(&["wim", "ls", "a.wim", "--format", "json"])
            .items("wim.entry")
            .len(),
        4
    );
}

#[test]
fn who_stops_reading_is_told_nothing() {
    let names = (0..20_000).map(|number| format!("a file with a long name {number}"));
    let home = home(names.fold(MemoryTree::new(), |tree, name| tree.file(name.as_str(), "")));
    let mut command = home.command(&["wim", "ls", "a.wim"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program can be run");
    let mut first = [0; 10];
    let mut stdout = child.stdout.take().expect("it is piped");
    stdout.read_exact(&mut first).expect("there is output");
    drop(stdout);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
