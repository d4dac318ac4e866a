//! Where things lie on a host, and what layers are called.

use std::borrow::Cow;
use std::sync::LazyLock;

use sha1::{Digest, Sha1};
use wcow_ntmeta::{Guid, HostPath};

use super::containers_persist;

/// The namespace of [`layer_id`]: made up for this purpose.
const LAYER_NAMESPACE: Guid = Guid::from_u128(0x9f1c_4f3e_52a7_4c0b_8f0d_7763_6f77_6c79);

/// The folder of the base images.
#[must_use]
pub fn image_root() -> HostPath {
    static ROOT: LazyLock<HostPath> =
        LazyLock::new(|| HostPath::root("C:").join(r"ProgramData\Microsoft\Windows\Images"));
    ROOT.clone()
}

/// The scratch layer of a container. On Technical Previews 3 and 4 it lies where the host itself puts it, its name in upper case;
/// later a client chooses, and this is ours.
///
/// Characters of the id that no folder name can hold become `_`.
#[must_use]
pub fn scratch_folder(build: u32, id: &str) -> HostPath {
    static HOSTS: LazyLock<HostPath> = LazyLock::new(|| {
        HostPath::root("C:").join(r"ProgramData\Microsoft\Windows\Hyper-V\containers")
    });
    static OURS: LazyLock<HostPath> =
        LazyLock::new(|| HostPath::root("C:").join(r"ProgramData\wcow\containers"));
    let (parent, name) = if containers_persist(build) {
        (&*HOSTS, Cow::Owned(id.to_uppercase()))
    } else {
        (&*OURS, Cow::Borrowed(id))
    };
    let possible = |unit| match u8::try_from(unit) {
        Ok(b'\\' | b'/' | 0) => u16::from(b'_'),
        _ => unit,
    };
    let name: Vec<u16> = name.encode_utf16().map(possible).collect();
    let mut folder = parent.clone();
    if folder.push(&name).is_ok() {
        folder
    } else {
        folder.join("_")
    }
}

/// The id of a layer: a version 5 GUID (RFC 9562) of its folder's name, in UTF-8, exact.
///
/// Windows derives its ids the same way from a namespace that was never published, so these are consistent with each other, but
/// are not the ids that a real host makes of the same names.
#[must_use]
pub fn layer_id(folder_name: &str) -> Guid {
    let digest: [u8; 20] = Sha1::new()
        .chain_update(LAYER_NAMESPACE.to_u128().to_be_bytes())
        .chain_update(folder_name.as_bytes())
        .finalize()
        .into();
    let number = digest
        .iter()
        .take(16)
        .fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    let version = number & !(0xF << 76) | 5 << 76;
    Guid::from_u128(version & !(0x3 << 62) | 2 << 62)
}
