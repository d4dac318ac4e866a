//! Which situations a run was in.

use std::collections::{BTreeMap, BTreeSet};

use wcow_runtime::Isolation;
use wcow_sim::FaultHit;

use crate::history::{Done, Ending};
use crate::step::Step;

/// Whether a step starts a container that was asked for with Hyper-V isolation.
fn is_isolated(history: &[Done], step: &Step) -> bool {
    let Step::Start(started) = step else {
        return false;
    };
    history.iter().any(|done| {
        done.ending == Ending::Done
            && matches!(&done.step, Step::CreateContainer { name, wishes, .. }
                if name == started && wishes.isolation == Isolation::HyperV)
    })
}

/// Notes which situations a run was in.
pub(crate) fn mark(history: &[Done], hits: &[FaultHit], marks: &mut BTreeMap<&'static str, u64>) {
    let mut note = |name, count: usize| {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        if count > 0 {
            *marks.entry(name).or_insert(0) += count;
        }
    };
    let count = |wanted: &dyn Fn(&Done) -> bool| history.iter().filter(|done| wanted(done)).count();
    let done = |done: &Done| done.ending == Ending::Done;
    let failed = |done: &Done| matches!(done.ending, Ending::Failed(_));
    note(
        "an image was installed",
        count(&|step| matches!(step.step, Step::InstallImage(_)) && done(step)),
    );
    note(
        "an install failed",
        count(&|step| matches!(step.step, Step::InstallImage(_)) && failed(step)),
    );
    note(
        "a container was created",
        count(&|step| matches!(step.step, Step::CreateContainer { .. }) && done(step)),
    );
    note(
        "a creation failed",
        count(&|step| matches!(step.step, Step::CreateContainer { .. }) && failed(step)),
    );
    note(
        "a container was started",
        count(&|step| matches!(step.step, Step::Start(_)) && done(step)),
    );
    note(
        "a start failed",
        count(&|step| matches!(step.step, Step::Start(_)) && failed(step)),
    );
    note(
        "a program ran",
        count(&|step| matches!(step.step, Step::Exec { .. }) && done(step)),
    );
    note(
        "a network was made",
        count(&|step| matches!(step.step, Step::CreateNetwork { .. }) && done(step)),
    );
    note(
        "a network could not be made",
        count(&|step| matches!(step.step, Step::CreateNetwork { .. }) && failed(step)),
    );
    note(
        "a container was removed",
        count(&|step| {
            matches!(step.step, Step::RemoveContainer(_) | Step::RemoveStopped(_)) && done(step)
        }),
    );
    note(
        "a container was asked for with Hyper-V isolation, and started",
        count(&|step| is_isolated(history, &step.step) && done(step)),
    );
    note(
        "a container was frozen",
        count(&|step| matches!(step.step, Step::Pause(_)) && done(step)),
    );
    note(
        "a container was supervised to its end",
        count(&|step| matches!(step.step, Step::Supervise { .. }) && done(step)),
    );
    note(
        "a log was read",
        count(&|step| matches!(step.step, Step::Logs(_)) && done(step)),
    );
    note(
        "a main process was waited for",
        count(&|step| matches!(step.step, Step::WaitFor(_)) && done(step)),
    );
    note(
        "a prune removed a container",
        count(&|step| !step.removed.is_empty()),
    );
    note(
        "an image could not be removed because a container uses it",
        count(&|step| {
            let used = |told: &str| told.contains("in use by container");
            matches!(step.step, Step::RemoveImage(_))
                && matches!(&step.ending, Ending::Refused(told) if used(told))
        }),
    );
    note(
        "the host was restarted",
        count(&|step| step.step == Step::Reboot && done(step)),
    );
    note(
        "a command was cut off",
        count(&|step| step.ending == Ending::Unknown),
    );
    note(
        "a command was refused",
        count(&|step| matches!(step.ending, Ending::Refused(_))),
    );
    let overlapping = history
        .iter()
        .map(|done| done.client)
        .collect::<BTreeSet<_>>()
        .len();
    note("several clients worked", usize::from(overlapping > 1));
    note("a fault hit", hits.len());
}
