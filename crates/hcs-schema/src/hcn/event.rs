//! The numbers of notifications, and the keys of a question.

use std::collections::BTreeMap;

use serde_json::Value;

use super::HostComputeQuery;
use crate::SchemaVersion;

/// What a notification is about: the number that the callback of `HcnRegisterServiceCallback` gets. Its document is a
/// [`NotificationBase`](super::NotificationBase).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Notification {
    /// A network is about to be created.
    NetworkPreCreate,
    /// A network was created.
    NetworkCreate,
    /// A network is about to be deleted.
    NetworkPreDelete,
    /// A network was deleted.
    NetworkDelete,
    /// A namespace was created.
    NamespaceCreate,
    /// A namespace was deleted.
    NamespaceDelete,
    /// The network service of a guest was created.
    GuestNetworkServiceCreate,
    /// The network service of a guest was deleted.
    GuestNetworkServiceDelete,
    /// An endpoint was attached.
    NetworkEndpointAttached,
    /// An endpoint was detached.
    NetworkEndpointDetached,
    /// The network service of a guest is in another state.
    GuestNetworkServiceStateChanged,
    /// An interface of the network service of a guest is in another state.
    GuestNetworkServiceInterfaceStateChanged,
    /// The service ended; nothing more is told.
    ServiceDisconnect,
    /// Another number.
    Other(u32),
}

const NUMBERS: &[(Notification, u32)] = &[
    (Notification::NetworkPreCreate, 1),
    (Notification::NetworkCreate, 2),
    (Notification::NetworkPreDelete, 3),
    (Notification::NetworkDelete, 4),
    (Notification::NamespaceCreate, 5),
    (Notification::NamespaceDelete, 6),
    (Notification::GuestNetworkServiceCreate, 7),
    (Notification::GuestNetworkServiceDelete, 8),
    (Notification::NetworkEndpointAttached, 9),
    (Notification::NetworkEndpointDetached, 0x10),
    (Notification::GuestNetworkServiceStateChanged, 0x11),
    (Notification::GuestNetworkServiceInterfaceStateChanged, 0x12),
    (Notification::ServiceDisconnect, 0x0100_0000),
];

impl From<u32> for Notification {
    fn from(number: u32) -> Self {
        let known = NUMBERS.iter().find(|(_, known)| *known == number);
        known.map_or(Self::Other(number), |(notification, _)| *notification)
    }
}

impl From<Notification> for u32 {
    fn from(notification: Notification) -> Self {
        if let Notification::Other(number) = notification {
            return number;
        }
        let known = NUMBERS.iter().find(|(known, _)| *known == notification);
        known.map_or(0, |(_, number)| *number)
    }
}

impl HostComputeQuery {
    /// A question for the objects that have all of these keys, for example `Name`.
    #[must_use]
    pub fn of_keys(keys: &BTreeMap<String, String>) -> Self {
        let filter: Value = keys
            .iter()
            .map(|(key, value)| (key.clone(), Value::from(value.as_str())))
            .collect();
        Self {
            schema_version: Some(SchemaVersion::new(2, 0)),
            flags: Some(super::HostComputeQueryFlags::NONE),
            filter: (!keys.is_empty()).then(|| filter.to_string()),
            ..Self::default()
        }
    }

    /// The keys that an object must have; none if all objects are asked for.
    ///
    /// # Errors
    /// If the filter is no JSON, or no object of texts.
    pub fn keys(&self) -> Result<BTreeMap<String, String>, serde_json::Error> {
        match self.filter.as_deref() {
            None | Some("") => Ok(BTreeMap::new()),
            Some(filter) => serde_json::from_str(filter),
        }
    }
}
