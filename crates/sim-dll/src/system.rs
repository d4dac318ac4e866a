//! Compute systems and processes behind handles, of both surfaces: what the world is asked, and what it tells.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use wcow_hcs::values::{EventType, NotificationType};
use wcow_hcs_schema::schema1::{ProcessParameters, ProcessStatus};
use wcow_host::codes::{self, v2};
use wcow_host::{
    ComputeApi, ComputeService, CreateDocument, HostError, ProcessHandle, SystemEvent,
    SystemHandle, SystemId,
};
use wcow_ntmeta::Hresult;
use wcow_sim::RemoteHost;

use crate::abi::HCS_PROCESS_INFORMATION;
use crate::answer::{E_OUTOFMEMORY, Failure, Outcome};
use crate::callbacks::{Hub, Notice};
use crate::documents::{self, ProcessChange};
use crate::latch::Latch;
use crate::session::Session;
use crate::stdio::Streams;

/// A handle to a compute system.
pub(crate) struct System {
    api: ComputeApi,
    host: RemoteHost,
    opened: Arc<Latch<Outcome<Arc<OpenSystem>>>>,
    pub(crate) hub: Arc<Hub>,
    /// The document of its end, once it has ended.
    pub(crate) exited: Arc<Latch<Option<String>>>,
    /// Whether its registration asked for the ends of operations.
    hears_operations: AtomicBool,
}

/// A handle of the world to a compute system, closed when nobody has it any more.
#[derive(Debug)]
pub(crate) struct OpenSystem {
    session: &'static Session,
    host: RemoteHost,
    handle: SystemHandle,
}

impl Drop for OpenSystem {
    fn drop(&mut self) {
        let (host, handle) = (self.host.clone(), self.handle);
        self.session.runner.spawn(async move {
            // It may be gone with its service.
            let _ = host.close(handle).await;
        });
    }
}

impl System {
    /// Creates one. The future ends when it is there; calls through it wait for that.
    pub(crate) fn create(
        session: &'static Session,
        api: ComputeApi,
        id: SystemId,
        document: CreateDocument,
    ) -> (
        Arc<Self>,
        impl Future<Output = Outcome<()>> + Send + 'static + use<>,
    ) {
        let system = Self::new(session, api);
        let ours = Arc::clone(&system);
        let call = async move {
            let created = ours.host.create(&id, &document).await;
            let created = created.map_err(Failure::from);
            let outcome = created.as_ref().map(|_| ()).map_err(Clone::clone);
            ours.opened(session, created);
            outcome
        };
        (system, call)
    }

    /// Opens one by its id.
    pub(crate) fn open(
        session: &'static Session,
        api: ComputeApi,
        id: SystemId,
    ) -> Outcome<Arc<Self>> {
        let system = Self::new(session, api);
        let host = system.host.clone();
        let handle = session.wait(async move { host.open(&id).await })?;
        system.opened(session, Ok(handle));
        Ok(system)
    }

    /// A system whose handle is still to come.
    fn new(session: &Session, api: ComputeApi) -> Arc<Self> {
        Arc::new(Self {
            api,
            host: session.host(api),
            opened: Arc::default(),
            hub: Arc::default(),
            exited: Arc::default(),
            hears_operations: AtomicBool::new(false),
        })
    }

    pub(crate) fn api(&self) -> ComputeApi {
        self.api
    }

    pub(crate) fn hears_operations(&self) -> bool {
        self.hears_operations.load(Ordering::SeqCst)
    }

    pub(crate) fn hear_operations(&self, hears: bool) {
        self.hears_operations.store(hears, Ordering::SeqCst);
    }

    /// Its handle is there, or will never be. From now on it hears what happens.
    fn opened(&self, session: &'static Session, outcome: Outcome<SystemHandle>) {
        if let Ok(handle) = &outcome {
            let watch = watch_system(
                self.api,
                self.host.clone(),
                *handle,
                Arc::clone(&self.hub),
                Arc::clone(&self.exited),
            );
            session.runner.spawn(watch);
        }
        let host = self.host.clone();
        self.opened.set(outcome.map(|handle| {
            Arc::new(OpenSystem {
                session,
                host,
                handle,
            })
        }));
    }

    /// Whether its handle is there; `None` if that is still to come.
    pub(crate) fn created(&self) -> Option<Outcome<()>> {
        Some(self.opened.now()?.map(|_| ()))
    }

    /// The handle, as soon as it is there.
    pub(crate) fn handle(
        &self,
    ) -> impl Future<Output = Outcome<SystemHandle>> + Send + 'static + use<> {
        let opened = Arc::clone(&self.opened);
        async move { opened.come().await.map(|open| open.handle) }
    }

    /// Calls the world with the handle.
    pub(crate) fn call<T, F, C>(
        &self,
        call: C,
    ) -> impl Future<Output = Outcome<T>> + Send + 'static + use<T, F, C>
    where
        C: FnOnce(RemoteHost, SystemHandle) -> F + Send + 'static,
        F: Future<Output = Result<T, HostError>> + Send + 'static,
        T: 'static,
    {
        let (host, handle) = (self.host.clone(), self.handle());
        async move { Ok(call(host, handle.await?).await?) }
    }
}

/// Tells what happens to a system, until it has ended or its handle is closed.
async fn watch_system(
    api: ComputeApi,
    host: RemoteHost,
    handle: SystemHandle,
    hub: Arc<Hub>,
    exited: Arc<Latch<Option<String>>>,
) {
    let (exit_kind, gone_kind) = match api {
        ComputeApi::V1 => (
            NotificationType::SYSTEM_EXITED.0,
            NotificationType::SERVICE_DISCONNECT.0,
        ),
        ComputeApi::V2 => (
            EventType::SYSTEM_EXITED.0.cast_unsigned(),
            EventType::SERVICE_DISCONNECT.0.cast_unsigned(),
        ),
    };
    let notice = |kind, status, data| Notice {
        kind,
        status,
        data,
        operation: 0,
    };
    match host.next_event(handle).await {
        Ok(SystemEvent::Exited { status, exit }) => {
            let data = documents::system_exit(status, exit);
            exited.set(Some(data.clone()));
            hub.tell(notice(exit_kind, status, Some(data)));
        }
        Ok(SystemEvent::ServiceDisconnected) => {
            exited.set(None);
            hub.tell(notice(gone_kind, v2::SERVICE_DISCONNECT, None));
        }
        Err(error) => {
            exited.set(None);
            let gone = error
                .hresult()
                .is_some_and(|code| codes::same(code, v2::SERVICE_DISCONNECT));
            // Otherwise the handle was closed, and nobody listens.
            if gone {
                hub.tell(notice(gone_kind, v2::SERVICE_DISCONNECT, None));
            }
        }
    }
}

/// A handle to a process.
pub(crate) struct Process {
    api: ComputeApi,
    host: RemoteHost,
    opened: Arc<Latch<Outcome<Arc<OpenProcess>>>>,
    streams: Arc<Mutex<Option<Streams>>>,
    pub(crate) hub: Arc<Hub>,
    /// How it ended, once it has.
    pub(crate) exited: Arc<Latch<Option<ProcessStatus>>>,
}

/// A handle of the world to a process, closed when neither a program nor a pump has it any more.
#[derive(Debug)]
pub(crate) struct OpenProcess {
    session: &'static Session,
    host: RemoteHost,
    handle: ProcessHandle,
    id: u32,
}

impl OpenProcess {
    pub(crate) fn host(&self) -> &RemoteHost {
        &self.host
    }

    pub(crate) fn handle(&self) -> ProcessHandle {
        self.handle
    }
}

impl Drop for OpenProcess {
    fn drop(&mut self) {
        let (host, handle) = (self.host.clone(), self.handle);
        self.session.runner.spawn(async move {
            // It may be gone with its service.
            let _ = host.close_process(handle).await;
        });
    }
}

impl Process {
    /// A process whose handle is still to come.
    pub(crate) fn new(session: &Session, api: ComputeApi) -> Arc<Self> {
        Arc::new(Self {
            api,
            host: session.host(api),
            opened: Arc::default(),
            streams: Arc::default(),
            hub: Arc::default(),
            exited: Arc::default(),
        })
    }

    pub(crate) fn api(&self) -> ComputeApi {
        self.api
    }

    /// Creates it in a system. The future ends when it runs; it does not need this handle to be open till then.
    pub(crate) fn create(
        &self,
        session: &'static Session,
        system: &System,
        parameters: ProcessParameters,
    ) -> impl Future<Output = Outcome<()>> + Send + 'static + use<> {
        let (host, system) = (self.host.clone(), system.handle());
        let ours = self.parts();
        async move {
            let made = async {
                let system = system.await?;
                let handle = host.create_process(system, &parameters).await?;
                open_process(session, &host, handle).await
            };
            let made = made.await.and_then(|process| {
                let streams = Streams::open(session, &process, &parameters)
                    .map_err(|_| Failure::from(E_OUTOFMEMORY))?;
                *ours.1.lock().unwrap_or_else(PoisonError::into_inner) = Some(streams);
                Ok(process)
            });
            ours.come(session, made)
        }
    }

    /// Opens one by its id.
    pub(crate) fn open(
        session: &'static Session,
        api: ComputeApi,
        system: &System,
        id: u32,
    ) -> Outcome<Arc<Self>> {
        let process = Self::new(session, api);
        let (host, system) = (process.host.clone(), system.handle());
        let ours = process.parts();
        session.finish(async move {
            let made = async {
                let handle = host.open_process(system.await?, id).await?;
                open_process(session, &host, handle).await
            };
            ours.come(session, made.await)
        })?;
        Ok(process)
    }

    /// Changes it.
    pub(crate) fn change(
        &self,
        change: ProcessChange,
    ) -> impl Future<Output = Outcome<()>> + Send + 'static + use<> {
        self.call(move |host, handle| async move {
            match change {
                ProcessChange::Console(size) => host.resize_console(handle, size).await,
                ProcessChange::CloseInput => host.close_input(handle).await,
                ProcessChange::CloseOutput => Ok(()),
            }
        })
    }

    fn parts(&self) -> Parts {
        Parts(
            Arc::clone(&self.opened),
            Arc::clone(&self.streams),
            self.api,
            Arc::clone(&self.hub),
            Arc::clone(&self.exited),
        )
    }

    /// Its id and streams, which are handed out once.
    pub(crate) fn information(&self) -> Outcome<HCS_PROCESS_INFORMATION> {
        let process = self
            .opened
            .now()
            .ok_or(codes::spelled(v2::PROCESS_INFO_NOT_AVAILABLE, self.api))??;
        let streams = self
            .streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        Ok(streams.unwrap_or_default().hand_over(process.id))
    }

    /// Whether its streams are still to be handed out.
    pub(crate) fn has_streams(&self) -> bool {
        let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.is_some()
    }

    /// Calls the world with the handle.
    pub(crate) fn call<T, F, C>(
        &self,
        call: C,
    ) -> impl Future<Output = Outcome<T>> + Send + 'static + use<T, F, C>
    where
        C: FnOnce(RemoteHost, ProcessHandle) -> F + Send + 'static,
        F: Future<Output = Result<T, HostError>> + Send + 'static,
        T: 'static,
    {
        let (host, opened) = (self.host.clone(), Arc::clone(&self.opened));
        async move {
            let open = opened.come().await?;
            Ok(call(host, open.handle).await?)
        }
    }
}

/// What a process has of its own, apart from its handle.
struct Parts(
    Arc<Latch<Outcome<Arc<OpenProcess>>>>,
    Arc<Mutex<Option<Streams>>>,
    ComputeApi,
    Arc<Hub>,
    Arc<Latch<Option<ProcessStatus>>>,
);

impl Parts {
    /// It is there, or will never be. From now on it hears how it ends.
    fn come(self, session: &'static Session, made: Outcome<Arc<OpenProcess>>) -> Outcome<()> {
        let Self(opened, _, api, hub, exited) = self;
        if let Ok(process) = &made {
            let (host, handle) = (process.host.clone(), process.handle);
            session.runner.spawn(async move {
                let status = host.wait_process(handle).await.ok();
                exited.set(status.clone());
                if let Some(status) = status {
                    let kind = match api {
                        ComputeApi::V1 => NotificationType::PROCESS_EXITED.0,
                        ComputeApi::V2 => EventType::PROCESS_EXITED.0.cast_unsigned(),
                    };
                    hub.tell(Notice {
                        kind,
                        status: Hresult::S_OK,
                        data: Some(documents::process_status(&status)),
                        operation: 0,
                    });
                }
            });
        }
        let outcome = made.as_ref().map(|_| ()).map_err(Clone::clone);
        opened.set(made);
        outcome
    }
}

async fn open_process(
    session: &'static Session,
    host: &RemoteHost,
    handle: ProcessHandle,
) -> Outcome<Arc<OpenProcess>> {
    let mut process = OpenProcess {
        session,
        host: host.clone(),
        handle,
        id: 0,
    };
    process.id = host.process_status(handle).await?.process_id;
    Ok(Arc::new(process))
}
