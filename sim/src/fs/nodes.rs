//! All files and directories by id: every step of every path asks here.
//!
//! Ids are given out in order, so 32 of them share a page: most worlds have few enough pages to be found in one node of the map.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use super::{Node, NodeId};

const PER_PAGE: u32 = 32;

type Page = [Option<Box<Node>>; PER_PAGE as usize];

/// A map of nodes; a page without nodes is not kept. In serde it is a map by id, in their order.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "BTreeMap<NodeId, Node>")]
pub(super) struct Nodes(BTreeMap<u32, Page>);

impl Nodes {
    pub(super) fn get(&self, id: NodeId) -> Option<&Node> {
        let (page, slot) = place(id);
        self.0.get(&page)?.get(slot)?.as_deref()
    }

    pub(super) fn get_mut(&mut self, id: NodeId) -> Option<&mut Node> {
        let (page, slot) = place(id);
        self.0.get_mut(&page)?.get_mut(slot)?.as_deref_mut()
    }

    pub(super) fn insert(&mut self, id: NodeId, node: Box<Node>) {
        let (page, slot) = place(id);
        if let Some(slot) = self.0.entry(page).or_default().get_mut(slot) {
            *slot = Some(node);
        }
    }

    pub(super) fn remove(&mut self, id: NodeId) -> Option<Box<Node>> {
        let (page, slot) = place(id);
        let slots = self.0.get_mut(&page)?;
        let node = slots.get_mut(slot)?.take()?;
        if slots.iter().all(Option::is_none) {
            self.0.remove(&page);
        }
        Some(node)
    }

    /// Puts back nodes whose ids are not in use.
    pub(super) fn extend(&mut self, nodes: impl IntoIterator<Item = (NodeId, Box<Node>)>) {
        for (id, node) in nodes {
            self.insert(id, node);
        }
    }

    /// Removes all nodes but some.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(NodeId) -> bool) {
        let gone: Vec<NodeId> = self
            .iter()
            .map(|(id, _)| id)
            .filter(|id| !keep(*id))
            .collect();
        for id in gone {
            self.remove(id);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.0.iter().flat_map(|(page, slots)| {
            let first = page * PER_PAGE;
            (first..=first + (PER_PAGE - 1))
                .map(NodeId)
                .zip(slots)
                .filter_map(|(id, slot)| Some((id, slot.as_deref()?)))
        })
    }
}

impl From<BTreeMap<NodeId, Node>> for Nodes {
    fn from(nodes: BTreeMap<NodeId, Node>) -> Self {
        let mut pages = Self::default();
        for (id, node) in nodes {
            pages.insert(id, Box::new(node));
        }
        pages
    }
}

impl Serialize for Nodes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// The page of an id, and its place there.
fn place(id: NodeId) -> (u32, usize) {
    (id.0 / PER_PAGE, (id.0 % PER_PAGE) as usize)
}

#[cfg(test)]
mod tests {
    use wcow_ntmeta::FileTime;

    use super::super::Body;
    use super::*;

    #[test]
    fn nodes_are_kept_in_the_order_of_their_ids() {
        let node = |ticks| {
            let time = FileTime::from_ticks(ticks);
            Node::new(Default::default(), time, Body::File(Vec::new()))
        };
        let ids = [u32::MAX, 64, 0, 33, 32, 1];
        let mut nodes = Nodes::default();
        for id in ids {
            nodes.insert(NodeId(id), Box::new(node(u64::from(id))));
        }
        let saved = serde_json::to_string(&nodes).unwrap();
        let nodes: Nodes = serde_json::from_str(&saved).unwrap();
        let order: Vec<u32> = nodes.iter().map(|(id, _)| id.0).collect();
        assert_eq!(order, [0, 1, 32, 33, 64, u32::MAX]);
        let mut nodes = nodes;
        for id in ids {
            let there = nodes.get(NodeId(id)).map(|node| node.created.ticks());
            assert_eq!(there, Some(u64::from(id)));
            assert!(nodes.remove(NodeId(id)).is_some());
            assert!(nodes.get(NodeId(id)).is_none());
            assert!(nodes.remove(NodeId(id)).is_none());
        }
        assert!(nodes.0.is_empty(), "a page without nodes is not kept");
    }
}
