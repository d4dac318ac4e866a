//! Handles of the directories that were used last.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use cap_fs_ext::DirExt;
use cap_std::fs::Dir;

/// Handles kept open at most. Far below what a process may have open (256 on macOS).
const MAX_HANDLES: usize = 64;

/// Where a directory of a tree lies: its place in some list, 0 for the root.
pub(super) type Slot = u32;

/// Opens directories from the root down, one component at a time and never through a link, and keeps some of them open.
#[derive(Debug)]
pub(super) struct Handles {
    root: Arc<Dir>,
    /// Each with the time of its last use.
    open: HashMap<Slot, (Arc<Dir>, u64)>,
    uses: u64,
}

impl Handles {
    pub(super) fn new(root: Dir) -> Self {
        Self {
            root: Arc::new(root),
            open: HashMap::new(),
            uses: 0,
        }
    }

    pub(super) fn root(&self) -> &Arc<Dir> {
        &self.root
    }

    /// The directory at `slot`. `step` gives the slot above a directory and its name there; `None` at the root.
    pub(super) fn directory<'a>(
        &mut self,
        slot: Slot,
        step: impl Fn(Slot) -> Option<(Slot, std::borrow::Cow<'a, str>)>,
    ) -> io::Result<Arc<Dir>> {
        let mut way = Vec::new();
        let mut at = slot;
        let mut dir = loop {
            if let Some(dir) = self.known(at) {
                break dir;
            }
            let Some((above, name)) = step(at) else {
                break self.root.clone();
            };
            way.push((at, name));
            at = above;
        };
        for (slot, name) in way.into_iter().rev() {
            dir = Arc::new(dir.open_dir_nofollow(&*name)?);
            self.keep(slot, dir.clone());
        }
        Ok(dir)
    }

    fn known(&mut self, slot: Slot) -> Option<Arc<Dir>> {
        self.uses += 1;
        let (dir, used) = self.open.get_mut(&slot)?;
        *used = self.uses;
        Some(dir.clone())
    }

    fn keep(&mut self, slot: Slot, dir: Arc<Dir>) {
        if self.open.len() >= MAX_HANDLES {
            let oldest = self.open.iter().min_by_key(|(_, (_, used))| *used);
            if let Some(oldest) = oldest.map(|(slot, _)| *slot) {
                self.open.remove(&oldest);
            }
        }
        self.uses += 1;
        self.open.insert(slot, (dir, self.uses));
    }
}
