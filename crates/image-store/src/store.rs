//! The store: opening it, recovery, finding and removing images.

use std::sync::Arc;

use wcow_host::{
    DirEntry, FileBytes, FileKind, FileLock, FileSystem, Host, HostControl, HostError,
    LayerStorage, Precaution, Written, era,
};
use wcow_ntmeta::upcase::upcase_unit;
use wcow_ntmeta::{HostPath, WideName};

use crate::layout::{self, BASE_HIVES};
use crate::metadata::{
    MAX_METADATA, MAX_VERSION_FILE, Metadata, MetadataError, Reading, version_value,
};
use crate::{
    DamagedImage, FORMAT, HiveDetails, ImageDetails, ImageList, LayoutEntry, StoreError,
    StoredImage, ValidationError, precautions,
};

/// The base OS images of one host.
///
/// Opened to be changed it holds the store's lock, until [`close`](Self::close) or until the process ends.
#[derive(Debug)]
pub struct ImageStore<'h, H> {
    pub(crate) host: &'h H,
    pub(crate) root: HostPath,
    lock: Option<FileLock>,
    recovery: Recovery,
    written: Option<&'h Written>,
}

/// What opening the store cleared up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Installs that were never finished, and are gone now.
    pub unfinished_installs: usize,
    /// Removals that were never finished, and are finished now.
    pub unfinished_removals: usize,
    /// Folders that were moved to the quarantine.
    pub quarantined: Vec<DamagedImage>,
}

/// An image with its metadata.
pub(crate) struct Found {
    pub(crate) path: HostPath,
    reading: Arc<Reading>,
    /// EditionID and container service, if its metadata does not tell.
    facts: Option<(String, bool)>,
}

impl Found {
    pub(crate) fn metadata(&self) -> &Metadata {
        &self.reading.metadata
    }

    pub(crate) fn image(&self) -> StoredImage {
        let metadata = self.metadata();
        let (product_name, container_service) = match (&metadata.wcow, &self.facts) {
            (Some(ours), _) => (ours.product_name.clone(), ours.container_service),
            (None, facts) => facts.clone().unwrap_or_default(),
        };
        StoredImage {
            name: metadata.name.clone(),
            version: metadata.version,
            full_name: self.reading.full_name.clone(),
            path: self.path.clone(),
            created: self.reading.created,
            size: metadata.size,
            product_name,
            container_service,
        }
    }
}

/// The folders of the store that look like images.
#[derive(Default)]
struct Scan {
    images: Vec<Found>,
    damaged: Vec<DamagedImage>,
}

impl<'h, H: Host> ImageStore<'h, H> {
    /// Opens the store to change it: takes its lock, and clears up what an interrupted program left behind.
    ///
    /// # Errors
    /// [`StoreError::Locked`], [`StoreError::OtherVersion`] (nothing is touched then), [`StoreError::Host`].
    pub async fn open(host: &'h H) -> Result<Self, StoreError> {
        Self::open_read_only(host).into_open().await
    }

    /// Opens a store to change it that was opened to look at it.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub async fn into_open(mut self) -> Result<Self, StoreError> {
        let files = self.host.files();
        files
            .create_dir_all(&self.root)
            .await
            .map_err(doing("create the folder of the image store"))?;
        let lock = match files.lock(&layout::LOCK).await {
            Ok(lock) => lock,
            Err(error) if error.is_win32(0x20) => {
                let path = layout::LOCK.clone();
                return Err(StoreError::Locked { path });
            }
            Err(error) => return Err(doing("lock the image store")(error)),
        };
        match self.recover().await {
            Ok(recovery) => {
                self.lock = Some(lock);
                self.recovery = recovery;
                Ok(self)
            }
            Err(error) => {
                // The first error is the one to tell; the lock ends with the process at the latest.
                let _ = files.unlock(lock).await;
                Err(error)
            }
        }
    }

    /// A view of the store for commands that only look: no lock, and nothing is cleared up.
    #[must_use]
    pub fn open_read_only(host: &'h H) -> Self {
        Self {
            host,
            root: era::image_root(),
            lock: None,
            recovery: Recovery::default(),
            written: None,
        }
    }

    /// The same store, which keeps what it writes of images there, so that it need not be read from its text again.
    #[must_use]
    pub fn with_written(mut self, written: &'h Written) -> Self {
        self.written = Some(written);
        self
    }

    /// Gives the lock back.
    ///
    /// # Errors
    /// [`StoreError::Host`].
    pub async fn close(self) -> Result<(), StoreError> {
        match self.lock {
            Some(lock) => self
                .host
                .files()
                .unlock(lock)
                .await
                .map_err(doing("unlock the image store")),
            None => Ok(()),
        }
    }

    /// What opening the store cleared up.
    #[must_use]
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// The folder of the store.
    #[must_use]
    pub fn root(&self) -> &HostPath {
        &self.root
    }

    /// All images, and all folders that look like images and are none.
    ///
    /// # Errors
    /// [`StoreError::OtherVersion`], [`StoreError::Host`].
    pub async fn list(&self) -> Result<ImageList, StoreError> {
        let Scan {
            images,
            mut damaged,
        } = self.scan().await?;
        damaged.extend(self.quarantine().await?);
        Ok(ImageList {
            images: images.iter().map(Found::image).collect(),
            damaged,
        })
    }

    /// The image that a reference means: a full name, a name, or `name:version`. Case does not matter.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Ambiguous`], and those of [`list`](Self::list).
    pub async fn find(&self, reference: &str) -> Result<StoredImage, StoreError> {
        Ok(self.find_with_metadata(reference).await?.image())
    }

    /// Everything that the store knows of an image.
    ///
    /// # Errors
    /// Those of [`find`](Self::find).
    pub async fn inspect(&self, reference: &str) -> Result<ImageDetails, StoreError> {
        let found = self.find_with_metadata(reference).await?;
        let (image, metadata) = (found.image(), found.metadata());
        let mut entries = Vec::new();
        for (prefix, folder) in [
            ("", image.path.clone()),
            ("hives\\", image.path.join(layout::HIVES)),
        ] {
            for entry in self.names(&folder).await? {
                entries.push(LayoutEntry {
                    path: format!("{prefix}{}", entry.name),
                    kind: entry.metadata.kind,
                    len: entry.metadata.len,
                });
            }
        }
        let ours = metadata.wcow.as_ref();
        let hives = BASE_HIVES.map(|hive| HiveDetails {
            name: hive.base.to_owned(),
            len: entries
                .iter()
                .find(|entry| {
                    entry
                        .path
                        .eq_ignore_ascii_case(&format!("hives\\{}", hive.base))
                })
                .map(|entry| entry.len),
            sha256: ours
                .and_then(|ours| ours.hives.get(hive.base))
                .map(|record| record.sha256.clone()),
        });
        Ok(ImageDetails {
            format: ours.map(|ours| ours.format),
            description: ours
                .map(|ours| ours.description.clone())
                .unwrap_or_default(),
            tree: ours.map(|ours| ours.tree.into()),
            layout: entries,
            hives: hives.into(),
            image,
        })
    }

    /// Removes an image, or a folder that is in quarantine. Whether a container uses it is for the caller to know.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`], [`StoreError::Host`], and those of [`find`](Self::find).
    pub async fn remove(&self, reference: &str) -> Result<(), StoreError> {
        self.writable()?;
        let path = match self.find(reference).await {
            Ok(image) => image.path,
            Err(StoreError::NotFound {
                reference,
                existing,
            }) => {
                match self
                    .list()
                    .await?
                    .damaged
                    .into_iter()
                    .find(|damaged| same(&damaged.folder, &reference))
                {
                    Some(damaged) => damaged.path,
                    None => {
                        return Err(StoreError::NotFound {
                            reference,
                            existing,
                        });
                    }
                }
            }
            Err(error) => return Err(error),
        };
        let removing = "remove the image";
        let files = self.host.files();
        let away = &layout::REMOVING;
        files.create_dir_all(away).await.map_err(doing(removing))?;
        let guid = self
            .host
            .control()
            .new_guid()
            .await
            .map_err(doing(removing))?;
        let gone = away.join(&guid.to_string());
        files.rename(&path, &gone).await.map_err(doing(removing))?;
        if let Some(parent) = path.parent() {
            files
                .sync_dir(&parent, precautions::SYNC_REMOVAL)
                .await
                .map_err(doing(removing))?;
        }
        self.delete(&gone).await
    }

    /// What installs and removals left that are not done: of programs that were killed, or of one that is at it right now. Opening
    /// the store to change it clears it up.
    ///
    /// # Errors
    /// [`StoreError::Host`].
    pub async fn unfinished(&self) -> Result<Vec<HostPath>, StoreError> {
        let mut found = Vec::new();
        for folder in [&layout::STAGING, &layout::REMOVING] {
            for entry in self.names(folder).await? {
                found.extend(child(folder, &entry.name));
            }
        }
        Ok(found)
    }

    /// Keeps what a `metadata.json` says that was written as `bytes`.
    pub(crate) fn keep_written(&self, bytes: Vec<u8>, reading: Reading) {
        debug_assert!(
            reading.metadata.to_bytes() == bytes
                && Metadata::parse(&bytes).is_ok_and(|read| {
                    read.metadata.to_bytes() == bytes && read.created == reading.created
                }),
            "the bytes are those of the metadata"
        );
        if let Some(written) = self.written {
            written.keep(bytes, reading);
        }
    }

    pub(crate) fn writable(&self) -> Result<(), StoreError> {
        self.lock.map(|_| ()).ok_or(StoreError::ReadOnly)
    }

    pub(crate) async fn find_with_metadata(&self, reference: &str) -> Result<Found, StoreError> {
        let Scan { mut images, .. } = self.scan().await?;
        let name = |found: &Found| found.reading.full_name.clone();
        let exact = matching(&images, |reading| same(&reading.full_name, reference));
        let matches = if exact.is_empty() {
            let with_version = reference.rsplit_once(':');
            matching(&images, |Reading { metadata, .. }| {
                same(&metadata.name, reference)
                    || with_version.is_some_and(|(name, version)| {
                        same(&metadata.name, name) && metadata.version.to_string() == version
                    })
            })
        } else {
            exact
        };
        match matches[..] {
            [one] => Ok(images.swap_remove(one)),
            [] => Err(StoreError::NotFound {
                reference: reference.to_owned(),
                existing: images.iter().map(name).collect(),
            }),
            _ => Err(StoreError::Ambiguous {
                reference: reference.to_owned(),
                matches: matches
                    .iter()
                    .filter_map(|index| images.get(*index))
                    .map(name)
                    .collect(),
            }),
        }
    }

    /// Deletes a folder and all below it; none there is no error. What has become a layer is destroyed as one: a host lets nobody
    /// delete the files of a layer otherwise.
    pub(crate) async fn delete(&self, path: &HostPath) -> Result<(), StoreError> {
        let deleting = "delete a folder of the image store";
        let files = self.host.files();
        match files.remove_dir_all(path).await {
            Err(error) if is_not_found(&error) => return Ok(()),
            Err(error) if error.is_win32(0x5) => {}
            answer => return answer.map_err(doing(deleting)),
        }
        match self.host.layers().destroy(path).await {
            Err(error) if !is_not_found(&error) => return Err(doing(deleting)(error)),
            _ => {}
        }
        // A host can say that it did it, and leave the folder.
        match files.remove_dir_all(path).await {
            Err(error) if !is_not_found(&error) => Err(doing(deleting)(error)),
            _ => Ok(()),
        }
    }

    /// The names in a directory; none if it is not there.
    pub(crate) async fn names(&self, path: &HostPath) -> Result<Vec<DirEntry>, StoreError> {
        match self.host.files().list(path).await {
            Err(error) if is_not_found(&error) => Ok(Vec::new()),
            answer => answer.map_err(doing("list a folder of the image store")),
        }
    }

    /// The bytes of a file; `None` if it is not there.
    pub(crate) async fn read(
        &self,
        path: &HostPath,
        max: u64,
    ) -> Result<Option<FileBytes>, StoreError> {
        match self.host.files().read(path, max).await {
            Err(error) if is_not_found(&error) => Ok(None),
            answer => answer
                .map(Some)
                .map_err(doing("read a file of the image store")),
        }
    }

    /// Whether there is something of this kind.
    pub(crate) async fn is_there(
        &self,
        path: &HostPath,
        kind: FileKind,
    ) -> Result<bool, StoreError> {
        let metadata = self
            .host
            .files()
            .metadata(path)
            .await
            .map_err(doing("look at the image store"))?;
        Ok(metadata.is_some_and(|metadata| metadata.kind == kind))
    }

    /// Clears up what an interrupted program left behind. Needs the lock.
    async fn recover(&self) -> Result<Recovery, StoreError> {
        // A store of a newer version ends this before anything is touched.
        let Scan { damaged, .. } = self.scan().await?;
        let mut recovery = Recovery {
            unfinished_installs: self
                .clear(&layout::STAGING, precautions::RECOVER_INSTALL)
                .await?,
            unfinished_removals: self
                .clear(&layout::REMOVING, precautions::RECOVER_REMOVAL)
                .await?,
            quarantined: Vec::new(),
        };
        for damaged in damaged {
            recovery.quarantined.push(self.put_away(damaged).await?);
        }
        Ok(recovery)
    }

    /// Deletes what was left in a folder, and says how much there was.
    async fn clear(&self, folder: &HostPath, precaution: Precaution) -> Result<usize, StoreError> {
        if self.host.ignores(precaution) {
            return Ok(0);
        }
        let entries = self.names(folder).await?;
        for entry in &entries {
            let Some(path) = child(folder, &entry.name) else {
                continue;
            };
            match entry.metadata.kind {
                FileKind::Directory => self.delete(&path).await?,
                FileKind::File => {
                    self.host
                        .files()
                        .remove_file(&path)
                        .await
                        .map_err(doing("delete a file of the image store"))?;
                }
            }
        }
        Ok(entries.len())
    }

    /// Moves a damaged image to the quarantine.
    async fn put_away(&self, damaged: DamagedImage) -> Result<DamagedImage, StoreError> {
        let moving = "move a damaged image to the quarantine";
        let files = self.host.files();
        let quarantine = &layout::QUARANTINE;
        files
            .create_dir_all(quarantine)
            .await
            .map_err(doing(moving))?;
        let mut path = quarantine.join(&damaged.folder);
        if files
            .metadata(&path)
            .await
            .map_err(doing(moving))?
            .is_some()
        {
            let guid = self
                .host
                .control()
                .new_guid()
                .await
                .map_err(doing(moving))?;
            path = quarantine.join(&format!("{}.{guid}", damaged.folder));
        }
        files
            .rename(&damaged.path, &path)
            .await
            .map_err(doing(moving))?;
        // Nothing is synced: if a power cut takes the move back, whoever opens the store next makes it again.
        Ok(DamagedImage { path, ..damaged })
    }

    async fn scan(&self) -> Result<Scan, StoreError> {
        let mut scan = Scan::default();
        for entry in self.names(&self.root).await? {
            if entry.metadata.kind != FileKind::Directory || !layout::is_image(&entry.name) {
                continue;
            }
            let Some(path) = child(&self.root, &entry.name) else {
                continue;
            };
            match self.read_image(&entry.name, &path).await? {
                Ok(found) => scan.images.push(found),
                Err(reason) => scan.damaged.push(DamagedImage {
                    folder: entry.name.to_string(),
                    path,
                    reason,
                }),
            }
        }
        scan.images
            .sort_by(|a, b| a.reading.full_name.cmp(&b.reading.full_name));
        Ok(scan)
    }

    async fn quarantine(&self) -> Result<Vec<DamagedImage>, StoreError> {
        let quarantine = &layout::QUARANTINE;
        let mut damaged = Vec::new();
        for entry in self.names(quarantine).await? {
            let Some(path) = child(quarantine, &entry.name) else {
                continue;
            };
            let reason = match self.read_image(&entry.name, &path).await? {
                Ok(_) => ValidationError::Quarantined,
                Err(reason) => reason,
            };
            damaged.push(DamagedImage {
                folder: entry.name.to_string(),
                path,
                reason,
            });
        }
        Ok(damaged)
    }

    async fn read_image(
        &self,
        folder: &WideName,
        path: &HostPath,
    ) -> Result<Result<Found, ValidationError>, StoreError> {
        let file = path.join(layout::METADATA);
        let invalid = |path, reason| Ok(Err(ValidationError::MetadataInvalid { path, reason }));
        let bytes = match self.read(&file, MAX_METADATA).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(Err(ValidationError::MetadataMissing { path: file })),
            Err(error) if error.host_error().is_some_and(|error| error.is_win32(0xdf)) => {
                return invalid(file, format!("expected at most {MAX_METADATA} bytes"));
            }
            Err(error) => return Err(error),
        };
        let written = self.written.and_then(|written| written.find(&bytes));
        let reading = written.map_or_else(|| bytes.read_as(|bytes| Metadata::parse(bytes)), Ok);
        let reading = match reading {
            Ok(reading) => reading,
            Err(MetadataError::Newer(found)) => {
                return Err(StoreError::OtherVersion {
                    path: file,
                    found,
                    ours: FORMAT,
                });
            }
            Err(MetadataError::Invalid(reason)) => return invalid(file, reason),
        };
        if *folder != reading.folder && !same(&reading.full_name, &folder.to_string()) {
            return Ok(Err(ValidationError::OtherImage {
                folder: folder.to_string(),
                found: reading.full_name.clone(),
            }));
        }
        let facts = match reading.metadata.wcow {
            Some(_) => None,
            None => Some(self.look_for_facts(path).await?),
        };
        Ok(Ok(Found {
            path: path.clone(),
            reading,
            facts,
        }))
    }

    /// EditionID and container service of an image that another tool installed.
    async fn look_for_facts(&self, path: &HostPath) -> Result<(String, bool), StoreError> {
        let file = self
            .read(&path.join(layout::VERSION_FILE), MAX_VERSION_FILE)
            .await?;
        let product = file
            .and_then(|bytes| version_value(&bytes, "ProductName"))
            .unwrap_or_default();
        let service = self
            .is_there(&path.join(layout::CONTAINER_SERVICE), FileKind::File)
            .await?;
        Ok((product, service))
    }
}

/// An error of the host, with what was being done.
pub(crate) fn doing(doing: &'static str) -> impl Fn(HostError) -> StoreError {
    move |error| StoreError::Host {
        doing,
        error: Box::new(error),
    }
}

pub(crate) fn is_not_found(error: &HostError) -> bool {
    error.is_win32(0x2) || error.is_win32(0x3)
}

/// A name that a directory listing gave, below that directory; `None` if no path can hold it.
fn child(folder: &HostPath, name: &WideName) -> Option<HostPath> {
    let mut path = folder.clone();
    path.push(name.units()).is_ok().then_some(path)
}

fn matching(images: &[Found], wanted: impl Fn(&Reading) -> bool) -> Vec<usize> {
    images
        .iter()
        .enumerate()
        .filter(|(_, found)| wanted(&found.reading))
        .map(|(index, _)| index)
        .collect()
}

fn same(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() {
        return a.eq_ignore_ascii_case(b);
    }
    let [a, b] = [a, b].map(|text| text.encode_utf16().map(upcase_unit));
    a.eq(b)
}
