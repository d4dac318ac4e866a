//! The canary: a run whose promises are broken on purpose. Checks that do not see it see nothing.

use wcow_engine::Engine;
use wcow_host::{ComputeApi, FileSystem, Host, HostError};
use wcow_network::{Driver, NetworkSpec};
use wcow_scenario::WimShelf;
use wcow_sim::{Profile, Sim};

use crate::checks;
use crate::history::{Done, Ending};
use crate::step::{Step, Wishes};
use crate::violation::Violation;

/// Breaks promises behind the engine's back, and gives the checks that did not see it: none, if they work.
#[must_use]
pub fn canary(shelf: &dyn WimShelf) -> Vec<&'static str> {
    let sim = Sim::new(Profile::server_2022(), 0);
    let engine = Engine::new(sim.client());
    let install = Step::InstallImage("servercore-20348.wim".to_owned());
    let broken = async {
        let (wim, index) = shelf.wim("servercore-20348.wim")?;
        let image = engine.install_wim(wim, index, None).await.ok()?;
        let front = NetworkSpec {
            name: "front".to_owned(),
            driver: Driver::Nat,
            subnet: None,
            gateway: None,
            adapter: None,
        };
        engine.create_network(&front).await.ok()?;
        vandalise(&engine, &image.path.join(r"hives\Software_Base"))
            .await
            .ok()
    };
    if !matches!(sim.run(broken), Ok(Some(()))) {
        return ALL.to_vec();
    }
    // It was told that a container is there which nobody made, and that the network, which is there, was removed.
    let done = |step| Done {
        client: 0,
        step,
        began: sim.now(),
        ended: Some(sim.now()),
        cut_off: None,
        ending: Ending::Done,
        one_fault: true,
        left_behind: Vec::new(),
        removed: Vec::new(),
    };
    let history = [
        done(install),
        done(Step::CreateContainer {
            name: "web".to_owned(),
            image: "servercore".to_owned(),
            network: None,
            wishes: Wishes::default(),
        }),
        done(Step::RemoveNetwork("front".to_owned())),
    ];
    let found: Vec<Violation> = sim
        .run(checks::after(&sim, ComputeApi::V1, &history, None))
        .unwrap_or_default();
    ALL.into_iter()
        .filter(|check| found.iter().all(|violation| violation.check() != *check))
        .collect()
}

/// The checks that the canary must set off.
const ALL: [&str; 4] = [
    "listed-images-are-complete",
    "acknowledged-survives",
    "removed-stays-removed",
    "nothing-leaks",
];

/// Damages an image, and leaves a file that belongs to nobody.
async fn vandalise<H: Host>(
    engine: &Engine<H>,
    hive: &wcow_ntmeta::HostPath,
) -> Result<(), HostError> {
    let files = engine.host().files();
    files.remove_file(hive).await?;
    let stray = wcow_ntmeta::HostPath::root("C:").join(r"ProgramData\wcow\stray");
    files
        .write(&stray, b"nobody's", wcow_host::WriteMode::CreateNew)
        .await
}
