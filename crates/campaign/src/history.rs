//! What the clients of a run did and were told, in order.

use std::collections::BTreeSet;

use wcow_engine::ContainerStatus;
use wcow_ntmeta::FileTime;
use wcow_scenario::wims::{RARE, WIMS};

use crate::step::Step;

/// One step of one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The client's place in the plan.
    pub client: usize,
    /// What it did.
    pub step: Step,
    /// When it began.
    pub began: FileTime,
    /// When it was answered, or when the host was up again after a power loss that cut it off: from then on it cannot have an effect.
    /// `None` if the client was killed, or still waited at the end.
    pub ended: Option<FileTime>,
    /// When its client was killed in the middle of it, or about when the power went.
    pub cut_off: Option<FileTime>,
    /// What it came to.
    pub ending: Ending,
    /// It was answered, and while it ran no call on the host was hit by a fault but the one of whose failure it tells, and the host was
    /// not restarted.
    pub one_fault: bool,
    /// What it said it had left behind.
    pub left_behind: Vec<String>,
    /// The containers that it said it had removed, of which the step does not speak.
    pub removed: Vec<String>,
}

impl Done {
    /// Whether nothing may be left of it: it failed, and nothing kept it from taking back what it had made.
    #[must_use]
    pub fn must_leave_nothing(&self) -> bool {
        self.one_fault && matches!(self.ending, Ending::Failed(_))
    }

    /// Whether it may have removed this container without being told its name: one that was done tells which.
    fn may_have_pruned(&self, container: &str) -> bool {
        self.step == Step::Prune
            && (self.ending != Ending::Done || self.removed.iter().any(|name| name == container))
    }
}

/// What a step came to, as its client knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was done.
    Done,
    /// It was refused before anything was changed: there is no such object, it exists already, it is in use.
    Refused(String),
    /// It failed. The client is told that nothing is left of it, or what is; the object may be as before or as wanted.
    Failed(String),
    /// The client never heard of it.
    Unknown,
}

/// A named thing that steps make and remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// A base OS image.
    Image,
    /// A network.
    Network,
    /// A container.
    Container,
}

impl Thing {
    /// One word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Network => "network",
            Self::Container => "container",
        }
    }
}

impl Step {
    /// What it makes or removes, and whether the thing is there if it is done.
    #[must_use]
    pub fn effect(&self) -> Option<(Thing, &str, bool)> {
        match self {
            Self::InstallImage(wim) => Some((Thing::Image, image_of(wim), true)),
            Self::RemoveImage(name) => Some((Thing::Image, name, false)),
            Self::CreateNetwork { name, .. } => Some((Thing::Network, name, true)),
            Self::RemoveNetwork(name) => Some((Thing::Network, name, false)),
            Self::CreateContainer { name, .. } => Some((Thing::Container, name, true)),
            Self::RemoveContainer(name) | Self::RemoveStopped(name) => {
                Some((Thing::Container, name, false))
            }
            _ => None,
        }
    }

    /// The container that it is about, and what that one is doing when the step is done; nothing if several answers are possible, or
    /// none.
    #[must_use]
    pub fn leads_to(&self) -> Option<(&str, ContainerStatus)> {
        match self {
            Self::Start(name) | Self::Restart(name) | Self::Resume(name) => {
                Some((name, ContainerStatus::Running))
            }
            Self::Stop(name) | Self::Kill(name) => Some((name, ContainerStatus::Off)),
            Self::Pause(name) => Some((name, ContainerStatus::Paused)),
            _ => None,
        }
    }

    /// Whether it can start this container.
    #[must_use]
    pub fn can_start(&self, container: &str) -> bool {
        match self {
            Self::Start(name) | Self::Restart(name) | Self::Supervise { name, .. } => {
                name == container
            }
            _ => false,
        }
    }

    /// Whether it can change what this container is doing.
    #[must_use]
    pub fn can_change(&self, container: &str) -> bool {
        match self {
            Self::CreateContainer { name, .. }
            | Self::RemoveContainer(name)
            | Self::RemoveStopped(name)
            | Self::WaitFor(name)
            | Self::Logs(name) => name == container,
            // What is off may be removed, and a host that goes down takes all with it.
            Self::Prune | Self::Reboot => true,
            step => {
                step.can_start(container)
                    || step.leads_to().is_some_and(|(name, _)| name == container)
            }
        }
    }
}

/// The name that the image of a WIM file of the scenarios gives itself.
fn image_of(wim: &str) -> &str {
    let mut all = WIMS.iter().chain(&RARE);
    all.find(|demo| demo.name == wim)
        .map_or(wim, |demo| demo.image)
}

/// All things that a history speaks of.
#[must_use]
pub fn things(history: &[Done]) -> BTreeSet<(Thing, &str)> {
    history
        .iter()
        .filter_map(|done| done.step.effect())
        .map(|(thing, name, _)| (thing, name))
        .collect()
}

/// Whether a thing may be there at the end, and whether it may be missing, if everybody was told the truth.
///
/// A step can be the last one to have had a say unless another one that was certainly done began after it had ended. What
/// failed or was never heard of may have had an effect or none.
#[must_use]
pub fn allowed(history: &[Done], thing: Thing, name: &str) -> Allowed {
    allowed_by(history.iter(), thing, name)
}

/// The same right after the last step: what failed and could take back what it had made has done so, and does not leave it for others.
#[must_use]
pub(crate) fn allowed_at_once(history: &[Done], thing: Thing, name: &str) -> Allowed {
    let makes = |done: &Done| matches!(done.step.effect(), Some((_, _, true)));
    let lasting = history
        .iter()
        .filter(|done| !(makes(done) && done.must_leave_nothing()));
    allowed_by(lasting, thing, name)
}

fn allowed_by<'a>(history: impl Iterator<Item = &'a Done>, thing: Thing, name: &str) -> Allowed {
    let steps: Vec<(&Done, bool)> = history
        .filter_map(|done| match done.step.effect() {
            Some((of, whose, there)) if of == thing && whose == name => Some((done, there)),
            None if thing == Thing::Container && done.may_have_pruned(name) => Some((done, false)),
            _ => None,
        })
        .collect();
    // The history is in the order in which steps began.
    let later = |place: usize, done: &Done| {
        steps.iter().skip(place + 1).any(|(other, _)| {
            other.ending == Ending::Done && done.ended.is_some_and(|ended| other.began >= ended)
        })
    };
    let mut allowed = Allowed {
        there: false,
        missing: !steps.iter().any(|(done, _)| done.ending == Ending::Done),
    };
    for (place, (done, there)) in steps.iter().enumerate() {
        if matches!(done.ending, Ending::Refused(_)) || later(place, done) {
            continue;
        }
        if *there {
            allowed.there = true;
        } else {
            allowed.missing = true;
        }
    }
    allowed
}

/// What may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// The thing may be there.
    pub there: bool,
    /// It may be missing.
    pub missing: bool,
}
