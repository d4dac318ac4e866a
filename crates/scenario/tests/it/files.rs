//! What a scenario file may look like.

use wcow_scenario::{Action, parse};

#[test]
fn an_unknown_key_is_refused_by_name() {
    let text = "id = \"X\"\ntitle = \"x\"\nprofile = \"core-tp3\"\nstory = \"x\"\nsource = \"inferred\"\n\n\
                [[step]]\ndo = \"restart\"\nmeans = \"x\"\nexpekt = 1\n";
    let error = parse(text).expect_err("the key is misspelt");
    assert!(error.to_string().contains("expekt"), "{error}");
}

#[test]
fn every_action_that_a_command_does_names_the_command() {
    let command = |action: Action| action.command();
    assert_eq!(
        command(Action::Restart).as_deref(),
        Some("wcow host reboot")
    );
    assert_eq!(
        command(Action::CreateContainer {
            image: "two words".to_owned(),
            name: "c".to_owned(),
            id: None,
            network: Some("nat".to_owned())
        })
        .as_deref(),
        Some("wcow container create \"two words\" --name c --network nat")
    );
    assert_eq!(command(Action::EnsureRestarted), None);
}
