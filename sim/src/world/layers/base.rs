//! Base layers: made usable, and listed.

use serde::Deserialize;
use wcow_hive::Hive;
use wcow_host::codes::win32;
use wcow_host::{BaseImage, era};
use wcow_ntmeta::{FileTime, HostPath, Hresult};

use super::{BLANK_DIFFERENCE, BLANK_DISK, HIVES, is_directory, is_file};
use crate::fs::Fs;
use crate::world::{Outside, World};

/// The size of the disk that utility virtual machines boot from, before anything is in it, in bytes. Inferred.
const TEMPLATE_DISK: u64 = 67_108_864;
/// The boot configuration of a utility virtual machine, below its folder.
const BOOT_CONFIGURATION: &str = r"Files\EFI\Microsoft\Boot\BCD";
/// Hyper-V isolation, and with it utility virtual machines, from this build on.
const UTILITY_VM_FROM: u32 = 10586;
/// After this build there is no store of images that all users share.
const SHARED_IMAGES_UNTIL: u32 = 14393;
/// The longest file that is looked into, in bytes.
const LONGEST: u64 = 64 << 20;

impl World {
    pub(super) fn process_base(
        &mut self,
        layer: &HostPath,
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        let (now, persist) = (self.now, era::containers_persist(self.profile.build));
        let fs = &mut self.fs;
        let hives = layer.join("hives");
        let hives = HIVES.map(|name| {
            let [base, copy] = ["_Base", "_Copy"].map(|kind| hives.join(&[name, kind].concat()));
            (base, copy)
        });
        if !is_directory(fs, &layer.join("files"), out)? {
            return Err(win32::PATH_NOT_FOUND);
        }
        for (base, _) in &hives {
            if !is_file(fs, base, out)? {
                return Err(win32::PATH_NOT_FOUND);
            }
        }
        let disks = if persist {
            for (base, copy) in &hives {
                if fs.find(copy, out)?.is_none() {
                    fs.copy(base, copy, now, out)?;
                }
            }
            let root = era::image_root();
            fs.create_dir_all(&root, now, out)?;
            vec![(root.join("blank.vhdx"), BLANK_DISK)]
        } else {
            vec![
                (layer.join("blank-base.vhdx"), BLANK_DISK),
                (layer.join("blank.vhdx"), BLANK_DIFFERENCE),
                (layer.join("layout"), 0),
            ]
        };
        for (disk, len) in disks {
            if fs.find(&disk, out)?.is_none() {
                fs.write_sparse(&disk, len, now, out)?;
            }
        }
        Ok(())
    }

    pub(super) fn process_utility_vm(
        &mut self,
        utility_vm: &HostPath,
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        if self.profile.build < UTILITY_VM_FROM {
            return Err(win32::PROC_NOT_FOUND);
        }
        let layer = utility_vm.parent().ok_or(win32::PATH_NOT_FOUND)?;
        let configuration = utility_vm.join(BOOT_CONFIGURATION);
        let bytes = contents(&self.fs, &configuration, out)?.ok_or(win32::PATH_NOT_FOUND)?;
        if Hive::parse(&*bytes).is_err() {
            return Err(win32::REGISTRY_IO_FAILED);
        }
        let now = self.now;
        for (disk, len) in [
            ("SystemTemplateBase.vhdx", TEMPLATE_DISK),
            ("SystemTemplate.vhdx", BLANK_DIFFERENCE),
        ] {
            let disk = utility_vm.join(disk);
            if self.fs.find(&disk, out)?.is_none() {
                self.fs.write_sparse(&disk, len, now, out)?;
            }
        }
        // The boot configuration is changed; an export gives the original.
        let saved = layer.join("bcd.bak");
        if self.fs.find(&saved, out)?.is_none() {
            self.fs.copy(&configuration, &saved, now, out)?;
        }
        Ok(())
    }

    pub(super) fn base_images(&self, out: &mut Outside<'_>) -> Result<Vec<BaseImage>, Hresult> {
        if self.profile.build > SHARED_IMAGES_UNTIL {
            return Err(win32::PROC_NOT_FOUND);
        }
        let root = era::image_root();
        let Some(folder) = self.fs.find(&root, out)? else {
            return Ok(Vec::new());
        };
        // The service looks when it starts.
        let looked =
            era::containers_persist(self.profile.build).then_some(self.machine.management_since);
        let mut images = Vec::new();
        for (name, _) in self.fs.children(&folder, out)? {
            let mut path = root.clone();
            if path.push(name.units()).is_err() {
                continue;
            }
            images.extend(self.base_image(path, looked, out)?);
        }
        Ok(images)
    }

    /// The image in a folder, if there is one that was there at that time.
    fn base_image(
        &self,
        path: HostPath,
        looked: Option<FileTime>,
        out: &mut Outside<'_>,
    ) -> Result<Option<BaseImage>, Hresult> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Metadata {
            name: String,
            version: String,
            #[serde(default)]
            size: u64,
            #[serde(default)]
            created_time: String,
        }
        let metadata = path.join("metadata.json");
        let Some(spot) = self.fs.find(&metadata, out)? else {
            return Ok(None);
        };
        let written = self.fs.metadata(&spot).written;
        if looked.is_some_and(|looked| written > looked) {
            return Ok(None);
        }
        let Some(bytes) = contents(&self.fs, &metadata, out)? else {
            return Ok(None);
        };
        Ok(serde_json::from_slice::<Metadata>(&bytes)
            .ok()
            .map(|metadata| BaseImage {
                name: metadata.name,
                version: metadata.version,
                path,
                size: metadata.size,
                created: FileTime::parse_rfc3339(&metadata.created_time).ok(),
            }))
    }
}

/// The bytes of a file; `None` if there is none of this name.
pub(super) fn contents(
    fs: &Fs,
    path: &HostPath,
    out: &mut Outside<'_>,
) -> Result<Option<Vec<u8>>, Hresult> {
    match fs.find(path, out)? {
        Some(spot) if !fs.is_directory(&spot) => {
            let content = fs.read(path, LONGEST, out)?;
            bytes_of(content, out).map(Some)
        }
        _ => Ok(None),
    }
}

/// The bytes of a content.
pub(super) fn bytes_of(
    content: crate::call::ContentRef,
    out: &Outside<'_>,
) -> Result<Vec<u8>, Hresult> {
    match content.blob {
        None => {
            let len = usize::try_from(content.len).map_err(|_| win32::DISK_FULL)?;
            Ok(vec![0; len])
        }
        Some(blob) => match out.blobs.get(blob) {
            Ok(Some(bytes)) => Ok(bytes.to_vec()),
            Ok(None) | Err(_) => Err(win32::IO_DEVICE),
        },
    }
}
