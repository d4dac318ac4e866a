//! Hyper-V isolation where the client describes the virtual machine: through version 2 of the compute service.
//!
//! Version 1 takes schema 1, where Hyper-V isolation is one field. Version 2 takes schema 2, and there a container is hosted by a utility
//! VM that is a compute system of its own. This module is the only place that knows which of the two it is. Ending the machine ends the
//! container, frozen or not; so one step takes back both.

use wcow_hcs_schema::schema1::ContainerConfig;
use wcow_host::client::{ClientError, System};
use wcow_host::utility_vm::UtilityVm;
use wcow_host::{ComputeApi, ComputeService, CreateDocument, Host, SystemId, SystemState};

use crate::lifecycle::Step;
use crate::rollback::{Rollback, Undo};
use crate::{ContainerSpec, Isolation, Runtime};

impl<'h, H: Host> Runtime<'h, H> {
    /// The step that ends a container.
    pub(crate) fn ending(&self, spec: &ContainerSpec) -> Undo {
        Undo::Terminate(if self.has_machine(spec) {
            UtilityVm::id_of(&spec.id)
        } else {
            spec.id.clone()
        })
    }

    /// Creates a container's compute system, off: with its utility VM, which runs then, if it has one of its own.
    pub(crate) async fn create_system(
        &self,
        spec: &ContainerSpec,
        config: ContainerConfig,
        done: &mut Rollback<'_, H>,
    ) -> Result<System<'h, H>, Step> {
        let client = &self.client;
        if self.has_machine(spec) {
            let machine = UtilityVm::new(&spec.id, config).map_err(|error| {
                Step::Unsupported(format!("the folder of a layer is no path: {error}"))
            })?;
            self.start_machine(&machine, self.ending(spec), done)
                .await?;
            return Ok(client.create_hosted(&spec.id, &machine).await?);
        }
        let document = match client.host().compute().api() {
            ComputeApi::V1 => CreateDocument::Schema1(config),
            ComputeApi::V2 => CreateDocument::Schema2(Box::new(config.to_schema2())),
        };
        let created = client.create(&spec.id, &document);
        Ok(done.attempt(self.ending(spec), created).await?)
    }

    /// What is frozen when a container is: its utility VM, if it has one of its own.
    pub(crate) async fn open_frozen(&self, id: &SystemId) -> Result<System<'h, H>, ClientError> {
        match self.find_machine(id).await? {
            Some(machine) => Ok(machine),
            None => self.client.open(id).await,
        }
    }

    /// Whether the utility VM of a container that runs is frozen.
    pub(crate) async fn is_machine_frozen(&self, id: &SystemId) -> Result<bool, ClientError> {
        let Some(machine) = self.find_machine(id).await? else {
            return Ok(false);
        };
        let status = machine.status().await;
        machine.close().await?;
        let state = status?.state;
        Ok(matches!(
            state,
            SystemState::Paused | SystemState::SavedAsTemplate
        ))
    }

    fn has_machine(&self, spec: &ContainerSpec) -> bool {
        spec.isolation == Isolation::HyperV && self.client.host().compute().api() == ComputeApi::V2
    }

    async fn find_machine(&self, id: &SystemId) -> Result<Option<System<'h, H>>, ClientError> {
        match self.client.host().compute().api() {
            ComputeApi::V1 => Ok(None),
            ComputeApi::V2 => self.client.find(&UtilityVm::id_of(id)).await,
        }
    }

    async fn start_machine(
        &self,
        machine: &UtilityVm,
        ending: Undo,
        done: &mut Rollback<'_, H>,
    ) -> Result<(), Step> {
        self.client.make_machine_disks(machine).await?;
        let created = self.client.create_machine(machine);
        let system = done.attempt(ending, created).await?;
        let ready = match system.start().await {
            Ok(()) => system.furnish(machine).await,
            failed => failed,
        };
        let closed = system.close().await;
        ready?;
        Ok(closed?)
    }
}
