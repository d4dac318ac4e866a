//! The examples: each finds the bug of the tool as it was, and none in the tool as it is now.

#[path = "../../examples/containers.rs"]
mod containers;
#[path = "../../examples/images.rs"]
mod images;
#[path = "../../examples/networks.rs"]
mod networks;
#[path = "../../examples/state.rs"]
mod state;

#[test]
fn a_tool_that_makes_containers() {
    assert_eq!(containers::main(), Ok(()));
}

#[test]
fn a_tool_that_manages_networks() {
    assert_eq!(networks::main(), Ok(()));
}

#[test]
fn a_tool_that_imports_images() {
    assert_eq!(images::main(), Ok(()));
}

#[test]
fn a_tool_that_keeps_its_state_in_a_file() {
    assert_eq!(state::main(), Ok(()));
}
