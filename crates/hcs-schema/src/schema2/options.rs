//! Options of calls.

// Written by `cargo xtask schema`, from `data/schema2.json` and `data/schema2.words`.

use crate::wire::{document, words};

document! {
    /// How a compute system is paused.
    ///
    /// Since schema 2.0.
    PauseOptions = "PauseOptions" {
        suspension_level: Option<PauseSuspensionLevel> = "SuspensionLevel" @ 2.0,
        hosted_notification: Option<PauseNotification> = "HostedNotification" @ 2.1,
    }

    /// What the guest is told of a pause.
    ///
    /// Part of [`PauseOptions`]. Since schema 2.1.
    PauseNotification = "PauseNotification" {
        reason: Option<PauseReason> = "Reason" @ 2.1,
    }

    /// How the state of a virtual machine is saved.
    ///
    /// Since schema 2.1.
    SaveOptions = "SaveOptions" {
        save_type: Option<SaveType> = "SaveType" @ 2.1,
        save_state_file_path: Option<String> = "SaveStateFilePath" @ 2.1,
    }

    /// How a compute system is shut down.
    ///
    /// Since schema 2.5.
    ShutdownOptions = "ShutdownOptions" {
        mechanism: Option<ShutdownMechanism> = "Mechanism" @ 2.5,
        kind: Option<ShutdownType> = "Type" @ 2.5,
        force: Option<bool> = "Force" @ 2.5,
        reason: Option<String> = "Reason" @ 2.5,
    }

    /// How a guest is made to crash.
    ///
    /// Since schema 2.3.
    CrashOptions = "CrashOptions" {
        kind: Option<CrashType> = "Type" @ 2.3,
    }
}

words! {
    /// How much of a paused system stays in memory.
    ///
    /// Part of [`PauseOptions`]. Since schema 2.0.
    PauseSuspensionLevel = "PauseSuspensionLevel" {
        Suspend = "Suspend" @ 2.0,
        MemoryLow = "MemoryLow" @ 2.0,
        MemoryMedium = "MemoryMedium" @ 2.0,
        MemoryHigh = "MemoryHigh" @ 2.0,
    }

    /// Why a compute system is paused.
    ///
    /// Part of [`PauseNotification`]. Since schema 2.1.
    PauseReason = "PauseReason" {
        None = "None" @ 2.1,
        Save = "Save" @ 2.1,
        Template = "Template" @ 2.1,
    }

    /// What a saved state is for.
    ///
    /// Part of [`SaveOptions`]. Since schema 2.1.
    SaveType = "SaveType" {
        ToFile = "ToFile" @ 2.1,
        AsTemplate = "AsTemplate" @ 2.1,
    }

    /// Who tells the guest to shut down.
    ///
    /// Part of [`ShutdownOptions`]. Since schema 2.5.
    ShutdownMechanism = "ShutdownMechanism" {
        GuestConnection = "GuestConnection" @ 2.5,
        IntegrationService = "IntegrationService" @ 2.5,
    }

    /// What comes after the shutdown.
    ///
    /// Part of [`ShutdownOptions`]. Since schema 2.5.
    ShutdownType = "ShutdownType" {
        Shutdown = "Shutdown" @ 2.5,
        Hibernate = "Hibernate" @ 2.5,
        Reboot = "Reboot" @ 2.5,
    }

    /// What is made to crash.
    ///
    /// Part of [`CrashOptions`]. Since schema 2.3.
    CrashType = "CrashType" {
        CrashGuest = "CrashGuest" @ 2.3,
    }
}
