//! A container in a certain state, made for one test and taken away after it.

use wcow_hcs_schema::schema1::{
    ContainerConfig, Layer, MappedDirectory, ModifyRequestType, ProcessParameters,
    ResourceModificationRequest, ResourceType,
};
use wcow_hcs_schema::schema2::{self, ComputeSystem};
use wcow_host::client::Client;
use wcow_host::utility_vm::UtilityVm;
use wcow_host::{
    Clock, ComputeApi, ComputeService, CreateDocument, Host, HostControl, HostError, LayerStorage,
    Modification, Output, ProcessHandle, SystemHandle, SystemId,
};
use wcow_ntmeta::HostPath;

use crate::{Arm, Image, State};

/// How a host differs from what was expected, in one sentence.
pub type Unlike = String;

/// What a test is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// A container on the host.
    Process,
    /// What Hyper-V isolation makes: through version 1 the container, through version 2 its virtual machine.
    HyperV,
    /// A virtual machine of its own, and a container in it.
    Machine,
}

/// A container of a test, or its virtual machine.
#[derive(Debug)]
pub struct Stage<'a, H: Host> {
    host: &'a H,
    image: Image,
    id: SystemId,
    container: SystemId,
    scratch: HostPath,
    isolation: Isolation,
    /// What the test is about, where that is a virtual machine that a document describes.
    machine: Option<UtilityVm>,
}

impl<'a, H: Host> Stage<'a, H> {
    /// Makes a scratch layer, and mounts it or makes the disks of a virtual machine, as the isolation needs it.
    ///
    /// # Errors
    /// The host refused a step that must work.
    pub(crate) async fn new<A: Arm<Host = H>>(
        arm: &'a A,
        image: Image,
        isolation: Isolation,
    ) -> Result<Self, Unlike> {
        let host = arm.host();
        let container = SystemId(arm.fresh_id());
        let scratch = image.scratch_root.join(&container.0);
        let layers = host.layers();
        must(
            "create_scratch",
            layers.create_scratch(&scratch, &image.layers).await,
        )?;
        let mut stage = Self {
            host,
            image,
            id: container.clone(),
            container,
            scratch,
            isolation,
            machine: None,
        };
        match (isolation, host.compute().api()) {
            (Isolation::Process, _) => {
                let layers = stage.image.layers.clone();
                must("activate", host.layers().activate(&stage.scratch).await)?;
                must(
                    "prepare",
                    host.layers().prepare(&stage.scratch, &layers).await,
                )?;
            }
            (Isolation::HyperV, ComputeApi::V1) => {}
            (Isolation::HyperV, ComputeApi::V2) | (Isolation::Machine, _) => {
                let machine = stage.machine().await?;
                if arm.reaches_files() {
                    let made = Client::new(host).make_machine_disks(&machine).await;
                    must("make_machine_disks", made.map_err(HostError::from))?;
                } else {
                    stage.layers_as_disks(&machine).await?;
                }
                stage.id = machine.id().clone();
                stage.machine = Some(machine);
            }
        }
        Ok(stage)
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &'a H {
        self.host
    }

    /// The id of the test's compute system.
    #[must_use]
    pub fn id(&self) -> &SystemId {
        &self.id
    }

    /// The document of the test's compute system.
    ///
    /// # Errors
    /// The host does not tell the volume of the mounted layer.
    pub async fn document(&self) -> Result<ContainerConfig, Unlike> {
        let layers = self.image.layers.iter();
        let volume_path = if self.isolation == Isolation::Process {
            must(
                "mount_path",
                self.host.layers().mount_path(&self.scratch).await,
            )?
        } else {
            String::new()
        };
        Ok(ContainerConfig {
            system_type: "Container".to_owned(),
            name: self.container.0.clone(),
            owner: "wcow-conformance".to_owned(),
            volume_path,
            layer_folder_path: self.scratch.to_string(),
            layers: layers
                .map(|layer| Layer {
                    id: layer.id.to_string(),
                    path: layer.path.to_string(),
                    ..Layer::default()
                })
                .collect(),
            hv_partition: self.isolation != Isolation::Process,
            ..ContainerConfig::default()
        })
    }

    /// Creates the test's compute system.
    ///
    /// # Errors
    /// The host's answer, in the inner result.
    pub async fn create(&self) -> Result<Result<SystemHandle, HostError>, Unlike> {
        if let Some(machine) = &self.machine {
            return Ok(self.create_machine(&machine.machine()).await);
        }
        let document = self.document().await?;
        Ok(self.create_from(&document).await)
    }

    /// The disks of a virtual machine without a call about a file.
    async fn layers_as_disks(&self, machine: &UtilityVm) -> Result<(), Unlike> {
        let layers = self.host.layers();
        let own = own_layer(machine);
        let made = layers.create_scratch(&own, &self.image.layers).await;
        must("create_scratch", made)?;
        for disk in [machine.own_disk(), machine.scratch_disk()] {
            let granted = layers.grant_vm_access(machine.id(), &disk).await;
            must("grant_vm_access", granted)?;
        }
        Ok(())
    }

    /// The disk of a scratch layer that is nobody's.
    ///
    /// # Errors
    /// The host refused a step that must work.
    pub(crate) async fn other_disk(&self) -> Result<HostPath, Unlike> {
        let other = self.other_layer();
        let layers = self.host.layers();
        let made = layers.create_scratch(&other, &self.image.layers).await;
        must("create_scratch", made)?;
        Ok(other.join("sandbox.vhdx"))
    }

    fn other_layer(&self) -> HostPath {
        self.image
            .scratch_root
            .join(&format!("{}-other", self.container))
    }

    /// The virtual machine of the test's container.
    ///
    /// # Errors
    /// The paths of the test are none.
    pub(crate) async fn machine(&self) -> Result<UtilityVm, Unlike> {
        let machine = UtilityVm::new(&self.container, self.document().await?);
        machine.map_err(|error| error.to_string())
    }

    /// Creates the test's virtual machine from a document.
    ///
    /// # Errors
    /// The host's answer.
    pub(crate) async fn create_machine(
        &self,
        document: &ComputeSystem,
    ) -> Result<SystemHandle, HostError> {
        let document = CreateDocument::Schema2(Box::new(document.clone()));
        self.host.compute().create(&self.id, &document).await
    }

    /// Creates the test's container in the test's virtual machine.
    ///
    /// # Errors
    /// The host's answer.
    pub(crate) async fn create_hosted(
        &self,
        document: &ComputeSystem,
    ) -> Result<SystemHandle, HostError> {
        let document = CreateDocument::Schema2(Box::new(document.clone()));
        self.host.compute().create(&self.container, &document).await
    }

    /// Starts what can be paused, and the container that programs are started in: the same, or a virtual machine and the container in
    /// it.
    ///
    /// # Errors
    /// A step that must work did not.
    pub(crate) async fn bring_both(&self) -> Result<(SystemHandle, SystemHandle), Unlike> {
        let system = self.bring(State::Running).await?;
        let Some(machine) = &self.machine else {
            return Ok((system, system));
        };
        self.furnish(system, machine).await?;
        let hosted = self.create_hosted(&machine.container()).await;
        let container = must("create", hosted)?;
        must("start", self.host.compute().start(container).await)?;
        Ok((system, container))
    }

    /// Gives a virtual machine that runs the disk and the layers of its container.
    ///
    /// # Errors
    /// A step that must work did not.
    pub(crate) async fn furnish(
        &self,
        system: SystemHandle,
        machine: &UtilityVm,
    ) -> Result<(), Unlike> {
        for change in machine.preparations() {
            let change = Modification::Schema2(change);
            must("modify", self.host.compute().modify(system, &change).await)?;
        }
        Ok(())
    }

    /// The id of the test's container.
    pub(crate) fn container(&self) -> &SystemId {
        &self.container
    }

    /// Creates the test's compute system from a document for process isolation or, through version 1, for either, in the schema that the
    /// surface takes.
    ///
    /// # Errors
    /// The host's answer.
    pub async fn create_from(&self, document: &ContainerConfig) -> Result<SystemHandle, HostError> {
        let compute = self.host.compute();
        let document = match compute.api() {
            ComputeApi::V1 => CreateDocument::Schema1(document.clone()),
            ComputeApi::V2 => CreateDocument::Schema2(Box::new(document.to_schema2())),
        };
        compute.create(&self.id, &document).await
    }

    /// A change to the compute system, in the schema that the surface takes: it gets to see the folder of the scratch layers.
    #[must_use]
    pub fn mapping(&self) -> Modification {
        let folder = MappedDirectory {
            host_path: Some(self.image.scratch_root.to_string()),
            container_path: Some(r"C:\mapped".to_owned()),
            read_only: Some(true),
            ..MappedDirectory::default()
        };
        if self.machine.is_some() {
            let share = schema2::VirtualSmbShare {
                name: Some("mapped".to_owned()),
                path: folder.host_path,
                ..schema2::VirtualSmbShare::default()
            };
            let path = schema2::ResourcePath::VirtualSmbShares;
            let request = schema2::ModifySettingRequest::new(&path, ModifyRequestType::Add);
            return Modification::Schema2(request.with_settings(share.to_value()));
        }
        match self.host.compute().api() {
            ComputeApi::V1 => Modification::Schema1(ResourceModificationRequest {
                resource_type: Some(ResourceType::MappedDirectory),
                request_type: Some(ModifyRequestType::Add),
                settings: Some(folder.to_value()),
                ..ResourceModificationRequest::default()
            }),
            ComputeApi::V2 => {
                let folder = schema2::MappedDirectory {
                    host_path: folder.host_path,
                    container_path: folder.container_path,
                    read_only: folder.read_only,
                    ..schema2::MappedDirectory::default()
                };
                let path = schema2::ResourcePath::MappedDirectories;
                let request = schema2::ModifySettingRequest::new(&path, ModifyRequestType::Add);
                Modification::Schema2(request.with_settings(folder.to_value()))
            }
        }
    }

    /// Brings the compute system into a state; gives the handle to it. Where there is to be none, a handle that leads nowhere.
    ///
    /// # Errors
    /// A step that must work did not.
    pub async fn bring(&self, state: State) -> Result<SystemHandle, Unlike> {
        let compute = self.host.compute();
        if state == State::Absent {
            return Ok(SystemHandle(u64::MAX));
        }
        let system = must("create", self.create().await?)?;
        if state == State::Created {
            return Ok(system);
        }
        must("start", compute.start(system).await)?;
        match state {
            State::Absent | State::Created | State::Running => {}
            State::Paused => must("pause", compute.pause(system).await)?,
            State::Stopped => must("terminate", compute.terminate(system).await)?,
            State::Closed => must("close", compute.close(system).await)?,
        }
        Ok(system)
    }

    /// Starts a program whose output is read.
    ///
    /// # Errors
    /// The host refuses.
    pub async fn spawn(&self, system: SystemHandle, line: &str) -> Result<ProcessHandle, Unlike> {
        let parameters = parameters(line);
        must(
            line,
            self.host
                .compute()
                .create_process(system, &parameters)
                .await,
        )
    }

    /// Runs a program to its end; gives what it wrote and its exit code.
    ///
    /// # Errors
    /// The host refuses a step of it.
    pub async fn exec(&self, system: SystemHandle, line: &str) -> Result<(String, u32), Unlike> {
        self.exec_with(system, &parameters(line)).await
    }

    /// The same with parameters of the caller's.
    ///
    /// # Errors
    /// The host refuses a step of it.
    pub async fn exec_with(
        &self,
        system: SystemHandle,
        parameters: &ProcessParameters,
    ) -> Result<(String, u32), Unlike> {
        let compute = self.host.compute();
        let line = &parameters.command_line;
        let process = must(line, compute.create_process(system, parameters).await)?;
        let mut out = Vec::new();
        loop {
            let bytes = must(line, compute.read_output(process, Output::Out, 4096).await)?;
            if bytes.is_empty() {
                break;
            }
            out.extend(bytes);
        }
        let status = must(line, compute.wait_process(process).await)?;
        must("close_process", compute.close_process(process).await)?;
        Ok((String::from_utf8_lossy(&out).into_owned(), status.exit_code))
    }

    /// Takes the compute system and the scratch layer away. What is gone already is no matter.
    pub async fn clear(self) {
        let compute = self.host.compute();
        for id in [&self.container, &self.id] {
            if let Ok(system) = compute.open(id).await {
                let _ = compute.terminate(system).await;
                let _ = compute.close(system).await;
            }
        }
        let layers = self.host.layers();
        if let Some(machine) = &self.machine {
            let _ = layers.destroy(&own_layer(machine)).await;
            let _ = layers.destroy(&self.other_layer()).await;
        }
        let _ = layers.unprepare(&self.scratch).await;
        let _ = layers.deactivate(&self.scratch).await;
        let _ = layers.destroy(&self.scratch).await;
    }
}

/// The folder of the own disk of a virtual machine.
fn own_layer(machine: &UtilityVm) -> HostPath {
    let disk = machine.own_disk();
    disk.parent().unwrap_or(disk)
}

/// The build of a host.
///
/// # Errors
/// It does not tell.
pub(crate) async fn build(host: &impl Host) -> Result<u32, Unlike> {
    Ok(must("info", host.control().info().await)?.build)
}

/// Parameters of a program whose output is read.
pub(crate) fn parameters(line: &str) -> ProcessParameters {
    ProcessParameters {
        command_line: line.to_owned(),
        create_std_out_pipe: true,
        create_std_err_pipe: true,
        ..ProcessParameters::default()
    }
}

/// What a step that must work gave.
///
/// # Errors
/// It did not.
pub(crate) fn must<T>(step: &str, result: Result<T, HostError>) -> Result<T, Unlike> {
    result.map_err(|error| format!("{step} must work here, and the host answered: {error}"))
}

/// That something holds.
///
/// # Errors
/// It does not; `what` says what was expected and found.
pub(crate) fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), Unlike> {
    if holds { Ok(()) } else { Err(what()) }
}

/// Waits some milliseconds of the host's time.
pub(crate) async fn pause(host: &impl Host, milliseconds: u64) {
    const TICKS_PER_MILLISECOND: u64 = 10_000;
    let now = host.clock().now().ticks();
    let then = now.saturating_add(milliseconds.saturating_mul(TICKS_PER_MILLISECOND));
    let then = wcow_ntmeta::FileTime::from_ticks(then);
    host.clock().sleep_until(then).await;
}
