//! Numbers on the wire.

use wcow_hcs::values::{EventOptions, EventType, NotificationType, OperationType};

#[test]
fn numbers_have_names_and_others_stay_numbers() {
    assert_eq!(
        NotificationType::SYSTEM_START_COMPLETED.to_string(),
        "SystemStartCompleted"
    );
    assert_eq!(NotificationType(0x1234).to_string(), "0x1234");
    assert_eq!(OperationType(-1).name(), Some("None"));
    assert_eq!(EventType(i32::MIN | 2), EventType::GROUP_VM_LIFECYCLE);
    assert_eq!(format!("{:?}", EventType(9)), "EventType(0x9)");
}

/// A number that is shared would take a v2 disconnect for the end of an operation.
#[test]
fn a_disconnect_has_another_number_in_each_generation() {
    assert_eq!(NotificationType::SERVICE_DISCONNECT.0, 0x0100_0000);
    assert_eq!(EventType::SERVICE_DISCONNECT.0, 0x0200_0000);
    assert_eq!(EventType::OPERATION_CALLBACK.0, 0x0100_0000);
}

#[test]
fn options_add_up() {
    let both = EventOptions::ENABLE_VM_LIFECYCLE.and(EventOptions::ENABLE_LIVE_MIGRATION_EVENTS);
    assert_eq!(both, EventOptions(6));
}

/// The numbers against windows-sys, at compile time.
#[cfg(windows)]
const _: () = {
    use wcow_hcs::values::NetworkNotificationType as N;
    use windows_sys::Win32::System::HostComputeNetwork as hcn;
    use windows_sys::Win32::System::HostComputeSystem as hcs;
    assert!(NotificationType::SYSTEM_EXITED.0 == hcs::HcsNotificationSystemExited as u32);
    assert!(
        NotificationType::SYSTEM_CREATE_COMPLETED.0
            == hcs::HcsNotificationSystemCreateCompleted as u32
    );
    assert!(
        NotificationType::SYSTEM_START_COMPLETED.0
            == hcs::HcsNotificationSystemStartCompleted as u32
    );
    assert!(
        NotificationType::SYSTEM_PAUSE_COMPLETED.0
            == hcs::HcsNotificationSystemPauseCompleted as u32
    );
    assert!(
        NotificationType::SYSTEM_RESUME_COMPLETED.0
            == hcs::HcsNotificationSystemResumeCompleted as u32
    );
    assert!(
        NotificationType::SYSTEM_CRASH_REPORT.0 == hcs::HcsNotificationSystemCrashReport as u32
    );
    assert!(
        NotificationType::SYSTEM_SILO_JOB_CREATED.0
            == hcs::HcsNotificationSystemSiloJobCreated as u32
    );
    assert!(
        NotificationType::SYSTEM_SAVE_COMPLETED.0 == hcs::HcsNotificationSystemSaveCompleted as u32
    );
    assert!(
        NotificationType::SYSTEM_SHUTDOWN_FAILED.0
            == hcs::HcsNotificationSystemShutdownFailed as u32
    );
    assert!(NotificationType::SYSTEM_PASS_THRU.0 == hcs::HcsNotificationSystemPassThru as u32);
    assert!(
        NotificationType::OPERATION_PROGRESS_UPDATE.0
            == hcs::HcsNotificationOperationProgressUpdate as u32
    );
    assert!(NotificationType::PROCESS_EXITED.0 == hcs::HcsNotificationProcessExited as u32);
    assert!(NotificationType::SERVICE_DISCONNECT.0 == hcs::HcsNotificationServiceDisconnect as u32);
    assert!(EventType::SYSTEM_EXITED.0 == hcs::HcsEventSystemExited);
    assert!(
        EventType::SYSTEM_GUEST_CONNECTION_CLOSED.0 == hcs::HcsEventSystemGuestConnectionClosed
    );
    assert!(EventType::PROCESS_EXITED.0 == hcs::HcsEventProcessExited);
    assert!(EventType::OPERATION_CALLBACK.0 == hcs::HcsEventOperationCallback);
    assert!(EventType::SERVICE_DISCONNECT.0 == hcs::HcsEventServiceDisconnect);
    assert!(EventType::GROUP_VM_LIFECYCLE.0 == hcs::HcsEventGroupVmLifecycle);
    assert!(EventType::GROUP_OPERATION_INFO.0 == hcs::HcsEventGroupOperationInfo);
    assert!(OperationType::CREATE_PROCESS.0 == hcs::HcsOperationTypeCreateProcess);
    assert!(OperationType::CRASH.0 == hcs::HcsOperationTypeCrash);
    assert!(OperationType::NONE.0 == hcs::HcsOperationTypeNone);
    assert!(
        EventOptions::ENABLE_OPERATION_CALLBACKS.0 == hcs::HcsEventOptionEnableOperationCallbacks
    );
    assert!(EventOptions::ENABLE_VM_LIFECYCLE.0 == hcs::HcsEventOptionEnableVmLifecycle);
    assert!(N::NETWORK_CREATE.0 == hcn::HcnNotificationNetworkCreate as u32);
    assert!(N::NETWORK_ENDPOINT_ATTACHED.0 == hcn::HcnNotificationNetworkEndpointAttached as u32);
    assert!(N::NETWORK_ENDPOINT_DETACHED.0 == hcn::HcnNotificationNetworkEndpointDetached as u32);
    assert!(
        N::GUEST_NETWORK_SERVICE_STATE_CHANGED.0
            == hcn::HcnNotificationGuestNetworkServiceStateChanged as u32
    );
    assert!(
        N::GUEST_NETWORK_SERVICE_INTERFACE_STATE_CHANGED.0
            == hcn::HcnNotificationGuestNetworkServiceInterfaceStateChanged as u32
    );
    assert!(N::SERVICE_DISCONNECT.0 == hcn::HcnNotificationServiceDisconnect as u32);
};
