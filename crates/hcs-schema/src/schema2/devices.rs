//! Devices of a virtual machine.

// Written by `cargo xtask schema`, from `data/schema2.json` and `data/schema2.words`.

use std::collections::BTreeMap;

use wcow_ntmeta::Guid;

use crate::schema2::*;
use crate::wire::{document, words};

document! {
    /// The devices of a virtual machine, by kind.
    ///
    /// Part of [`VirtualMachine`]. Since schema 2.0.
    Devices = "Devices" {
        /// By number, 0 or 1.
        com_ports: BTreeMap<u32, ComPort> = "ComPorts" @ 2.1,
        virtio_serial: Option<VirtioSerial> = "VirtioSerial" @ 2.2,
        /// SCSI controllers by name: a number, or a GUID.
        scsi: BTreeMap<String, Scsi> = "Scsi" @ 2.0,
        virtual_pmem: Option<VirtualPMemController> = "VirtualPMem" @ 2.0,
        /// Network adapters by name, normally a GUID.
        network_adapters: BTreeMap<String, NetworkAdapter> = "NetworkAdapters" @ 2.0,
        video_monitor: Option<VideoMonitor> = "VideoMonitor" @ 2.0,
        keyboard: Option<Keyboard> = "Keyboard" @ 2.0,
        mouse: Option<Mouse> = "Mouse" @ 2.0,
        hv_socket: Option<VirtualMachineHvSocket> = "HvSocket" @ 2.1,
        enhanced_mode_video: Option<EnhancedModeVideo> = "EnhancedModeVideo" @ 2.1,
        guest_crash_reporting: Option<GuestCrashReporting> = "GuestCrashReporting" @ 2.0,
        virtual_smb: Option<VirtualSmb> = "VirtualSmb" @ 2.0,
        plan9: Option<Plan9> = "Plan9" @ 2.0,
        battery: Option<Battery> = "Battery" @ 2.0,
        /// Emulated devices by name.
        flexible_iov: BTreeMap<String, FlexibleIoDevice> = "FlexibleIov" @ 2.1,
        shared_memory: Option<SharedMemoryConfiguration> = "SharedMemory" @ 2.1,
        /// Assigned PCI devices by name.
        virtual_pci: BTreeMap<String, VirtualPciDevice> = "VirtualPci" @ 2.3,
    }

    /// A serial port, which is a named pipe on the host.
    ///
    /// Part of [`Devices`]. Since schema 2.1.
    ComPort = "ComPort" {
        named_pipe: Option<String> = "NamedPipe" @ 2.1,
        optimize_for_debugger: Option<bool> = "OptimizeForDebugger" @ 2.1,
    }

    /// A virtio serial controller.
    ///
    /// Part of [`Devices`]. Since schema 2.2.
    VirtioSerial = "VirtioSerial" {
        /// By number.
        ports: BTreeMap<u32, VirtioSerialPort> = "Ports" @ 2.2,
    }

    /// A port of a virtio serial controller, which is a named pipe on the host.
    ///
    /// Part of [`VirtioSerial`]. Since schema 2.2.
    VirtioSerialPort = "VirtioSerialPort" {
        named_pipe: Option<String> = "NamedPipe" @ 2.2,
        name: Option<String> = "Name" @ 2.2,
    }

    /// A SCSI controller.
    ///
    /// Part of [`Devices`]. Since schema 2.0.
    Scsi = "Scsi" {
        /// Disks by their number (LUN).
        attachments: BTreeMap<u32, Attachment> = "Attachments" @ 2.0,
        disable_interrupt_batching: Option<bool> = "DisableInterruptBatching" @ 2.4,
    }

    /// A disk on a SCSI controller.
    ///
    /// Part of [`Scsi`]. Since schema 2.0.
    Attachment = "Attachment" {
        kind: Option<AttachmentType> = "Type" @ 2.0,
        /// The file or the device on the host.
        path: Option<String> = "Path" @ 2.0,
        caching_mode: Option<CachingMode> = "CachingMode" @ 2.1,
        read_only: Option<bool> = "ReadOnly" @ 2.0,
        support_compressed_volumes: Option<bool> = "SupportCompressedVolumes" @ 2.3,
        always_allow_sparse_files: Option<bool> = "AlwaysAllowSparseFiles" @ 2.6,
        support_encrypted_files: Option<bool> = "SupportEncryptedFiles" @ 2.6,
    }

    /// Persistent memory devices.
    ///
    /// Part of [`Devices`]. Since schema 2.0.
    VirtualPMemController = "VirtualPMemController" {
        /// By number.
        devices: BTreeMap<u8, VirtualPMemDevice> = "Devices" @ 2.0,
        maximum_count: Option<u8> = "MaximumCount" @ 2.0,
        /// In bytes.
        maximum_size_bytes: Option<u64> = "MaximumSizeBytes" @ 2.0,
        backing: Option<VirtualPMemBackingType> = "Backing" @ 2.1,
    }

    /// A persistent memory device, backed by a file.
    ///
    /// Part of [`VirtualPMemController`]. Since schema 2.0.
    VirtualPMemDevice = "VirtualPMemDevice" {
        host_path: Option<String> = "HostPath" @ 2.0,
        read_only: Option<bool> = "ReadOnly" @ 2.0,
        image_format: Option<VirtualPMemImageFormat> = "ImageFormat" @ 2.0,
        /// In bytes.
        size_bytes: Option<u64> = "SizeBytes" @ 2.2,
        /// Files by their offset in the device.
        mappings: BTreeMap<u64, VirtualPMemMapping> = "Mappings" @ 2.2,
    }

    /// A file that is mapped into a persistent memory device.
    ///
    /// Part of [`VirtualPMemDevice`]. Since schema 2.2.
    VirtualPMemMapping = "VirtualPMemMapping" {
        host_path: Option<String> = "HostPath" @ 2.2,
        image_format: Option<VirtualPMemImageFormat> = "ImageFormat" @ 2.2,
    }

    /// A network adapter of a virtual machine.
    ///
    /// Part of [`Devices`]. Since schema 2.0.
    NetworkAdapter = "NetworkAdapter" {
        /// The endpoint it is connected to.
        endpoint_id: Option<Guid> = "EndpointId" @ 2.0,
        /// With dashes: `00-15-5D-00-00-01`.
        mac_address: Option<String> = "MacAddress" @ 2.0,
        instance_id: Option<Guid> = "InstanceId" @ 2.4,
        disable_interrupt_batching: Option<bool> = "DisableInterruptBatching" @ 2.4,
        iov_settings: Option<IovSettings> = "IovSettings" @ 2.4,
        connection_state: Option<StateOverride> = "ConnectionState" @ 2.4,
    }

    /// How a network adapter uses hardware of the host directly.
    ///
    /// Part of [`NetworkAdapter`]. Since schema 2.4.
    IovSettings = "IovSettings" {
        offload_weight: Option<u32> = "OffloadWeight" @ 2.4,
        queue_pairs_requested: Option<u32> = "QueuePairsRequested" @ 2.4,
        interrupt_moderation: Option<InterruptModerationMode> = "InterruptModeration" @ 2.4,
    }

    /// A screen.
    ///
    /// Part of [`Devices`]. Since schema 2.1.
    VideoMonitor = "VideoMonitor" {
        horizontal_resolution: Option<u16> = "HorizontalResolution" @ 2.1,
        vertical_resolution: Option<u16> = "VerticalResolution" @ 2.1,
        connection_options: Option<RdpConnectionOptions> = "ConnectionOptions" @ 2.1,
    }

    /// Who may look at a screen, and through which pipe.
    ///
    /// Part of [`EnhancedModeVideo`], [`VideoMonitor`]. Since schema 2.1.
    RdpConnectionOptions = "RdpConnectionOptions" {
        /// Security ids of those who may.
        access_sids: Vec<String> = "AccessSids" @ 2.1,
        named_pipe: Option<String> = "NamedPipe" @ 2.1,
    }

    /// A screen through the remote desktop of the guest.
    ///
    /// Part of [`Devices`]. Since schema 2.1.
    EnhancedModeVideo = "EnhancedModeVideo" {
        connection_options: Option<RdpConnectionOptions> = "ConnectionOptions" @ 2.1,
    }

    /// A keyboard; its presence is all it says.
    ///
    /// Part of [`Devices`]. Since schema 2.0.
    Keyboard = "Keyboard" {
    }

    /// A mouse; its presence is all it says.
    ///
    /// Part of [`Devices`]. Since schema 2.0.
    Mouse = "Mouse" {
    }

    /// A battery; its presence is all it says.
    ///
    /// Part of [`Devices`]. Since schema 2.0.
    Battery = "Battery" {
    }

    /// What is kept when a guest crashes.
    ///
    /// Part of [`Devices`]. Since schema 2.0.
    GuestCrashReporting = "GuestCrashReporting" {
        windows_crash_settings: Option<WindowsCrashReporting> = "WindowsCrashSettings" @ 2.0,
    }

    /// Where the dump of a crashed Windows guest goes.
    ///
    /// Part of [`GuestCrashReporting`]. Since schema 2.0.
    WindowsCrashReporting = "WindowsCrashReporting" {
        dump_file_name: Option<String> = "DumpFileName" @ 2.0,
        /// In bytes.
        max_dump_size: Option<i64> = "MaxDumpSize" @ 2.0,
    }

    /// Folders of the host that a virtual machine reaches by SMB over its bus.
    ///
    /// Part of [`Devices`]. Since schema 2.1.
    VirtualSmb = "VirtualSmb" {
        shares: Vec<VirtualSmbShare> = "Shares" @ 2.1,
        /// Room for files that are mapped directly, in MiB.
        direct_file_mapping_in_mb: Option<i64> = "DirectFileMappingInMB" @ 2.1,
    }

    /// A folder of the host.
    ///
    /// Part of [`VirtualSmb`]. Since schema 2.0.
    VirtualSmbShare = "VirtualSmbShare" {
        /// The name by which the guest asks for it.
        name: Option<String> = "Name" @ 2.0,
        /// The folder on the host.
        path: Option<String> = "Path" @ 2.0,
        /// The only files that can be reached, if there are any.
        allowed_files: Vec<String> = "AllowedFiles" @ 2.0,
        options: Option<VirtualSmbShareOptions> = "Options" @ 2.1,
    }

    /// How a folder of the host may be used.
    ///
    /// Part of [`VirtualSmbShare`]. Since schema 2.1.
    VirtualSmbShareOptions = "VirtualSmbShareOptions" {
        read_only: Option<bool> = "ReadOnly" @ 2.1,
        share_read: Option<bool> = "ShareRead" @ 2.1,
        cache_io: Option<bool> = "CacheIo" @ 2.1,
        no_oplocks: Option<bool> = "NoOplocks" @ 2.1,
        take_backup_privilege: Option<bool> = "TakeBackupPrivilege" @ 2.1,
        use_share_root_identity: Option<bool> = "UseShareRootIdentity" @ 2.1,
        no_directmap: Option<bool> = "NoDirectmap" @ 2.1,
        no_locks: Option<bool> = "NoLocks" @ 2.1,
        no_dirnotify: Option<bool> = "NoDirnotify" @ 2.1,
        vm_shared_memory: Option<bool> = "VmSharedMemory" @ 2.1,
        restrict_file_access: Option<bool> = "RestrictFileAccess" @ 2.1,
        force_level_ii_oplocks: Option<bool> = "ForceLevelIIOplocks" @ 2.1,
        reparse_base_layer: Option<bool> = "ReparseBaseLayer" @ 2.1,
        pseudo_oplocks: Option<bool> = "PseudoOplocks" @ 2.1,
        non_cache_io: Option<bool> = "NonCacheIo" @ 2.1,
        pseudo_dirnotify: Option<bool> = "PseudoDirnotify" @ 2.1,
        single_file_mapping: Option<bool> = "SingleFileMapping" @ 2.1,
        support_cloud_files: Option<bool> = "SupportCloudFiles" @ 2.3,
        filter_encryption_attributes: Option<bool> = "FilterEncryptionAttributes" @ 2.4,
    }

    /// Folders of the host that a Linux guest reaches by the 9P protocol.
    ///
    /// Part of [`Devices`]. Since schema 2.1.
    Plan9 = "Plan9" {
        shares: Vec<Plan9Share> = "Shares" @ 2.1,
    }

    /// A folder of the host.
    ///
    /// Part of [`Plan9`]. Since schema 2.0.
    Plan9Share = "Plan9Share" {
        name: Option<String> = "Name" @ 2.0,
        access_name: Option<String> = "AccessName" @ 2.1,
        path: Option<String> = "Path" @ 2.0,
        port: Option<u32> = "Port" @ 2.0,
        allowed_files: Vec<String> = "AllowedFiles" @ 2.2,
    }

    /// A device that a program on the host emulates.
    ///
    /// Part of [`Devices`]. Since schema 2.1.
    FlexibleIoDevice = "FlexibleIoDevice" {
        emulator_id: Option<Guid> = "EmulatorId" @ 2.1,
        hosting_model: Option<FlexibleIoDeviceHostingModel> = "HostingModel" @ 2.1,
        configuration: Vec<String> = "Configuration" @ 2.1,
    }

    /// Memory that host and guest share.
    ///
    /// Part of [`Devices`]. Since schema 2.1.
    SharedMemoryConfiguration = "SharedMemoryConfiguration" {
        regions: Vec<SharedMemoryRegion> = "Regions" @ 2.1,
    }

    /// A region of shared memory.
    ///
    /// Part of [`SharedMemoryConfiguration`]. Since schema 2.0.
    SharedMemoryRegion = "SharedMemoryRegion" {
        section_name: Option<String> = "SectionName" @ 2.0,
        start_offset: Option<u64> = "StartOffset" @ 2.0,
        length: Option<u64> = "Length" @ 2.0,
        allow_guest_write: Option<bool> = "AllowGuestWrite" @ 2.0,
        hidden_from_guest: Option<bool> = "HiddenFromGuest" @ 2.0,
    }

    /// Where the guest sees a region of shared memory.
    ///
    /// Part of [`Properties`]. Since schema 2.1.
    SharedMemoryRegionInfo = "SharedMemoryRegionInfo" {
        section_name: Option<String> = "SectionName" @ 2.1,
        guest_physical_address: Option<u64> = "GuestPhysicalAddress" @ 2.1,
    }

    /// A PCI device of the host that is assigned to a virtual machine.
    ///
    /// Part of [`Devices`]. Since schema 2.3.
    VirtualPciDevice = "VirtualPciDevice" {
        functions: Vec<VirtualPciFunction> = "Functions" @ 2.3,
    }

    /// A function of an assigned PCI device.
    ///
    /// Part of [`VirtualPciDevice`]. Since schema 2.3.
    VirtualPciFunction = "VirtualPciFunction" {
        device_instance_path: Option<String> = "DeviceInstancePath" @ 2.3,
        virtual_function: Option<u16> = "VirtualFunction" @ 2.3,
        allow_direct_translated_p2p: Option<bool> = "AllowDirectTranslatedP2P" @ 2.4,
    }

    /// The graphics processors that a virtual machine gets.
    ///
    /// Since schema 2.0.
    GpuConfiguration = "GpuConfiguration" {
        assignment_mode: Option<GpuAssignmentMode> = "AssignmentMode" @ 2.0,
        assignment_request: BTreeMap<String, u16> = "AssignmentRequest" @ 2.0,
        allow_vendor_extension: Option<bool> = "AllowVendorExtension" @ 2.0,
    }
}

words! {
    /// What a disk is made of.
    ///
    /// Part of [`Attachment`]. Since schema 2.0.
    AttachmentType = "AttachmentType" {
        VirtualDisk = "VirtualDisk" @ 2.0,
        Iso = "Iso" @ 2.0,
        PassThru = "PassThru" @ 2.0,
    }

    /// How reads and writes of a disk are cached.
    ///
    /// Part of [`Attachment`]. Since schema 2.1.
    CachingMode = "CachingMode" {
        Uncached = "Uncached" @ 2.1,
        Cached = "Cached" @ 2.1,
        ReadOnlyCached = "ReadOnlyCached" @ 2.1,
    }

    /// The form of the file behind persistent memory.
    ///
    /// Part of [`VirtualPMemDevice`], [`VirtualPMemMapping`]. Since schema 2.0.
    VirtualPMemImageFormat = "VirtualPMemImageFormat" {
        Vhdx = "Vhdx" @ 2.0,
        Vhd1 = "Vhd1" @ 2.0,
    }

    /// What is behind persistent memory.
    ///
    /// Part of [`VirtualPMemController`]. Since schema 2.1.
    VirtualPMemBackingType = "VirtualPMemBackingType" {
        Virtual = "Virtual" @ 2.1,
        Physical = "Physical" @ 2.1,
    }

    /// How interrupts of a network adapter are bundled.
    ///
    /// Part of [`IovSettings`]. Since schema 2.4.
    InterruptModerationMode = "InterruptModerationMode" {
        Default = "Default" @ 2.4,
        Adaptive = "Adaptive" @ 2.4,
        Off = "Off" @ 2.4,
        Low = "Low" @ 2.4,
        Medium = "Medium" @ 2.4,
        High = "High" @ 2.4,
    }

    /// Where the emulator of a device runs.
    ///
    /// Part of [`FlexibleIoDevice`]. Since schema 2.1.
    FlexibleIoDeviceHostingModel = "FlexibleIoDeviceHostingModel" {
        Internal = "Internal" @ 2.1,
        External = "External" @ 2.1,
    }

    /// How graphics processors are chosen.
    ///
    /// Part of [`GpuConfiguration`]. Since schema 2.0.
    GpuAssignmentMode = "GpuAssignmentMode" {
        Disabled = "Disabled" @ 2.0,
        Default = "Default" @ 2.0,
        List = "List" @ 2.0,
        Mirror = "Mirror" @ 2.0,
    }
}
