//! What a host learns about an image from the image's folder.

use std::convert::Infallible;
use std::sync::Arc;

use serde::Deserialize;
use wcow_host::FileBytes;
use wcow_host::era::ImageFacts;
use wcow_ntmeta::HostPath;

use crate::fs::Fs;
use crate::known;
use crate::world::Outside;

/// The catalogue's name for an image without the container service: the one refusal that takes its time.
pub(super) const NO_SERVICE: &str = "container-service-missing";
/// The longest file that is read for this, in bytes.
const LONGEST: u64 = 64 << 10;

/// The facts that the host goes by. What cannot be read is 0 or empty, and fits no host.
pub(super) fn image_facts(fs: &Fs, image: &HostPath, out: &mut Outside<'_>) -> ImageFacts {
    let version = reading(fs, &image.join("version.wcx"), out, Version::read);
    let revision = reading(fs, &image.join("metadata.json"), out, Revision::read);
    ImageFacts {
        build: version.as_ref().map_or(0, |version| version.build),
        revision: revision.map_or(0, |revision| revision.0),
        product_name: version.map_or_else(String::new, |version| version.product_name.clone()),
        container_service: has_container_service(fs, image, out),
    }
}

/// Whether the image has the container service.
pub(super) fn has_container_service(fs: &Fs, image: &HostPath, out: &mut Outside<'_>) -> bool {
    let service = image.join(r"files\Windows\System32\CExecSvc.exe");
    matches!(fs.find(&service, out), Ok(Some(spot)) if !fs.is_directory(&spot))
}

/// What `version.wcx` says.
#[derive(Default)]
struct Version {
    build: u32,
    product_name: String,
}

impl Version {
    fn read(bytes: &[u8]) -> Self {
        let mut version = Self::default();
        for line in String::from_utf8_lossy(bytes).lines() {
            match line.split_once('=') {
                Some(("BuildNumber", build)) => version.build = build.trim().parse().unwrap_or(0),
                Some(("ProductName", name)) => version.product_name = name.trim().to_owned(),
                _ => {}
            }
        }
        version
    }
}

/// The fourth part of the version in an image's metadata.
struct Revision(u32);

impl Revision {
    fn read(metadata: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Metadata {
            #[serde(rename = "Version")]
            version: String,
        }
        let metadata = serde_json::from_slice::<Metadata>(metadata).ok();
        let part = metadata.and_then(|known| known.version.split('.').nth(3)?.parse().ok());
        Self(part.unwrap_or(0))
    }
}

/// What a file says; each content is read once.
fn reading<T: Send + Sync + 'static>(
    fs: &Fs,
    path: &HostPath,
    out: &mut Outside<'_>,
    read: impl FnOnce(&[u8]) -> T,
) -> Option<Arc<T>> {
    let blob = fs.read(path, LONGEST, out).ok()?.blob?;
    let bytes = out.blobs.get(blob).ok()??;
    let bytes = FileBytes::with_sha256(bytes, blob.0).with_readings(known::readings(blob));
    let read = |bytes: &FileBytes| Ok::<_, Infallible>(read(bytes));
    bytes.read_as(read).ok()
}
