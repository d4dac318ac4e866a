//! Run files.

use wcow_campaign::{ReplayError, RunFile, RunSpec};
use wcow_scenario::wims::Shelf;

#[test]
fn a_recorded_run_repeats_from_its_file() {
    let shelf = Shelf::build().unwrap();
    let (file, report) = RunFile::record(RunSpec::from_seed(3), &shelf).unwrap();
    let read = RunFile::read(&file.text()).unwrap();
    assert_eq!(read, file);
    assert_eq!(read.replay(&shelf), Ok(report));
}

#[test]
fn a_run_that_differs_is_told_from_its_first_event_on() {
    let shelf = Shelf::build().unwrap();
    let (mut file, _) = RunFile::record(RunSpec::from_seed(3), &shelf).unwrap();
    "00".clone_into(&mut file.fingerprint);
    // The twelfth event was another one.
    file.events.replace_range(44..48, "zzzz");
    let Err(ReplayError::Diverged {
        event,
        happened,
        recorded_by,
    }) = file.replay(&shelf)
    else {
        panic!("the fingerprints differ")
    };
    assert_eq!(event, 12);
    assert_eq!(recorded_by, env!("CARGO_PKG_VERSION"));
    assert!(
        happened.contains('Z'),
        "a time and what happened: {happened}"
    );
}

#[test]
fn mistakes_in_a_file_are_told_with_line_and_column() {
    let shelf = Shelf::build().unwrap();
    let (file, _) = RunFile::record(RunSpec::from_seed(3), &shelf).unwrap();
    let text = file.text();
    for (from, to, told) in [
        ("\"profile\"", "\"profil\"", "unknown field `profil`"),
        (
            "wcow.run/1",
            "wcow.run/9",
            "expected schema \"wcow.run/1\", found \"wcow.run/9\"",
        ),
        (
            "install-image",
            "install-picture",
            "unknown variant `install-picture`",
        ),
        (
            "\"clients\": [",
            "\"clients\": 7, \"x\": [",
            "invalid type: integer `7`",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let error = RunFile::read(&text.replace(from, to))
            .unwrap_err()
            .to_string();
        assert!(error.contains(told), "{error}");
        if from != "wcow.run/1" {
            assert!(error.contains(" at line "), "{error}");
        }
    }
    let error = RunFile::read("").unwrap_err().to_string();
    assert!(error.contains("line 1 column 0"), "{error}");
}

#[test]
fn a_profile_that_there_is_not_is_named() {
    let spec = RunSpec {
        profile: "server-1803".to_owned(),
        ..RunSpec::from_seed(0)
    };
    let error = spec.run(&Shelf::build().unwrap()).unwrap_err().to_string();
    assert!(
        error.contains("server-1803") && error.contains("nano-tp3"),
        "{error}"
    );
}
