//! `wcow host serve`: a simulated host for programs of other processes.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Serialize;
use wcow_sim_link::{Server, World};

use crate::args::Global;
use crate::cancel::Cancel;
use crate::failure::{Failure, exit};
use crate::output::{Output, note};
use crate::session::Session;

/// How often it is looked whether somebody wants it to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Serves the host until it is asked to stop, and keeps what has happened on it.
pub(crate) fn run(
    speed: u32,
    address: Option<&Path>,
    global: &Global,
    output: &Output,
) -> Result<u8, Failure> {
    #[derive(Serialize)]
    struct Served {
        address: PathBuf,
        port: u16,
    }
    let cancel = Cancel::listen();
    let session = Session::open(global)?;
    let Some(host) = session.simulated() else {
        return Err(
            Failure::new(exit::USAGE, "only a simulated host can be served")
                .help("name one: --host sim, or --host sim:NAME"),
        );
    };
    let path = match address {
        Some(path) => path.to_path_buf(),
        None => host.folder().join("address"),
    };
    let failed = |what: &str| Failure::new(exit::FAILED, what);
    let world = World::start(host.sim.clone(), speed)
        .map_err(|error| failed("the system gives no thread").because(&error))?;
    let server = Server::start(&world)
        .map_err(|error| failed("the system gives no port").because(&error))?;
    server.address().write(&path).map_err(|error| {
        failed(&format!("{} cannot be written", path.display()))
            .because(&error)
            .help("name a file in a folder that is there: --address FILE")
    })?;
    note(
        "programs find this simulated host by WCOW_SIM_SERVER; Ctrl+C ends it and keeps what has happened",
    );
    output.line(&path.display().to_string())?;
    if output.is_json() {
        let port = server.address().port;
        let address = path.clone();
        output.json("host.serve", &[Served { address, port }])?;
    }
    while !cancel.flag().load(Ordering::SeqCst) {
        std::thread::sleep(LOOK);
    }
    drop(server);
    world.runner().stop();
    // The file leads nowhere now; that it cannot be removed is no failure of the host.
    let _ = std::fs::remove_file(&path);
    session.close()?;
    Ok(0)
}
