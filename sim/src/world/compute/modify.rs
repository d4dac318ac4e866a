//! Compute systems are changed: endpoints, mapped folders, limits.
//!
//! What a build answers to a request that fits no path is inferred: a document that is not valid (010D).

use wcow_hcs_schema::schema1::{
    ContainerConfig, MappedDirectory, ModifyRequestType, ResourceModificationRequest, ResourceType,
};
use wcow_hcs_schema::schema2::{ModifySettingRequest, ResourcePath};
use wcow_host::codes::{v1, win32};
use wcow_host::{ComputeApi, Modification, SystemHandle, era};
use wcow_ntmeta::Guid;

use super::{Phase, Place, SystemKey};
use crate::call::{ClientId, Outcome};
use crate::world::{Outside, World};

/// The first build that knows schema 2.
const SCHEMA2_FROM: u32 = 17763;

/// What is to become of something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    Add,
    Remove,
}

impl World {
    pub(super) fn modify_system(
        &mut self,
        client: ClientId,
        handle: SystemHandle,
        change: &Modification,
        out: &mut Outside<'_>,
    ) -> Outcome {
        let key = self.system_of(client, handle)?;
        match self.compute.reachable(key)?.phase {
            Phase::Off | Phase::Running => {}
            _ => return Err(v1::INVALID_STATE.into()),
        }
        let is_machine = self.compute.machine(key).is_some();
        if era::containers_persist(self.profile.build) {
            return Err(win32::NOT_SUPPORTED.into());
        }
        match change {
            Modification::Schema1(_) if self.api_of(client) == ComputeApi::V2 => {
                Err(v1::INVALID_JSON.into())
            }
            Modification::Schema1(_) if is_machine => Err(win32::NOT_SUPPORTED.into()),
            Modification::Schema1(change) => self.modify_by_type(key, change, out),
            Modification::Schema2(_) if self.profile.build < SCHEMA2_FROM => {
                Err(v1::INVALID_JSON.into())
            }
            Modification::Schema2(change) if is_machine => self.modify_machine(key, change, out),
            Modification::Schema2(change) => self.modify_by_path(key, change, out),
        }
    }

    fn modify_by_type(
        &mut self,
        key: SystemKey,
        change: &ResourceModificationRequest,
        out: &mut Outside<'_>,
    ) -> Outcome {
        let request = request(change.request_type.as_ref()).ok_or(v1::INVALID_JSON)?;
        let settings = change.settings.as_ref().ok_or(v1::INVALID_JSON)?;
        match &change.resource_type {
            Some(ResourceType::Network) => {
                let id = settings.as_str().ok_or(v1::INVALID_JSON)?;
                self.change_endpoint(key, id, request)
            }
            Some(ResourceType::MappedDirectory) => {
                let folder = serde_json::from_value(settings.clone());
                let folder = folder.map_err(|_| v1::INVALID_JSON)?;
                self.change_folder(key, folder, request, out)
            }
            Some(ResourceType::MappedVirtualDisk) => Err(win32::NOT_SUPPORTED.into()),
            _ => Err(v1::INVALID_JSON.into()),
        }
    }

    fn modify_by_path(
        &mut self,
        key: SystemKey,
        change: &ModifySettingRequest,
        out: &mut Outside<'_>,
    ) -> Outcome {
        let path = change.check().map_err(|_| v1::INVALID_JSON)?;
        let settings = change.settings.clone().unwrap_or_default();
        match path {
            ResourcePath::MappedDirectories => {
                let request = request(change.request_type.as_ref()).ok_or(v1::INVALID_JSON)?;
                let folder = serde_json::from_value(settings).map_err(|_| v1::INVALID_JSON)?;
                self.change_folder(key, folder, request, out)
            }
            ResourcePath::ContainerProcessor => {
                let count = settings.get("Count").and_then(serde_json::Value::as_u64);
                let count = count.and_then(|count| u32::try_from(count).ok());
                let host = self.profile.processors;
                self.compute.not_stopped(key)?.processors = count
                    .filter(|count| *count > 0)
                    .map(|count| count.min(host));
                Ok(().into())
            }
            ResourcePath::ContainerMemory => {
                self.change_memory(key, settings.as_u64().ok_or(v1::INVALID_JSON)?)
            }
            _ => Err(win32::NOT_SUPPORTED.into()),
        }
    }

    /// Programs that run already keep what they have; it counts against the new limit.
    fn change_memory(&mut self, key: SystemKey, mib: u64) -> Outcome {
        self.compute.not_stopped(key)?.memory_limit = super::memory::limit(mib);
        Ok(().into())
    }

    fn change_endpoint(&mut self, key: SystemKey, id: &str, request: Request) -> Outcome {
        let endpoint: Guid = id.parse().map_err(|_| win32::NOT_FOUND)?;
        let system = self.compute.not_stopped(key)?;
        let name = system.id.clone();
        match request {
            Request::Add => {
                self.hns.attach(endpoint, &name)?;
                let system = self.compute.not_stopped(key)?;
                if !system.endpoints.contains(&endpoint) {
                    system.endpoints.push(endpoint);
                }
            }
            Request::Remove => {
                if !self.hns.detach_from(endpoint, &name) {
                    return Err(win32::NOT_FOUND.into());
                }
                let system = self.compute.not_stopped(key)?;
                system.endpoints.retain(|known| *known != endpoint);
            }
        }
        Ok(().into())
    }

    fn change_folder(
        &mut self,
        key: SystemKey,
        folder: MappedDirectory,
        request: Request,
        out: &mut Outside<'_>,
    ) -> Outcome {
        let folders = match self.compute.not_stopped(key)?.place {
            Place::In(machine) => self.shared_folders(machine, &[folder])?,
            _ => vec![folder],
        };
        let document = ContainerConfig {
            mapped_directories: folders,
            ..ContainerConfig::default()
        };
        let scratch = self.compute.not_stopped(key)?.scratch.clone();
        let folders = match request {
            Request::Add => self.mapped(&document, &scratch, out)?,
            Request::Remove => super::Mapped::of(&document)?,
        };
        let mapped = &mut self.compute.not_stopped(key)?.mapped;
        for folder in folders {
            let same = |known: &super::Mapped| known.at().upcased() == folder.at().upcased();
            let place = mapped.iter().position(same);
            match (request, place) {
                (Request::Add, None) => mapped.push(folder),
                (Request::Add, Some(_)) => return Err(win32::ALREADY_EXISTS.into()),
                (Request::Remove, Some(place)) => {
                    mapped.remove(place);
                }
                (Request::Remove, None) => return Err(win32::NOT_FOUND.into()),
            }
        }
        Ok(().into())
    }
}

pub(super) fn request(request: Option<&ModifyRequestType>) -> Option<Request> {
    match request {
        Some(ModifyRequestType::Add) => Some(Request::Add),
        Some(ModifyRequestType::Remove) => Some(Request::Remove),
        _ => None,
    }
}
