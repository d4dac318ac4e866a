//! Compute systems as a whole: what one is created from, and how one is looked for.

// Written by `cargo xtask schema`, from `data/schema2.json` and `data/schema2.words`.

use wcow_ntmeta::Guid;

use crate::SchemaVersion;
use crate::schema2::*;
use crate::wire::{document, words};

document! {
    /// What a compute system is created from. Exactly one of the container, the virtual machine and the hosted system
    /// is there; [`ComputeSystem::kind`] tells which.
    ///
    /// Since schema 2.0.
    ComputeSystem = "ComputeSystem" {
        /// Who made it; enumerations can ask for one owner.
        owner: Option<String> = "Owner" @ 2.0,
        /// The schema this document follows. Sections that are newer are dropped without a word.
        schema_version: Option<SchemaVersion> = "SchemaVersion" @ 2.0,
        /// The id of the virtual machine that a hosted system runs in.
        hosting_system_id: Option<String> = "HostingSystemId" @ 2.0,
        /// A container inside of a virtual machine that runs already.
        hosted_system: Option<HostedSystem> = "HostedSystem" @ 2.0,
        /// A container on the host itself: process isolation.
        container: Option<Container> = "Container" @ 2.0,
        /// A virtual machine, for example the utility VM of Hyper-V isolation.
        virtual_machine: Option<VirtualMachine> = "VirtualMachine" @ 2.0,
        /// Whether the system ends when the last handle to it is closed.
        should_terminate_on_last_handle_closed: Option<bool> = "ShouldTerminateOnLastHandleClosed" @ 2.0,
    }

    /// A container inside of a utility VM, with a schema version of its own: that of the guest.
    ///
    /// Part of [`ComputeSystem`]. Since schema 2.0.
    HostedSystem = "HostedSystem" {
        /// The schema of what is in here, which the guest must know.
        schema_version: Option<SchemaVersion> = "SchemaVersion" @ 2.0,
        /// The container, with paths as the guest sees them.
        container: Option<Container> = "Container" @ 2.0,
    }

    /// Which compute systems an enumeration is about; a system must match every list that is not empty.
    ///
    /// Since schema 2.1.
    SystemQuery = "SystemQuery" {
        /// Ids to look for.
        ids: Vec<String> = "Ids" @ 2.1,
        /// Names to look for.
        names: Vec<String> = "Names" @ 2.1,
        /// Types to look for.
        types: Vec<SystemType> = "Types" @ 2.1,
        /// Owners to look for.
        owners: Vec<String> = "Owners" @ 2.1,
    }

    /// One compute system in an enumeration.
    ///
    /// Since schema 2.5.
    ComputeSystemProperties = "ComputeSystemProperties" {
        id: Option<String> = "Id" @ 2.5,
        name: Option<String> = "Name" @ 2.5,
        system_type: Option<SystemType> = "SystemType" @ 2.5,
        state: Option<State> = "State" @ 2.5,
        owner: Option<String> = "Owner" @ 2.5,
        runtime_id: Option<Guid> = "RuntimeId" @ 2.5,
        runtime_os_type: Option<OsType> = "RuntimeOsType" @ 2.5,
        hosting_system_id: Option<String> = "HostingSystemId" @ 2.5,
        /// True for a test double without a guest.
        is_dummy: Option<bool> = "IsDummy" @ 2.5,
        /// The folder of the object manager that the container's names live in.
        ob_root: Option<String> = "ObRoot" @ 2.5,
        runtime_template_id: Option<String> = "RuntimeTemplateId" @ 2.5,
    }

    /// What a virtual machine is started from instead of a cold boot.
    ///
    /// Part of [`VirtualMachine`]. Since schema 2.0.
    RestoreState = "RestoreState" {
        /// A saved state on the host.
        save_state_file_path: Option<String> = "SaveStateFilePath" @ 2.0,
        /// The id of a template to clone.
        template_system_id: Option<String> = "TemplateSystemId" @ 2.1,
    }
}

words! {
    /// What a compute system is.
    ///
    /// Part of [`ComputeSystemProperties`], [`Properties`], [`SystemQuery`]. Since schema 2.1.
    SystemType = "SystemType" {
        /// Some clients write it in lower case.
        Container = "Container" | "container" @ 2.1,
        VirtualMachine = "VirtualMachine" @ 2.1,
    }

    /// What runs in a compute system.
    ///
    /// Part of [`ComputeSystemProperties`], [`Properties`]. Since schema 2.1.
    OsType = "OsType" {
        Unknown = "Unknown" @ 2.1,
        Windows = "Windows" @ 2.1,
        Linux = "Linux" @ 2.1,
    }
}
