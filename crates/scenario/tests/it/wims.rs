//! The WIM files that the scenarios install.

use wcow_scenario::{WimShelf, wims};
use wcow_wim::Wim;

fn every() -> impl Iterator<Item = wims::DemoWim> {
    wims::WIMS.into_iter().chain(wims::RARE)
}

#[test]
fn every_file_is_sound_and_the_same_each_time() {
    for demo in every() {
        let bytes = demo.build().expect("it can be built");
        assert_eq!(
            bytes,
            demo.build().expect("it can be built again"),
            "{}",
            demo.name
        );
        let wim = Wim::open(bytes).expect("it can be opened");
        let report = wim.verifier().run();
        assert!(report.is_ok(), "{}: {:?}", demo.name, report.problems);
        let windows = wim.images()[0]
            .windows
            .clone()
            .expect("it says which Windows it is");
        assert_eq!(windows.edition_id.as_deref(), Some(demo.edition));
        assert_eq!(
            windows
                .version
                .map(|version| version.to_string())
                .as_deref(),
            Some(demo.version)
        );
    }
}

#[test]
fn the_files_have_guids_of_their_own() {
    let mut guids: Vec<_> = every()
        .map(|demo| {
            Wim::open(demo.build().expect("it can be built"))
                .expect("it can be opened")
                .header()
                .guid
        })
        .collect();
    guids.sort();
    guids.dedup();
    assert_eq!(guids.len(), every().count());
}

#[test]
fn the_shelf_has_every_file_under_its_name() {
    let shelf = wims::Shelf::build().expect("the WIM files can be built");
    for demo in every() {
        let (wim, index) = shelf.wim(demo.name).expect("it is there");
        assert_eq!(wim.images()[0].name.as_deref(), Some(demo.image));
        assert_eq!(index.get(), 1);
    }
    assert!(shelf.wim("other.wim").is_none());
}
