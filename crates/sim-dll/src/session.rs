//! The world that this process calls: its own, or a served one, as environment variables ask for it.
//!
//! | variable | meaning |
//! |---|---|
//! | `WCOW_SIM_SERVER` | the address file of `wcow host serve`: the world is the served one, and the next four do nothing |
//! | `WCOW_SIM_PROFILE` | the profile of an own world, `server-2022` if it is not set |
//! | `WCOW_SIM_SEED` | its seed, 0 if it is not set |
//! | `WCOW_SIM_FAULTS` | what goes wrong in it: a fault plan as JSON, or the number of calls that may be hit at random |
//! | `WCOW_SIM_SPEED` | how much faster its time runs than the wall clock when all calls wait, 1000 if it is not set |
//! | `WCOW_SIM_IDENTITY` | who calls: a JSON name of an identity such as `administrator` |
//! | `WCOW_SIM_LOG` | a file to which problems of this library are added |
//!
//! An own world begins after the restart that its packages wait for, with one small base image.

use std::future::Future;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use wcow_host::codes::v1;
use wcow_host::{ComputeApi, HostError, Identity};
use wcow_ntmeta::Hresult;
use wcow_sim::{FaultPlan, Profile, RemoteHost, Sim};
use wcow_sim_link::{Address, Connection, Facts, Late, Runner, StagedImage, World, install_image};

use crate::answer::{E_UNEXPECTED, Failure, Outcome, RPC_UNAVAILABLE};
use crate::guard::log;

/// How long a call that ends by itself may take: what clients of the real service wait.
const PATIENCE: Duration = Duration::from_secs(240);

/// The world of this process.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) runner: Runner,
    pub(crate) facts: Facts,
    pub(crate) image: Option<StagedImage>,
    v1: RemoteHost,
    v2: RemoteHost,
    _connection: Option<Connection>,
}

/// Why there is no world.
#[derive(Debug, thiserror::Error)]
enum NoWorld {
    #[error("{variable} is {value:?}: expected {expected}")]
    Variable {
        variable: &'static str,
        value: String,
        expected: String,
    },
    #[error(transparent)]
    Address(#[from] wcow_sim_link::AddressError),
    #[error(transparent)]
    Connect(#[from] wcow_sim_link::ConnectError),
    #[error("no thread for the world")]
    Thread(#[from] std::io::Error),
    #[error("the base image of the world cannot be made: {0}")]
    Image(String),
}

/// The session, made when it is first asked for. It lasts as long as the process: a thread of it may run any time.
///
/// # Errors
/// There is no world: 0x800706BA, and the log says why. It is tried again with the next call.
pub(crate) fn session() -> Result<&'static Session, Hresult> {
    static SESSION: Mutex<Option<&'static Session>> = Mutex::new(None);
    let mut place = SESSION.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(session) = *place {
        return Ok(session);
    }
    match Session::open() {
        Ok(session) => {
            let session: &'static Session = Box::leak(Box::new(session));
            *place = Some(session);
            Ok(session)
        }
        Err(error) => {
            let mut line = format!("no simulated host: {error}");
            let mut cause = std::error::Error::source(&error);
            while let Some(source) = cause {
                line.push_str(&format!(": {source}"));
                cause = source.source();
            }
            log(&line);
            Err(RPC_UNAVAILABLE)
        }
    }
}

impl Session {
    fn open() -> Result<Self, NoWorld> {
        let identity =
            match variable("WCOW_SIM_IDENTITY") {
                None => Identity::Administrator,
                Some(name) => serde_json::from_value(serde_json::Value::from(name.as_str()))
                    .map_err(|error| NoWorld::Variable {
                        variable: "WCOW_SIM_IDENTITY",
                        value: name,
                        expected: error.to_string(),
                    })?,
            };
        match std::env::var_os("WCOW_SIM_SERVER").filter(|path| !path.is_empty()) {
            Some(path) => Self::served(Path::new(&path), identity),
            None => Self::own(identity),
        }
    }

    fn served(path: &Path, identity: Identity) -> Result<Self, NoWorld> {
        let connection = Connection::open(&Address::read(path)?, identity)?;
        Ok(Self {
            runner: connection.runner().clone(),
            facts: connection.facts().clone(),
            image: None,
            v1: connection.host(ComputeApi::V1),
            v2: connection.host(ComputeApi::V2),
            _connection: Some(connection),
        })
    }

    fn own(identity: Identity) -> Result<Self, NoWorld> {
        let name = variable("WCOW_SIM_PROFILE").unwrap_or_else(|| "server-2022".to_owned());
        let profile = Profile::named(&name).ok_or_else(|| NoWorld::Variable {
            variable: "WCOW_SIM_PROFILE",
            value: name,
            expected: "the name of a profile".to_owned(),
        })?;
        let profile = profile.restarted();
        let sim = Sim::new(profile.clone(), number("WCOW_SIM_SEED", 0)?);
        let client = sim.client_with(Identity::Administrator, ComputeApi::V1);
        let image = sim
            .run(install_image(&client, &profile))
            .map_err(|error| NoWorld::Image(error.to_string()))?
            .map_err(|error| NoWorld::Image(error.to_string()))?;
        set_faults(&sim)?;
        let speed = u32::try_from(number("WCOW_SIM_SPEED", 1000)?).unwrap_or(u32::MAX);
        let world = World::start(sim, speed)?;
        Ok(Self {
            runner: world.runner().clone(),
            facts: world.facts(),
            image: Some(image),
            v1: world.client(identity, ComputeApi::V1).remote(),
            v2: world.client(identity, ComputeApi::V2).remote(),
            _connection: None,
        })
    }

    /// This process as a client of that surface.
    pub(crate) fn host(&self, api: ComputeApi) -> RemoteHost {
        match api {
            ComputeApi::V1 => self.v1.clone(),
            ComputeApi::V2 => self.v2.clone(),
        }
    }

    /// Waits for a call.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        call: impl Future<Output = Result<T, HostError>> + Send + 'static,
    ) -> Outcome<T> {
        self.finish(async move { call.await.map_err(Failure::from) })
    }

    /// Waits for something made of several calls.
    pub(crate) fn finish<T: Send + 'static>(
        &self,
        calls: impl Future<Output = Outcome<T>> + Send + 'static,
    ) -> Outcome<T> {
        match self.runner.wait(calls, Some(PATIENCE)) {
            Ok(outcome) => outcome,
            Err(Late::TimedOut) => Err(v1::CONNECTION_TIMEOUT.into()),
            Err(Late::Gone) => Err(E_UNEXPECTED.into()),
        }
    }
}

fn variable(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn number(name: &'static str, otherwise: u64) -> Result<u64, NoWorld> {
    let Some(value) = variable(name) else {
        return Ok(otherwise);
    };
    value.parse().map_err(|_| NoWorld::Variable {
        variable: name,
        value,
        expected: "a number".to_owned(),
    })
}

fn set_faults(sim: &Sim) -> Result<(), NoWorld> {
    let Some(value) = variable("WCOW_SIM_FAULTS") else {
        return Ok(());
    };
    if let Ok(budget) = value.parse() {
        sim.draw_faults(budget);
        return Ok(());
    }
    let plan: FaultPlan = serde_json::from_str(&value).map_err(|error| NoWorld::Variable {
        variable: "WCOW_SIM_FAULTS",
        expected: format!("a number, or a fault plan ({error})"),
        value,
    })?;
    sim.set_faults(plan);
    Ok(())
}
