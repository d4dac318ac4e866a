//! Host paths and relative paths.

use proptest::prelude::*;
use wcow_ntmeta::{HostPath, PathError, RelPath, WideName};

#[test]
fn absolute_paths_are_read() {
    #[track_caller]
    fn check(text: &str, shown: &str, names: &[&str]) {
        let path = HostPath::parse(text).unwrap();
        assert_eq!(path.to_string(), shown);
        assert!(path.components().eq(names), "{path:?}");
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
    assert!(root.clone().push(r"a\b".into()).is_err());
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
    assert_eq!(
        path.parent().unwrap().file_name(),
        Some(&WideName::from("System32"))
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
            prop_assert_eq!(path.push(name).is_ok(), expected);
        }
        let json = serde_json::to_string(&path).unwrap();
        prop_assert_eq!(serde_json::from_str::<HostPath>(&json).unwrap(), path.clone());
        let rest = path.strip_prefix(&HostPath::root("C:")).unwrap();
        prop_assert_eq!(HostPath::root("C:").join_rel(&rest).unwrap(), path);
    }
}
