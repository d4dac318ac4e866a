//! Integration services of virtual machines: heartbeat, shutdown, time, key and value pairs.

// Written by `cargo xtask schema`, from `data/schema2.json` and `data/schema2.words`.

use std::collections::BTreeMap;

use crate::Bytes;
use crate::schema2::*;
use crate::wire::{document, words};

document! {
    /// The integration services of a virtual machine.
    ///
    /// Part of [`VirtualMachine`]. Since schema 2.5.
    Services = "Services" {
        heartbeat: Option<Heartbeat> = "Heartbeat" @ 2.5,
        shutdown: Option<Shutdown> = "Shutdown" @ 2.5,
        timesync: Option<Timesync> = "Timesync" @ 2.5,
        kvp_exchange: Option<KvpExchange> = "KvpExchange" @ 2.5,
    }

    /// The heartbeat service; its presence is all it says.
    ///
    /// Part of [`Services`]. Since schema 2.5.
    Heartbeat = "Heartbeat" {
    }

    /// The shutdown service; its presence is all it says.
    ///
    /// Part of [`Services`]. Since schema 2.5.
    Shutdown = "Shutdown" {
    }

    /// The time service; its presence is all it says.
    ///
    /// Part of [`Services`]. Since schema 2.5.
    Timesync = "Timesync" {
    }

    /// The service for pairs of key and value between host and guest.
    ///
    /// Part of [`Services`]. Since schema 2.5.
    KvpExchange = "KvpExchange" {
        enable_host_os_info_kvp_items: Option<StateOverride> = "EnableHostOSInfoKvpItems" @ 2.5,
        entries_to_be_added: BTreeMap<String, String> = "EntriesToBeAdded" @ 2.5,
        entries_to_be_removed: Vec<String> = "EntriesToBeRemoved" @ 2.5,
    }

    /// Asks for pairs of key and value.
    ///
    /// Since schema 2.5.
    KvpQuery = "KvpQuery" {
        source: Option<KvpSource> = "Source" @ 2.5,
        keys: Vec<String> = "Keys" @ 2.5,
    }

    /// How an integration service does.
    ///
    /// Since schema 2.5.
    IntegrationComponentStatus = "IntegrationComponentStatus" {
        is_enabled: Option<bool> = "IsEnabled" @ 2.5,
        state: Option<IntegrationComponentOperationalState> = "State" @ 2.5,
        reason: Option<IntegrationComponentOperatingStateReason> = "Reason" @ 2.5,
    }

    /// A point in time or a rule for one, field by field.
    ///
    /// Part of [`TimeZoneInformation`]. Since schema 2.1.
    SystemTime = "SystemTime" {
        year: Option<u16> = "Year" @ 2.1,
        month: Option<u16> = "Month" @ 2.1,
        day_of_week: Option<u16> = "DayOfWeek" @ 2.1,
        day: Option<u16> = "Day" @ 2.1,
        hour: Option<u16> = "Hour" @ 2.1,
        minute: Option<u16> = "Minute" @ 2.1,
        second: Option<u16> = "Second" @ 2.1,
        milliseconds: Option<u16> = "Milliseconds" @ 2.1,
    }

    /// The time zone of a guest.
    ///
    /// Since schema 2.1.
    TimeZoneInformation = "TimeZoneInformation" {
        /// Minutes that UTC is ahead of local time.
        bias: Option<i32> = "Bias" @ 2.1,
        standard_name: Option<String> = "StandardName" @ 2.1,
        standard_date: Option<SystemTime> = "StandardDate" @ 2.1,
        standard_bias: Option<i32> = "StandardBias" @ 2.1,
        daylight_name: Option<String> = "DaylightName" @ 2.1,
        daylight_date: Option<SystemTime> = "DaylightDate" @ 2.1,
        daylight_bias: Option<i32> = "DaylightBias" @ 2.1,
    }

    /// Asks for a picture of a virtual machine's screen.
    ///
    /// Since schema 2.5.
    ConsoleImageQuery = "ConsoleImageQuery" {
        width: Option<u16> = "Width" @ 2.5,
        height: Option<u16> = "Height" @ 2.5,
        flags: Option<u32> = "Flags" @ 2.5,
    }

    /// A picture of a virtual machine's screen.
    ///
    /// Since schema 2.5.
    ConsoleImage = "ConsoleImage" {
        image: Option<Bytes> = "Image" @ 2.5,
    }
}

words! {
    /// Whose pairs of key and value are meant.
    ///
    /// Part of [`KvpQuery`]. Since schema 2.5.
    KvpSource = "KvpSource" {
        KvpSetByHost = "KvpSetByHost" @ 2.5,
        KvpSetByGuest = "KvpSetByGuest" @ 2.5,
        GuestOSInfo = "GuestOSInfo" @ 2.5,
    }

    /// The state of an integration service.
    ///
    /// Part of [`IntegrationComponentStatus`]. Since schema 2.5.
    IntegrationComponentOperationalState = "IntegrationComponentOperationalState" {
        Unknown = "Unknown" @ 2.5,
        Degraded = "Degraded" @ 2.5,
        Dormant = "Dormant" @ 2.5,
        Error = "Error" @ 2.5,
        LostCommunication = "LostCommunication" @ 2.5,
        NonRecoverableError = "NonRecoverableError" @ 2.5,
        NoContact = "NoContact" @ 2.5,
        Ok = "Ok" @ 2.5,
    }

    /// Why an integration service is in its state.
    ///
    /// Part of [`IntegrationComponentStatus`]. Since schema 2.5.
    IntegrationComponentOperatingStateReason = "IntegrationComponentOperatingStateReason" {
        Unknown = "Unknown" @ 2.5,
        AppsInCriticalState = "AppsInCriticalState" @ 2.5,
        CommunicationTimedOut = "CommunicationTimedOut" @ 2.5,
        FailedCommunication = "FailedCommunication" @ 2.5,
        HealthyApps = "HealthyApps" @ 2.5,
        ProtocolMismatch = "ProtocolMismatch" @ 2.5,
    }
}
