//! Virtual machines: firmware, topology, state.

// Written by `cargo xtask schema`, from `data/schema2.json` and `data/schema2.words`.

use wcow_ntmeta::Guid;

use crate::SchemaVersion;
use crate::schema2::*;
use crate::wire::{document, words};

document! {
    /// A virtual machine.
    ///
    /// Part of [`ComputeSystem`]. Since schema 2.0.
    VirtualMachine = "VirtualMachine" {
        /// The version of the virtual hardware, not of the schema.
        version: Option<SchemaVersion> = "Version" @ 2.5,
        /// Whether a restart from within ends the machine.
        stop_on_reset: Option<bool> = "StopOnReset" @ 2.0,
        chipset: Option<Chipset> = "Chipset" @ 2.0,
        /// Memory and processors.
        compute_topology: Option<Topology> = "ComputeTopology" @ 2.0,
        devices: Option<Devices> = "Devices" @ 2.0,
        /// Integration services. Below 2.5 there are none, and a later clean shutdown is not supported.
        services: Option<Services> = "Services" @ 2.5,
        /// Files that keep the state of the firmware.
        guest_state: Option<GuestState> = "GuestState" @ 2.1,
        /// A saved state or template to start from.
        restore_state: Option<RestoreState> = "RestoreState" @ 2.0,
        registry_changes: Option<RegistryChanges> = "RegistryChanges" @ 2.0,
        storage_qos: Option<StorageQoS> = "StorageQoS" @ 2.1,
        /// How the host talks to the guest's side of the service.
        guest_connection: Option<GuestConnection> = "GuestConnection" @ 2.1,
    }

    /// Firmware, boot and serial numbers.
    ///
    /// Part of [`VirtualMachine`]. Since schema 2.0.
    Chipset = "Chipset" {
        uefi: Option<Uefi> = "Uefi" @ 2.0,
        is_num_lock_disabled: Option<bool> = "IsNumLockDisabled" @ 2.0,
        base_board_serial_number: Option<String> = "BaseBoardSerialNumber" @ 2.0,
        chassis_serial_number: Option<String> = "ChassisSerialNumber" @ 2.0,
        chassis_asset_tag: Option<String> = "ChassisAssetTag" @ 2.0,
        enable_hibernation: Option<bool> = "EnableHibernation" @ 2.5,
        /// Whether the clock tells UTC and not local time.
        use_utc: Option<bool> = "UseUtc" @ 2.1,
        linux_kernel_direct: Option<LinuxKernelDirect> = "LinuxKernelDirect" @ 2.2,
    }

    /// UEFI firmware.
    ///
    /// Part of [`Chipset`]. Since schema 2.0.
    Uefi = "Uefi" {
        enable_debugger: Option<bool> = "EnableDebugger" @ 2.0,
        secure_boot_template_id: Option<Guid> = "SecureBootTemplateId" @ 2.0,
        apply_secure_boot_template: Option<ApplySecureBootTemplateType> = "ApplySecureBootTemplate" @ 2.3,
        /// The one device that is booted from.
        boot_this: Option<UefiBootEntry> = "BootThis" @ 2.0,
        /// Where the firmware prints.
        console: Option<SerialConsole> = "Console" @ 2.0,
        stop_on_boot_failure: Option<bool> = "StopOnBootFailure" @ 2.2,
    }

    /// What is booted.
    ///
    /// Part of [`Uefi`]. Since schema 2.1.
    UefiBootEntry = "UefiBootEntry" {
        device_type: Option<UefiBootDevice> = "DeviceType" @ 2.1,
        device_path: Option<String> = "DevicePath" @ 2.1,
        disk_number: Option<u16> = "DiskNumber" @ 2.1,
        /// Text that is handed to the boot loader.
        optional_data: Option<String> = "OptionalData" @ 2.1,
        vmb_fs_root_path: Option<String> = "VmbFsRootPath" @ 2.1,
    }

    /// A Linux kernel that is started without firmware.
    ///
    /// Part of [`Chipset`]. Since schema 2.2.
    LinuxKernelDirect = "LinuxKernelDirect" {
        kernel_file_path: Option<String> = "KernelFilePath" @ 2.2,
        init_rd_path: Option<String> = "InitRdPath" @ 2.2,
        kernel_cmd_line: Option<String> = "KernelCmdLine" @ 2.2,
    }

    /// Memory and processors of a virtual machine.
    ///
    /// Part of [`VirtualMachine`]. Since schema 2.0.
    Topology = "Topology" {
        memory: Option<VirtualMachineMemory> = "Memory" @ 2.0,
        processor: Option<VirtualMachineProcessor> = "Processor" @ 2.0,
    }

    /// Memory of a virtual machine.
    ///
    /// Part of [`Topology`]. Since schema 2.0.
    VirtualMachineMemory = "VirtualMachine_Memory" {
        /// In MiB.
        size_in_mb: Option<u64> = "SizeInMB" @ 2.1,
        /// Whether the memory may be backed by the page file.
        allow_overcommit: Option<bool> = "AllowOvercommit" @ 2.1,
        backing_page_size: Option<MemoryBackingPageSize> = "BackingPageSize" @ 2.2,
        fault_cluster_size_shift: Option<u32> = "FaultClusterSizeShift" @ 2.4,
        direct_map_fault_cluster_size_shift: Option<u32> = "DirectMapFaultClusterSizeShift" @ 2.4,
        pin_backing_pages: Option<bool> = "PinBackingPages" @ 2.2,
        forbid_small_backing_pages: Option<bool> = "ForbidSmallBackingPages" @ 2.2,
        enable_hot_hint: Option<bool> = "EnableHotHint" @ 2.0,
        enable_cold_hint: Option<bool> = "EnableColdHint" @ 2.0,
        enable_cold_discard_hint: Option<bool> = "EnableColdDiscardHint" @ 2.2,
        /// Whether memory is committed when it is used first.
        enable_deferred_commit: Option<bool> = "EnableDeferredCommit" @ 2.1,
        low_mmio_gap_in_mb: Option<u64> = "LowMmioGapInMB" @ 2.3,
        high_mmio_base_in_mb: Option<u64> = "HighMmioBaseInMB" @ 2.3,
        high_mmio_gap_in_mb: Option<u64> = "HighMmioGapInMB" @ 2.3,
    }

    /// Processors of a virtual machine.
    ///
    /// Part of [`Topology`]. Since schema 2.0.
    VirtualMachineProcessor = "VirtualMachine_Processor" {
        /// Number of virtual processors.
        count: Option<u32> = "Count" @ 2.0,
        /// Most of the processor time that each may have.
        limit: Option<u64> = "Limit" @ 2.1,
        weight: Option<u64> = "Weight" @ 2.1,
        reservation: Option<u64> = "Reservation" @ 2.4,
        maximum_frequency_mhz: Option<u32> = "MaximumFrequencyMHz" @ 2.4,
        /// Whether virtual machines can run inside.
        expose_virtualization_extensions: Option<bool> = "ExposeVirtualizationExtensions" @ 2.0,
        enable_perfmon_pmu: Option<bool> = "EnablePerfmonPmu" @ 2.2,
        enable_perfmon_arch_pmu: Option<bool> = "EnablePerfmonArchPmu" @ 2.5,
        enable_perfmon_pebs: Option<bool> = "EnablePerfmonPebs" @ 2.2,
        enable_perfmon_lbr: Option<bool> = "EnablePerfmonLbr" @ 2.2,
        enable_perfmon_ipt: Option<bool> = "EnablePerfmonIpt" @ 2.2,
        enable_page_shattering: Option<bool> = "EnablePageShattering" @ 2.5,
        disable_speculation_controls: Option<bool> = "DisableSpeculationControls" @ 2.5,
        processor_feature_set: Option<ProcessorFeatureSet> = "ProcessorFeatureSet" @ 2.5,
        /// The group of processors it is bound to.
        cpu_group: Option<CpuGroup> = "CpuGroup" @ 2.5,
    }

    /// The group of processors that a virtual machine is bound to.
    ///
    /// Part of [`VirtualMachineProcessor`]. Since schema 2.1.
    CpuGroup = "CpuGroup" {
        id: Option<Guid> = "Id" @ 2.1,
    }

    /// Limits of processor time of a running virtual machine.
    ///
    /// Since schema 2.4.
    ProcessorLimits = "ProcessorLimits" {
        limit: Option<u64> = "Limit" @ 2.4,
        weight: Option<u64> = "Weight" @ 2.4,
        reservation: Option<u64> = "Reservation" @ 2.4,
        maximum_frequency_mhz: Option<u32> = "MaximumFrequencyMHz" @ 2.4,
    }

    /// How many processors of a running virtual machine are to be left idle.
    ///
    /// Since schema 2.3.
    IdleProcessorsRequest = "IdleProcessorsRequest" {
        idle_processor_count: Option<u32> = "IdleProcessorCount" @ 2.3,
    }

    /// Files in which a virtual machine keeps what firmware and devices remember.
    ///
    /// Part of [`VirtualMachine`]. Since schema 2.1.
    GuestState = "GuestState" {
        guest_state_file_path: Option<String> = "GuestStateFilePath" @ 2.1,
        runtime_state_file_path: Option<String> = "RuntimeStateFilePath" @ 2.1,
        force_transient_state: Option<bool> = "ForceTransientState" @ 2.1,
    }

    /// How the host talks to the guest.
    ///
    /// Part of [`VirtualMachine`]. Since schema 2.1.
    GuestConnection = "GuestConnection" {
        use_vsock: Option<bool> = "UseVsock" @ 2.1,
        use_connected_suspend: Option<bool> = "UseConnectedSuspend" @ 2.1,
        use_host_time_zone: Option<bool> = "UseHostTimeZone" @ 2.4,
    }

    /// Hyper-V sockets between a virtual machine and its host.
    ///
    /// Part of [`Devices`]. Since schema 2.1.
    VirtualMachineHvSocket = "VirtualMachine_HvSocket" {
        hv_socket_config: Option<HvSocketSystemConfig> = "HvSocketConfig" @ 2.1,
    }

    /// What a virtual machine needs of the processors of its host.
    ///
    /// Since schema 2.5.
    VmProcessorRequirements = "VmProcessorRequirements" {
        processor_features: Vec<ProcessorFeature> = "ProcessorFeatures" @ 2.5,
        xsave_processor_features: Vec<XsaveProcessorFeature> = "XsaveProcessorFeatures" @ 2.5,
        cache_line_flush_size: Option<u64> = "CacheLineFlushSize" @ 2.5,
        implemented_physical_address_bits: Option<u64> = "ImplementedPhysicalAddressBits" @ 2.5,
        non_architectural_core_sharing: Option<NonArchitecturalCoreSharing> = "NonArchitecturalCoreSharing" @ 2.5,
    }
}

words! {
    /// What kind of device is booted from.
    ///
    /// Part of [`UefiBootEntry`]. Since schema 2.0.
    UefiBootDevice = "UefiBootDevice" {
        ScsiDrive = "ScsiDrive" @ 2.0,
        VmbFs = "VmbFs" @ 2.0,
        Network = "Network" @ 2.0,
        File = "File" @ 2.1,
    }

    /// Whether the template of secure boot is applied again.
    ///
    /// Part of [`Uefi`]. Since schema 2.3.
    ApplySecureBootTemplateType = "ApplySecureBootTemplateType" {
        Skip = "Skip" @ 2.3,
        Apply = "Apply" @ 2.3,
    }

    /// The serial port that is the console of the firmware.
    ///
    /// Part of [`Uefi`]. Since schema 2.0.
    SerialConsole = "SerialConsole" {
        Default = "Default" @ 2.0,
        Disabled = "Disabled" @ 2.0,
        ComPort1 = "ComPort1" @ 2.0,
        ComPort2 = "ComPort2" @ 2.0,
    }

    /// The size of the pages that back the memory of a virtual machine.
    ///
    /// Part of [`VirtualMachineMemory`]. Since schema 2.2.
    MemoryBackingPageSize = "MemoryBackingPageSize" {
        Small = "Small" @ 2.2,
        Large = "Large" @ 2.2,
    }

    /// Whether something is on, off, or as the default says.
    ///
    /// Part of [`KvpExchange`], [`NetworkAdapter`]. Since schema 2.4.
    StateOverride = "StateOverride" {
        Default = "Default" @ 2.4,
        Disabled = "Disabled" @ 2.4,
        Enabled = "Enabled" @ 2.4,
    }

    /// What is changed in what the hypervisor tells a guest.
    ///
    /// Since schema 2.5.
    EnlightenmentModifications = "EnlightenmentModifications" {
        Unreported = "Unreported" @ 2.5,
        FavorAutoEoi = "FavorAutoEoi" @ 2.5,
        RsvdZ1 = "RsvdZ1" @ 2.5,
    }
}
