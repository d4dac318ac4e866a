//! Whether an image is what was installed: `Test-ContainerImage`.

use wcow_host::{FileKind, Host};
use wcow_ntmeta::HostPath;

use crate::install::{MAX_HIVE, check_hive};
use crate::layout::{self, BASE_HIVES};
use crate::metadata::{MAX_VERSION_FILE, Metadata, version_value};
use crate::{ImageStore, StoreError, ValidationError};

impl<H: Host> ImageStore<'_, H> {
    /// Everything that is wrong with an image; nothing if it is what was installed.
    ///
    /// Looks at the metadata, `version.wcx`, the five hives with their digests, and the folders that every image has. It does
    /// not read the other files. A folder in quarantine can be named too.
    ///
    /// # Errors
    /// Those of [`find`](Self::find).
    pub async fn test(&self, reference: &str) -> Result<Vec<ValidationError>, StoreError> {
        let found = match self.find_with_metadata(reference).await {
            Err(StoreError::NotFound {
                reference,
                existing,
            }) => {
                let damaged = self.list().await?.damaged;
                return match damaged
                    .into_iter()
                    .find(|damaged| damaged.folder.eq_ignore_ascii_case(&reference))
                {
                    Some(damaged) => Ok(vec![damaged.reason]),
                    None => Err(StoreError::NotFound {
                        reference,
                        existing,
                    }),
                };
            }
            found => found?,
        };
        let mut errors = Vec::new();
        let (path, metadata) = (&found.path, found.metadata());
        if !metadata.path.eq_ignore_ascii_case(&path.to_string()) {
            errors.push(ValidationError::PathDiffers {
                expected: path.to_string(),
                found: metadata.path.clone(),
            });
        }
        self.test_version_file(path, metadata, &mut errors).await?;
        let hives = path.join(layout::HIVES);
        for hive in BASE_HIVES {
            self.test_hive(hive.base, &hives.join(hive.base), metadata, &mut errors)
                .await?;
        }
        for folder in [
            layout::FILES,
            r"files\Windows",
            r"files\Windows\System32",
            layout::CONFIG,
        ] {
            let path = path.join(folder);
            if !self.is_there(&path, FileKind::Directory).await? {
                errors.push(ValidationError::DirectoryMissing { path });
            }
        }
        if let Some(ours) = &metadata.wcow {
            let path = path.join(layout::CONTAINER_SERVICE);
            if self.is_there(&path, FileKind::File).await? != ours.container_service {
                errors.push(ValidationError::ContainerServiceDiffers {
                    path,
                    expected: ours.container_service,
                });
            }
        }
        Ok(errors)
    }

    async fn test_version_file(
        &self,
        image: &HostPath,
        metadata: &Metadata,
        errors: &mut Vec<ValidationError>,
    ) -> Result<(), StoreError> {
        let path = image.join(layout::VERSION_FILE);
        let Some(bytes) = self.read(&path, MAX_VERSION_FILE).await? else {
            errors.push(ValidationError::VersionFileMissing { path });
            return Ok(());
        };
        let product = metadata.wcow.as_ref().map(|ours| ours.product_name.clone());
        for (key, expected) in [
            ("BuildNumber", Some(metadata.version.build.to_string())),
            ("ProductName", product),
        ] {
            let found = version_value(&bytes, key);
            if let Some(expected) = expected
                && found.as_ref() != Some(&expected)
            {
                errors.push(ValidationError::VersionFileDiffers {
                    path: path.clone(),
                    key,
                    expected,
                    found,
                });
            }
        }
        Ok(())
    }

    async fn test_hive(
        &self,
        name: &str,
        path: &HostPath,
        metadata: &Metadata,
        errors: &mut Vec<ValidationError>,
    ) -> Result<(), StoreError> {
        let path = path.clone();
        let Some(bytes) = self.read(&path, MAX_HIVE).await? else {
            errors.push(ValidationError::HiveMissing { path });
            return Ok(());
        };
        let record = metadata.wcow.as_ref().and_then(|ours| ours.hives.get(name));
        match (check_hive(&bytes), record) {
            (Err(error), _) => errors.push(ValidationError::HiveDamaged { path, error }),
            (Ok(now), Some(then)) if now.sha256 != then.sha256 => {
                errors.push(ValidationError::HiveChanged {
                    path,
                    expected: then.sha256.clone(),
                    found: now.sha256.clone(),
                });
            }
            _ => {}
        }
        Ok(())
    }
}
