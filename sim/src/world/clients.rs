//! The clients that are there: processes that talk to the host.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::call::ClientId;

/// Clients in ascending order. In serde a sequence.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "BTreeSet<ClientId>")]
pub(super) struct Clients(Vec<ClientId>);

impl Clients {
    /// Adds one whose number is higher than all before.
    pub(super) fn add(&mut self, client: ClientId) {
        self.0.push(client);
    }

    pub(super) fn contains(&self, client: ClientId) -> bool {
        self.place(client).is_some()
    }

    pub(super) fn remove(&mut self, client: ClientId) {
        if let Some(place) = self.place(client) {
            self.0.remove(place);
        }
    }

    fn place(&self, client: ClientId) -> Option<usize> {
        // As long as all that were added are there, each has a place of its own, counted from 1.
        let own = usize::try_from(client.0).ok()?.checked_sub(1)?;
        if self.0.get(own) == Some(&client) {
            return Some(own);
        }
        self.0.binary_search(&client).ok()
    }
}

impl From<BTreeSet<ClientId>> for Clients {
    fn from(clients: BTreeSet<ClientId>) -> Self {
        Self(clients.into_iter().collect())
    }
}

impl IntoIterator for Clients {
    type Item = ClientId;
    type IntoIter = std::vec::IntoIter<ClientId>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_there_is_found_whoever_has_gone() {
        let mut clients = Clients::default();
        (1..=9).for_each(|number| clients.add(ClientId(number)));
        let there = |clients: &Clients| {
            Vec::from_iter((0..=12).filter(|number| clients.contains(ClientId(*number))))
        };
        assert_eq!(there(&clients), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        for number in [2, 9, 1, 9, 12, 0] {
            clients.remove(ClientId(number));
        }
        clients.add(ClientId(10));
        assert_eq!(there(&clients), [3, 4, 5, 6, 7, 8, 10]);
        let json = serde_json::to_string(&clients).unwrap();
        assert_eq!(json, "[3,4,5,6,7,8,10]");
        let read: Clients = serde_json::from_str("[10,3,4,8,7,6,5]").unwrap();
        assert_eq!(read.0, clients.0);
    }
}
