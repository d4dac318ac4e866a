//! Results built and read: what a failure is put down to.

use super::{
    AttributionRecord, CrashReport, ErrorEvent, GuestConnectionInfo, GuestCrash,
    InjectNonMaskableInterrupt, NotificationType, OperationFailure, OperationFailureDetail,
    ResultError, SystemExit, SystemExitStatus, TripleFault, VirtualDeviceFailure, WorkerExit,
};
use crate::schema1::GuestCapabilities;

/// What a failure is put down to: one field of an [`AttributionRecord`].
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    /// The worker process of a virtual machine ended.
    WorkerExit(WorkerExit),
    /// The guest crashed.
    GuestCrash(GuestCrash),
    /// A virtual processor could not go on.
    TripleFault(TripleFault),
    /// A non-maskable interrupt was sent on request.
    InjectNonMaskableInterrupt(InjectNonMaskableInterrupt),
    /// An operation of the service failed.
    OperationFailure(OperationFailure),
    /// The compute system ended.
    SystemExit(SystemExit),
    /// A virtual device failed.
    VirtualDeviceFailure(VirtualDeviceFailure),
}

impl From<Cause> for AttributionRecord {
    fn from(cause: Cause) -> Self {
        let mut record = Self::default();
        match cause {
            Cause::WorkerExit(exit) => record.worker_exit = Some(exit),
            Cause::GuestCrash(crash) => record.guest_crash = Some(crash),
            Cause::TripleFault(fault) => record.triple_fault = Some(fault),
            Cause::InjectNonMaskableInterrupt(interrupt) => {
                record.inject_non_maskable_interrupt = Some(interrupt);
            }
            Cause::OperationFailure(failure) => record.operation_failure = Some(failure),
            Cause::SystemExit(exit) => record.system_exit = Some(exit),
            Cause::VirtualDeviceFailure(failure) => record.virtual_device_failure = Some(failure),
        }
        record
    }
}

impl From<OperationFailureDetail> for Cause {
    fn from(detail: OperationFailureDetail) -> Self {
        Self::OperationFailure(OperationFailure {
            detail: Some(detail),
            ..OperationFailure::default()
        })
    }
}

impl AttributionRecord {
    /// What the record says; one cause, unless somebody wrote an odd one.
    pub fn causes(&self) -> impl Iterator<Item = Cause> {
        [
            self.worker_exit.clone().map(Cause::WorkerExit),
            self.guest_crash.clone().map(Cause::GuestCrash),
            self.triple_fault.clone().map(Cause::TripleFault),
            self.inject_non_maskable_interrupt
                .clone()
                .map(Cause::InjectNonMaskableInterrupt),
            self.operation_failure.clone().map(Cause::OperationFailure),
            self.system_exit.clone().map(Cause::SystemExit),
            self.virtual_device_failure
                .clone()
                .map(Cause::VirtualDeviceFailure),
        ]
        .into_iter()
        .flatten()
    }
}

impl ResultError {
    /// A failure with an HRESULT, for example `0x8007_0005`. The service always writes a message, which may be empty.
    #[must_use]
    pub fn new(hresult: u32, message: &str) -> Self {
        Self {
            error: Some(hresult.cast_signed()),
            error_message: Some(message.to_owned()),
            ..Self::default()
        }
    }

    /// The same, put down to one more cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Cause>) -> Self {
        self.attribution.push(cause.into().into());
        self
    }

    /// The same, with one more event.
    #[must_use]
    pub fn after(mut self, event: ErrorEvent) -> Self {
        self.error_events.push(event);
        self
    }

    /// The HRESULT; `None` if the document has none.
    #[must_use]
    pub fn hresult(&self) -> Option<u32> {
        self.error.map(i32::cast_unsigned)
    }

    /// What it is put down to.
    pub fn causes(&self) -> impl Iterator<Item = Cause> {
        self.attribution.iter().flat_map(AttributionRecord::causes)
    }

    /// The text that says most: the message or, where that is empty, those of the events.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let message = self.error_message.iter();
        let events = self.error_events.iter().flat_map(|event| &event.message);
        let own: Vec<&str> = message
            .map(String::as_str)
            .filter(|text| !text.is_empty())
            .collect();
        let texts = if own.is_empty() {
            events
                .map(String::as_str)
                .filter(|text| !text.is_empty())
                .collect()
        } else {
            own
        };
        (!texts.is_empty()).then(|| texts.join("; "))
    }
}

impl SystemExitStatus {
    /// An exit with an HRESULT.
    #[must_use]
    pub fn new(hresult: u32, how: NotificationType) -> Self {
        Self {
            status: Some(hresult.cast_signed()),
            exit_type: Some(how),
            ..Self::default()
        }
    }

    /// The same, put down to one more cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Cause>) -> Self {
        self.attribution.push(cause.into().into());
        self
    }

    /// The HRESULT; `None` if the document has none.
    #[must_use]
    pub fn hresult(&self) -> Option<u32> {
        self.status.map(i32::cast_unsigned)
    }
}

impl CrashReport {
    /// A crash of a system, with the five parameters of its stop code or as many as are known.
    #[must_use]
    pub fn new(system: &str, parameters: &[u64]) -> Self {
        Self {
            system_id: Some(system.to_owned()),
            crash_parameters: parameters.to_vec(),
            ..Self::default()
        }
    }
}

impl GuestConnectionInfo {
    /// What the guest says of itself; `None` where it says nothing, or nothing that can be read.
    #[must_use]
    pub fn capabilities(&self) -> Option<GuestCapabilities> {
        let capabilities = self.guest_defined_capabilities.clone()?;
        crate::wire::Wire::read(capabilities).ok()
    }
}
