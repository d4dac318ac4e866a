//! The names in a directory, in the order of NTFS: every step of every path asks here.
//!
//! A sorted list. The first four units of each name stand beside it as one number, so that most names are told apart without being
//! looked at.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wcow_ntmeta::WideName;
use wcow_ntmeta::upcase::{cmp_ignore_case, eq_ignore_case, upcase_unit};

use super::Child;

/// What a directory holds, by upcased name. In serde a sequence of pairs.
#[derive(Clone, Debug, Default)]
pub(super) struct Children(Vec<Named>);

#[derive(Clone, Debug)]
struct Named {
    head: u64,
    key: WideName,
    child: Child,
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
        // Most names are asked for as they were given.
        if named.child.name.units() == units || eq_ignore_case(named.key.units(), units) {
            return Some(&named.child);
        }
        let order = |named: &Named| cmp_ignore_case(named.key.units(), units);
        let place =
            others.binary_search_by(|named| named.head.cmp(&head).then_with(|| order(named)));
        others.get(place.ok()?).map(|named| &named.child)
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, key: &[u16]) -> Option<&mut Child> {
        let place = self.place(key).ok()?;
        self.0.get_mut(place).map(|named| &mut named.child)
    }

    /// Gives a child an upcased name. Gives back what had it.
    pub(super) fn insert(&mut self, key: WideName, child: Child) -> Option<Child> {
        match self.place(key.units()) {
            Ok(place) => self
                .0
                .get_mut(place)
                .map(|named| std::mem::replace(&mut named.child, child)),
            Err(place) => {
                let head = head(key.units());
                self.0.insert(place, Named { head, key, child });
                None
            }
        }
    }

    /// Takes an upcased name away, with what has it.
    pub(super) fn remove(&mut self, key: &[u16]) -> Option<(WideName, Child)> {
        let place = self.place(key).ok()?;
        let Named { key, child, .. } = self.0.remove(place);
        Some((key, child))
    }

    /// Keeps only some.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&Child) -> bool) {
        self.0.retain(|named| keep(&named.child));
    }

    /// The children in the order of their upcased names.
    pub(super) fn values(&self) -> impl ExactSizeIterator<Item = &Child> {
        self.0.iter().map(|named| &named.child)
    }

    /// The same with their upcased names.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&WideName, &Child)> {
        self.0.iter().map(|named| (&named.key, &named.child))
    }

    /// Where a name is, or would be.
    fn place(&self, key: &[u16]) -> Result<usize, usize> {
        let head = head(key);
        self.0.binary_search_by(|named| {
            let by_head = named.head.cmp(&head);
            by_head.then_with(|| named.key.units().cmp(key))
        })
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
fn upcased_head(units: &[u16]) -> u64 {
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
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Children {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut children = Self::new();
        for (key, child) in Vec::<(WideName, Child)>::deserialize(deserializer)? {
            children.insert(key, child);
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
                .map(|_| [0, 0x41, 0x42, 0xffff][choice.draw(Label::Guest, 4) as usize])
                .collect();
            let child = Child {
                name: name.clone(),
                node: NodeId(number),
            };
            match choice.draw(Label::Guest, 4) {
                0 => {
                    let removed = children.remove(name.units());
                    assert_eq!(removed, model.remove_entry(name.units()));
                }
                1 => {
                    let found = children.get_mut(name.units()).map(|child| &*child);
                    assert_eq!(found, model.get(name.units()));
                }
                _ => {
                    let before = children.insert(name.clone(), child.clone());
                    assert_eq!(before, model.insert(name.clone(), child));
                }
            }
            assert_eq!(children.find(name.units()), model.get(name.units()));
            let lower: WideName = name
                .units()
                .iter()
                .map(|&unit| unit | (unit & 0x40) >> 1)
                .collect();
            let lower = if name.units().contains(&0xffff) {
                &name
            } else {
                &lower
            };
            assert_eq!(children.find(lower.units()), model.get(name.units()));
            assert!(children.iter().eq(&model));
        }
        children.retain(|child| child.node.0 % 2 == 0);
        model.retain(|_, child| child.node.0 % 2 == 0);
        let saved = serde_json::to_string(&children).unwrap();
        let children: Children = serde_json::from_str(&saved).unwrap();
        assert!(children.iter().eq(&model));
        assert!(children.values().eq(model.values()));
    }
}
