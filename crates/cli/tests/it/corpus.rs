//! The WIM files that other programs made, where `WCOW_CORPUS` names their folder.

use std::path::PathBuf;

use crate::support::{Home, text};

/// A file of the corpus; `None` where there is no corpus.
fn file(name: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("WCOW_CORPUS") else {
        println!("skipped: WCOW_CORPUS is not set");
        return None;
    };
    Some(PathBuf::from(folder).join("generated").join(name))
}

#[test]
fn what_is_not_supported_is_said_by_name() {
    let home = Home::new();
    for (name, word) in [
        ("lzms-32k.wim", "LZMS"),
        ("solid-lzms-64m.esd", "solid"),
        ("solid-lzx.esd", "solid"),
        ("split.swm", "split"),
    ] {
        let Some(path) = file(name) else { return };
        let path = text(&path);
        for words in [
            &["wim", "verify", path][..],
            &["wim", "extract", path, "1", "out"],
            &["image", "install", path],
        ] {
            let ran = home.wcow(words);
            ran.ends(5);
            let said = (ran.text() + &ran.stderr).to_lowercase();
            assert!(said.contains(&word.to_lowercase()), "{name}: {said}");
        }
    }
}

#[test]
fn what_is_supported_verifies() {
    let home = Home::new();
    for name in [
        "none.wim",
        "none-integrity.wim",
        "xpress-4k.wim",
        "xpress-32k.wim",
        "lzx-32k.wim",
    ] {
        let Some(path) = file(name) else { return };
        assert!(
            home.wcow(&["wim", "verify", text(&path)])
                .ok()
                .contains("ok")
        );
    }
}
