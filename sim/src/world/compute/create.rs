//! Compute systems are created and, where they persist, removed.

use std::collections::{BTreeMap, BTreeSet};

use wcow_hcs_schema::schema1::{ContainerConfig, Layer};
use wcow_hcs_schema::tp3::Tp3ContainerConfig;
use wcow_host::codes::{v1, win32};
use wcow_host::era::{self, ImageFacts, Stage, Verdict};
use wcow_host::{ComputeApi, CreateDocument, SystemId};
use wcow_ntmeta::{FileTime, Guid, HostPath, Hresult, WideName};

use super::{Phase, Place, System, SystemKey, facts, memory, schema2};
use crate::call::{ClientId, Fault, Outcome};
use crate::world::guest::mapped::Mapped;
use crate::world::layers::{beside, is_directory};
use crate::world::{Outside, World};

/// The files of a container of Technical Preview 3, with their sizes.
const PREVIEW_FILES: [(&str, u64); 2] = [(".vmcx", 38_826), (".VMRS", 24_576)];
const PREVIEW_HIVES: [&str; 7] = [
    "DefaultUser_Delta",
    "Machine_Temp",
    "Sam_Delta",
    "Security_Delta",
    "Software_Delta",
    "System_Delta",
    "User_Temp",
];
const PREVIEW_HIVE: u64 = 8192;

impl World {
    pub(super) fn create_system(
        &mut self,
        client: ClientId,
        id: &SystemId,
        document: &CreateDocument,
        out: &mut Outside<'_>,
    ) -> Outcome {
        if era::containers_persist(self.profile.build) {
            self.refuse_before_reboot()?;
        }
        if self.compute.by_id.contains_key(id) {
            return Err(v1::SYSTEM_ALREADY_EXISTS.into());
        }
        let persist = era::containers_persist(self.profile.build);
        let system = match (document, persist) {
            (CreateDocument::TechnicalPreview(document), true) => {
                self.preview_system(id, document, out)?
            }
            // Version 2 of the surface knows no schema but 2, and version 1 knows both.
            (CreateDocument::Schema1(document), false) if self.api_of(client) == ComputeApi::V1 => {
                self.schema1_system(id, document, out)?
            }
            (CreateDocument::Schema2(document), false) => {
                let document = schema2::known(document, self.profile.build)?;
                match schema2::asked(id, &document)? {
                    schema2::Asked::Container(container) => {
                        self.schema1_system(id, &container, out)?
                    }
                    schema2::Asked::Machine(machine) => {
                        self.machine_system(id, &document, machine)?
                    }
                    schema2::Asked::Hosted(hosted) => self.hosted_system(id, &hosted, out)?,
                }
            }
            _ => return Err(v1::INVALID_JSON.into()),
        };
        self.compute.next_system += 1;
        let key = SystemKey(self.compute.next_system);
        self.compute.systems.insert(key, Box::new(system));
        self.compute.by_id.insert(id.clone(), key);
        let alive = self.is_alive(client);
        let handle = self.compute.add_handle(client, key, alive);
        if !alive {
            self.handle_closed(key);
        }
        Ok(handle.into())
    }

    fn preview_system(
        &mut self,
        id: &SystemId,
        document: &Tp3ContainerConfig,
        out: &mut Outside<'_>,
    ) -> Result<System, Fault> {
        let base = self.base_layer(&document.system_type, &document.layers, out)?;
        let folder =
            HostPath::parse(&document.layer_folder_path).map_err(|_| win32::PATH_NOT_FOUND)?;
        let scratch = self.layers.scratch(&folder).ok_or(win32::PATH_NOT_FOUND)?;
        let switches: Vec<String> = document
            .devices
            .iter()
            .map(|device| device.connection.network_name.clone())
            .collect();
        if switches
            .iter()
            .any(|name| self.switches.find(name).is_none())
        {
            return Err(win32::NOT_FOUND.into());
        }
        self.refuse_at_create(&base, Place::HOST, out)?;
        if let Err(code) = self.write_preview_files(&folder, out) {
            self.remove_preview_files(&folder, out)?;
            return Err(code.into());
        }
        Ok(System {
            name: document.name.clone(),
            switches,
            ..self.new_system(id, scratch, folder, base, "")
        })
    }

    /// Writes the files of a container that persists, beside its scratch layer.
    fn write_preview_files(
        &mut self,
        folder: &HostPath,
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        for (suffix, len) in PREVIEW_FILES {
            let file = beside(folder, suffix).ok_or(win32::PATH_NOT_FOUND)?;
            self.fs.write_sparse(&file, len, self.now, out)?;
        }
        let hives = folder.join("Hives");
        self.fs.create_dir_all(&hives, self.now, out)?;
        for name in PREVIEW_HIVES {
            self.fs
                .write_sparse(&hives.join(name), PREVIEW_HIVE, self.now, out)?;
        }
        Ok(())
    }

    fn remove_preview_files(
        &mut self,
        folder: &HostPath,
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        for (suffix, _) in PREVIEW_FILES {
            if let Some(file) = beside(folder, suffix)
                && self.fs.find(&file, out)?.is_some()
            {
                self.fs.remove_file(&file, self.now, out)?;
            }
        }
        if is_directory(&self.fs, folder, out)? {
            self.fs.remove_dir_all(folder, self.now, out)?;
        }
        Ok(())
    }

    fn schema1_system(
        &mut self,
        id: &SystemId,
        document: &ContainerConfig,
        out: &mut Outside<'_>,
    ) -> Result<System, Fault> {
        let hyperv = document.hv_partition;
        let place = if hyperv {
            Place::UTILITY_VM
        } else {
            Place::HOST
        };
        if hyperv && !self.has_hyper_v() {
            return Err(v1::HYPERV_NOT_INSTALLED.into());
        }
        let mib =
            u64::try_from(document.memory_maximum_in_mb).map_err(|_| win32::INVALID_PARAMETER)?;
        let base = self.base_layer(&document.system_type, &document.layers, out)?;
        let scratch = if hyperv {
            self.utility_vm(&document.layers, out)?;
            let folder =
                HostPath::parse(&document.layer_folder_path).map_err(|_| win32::PATH_NOT_FOUND)?;
            let scratch = self.layers.scratch(&folder).ok_or(win32::PATH_NOT_FOUND)?;
            if self.layers.is_attached(&scratch) {
                return Err(win32::SHARING_VIOLATION.into());
            }
            scratch
        } else {
            self.layers
                .mounted(&document.volume_path)
                .ok_or(win32::PATH_NOT_FOUND)?
        };
        if self.scratch_in_use(&scratch) {
            return Err(win32::SHARING_VIOLATION.into());
        }
        let folder = self.layers.folder(&scratch).ok_or(win32::PATH_NOT_FOUND)?;
        self.refuse_at_create(&base, place, out)?;
        let mut endpoints = Vec::with_capacity(document.endpoint_list.len());
        for endpoint in &document.endpoint_list {
            let endpoint: Guid = endpoint.parse().map_err(|_| win32::NOT_FOUND)?;
            if self.hns.endpoint(endpoint).is_none() {
                return Err(win32::NOT_FOUND.into());
            }
            endpoints.push(endpoint);
        }
        let mapped = self.mapped(document, &scratch, out)?;
        for &endpoint in &endpoints {
            if let Err(code) = self.hns.attach(endpoint, id) {
                self.hns.detach(id);
                return Err(code.into());
            }
        }
        if hyperv {
            let parents = document.layers.iter();
            let parents = parents.filter_map(|layer| HostPath::parse(&layer.path).ok());
            self.layers.enter_utility_vm(&scratch, parents.collect());
        }
        Ok(System {
            name: document.name.clone(),
            owner: document.owner.clone(),
            place: place.clone(),
            endpoints,
            mapped,
            processors: Some(document.processor_count).filter(|count| *count > 0),
            memory_limit: memory::limit(mib),
            dies_with_its_handles: document.terminate_on_last_handle_closed,
            ..self.new_system(id, scratch, folder, base, &document.host_name)
        })
    }

    /// The folders of the host that a container is to see. Each gets a place on the container's disk.
    pub(super) fn mapped(
        &mut self,
        document: &ContainerConfig,
        scratch: &WideName,
        out: &mut Outside<'_>,
    ) -> Result<Vec<Mapped>, Fault> {
        let mapped = Mapped::of(document)?;
        for folder in &mapped {
            if !is_directory(&self.fs, folder.host(), out)? {
                return Err(win32::PATH_NOT_FOUND.into());
            }
        }
        if !mapped.is_empty()
            && let Some(mut view) = self.layers.view(scratch, &mut self.fs, &[], self.now, out)
        {
            for folder in &mapped {
                match view.create_directory(folder.at()) {
                    Err(win32::ALREADY_EXISTS) | Ok(()) => {}
                    Err(code) => return Err(code.into()),
                }
            }
        }
        Ok(mapped)
    }

    pub(super) fn new_system(
        &self,
        id: &SystemId,
        scratch: WideName,
        folder: HostPath,
        base: HostPath,
        host_name: &str,
    ) -> System {
        let computer = if host_name.is_empty() {
            // As container engines do it: the first characters of the id.
            let plain = id.0.chars().filter(char::is_ascii_alphanumeric);
            plain.take(12).collect::<String>().to_ascii_uppercase()
        } else {
            host_name.to_uppercase()
        };
        System {
            id: id.clone(),
            name: String::new(),
            owner: String::new(),
            persists: era::containers_persist(self.profile.build),
            scratch,
            folder,
            base,
            switches: Vec::new(),
            endpoints: Vec::new(),
            dies_with_its_handles: false,
            place: Place::Host,
            computer,
            image_build: self.profile.build,
            processors: None,
            memory_limit: None,
            mapped: Vec::new(),
            phase: Phase::Off,
            run: 0,
            exit: None,
            started: FileTime::default(),
            spent: 0,
            peak: 0,
            frozen: BTreeSet::new(),
            processes: BTreeMap::new(),
            last_process: 0,
        }
    }

    /// The folder of the base layer, if all layers are there.
    fn base_layer(
        &mut self,
        system_type: &str,
        layers: &[Layer],
        out: &mut Outside<'_>,
    ) -> Result<HostPath, Hresult> {
        if system_type != "Container" || layers.is_empty() {
            return Err(v1::INVALID_JSON);
        }
        let mut base = None;
        for layer in layers {
            let path = HostPath::parse(&layer.path).map_err(|_| win32::PATH_NOT_FOUND)?;
            if !is_directory(&self.fs, &path.join("files"), out)? {
                return Err(win32::PATH_NOT_FOUND);
            }
            base = Some(path);
        }
        base.ok_or(v1::INVALID_JSON)
    }

    /// The folder with the utility virtual machine's files: that of the uppermost layer that has one.
    fn utility_vm(&self, layers: &[Layer], out: &mut Outside<'_>) -> Result<HostPath, Hresult> {
        for layer in layers {
            let path = HostPath::parse(&layer.path).map_err(|_| win32::PATH_NOT_FOUND)?;
            let vm = path.join("UtilityVM");
            if is_directory(&self.fs, &vm, out)? {
                return Ok(vm);
            }
        }
        Err(win32::FILE_NOT_FOUND)
    }

    /// What the rules of this generation say of a container of such an image.
    pub(super) fn verdict(&self, image: &ImageFacts, place: &Place) -> Verdict {
        match place {
            Place::Host => self.verdict_in(self.profile.build, image),
            Place::UtilityVm | Place::Machine(_) => era::hyperv_verdict(&self.host_info(), image),
            Place::In(machine) => {
                let machine = self.compute.systems.get(machine);
                let build = machine.map_or(0, |machine| machine.image_build);
                self.verdict_in(build, image)
            }
        }
    }

    fn refuse_at_create(
        &self,
        base: &HostPath,
        place: &Place,
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        let facts = facts::image_facts(&self.fs, base, out);
        match self.verdict(&facts, place) {
            Verdict::Refused {
                stage: Stage::Create,
                code,
                ..
            } => Err(code),
            _ => Ok(()),
        }
    }

    pub(super) fn remove_system(&mut self, id: &SystemId, out: &mut Outside<'_>) -> Outcome {
        if !era::containers_persist(self.profile.build) {
            return Err(win32::NOT_SUPPORTED.into());
        }
        let key = *self.compute.by_id.get(id).ok_or(v1::SYSTEM_NOT_FOUND)?;
        let system = self.compute.not_stopped(key)?;
        if system.phase != Phase::Off {
            return Err(v1::INVALID_STATE.into());
        }
        let folder = system.folder.clone();
        self.remove_preview_files(&folder, out)?;
        self.compute.by_id.remove(id);
        if let Some(system) = self.compute.systems.get_mut(&key) {
            system.phase = Phase::Stopped;
            system.switches.clear();
        }
        self.compute.forget(key);
        Ok(().into())
    }
}
