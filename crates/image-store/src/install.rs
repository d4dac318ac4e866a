//! From a tree to an image, by one rename.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use wcow_hive::{Hive, HiveError, Limits, verify};
use wcow_host::{
    Clock, FileBytes, FileKind, FileSystem, Host, HostControl, LayerStorage, WriteMode,
};
use wcow_ntmeta::{FileTime, HostPath};
use wcow_tree::TreeSource;

use crate::layout::{self, BASE_HIVES};
use crate::metadata::{FORMAT, HiveRecord, Metadata, OurPart, Reading, TreeRecord, version_file};
use crate::sink::Account;
use crate::store::doing;
use crate::{ImageStore, InstallError, InstallRequest, StoreError, StoredImage, precautions};

/// The longest hive that is read, in bytes. `Software_Base` of a Server Core is a fifth of it.
pub(crate) const MAX_HIVE: u64 = 256 << 20;

/// The longest name of an image, in UTF-16 units: its folder's name holds a version too, and at most 255.
const MAX_NAME: usize = 180;

const COPYING: &str = "write the image's files to the store";
const PUBLISHING: &str = "put the finished image in its place";

/// What is known of an image once it is made.
struct Filled {
    created: FileTime,
    container_service: bool,
}

impl<H: Host> ImageStore<'_, H> {
    /// Installs an image: its tree comes from `source`, with `Windows` and its siblings directly below the root.
    ///
    /// The image appears at once and whole, or not at all. A dropped future leaves residue that the next
    /// [`open`](Self::open) clears.
    ///
    /// # Errors
    /// The request cannot be (name, EditionID, exists already); the tree is damaged, or lacks one of the five hives; the host
    /// refuses (disk full; no container package, so it cannot make a layer of it). The store is as it was before.
    pub async fn install(
        &self,
        request: &InstallRequest,
        source: &mut dyn TreeSource,
    ) -> Result<StoredImage, InstallError> {
        self.writable()?;
        check_request(request)?;
        let full_name = request.full_name();
        let target = self.root.join(&full_name);
        let exists = self
            .host
            .files()
            .metadata(&target)
            .await
            .map_err(doing("look at the image store"))?
            .is_some();
        if exists {
            return Err(InstallError::AlreadyExists { full_name });
        }
        let staging = self.new_staging().await?;
        let installed = match self.fill(request, source, &staging, &target).await {
            Ok(filled) => self
                .publish(&staging, &target, &full_name)
                .await
                .map(|()| filled),
            Err(error) => Err(error),
        };
        if installed.is_err() && !self.host.ignores(precautions::ROLLBACK_INSTALL) {
            // The first error is the one to tell; what stays behind is cleared by the next open.
            let _ = self.delete(&staging).await;
        }
        Ok(stored(request, full_name, target, installed?))
    }

    /// A folder for this install alone.
    async fn new_staging(&self) -> Result<HostPath, StoreError> {
        let preparing = "prepare a folder for the install";
        let control = self.host.control();
        let boot = control.info().await.map_err(doing(preparing))?.boot_id;
        let guid = control.new_guid().await.map_err(doing(preparing))?;
        let staging = layout::STAGING.join(&format!("{boot}-{guid}"));
        self.host
            .files()
            .create_dir_all(&staging)
            .await
            .map_err(doing(preparing))?;
        Ok(staging)
    }

    /// Makes the whole image in `staging`, and makes it durable there.
    async fn fill(
        &self,
        request: &InstallRequest,
        source: &mut dyn TreeSource,
        staging: &HostPath,
        target: &HostPath,
    ) -> Result<Filled, InstallError> {
        let files = self.host.files();
        let bulk = staging.join(layout::FILES);
        let hives = staging.join(layout::HIVES);
        let tree = self.receive(source, &bulk).await?;
        let has_vm = self.move_utility_vm(staging, &bulk).await?;
        let records = self.copy_hives(staging, &hives).await?;
        let container_service = self
            .is_there(&staging.join(layout::CONTAINER_SERVICE), FileKind::File)
            .await?;
        let created = self.host.clock().now();
        let metadata = Metadata {
            created_time: created.to_string(),
            size: request.size,
            path: target.to_string(),
            name: request.name.clone(),
            version: request.version,
            wcow: Some(OurPart {
                format: FORMAT,
                product_name: request.product_name.clone(),
                description: request.description.clone(),
                hives: records,
                tree,
                container_service,
            }),
        };
        let describing = "describe the image";
        let version = version_file(request.version.build, &request.product_name);
        files
            .write(
                &staging.join(layout::VERSION_FILE),
                &version,
                WriteMode::CreateNew,
            )
            .await
            .map_err(doing(describing))?;
        let bytes = metadata.to_bytes();
        files
            .write(
                &staging.join(layout::METADATA),
                &bytes,
                WriteMode::CreateNew,
            )
            .await
            .map_err(doing(describing))?;
        self.keep_written(bytes, Reading::of(metadata, created));
        self.host
            .layers()
            .process_base(staging)
            .await
            .map_err(doing("make a base layer of the image"))?;
        if has_vm {
            self.process_utility_vm(staging).await?;
        }
        self.sync(staging, &hives, has_vm.then_some(&bulk)).await?;
        Ok(Filled {
            created,
            container_service,
        })
    }

    /// Takes the tree in, as the folder `bulk`.
    async fn receive(
        &self,
        source: &mut dyn TreeSource,
        bulk: &HostPath,
    ) -> Result<TreeRecord, InstallError> {
        let files = self.host.files();
        let mut tree = files.create_tree(bulk).await.map_err(doing(COPYING))?;
        let mut account = Account::new(&mut tree);
        let sent = source.send(&mut account);
        let settled = account.settle();
        sent.map_err(InstallError::Transfer)?;
        settled?;
        Ok(files
            .finish_tree(tree, precautions::SYNC_TREE)
            .await
            .map_err(doing(COPYING))?
            .into())
    }

    /// A folder `UtilityVM` that came with the tree is put beside it: in a container nobody sees it, and the host finds it. Whether
    /// there is one.
    async fn move_utility_vm(
        &self,
        staging: &HostPath,
        bulk: &HostPath,
    ) -> Result<bool, StoreError> {
        let came = bulk.join(layout::UTILITY_VM);
        let there = self.is_there(&came, FileKind::Directory).await?;
        if there {
            let files = self.host.files();
            files
                .rename(&came, &staging.join(layout::UTILITY_VM))
                .await
                .map_err(doing(
                    "put the image's utility virtual machine in its place",
                ))?;
        }
        Ok(there)
    }

    /// The host makes the disks that the virtual machine boots from, if it knows of such.
    async fn process_utility_vm(&self, staging: &HostPath) -> Result<(), StoreError> {
        let utility_vm = staging.join(layout::UTILITY_VM);
        match self.host.layers().process_utility_vm(&utility_vm).await {
            // A host from before Hyper-V isolation.
            Err(error) if error.is_win32(0x7f) => Ok(()),
            answer => answer.map_err(doing("make the image's utility virtual machine bootable")),
        }
    }

    /// Copies the five hives of the image to `hives`, and checks them.
    async fn copy_hives(
        &self,
        staging: &HostPath,
        hives: &HostPath,
    ) -> Result<BTreeMap<String, HiveRecord>, InstallError> {
        let files = self.host.files();
        let copying = "copy the image's hives";
        let mut records = BTreeMap::new();
        let config = staging.join(layout::CONFIG);
        files.create_dir_all(hives).await.map_err(doing(copying))?;
        for hive in BASE_HIVES {
            let from = config.join(hive.source);
            let Some(bytes) = self.read(&from, MAX_HIVE).await? else {
                let path = from
                    .strip_prefix(&staging.join(layout::FILES))
                    .unwrap_or_default();
                return Err(InstallError::MissingHive {
                    name: hive.source,
                    path: path.to_string(),
                });
            };
            let record = check_hive(&bytes).map_err(|error| InstallError::BadHive {
                name: hive.source,
                error,
            })?;
            files
                .copy_file(&from, &hives.join(hive.base))
                .await
                .map_err(doing(copying))?;
            records.insert(hive.base.to_owned(), HiveRecord::clone(&record));
        }
        Ok(records)
    }

    /// Makes everything beside the tree durable, the deepest first. A virtual machine for Hyper-V isolation came from `vm_from`.
    async fn sync(
        &self,
        staging: &HostPath,
        hives: &HostPath,
        vm_from: Option<&HostPath>,
    ) -> Result<(), StoreError> {
        let syncing = "make the image durable";
        let utility_vm = vm_from.map(|_| staging.join(layout::UTILITY_VM));
        if let Some(from) = vm_from {
            // Its old name must be gone as durably as its new one is there.
            let gone = self.host.files().sync_dir(from, precautions::SYNC_NAMES);
            gone.await.map_err(doing(syncing))?;
        }
        let beside = |folder| (folder, precautions::SYNC_BESIDE, precautions::SYNC_NAMES);
        let of_vm = utility_vm.as_ref().map(beside);
        let of_hives = (hives, precautions::SYNC_HIVES, precautions::SYNC_HIVE_NAMES);
        let folders = [of_hives].into_iter().chain(of_vm).chain([beside(staging)]);
        for (folder, contents, names) in folders {
            for entry in self.names(folder).await? {
                if entry.metadata.kind == FileKind::File {
                    let step = if entry.name == layout::METADATA {
                        precautions::SYNC_METADATA
                    } else {
                        contents
                    };
                    let mut path = folder.clone();
                    if path.push(entry.name.units()).is_ok() {
                        self.host
                            .files()
                            .sync_file(&path, step)
                            .await
                            .map_err(doing(syncing))?;
                    }
                }
            }
            self.host
                .files()
                .sync_dir(folder, names)
                .await
                .map_err(doing(syncing))?;
        }
        Ok(())
    }

    /// The moment at which the image appears.
    async fn publish(
        &self,
        staging: &HostPath,
        target: &HostPath,
        full_name: &str,
    ) -> Result<(), InstallError> {
        let files = self.host.files();
        // A name in a folder that a power cut takes away is worth nothing.
        files
            .sync_ancestors(&self.root, precautions::SYNC_FOLDERS)
            .await
            .map_err(doing(PUBLISHING))?;
        match files.rename(staging, target).await {
            Err(error) if error.is_win32(0xb7) => {
                return Err(InstallError::AlreadyExists {
                    full_name: full_name.to_owned(),
                });
            }
            answer => answer.map_err(doing(PUBLISHING))?,
        }
        if let Err(error) = files.sync_dir(&self.root, precautions::SYNC_IMAGE).await {
            if !self.host.ignores(precautions::ROLLBACK_IMAGE) {
                // Nobody knows whether the name would survive a power cut: take it back.
                let _ = files.rename(target, staging).await;
            }
            return Err(doing(PUBLISHING)(error).into());
        }
        Ok(())
    }
}

/// Size and digest of a hive that is whole.
pub(crate) fn check_hive(bytes: &FileBytes) -> Result<Arc<HiveRecord>, HiveError> {
    bytes.read_as(look_at_hive)
}

fn look_at_hive(bytes: &FileBytes) -> Result<HiveRecord, HiveError> {
    verify(&Hive::parse(&**bytes)?, Limits::default())?;
    let digest = bytes
        .known_sha256()
        .unwrap_or_else(|| Sha256::digest(bytes).into());
    let digit = |value: u8| char::from_digit(u32::from(value), 16);
    let sha256 = digest
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .flatten()
        .collect();
    // Lossless: no slice is longer than 2^63 bytes.
    Ok(HiveRecord {
        size: bytes.len() as u64,
        sha256,
    })
}

fn check_request(request: &InstallRequest) -> Result<(), InstallError> {
    let name = request.name.as_str();
    let forbidden = |c: char| c.is_control() || r#"<>:"/\|?*"#.contains(c);
    if name.is_empty()
        || name.trim() != name
        || name.contains(forbidden)
        || name.encode_utf16().count() > MAX_NAME
    {
        return Err(InstallError::BadName {
            name: name.to_owned(),
        });
    }
    let product = request.product_name.as_str();
    if product.is_empty()
        || !product.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        || product.trim() != product
    {
        return Err(InstallError::BadProductName {
            product_name: product.to_owned(),
        });
    }
    Ok(())
}

fn stored(
    request: &InstallRequest,
    full_name: String,
    path: HostPath,
    filled: Filled,
) -> StoredImage {
    StoredImage {
        name: request.name.clone(),
        version: request.version,
        full_name,
        path,
        created: filled.created,
        size: request.size,
        product_name: request.product_name.clone(),
        container_service: filled.container_service,
    }
}
