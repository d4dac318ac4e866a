//! One command on one host.

use std::future::Future;

use wcow_engine::{Engine, EngineError};
use wcow_host::{Clock, Host, HostInfo};
use wcow_ntmeta::FileTime;
use wcow_sim::LoadError;

use crate::args::Global;
use crate::failure::{Failure, exit};
use crate::hosts::{Hosts, HostsError, OpenHost};
use crate::machine::{self, AnyHost};
use crate::output::note;

/// The name of the simulated host that is there when none is named.
const DEFAULT_HOST: &str = "default";
/// Its profile.
const DEFAULT_PROFILE: &str = "server-2022";

/// A host that is open for one command.
pub(crate) struct Session {
    /// Where it is kept, if it is a simulated one.
    kept: Option<OpenHost>,
    engine: Engine<AnyHost>,
}

impl Session {
    /// Opens the host that the command line names.
    pub(crate) fn open(global: &Global) -> Result<Self, Failure> {
        let chosen = chosen(global)?;
        if matches!(chosen, Chosen::Machine) {
            return Ok(Self {
                kept: None,
                engine: Engine::new(machine::this()?),
            });
        }
        let hosts = open_hosts(global)?;
        let kept = match chosen {
            Chosen::Named(name) => hosts.load(&name).map_err(|error| hosts_failure(&error))?,
            Chosen::Unknown(word) => return Err(no_such_host(&word, &hosts)),
            Chosen::Default | Chosen::Machine => open_default(&hosts)?,
        };
        // One process for all commands, which goes on while the host is saved: it holds the pipes of programs that nobody follows.
        let engine = Engine::new(machine::simulated(kept.sim.standing_client("wcow")));
        let kept = Some(kept);
        Ok(Self { kept, engine })
    }

    /// Runs one piece of work on the host.
    pub(crate) fn run<'s, T, F>(
        &'s self,
        work: impl FnOnce(&'s Engine<AnyHost>) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, EngineError>>,
    {
        self.try_run(work)?
            .map_err(|error| Failure::engine(&error, self.info().as_ref()))
    }

    /// Runs one piece of work on the host, whose errors are the caller's to show.
    pub(crate) fn try_run<'s, T, F: Future<Output = T>>(
        &'s self,
        work: impl FnOnce(&'s Engine<AnyHost>) -> F,
    ) -> Result<T, Failure> {
        let Some(host) = &self.kept else {
            return Ok(machine::block_on(work(&self.engine)));
        };
        host.sim.run(work(&self.engine)).map_err(|stuck| {
            Failure::new(
                exit::FAILED,
                "the simulated host has nothing left to do, and did not answer",
            )
            .because(&stuck)
        })
    }

    /// The simulated host, where it is one.
    pub(crate) fn simulated(&self) -> Option<&OpenHost> {
        self.kept.as_ref()
    }

    /// The time of the host's clock.
    pub(crate) fn now(&self) -> FileTime {
        self.engine.host().clock().now()
    }

    /// What the host is, if it says so.
    pub(crate) fn info(&self) -> Option<HostInfo> {
        self.try_run(Engine::info).ok()?.ok()
    }

    /// Keeps what the command has changed, also when it failed: a real host would.
    pub(crate) fn close(self) -> Result<(), Failure> {
        self.kept.map_or(Ok(()), |host| {
            host.save().map_err(|error| hosts_failure(&error))
        })
    }
}

/// Opens a session, does the work, and keeps what changed whatever came of it.
pub(crate) fn with_host<T>(
    global: &Global,
    work: impl FnOnce(&Session) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let session = Session::open(global)?;
    let outcome = work(&session);
    let saved = session.close();
    // A host that cannot be saved is what the user has to know first.
    saved?;
    outcome
}

/// The folder of simulated hosts.
pub(crate) fn open_hosts(global: &Global) -> Result<Hosts, Failure> {
    Hosts::open(global.data_dir.as_deref()).map_err(|error| hosts_failure(&error))
}

/// A failure of the folder of simulated hosts, with its exit code.
pub(crate) fn hosts_failure(error: &HostsError) -> Failure {
    let (code, help) = match error {
        HostsError::NotFound { .. } => (
            exit::NOT_FOUND,
            Some("wcow host new NAME --profile PROFILE makes one"),
        ),
        HostsError::Exists(_) => (
            exit::CONFLICT,
            Some("choose another name, or remove it: wcow host rm NAME"),
        ),
        HostsError::Busy(_) => (exit::CONFLICT, None),
        HostsError::BadName(_) | HostsError::BadElapsed(_) => (exit::USAGE, None),
        HostsError::NoDataDir => (exit::USAGE, Some("say where with --data-dir DIR")),
        HostsError::NoProfile { .. } => (exit::NOT_FOUND, Some("wcow host profiles shows them")),
        HostsError::OtherFormat { .. }
        | HostsError::World {
            source: LoadError::Version { .. },
            ..
        } => (
            exit::INTEGRITY,
            Some("use the version of wcow that wrote it, or make another host: wcow host new NAME"),
        ),
        HostsError::Damaged { .. } | HostsError::World { .. } => (
            exit::INTEGRITY,
            Some("wcow host rm NAME removes it; wcow host new NAME makes a new one"),
        ),
        HostsError::Save(_) | HostsError::Io { .. } => (exit::FAILED, None),
    };
    let mut failure = Failure::new(code, error.to_string());
    if let Some(source) = std::error::Error::source(error) {
        failure = failure.because(source);
    }
    match help {
        Some(help) => failure.help(help),
        None => failure,
    }
}

/// What the command line says of the host.
enum Chosen {
    /// The simulated host that is there without being named.
    Default,
    /// The machine that this runs on.
    Machine,
    /// A simulated host.
    Named(String),
    /// Something that is no host at all.
    Unknown(String),
}

fn chosen(global: &Global) -> Result<Chosen, Failure> {
    // An empty variable is one that is not set.
    match global.host.as_deref().filter(|host| !host.is_empty()) {
        Some("windows") => Ok(Chosen::Machine),
        None if cfg!(windows) => Ok(Chosen::Machine),
        None | Some("sim") => Ok(Chosen::Default),
        Some(host) => Ok(match host.strip_prefix("sim:") {
            Some(name) => Chosen::Named(name.to_owned()),
            None => Chosen::Unknown(host.to_owned()),
        }),
    }
}

fn no_such_host(word: &str, hosts: &Hosts) -> Failure {
    let mut there_are = vec!["windows".to_owned(), "sim".to_owned()];
    there_are.extend(
        hosts
            .names()
            .unwrap_or_default()
            .iter()
            .map(|name| format!("sim:{name}")),
    );
    Failure::new(
        exit::NOT_FOUND,
        format!("no host {word:?}; there are: {}", there_are.join(", ")),
    )
    .help("wcow host new NAME --profile PROFILE makes a simulated host, which is used with --host sim:NAME")
}

fn open_default(hosts: &Hosts) -> Result<OpenHost, Failure> {
    match hosts.load(DEFAULT_HOST) {
        Err(HostsError::NotFound { .. }) => {
            let host = hosts
                .create(DEFAULT_HOST, DEFAULT_PROFILE, 0)
                .map_err(|error| hosts_failure(&error))?;
            note(&format!(
                "made the simulated host {DEFAULT_HOST:?} ({DEFAULT_PROFILE}, seed 0); nothing here touches a real Windows"
            ));
            Ok(host)
        }
        other => other.map_err(|error| hosts_failure(&error)),
    }
}
