//! The precautions of the engine: what it does only because something may go wrong.

use wcow_host::Precaution;

/// A record's contents are durable before it replaces the one of before. Without it a record is empty or torn.
pub(crate) const SYNC_RECORD: Precaution = Precaution::new("sync-record");
/// That it has replaced the one of before. Without it what was done is forgotten.
pub(crate) const SYNC_RECORD_NAME: Precaution = Precaution::new("sync-record-name");
/// The names of the folders above the records. Without it all records can be lost.
pub(crate) const SYNC_RECORD_FOLDERS: Precaution = Precaution::new("sync-record-folders");
/// That a record is gone. Without it what was removed is there again.
pub(crate) const SYNC_RECORD_REMOVAL: Precaution = Precaution::new("sync-record-removal");
/// That the log of a container is gone, before its record is. Without it the log is there again, and nobody knows whose it is.
pub(crate) const SYNC_LOG_REMOVAL: Precaution = Precaution::new("sync-log-removal");
/// The name of an image that gets a container. Whoever installed it may have died before it was durable. Without it a container is there
/// and its image is lost.
pub(crate) const SYNC_USED_IMAGE: Precaution = Precaution::new("sync-used-image");
/// That the record of a network that gets a container says that it is finished, for the same reason. Without it a container is there and
/// its network is taken for one that was cut off.
pub(crate) const SYNC_USED_NETWORK: Precaution = Precaution::new("sync-used-network");
/// A container whose record could not be finished is taken back. Without it a creation fails, and the container stays.
pub(crate) const ROLLBACK_CREATION: Precaution = Precaution::new("rollback-creation");
/// A start that could not be recorded is taken back. Without it a start fails, and the container runs.
pub(crate) const ROLLBACK_START: Precaution = Precaution::new("rollback-start");
/// What was made of a network that could not be made in full, or not be recorded, is taken back. Without it a switch stays.
pub(crate) const ROLLBACK_NETWORK: Precaution = Precaution::new("rollback-network");
/// What a creation left that was cut off is taken back by whoever comes next. Without it it stays for ever.
pub(crate) const RECOVER_CREATION: Precaution = Precaution::new("recover-creation");
/// So is what the creation of a network left.
pub(crate) const RECOVER_NETWORK: Precaution = Precaution::new("recover-network");
/// So is what a start left. Without it the container cannot be started any more.
pub(crate) const RECOVER_START: Precaution = Precaution::new("recover-start");
/// So is a record that is not in its place yet.
pub(crate) const RECOVER_RECORD: Precaution = Precaution::new("recover-record");
/// A NAT network that the host lost with a restart is made again. Without it its containers cannot be started any more.
pub(crate) const RECOVER_LOST_NETWORK: Precaution = Precaution::new("recover-lost-network");
/// What may still be on its way is not taken back yet. Without it it comes when nobody knows of it any more.
pub(crate) const RECOVER_LATER: Precaution = Precaution::new("recover-later");

/// All precautions of the engine, without those of the image store and the runtime.
pub const PRECAUTIONS: [Precaution; 16] = [
    SYNC_RECORD,
    SYNC_RECORD_NAME,
    SYNC_RECORD_FOLDERS,
    SYNC_RECORD_REMOVAL,
    SYNC_LOG_REMOVAL,
    SYNC_USED_IMAGE,
    SYNC_USED_NETWORK,
    ROLLBACK_CREATION,
    ROLLBACK_START,
    ROLLBACK_NETWORK,
    RECOVER_CREATION,
    RECOVER_NETWORK,
    RECOVER_START,
    RECOVER_RECORD,
    RECOVER_LOST_NETWORK,
    RECOVER_LATER,
];
