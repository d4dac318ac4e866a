//! Diagnosis, as a client sees it.

use std::future::Future;

use ipnet::Ipv4Net;
use wcow_host::{
    Diagnostics, EventRecord, FilterDriver, Hardware, HostError, HostProcess, Interface, Listener,
    PortRange, RegistryValue, Route, ServiceSetup, Volume,
};
use wcow_ntmeta::{FileTime, HostPath};

use super::Face;
use crate::call::DiagnosticsCall;

impl Diagnostics for Face {
    fn volumes(&self) -> impl Future<Output = Result<Vec<Volume>, HostError>> + Send {
        self.call(DiagnosticsCall::Volumes)
    }

    fn filter_drivers(&self) -> impl Future<Output = Result<Vec<FilterDriver>, HostError>> + Send {
        self.call(DiagnosticsCall::FilterDrivers)
    }

    fn registry_values(
        &self,
        keys: &[&str],
    ) -> impl Future<Output = Result<Vec<RegistryValue>, HostError>> + Send {
        self.call(DiagnosticsCall::RegistryValues(owned(keys)))
    }

    fn service_setups(
        &self,
        names: &[&str],
    ) -> impl Future<Output = Result<Vec<ServiceSetup>, HostError>> + Send {
        self.call(DiagnosticsCall::ServiceSetups(owned(names)))
    }

    fn port_ranges(&self) -> impl Future<Output = Result<Vec<PortRange>, HostError>> + Send {
        self.call(DiagnosticsCall::PortRanges)
    }

    fn listeners(&self) -> impl Future<Output = Result<Vec<Listener>, HostError>> + Send {
        self.call(DiagnosticsCall::Listeners)
    }

    fn routes(&self) -> impl Future<Output = Result<Vec<Route>, HostError>> + Send {
        self.call(DiagnosticsCall::Routes)
    }

    fn interfaces(&self) -> impl Future<Output = Result<Vec<Interface>, HostError>> + Send {
        self.call(DiagnosticsCall::Interfaces)
    }

    fn translated_prefixes(&self) -> impl Future<Output = Result<Vec<Ipv4Net>, HostError>> + Send {
        self.call(DiagnosticsCall::TranslatedPrefixes)
    }

    fn hardware(&self) -> impl Future<Output = Result<Hardware, HostError>> + Send {
        self.call(DiagnosticsCall::Hardware)
    }

    fn events(
        &self,
        channels: &[&str],
        since: FileTime,
        max: usize,
    ) -> impl Future<Output = Result<Vec<EventRecord>, HostError>> + Send {
        self.call(DiagnosticsCall::Events {
            channels: owned(channels),
            since,
            max: u64::try_from(max).unwrap_or(u64::MAX),
        })
    }

    fn processes(&self) -> impl Future<Output = Result<Vec<HostProcess>, HostError>> + Send {
        self.call(DiagnosticsCall::Processes)
    }

    fn attached_scratches(&self) -> impl Future<Output = Result<Vec<HostPath>, HostError>> + Send {
        self.call(DiagnosticsCall::AttachedScratches)
    }

    fn program_on_path(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<Option<HostPath>, HostError>> + Send {
        self.call(DiagnosticsCall::ProgramOnPath(name.to_owned()))
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}
