//! Budgets and bounds: what is refused names the option that allows it, and small hostile files cost little.

use wcow_tree::memory::MemoryTree;

use crate::support::{Home, wim_of};

fn home() -> Home {
    let tree = MemoryTree::new()
        .file("large", vec![0; 100_000])
        .file("small", "few");
    let home = Home::new();
    home.put("a.wim", &wim_of(&[("one", tree)]));
    home
}

#[test]
fn a_budget_error_names_its_option() {
    let home = home();
    let tight: &[(&[&str], &str)] = &[
        (
            &["cat", "a.wim", "1", "large", "--max-output", "50K"],
            "--max-output",
        ),
        (
            &["extract", "a.wim", "1", "out", "--max-output", "50K"],
            "--max-output 100003",
        ),
        (&["ls", "a.wim", "--max-metadata", "100"], "--max-metadata"),
        (
            &["info", "a.wim", "--max-metadata", "100"],
            "--max-metadata",
        ),
    ];
    for (words, option) in tight {
        let words = [&["wim"], *words].concat();
        home.wcow(&words).fails(1, &["budget", "help: ", option]);
    }
    assert!(!home.path("out").exists(), "nothing was made");
    home.wcow(&["wim", "verify", "a.wim", "--max-output", "50K"])
        .ends(1)
        .says(&["1 problem", "--max-output"]);
    // What is within the budget can be had.
    let part = [
        "wim",
        "extract",
        "a.wim",
        "1",
        "out",
        "small",
        "--max-output",
        "50K",
    ];
    home.wcow(&part).ok();
    home.wcow(&["wim", "verify", "a.wim", "--max-output", "1x"])
        .ends(2);
}

/// Every file of the corpus that means no good is answered within a second and 64 MiB: the system ends a process that takes more
/// of either. Counted are the seconds that it works, and the memory that it may write to, which is more than what it really uses.
#[cfg(target_os = "linux")]
#[test]
fn small_hostile_files_cost_little() {
    let Some(corpus) = std::env::var_os("WCOW_CORPUS") else {
        println!("skipped: WCOW_CORPUS is not set");
        return;
    };
    let corpus = std::path::Path::new(&corpus);
    let home = Home::new();
    let mut files = 0;
    for folder in ["hostile", "wimlib"] {
        for entry in std::fs::read_dir(corpus.join(folder)).expect("it is part of the corpus") {
            let file = entry.expect("it can be listed").path();
            if file.extension().is_none_or(|extension| extension != "wim") {
                continue;
            }
            files += 1;
            let file = crate::support::text(&file);
            for words in [
                &["info", file][..],
                &["ls", "-R", "-l", "--streams", "--sddl", file, "1"],
                &["verify", "--threads", "2", file],
                &["extract", "--overwrite", "--threads", "2", file, "1", "out"],
            ] {
                let words = [&["wim"], words].concat();
                let ran = crate::support::run(within_limits(&home.command(&words)), &words);
                // An answer is an exit code of ours: no signal, no panic, no failed allocation.
                assert!(
                    matches!(ran.code, Some(0..=6)),
                    "{words:?}: {:?}\n{}",
                    ran.code,
                    ran.stderr
                );
            }
            std::fs::remove_dir_all(home.path("out")).ok();
        }
    }
    assert!(files > 8, "{files} files");
}

/// The same command, which may take one second and 64 MiB.
#[cfg(target_os = "linux")]
fn within_limits(command: &std::process::Command) -> std::process::Command {
    let mut limited = std::process::Command::new("/bin/sh");
    limited
        .args(["-c", "ulimit -t 1 && ulimit -d 65536 && exec \"$0\" \"$@\""])
        .arg(command.get_program())
        .args(command.get_args())
        .stdin(std::process::Stdio::null());
    if let Some(folder) = command.get_current_dir() {
        limited.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    limited
}
