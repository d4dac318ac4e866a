//! Which files virtual machines may open.
//!
//! On a real host that is an entry in the security descriptor of the file. So it goes where the file goes and ends with it; a copy has none.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use wcow_host::SystemId;
use wcow_ntmeta::{HostPath, WideName};

use super::key;

/// What separates the names of a path.
const BACKSLASH: u16 = 0x5C;

/// Files by upcased path, with the machines' upcased ids.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::world) struct Grants(BTreeSet<(WideName, WideName)>);

impl Grants {
    pub(super) fn add(&mut self, file: &HostPath, machine: &SystemId) {
        self.0.insert((key(file), machine_key(machine)));
    }

    pub(super) fn has(&self, file: &HostPath, machine: &SystemId) -> bool {
        self.0.contains(&(key(file), machine_key(machine)))
    }

    /// A file, or a folder with all below it, is gone.
    pub(in crate::world) fn gone(&mut self, path: &HostPath) {
        if self.0.is_empty() {
            return;
        }
        let gone = key(path);
        self.0.retain(|(file, _)| below(file, &gone).is_none());
    }

    /// A file, or a folder with all below it, has another name, in the place of what was there.
    pub(in crate::world) fn moved(&mut self, from: &HostPath, to: &HostPath) {
        if self.0.is_empty() {
            return;
        }
        let (from, to) = (key(from), key(to));
        let all = std::mem::take(&mut self.0).into_iter();
        self.0 = all
            .filter_map(|(file, machine)| match below(&file, &from) {
                Some(rest) => {
                    let units = to.units().iter().chain(rest).copied().collect();
                    Some((WideName::from_units(units), machine))
                }
                None => below(&file, &to).is_none().then_some((file, machine)),
            })
            .collect();
    }
}

fn machine_key(machine: &SystemId) -> WideName {
    WideName::from(machine.0.as_str()).upcased()
}

/// What follows the path of a folder in that of a file in it; nothing for the same path. `None` if it is somewhere else.
fn below<'f>(file: &'f WideName, folder: &WideName) -> Option<&'f [u16]> {
    let rest = file.units().strip_prefix(folder.units())?;
    matches!(rest.first(), None | Some(&BACKSLASH)).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> HostPath {
        HostPath::parse(text).unwrap()
    }

    #[test]
    fn a_grant_goes_where_the_file_goes_and_ends_with_it() {
        let machine = SystemId("a@vm".to_owned());
        let mut grants = Grants::default();
        let has = |grants: &Grants, file: &str| grants.has(&path(file), &machine);
        grants.add(&path(r"C:\a\disk.vhdx"), &machine);
        grants.add(&path(r"C:\ab\disk.vhdx"), &machine);
        assert!(has(&grants, r"c:\A\DISK.vhdx"));
        assert!(!grants.has(&path(r"C:\a\disk.vhdx"), &SystemId("b@vm".to_owned())));

        grants.moved(&path(r"C:\a"), &path(r"C:\c"));
        assert!(has(&grants, r"C:\c\disk.vhdx") && has(&grants, r"C:\ab\disk.vhdx"));
        assert!(!has(&grants, r"C:\a\disk.vhdx"));

        // Another file takes the place of one.
        grants.moved(&path(r"C:\new"), &path(r"C:\c\disk.vhdx"));
        assert!(!has(&grants, r"C:\c\disk.vhdx"));

        grants.gone(&path(r"C:\ab\disk"));
        assert!(has(&grants, r"C:\ab\disk.vhdx"));
        grants.gone(&path(r"C:\ab"));
        assert!(!has(&grants, r"C:\ab\disk.vhdx"));
    }
}
