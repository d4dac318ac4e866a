//! What a silo is made of, below containers: views of jobs, files, names, registry and devices. Keys are in lower case.

// Written by `cargo xtask schema`, from `data/schema2.json` and `data/schema2.words`.

use wcow_ntmeta::Guid;

use crate::Bytes;
use crate::wire::{document, words};

document! {
    /// The definition of a silo.
    ///
    /// Since schema 2.3.
    ContainersDefContainer = "ContainersDef_Container" {
        namespace: Option<Namespace> = "namespace" @ 2.3,
    }

    /// Extensions of a container's view of devices.
    ///
    /// Part of [`Container`](crate::schema2::Container). Since schema 2.3.
    ContainersDefDevice = "ContainersDef_Device" {
        device_extension: Vec<DeviceExtension> = "device_extension" @ 2.3,
    }

    /// Folders that are bound into a container together.
    ///
    /// Part of [`FilesystemNamespace`]. Since schema 2.3.
    ContainersDefBatchedBinding = "ContainersDef_BatchedBinding" {
        filepath: Option<String> = "filepath" @ 2.3,
        bindingroots: Vec<String> = "bindingroots" @ 2.3,
    }

    /// Everything a silo has a view of its own of.
    ///
    /// Part of [`ContainersDefContainer`], [`DeviceExtension`]. Since schema 2.3.
    Namespace = "Namespace" {
        job: Option<JobNamespace> = "job" @ 2.3,
        filesystem: Option<FilesystemNamespace> = "filesystem" @ 2.3,
        mountmgr: Option<MountManagerNamespace> = "mountmgr" @ 2.3,
        namedpipe: Option<NamedPipeNamespace> = "namedpipe" @ 2.3,
        ob: Option<ObjectNamespace> = "ob" @ 2.3,
        registry: Option<RegistryNamespace> = "registry" @ 2.3,
        network: Option<NetworkNamespace> = "network" @ 2.3,
        device: Option<DeviceNamespace> = "device" @ 2.3,
        hostfiles: Option<HostFiles> = "hostfiles" @ 2.3,
    }

    /// The job object of a silo.
    ///
    /// Part of [`Namespace`]. Since schema 2.3.
    JobNamespace = "JobNamespace" {
        cpu: Option<JobCpu> = "cpu" @ 2.3,
        memory: Option<JobMemory> = "memory" @ 2.3,
        systemroot: Option<JobSystemRoot> = "systemroot" @ 2.3,
        terminationpolicy: Option<JobTerminationPolicy> = "terminationpolicy" @ 2.3,
        threadimpersonation: Option<bool> = "threadimpersonation" @ 2.3,
    }

    /// Limits of processor time of a job.
    ///
    /// Part of [`JobNamespace`]. Since schema 2.3.
    JobCpu = "JobCpu" {
        rate: Option<u32> = "rate" @ 2.3,
        weight: Option<u32> = "weight" @ 2.3,
    }

    /// Limit of memory of a job.
    ///
    /// Part of [`JobNamespace`]. Since schema 2.3.
    JobMemory = "JobMemory" {
        limit: Option<u64> = "limit" @ 2.3,
    }

    /// The Windows folder that a job sees.
    ///
    /// Part of [`JobNamespace`]. Since schema 2.3.
    JobSystemRoot = "JobSystemRoot" {
        path: Option<String> = "path" @ 2.3,
    }

    /// The view of files of a silo.
    ///
    /// Part of [`Namespace`]. Since schema 2.3.
    FilesystemNamespace = "FilesystemNamespace" {
        path: Option<String> = "path" @ 2.3,
        isolation: Option<FilesystemIsolationMode> = "isolation" @ 2.3,
        nesting: Option<FilesystemNestingMode> = "nesting" @ 2.3,
        layer: Vec<FilesystemLayer> = "layer" @ 2.3,
        bindings: Vec<ContainersDefBatchedBinding> = "bindings" @ 2.3,
    }

    /// A read-only layer below a view of files.
    ///
    /// Part of [`FilesystemNamespace`]. Since schema 2.3.
    FilesystemLayer = "FilesystemLayer" {
        identifier: Option<Guid> = "identifier" @ 2.3,
        path: Option<String> = "path" @ 2.3,
    }

    /// The view of mounted volumes of a silo.
    ///
    /// Part of [`Namespace`]. Since schema 2.3.
    MountManagerNamespace = "MountManagerNamespace" {
        mount_point: Vec<MountManagerMountPoint> = "mount_point" @ 2.3,
    }

    /// A volume that a silo sees mounted.
    ///
    /// Part of [`MountManagerNamespace`]. Since schema 2.3.
    MountManagerMountPoint = "MountManagerMountPoint" {
        name: Option<String> = "name" @ 2.3,
        path: Option<String> = "path" @ 2.3,
    }

    /// The view of named pipes of a silo.
    ///
    /// Part of [`Namespace`]. Since schema 2.3.
    NamedPipeNamespace = "NamedPipeNamespace" {
        symlink: Vec<NamedPipeSymlink> = "symlink" @ 2.3,
    }

    /// A named pipe that a silo sees under another name.
    ///
    /// Part of [`NamedPipeNamespace`]. Since schema 2.3.
    NamedPipeSymlink = "NamedPipeSymlink" {
        name: Option<String> = "name" @ 2.3,
        path: Option<String> = "path" @ 2.3,
    }

    /// The view of the object manager of a silo.
    ///
    /// Part of [`Namespace`]. Since schema 2.3.
    ObjectNamespace = "ObjectNamespace" {
        shadow: Option<ObjectDirectoryShadow> = "shadow" @ 2.3,
        symlink: Vec<ObjectSymlink> = "symlink" @ 2.3,
        objdir: Vec<ObjectDirectory> = "objdir" @ 2.3,
    }

    /// A folder of object names, with all below.
    ///
    /// Part of [`ObjectNamespace`]. Since schema 2.3.
    ObjectDirectory = "ObjectDirectory" {
        name: Option<String> = "name" @ 2.3,
        clonesd: Option<String> = "clonesd" @ 2.3,
        shadow: Option<ObjectDirectoryShadow> = "shadow" @ 2.3,
        symlink: Vec<ObjectSymlink> = "symlink" @ 2.3,
        objdir: Vec<ObjectDirectory> = "objdir" @ 2.3,
    }

    /// A link between object names.
    ///
    /// Part of [`ObjectDirectory`], [`ObjectNamespace`]. Since schema 2.3.
    ObjectSymlink = "ObjectSymlink" {
        name: Option<String> = "name" @ 2.3,
        path: Option<String> = "path" @ 2.3,
        scope: Option<ObjectSymlinkScope> = "scope" @ 2.3,
        pathtoclone: Option<String> = "pathtoclone" @ 2.3,
        access_mask: Option<u32> = "access_mask" @ 2.3,
    }

    /// The view of the registry of a silo.
    ///
    /// Part of [`Namespace`]. Since schema 2.3.
    RegistryNamespace = "RegistryNamespace" {
        symlink: Vec<RegistrySymlink> = "symlink" @ 2.3,
        redirectionnode: Vec<RegistryRedirectionNode> = "redirectionnode" @ 2.3,
        hivestack: Vec<RegistryHiveStack> = "hivestack" @ 2.3,
    }

    /// A link between registry keys.
    ///
    /// Part of [`RegistryNamespace`]. Since schema 2.3.
    RegistrySymlink = "RegistrySymlink" {
        key: Option<String> = "key" @ 2.3,
        target: Option<String> = "target" @ 2.3,
    }

    /// A key that a silo sees in place of another one.
    ///
    /// Part of [`RegistryNamespace`]. Since schema 2.3.
    RegistryRedirectionNode = "RegistryRedirectionNode" {
        containerpath: Option<String> = "containerpath" @ 2.3,
        hostpath: Option<String> = "hostpath" @ 2.3,
        hivestack: Option<String> = "hivestack" @ 2.3,
        access_mask: Option<u32> = "access_mask" @ 2.3,
        trustedhive: Option<bool> = "trustedhive" @ 2.3,
        exitnode: Option<bool> = "exitnode" @ 2.3,
    }

    /// A hive that is put together from layers.
    ///
    /// Part of [`RegistryNamespace`]. Since schema 2.3.
    RegistryHiveStack = "RegistryHiveStack" {
        hive: Option<String> = "hive" @ 2.3,
        layer: Vec<RegistryLayer> = "layer" @ 2.3,
        mkkey: Vec<RegistryMakeKey> = "mkkey" @ 2.3,
        delkey: Vec<RegistryDeleteKey> = "delkey" @ 2.3,
    }

    /// One layer of a hive.
    ///
    /// Part of [`RegistryHiveStack`]. Since schema 2.0.
    RegistryLayer = "RegistryLayer" {
        hosthive: Option<String> = "hosthive" @ 2.3,
        filepath: Option<String> = "filepath" @ 2.3,
        identifier: Option<Guid> = "identifier" @ 2.3,
        readonly: Option<bool> = "readonly" @ 2.3,
        immutable: Option<bool> = "immutable" @ 2.3,
        inherittrustclass: Option<bool> = "inherittrustclass" @ 2.3,
        trustedhive: Option<bool> = "trustedhive" @ 2.0,
        writethrough: Option<bool> = "writethrough" @ 2.3,
        fileaccesstoken: Option<u64> = "fileaccesstoken" @ 2.3,
    }

    /// A key that is made in a silo's registry, with all below.
    ///
    /// Part of [`RegistryHiveStack`]. Since schema 2.3.
    RegistryMakeKey = "RegistryMakeKey" {
        name: Option<String> = "name" @ 2.3,
        clonesd: Option<String> = "clonesd" @ 2.3,
        mkkey: Vec<RegistryMakeKey> = "mkkey" @ 2.3,
        mkvalue: Vec<RegistryMakeValue> = "mkvalue" @ 2.3,
        volatile: Option<bool> = "volatile" @ 2.3,
    }

    /// A value that is made in a silo's registry.
    ///
    /// Part of [`RegistryMakeKey`]. Since schema 2.3.
    RegistryMakeValue = "RegistryMakeValue" {
        name: Option<String> = "name" @ 2.3,
        data_multistring: Option<String> = "data_multistring" @ 2.3,
        data_dword: Option<u32> = "data_dword" @ 2.3,
        data_string: Option<String> = "data_string" @ 2.3,
        data_binary: Option<Bytes> = "data_binary" @ 2.3,
    }

    /// A key that a silo does not see.
    ///
    /// Part of [`RegistryHiveStack`]. Since schema 2.3.
    RegistryDeleteKey = "RegistryDeleteKey" {
        name: Option<String> = "name" @ 2.3,
    }

    /// The network compartment of a silo.
    ///
    /// Part of [`Namespace`]. Since schema 2.3.
    NetworkNamespace = "NetworkNamespace" {
        compartment: Option<String> = "compartment" @ 2.3,
    }

    /// The view of devices of a silo.
    ///
    /// Part of [`Namespace`]. Since schema 2.3.
    DeviceNamespace = "DeviceNamespace" {
        requires_driverstore: Option<bool> = "requires_driverstore" @ 2.3,
        device_category: Vec<DeviceCategory> = "device_category" @ 2.3,
        device_instance: Vec<DeviceInstance> = "device_instance" @ 2.3,
    }

    /// Devices that are handled alike.
    ///
    /// Part of [`DeviceExtension`], [`DeviceNamespace`]. Since schema 2.3.
    DeviceCategory = "DeviceCategory" {
        name: Option<String> = "name" @ 2.3,
        interface_class: Vec<InterfaceClass> = "interface_class" @ 2.3,
    }

    /// Devices that are added to a container, with the names that they need.
    ///
    /// Part of [`ContainersDefDevice`]. Since schema 2.3.
    DeviceExtension = "DeviceExtension" {
        device_category: Option<DeviceCategory> = "device_category" @ 2.3,
        namespace: Option<Namespace> = "namespace" @ 2.3,
    }

    /// One device that a silo sees.
    ///
    /// Part of [`DeviceNamespace`]. Since schema 2.3.
    DeviceInstance = "DeviceInstance" {
        id: Option<String> = "id" @ 2.3,
        location_path: Option<String> = "location_path" @ 2.3,
        port_name: Option<String> = "port_name" @ 2.3,
        interface_class: Vec<InterfaceClass> = "interface_class" @ 2.3,
    }

    /// A class of device interfaces.
    ///
    /// Part of [`DeviceCategory`], [`DeviceInstance`]. Since schema 2.3.
    InterfaceClass = "InterfaceClass" {
        kind: Option<InterfaceClassType> = "type" @ 2.3,
        identifier: Option<Guid> = "identifier" @ 2.3,
        recurse: Option<bool> = "recurse" @ 2.3,
    }

    /// Files of the host that a silo sees in its own Windows folder.
    ///
    /// Part of [`Namespace`]. Since schema 2.3.
    HostFiles = "HostFiles" {
        base_image_path: Option<String> = "base_image_path" @ 2.3,
        sandbox_path: Option<String> = "sandbox_path" @ 2.3,
        file: Vec<String> = "file" @ 2.3,
    }
}

words! {
    /// What ends a job.
    ///
    /// Part of [`JobNamespace`]. Since schema 2.3.
    JobTerminationPolicy = "JobTerminationPolicy" {
        PermanentQuiescent = "PermanentQuiescent" @ 2.3,
        KillOnHandleClose = "KillOnHandleClose" @ 2.3,
    }

    /// How strictly files outside are hidden.
    ///
    /// Part of [`FilesystemNamespace`]. Since schema 2.3.
    FilesystemIsolationMode = "FilesystemIsolationMode" {
        Hard = "hard" @ 2.3,
        Soft = "soft" @ 2.3,
    }

    /// Whether a view of files lies inside or outside of another one.
    ///
    /// Part of [`FilesystemNamespace`]. Since schema 2.3.
    FilesystemNestingMode = "FilesystemNestingMode" {
        Inner = "inner" @ 2.3,
        Outer = "outer" @ 2.3,
    }

    /// Whether a folder of object names shows those of the host below it.
    ///
    /// Part of [`ObjectDirectory`], [`ObjectNamespace`]. Since schema 2.3.
    ObjectDirectoryShadow = "ObjectDirectoryShadow" {
        False = "false" @ 2.3,
        True = "true" @ 2.3,
        Ifexists = "ifexists" @ 2.3,
    }

    /// Where the target of a link between object names is looked for.
    ///
    /// Part of [`ObjectSymlink`]. Since schema 2.3.
    ObjectSymlinkScope = "ObjectSymlinkScope" {
        Local = "Local" @ 2.3,
        Global = "Global" @ 2.3,
        GlobalDropSilo = "GlobalDropSilo" @ 2.3,
    }

    /// How a class of device interfaces is named.
    ///
    /// Part of [`InterfaceClass`]. Since schema 2.3.
    InterfaceClassType = "InterfaceClassType" {
        Inherit = "Inherit" @ 2.3,
        DeviceInstance = "DeviceInstance" @ 2.3,
        ClassGuid = "ClassGuid" @ 2.3,
    }
}
