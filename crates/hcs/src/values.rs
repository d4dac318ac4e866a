//! Numbers that pass between a client and the services: notifications, events, kinds of operations, options.
//!
//! Each type keeps numbers that it has no name for: newer hosts send newer ones.

use std::fmt;

/// A type for each set of numbers: named constants, the table of them, and the name in `Display`.
macro_rules! wire_values {
    ($(
        $(#[$doc:meta])*
        $name:ident($number:ty) {
            $( $(#[$value_doc:meta])* $constant:ident = $value:literal, $text:literal; )*
        }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $number);

        impl $name {
            $( $(#[$value_doc])* pub const $constant: Self = Self($value); )*

            /// The numbers that have a name.
            pub const NAMED: &[(Self, &str)] = &[$((Self($value), $text)),*];

            /// The name, as Microsoft's headers have it after their prefix.
            pub fn name(self) -> Option<&'static str> {
                Self::NAMED.iter().find(|(value, _)| *value == self).map(|(_, name)| *name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, "0x{:X}", self.0),
                }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    )*};
}

wire_values! {
    /// What a notification of v1 is about (`HcsNotification…`).
    NotificationType(u32) {
        /// No notification.
        INVALID = 0x0, "Invalid";
        /// The system has ended.
        SYSTEM_EXITED = 0x1, "SystemExited";
        /// A creation has ended; the status says how.
        SYSTEM_CREATE_COMPLETED = 0x2, "SystemCreateCompleted";
        /// A start has ended.
        SYSTEM_START_COMPLETED = 0x3, "SystemStartCompleted";
        /// A pause has ended.
        SYSTEM_PAUSE_COMPLETED = 0x4, "SystemPauseCompleted";
        /// A resumption has ended.
        SYSTEM_RESUME_COMPLETED = 0x5, "SystemResumeCompleted";
        /// A virtual machine has crashed.
        SYSTEM_CRASH_REPORT = 0x6, "SystemCrashReport";
        /// The job object of a silo exists.
        SYSTEM_SILO_JOB_CREATED = 0x7, "SystemSiloJobCreated";
        /// A save has ended.
        SYSTEM_SAVE_COMPLETED = 0x8, "SystemSaveCompleted";
        /// Enhanced mode came or went.
        SYSTEM_RDP_ENHANCED_MODE_STATE_CHANGED = 0x9, "SystemRdpEnhancedModeStateChanged";
        /// A shutdown has failed. Newer headers use the same number for one that has completed.
        SYSTEM_SHUTDOWN_FAILED = 0xA, "SystemShutdownFailed";
        /// A query has ended.
        SYSTEM_GET_PROPERTIES_COMPLETED = 0xB, "SystemGetPropertiesCompleted";
        /// A change has ended.
        SYSTEM_MODIFY_COMPLETED = 0xC, "SystemModifyCompleted";
        /// A virtual machine begins to crash.
        SYSTEM_CRASH_INITIATED = 0xD, "SystemCrashInitiated";
        /// The connection to the guest is closed.
        SYSTEM_GUEST_CONNECTION_CLOSED = 0xE, "SystemGuestConnectionClosed";
        /// An operation has ended.
        SYSTEM_OPERATION_COMPLETION = 0xF, "SystemOperationCompletion";
        /// Something that the service hands through.
        SYSTEM_PASS_THRU = 0x10, "SystemPassThru";
        /// An operation goes on.
        OPERATION_PROGRESS_UPDATE = 0x100, "OperationProgressUpdate";
        /// The process has ended.
        PROCESS_EXITED = 0x1_0000, "ProcessExited";
        /// The service is gone. Not the number that v2 uses.
        SERVICE_DISCONNECT = 0x0100_0000, "ServiceDisconnect";
    }

    /// What an event of v2 is about (`HcsEvent…`).
    EventType(i32) {
        /// No event.
        INVALID = 0, "Invalid";
        /// The system has ended.
        SYSTEM_EXITED = 1, "SystemExited";
        /// A virtual machine begins to crash.
        SYSTEM_CRASH_INITIATED = 2, "SystemCrashInitiated";
        /// A virtual machine has crashed.
        SYSTEM_CRASH_REPORT = 3, "SystemCrashReport";
        /// Enhanced mode came or went.
        SYSTEM_RDP_ENHANCED_MODE_STATE_CHANGED = 4, "SystemRdpEnhancedModeStateChanged";
        /// The job object of a silo exists.
        SYSTEM_SILO_JOB_CREATED = 5, "SystemSiloJobCreated";
        /// The connection to the guest is closed.
        SYSTEM_GUEST_CONNECTION_CLOSED = 6, "SystemGuestConnectionClosed";
        /// The process has ended.
        PROCESS_EXITED = 0x1_0000, "ProcessExited";
        /// An operation has ended.
        OPERATION_CALLBACK = 0x0100_0000, "OperationCallback";
        /// The service is gone.
        SERVICE_DISCONNECT = 0x0200_0000, "ServiceDisconnect";
        /// A virtual machine goes through its life; asked for by an option.
        GROUP_VM_LIFECYCLE = -0x7FFF_FFFE, "GroupVmLifecycle";
        /// A live migration goes on; asked for by an option.
        GROUP_LIVE_MIGRATION = -0x7FFF_FFFD, "GroupLiveMigration";
        /// An operation goes on.
        GROUP_OPERATION_INFO = -0x3FFF_FFFF, "GroupOperationInfo";
    }

    /// What an operation of v2 does (`HcsOperationType…`).
    OperationType(i32) {
        /// It was not used yet.
        NONE = -1, "None";
        /// Lists systems.
        ENUMERATE = 0, "Enumerate";
        /// Creates a system.
        CREATE = 1, "Create";
        /// Starts a system.
        START = 2, "Start";
        /// Shuts a system down.
        SHUTDOWN = 3, "Shutdown";
        /// Pauses a system.
        PAUSE = 4, "Pause";
        /// Lets a paused system go on.
        RESUME = 5, "Resume";
        /// Saves a paused system.
        SAVE = 6, "Save";
        /// Ends a system at once.
        TERMINATE = 7, "Terminate";
        /// Changes a system.
        MODIFY = 8, "Modify";
        /// Asks for properties.
        GET_PROPERTIES = 9, "GetProperties";
        /// Starts a process.
        CREATE_PROCESS = 10, "CreateProcess";
        /// Sends a signal to a process.
        SIGNAL_PROCESS = 11, "SignalProcess";
        /// Asks for the handles of a process.
        GET_PROCESS_INFO = 12, "GetProcessInfo";
        /// Asks for the properties of a process.
        GET_PROCESS_PROPERTIES = 13, "GetProcessProperties";
        /// Changes a process.
        MODIFY_PROCESS = 14, "ModifyProcess";
        /// Crashes a virtual machine.
        CRASH = 15, "Crash";
    }

    /// What a registration of v2 asks for beside the plain events (`HcsEventOption…`); the sum of several is allowed.
    EventOptions(i32) {
        /// Plain events.
        NONE = 0, "None";
        /// The ends of operations too. No operation of this handle can have a callback of its own then.
        ENABLE_OPERATION_CALLBACKS = 1, "EnableOperationCallbacks";
        /// The life of virtual machines.
        ENABLE_VM_LIFECYCLE = 2, "EnableVmLifecycle";
        /// Live migrations.
        ENABLE_LIVE_MIGRATION_EVENTS = 4, "EnableLiveMigrationEvents";
    }

    /// What a notification of HCN is about (`HcnNotification…`).
    NetworkNotificationType(u32) {
        /// No notification.
        INVALID = 0x0, "Invalid";
        /// A network is about to be created.
        NETWORK_PRE_CREATE = 0x1, "NetworkPreCreate";
        /// A network was created.
        NETWORK_CREATE = 0x2, "NetworkCreate";
        /// A network is about to be deleted.
        NETWORK_PRE_DELETE = 0x3, "NetworkPreDelete";
        /// A network was deleted.
        NETWORK_DELETE = 0x4, "NetworkDelete";
        /// A namespace was created.
        NAMESPACE_CREATE = 0x5, "NamespaceCreate";
        /// A namespace was deleted.
        NAMESPACE_DELETE = 0x6, "NamespaceDelete";
        /// A guest network service was created.
        GUEST_NETWORK_SERVICE_CREATE = 0x7, "GuestNetworkServiceCreate";
        /// A guest network service was deleted.
        GUEST_NETWORK_SERVICE_DELETE = 0x8, "GuestNetworkServiceDelete";
        /// An endpoint was attached.
        NETWORK_ENDPOINT_ATTACHED = 0x9, "NetworkEndpointAttached";
        /// An endpoint was detached.
        NETWORK_ENDPOINT_DETACHED = 0x10, "NetworkEndpointDetached";
        /// A guest network service changed.
        GUEST_NETWORK_SERVICE_STATE_CHANGED = 0x11, "GuestNetworkServiceStateChanged";
        /// An interface of a guest network service changed.
        GUEST_NETWORK_SERVICE_INTERFACE_STATE_CHANGED = 0x12, "GuestNetworkServiceInterfaceStateChanged";
        /// The service is gone.
        SERVICE_DISCONNECT = 0x0100_0000, "ServiceDisconnect";
    }
}

impl EventOptions {
    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
