//! Create, start, stop, remove.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use wcow_hcs_schema::hns::HnsEndpoint;
use wcow_host::client::{Client, ClientError};
use wcow_host::codes::{self, v1, win32};
use wcow_host::era::{self, Verdict};
use wcow_host::{
    CreateDocument, FileSystem, Host, HostControl, HostError, HostInfo, NetworkService, Operation,
    SystemId,
};
use wcow_network::PortMapping;
use wcow_ntmeta::{Guid, HostPath};

use crate::document::{preview_document, schema1_document, unsupported};
use crate::process::{ExecSpec, Process};
use crate::rollback::{Rollback, Undo, UndoFailure, undo_all};
use crate::spec::Isolation;
use crate::{Attachment, ContainerSpec, RuntimeError};

/// A container that exists, or is about to, and everything needed to start or remove it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Created {
    /// What it was made from.
    pub spec: ContainerSpec,
    /// The folder of its scratch layer.
    pub scratch: HostPath,
    /// The steps that take it away again, in the order their counterparts were done.
    pub teardown: Vec<Undo>,
}

/// A container that was started, or is about to be, and everything needed to stop it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its connection to an HNS network, if it has one.
    pub endpoint: Option<Endpoint>,
    /// The steps that stop it, in the order their counterparts were done.
    pub teardown: Vec<Undo>,
}

/// A container's connection to an HNS network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its id.
    pub id: Guid,
    /// Its address; empty until the container was started.
    pub address: String,
    /// Its MAC address; empty until the container was started.
    pub mac: String,
}

/// What the host says of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContainerState {
    /// Not running, and can be started.
    Off,
    /// Running.
    Running,
    /// Frozen.
    Paused,
}

/// Creates, starts, stops and removes containers on one host.
#[derive(Debug)]
pub struct Runtime<'h, H: Host> {
    /// How compute systems and layers are driven.
    pub(crate) client: Client<'h, H>,
    /// What the host is, once it was asked.
    info: OnceLock<HostInfo>,
}

impl<'h, H: Host> Runtime<'h, H> {
    /// A runtime for `host`. It asks what the host is when creating or starting needs that, and once.
    #[must_use]
    pub fn new(host: &'h H) -> Self {
        Self {
            client: crate::client(host),
            info: OnceLock::new(),
        }
    }

    /// A runtime for `host` that has just said what it is.
    #[must_use]
    pub fn with_info(host: &'h H, info: HostInfo) -> Self {
        Self {
            client: crate::client(host),
            info: info.into(),
        }
    }

    /// Says what creating a container will make. Whoever keeps that before [`create`](Self::create) can
    /// [`remove`](Self::remove) what a creation left that was cut off: a step that was never done counts as taken back. Where
    /// something else has the container's folder already, the plan takes nothing back: creating it will be refused.
    ///
    /// # Errors
    /// [`RuntimeError::Host`]: the host's file system cannot be read.
    pub async fn plan_create(&self, spec: ContainerSpec) -> Result<Created, RuntimeError> {
        let build = self
            .build()
            .await
            .map_err(|error| host_error(&spec.id, "be created", error, Vec::new()))?;
        let scratch = era::scratch_folder(build, &spec.id.0);
        let taken = self
            .client
            .host()
            .files()
            .metadata(&scratch)
            .await
            .map_err(|error| host_error(&spec.id, "be created", error, Vec::new()))?
            .is_some();
        let mut teardown = Vec::new();
        if !taken {
            teardown.push(Undo::DestroyLayer(scratch.clone()));
            if era::containers_persist(build) {
                teardown.push(Undo::RemoveSystem(spec.id.clone()));
            }
        }
        Ok(Created {
            spec,
            scratch,
            teardown,
        })
    }

    /// Creates a container, off, as [planned](Self::plan_create).
    ///
    /// # Errors
    /// [`RuntimeError::Host`] with the host's answer; nothing is left behind, or the error says what is.
    pub async fn create(&self, planned: Created) -> Result<Created, RuntimeError> {
        let mut done = Rollback::new(self.client.host());
        match self.create_steps(&planned, &mut done).await {
            Ok(()) => Ok(Created {
                teardown: done.keep(),
                ..planned
            }),
            Err(step) => Err(self.fail(&planned.spec, "be created", step, done).await),
        }
    }

    /// Says what starting a container will make. Whoever keeps that before [`start`](Self::start) can [`kill`](Self::kill) what
    /// a start left that was cut off: a step that was never done counts as taken back.
    ///
    /// # Errors
    /// [`RuntimeError::Host`]: the host gives no id for the endpoint.
    pub async fn plan_start(&self, created: &Created) -> Result<Running, RuntimeError> {
        let spec = &created.spec;
        let scratch = &created.scratch;
        let mut teardown = match spec.isolation {
            Isolation::Process => vec![
                Undo::Deactivate(scratch.clone()),
                Undo::Unprepare(scratch.clone()),
            ],
            // The container's own virtual machine does that.
            Isolation::HyperV => Vec::new(),
        };
        let mut endpoint = None;
        if let Some(Attachment::Hns { .. }) = spec.attachment {
            let id = self
                .client
                .host()
                .control()
                .new_guid()
                .await
                .map_err(|error| host_error(&spec.id, "be started", error, Vec::new()))?;
            teardown.push(Undo::DeleteEndpoint(id));
            endpoint = Some(Endpoint {
                id,
                address: String::new(),
                mac: String::new(),
            });
        }
        teardown.push(self.ending(spec));
        Ok(Running { endpoint, teardown })
    }

    /// Starts a container as [planned](Self::plan_start); returns when it runs.
    ///
    /// # Errors
    /// [`RuntimeError::Host`] with the host's answer; the container is off again, or the error says what is left.
    pub async fn start(
        &self,
        created: &Created,
        planned: &Running,
    ) -> Result<Running, RuntimeError> {
        let mut done = Rollback::new(self.client.host());
        match self.start_steps(created, planned, &mut done).await {
            Ok(endpoint) => Ok(Running {
                endpoint,
                teardown: done.keep(),
            }),
            Err(step) => Err(self.fail(&created.spec, "be started", step, done).await),
        }
    }

    /// Runs a program in a running container.
    ///
    /// # Errors
    /// It does not run (0105, 010E), the program is not in it (0x2), and others: the host's answer.
    pub async fn exec(
        &self,
        id: &SystemId,
        spec: &ExecSpec,
    ) -> Result<Process<'h, H>, RuntimeError> {
        let started = match self.client.open(id).await {
            Ok(system) => Process::create(system, spec).await,
            Err(error) => Err(error),
        };
        started.map_err(|error| host_error(id, "run a program", error.into(), Vec::new()))
    }

    /// Asks a container to shut down, ends it after `grace` (100 ns ticks of the host's clock), and takes back what starting
    /// it made. One that is not running is no error, and one that cannot be asked is ended at once.
    ///
    /// # Errors
    /// The host's answer to the first step that failed, after all others were tried.
    pub async fn stop(
        &self,
        created: &Created,
        running: &Running,
        grace: u64,
    ) -> Result<(), RuntimeError> {
        let id = &created.spec.id;
        // Asking is a courtesy. Whatever the answer is, the steps below end the container, and theirs is the last word.
        let _ = self.shut_down(id, grace).await;
        self.take_back(id, "be stopped", &running.teardown).await
    }

    /// Ends a container at once and takes back what starting it made. One that is not running is no error.
    ///
    /// # Errors
    /// As for [`stop`](Self::stop).
    pub async fn kill(&self, created: &Created, running: &Running) -> Result<(), RuntimeError> {
        self.take_back(&created.spec.id, "be killed", &running.teardown)
            .await
    }

    /// Removes a container that is off, and its scratch layer with it.
    ///
    /// # Errors
    /// The host's answer to the first step that failed, after all others were tried.
    pub async fn remove(&self, created: &Created) -> Result<(), RuntimeError> {
        self.take_back(&created.spec.id, "be removed", &created.teardown)
            .await
    }

    /// What will keep a container from running on this host, in a sentence, if the rules of its generation say so: both sides of a
    /// mismatch, or what the image lacks. It is a prediction; the host has the last word.
    ///
    /// # Errors
    /// The host does not say what it is.
    pub async fn foresee(&self, spec: &ContainerSpec) -> Result<Option<String>, HostError> {
        let info = self.info().await?;
        Ok(match verdict(info, spec) {
            Verdict::Refused { .. } => Some(sentence(info, spec)),
            _ => None,
        })
    }

    /// What the host is.
    async fn info(&self) -> Result<&HostInfo, HostError> {
        if let Some(info) = self.info.get() {
            return Ok(info);
        }
        let info = self.client.host().control().info().await?;
        Ok(self.info.get_or_init(|| info))
    }

    async fn build(&self) -> Result<u32, HostError> {
        Ok(self.info().await?.build)
    }

    async fn create_steps(
        &self,
        planned: &Created,
        done: &mut Rollback<'_, H>,
    ) -> Result<(), Step> {
        let Created { spec, scratch, .. } = planned;
        let build = self.build().await?;
        if let Some(reason) = unsupported(build, spec) {
            return Err(Step::Unsupported(reason));
        }
        let scratch_made = self.client.create_scratch(scratch, &spec.layers);
        done.attempt(Undo::DestroyLayer(scratch.clone()), scratch_made)
            .await?;
        if era::containers_persist(build) {
            let document = CreateDocument::TechnicalPreview(preview_document(spec, scratch));
            let created = self.client.create(&spec.id, &document);
            let system = done
                .attempt(Undo::RemoveSystem(spec.id.clone()), created)
                .await?;
            system.close().await?;
        }
        Ok(())
    }

    async fn start_steps(
        &self,
        created: &Created,
        planned: &Running,
        done: &mut Rollback<'_, H>,
    ) -> Result<Option<Endpoint>, Step> {
        let spec = &created.spec;
        let scratch = &created.scratch;
        let client = &self.client;
        let build = self.build().await?;
        if spec.isolation == Isolation::Process {
            let activated = client.activate(scratch);
            done.attempt(Undo::Deactivate(scratch.clone()), activated)
                .await?;
            let prepared = client.prepare(scratch, &spec.layers);
            done.attempt(Undo::Unprepare(scratch.clone()), prepared)
                .await?;
        }

        if era::containers_persist(build) {
            let system = client.open(&spec.id).await?;
            let started = done
                .attempt(Undo::Terminate(spec.id.clone()), system.start())
                .await;
            let closed = system.close().await;
            started?;
            closed?;
            return Ok(None);
        }

        let volume = match spec.isolation {
            Isolation::Process => client.mount_path(scratch).await?,
            Isolation::HyperV => String::new(),
        };
        let endpoint = match &spec.attachment {
            Some(Attachment::Hns { network, ports }) => {
                Some(self.connect(spec, *network, ports, planned, done).await?)
            }
            Some(Attachment::Switch { .. }) | None => None,
        };
        let config = schema1_document(spec, scratch, volume, endpoint.as_ref());
        let system = self.create_system(spec, config, done).await?;
        let started = system.start().await;
        let closed = system.close().await;
        started?;
        closed?;
        Ok(endpoint)
    }

    async fn connect(
        &self,
        spec: &ContainerSpec,
        network: Guid,
        ports: &[PortMapping],
        planned: &Running,
        done: &mut Rollback<'_, H>,
    ) -> Result<Endpoint, Step> {
        let planned = planned.endpoint.as_ref().map(|endpoint| endpoint.id);
        let wanted = HnsEndpoint {
            id: planned.map(|id| id.to_string()).unwrap_or_default(),
            name: spec.name.clone(),
            virtual_network: network.to_string(),
            policies: ports.iter().map(PortMapping::nat_policy).collect(),
            ..HnsEndpoint::default()
        };
        let made = match self.client.host().network().create_endpoint(&wanted).await {
            Err(error) => {
                // The answer was lost; the endpoint may be there under the planned id.
                if let Some(id) = planned {
                    done.failed(&error, Undo::DeleteEndpoint(id));
                }
                return Err(error.into());
            }
            Ok(made) => made,
        };
        let id = made.id.parse::<Guid>().ok().or(planned).ok_or_else(|| {
            Step::Unsupported(format!(
                "the Host Network Service answered with an endpoint id that is no GUID: {:?}",
                made.id
            ))
        })?;
        done.push(Undo::DeleteEndpoint(id));
        Ok(Endpoint {
            id,
            address: made.ip_address,
            mac: made.mac_address,
        })
    }

    /// Shuts a system down, and ends it when the grace is over.
    async fn shut_down(&self, id: &SystemId, grace: u64) -> Result<(), ClientError> {
        let system = self.client.open(id).await?;
        let stopped = match system.shut_down(grace).await {
            Ok(false) => system.terminate().await,
            answer => answer.map(drop),
        };
        let closed = system.close().await;
        stopped.and(closed)
    }

    async fn take_back(
        &self,
        id: &SystemId,
        doing: &'static str,
        steps: &[Undo],
    ) -> Result<(), RuntimeError> {
        let failures = undo_all(self.client.host(), steps).await;
        match failures.first() {
            None => Ok(()),
            Some(first) => Err(host_error(id, doing, first.error.clone(), failures)),
        }
    }

    async fn fail(
        &self,
        spec: &ContainerSpec,
        doing: &'static str,
        step: Step,
        done: Rollback<'_, H>,
    ) -> RuntimeError {
        let left_behind = done.unwind().await;
        match step {
            Step::Unsupported(reason) => RuntimeError::Unsupported {
                container: spec.id.clone(),
                reason,
            },
            Step::Host(error) => RuntimeError::Host {
                container: spec.id.clone(),
                doing,
                mismatch: self.mismatch(spec, &error).await,
                error: Box::new(error),
                left_behind,
            },
        }
    }

    /// Both sides of a mismatch, when the rules of this generation expect the code that the host gave.
    async fn mismatch(&self, spec: &ContainerSpec, error: &HostError) -> Option<String> {
        let info = self.info().await.ok()?;
        let answer = error.hresult()?;
        let making = [Operation::CreateSystem, Operation::CopyFile];
        if spec.isolation == Isolation::HyperV && making.contains(&error.operation) {
            if codes::same(v1::HYPERV_NOT_INSTALLED, answer) {
                return Some("Hyper-V isolation needs Hyper-V, and the host has none".to_owned());
            }
            if answer == win32::FILE_NOT_FOUND {
                return Some(
                    "Hyper-V isolation needs an image with a utility virtual machine, and this one has none"
                        .to_owned(),
                );
            }
        }
        let Verdict::Refused { code, .. } = verdict(info, spec) else {
            return None;
        };
        if !codes::same(code, answer) {
            return None;
        }
        Some(sentence(info, spec))
    }
}

/// What the rules say of a container.
fn verdict(info: &HostInfo, spec: &ContainerSpec) -> Verdict {
    match spec.isolation {
        Isolation::Process => era::start_verdict(info, &spec.image),
        Isolation::HyperV => era::hyperv_verdict(info, &spec.image),
    }
}

/// Why the rules refuse a container.
fn sentence(info: &HostInfo, spec: &ContainerSpec) -> String {
    if spec.image.container_service {
        format!(
            "the host is {} build {}, the image is {} build {}",
            info.edition, info.build, spec.image.product_name, spec.image.build
        )
    } else {
        "the image has no container service (CExecSvc), so nothing in it answers the host"
            .to_owned()
    }
}

/// Why a step did not work.
pub(crate) enum Step {
    Host(HostError),
    Unsupported(String),
}

impl From<ClientError> for Step {
    fn from(error: ClientError) -> Self {
        Self::Host(error.into())
    }
}

impl From<HostError> for Step {
    fn from(error: HostError) -> Self {
        Self::Host(error)
    }
}

fn host_error(
    id: &SystemId,
    doing: &'static str,
    error: HostError,
    left_behind: Vec<UndoFailure>,
) -> RuntimeError {
    RuntimeError::Host {
        container: id.clone(),
        doing,
        mismatch: None,
        error: Box::new(error),
        left_behind,
    }
}
