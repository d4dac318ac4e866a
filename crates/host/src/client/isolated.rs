//! Utility VMs, as a careful client makes them.

use super::{Client, ClientError, System};
use crate::utility_vm::UtilityVm;
use crate::{CreateDocument, FileSystem, Host, LayerStorage, Modification, Operation, SystemId};

impl<'h, H: Host> Client<'h, H> {
    /// Makes the own disk of a utility VM, anew if there is one, and lets the machine use its disks.
    ///
    /// # Errors
    /// The image has no utility VM that was made usable (0x2, 0x3); another answer of the host's, or none in time.
    pub async fn make_machine_disks(&self, machine: &UtilityVm) -> Result<(), ClientError> {
        let files = self.host().files();
        let disk = machine.own_disk();
        let folder = disk.parent().unwrap_or_else(|| disk.clone());
        files.create_dir_all(&folder).await?;
        if files.metadata(&disk).await?.is_some() {
            files.remove_file(&disk).await?;
        }
        files.copy_file(&machine.template(), &disk).await?;
        for disk in [disk, machine.scratch_disk()] {
            let call = self.host().layers().grant_vm_access(machine.id(), &disk);
            self.answered(Operation::GrantVmAccess, &disk, call).await?;
        }
        Ok(())
    }

    /// Creates a utility VM, off. Its disks are there already.
    ///
    /// # Errors
    /// The host's answer, or none in time.
    pub async fn create_machine(&self, machine: &UtilityVm) -> Result<System<'h, H>, ClientError> {
        let document = CreateDocument::Schema2(Box::new(machine.machine()));
        self.create(machine.id(), &document).await
    }

    /// Creates the container of a utility VM that runs and was [furnished](System::furnish).
    ///
    /// # Errors
    /// The host's answer, or none in time.
    pub async fn create_hosted(
        &self,
        container: &SystemId,
        machine: &UtilityVm,
    ) -> Result<System<'h, H>, ClientError> {
        let document = CreateDocument::Schema2(Box::new(machine.container()));
        self.create(container, &document).await
    }
}

impl<H: Host> System<'_, H> {
    /// Gives a utility VM that runs what its container needs: its disk, and its layers over that.
    ///
    /// # Errors
    /// The host's answer, or none in time.
    pub async fn furnish(&self, machine: &UtilityVm) -> Result<(), ClientError> {
        for change in machine.preparations() {
            self.modify(&Modification::Schema2(change)).await?;
        }
        Ok(())
    }
}
