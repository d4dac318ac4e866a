//! All files and directories by id: every step of every path asks here.
//!
//! Ids are given out in order, so 32 of them share a page. As long as no page before it has gone, a page stands where its number says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use super::{Node, NodeId};

const PER_PAGE: u32 = 32;

#[derive(Clone, Debug)]
struct Page {
    number: u32,
    slots: Box<[Option<Box<Node>>; PER_PAGE as usize]>,
}

/// A map of nodes; a page without nodes is not kept. In serde it is a map by id, in their order.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "BTreeMap<NodeId, Node>")]
pub(super) struct Nodes(Vec<Page>);

impl Nodes {
    pub(super) fn get(&self, id: NodeId) -> Option<&Node> {
        let (page, slot) = place(id);
        let page = self.0.get(self.find(page).ok()?)?;
        page.slots.get(slot)?.as_deref()
    }

    pub(super) fn get_mut(&mut self, id: NodeId) -> Option<&mut Node> {
        let (page, slot) = place(id);
        let at = self.find(page).ok()?;
        self.0.get_mut(at)?.slots.get_mut(slot)?.as_deref_mut()
    }

    pub(super) fn insert(&mut self, id: NodeId, node: Box<Node>) {
        let (number, slot) = place(id);
        let at = self.find(number).unwrap_or_else(|at| {
            let slots = Box::default();
            self.0.insert(at, Page { number, slots });
            at
        });
        if let Some(slot) = self.0.get_mut(at).and_then(|page| page.slots.get_mut(slot)) {
            *slot = Some(node);
        }
    }

    pub(super) fn remove(&mut self, id: NodeId) -> Option<Box<Node>> {
        let (page, slot) = place(id);
        let at = self.find(page).ok()?;
        let slots = &mut self.0.get_mut(at)?.slots;
        let node = slots.get_mut(slot)?.take()?;
        if slots.iter().all(Option::is_none) {
            self.0.remove(at);
        }
        Some(node)
    }

    /// Where a page is, or would be.
    fn find(&self, number: u32) -> Result<usize, usize> {
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        match self.0.get(at) {
            Some(page) if page.number == number => Ok(at),
            _ => self.0.binary_search_by_key(&number, |page| page.number),
        }
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
        self.0.iter().flat_map(|page| {
            let first = page.number * PER_PAGE;
            (first..=first + (PER_PAGE - 1))
                .map(NodeId)
                .zip(&*page.slots)
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
            Node::new(Default::default(), time, Body::File(Default::default()))
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
