//! Host paths and relative paths.

use std::hash::{Hash, Hasher};

use proptest::prelude::*;
use wcow_ntmeta::{HostPath, PathError, RelPath, WideName};

#[test]
fn absolute_paths_are_read() {
    #[track_caller]
    fn check(text: &str, shown: &str, names: &[&str]) {
        let path = HostPath::parse(text).unwrap();
        assert_eq!(path.to_string(), shown);
        assert!(
            path.components()
                .map(WideName::from)
                .eq(names.iter().copied()),
            "{path:?}"
        );
        assert_eq!(HostPath::parse(shown).unwrap(), path);
    }
    check(r"C:\", r"C:\", &[]);
    check("C:", r"C:\", &[]);
    check(r"C:\a\b c", r"C:\a\b c", &["a", "b c"]);
    check(
        "c:/ProgramData/Microsoft/",
        r"c:\ProgramData\Microsoft",
        &["ProgramData", "Microsoft"],
    );
    check(r"\\?\D:\x", r"D:\x", &["x"]);
    check(
        r"\\?\Volume{0b1e2f30-0000-0000-0000-100000000000}\x",
        r"\\?\Volume{0b1e2f30-0000-0000-0000-100000000000}\x",
        &["x"],
    );
}

#[test]
fn other_texts_are_refused() {
    #[track_caller]
    fn relative(text: &str) {
        assert_eq!(
            HostPath::parse(text),
            Err(PathError::NotAbsolute {
                found: text.to_owned()
            })
        );
    }
    #[track_caller]
    fn component(text: &str, name: &str) {
        assert_eq!(
            HostPath::parse(text),
            Err(PathError::BadComponent { found: name.into() })
        );
    }
    relative("");
    relative("a");
    relative(r"\a");
    relative(r"\\server\share\a");
    relative("CC:");
    relative("1:");
    relative("/etc/passwd");
    relative("Volume{x}");
    component(r"C:\a\..\b", "..");
    component(r"C:\.", ".");
    component(r"C:\a\\b", "");
    component("C:\\a\0b", "a\0b");
}

#[test]
fn join_never_leaves_the_path() {
    let root = HostPath::root("C:");
    assert_eq!(root.join(r"a\b").to_string(), r"C:\a\b");
    assert_eq!(root.join(r"\a\..\.\/b\").to_string(), r"C:\a\b");
    assert_eq!(root.join(""), root);
    let hostile: RelPath = [WideName::from("a"), WideName::from("..")]
        .into_iter()
        .collect();
    assert_eq!(
        root.join_rel(&hostile),
        Err(PathError::BadComponent { found: "..".into() })
    );
    assert_eq!(
        root.join_rel(&RelPath::parse("x/y")).unwrap(),
        root.join("x").join("y")
    );
    assert!(root.clone().push(WideName::from(r"a\b").units()).is_err());
}

#[test]
fn prefixes_ignore_case() {
    let path = HostPath::root("C:").join(r"Windows\System32\ntdll.dll");
    let base = HostPath::root("c:").join("WINDOWS");
    assert!(path.starts_with(&base) && path.starts_with(&path) && !base.starts_with(&path));
    assert_eq!(
        path.strip_prefix(&base).unwrap(),
        RelPath::parse("System32/ntdll.dll")
    );
    assert_eq!(path.strip_prefix(&HostPath::root("D:")), None);
    assert_eq!(path.strip_prefix(&HostPath::root("C:").join("Win")), None);
    let above = path.parent().unwrap();
    assert_eq!(above.to_string(), r"C:\Windows\System32");
    assert_eq!(WideName::from(above.file_name().unwrap()), "System32");
    assert_eq!(
        above.parent().unwrap(),
        HostPath::root("C:").join("Windows")
    );
    assert_eq!(HostPath::root("C:").parent(), None);
}

#[test]
fn relative_paths_are_lists_of_names() {
    let path = RelPath::parse(r"\Windows/System32\\config");
    assert_eq!(path.to_string(), r"Windows\System32\config");
    assert_eq!(path.depth(), 3);
    assert_eq!(path.parent().unwrap(), RelPath::parse("Windows/System32"));
    assert_eq!(path.file_name(), Some(&WideName::from("config")));
    assert!(path.eq_ignore_case(&RelPath::parse("WINDOWS/SYSTEM32/CONFIG")));
    assert!(path.starts_with_ignore_case(&RelPath::root()));
    assert!(!RelPath::root().starts_with_ignore_case(&path));
    assert_eq!(RelPath::root().parent(), None);
    assert!(RelPath::parse("//").is_root());
}

/// Names that a stranger may have put into a tree.
fn name() -> impl Strategy<Value = WideName> {
    let unit = prop_oneof![
        prop::sample::select(r"./\ab{:".encode_utf16().collect::<Vec<_>>()),
        any::<u16>()
    ];
    prop::collection::vec(unit, 0..6).prop_map(WideName::from_units)
}

proptest! {
    #[test]
    fn relative_paths_survive_serde(names in prop::collection::vec(name(), 0..5)) {
        let path: RelPath = names.into_iter().collect();
        let json = serde_json::to_string(&path).unwrap();
        prop_assert_eq!(serde_json::from_str::<RelPath>(&json).unwrap(), path);
    }

    #[test]
    fn host_paths_survive_serde_and_have_valid_names(names in prop::collection::vec(name(), 0..5)) {
        let mut path = HostPath::root("C:");
        for name in names {
            let expected = name.is_component();
            prop_assert_eq!(path.push(name.units()).is_ok(), expected);
        }
        let json = serde_json::to_string(&path).unwrap();
        prop_assert_eq!(serde_json::from_str::<HostPath>(&json).unwrap(), path.clone());
        let rest = path.strip_prefix(&HostPath::root("C:")).unwrap();
        prop_assert_eq!(HostPath::root("C:").join_rel(&rest).unwrap(), path);
    }
}

/// A drive, and names that share beginnings, differ in case, or are longer than what is put together on the stack.
fn parts() -> impl Strategy<Value = (&'static str, Vec<WideName>)> {
    let drive = prop::sample::select(vec!["C:", "c:", "D:", r"\\?\Volume{1}", r"\\?\Volume{2}"]);
    let name = prop_oneof![
        8 => prop::sample::select(vec!["a", "A", "a b", "ab", "a.b", "\u{e4}", "\u{c4}", "~", "metadata.json"])
            .prop_map(WideName::from),
        1 => Just(WideName::from_units(vec![0xd800])),
        1 => (190_usize..260).prop_map(|len| "x".repeat(len).into()),
    ];
    (drive, prop::collection::vec(name, 0..5))
}

fn path_of(drive: &str, names: &[WideName]) -> HostPath {
    let mut path = HostPath::root(drive);
    for name in names {
        path.push(name.units()).expect("a component");
    }
    path
}

fn hash_of(path: &HostPath) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

proptest! {
    #[test]
    fn a_path_is_a_drive_and_a_list_of_names(ours in parts(), theirs in parts()) {
        let [path, other] = [&ours, &theirs].map(|(drive, names)| path_of(drive, names));
        // What was cut from a longer path is no other than what was built up to there.
        let cut = path.join(r"more\still").parent().and_then(|path| path.parent()).expect("two more");
        prop_assert_eq!(&cut, &path);
        prop_assert_eq!(hash_of(&cut), hash_of(&path));
        prop_assert_eq!(cut.join("x").to_string(), path.join("x").to_string());
        for path in [&path, &cut] {
            let names = |names: &[WideName]| Vec::from_iter(names.iter().map(|name| name.units().to_vec()));
            prop_assert!(path.components().eq(names(&ours.1)));
            prop_assert!(path.components().rev().eq(names(&ours.1).into_iter().rev()));
            prop_assert_eq!(path.file_name().map(WideName::from), ours.1.last().cloned());
            prop_assert_eq!(WideName::from(path.drive()), ours.0);
            prop_assert_eq!(path.is_root(), ours.1.is_empty());
            prop_assert_eq!(path.upcased(), path.to_wide().upcased());
            let above = ours.1.split_last().map(|(_, above)| path_of(ours.0, above));
            prop_assert_eq!(path.parent(), above);

            prop_assert_eq!(path.cmp(&other), (WideName::from(ours.0), &ours.1).cmp(&(WideName::from(theirs.0), &theirs.1)));
            prop_assert_eq!(path == &other, ours == theirs);
            let parent = path.parent();
            prop_assert_eq!(path.parent_units(), parent.as_ref().map(HostPath::units));
            prop_assert_eq!(path.units() == other.units(), path == &other);
            let upcased = |(drive, names): &(&str, Vec<WideName>)| {
                Vec::from_iter([WideName::from(*drive)].iter().chain(names).map(WideName::upcased))
            };
            let below = upcased(&ours).strip_prefix(&*upcased(&theirs)).map(<[WideName]>::len);
            prop_assert_eq!(path.starts_with(&other), below.is_some());
            prop_assert_eq!(path.eq_ignore_case(&other), below == Some(0));
            let rest = below.map(|len| ours.1[ours.1.len() - len..].iter().cloned().collect::<RelPath>());
            prop_assert_eq!(path.strip_prefix(&other), rest);
        }
        if ours.1.iter().all(|name| name.to_utf8().is_some()) {
            prop_assert_eq!(HostPath::parse(&path.to_string()).unwrap(), path);
        }
    }

    #[test]
    fn joining_is_pushing_what_can_be_pushed(parts in parts(), more in "([abä.\0]{0,3}[/\\\\]?){0,4}") {
        let path = path_of(parts.0, &parts.1);
        let mut pushed = path.clone();
        for name in more.split(['\\', '/']) {
            let _ = pushed.push(WideName::from(name).units());
        }
        prop_assert_eq!(path.join(&more), pushed);
        let long = path.join(&"y".repeat(300)).join(&more);
        prop_assert!(long.starts_with(&path) && long.to_wide().len() > 300);
        prop_assert_eq!(long.upcased(), long.to_wide().upcased());
    }
}
