//! Handles to compute systems: what they are told, and what follows when they are closed.

use std::collections::VecDeque;

use wcow_host::codes::{v1, win32};
use wcow_host::{ExitType, SystemEvent, SystemHandle};
use wcow_ntmeta::Hresult;

use super::{Compute, Handle, Phase, SystemKey, TERMINATE};
use crate::call::{ClientId, Fault, OpId, Outcome, Reply, Step};
use crate::world::guest::process::{KILLED, ProcessRef};
use crate::world::{Outside, World};

impl World {
    pub(super) fn next_event(
        &mut self,
        op: OpId,
        client: ClientId,
        handle: SystemHandle,
    ) -> Outcome {
        let key = self.system_of(client, handle)?;
        let Some(open) = self.compute.handles.get_mut(&handle.0) else {
            return Err(win32::INVALID_HANDLE.into());
        };
        if let Some(event) = open.events.pop_front() {
            if self.compute.twice.remove(&op) {
                open.events.push_front(event.clone());
            }
            return Ok(event.into());
        }
        open.waiting.push_back(op);
        if self.compute.not_stopped(key).is_err() {
            // Nothing can happen to it any more.
            if let Some(open) = self.compute.handles.get_mut(&handle.0) {
                open.waiting.pop_back();
            }
            return Err(v1::SYSTEM_ALREADY_STOPPED.into());
        }
        Ok(Step::Pending)
    }

    pub(super) fn close_system(
        &mut self,
        client: ClientId,
        handle: SystemHandle,
        out: &mut Outside<'_>,
    ) -> Outcome {
        let key = self.system_of(client, handle)?;
        if let Some(open) = self.compute.handles.remove(&handle.0) {
            for op in open.waiting {
                self.answer(op, Err(win32::INVALID_HANDLE.into()), out);
            }
        }
        self.handle_closed(key);
        Ok(().into())
    }

    /// A client was killed: its handles are closed.
    pub(in crate::world) fn compute_client_gone(&mut self, client: ClientId) {
        let compute = &mut self.compute;
        let mut processes: Vec<ProcessRef> = Vec::new();
        compute.process_handles.retain(|_, reference| {
            let keep = reference.client != client;
            if !keep {
                processes.push(*reference);
            }
            keep
        });
        let mut systems: Vec<SystemKey> = Vec::new();
        compute.handles.retain(|_, handle| {
            let keep = handle.client != client;
            if !keep {
                systems.push(handle.system);
            }
            keep
        });
        for reference in processes {
            // The calls have gone with the client.
            let _ = self.process_handle_closed(reference);
            self.compute.forget(reference.system);
        }
        for key in systems {
            self.handle_closed(key);
        }
    }

    /// What follows from a closed handle.
    pub(super) fn handle_closed(&mut self, key: SystemKey) {
        let ends =
            self.compute.systems.get(&key).is_some_and(|system| {
                system.dies_with_its_handles && system.phase != Phase::Stopped
            });
        let mut handles = self.compute.handles.values();
        if ends && !handles.any(|handle| handle.system == key) {
            self.plan_exit(key, TERMINATE, KILLED, ExitType::ForcedExit);
        }
        self.compute.forget(key);
    }

    /// Takes all handles away. Those who wait for events learn of it, other calls get `code`.
    pub(super) fn drop_handles(&mut self, code: Hresult, out: &mut Outside<'_>) {
        let handles = std::mem::take(&mut self.compute.handles);
        for op in handles.into_values().flat_map(|handle| handle.waiting) {
            self.answer(op, Ok(SystemEvent::ServiceDisconnected.into()), out);
        }
        let mut cut_off: Vec<OpId> = Vec::new();
        for system in self.compute.systems.values_mut() {
            match &mut system.phase {
                Phase::Starting(op) | Phase::Turning(op, _) => cut_off.push(*op),
                Phase::Stopping(ops) => cut_off.append(ops),
                Phase::Off | Phase::Running | Phase::Paused | Phase::Saved(_) | Phase::Stopped => {}
            }
        }
        let references = std::mem::take(&mut self.compute.process_handles);
        for reference in references.into_values() {
            cut_off.extend(self.compute.take_waiting(reference));
            cut_off.extend(self.process_handle_closed(reference));
        }
        for op in cut_off {
            self.answer(op, Err::<Reply, Fault>(code.into()), out);
        }
    }

    /// The system behind a client's handle.
    pub(in crate::world) fn system_of(
        &self,
        client: ClientId,
        handle: SystemHandle,
    ) -> Result<SystemKey, Fault> {
        match self.compute.handles.get(&handle.0) {
            Some(open) if open.client == client => Ok(open.system),
            _ => Err(win32::INVALID_HANDLE.into()),
        }
    }
}

impl Compute {
    /// The event that a call waits for comes a second time.
    pub(in crate::world) fn notify_twice(&mut self, op: OpId) {
        self.twice.insert(op);
    }

    /// A call waits for an event no longer.
    pub(in crate::world) fn stop_waiting(&mut self, op: OpId) {
        for handle in self.handles.values_mut() {
            handle.waiting.retain(|waiting| *waiting != op);
        }
        self.twice.remove(&op);
    }

    pub(super) fn add_handle(
        &mut self,
        client: ClientId,
        system: SystemKey,
        alive: bool,
    ) -> SystemHandle {
        let handle = self.next_handle();
        if alive {
            let opened = Handle {
                client,
                system,
                events: VecDeque::new(),
                waiting: VecDeque::new(),
            };
            self.handles.insert(handle, opened);
        }
        SystemHandle(handle)
    }
}
