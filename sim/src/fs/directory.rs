//! The names in a directory, in the order of NTFS: every step of every path asks here.
//!
//! A sorted list. The first four units of each name stand beside it as one number, so that most names are told apart without being
//! looked at.

use std::cmp::Ordering;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wcow_ntmeta::WideName;
use wcow_ntmeta::upcase::{cmp_ignore_case, eq_ignore_case, upcase_unit};

use super::Child;

/// What a directory holds, in the order of the upcased names. In serde a sequence of pairs: the upcased name, the child.
#[derive(Clone, Debug, Default)]
pub(super) struct Children(Vec<Named>);

#[derive(Clone, Debug)]
struct Named {
    /// The first four units of the upcased name.
    head: u64,
    child: Child,
}

impl Named {
    fn order(&self, head: u64, units: &[u16]) -> Ordering {
        let by_head = self.head.cmp(&head);
        by_head.then_with(|| cmp_ignore_case(self.child.name.units(), units))
    }
}

impl Children {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// What has this name, in whatever case. Nothing is upcased that is not looked at.
    pub(super) fn find(&self, units: &[u16]) -> Option<&Child> {
        let head = upcased_head(units);
        let first = self.0.partition_point(|named| named.head < head);
        let alike = self.0.get(first..).unwrap_or_default();
        // Names that begin alike are many in few directories only.
        let (named, others) = alike.split_first()?;
        if named.head != head {
            return None;
        }
        let name = named.child.name.units();
        // Most names are asked for as they were given.
        if name == units || eq_ignore_case(name, units) {
            return Some(&named.child);
        }
        let place = others.binary_search_by(|named| named.order(head, units));
        others.get(place.ok()?).map(|named| &named.child)
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, units: &[u16]) -> Option<&mut Child> {
        let place = self.place(upcased_head(units), units).ok()?;
        self.0.get_mut(place).map(|named| &mut named.child)
    }

    /// Adds a child. Gives back what had its name, in whatever case.
    pub(super) fn insert(&mut self, child: Child) -> Option<Child> {
        let head = upcased_head(child.name.units());
        match self.place(head, child.name.units()) {
            Ok(place) => {
                let named = self.0.get_mut(place)?;
                Some(std::mem::replace(&mut named.child, child))
            }
            Err(place) => {
                self.0.insert(place, Named { head, child });
                None
            }
        }
    }

    /// Takes away what has this name, in whatever case.
    pub(super) fn remove(&mut self, units: &[u16]) -> Option<Child> {
        let place = self.place(upcased_head(units), units).ok()?;
        Some(self.0.remove(place).child)
    }

    /// Keeps only some.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&Child) -> bool) {
        self.0.retain(|named| keep(&named.child));
    }

    /// The children in the order of their upcased names.
    pub(super) fn values(&self) -> impl ExactSizeIterator<Item = &Child> {
        self.0.iter().map(|named| &named.child)
    }

    /// Where a name is, or would be.
    fn place(&self, head: u64, units: &[u16]) -> Result<usize, usize> {
        self.0.binary_search_by(|named| named.order(head, units))
    }
}

/// The first four units of a name; of two names the smaller one has no larger head.
fn head(units: &[u16]) -> u64 {
    match *units {
        [a, b, c, d, ..] => word(&[a, b, c, d]),
        [a, b, c] => word(&[a, b, c, 0]),
        [a, b] => word(&[a, b, 0, 0]),
        [a] => word(&[a, 0, 0, 0]),
        [] => 0,
    }
}

/// Four units as one number, the first one highest.
fn word(units: &[u16; 4]) -> u64 {
    let &[a, b, c, d] = units;
    u64::from(a) << 48 | u64::from(b) << 32 | u64::from(c) << 16 | u64::from(d)
}

/// The head of the upcased name.
pub(super) fn upcased_head(units: &[u16]) -> u64 {
    /// The same unit in each place.
    const fn four(unit: u64) -> u64 {
        unit << 48 | unit << 32 | unit << 16 | unit
    }
    let as_it_is = head(units);
    if as_it_is & four(0xff80) == 0 {
        // ASCII, almost always: all four units at once. The highest bit of each is set from `a` on, and from behind `z` on.
        let from_a = as_it_is + four(0x8000 - 0x61);
        let behind_z = as_it_is + four(0x8000 - 0x7b);
        let is_lower = from_a & !behind_z & four(0x8000);
        return as_it_is - (is_lower >> 10);
    }
    let mut upcased = [0; 4];
    let len = units.len().min(upcased.len());
    for (to, &unit) in upcased.iter_mut().zip(units) {
        *to = upcase_unit(unit);
    }
    head(upcased.get(..len).unwrap_or_default())
}

impl Serialize for Children {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.values().map(|child| (child.name.upcased(), child)))
    }
}

impl<'de> Deserialize<'de> for Children {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut children = Self::new();
        for (_, child) in Vec::<(WideName, Child)>::deserialize(deserializer)? {
            children.insert(child);
        }
        Ok(children)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::NodeId;
    use super::*;
    use crate::choice::{Choice, Choices, Label};

    #[test]
    fn heads_are_upcased_unit_by_unit() {
        for unit in (0..=0x180).chain([0xe000, 0xffe1, 0xffff]) {
            for name in [
                vec![unit],
                vec![0x7a, unit, 0x61],
                vec![unit, 0x60, 0x7b, unit, 0x61],
                vec![0x7f, 0, 0, unit],
            ] {
                let upcased: Vec<u16> = name.iter().map(|&unit| upcase_unit(unit)).collect();
                assert_eq!(upcased_head(&name), head(&upcased), "{name:x?}");
            }
        }
    }

    #[test]
    fn it_is_a_map_in_the_order_of_the_units() {
        let mut choice = Choice::new(Choices::Seed(5));
        let mut children = Children::new();
        let mut model: BTreeMap<WideName, Child> = BTreeMap::new();
        for number in 0..4000 {
            // Short names of few letters, so that many begin alike, and NUL, which looks like the end of a short one.
            let len = choice.draw(Label::Guest, 7);
            let name: WideName = (0..len)
                .map(|_| [0, 0x41, 0x61, 0x42, 0x62, 0xffff][choice.draw(Label::Guest, 6) as usize])
                .collect();
            let upcased = name.upcased();
            let child = Child {
                name: name.clone(),
                node: NodeId(number),
            };
            match choice.draw(Label::Guest, 4) {
                0 => {
                    let removed = children.remove(name.units());
                    assert_eq!(removed, model.remove(upcased.units()));
                }
                1 => {
                    let found = children.get_mut(name.units()).map(|child| &*child);
                    assert_eq!(found, model.get(upcased.units()));
                }
                _ => {
                    let before = children.insert(child.clone());
                    assert_eq!(before, model.insert(upcased.clone(), child));
                }
            }
            let found = children.find(name.units());
            assert_eq!(found, model.get(upcased.units()));
            assert_eq!(children.find(upcased.units()), found);
            assert!(children.values().eq(model.values()));
        }
        children.retain(|child| child.node.0 % 2 == 0);
        model.retain(|_, child| child.node.0 % 2 == 0);
        let saved = serde_json::to_string(&children).unwrap();
        assert_eq!(
            saved,
            serde_json::to_string(&model.iter().collect::<Vec<_>>()).unwrap()
        );
        let children: Children = serde_json::from_str(&saved).unwrap();
        assert!(children.values().eq(model.values()));
    }
}
