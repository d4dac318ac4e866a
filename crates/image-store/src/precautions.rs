//! The precautions of the store: what it does only because something may go wrong.

use wcow_host::Precaution;

/// The tree of an image is durable before the image gets its name. Without it an image is there whose files are torn.
pub(crate) const SYNC_TREE: Precaution = Precaution::new("sync-image-tree");
/// So are the contents of its base hives. Without it a hive is empty or torn.
pub(crate) const SYNC_HIVES: Precaution = Precaution::new("sync-image-hives");
/// So are the names of its base hives. Without it a hive is missing.
pub(crate) const SYNC_HIVE_NAMES: Precaution = Precaution::new("sync-image-hive-names");
/// So is the description. Without it an image that was installed is damaged.
pub(crate) const SYNC_METADATA: Precaution = Precaution::new("sync-image-metadata");
/// So are the files beside it. Without it the version file is empty or torn.
pub(crate) const SYNC_BESIDE: Precaution = Precaution::new("sync-image-version");
/// So are their names. Without it one of them is missing.
pub(crate) const SYNC_NAMES: Precaution = Precaution::new("sync-image-names");
/// The names of the folders above the store. Without it the whole store can be lost.
pub(crate) const SYNC_FOLDERS: Precaution = Precaution::new("sync-store-folders");
/// The name of an image. Without it an image that was installed is not there.
pub(crate) const SYNC_IMAGE: Precaution = Precaution::new("sync-image");
/// That the name of an image is gone. Without it an image that was removed is there again.
pub(crate) const SYNC_REMOVAL: Precaution = Precaution::new("sync-image-removal");
/// What a failed install wrote is deleted. Without it it takes room until the store is opened again.
pub(crate) const ROLLBACK_INSTALL: Precaution = Precaution::new("rollback-install");
/// An image whose name may not be durable is taken back. Without it an install fails, and the image is there.
pub(crate) const ROLLBACK_IMAGE: Precaution = Precaution::new("rollback-image");
/// Whoever opens the store deletes what an install left that was cut off. Without it it takes room for ever.
pub(crate) const RECOVER_INSTALL: Precaution = Precaution::new("recover-install");
/// And what a removal left that was cut off.
pub(crate) const RECOVER_REMOVAL: Precaution = Precaution::new("recover-image-removal");

/// All precautions of the store.
pub const PRECAUTIONS: [Precaution; 13] = [
    SYNC_TREE,
    SYNC_HIVES,
    SYNC_HIVE_NAMES,
    SYNC_METADATA,
    SYNC_BESIDE,
    SYNC_NAMES,
    SYNC_FOLDERS,
    SYNC_IMAGE,
    SYNC_REMOVAL,
    ROLLBACK_INSTALL,
    ROLLBACK_IMAGE,
    RECOVER_INSTALL,
    RECOVER_REMOVAL,
];
