//! The world: everything in a simulated host, as data.

mod clients;
pub(crate) mod compute;
mod control;
mod diagnostics;
mod files;
pub(crate) mod guest;
mod hcn;
mod hns;
pub(crate) mod layers;
pub(crate) mod power;
pub(crate) mod services;
mod switches;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wcow_host::codes::{self, win32};
use wcow_host::{Code, ComputeApi, HostError, Identity, Operation, SystemEvent};
use wcow_ntmeta::{FileTime, Guid};

use crate::blobs::{BlobId, BlobStore};
use crate::call::{Call, ClientId, Fault, LayersCall, OpId, Outcome, Reply, Step};
use crate::choice::{self, Choice, Choices, Label};
use crate::evidence::Evidence;
use crate::faults::{self, FaultPlan, Faults, What};
use crate::fs::{Fs, TreeCache};
use crate::profile::Profile;
use crate::queue::{Arrival, Event, Queue};
use crate::trace::{Fingerprint, Kind, TraceEvent, TraceRecord};

use clients::Clients;
use control::MachineState;

/// Ticks of 100 ns in a microsecond.
const TICKS_PER_MICROSECOND: u64 = 10;
/// Ticks of 100 ns in a second.
pub(crate) const TICKS_PER_SECOND: u64 = 10_000_000;

/// Everything in a simulated host. No closures, no shared pointers, no floats; contents of files are named by their hash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct World {
    pub(crate) profile: Profile,
    pub(crate) now: FileTime,
    pub(crate) queue: Queue,
    pub(crate) choice: Choice,
    pub(crate) faults: Faults,
    pub(crate) machine: MachineState,
    pub(crate) fs: Fs,
    pub(crate) switches: switches::Switches,
    pub(crate) hns: hns::Hns,
    pub(crate) layers: layers::Layers,
    pub(crate) compute: compute::Compute,
    pub(crate) power: power::Power,
    /// What is around the containers, for a diagnosis.
    #[serde(default)]
    pub(crate) evidence: Evidence,
    /// The precautions that are ignored, by name.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    ignored: BTreeSet<String>,
    clients: Clients,
    /// Those that see the compute service through version 2 of its surface.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    second_api: BTreeSet<ClientId>,
    /// Clients that are no elevated administrators. They stay here when they are gone: their calls may still be on their way.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    limited: BTreeMap<ClientId, Identity>,
    /// Those that stay when the host is saved and taken up again, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    standing: BTreeMap<String, ClientId>,
    pending: BTreeMap<OpId, PendingOp>,
    next_client: u32,
    next_op: u64,
    fingerprint: Fingerprint,
    #[serde(skip)]
    answers: Vec<(OpId, Answer)>,
}

/// What a call came to.
pub(crate) type Answer = Result<Reply, HostError>;

/// A call whose answer comes later.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct PendingOp {
    client: ClientId,
    operation: Operation,
    object: String,
}

/// What a world needs that is no data.
pub(crate) struct Outside<'a> {
    /// The contents of files.
    pub(crate) blobs: &'a dyn BlobStore,
    /// Sealed trees that were read.
    pub(crate) trees: &'a mut TreeCache,
    /// Programs that a test supplies.
    pub(crate) programs: &'a mut guest::Programs,
    /// The trace for people, if somebody wants one.
    pub(crate) trace: Option<&'a mut Vec<TraceRecord>>,
}

impl Outside<'_> {
    /// Adds a line to the trace; `what` is only called when there is one.
    pub(crate) fn trace(&mut self, time: FileTime, event: impl FnOnce() -> TraceEvent) {
        if let Some(trace) = &mut self.trace {
            trace.push(TraceRecord {
                time,
                event: event(),
            });
        }
    }
}

impl World {
    /// A host that is switched on for the first time.
    pub(crate) fn new(profile: Profile, choices: Choices) -> Self {
        let seed = choices.seed();
        let mut choice = Choice::new(choices);
        let boot_id = Guid::v4_from(choice.wide_identity(choice::Identity::Guid));
        let mut world = Self {
            now: profile.start,
            queue: Queue::default(),
            choice,
            faults: Faults::default(),
            machine: MachineState::new(&profile, boot_id),
            fs: Fs::new(profile.start, profile.free_bytes, profile.disk),
            switches: switches::Switches::new(&profile),
            hns: hns::Hns::default(),
            layers: layers::Layers::default(),
            compute: compute::Compute::default(),
            power: power::Power::default(),
            evidence: profile.evidence.clone(),
            ignored: BTreeSet::new(),
            clients: Clients::default(),
            second_api: BTreeSet::new(),
            limited: BTreeMap::new(),
            standing: BTreeMap::new(),
            pending: BTreeMap::new(),
            next_client: 0,
            next_op: 0,
            fingerprint: Fingerprint::default(),
            answers: Vec::new(),
            profile,
        };
        let text = format!("{} {seed}", world.profile.name);
        world
            .fingerprint
            .record(world.now, 0, Kind::Booted as u16, 0, 0, &text);
        world
    }

    pub(crate) fn now(&self) -> FileTime {
        self.now
    }

    pub(crate) fn profile(&self) -> &Profile {
        &self.profile
    }

    pub(crate) fn fingerprint(&self) -> String {
        self.fingerprint.text()
    }

    pub(crate) fn add_client(&mut self, identity: Identity) -> ClientId {
        self.next_client += 1;
        let id = ClientId(self.next_client);
        self.clients.add(id);
        if !identity.is_elevated() {
            self.limited.insert(id, identity);
        }
        id
    }

    /// From now on a client sees the compute service through that surface.
    pub(crate) fn set_api(&mut self, client: ClientId, api: ComputeApi) {
        match api {
            ComputeApi::V1 => self.second_api.remove(&client),
            ComputeApi::V2 => self.second_api.insert(client),
        };
    }

    /// The surface through which a client sees the compute service.
    pub(crate) fn api_of(&self, client: ClientId) -> ComputeApi {
        if self.second_api.contains(&client) {
            ComputeApi::V2
        } else {
            ComputeApi::V1
        }
    }

    /// Who a client is.
    pub(crate) fn identity(&self, client: ClientId) -> Identity {
        self.limited.get(&client).copied().unwrap_or_default()
    }

    /// The client of this name, which stays when the host is saved and taken up again.
    pub(crate) fn standing_client(&mut self, name: &str) -> ClientId {
        match self.standing.get(name) {
            Some(&client) if self.is_alive(client) => client,
            _ => {
                let client = self.add_client(Identity::default());
                self.standing.insert(name.to_owned(), client);
                client
            }
        }
    }

    pub(crate) fn is_alive(&self, client: ClientId) -> bool {
        self.clients.contains(client)
    }

    /// Moves the clock on, never back.
    pub(crate) fn set_time(&mut self, time: FileTime) {
        self.now = self.now.max(time);
    }

    /// Records that a saved host is taken up again, and moves the clock on.
    pub(crate) fn resume(&mut self, ticks: u64) {
        self.fingerprint
            .record(self.now, 0, Kind::Resumed as u16, ticks, 0, "");
    }

    /// A GUID of the host's own making.
    pub(crate) fn new_guid(&mut self) -> Guid {
        Guid::v4_from(self.choice.wide_identity(choice::Identity::Guid))
    }

    /// Issues a call: it takes effect after the time that such a call takes. `None` if the client was killed.
    pub(crate) fn begin(&mut self, client: ClientId, call: Box<Call>) -> Option<OpId> {
        if !self.is_alive(client) {
            return None;
        }
        self.next_op += 1;
        let op = OpId(self.next_op);
        let time = match &*call {
            Call::SleepUntil(time) => self.now.max(*time),
            call => {
                let (_, _, least, spread) = call.kind();
                let spread = self.choice.draw(
                    Label::Latency,
                    u64::from(spread) * TICKS_PER_MICROSECOND + 1,
                );
                after(self.now, u64::from(least) * TICKS_PER_MICROSECOND + spread)
            }
        };
        self.queue.push(
            time,
            self.machine.boots,
            Event::Perform(Arrival {
                op,
                client,
                call,
                issued: self.now,
                late: false,
            }),
        );
        Some(op)
    }

    /// Plans an event that a restart of the machine cancels.
    pub(crate) fn plan(&mut self, ticks_from_now: u64, event: Event) {
        self.queue
            .push(after(self.now, ticks_from_now), self.machine.boots, event);
    }

    /// Lets the next event happen if it is due at `until` at the latest. False if there is none.
    pub(crate) fn step(&mut self, until: Option<FileTime>, out: &mut Outside<'_>) -> bool {
        match (self.queue.next_time(), until) {
            (None, _) => return false,
            (Some(next), Some(until)) if next > until => return false,
            _ => {}
        }
        let Some((time, sequence, planned)) = self.queue.pop(&mut self.choice) else {
            return false;
        };
        self.now = self.now.max(time);
        let stale = planned.boot != self.machine.boots;
        match planned.event {
            Event::Perform(arrival) => {
                self.fs.close_until(self.now);
                let stale = stale && !matches!(*arrival.call, Call::SleepUntil(_));
                self.perform(sequence, arrival, stale, out);
            }
            Event::Booted { op } => {
                self.fingerprint
                    .record(self.now, sequence, Kind::Booted as u16, op.0, 0, "");
                out.trace(self.now, || {
                    TraceEvent::Host("the machine is up again".to_owned())
                });
                self.booted();
                self.answer(op, Ok(().into()), out);
            }
            Event::Compute(_) if stale => {
                self.fingerprint
                    .record(self.now, sequence, Kind::Stale as u16, 0, 0, "");
            }
            Event::Compute(event) => {
                self.fingerprint
                    .record(self.now, sequence, Kind::Compute as u16, 0, 0, "");
                self.compute_event(event, out);
            }
            Event::Service(event) => {
                let kind = if stale { Kind::Stale } else { Kind::Service };
                self.fingerprint
                    .record(self.now, sequence, kind as u16, 0, 0, "");
                if !stale {
                    self.service_event(&event, out);
                }
            }
        }
        true
    }

    /// Answers a call that was left pending. One that nobody waits for is no error.
    pub(crate) fn answer(&mut self, op: OpId, result: Result<Reply, Fault>, out: &mut Outside<'_>) {
        if let Some(PendingOp {
            client,
            operation,
            object,
        }) = self.pending.remove(&op)
        {
            let result = result.map_err(|fault| fault.into_error(operation, object));
            self.give(op, client, result, out);
        }
    }

    /// Nobody waits for a call any more. True if it waited for an event, which is kept then for whoever asks next.
    pub(crate) fn stop_waiting(&mut self, op: OpId) -> bool {
        let waits = self
            .pending
            .get(&op)
            .is_some_and(|pending| pending.operation == Operation::WaitSystem);
        if waits {
            self.pending.remove(&op);
            self.compute.stop_waiting(op);
        }
        waits
    }

    /// Takes the answers that were given.
    pub(crate) fn take_answers(&mut self) -> std::vec::Drain<'_, (OpId, Answer)> {
        self.answers.drain(..)
    }

    /// The calls that wait for an answer.
    pub(crate) fn waiting(&self) -> Vec<String> {
        self.pending
            .values()
            .map(|op| format!("{} of {}", op.operation, op.object))
            .collect()
    }

    /// Removes a client: its locks are released, its handles closed. Gives the calls that nobody waits for any more.
    pub(crate) fn kill(&mut self, client: ClientId) -> Vec<OpId> {
        self.clients.remove(client);
        self.second_api.remove(&client);
        self.fingerprint
            .record(self.now, 0, Kind::Killed as u16, u64::from(client.0), 0, "");
        self.fs.client_gone(client);
        self.compute_client_gone(client);
        let mut dropped: Vec<OpId> = Vec::new();
        self.pending.retain(|&op, pending| {
            let keep = pending.client != client;
            if !keep {
                dropped.push(op);
            }
            keep
        });
        dropped
    }

    /// All clients are gone, unless they have a name: their processes have ended since the host was saved.
    pub(crate) fn everybody_left(&mut self) {
        for client in self.clients.clone() {
            if !self.standing.values().any(|standing| *standing == client) {
                self.kill(client);
            }
        }
    }

    /// The blobs that the world names.
    pub(crate) fn blobs(&self, out: &mut Outside<'_>) -> BTreeSet<BlobId> {
        let mut blobs = BTreeSet::new();
        self.fs.blobs(out, &mut blobs);
        self.layers.blobs(&mut blobs);
        self.compute.blobs(&mut blobs);
        for planned in self.queue.iter() {
            if let Event::Perform(arrival) = &planned.event {
                blobs.extend(arrival.call.blob());
            }
        }
        blobs
    }

    /// From now on a precaution is ignored.
    pub(crate) fn ignore(&mut self, precaution: &str) {
        self.ignored.insert(precaution.to_owned());
    }

    /// Whether a precaution is ignored.
    pub(crate) fn ignores(&self, precaution: &str) -> bool {
        self.ignored.contains(precaution)
    }

    /// From now on these faults come.
    pub(crate) fn set_faults(&mut self, plan: FaultPlan) {
        self.faults.set(plan);
    }

    /// From now on a random part of all faults comes.
    pub(crate) fn draw_faults(&mut self, budget: u32) {
        let plan = FaultPlan::swarm(&mut self.choice, budget);
        self.faults.set(plan);
    }

    /// Lets a call take effect, unless it is `stale`: the machine has gone down since it was issued, and the call with it.
    fn perform(&mut self, sequence: u64, arrival: Arrival, stale: bool, out: &mut Outside<'_>) {
        let Arrival {
            op,
            client,
            call,
            issued,
            late,
        } = arrival;
        let (kind, operation, _, _) = call.kind();
        self.fingerprint
            .record(self.now, sequence, kind, op.0, client.0, "");
        out.trace(self.now, || TraceEvent::Call {
            op,
            client,
            issued,
            operation,
            object: call.object(),
            step: call.step().map(str::to_owned),
        });
        let hit = if late || stale {
            None
        } else {
            let fs = &self.fs;
            let tree = |tree, path: &_| fs.is_tree_below(tree, path);
            self.faults
                .next(self.now, &call, operation, tree, &mut self.choice)
        };
        if let Some(what) = &hit {
            self.fingerprint.record(
                self.now,
                sequence,
                Kind::Fault as u16,
                op.0,
                what.number(),
                "",
            );
            out.trace(self.now, || TraceEvent::Fault {
                op,
                what: what.to_string(),
            });
        }
        let outcome = match hit {
            None if stale => Err(faults::lost()),
            None => self.outcome_under_power(op, client, &call, out),
            Some(What::Refused) => Err(faults::refusal(&call, &mut self.choice)),
            Some(What::RefusedWith(code)) => Err(code.into()),
            Some(What::AnswerLost) if matches!(*call, Call::Files(_)) => {
                self.faults.correct(|hit| hit.what = What::Refused);
                Err(faults::refusal(&call, &mut self.choice))
            }
            Some(What::AnswerLost) => match self.outcome_under_power(op, client, &call, out) {
                Ok(Step::Done(_)) => Err(faults::lost()),
                // A call that takes its time has not been answered yet, and a refusal tells no less than a lost answer.
                outcome => {
                    self.faults.correct(|hit| hit.stood = true);
                    outcome
                }
            },
            Some(What::Late(ticks)) => {
                let event = Event::Perform(Arrival {
                    op,
                    client,
                    call,
                    issued,
                    late: true,
                });
                self.queue
                    .push(after(self.now, ticks), self.machine.boots, event);
                return;
            }
            Some(What::NotificationLost) if call.waits_for_notification() => Ok(Step::Pending),
            Some(What::NotifiedTwice) if call.waits_for_event() => {
                self.compute.notify_twice(op);
                self.outcome_under_power(op, client, &call, out)
            }
            Some(What::NotificationLost | What::NotifiedTwice) => {
                self.faults.correct(|hit| hit.stood = true);
                self.outcome_under_power(op, client, &call, out)
            }
            Some(What::ServiceRestart(name)) => {
                // A host without the service has nothing to restart.
                let _ = self.restart_service(&name, out);
                self.outcome_under_power(op, client, &call, out)
            }
            Some(What::ServiceDown { service, ticks }) => {
                let crashed = self.crash_service(&service, ticks, out);
                if crashed && Self::service_behind(&call) == Some(service.as_str()) {
                    Err(faults::not_executed())
                } else {
                    self.outcome_under_power(op, client, &call, out)
                }
            }
            Some(What::NoEffect) if matches!(*call, Call::Layers(LayersCall::Destroy { .. })) => {
                Ok(().into())
            }
            Some(What::NoEffect) => {
                self.faults.correct(|hit| hit.stood = true);
                self.outcome_under_power(op, client, &call, out)
            }
        };
        match outcome {
            Ok(Step::Done(reply)) => self.give(op, client, Ok(reply), out),
            Ok(Step::Pending) => {
                if self.is_alive(client) {
                    self.pending.insert(
                        op,
                        PendingOp {
                            client,
                            operation,
                            object: call.object(),
                        },
                    );
                }
            }
            Err(fault) => self.give(
                op,
                client,
                Err(fault.into_error(operation, call.object())),
                out,
            ),
        }
    }

    fn outcome(
        &mut self,
        op: OpId,
        client: ClientId,
        call: &Call,
        out: &mut Outside<'_>,
    ) -> Outcome {
        if self.machine.down && !matches!(call, Call::SleepUntil(_)) {
            return Err(unreachable_host());
        }
        if !self.limited.is_empty() {
            let (_, operation, _, _) = call.kind();
            self.check_access(self.identity(client), operation)?;
        }
        match call {
            Call::Compute(call) => self.compute_call(op, client, call, out),
            Call::Layers(call) => self.layers_call(client, call, out),
            Call::Network(call) => self.network_call(call),
            Call::Switches(call) => self.switches_call(call),
            Call::Control(call) => self.control_call(op, client, call, out),
            Call::Files(call) => self.files_call(client, call, out),
            Call::SleepUntil(_) => Ok(().into()),
            Call::Diagnostics(call) => self.diagnostics_call(call),
        }
    }

    fn give(
        &mut self,
        op: OpId,
        client: ClientId,
        mut result: Result<Reply, HostError>,
        out: &mut Outside<'_>,
    ) {
        if self.second_api.contains(&client) {
            spell_for_second_api(&mut result);
        }
        self.fingerprint
            .answer(self.now, op.0, result.as_ref().err());
        out.trace(self.now, || TraceEvent::Answer {
            op,
            error: result.as_ref().err().map(ToString::to_string),
        });
        if self.is_alive(client) {
            self.answers.push((op, result));
        }
    }
}

/// The world's own codes are those of version 1.
fn spell_for_second_api(result: &mut Result<Reply, HostError>) {
    let code = match result {
        Err(HostError {
            code: Code::Hresult(code),
            ..
        }) => code,
        Ok(Reply::SystemEvent(SystemEvent::Exited { status, .. })) => status,
        _ => return,
    };
    *code = codes::spelled(*code, ComputeApi::V2);
}

/// The host cannot be reached: 0x6BA, the RPC server is unavailable.
fn unreachable_host() -> Fault {
    Fault::from(win32::RPC_S_SERVER_UNAVAILABLE).retry(wcow_host::Retry::Soon)
}

fn after(time: FileTime, ticks: u64) -> FileTime {
    FileTime::from_ticks(time.ticks().saturating_add(ticks))
}

#[cfg(test)]
mod tests {
    use wcow_host::{Host, HostControl};

    use crate::call::OpId;
    use crate::{Profile, Sim};

    #[test]
    fn a_call_that_is_answered_twice_is_noticed() {
        let sim = Sim::new(Profile::server_2022(), 0);
        let client = sim.client();
        let ask = || sim.run(client.control().info()).unwrap().unwrap();
        ask();
        assert_eq!(sim.unclaimed_answers(), 0);
        let mut locked = sim.lock();
        let again = OpId(locked.world.next_op);
        locked.world.answers.push((again, Ok(().into())));
        drop(locked);
        ask();
        assert_eq!(sim.unclaimed_answers(), 1);
    }
}
