//! Base OS images by name, and from WIM files.

use std::pin::pin;

use wcow_host::Host;
use wcow_image_store::{
    DamagedImage, ImageDetails, ImageStore, ImageVersion, InstallRequest, StoreError, StoredImage,
    ValidationError,
};
use wcow_tree::TreeSource;
use wcow_wim::{ImageError, ImageIndex, ImageInfo, Wim};

use crate::{Action, Engine, EngineError, Kind};

/// Why a WIM image cannot be installed, before a host is asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallWimError {
    /// The metadata of the image cannot be read.
    #[error("image {index} cannot be read")]
    Image {
        /// Its number.
        index: u32,
        /// Why.
        #[source]
        error: ImageError,
    },
    /// The image has no name, and none was given.
    #[error("image {0} has no name in the WIM's XML data: give one")]
    NoName(u32),
    /// The XML data does not say which Windows is in the image.
    #[error("image {index} is not a Windows image: the WIM's XML data has no {missing}")]
    NotWindows {
        /// Its number.
        index: u32,
        /// The element that is missing.
        missing: &'static str,
    },
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// What an image of a WIM would be installed as: name and version as its XML data gives them.
///
/// # Errors
/// [`InstallWimError::NoName`], [`InstallWimError::NotWindows`].
pub fn request_for(
    image: &ImageInfo,
    name: Option<&str>,
) -> Result<InstallRequest, InstallWimError> {
    let index = image.index.get();
    let name = name
        .map(str::to_owned)
        .or_else(|| image.name.clone())
        .filter(|name| !name.is_empty())
        .ok_or(InstallWimError::NoName(index))?;
    let missing = |missing| InstallWimError::NotWindows { index, missing };
    let windows = image.windows.as_ref().ok_or(missing("WINDOWS section"))?;
    let version = windows
        .version
        .as_ref()
        .ok_or(missing("VERSION of Windows"))?;
    Ok(InstallRequest {
        name,
        version: ImageVersion {
            major: version.major,
            minor: version.minor,
            build: version.build,
            revision: version.sp_build,
        },
        product_name: windows.edition_id.clone().ok_or(missing("EDITIONID"))?,
        description: image.description.clone().unwrap_or_default(),
        size: image.total_bytes.unwrap_or(0),
    })
}

impl<H: Host> Engine<H> {
    /// Installs a tree as a base OS image. The image is listed once it is whole; a failure leaves nothing behind.
    ///
    /// # Errors
    /// [`EngineError::Install`], [`EngineError::Store`].
    pub async fn install_image(
        &self,
        request: InstallRequest,
        source: &mut dyn TreeSource,
    ) -> Result<StoredImage, EngineError> {
        let name = request.name.clone();
        let store = self.store().into_open().await?;
        let installed = store.install(&request, source).await;
        // What was done is done: a lock that cannot be given back ends with the process.
        let _ = store.close().await;
        let image = installed.map_err(|error| EngineError::Install {
            name,
            error: Box::new(error),
        })?;
        self.tell_of(Kind::Image, &image.full_name, Action::Created)
            .await;
        Ok(image)
    }

    /// Installs an image of a WIM file under the name and version that its XML data gives, or another name.
    ///
    /// # Errors
    /// [`InstallWimError`].
    pub async fn install_wim(
        &self,
        wim: &Wim,
        index: ImageIndex,
        name: Option<&str>,
    ) -> Result<StoredImage, InstallWimError> {
        let unreadable = |error| InstallWimError::Image {
            index: index.get(),
            error,
        };
        let image = wim.image(index).map_err(unreadable)?;
        let info = wim.images().iter().find(|info| info.index == index).ok_or(
            InstallWimError::NotWindows {
                index: index.get(),
                missing: "IMAGE element",
            },
        )?;
        let request = request_for(info, name)?;
        let mut source = wim.extractor(&image);
        Ok(self.install_image(request, &mut source).await?)
    }

    /// The installed images, by full name.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn images(&self) -> Result<Vec<StoredImage>, EngineError> {
        Ok(self.store().list().await?.images)
    }

    /// Folders in the image store that are not usable images, and why.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn damaged_images(&self) -> Result<Vec<DamagedImage>, EngineError> {
        Ok(self.store().list().await?.damaged)
    }

    /// One image, by full name, name, or `name:version`.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] with the images that there are, [`EngineError::Store`].
    pub async fn image(&self, reference: &str) -> Result<StoredImage, EngineError> {
        self.store().find(reference).await.map_err(not_found)
    }

    /// All that is known of an image.
    ///
    /// # Errors
    /// As for [`image`](Self::image).
    pub async fn inspect_image(&self, reference: &str) -> Result<ImageDetails, EngineError> {
        self.store().inspect(reference).await.map_err(not_found)
    }

    /// Checks an installed image: no errors is an empty list.
    ///
    /// # Errors
    /// As for [`image`](Self::image).
    pub async fn test_image(&self, reference: &str) -> Result<Vec<ValidationError>, EngineError> {
        self.store().test(reference).await.map_err(not_found)
    }

    /// Removes an image that no container uses.
    ///
    /// # Errors
    /// [`EngineError::InUse`], [`EngineError::Busy`], and as for [`image`](Self::image).
    pub async fn remove_image(&self, reference: &str) -> Result<StoredImage, EngineError> {
        let image = self.image(reference).await?;
        let name = image.full_name.clone();
        self.locked((Kind::Image, &name), pin!(self.remove_locked_image(image)))
            .await
    }

    async fn remove_locked_image(&self, image: StoredImage) -> Result<StoredImage, EngineError> {
        let users = self.containers_from(&image.full_name).await?;
        if !users.is_empty() {
            let by = format!("container {}", users.join(", "));
            return Err(EngineError::InUse {
                kind: Kind::Image,
                name: image.full_name,
                by,
            });
        }
        let store = self.store().into_open().await?;
        let removed = store.remove(&image.full_name).await;
        let _ = store.close().await;
        removed.map_err(not_found)?;
        self.tell_of(Kind::Image, &image.full_name, Action::Removed)
            .await;
        Ok(image)
    }

    fn store(&self) -> ImageStore<'_, H> {
        ImageStore::open_read_only(&self.host).with_written(&self.written)
    }
}

fn not_found(error: StoreError) -> EngineError {
    match error {
        StoreError::NotFound {
            reference,
            existing,
        } => EngineError::NotFound {
            kind: Kind::Image,
            name: reference,
            existing,
        },
        error => EngineError::Store(error),
    }
}
