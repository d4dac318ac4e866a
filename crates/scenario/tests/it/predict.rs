//! Prediction and verdict agree, for WIM files of all kinds on every host.

use std::io::Cursor;

use proptest::prelude::*;
use wcow_engine::Engine;
use wcow_ntmeta::Guid;
use wcow_scenario::predict::Inspection;
use wcow_scenario::{Player, WimShelf, wims};
use wcow_sim::{Profile, Sim};
use wcow_tree::memory::MemoryTree;
use wcow_wim::{
    ImageIndex, NewImage, Wim, WindowsInfo, WindowsVersion, WriteOptions, write_uncompressed,
};

use crate::differences;

struct OneWim(Wim);

impl WimShelf for OneWim {
    fn wim(&self, _: &str) -> Option<(&Wim, ImageIndex)> {
        Some((&self.0, ImageIndex::new(1)?))
    }
}

/// Inspects the WIM, walks with it on a host of each kind, and compares.
#[track_caller]
fn check(wim: Wim) {
    let inspection = Inspection::of(&wim, ImageIndex::new(1).expect("1 is an index"))
        .expect("the image can be read");
    let shelf = OneWim(wim);
    for name in ["nano-tp3", "core-tp3", "server-2022"] {
        let profile = Profile::named(name).expect("the profile exists");
        let sim = Sim::new(profile, 0);
        let engine = Engine::new(sim.client());
        let host = sim
            .run(engine.info())
            .expect("the host answers")
            .expect("it says what it is");
        let walk = inspection.walk("given.wim", &host);
        let outcomes = sim
            .run(Player::new(&engine, &shelf).play(&walk))
            .expect("the host does not get stuck")
            .expect("nothing is given");
        assert_eq!(
            differences(&outcomes),
            Vec::<String>::new(),
            "{name}: {}",
            inspection.sentence(&host)
        );
    }
}

#[test]
fn the_files_of_the_tour() {
    for demo in wims::WIMS {
        check(Wim::open(demo.build().expect("it can be built")).expect("it can be opened"));
    }
}

/// What may be in a WIM and what may be missing.
#[derive(Clone, Debug)]
struct Made {
    build: u32,
    edition: Option<&'static str>,
    missing_hive: Option<&'static str>,
    service: bool,
    shell: bool,
}

fn made() -> impl Strategy<Value = Made> {
    (
        prop::sample::select(vec![9200, 10514, 10586, 14393, 17763, 20348, 26100]),
        prop::sample::select(vec![
            None,
            Some("ServerDatacenter"),
            Some("ServerTuva"),
            Some("ServerStandard"),
        ]),
        prop::sample::select(vec![None, None, None, Some("SAM"), Some("SYSTEM")]),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(build, edition, missing_hive, service, shell)| Made {
            build,
            edition,
            missing_hive,
            service,
            shell,
        })
}

fn wim(made: &Made) -> Wim {
    let mut tree = MemoryTree::new().dir(r"Windows\System32\drivers");
    for hive in ["DEFAULT", "SAM", "SECURITY", "SOFTWARE", "SYSTEM"] {
        if made.missing_hive != Some(hive) {
            tree = tree.file(
                format!(r"Windows\System32\config\{hive}"),
                wcow_hive::empty_hive(hive),
            );
        }
    }
    if made.service {
        tree = tree.file(r"Windows\System32\CExecSvc.exe", "MZ");
    }
    if made.shell {
        tree = tree.file(r"Windows\System32\cmd.exe", "MZ");
    }
    let mut image = NewImage::new("made", &mut tree);
    image.windows = Some(WindowsInfo {
        edition_id: made.edition.map(str::to_owned),
        version: Some(WindowsVersion {
            major: 10,
            build: made.build,
            ..WindowsVersion::default()
        }),
        ..WindowsInfo::default()
    });
    let mut file = Cursor::new(Vec::new());
    write_uncompressed(
        &mut file,
        vec![image],
        &WriteOptions::new(Guid::from_u128(1)),
    )
    .expect("it can be written");
    Wim::open(file.into_inner()).expect("it can be opened")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_image_on_any_host(made in made()) {
        check(wim(&made));
    }
}
