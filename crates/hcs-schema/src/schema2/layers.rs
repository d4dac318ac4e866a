//! Layers as documents: what a container is made of, and what the storage calls take.

// Written by `cargo xtask schema`, from `data/schema2.json` and `data/schema2.words`.

use wcow_ntmeta::Guid;

use crate::SchemaVersion;
use crate::schema2::*;
use crate::wire::{document, words};

document! {
    /// A read-only layer.
    ///
    /// Part of [`CombinedLayers`], [`LayerData`], [`Storage`]. Since schema 2.0.
    Layer = "Layer" {
        /// The layer's id. Some clients write the key in capitals.
        id: Option<Guid> = "Id" | "ID" @ 2.0,
        /// The layer's folder.
        path: Option<String> = "Path" @ 2.0,
        path_type: Option<PathType> = "PathType" @ 2.1,
        cache: Option<CacheMode> = "Cache" @ 2.0,
    }

    /// The layers that a storage call is about.
    ///
    /// Since schema 2.0.
    LayerData = "LayerData" {
        schema_version: Option<SchemaVersion> = "SchemaVersion" @ 2.1,
        /// Nearest first, base last.
        layers: Vec<Layer> = "Layers" @ 2.1,
        /// `UnionFS` or `WCIFS`, when the overlay filter is attached.
        filter_type: Option<String> = "FilterType" @ 2.0,
    }

    /// How a base layer is set up.
    ///
    /// Since schema 2.1.
    OsLayerOptions = "OsLayerOptions" {
        kind: Option<OsLayerType> = "Type" @ 2.1,
        disable_ci_cache_optimization: Option<bool> = "DisableCiCacheOptimization" @ 2.1,
        /// Leaves the boot configuration of the layer as it is.
        skip_update_bcd_for_boot: Option<bool> = "SkipUpdateBcdForBoot" @ 2.5,
    }

    /// What kind of layer is exported.
    ///
    /// Since schema 2.1.
    ExportLayerOptions = "ExportLayerOptions" {
        /// True for the scratch of a container.
        is_writable_layer: Option<bool> = "IsWritableLayer" @ 2.1,
    }

    /// A request to a guest: put layers and scratch together.
    ///
    /// Since schema 2.0.
    CombinedLayers = "CombinedLayers" {
        layers: Vec<Layer> = "Layers" @ 2.0,
        scratch_path: Option<String> = "ScratchPath" @ 2.0,
        /// Where the result is seen.
        container_root_path: Option<String> = "ContainerRootPath" @ 2.0,
    }

    /// A request to a guest: mount an image of the composite image file system.
    ///
    /// Since schema 2.3.
    CimMount = "CimMount" {
        image_path: Option<String> = "ImagePath" @ 2.3,
        file_system_name: Option<String> = "FileSystemName" @ 2.3,
        volume_guid: Option<Guid> = "VolumeGuid" @ 2.3,
        mount_flags: Option<u32> = "MountFlags" @ 2.5,
    }

    /// A request to a guest: show a virtual disk in a container.
    ///
    /// Since schema 2.1.
    MappedVirtualDisk = "MappedVirtualDisk" {
        container_path: Option<String> = "ContainerPath" @ 2.1,
        /// The number of the disk on its controller.
        lun: Option<u8> = "Lun" @ 2.1,
    }
}

words! {
    /// How the contents of a layer are cached.
    ///
    /// Part of [`Layer`]. Since schema 2.0.
    CacheMode = "CacheMode" {
        Unspecified = "Unspecified" @ 2.0,
        Disabled = "Disabled" @ 2.0,
        Enabled = "Enabled" @ 2.0,
        Private = "Private" @ 2.0,
        PrivateAllowSharing = "PrivateAllowSharing" @ 2.0,
    }

    /// What a base layer is prepared for.
    ///
    /// Part of [`OsLayerOptions`]. Since schema 2.1.
    OsLayerType = "OsLayerType" {
        Container = "Container" @ 2.1,
        Vm = "Vm" @ 2.1,
    }
}
