//! What goes wrong on a simulated host although nobody asked for it.
//!
//! A [`FaultPlan`] is data: rules that say which call is hit and how, and a budget of how many are hit at most. Whether a rule of
//! chance hits is a draw of [`Label::Fault`], so it is recorded, replayed and made smaller like every other choice. Codes are those
//! with which Windows answers such calls when a device, a service or another program is in the way; each has an entry in the
//! catalogue.

use std::fmt;

use serde::{Deserialize, Serialize};
use wcow_host::codes::win32;
use wcow_host::{Operation, Retry};
use wcow_ntmeta::{FileTime, HostPath, Hresult};

use crate::call::{Call, ControlCall, Fault, FilesCall, TreeId};
use crate::choice::{Choice, Draws, Label};

/// Ticks of 100 ns in a second.
const SECOND: u64 = 10_000_000;

/// Which calls of a host go wrong, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FaultPlan {
    /// The rules; the first that fits a call hits it.
    #[serde(default)]
    pub rules: Vec<FaultRule>,
    /// How many calls are hit at most.
    pub budget: u32,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FaultRule {
    /// Which calls.
    pub when: When,
    /// What happens to them.
    pub what: What,
}

/// Which calls a rule hits. Sleeping, asking for the version of Windows or who one is, making a GUID and giving a lock back, which closes a handle,
/// cannot go wrong, and do not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[non_exhaustive]
pub enum When {
    /// The call of this number, the host's first being 1.
    Call(u64),
    /// The call of this number among those of one operation, the first being 1.
    Nth {
        /// The operation.
        operation: Operation,
        /// The number.
        number: u64,
    },
    /// Calls of one operation of the file system about a file or folder and everything below it.
    Below {
        /// The operation. A flush is `FlushFile`, of files and folders alike.
        operation: Operation,
        /// The file or folder.
        path: HostPath,
        /// So many such calls are let through first.
        #[serde(default)]
        after: u32,
        /// So many are hit then.
        times: u32,
    },
    /// Each call of one operation, or of any, in `numerator` of `denominator` cases.
    Chance {
        /// The operation; any if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        operation: Option<Operation>,
        /// Cases in which the call is hit.
        numerator: u32,
        /// Out of so many.
        denominator: u32,
    },
}

/// What happens to a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[non_exhaustive]
pub enum What {
    /// It is refused and has no effect. The code is drawn from those that such a call can meet.
    Refused,
    /// It is refused with this code and has no effect.
    RefusedWith(Hresult),
    /// It takes effect, and its answer is lost: 0x6BE, the remote procedure call failed. Calls of the file system are no remote
    /// calls; they are refused instead.
    AnswerLost,
    /// It takes effect so many ticks of 100 ns later.
    Late(u64),
    /// The notification that it waits for never comes: calls that wait for an event of a system or for the end of a process. Others
    /// are not hit. A client that waits without looking for itself waits for ever.
    NotificationLost,
    /// The event that it waits for comes twice: calls that wait for an event of a system. Others are not hit.
    NotifiedTwice,
    /// A service crashes and is started again just before the call takes effect. Nothing happens if the host has none of this name.
    ServiceRestart(String),
    /// A service crashes just before the call takes effect, and is started again so many ticks of 100 ns later. A call to that service
    /// is refused with 0x6BF, the remote procedure call failed and did not execute; those that follow meet a service that is down.
    /// Nothing happens if the service is not there or does not run.
    ServiceDown {
        /// The service: `vmcompute`, `hns`, `vmms`.
        service: String,
        /// How long it is down.
        ticks: u64,
    },
    /// It is answered with success, and nothing happens. Only the removal of a layer does that; other calls take effect as always.
    NoEffect,
}

impl What {
    /// Its number in the fingerprint; frozen.
    pub(crate) fn number(&self) -> u32 {
        match self {
            Self::Refused => 1,
            Self::RefusedWith(_) => 2,
            Self::AnswerLost => 3,
            Self::Late(_) => 4,
            Self::ServiceRestart(_) => 5,
            Self::NotificationLost => 6,
            Self::NotifiedTwice => 7,
            Self::ServiceDown { .. } => 8,
            Self::NoEffect => 9,
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("refused without effect"),
            Self::RefusedWith(code) => write!(f, "refused with {code}, without effect"),
            Self::AnswerLost => f.write_str("takes effect, and its answer is lost"),
            Self::Late(ticks) => write!(f, "late by {} ms", ticks / (SECOND / 1000)),
            Self::NotificationLost => f.write_str("its notification is lost"),
            Self::NotifiedTwice => f.write_str("it is notified twice"),
            Self::ServiceRestart(name) => write!(f, "{name} crashes and starts again"),
            Self::ServiceDown { service, ticks } => write!(
                f,
                "{service} crashes and is down for {} ms",
                ticks / (SECOND / 1000)
            ),
            Self::NoEffect => f.write_str("answered with success, without effect"),
        }
    }
}

/// A call that was hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultHit {
    /// When.
    pub time: FileTime,
    /// The number of the call, the host's first being 1.
    pub call: u64,
    /// The operation.
    pub operation: Operation,
    /// What it was about.
    pub object: String,
    /// What happened to it.
    pub what: What,
    /// Its answer was to be lost, and the host's own stood: it refused the call by itself, or answers later. Or it was to have no
    /// effect, and is none of the calls that can be without one.
    #[serde(default)]
    pub stood: bool,
}

impl fmt::Display for FaultHit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            call,
            operation,
            object,
            what,
            stood,
            ..
        } = self;
        write!(f, "call {call}, {operation} of {object}: ")?;
        if *stood && *what == What::NoEffect {
            f.write_str("was to have no effect, and has it as always")
        } else if *stood {
            f.write_str(
                "its answer was to be lost, but the host refuses by itself or answers later",
            )
        } else {
            what.fmt(f)
        }
    }
}

impl FaultPlan {
    /// Nothing goes wrong.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The call of this number is refused, nothing else.
    #[must_use]
    pub fn refuse_call(number: u64) -> Self {
        Self {
            rules: vec![FaultRule {
                when: When::Call(number),
                what: What::Refused,
            }],
            budget: 1,
        }
    }

    /// A random part of all that can go wrong, each at a rate of its own, from one call of 128 to every call, so that runs of a few
    /// calls are hit too; at most `budget` calls are.
    #[must_use]
    pub fn draw(draws: &mut Draws, budget: u32) -> Self {
        let mut rules = Vec::new();
        for (operation, what) in everything() {
            if draws.draw(Label::Plan, 2) == 1 {
                let denominator = 1 << draws.draw(Label::Plan, 8);
                let when = When::Chance {
                    operation,
                    numerator: 1,
                    denominator,
                };
                rules.push(FaultRule { when, what });
            }
        }
        Self { rules, budget }
    }

    /// A random part of all that can go wrong, each at a rate of its own; at most `budget` calls are hit.
    pub(crate) fn swarm(choice: &mut Choice, budget: u32) -> Self {
        let mut rules = Vec::new();
        for (operation, what) in everything() {
            // A half of the rules is in force, each hitting one call of 4 to 259.
            if choice.draw(Label::Fault, 2) == 1 {
                let spread = u32::try_from(choice.draw(Label::Fault, 256)).unwrap_or(0);
                let when = When::Chance {
                    operation,
                    numerator: 1,
                    denominator: 4 + spread,
                };
                rules.push(FaultRule { when, what });
            }
        }
        Self { rules, budget }
    }
}

/// All that can go wrong, and with which operation: with any, if none is given.
fn everything() -> impl Iterator<Item = (Option<Operation>, What)> {
    // Nothing that is made up here asks for a diagnosis.
    let asked = Operation::ALL
        .iter()
        .filter(|operation| !operation.is_diagnostic());
    let refused = asked.flat_map(|&operation| {
        [What::Refused, What::AnswerLost].map(|what| (Some(operation), what))
    });
    let late = [1, 30].map(|seconds| (None, What::Late(seconds * SECOND)));
    let restarts =
        ["vmcompute", "hns"].map(|service| (None, What::ServiceRestart(service.to_owned())));
    refused.chain(late).chain(restarts)
}

/// The faults of a world, as data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Faults {
    plan: FaultPlan,
    /// Calls so far.
    calls: u64,
    /// For each rule, how many calls so far are of those that it counts.
    counted: Vec<u64>,
    hits: Vec<FaultHit>,
}

impl Faults {
    /// Replaces the plan. Rules count from now on.
    pub(crate) fn set(&mut self, plan: FaultPlan) {
        self.counted = vec![0; plan.rules.len()];
        self.plan = plan;
    }

    /// What is left of the plan; from now on there is none.
    pub(crate) fn take(&mut self) -> FaultPlan {
        let plan = std::mem::take(&mut self.plan);
        self.set(FaultPlan::none());
        plan
    }

    /// The calls that were hit so far.
    pub(crate) fn hits(&self) -> &[FaultHit] {
        &self.hits
    }

    /// How many calls there were.
    pub(crate) fn calls(&self) -> u64 {
        self.calls
    }

    /// What happens to the next call. `tree` is the folder of the tree that it is about, if it is about one.
    pub(crate) fn next(
        &mut self,
        time: FileTime,
        call: &Call,
        operation: Operation,
        tree: impl Fn(TreeId, &HostPath) -> bool,
        choice: &mut Choice,
    ) -> Option<What> {
        if matches!(
            call,
            Call::SleepUntil(_)
                | Call::Control(ControlCall::Info | ControlCall::NewGuid | ControlCall::Identity)
                | Call::Files(FilesCall::Unlock(_))
        ) {
            return None;
        }
        self.calls += 1;
        if self.plan.budget == 0 {
            return None;
        }
        let number = self.calls;
        let mut hit = None;
        // Every rule counts, also those behind the one that hits.
        for (rule, count) in self.plan.rules.iter().zip(&mut self.counted) {
            let hits = match &rule.when {
                When::Call(wanted) => *wanted == number,
                When::Nth {
                    operation: of,
                    number,
                } => {
                    *count += u64::from(*of == operation);
                    *of == operation && *count == *number
                }
                When::Below {
                    operation: of,
                    path,
                    after,
                    times,
                } => {
                    let counts = *of == operation && is_below(call, path, &tree);
                    *count += u64::from(counts);
                    let last = u64::from(*after).saturating_add(u64::from(*times));
                    counts && *count > u64::from(*after) && *count <= last
                }
                When::Chance {
                    operation: of,
                    numerator,
                    denominator,
                } => {
                    hit.is_none()
                        && of.is_none_or(|of| of == operation)
                        && choice.happens(Label::Fault, (*numerator).into(), (*denominator).into())
                }
            };
            if hits && hit.is_none() {
                hit = Some(rule.what.clone());
            }
        }
        let what = hit?;
        self.plan.budget -= 1;
        self.hits.push(FaultHit {
            time,
            call: number,
            operation,
            object: call.object(),
            what: what.clone(),
            stood: false,
        });
        Some(what)
    }

    /// Says what became of the call that was hit last.
    pub(crate) fn correct(&mut self, correction: impl FnOnce(&mut FaultHit)) {
        if let Some(hit) = self.hits.last_mut() {
            correction(hit);
        }
    }
}

/// Whether a call of the file system is about something at or below a path.
fn is_below(call: &Call, path: &HostPath, tree: &impl Fn(TreeId, &HostPath) -> bool) -> bool {
    let Call::Files(call) = call else {
        return false;
    };
    let below = call
        .paths()
        .into_iter()
        .flatten()
        .any(|of| of.starts_with(path));
    below || matches!(call, FilesCall::FinishTree { tree: id, .. } if tree(*id, path))
}

/// With what calls of an operation are refused that nothing is wrong with, and whether trying again may help.
pub(crate) const fn refusals(operation: Operation) -> &'static [(Hresult, Retry)] {
    match operation {
        Operation::FileMetadata | Operation::ListDirectory | Operation::FlushFile => {
            &[(win32::IO_DEVICE, Retry::No)]
        }
        Operation::ReadFile
        | Operation::LockFile
        | Operation::MoveFile
        | Operation::DeleteFile
        | Operation::RemoveDirectory => &[
            (win32::IO_DEVICE, Retry::No),
            (win32::SHARING_VIOLATION, Retry::Soon),
        ],
        Operation::WriteFile
        | Operation::CopyFile
        | Operation::CreateDirectory
        | Operation::WriteTree => &[(win32::IO_DEVICE, Retry::No), (win32::DISK_FULL, Retry::No)],
        _ => &[
            (win32::RPC_S_SERVER_UNAVAILABLE, Retry::Soon),
            (win32::RPC_S_CALL_FAILED_DNE, Retry::Soon),
        ],
    }
}

/// One of the [refusals] of a call's operation.
pub(crate) fn refusal(call: &Call, choice: &mut Choice) -> Fault {
    let (_, operation, ..) = call.kind();
    let codes = refusals(operation);
    let count = u64::try_from(codes.len()).unwrap_or(1);
    let place = usize::try_from(choice.draw(Label::Fault, count)).unwrap_or(0);
    let (code, retry) = codes
        .get(place)
        .copied()
        .unwrap_or((win32::IO_DEVICE, Retry::No));
    Fault::from(code).retry(retry)
}

/// The answer to a call that met the crash of its service.
pub(crate) fn not_executed() -> Fault {
    Fault::from(win32::RPC_S_CALL_FAILED_DNE).retry(Retry::Soon)
}

/// The answer to a call whose answer was lost, or with which the machine went down.
pub(crate) fn lost() -> Fault {
    Fault::from(win32::RPC_S_CALL_FAILED).retry(Retry::Soon)
}
