//! What a host learns about an image from the image's folder.

use serde::Deserialize;
use wcow_host::era::ImageFacts;
use wcow_ntmeta::HostPath;

use crate::fs::Fs;
use crate::world::Outside;

/// The catalogue's name for an image without the container service: the one refusal that takes its time.
pub(super) const NO_SERVICE: &str = "container-service-missing";
/// The longest file that is read for this, in bytes.
const LONGEST: u64 = 64 << 10;

/// The facts that the host goes by. What cannot be read is 0 or empty, and fits no host.
pub(super) fn image_facts(fs: &Fs, image: &HostPath, out: &mut Outside<'_>) -> ImageFacts {
    let mut facts = ImageFacts {
        build: 0,
        revision: 0,
        product_name: String::new(),
        container_service: false,
    };
    let version = text(fs, &image.join("version.wcx"), out);
    for line in version.lines() {
        match line.split_once('=') {
            Some(("BuildNumber", build)) => facts.build = build.trim().parse().unwrap_or(0),
            Some(("ProductName", name)) => facts.product_name = name.trim().to_owned(),
            _ => {}
        }
    }
    facts.revision = revision(&text(fs, &image.join("metadata.json"), out)).unwrap_or(0);
    let service = image.join(r"files\Windows\System32\CExecSvc.exe");
    facts.container_service =
        matches!(fs.find(&service, out), Ok(Some(spot)) if !fs.is_directory(&spot));
    facts
}

/// The fourth part of the version in an image's metadata.
fn revision(metadata: &str) -> Option<u32> {
    #[derive(Deserialize)]
    struct Metadata {
        #[serde(rename = "Version")]
        version: String,
    }
    let metadata: Metadata = serde_json::from_str(metadata).ok()?;
    metadata.version.split('.').nth(3)?.parse().ok()
}

fn text(fs: &Fs, path: &HostPath, out: &mut Outside<'_>) -> String {
    let Ok(content) = fs.read(path, LONGEST, out) else {
        return String::new();
    };
    let bytes = content
        .blob
        .and_then(|blob| out.blobs.get(blob).ok().flatten());
    // Checking is quicker than looking for what is wrong, which hardly ever is.
    bytes.map_or_else(String::new, |bytes| match str::from_utf8(&bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => String::from_utf8_lossy(&bytes).into_owned(),
    })
}
