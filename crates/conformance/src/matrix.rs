//! The legality matrix of compute systems: what each call is answered with in each state.

use std::fmt;

use wcow_host::codes;
use wcow_host::{
    Code, ComputeApi, ComputeService, Host, HostError, SaveType, SystemHandle, SystemId,
};
use wcow_ntmeta::Hresult;

use crate::stage::{Stage, Unlike, parameters};

/// The state that a compute system is in when the call comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// There is none of this id.
    Absent,
    /// Created, never started.
    Created,
    /// Started.
    Running,
    /// Frozen. Process isolation knows no such state, so the container is Hyper-V isolated.
    Paused,
    /// Ended, and a handle to it is still open.
    Stopped,
    /// Running, and the handle that the call goes through was closed.
    Closed,
}

/// A call of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Another one of the same id is created.
    CreateSameId,
    /// It is opened by its id.
    Open,
    /// It is started.
    Start,
    /// It is asked to shut down.
    Shutdown,
    /// It is ended.
    Terminate,
    /// It is frozen.
    Pause,
    /// It is to go on.
    Resume,
    /// It is saved.
    Save,
    /// A program is started in it.
    CreateProcess,
    /// A process of an id that it does not have is opened.
    OpenUnknownProcess,
    /// Its properties are read.
    Properties,
    /// A folder of the host is mapped into it.
    Modify,
}

/// What the answer must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// It works.
    Works,
    /// One of these codes of the Host Compute Service, by their low words, in the spelling of the surface.
    Hcs(&'static [u16]),
    /// This Win32 error, as an HRESULT.
    Win32(u16),
    /// It works, or one of these codes of the Host Compute Service.
    WorksOrHcs(&'static [u16]),
}

/// A row of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The call.
    pub call: Call,
    /// The state that it meets.
    pub state: State,
    /// Whether the container is Hyper-V isolated.
    pub hyperv: bool,
    /// What the answer must be.
    pub expect: Expect,
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Works => f.write_str("success"),
            Self::Hcs(codes) => write!(f, "one of the codes {codes:04X?} of the compute service"),
            Self::Win32(code) => write!(f, "0x8007{code:04X}"),
            Self::WorksOrHcs(codes) => {
                write!(f, "success, or one of {codes:04X?} of the compute service")
            }
        }
    }
}

impl Expect {
    /// Whether an answer is as expected.
    #[must_use]
    pub fn fits(&self, answer: &Result<(), HostError>, api: ComputeApi) -> bool {
        let code = match answer {
            Ok(()) => return matches!(self, Self::Works | Self::WorksOrHcs(_)),
            Err(HostError {
                code: Code::Hresult(code),
                ..
            }) => *code,
            Err(_) => return false,
        };
        match self {
            Self::Works => false,
            Self::Win32(low) => code == Hresult::from_win32(u32::from(*low)),
            Self::Hcs(lows) | Self::WorksOrHcs(lows) => lows.iter().any(|low| {
                let known = Hresult(0xC037_0000 | u32::from(*low));
                code == codes::spelled(known, api)
            }),
        }
    }
}

impl Row {
    /// Whether the host answers the call of this row as it must.
    pub(crate) async fn check<H: Host>(&self, stage: &Stage<'_, H>) -> Result<(), Unlike> {
        let system = stage.bring(self.state).await?;
        let answer = self.answer(stage, system).await?;
        let api = stage.host().compute().api();
        if self.expect.fits(&answer, api) {
            return Ok(());
        }
        let seen = match answer {
            Ok(()) => "success".to_owned(),
            Err(error) => error.to_string(),
        };
        Err(format!(
            "{:?} of a system that is {:?}, seen through {api:?}: expected {}, seen {seen}",
            self.call, self.state, self.expect
        ))
    }

    async fn answer<H: Host>(
        &self,
        stage: &Stage<'_, H>,
        system: SystemHandle,
    ) -> Result<Result<(), HostError>, Unlike> {
        let compute = stage.host().compute();
        let id: &SystemId = stage.id();
        Ok(match self.call {
            Call::CreateSameId => stage.create().await?.map(drop),
            Call::Open => compute.open(id).await.map(drop),
            Call::Start => compute.start(system).await,
            Call::Shutdown => compute.shutdown(system).await,
            Call::Terminate => compute.terminate(system).await,
            Call::Pause => compute.pause(system).await,
            Call::Resume => compute.resume(system).await,
            Call::Save => compute.save(system, SaveType::ToFile).await,
            Call::CreateProcess => compute
                .create_process(system, &parameters("cmd /c ver"))
                .await
                .map(drop),
            Call::OpenUnknownProcess => compute.open_process(system, u32::MAX - 3).await.map(drop),
            Call::Properties => compute.status(system).await.map(drop),
            Call::Modify => compute.modify(system, &stage.mapping()).await,
        })
    }
}
