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
fn every_codec_and_layout_verifies() {
    let home = Home::new();
    for name in [
        "none.wim",
        "none-integrity.wim",
        "xpress-4k.wim",
        "xpress-32k.wim",
        "lzx-32k.wim",
        "lzms-32k.wim",
        "lzms-128k.wim",
        "solid-xpress.esd",
        "solid-lzx.esd",
        "solid-lzms-64m.esd",
        // The other part is found beside it.
        "split.swm",
        "split2.swm",
    ] {
        let Some(path) = file(name) else { return };
        for threads in ["1", "3"] {
            let said = home.wcow(&["wim", "verify", text(&path), "--threads", threads]);
            assert!(said.ok().contains("ok"), "{name}");
        }
    }
}

#[test]
fn a_delta_needs_its_base() {
    let home = Home::new();
    let (Some(base), Some(delta)) = (file("base.wim"), file("delta.wim")) else {
        return;
    };
    let alone = home.wcow(&["wim", "verify", text(&delta)]);
    alone.ends(6);
    assert!(alone.text().contains("is missing"));
    home.wcow(&["wim", "verify", text(&delta), "--ref", text(&base)])
        .ok();
    // A pattern does as well as a name.
    let pattern = base.with_file_name("bas*.wim");
    home.wcow(&[
        "wim",
        "extract",
        text(&delta),
        "1",
        "out",
        "--ref",
        text(&pattern),
    ])
    .ok();
    let none = home.wcow(&["wim", "verify", text(&delta), "--ref", "no-*.wim"]);
    none.ends(3);
}
