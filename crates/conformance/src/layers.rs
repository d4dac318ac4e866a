//! Layers: scratch layers made, mounted and taken away; layers that travel; base layers made usable.

use std::cell::RefCell;

use wcow_host::codes::win32;
use wcow_host::{Code, FileSystem, Host, HostError, LayerDescriptor, LayerStorage, era};
use wcow_ntmeta::{Guid, HostPath, WideName};

use crate::Image;
use crate::answer::{Ruled, Stop, refused};
use crate::stage::{Unlike, build, ensure, must};

/// From this build on a scratch disk can be made larger.
const EXPAND_FROM: u32 = 14393;
/// The first build that exports layers.
const EXPORT_FROM: u32 = 10586;
/// The first build with utility virtual machines.
const UTILITY_VM_FROM: u32 = 10586;
/// After this build there is no store of images that all users share.
const SHARED_IMAGES_UNTIL: u32 = 14393;
/// The size of a scratch disk that nobody made larger, in bytes.
const SCRATCH_BYTES: u64 = 20 << 30;

/// An image, and the layers that a rule makes beside it.
pub(crate) struct Shelf<'a, H: Host> {
    host: &'a H,
    image: Image,
    fresh: &'a dyn Fn() -> String,
    made: RefCell<Vec<HostPath>>,
}

impl<'a, H: Host> Shelf<'a, H> {
    pub(crate) fn new(host: &'a H, image: Image, fresh: &'a dyn Fn() -> String) -> Self {
        Self {
            host,
            image,
            fresh,
            made: RefCell::new(Vec::new()),
        }
    }

    fn layers(&self) -> &'a H::Layers {
        self.host.layers()
    }

    fn parents(&self) -> &[LayerDescriptor] {
        &self.image.layers
    }

    /// A folder that is not there; what is made there is taken away after the rule.
    fn folder(&self) -> HostPath {
        let folder = self.image.scratch_root.join(&(self.fresh)());
        self.made.borrow_mut().push(folder.clone());
        folder
    }

    async fn create(&self, scratch: &HostPath) -> Result<(), HostError> {
        self.layers().create_scratch(scratch, self.parents()).await
    }

    async fn prepare(&self, scratch: &HostPath) -> Result<(), HostError> {
        self.layers().prepare(scratch, self.parents()).await
    }

    /// A scratch layer.
    async fn scratch(&self) -> Result<HostPath, Unlike> {
        let scratch = self.folder();
        must("create_scratch", self.create(&scratch).await)?;
        Ok(scratch)
    }

    /// A scratch layer that is activated.
    async fn activated(&self) -> Result<HostPath, Unlike> {
        let scratch = self.scratch().await?;
        must("activate", self.layers().activate(&scratch).await)?;
        Ok(scratch)
    }

    /// A scratch layer that is mounted.
    async fn mounted(&self) -> Result<HostPath, Unlike> {
        let scratch = self.activated().await?;
        must("prepare", self.prepare(&scratch).await)?;
        Ok(scratch)
    }

    /// Undoes [`mounted`](Self::mounted).
    async fn unmount(&self, scratch: &HostPath) -> Result<(), Unlike> {
        must("unprepare", self.layers().unprepare(scratch).await)?;
        must("deactivate", self.layers().deactivate(scratch).await)
    }

    /// A layer in the form in which layers travel: an export of a scratch layer.
    async fn travelling(&self) -> Result<HostPath, Stop> {
        if build(self.host).await? < EXPORT_FROM {
            return Err(Stop::Skipped("the host exports no layers".to_owned()));
        }
        let scratch = self.mounted().await?;
        self.unmount(&scratch).await?;
        let folder = self.folder();
        let exported = self.layers().export(&scratch, &folder, self.parents());
        must("export", exported.await)?;
        Ok(folder)
    }

    /// An imported layer, which lies over the image.
    async fn imported(&self) -> Result<LayerDescriptor, Stop> {
        let folder = self.travelling().await?;
        let path = self.folder();
        let imported = self.layers().import(&path, &folder, self.parents());
        imported_or_skipped(imported.await)?;
        let name = path
            .file_name()
            .map(|name| WideName::from(name).to_string());
        let id = era::layer_id(&name.unwrap_or_default());
        Ok(LayerDescriptor { id, path })
    }

    /// The parents of a scratch layer over one more layer.
    fn chain(&self, nearest: LayerDescriptor) -> Vec<LayerDescriptor> {
        [vec![nearest], self.parents().to_vec()].concat()
    }

    /// The parents, and one that is not there.
    fn broken_chain(&self) -> Vec<LayerDescriptor> {
        let id = Guid::from_u128(0x5763_6f77_0000_4000_8000_0000_0000_0001);
        let path = self.folder();
        self.chain(LayerDescriptor { id, path })
    }

    /// Takes away what the rule made, the newest first. What is gone already is no matter.
    pub(crate) async fn clear(self) {
        let layers = self.host.layers();
        for path in self.made.into_inner().iter().rev() {
            for _ in 0..2 {
                let _ = layers.unprepare(path).await;
            }
            for _ in 0..2 {
                let _ = layers.deactivate(path).await;
            }
            let _ = layers.destroy(path).await;
        }
    }
}

/// An image whose hives are empty ones is none to import over.
fn imported_or_skipped(imported: Result<(), HostError>) -> Ruled {
    match imported {
        Err(HostError {
            code: Code::Hresult(win32::BADDB),
            ..
        }) => Err(Stop::Skipped("the image has empty hives".to_owned())),
        imported => Ok(must("import", imported)?),
    }
}

pub(crate) async fn scratch_is_made_once<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let scratch = shelf.scratch().await?;
    let again = shelf.create(&scratch).await;
    refused("create_scratch", again, &[win32::ALREADY_EXISTS])?;
    must("destroy", shelf.layers().destroy(&scratch).await)?;
    Ok(must("create_scratch", shelf.create(&scratch).await)?)
}

pub(crate) async fn scratch_needs_parents<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let made = shelf.layers().create_scratch(&shelf.folder(), &[]).await;
    Ok(refused(
        "create_scratch without parents",
        made,
        &[win32::INVALID_PARAMETER],
    )?)
}

pub(crate) async fn scratch_over_a_missing_parent<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let scratch = shelf.folder();
    let chain = shelf.broken_chain();
    let made = shelf.layers().create_scratch(&scratch, &chain).await;
    refused("create_scratch", made, &[win32::PATH_NOT_FOUND])?;
    // Nothing is left that would be in the way.
    Ok(must("create_scratch", shelf.create(&scratch).await)?)
}

pub(crate) async fn missing_layer_is_not_activated<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let answer = shelf.layers().activate(&shelf.folder()).await;
    Ok(refused("activate", answer, &[win32::FILE_NOT_FOUND])?)
}

pub(crate) async fn missing_layer_is_not_destroyed<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let answer = shelf.layers().destroy(&shelf.folder()).await;
    Ok(refused("destroy", answer, &[win32::FILE_NOT_FOUND])?)
}

pub(crate) async fn missing_layer_does_not_exist<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let folder = shelf.folder();
    let exists = must("exists", shelf.layers().exists(&folder).await)?;
    ensure(!exists, || format!("expected no layer at {folder}"))?;
    let base = &shelf.image.layers;
    for layer in base {
        let exists = must("exists", shelf.layers().exists(&layer.path).await)?;
        ensure(exists, || format!("expected a layer at {}", layer.path))?;
    }
    Ok(())
}

pub(crate) async fn prepare_needs_activation<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let scratch = shelf.scratch().await?;
    let answer = shelf.prepare(&scratch).await;
    refused("prepare", answer, &[win32::DEV_NOT_EXIST])?;
    must("activate", shelf.layers().activate(&scratch).await)?;
    Ok(must("prepare", shelf.prepare(&scratch).await)?)
}

pub(crate) async fn mount_path_needs_activation<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let scratch = shelf.scratch().await?;
    let answer = shelf.layers().mount_path(&scratch).await;
    Ok(refused("mount_path", answer, &[win32::DEV_NOT_EXIST])?)
}

pub(crate) async fn mount_path_is_a_volume<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let scratch = shelf.mounted().await?;
    let volume = must("mount_path", shelf.layers().mount_path(&scratch).await)?;
    let inner = volume.strip_prefix(r"\\?\Volume{");
    let inner = inner.and_then(|rest| rest.strip_suffix('}'));
    let id: Option<Guid> = inner.and_then(|id| id.parse().ok());
    Ok(ensure(id.is_some(), || {
        format!(r"expected \\?\Volume{{GUID}} without a backslash behind it, found {volume}")
    })?)
}

pub(crate) async fn every_layer_has_its_volume<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let (one, two) = (shelf.mounted().await?, shelf.mounted().await?);
    let one = must("mount_path", shelf.layers().mount_path(&one).await)?;
    let two = must("mount_path", shelf.layers().mount_path(&two).await)?;
    Ok(ensure(one != two, || {
        format!("expected two volumes, found {one} twice")
    })?)
}

pub(crate) async fn unmounted_layer_is_not_unmounted<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let scratch = shelf.mounted().await?;
    shelf.unmount(&scratch).await?;
    let answer = shelf.layers().unprepare(&scratch).await;
    refused("unprepare", answer, &[win32::DEV_NOT_EXIST])?;
    let answer = shelf.layers().deactivate(&scratch).await;
    Ok(refused("deactivate", answer, &[win32::DEV_NOT_EXIST])?)
}

pub(crate) async fn destroyed_layer_is_not_unmounted<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let scratch = shelf.scratch().await?;
    must("destroy", shelf.layers().destroy(&scratch).await)?;
    let answer = shelf.layers().unprepare(&scratch).await;
    refused("unprepare", answer, &[win32::FILE_NOT_FOUND])?;
    let answer = shelf.layers().deactivate(&scratch).await;
    Ok(refused("deactivate", answer, &[win32::FILE_NOT_FOUND])?)
}

pub(crate) async fn activations_are_counted<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let layers = shelf.layers();
    let scratch = shelf.activated().await?;
    must("activate", layers.activate(&scratch).await)?;
    must("deactivate", layers.deactivate(&scratch).await)?;
    must("mount_path", layers.mount_path(&scratch).await)?;
    must("deactivate", layers.deactivate(&scratch).await)?;
    let answer = layers.mount_path(&scratch).await;
    Ok(refused("mount_path", answer, &[win32::DEV_NOT_EXIST])?)
}

pub(crate) async fn preparations_are_counted<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let layers = shelf.layers();
    let scratch = shelf.mounted().await?;
    must("prepare", shelf.prepare(&scratch).await)?;
    must("unprepare", layers.unprepare(&scratch).await)?;
    must("unprepare", layers.unprepare(&scratch).await)?;
    let answer = layers.unprepare(&scratch).await;
    Ok(refused("unprepare", answer, &[win32::DEV_NOT_EXIST])?)
}

pub(crate) async fn prepared_layer_is_not_deactivated<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let scratch = shelf.mounted().await?;
    let answer = shelf.layers().deactivate(&scratch).await;
    refused("deactivate", answer, &[win32::SHARING_VIOLATION])?;
    Ok(shelf.unmount(&scratch).await?)
}

pub(crate) async fn activated_layer_is_not_destroyed<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let scratch = shelf.activated().await?;
    let answer = shelf.layers().destroy(&scratch).await;
    let busy = [win32::SHARING_VIOLATION, win32::ACCESS_DENIED];
    refused("destroy", answer, &busy)?;
    must("deactivate", shelf.layers().deactivate(&scratch).await)?;
    Ok(must("destroy", shelf.layers().destroy(&scratch).await)?)
}

pub(crate) async fn parent_in_use_is_not_destroyed<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let child = shelf.imported().await?;
    let chain = shelf.chain(child.clone());
    let (layers, scratch) = (shelf.layers(), shelf.folder());
    let made = layers.create_scratch(&scratch, &chain).await;
    must("create_scratch", made)?;
    must("activate", layers.activate(&scratch).await)?;
    must("prepare", layers.prepare(&scratch, &chain).await)?;
    let answer = layers.destroy(&child.path).await;
    let busy = [win32::SHARING_VIOLATION, win32::ACCESS_DENIED];
    refused("destroy", answer, &busy)?;
    shelf.unmount(&scratch).await?;
    Ok(must("destroy", layers.destroy(&child.path).await)?)
}

pub(crate) async fn prepare_over_a_missing_parent<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let scratch = shelf.activated().await?;
    let chain = shelf.broken_chain();
    let answer = shelf.layers().prepare(&scratch, &chain).await;
    refused("prepare", answer, &[win32::PATH_NOT_FOUND])?;
    Ok(must("prepare", shelf.prepare(&scratch).await)?)
}

pub(crate) async fn scratch_grows<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let scratch = shelf.scratch().await?;
    let grown = shelf.layers().expand(&scratch, SCRATCH_BYTES + (1 << 30));
    let grown = grown.await;
    if build(shelf.host).await? < EXPAND_FROM {
        return Ok(refused("expand", grown, &[win32::PROC_NOT_FOUND])?);
    }
    Ok(must("expand", grown)?)
}

pub(crate) async fn scratch_does_not_shrink<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    can_expand(shelf).await?;
    let (layers, scratch) = (shelf.layers(), shelf.scratch().await?);
    let size = SCRATCH_BYTES + (2 << 30);
    must("expand", layers.expand(&scratch, size).await)?;
    let smaller = layers.expand(&scratch, size - (1 << 30)).await;
    Ok(refused("expand", smaller, &[win32::INVALID_PARAMETER])?)
}

pub(crate) async fn activated_scratch_does_not_grow<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    can_expand(shelf).await?;
    let scratch = shelf.activated().await?;
    let size = SCRATCH_BYTES + (1 << 30);
    let answer = shelf.layers().expand(&scratch, size).await;
    Ok(refused("expand", answer, &[win32::SHARING_VIOLATION])?)
}

async fn can_expand<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    if build(shelf.host).await? < EXPAND_FROM {
        return Err(Stop::Skipped("the host grows no disks".to_owned()));
    }
    Ok(())
}

pub(crate) async fn open_disk_is_not_attached<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    if era::containers_persist(build(shelf.host).await?) {
        let why = "the disk of a scratch layer lies elsewhere on this host";
        return Err(Stop::Skipped(why.to_owned()));
    }
    let (files, scratch) = (shelf.host.files(), shelf.scratch().await?);
    let lock = must("lock", files.lock(&scratch.join("sandbox.vhdx")).await)?;
    let answer = shelf.layers().activate(&scratch).await;
    must("unlock", files.unlock(lock).await)?;
    refused("activate", answer, &[win32::SHARING_VIOLATION])?;
    Ok(must("activate", shelf.layers().activate(&scratch).await)?)
}

pub(crate) async fn layers_travel<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let child = shelf.imported().await?;
    let layers = shelf.layers();
    let exists = must("exists", layers.exists(&child.path).await)?;
    ensure(exists, || "expected the imported layer to exist".to_owned())?;
    let chain = shelf.chain(child);
    let scratch = shelf.folder();
    let made = layers.create_scratch(&scratch, &chain).await;
    must("create_scratch", made)?;
    must("activate", layers.activate(&scratch).await)?;
    must("prepare", layers.prepare(&scratch, &chain).await)?;
    must("mount_path", layers.mount_path(&scratch).await)?;
    Ok(shelf.unmount(&scratch).await?)
}

pub(crate) async fn layer_is_imported_once<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let folder = shelf.travelling().await?;
    let (layers, layer) = (shelf.layers(), shelf.folder());
    let imported = layers.import(&layer, &folder, shelf.parents()).await;
    imported_or_skipped(imported)?;
    let again = layers.import(&layer, &folder, shelf.parents()).await;
    Ok(refused("import", again, &[win32::ALREADY_EXISTS])?)
}

pub(crate) async fn import_needs_parents<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let folder = shelf.travelling().await?;
    let answer = shelf.layers().import(&shelf.folder(), &folder, &[]).await;
    Ok(refused("import", answer, &[win32::INVALID_PARAMETER])?)
}

pub(crate) async fn import_needs_a_folder<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let (layer, folder) = (shelf.folder(), shelf.folder());
    let answer = shelf.layers().import(&layer, &folder, shelf.parents());
    match answer.await {
        // The hives of the base are looked at first.
        Err(HostError {
            code: Code::Hresult(win32::BADDB),
            ..
        }) => Err(Stop::Skipped("the image has empty hives".to_owned())),
        answer => Ok(refused("import", answer, &[win32::PATH_NOT_FOUND])?),
    }
}

pub(crate) async fn export_needs_parents<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let scratch = shelf.mounted().await?;
    shelf.unmount(&scratch).await?;
    let answer = shelf.layers().export(&scratch, &shelf.folder(), &[]).await;
    let code = if build(shelf.host).await? < EXPORT_FROM {
        win32::INVALID_NAME
    } else {
        win32::INVALID_PARAMETER
    };
    Ok(refused("export", answer, &[code])?)
}

pub(crate) async fn export_needs_a_mount_before<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let scratch = shelf.scratch().await?;
    let folder = shelf.folder();
    let answer = shelf.layers().export(&scratch, &folder, shelf.parents());
    let answer = answer.await;
    let code = if build(shelf.host).await? < EXPORT_FROM {
        win32::INVALID_NAME
    } else {
        win32::FILE_NOT_FOUND
    };
    Ok(refused("export", answer, &[code])?)
}

pub(crate) async fn mounted_layer_is_not_exported<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let scratch = shelf.mounted().await?;
    let folder = shelf.folder();
    let answer = shelf.layers().export(&scratch, &folder, shelf.parents());
    let answer = answer.await;
    let code = if build(shelf.host).await? < EXPORT_FROM {
        win32::INVALID_NAME
    } else {
        win32::SHARING_VIOLATION
    };
    Ok(refused("export", answer, &[code])?)
}

pub(crate) async fn empty_folder_exists<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let folder = shelf.folder();
    must(
        "create_dir_all",
        shelf.host.files().create_dir_all(&folder).await,
    )?;
    let exists = must("exists", shelf.layers().exists(&folder).await)?;
    Ok(ensure(exists, || {
        "expected an empty folder to be told as a layer".to_owned()
    })?)
}

pub(crate) async fn torn_import_is_not_mounted<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let (layers, torn) = (shelf.layers(), shelf.folder());
    // What an import that was cut off leaves: the folder, part of the files, no hives.
    let files = torn.join("Files");
    let made = shelf.host.files().create_dir_all(&files).await;
    must("create_dir_all", made)?;
    let exists = must("exists", layers.exists(&torn).await)?;
    ensure(exists, || {
        "expected a torn layer to be told as one".to_owned()
    })?;
    let id = Guid::from_u128(0x5763_6f77_0000_4000_8000_0000_0000_0002);
    let chain = shelf.chain(LayerDescriptor {
        id,
        path: torn.clone(),
    });
    let (scratch, torn) = (
        shelf.folder(),
        [win32::FILE_NOT_FOUND, win32::PATH_NOT_FOUND],
    );
    if let Err(error) = layers.create_scratch(&scratch, &chain).await {
        return Ok(refused::<()>("create_scratch", Err(error), &torn)?);
    }
    must("activate", layers.activate(&scratch).await)?;
    let answer = layers.prepare(&scratch, &chain).await;
    Ok(refused("prepare", answer, &torn)?)
}

pub(crate) async fn base_needs_its_files<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let answer = shelf.layers().process_base(&shelf.folder()).await;
    Ok(refused("process_base", answer, &[win32::PATH_NOT_FOUND])?)
}

pub(crate) async fn utility_vm_needs_its_files<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let folder = shelf.folder().join("UtilityVM");
    let answer = shelf.layers().process_utility_vm(&folder).await;
    let code = if build(shelf.host).await? < UTILITY_VM_FROM {
        win32::PROC_NOT_FOUND
    } else {
        win32::PATH_NOT_FOUND
    };
    Ok(refused("process_utility_vm", answer, &[code])?)
}

pub(crate) async fn shared_images_end_with_2016<H: Host>(shelf: &Shelf<'_, H>) -> Ruled {
    let answer = shelf.layers().base_images().await;
    if build(shelf.host).await? > SHARED_IMAGES_UNTIL {
        return Ok(refused("base_images", answer, &[win32::PROC_NOT_FOUND])?);
    }
    Ok(must("base_images", answer.map(drop))?)
}
