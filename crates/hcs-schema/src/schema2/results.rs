//! How calls and compute systems end: errors, what they are put down to, crashes.

// Written by `cargo xtask schema`, from `data/schema2.json` and `data/schema2.words`.

use wcow_ntmeta::Guid;

use crate::schema2::*;
use crate::wire::{document, words};

document! {
    /// What a failed call tells beside its code.
    ///
    /// Part of [`PropertyResponse`]. Since schema 2.1.
    ResultError = "ResultError" {
        /// An HRESULT, as a signed number.
        error: Option<i32> = "Error" @ 2.1,
        /// A sentence of the service; it may be empty.
        error_message: Option<String> = "ErrorMessage" @ 2.1,
        /// Events that led to the failure, first one first.
        error_events: Vec<ErrorEvent> = "ErrorEvents" @ 2.4,
        /// What the failure is put down to.
        attribution: Vec<AttributionRecord> = "Attribution" @ 2.4,
    }

    /// An event that led to a failure.
    ///
    /// Part of [`ResultError`]. Since schema 2.1.
    ErrorEvent = "ErrorEvent" {
        message: Option<String> = "Message" @ 2.1,
        stack_trace: Option<String> = "StackTrace" @ 2.1,
        /// The event provider.
        provider: Option<Guid> = "Provider" @ 2.1,
        event_id: Option<u16> = "EventId" @ 2.1,
        flags: Option<u32> = "Flags" @ 2.1,
        /// Where in the service it was raised.
        source: Option<String> = "Source" @ 2.1,
        data: Vec<EventData> = "Data" @ 2.1,
    }

    /// A parameter of an event.
    ///
    /// Part of [`ErrorEvent`]. Since schema 2.1.
    EventData = "EventData" {
        kind: Option<EventDataType> = "Type" @ 2.1,
        value: Option<String> = "Value" @ 2.1,
    }

    /// What a failure is put down to. One field is there in each record.
    ///
    /// Part of [`ResultError`], [`SystemExitStatus`]. Since schema 2.4.
    AttributionRecord = "AttributionRecord" {
        worker_exit: Option<WorkerExit> = "WorkerExit" @ 2.4,
        guest_crash: Option<GuestCrash> = "GuestCrash" @ 2.4,
        triple_fault: Option<TripleFault> = "TripleFault" @ 2.4,
        inject_non_maskable_interrupt: Option<InjectNonMaskableInterrupt> = "InjectNonMaskableInterrupt" @ 2.4,
        operation_failure: Option<OperationFailure> = "OperationFailure" @ 2.4,
        system_exit: Option<SystemExit> = "SystemExit" @ 2.4,
        virtual_device_failure: Option<VirtualDeviceFailure> = "VirtualDeviceFailure" @ 2.4,
    }

    /// The worker process of a virtual machine ended.
    ///
    /// Part of [`AttributionRecord`]. Since schema 2.4.
    WorkerExit = "WorkerExit" {
        exit_code: Option<u32> = "ExitCode" @ 2.4,
        kind: Option<WorkerExitType> = "Type" @ 2.4,
        detail: Option<WorkerExitDetail> = "Detail" @ 2.4,
        initiator: Option<ExitInitiator> = "Initiator" @ 2.4,
    }

    /// The guest crashed.
    ///
    /// Part of [`AttributionRecord`]. Since schema 2.4.
    GuestCrash = "GuestCrash" {
        crash_parameters: Vec<u64> = "CrashParameters" @ 2.4,
    }

    /// A virtual processor could not go on.
    ///
    /// Part of [`AttributionRecord`]. Since schema 2.4.
    TripleFault = "TripleFault" {
        error_type: Option<u64> = "ErrorType" @ 2.4,
    }

    /// A non-maskable interrupt was sent on request; its presence is all it says.
    ///
    /// Part of [`AttributionRecord`]. Since schema 2.4.
    InjectNonMaskableInterrupt = "InjectNonMaskableInterrupt" {
    }

    /// An operation of the service failed.
    ///
    /// Part of [`AttributionRecord`]. Since schema 2.4.
    OperationFailure = "OperationFailure" {
        detail: Option<OperationFailureDetail> = "Detail" @ 2.4,
    }

    /// The compute system ended.
    ///
    /// Part of [`AttributionRecord`]. Since schema 2.4.
    SystemExit = "SystemExit" {
        detail: Option<SystemExitDetail> = "Detail" @ 2.4,
        initiator: Option<ExitInitiator> = "Initiator" @ 2.4,
    }

    /// A virtual device failed.
    ///
    /// Part of [`AttributionRecord`]. Since schema 2.4.
    VirtualDeviceFailure = "VirtualDeviceFailure" {
        detail: Option<VirtualDeviceFailureDetail> = "Detail" @ 2.4,
        name: Option<String> = "Name" @ 2.4,
        device_id: Option<Guid> = "DeviceId" @ 2.4,
        instance_id: Option<Guid> = "InstanceId" @ 2.4,
    }

    /// How a compute system ended; it comes with the notification of its exit.
    ///
    /// Since schema 2.1.
    SystemExitStatus = "SystemExitStatus" {
        /// An HRESULT, as a signed number.
        status: Option<i32> = "Status" @ 2.1,
        exit_type: Option<NotificationType> = "ExitType" @ 2.2,
        attribution: Vec<AttributionRecord> = "Attribution" @ 2.4,
    }

    /// A crash of a guest; it comes with the notification of the crash.
    ///
    /// Since schema 2.1.
    CrashReport = "CrashReport" {
        system_id: Option<String> = "SystemId" @ 2.1,
        activity_id: Option<Guid> = "ActivityId" @ 2.1,
        windows_crash_info: Option<WindowsCrashReport> = "WindowsCrashInfo" @ 2.1,
        crash_parameters: Vec<u64> = "CrashParameters" @ 2.3,
        crash_log: Option<String> = "CrashLog" @ 2.3,
        /// An HRESULT, as a signed number.
        status: Option<i32> = "Status" @ 2.4,
        pre_os_id: Option<u32> = "PreOSId" @ 2.4,
        crash_stack_unavailable: Option<bool> = "CrashStackUnavailable" @ 2.4,
    }

    /// What a Windows guest tells of its crash.
    ///
    /// Part of [`CrashReport`]. Since schema 2.1.
    WindowsCrashReport = "WindowsCrashReport" {
        dump_file: Option<String> = "DumpFile" @ 2.1,
        os_major_version: Option<u32> = "OsMajorVersion" @ 2.1,
        os_minor_version: Option<u32> = "OsMinorVersion" @ 2.1,
        os_build_number: Option<u32> = "OsBuildNumber" @ 2.1,
        os_service_pack_major_version: Option<u32> = "OsServicePackMajorVersion" @ 2.1,
        os_service_pack_minor_version: Option<u32> = "OsServicePackMinorVersion" @ 2.1,
        os_suite_mask: Option<u32> = "OsSuiteMask" @ 2.1,
        os_product_type: Option<u32> = "OsProductType" @ 2.1,
        status: Option<i32> = "Status" @ 2.1,
        final_phase: Option<WindowsCrashPhase> = "FinalPhase" @ 2.1,
    }

    /// An operation of a compute system, in the log of its operations.
    ///
    /// Since schema 2.6.
    OperationInfo = "OperationInfo" {
        operation: Option<OperationType> = "Operation" @ 2.6,
        start_timestamp: Option<String> = "StartTimestamp" @ 2.6,
        end_timestamp: Option<String> = "EndTimestamp" @ 2.6,
        failure_info: Option<OperationFailureInfo> = "FailureInfo" @ 2.6,
    }

    /// Why an operation failed.
    ///
    /// Part of [`OperationInfo`]. Since schema 2.6.
    OperationFailureInfo = "OperationFailureInfo" {
        /// An HRESULT, as a signed number.
        result: Option<i32> = "Result" @ 2.6,
    }

    /// What comes with the notification that an operation began; it says nothing more.
    OperationNotificationInfo = "OperationNotificationInfo" {
    }

    /// How far an operation is; it says nothing more.
    OperationProgress = "OperationProgress" {
    }
}

words! {
    /// The type of a parameter of an event.
    ///
    /// Part of [`EventData`]. Since schema 2.1.
    EventDataType = "EventDataType" {
        Empty = "Empty" @ 2.1,
        String = "String" @ 2.1,
        AnsiString = "AnsiString" @ 2.1,
        SByte = "SByte" @ 2.1,
        Byte = "Byte" @ 2.1,
        Int16 = "Int16" @ 2.1,
        UInt16 = "UInt16" @ 2.1,
        Int32 = "Int32" @ 2.1,
        UInt32 = "UInt32" @ 2.1,
        Int64 = "Int64" @ 2.1,
        UInt64 = "UInt64" @ 2.1,
        Single = "Single" @ 2.1,
        Double = "Double" @ 2.1,
        Boolean = "Boolean" @ 2.1,
        Binary = "Binary" @ 2.1,
        Guid = "Guid" @ 2.1,
    }

    /// How a worker process ended.
    ///
    /// Part of [`WorkerExit`]. Since schema 2.4.
    WorkerExitType = "WorkerExitType" {
        None = "None" @ 2.4,
        InitializationFailed = "InitializationFailed" @ 2.4,
        Stopped = "Stopped" @ 2.4,
        Saved = "Saved" @ 2.4,
        StoppedOnReset = "StoppedOnReset" @ 2.4,
        UnexpectedStop = "UnexpectedStop" @ 2.4,
        ResetFailed = "ResetFailed" @ 2.4,
        UnrecoverableError = "UnrecoverableError" @ 2.4,
    }

    /// What made a worker process end.
    ///
    /// Part of [`WorkerExit`]. Since schema 2.4.
    WorkerExitDetail = "WorkerExitDetail" {
        Invalid = "Invalid" @ 2.4,
        PowerOff = "PowerOff" @ 2.4,
        PowerOffCritical = "PowerOffCritical" @ 2.4,
        Reset = "Reset" @ 2.4,
        GuestCrash = "GuestCrash" @ 2.4,
        GuestFirmwareCrash = "GuestFirmwareCrash" @ 2.4,
        TripleFault = "TripleFault" @ 2.4,
        DeviceFatalApicRequest = "DeviceFatalApicRequest" @ 2.4,
        DeviceFatalMsrRequest = "DeviceFatalMsrRequest" @ 2.4,
        DeviceFatalException = "DeviceFatalException" @ 2.4,
        DeviceFatalError = "DeviceFatalError" @ 2.4,
        DeviceMachineCheck = "DeviceMachineCheck" @ 2.4,
        EmulatorError = "EmulatorError" @ 2.4,
        VidTerminate = "VidTerminate" @ 2.4,
        ProcessUnexpectedExit = "ProcessUnexpectedExit" @ 2.4,
        InitializationFailure = "InitializationFailure" @ 2.4,
        InitializationStartTimeout = "InitializationStartTimeout" @ 2.4,
        ColdStartFailure = "ColdStartFailure" @ 2.4,
        ResetStartFailure = "ResetStartFailure" @ 2.4,
        FastRestoreStartFailure = "FastRestoreStartFailure" @ 2.4,
        RestoreStartFailure = "RestoreStartFailure" @ 2.4,
        FastSavePreservePartition = "FastSavePreservePartition" @ 2.4,
        FastSavePreservePartitionHandleTransfer = "FastSavePreservePartitionHandleTransfer" @ 2.4,
        FastSave = "FastSave" @ 2.4,
        CloneTemplate = "CloneTemplate" @ 2.4,
        Save = "Save" @ 2.4,
        Migrate = "Migrate" @ 2.4,
        MigrateFailure = "MigrateFailure" @ 2.4,
        CannotReferenceVm = "CannotReferenceVm" @ 2.4,
        MgotUnregister = "MgotUnregister" @ 2.4,
        FastSavePreservePartitionHandleTransferStorage = "FastSavePreservePartitionHandleTransferStorage" @ 2.5,
        FastSavePreservePartitionHandleTransferNetworking = "FastSavePreservePartitionHandleTransferNetworking" @ 2.5,
        FastSavePreservePartitionHandleTransferStorageAndNetworking = "FastSavePreservePartitionHandleTransferStorageAndNetworking" @ 2.5,
        FastSavePreservePartitionHsr = "FastSavePreservePartitionHsr" @ 2.5,
        FastSavePreservePartitionWithHandleTransfer = "FastSavePreservePartitionWithHandleTransfer" @ 2.5,
        FastSaveWithHandleTransfer = "FastSaveWithHandleTransfer" @ 2.5,
    }

    /// Who wanted the end.
    ///
    /// Part of [`SystemExit`], [`WorkerExit`]. Since schema 2.4.
    ExitInitiator = "ExitInitiator" {
        None = "None" @ 2.4,
        GuestOS = "GuestOS" @ 2.4,
        Client = "Client" @ 2.4,
        Internal = "Internal" @ 2.4,
        Unknown = "Unknown" @ 2.4,
    }

    /// Which operation of the service failed.
    ///
    /// Part of [`OperationFailure`]. Since schema 2.4.
    OperationFailureDetail = "OperationFailureDetail" {
        Invalid = "Invalid" @ 2.4,
        CreateInternalError = "CreateInternalError" @ 2.4,
        ConstructStateError = "ConstructStateError" @ 2.4,
        RuntimeOsTypeMismatch = "RuntimeOsTypeMismatch" @ 2.4,
        Construct = "Construct" @ 2.4,
        Start = "Start" @ 2.4,
        Pause = "Pause" @ 2.4,
        Resume = "Resume" @ 2.4,
        Shutdown = "Shutdown" @ 2.4,
        Terminate = "Terminate" @ 2.4,
        Save = "Save" @ 2.4,
        GetProperties = "GetProperties" @ 2.4,
        Modify = "Modify" @ 2.4,
        Crash = "Crash" @ 2.4,
        GuestCrash = "GuestCrash" @ 2.4,
        LifecycleNotify = "LifecycleNotify" @ 2.4,
        ExecuteProcess = "ExecuteProcess" @ 2.4,
        GetProcessInfo = "GetProcessInfo" @ 2.4,
        WaitForProcess = "WaitForProcess" @ 2.4,
        SignalProcess = "SignalProcess" @ 2.4,
        ModifyProcess = "ModifyProcess" @ 2.4,
        PrepareForHosting = "PrepareForHosting" @ 2.4,
        RegisterHostedSystem = "RegisterHostedSystem" @ 2.4,
        UnregisterHostedSystem = "UnregisterHostedSystem" @ 2.4,
        PrepareForClone = "PrepareForClone" @ 2.4,
        GetCloneTemplate = "GetCloneTemplate" @ 2.4,
    }

    /// What made a compute system end.
    ///
    /// Part of [`SystemExit`]. Since schema 2.4.
    SystemExitDetail = "SystemExitDetail" {
        Invalid = "Invalid" @ 2.4,
        HcsApiFatalError = "HcsApiFatalError" @ 2.4,
        ServiceStop = "ServiceStop" @ 2.4,
        Shutdown = "Shutdown" @ 2.4,
        Terminate = "Terminate" @ 2.4,
        UnexpectedExit = "UnexpectedExit" @ 2.4,
    }

    /// What a virtual device was doing when it failed.
    ///
    /// Part of [`VirtualDeviceFailure`]. Since schema 2.4.
    VirtualDeviceFailureDetail = "VirtualDeviceFailureDetail" {
        None = "None" @ 2.4,
        Create = "Create" @ 2.4,
        Initialize = "Initialize" @ 2.4,
        StartReservingResources = "StartReservingResources" @ 2.4,
        FinishReservingResources = "FinishReservingResources" @ 2.4,
        FreeReservedResources = "FreeReservedResources" @ 2.4,
        SaveReservedResources = "SaveReservedResources" @ 2.4,
        PowerOnCold = "PowerOnCold" @ 2.4,
        PowerOnRestore = "PowerOnRestore" @ 2.4,
        PowerOff = "PowerOff" @ 2.4,
        Save = "Save" @ 2.4,
        Resume = "Resume" @ 2.4,
        Pause = "Pause" @ 2.4,
        EnableOptimizations = "EnableOptimizations" @ 2.4,
        StartDisableOptimizations = "StartDisableOptimizations" @ 2.4,
        FinishDisableOptimizations = "FinishDisableOptimizations" @ 2.4,
        Reset = "Reset" @ 2.4,
        PostReset = "PostReset" @ 2.4,
        Teardown = "Teardown" @ 2.4,
        SaveCompatibilityInfo = "SaveCompatibilityInfo" @ 2.4,
        MetricRestore = "MetricRestore" @ 2.4,
        MetricEnumerate = "MetricEnumerate" @ 2.4,
        MetricEnumerateForSave = "MetricEnumerateForSave" @ 2.4,
        MetricReset = "MetricReset" @ 2.4,
        MetricEnable = "MetricEnable" @ 2.4,
        MetricDisable = "MetricDisable" @ 2.4,
    }

    /// How far the writing of a crash dump came.
    ///
    /// Part of [`WindowsCrashReport`]. Since schema 2.1.
    WindowsCrashPhase = "WindowsCrashPhase" {
        Inactive = "Inactive" @ 2.1,
        CrashValues = "CrashValues" @ 2.1,
        Starting = "Starting" @ 2.1,
        Started = "Started" @ 2.1,
        Writing = "Writing" @ 2.1,
        Complete = "Complete" @ 2.1,
    }

    /// What an operation of a compute system does.
    ///
    /// Part of [`OperationInfo`]. Since schema 2.6.
    OperationType = "OperationType" {
        None = "None" @ 2.6,
        Construct = "Construct" @ 2.6,
        Start = "Start" @ 2.6,
        Pause = "Pause" @ 2.6,
        Resume = "Resume" @ 2.6,
        Shutdown = "Shutdown" @ 2.6,
        Terminate = "Terminate" @ 2.6,
        Save = "Save" @ 2.6,
        GetProperties = "GetProperties" @ 2.6,
        Modify = "Modify" @ 2.6,
        Crash = "Crash" @ 2.6,
        ExecuteProcess = "ExecuteProcess" @ 2.6,
        GetProcessInfo = "GetProcessInfo" @ 2.6,
        SignalProcess = "SignalProcess" @ 2.6,
        ModifyProcess = "ModifyProcess" @ 2.6,
        CancelOperation = "CancelOperation" @ 2.6,
    }
}
