//! Changes to the registry of a container or virtual machine before it starts.

// Written by `cargo xtask schema`, from `data/schema2.json` and `data/schema2.words`.

use crate::Bytes;
use crate::wire::{document, words};

document! {
    /// Values written and keys removed before the first start.
    ///
    /// Part of [`Container`](crate::schema2::Container), [`VirtualMachine`](crate::schema2::VirtualMachine). Since
    /// schema 2.0.
    RegistryChanges = "RegistryChanges" {
        /// Values that are written, with their keys.
        add_values: Vec<RegistryValue> = "AddValues" @ 2.0,
        /// Keys that are removed, with all below.
        delete_keys: Vec<RegistryKey> = "DeleteKeys" @ 2.0,
    }

    /// A key, by hive and name.
    ///
    /// Part of [`RegistryChanges`], [`RegistryValue`]. Since schema 2.0.
    RegistryKey = "RegistryKey" {
        hive: Option<RegistryHive> = "Hive" @ 2.0,
        /// Path below the root of the hive, for example `ControlSet001\Control`.
        name: Option<String> = "Name" @ 2.0,
        /// Whether the key goes away with the system.
        volatile: Option<bool> = "Volatile" @ 2.0,
    }

    /// A value that is written. Which field holds it depends on the type.
    ///
    /// Part of [`RegistryChanges`]. Since schema 2.0.
    RegistryValue = "RegistryValue" {
        key: Option<RegistryKey> = "Key" @ 2.0,
        /// The name of the value.
        name: Option<String> = "Name" @ 2.0,
        kind: Option<RegistryValueType> = "Type" @ 2.0,
        /// For `String`, `ExpandedString` and `MultiString`.
        string_value: Option<String> = "StringValue" @ 2.0,
        /// For `Binary`, and for `CustomType`.
        binary_value: Option<Bytes> = "BinaryValue" @ 2.0,
        /// For `DWord`.
        dword_value: Option<u32> = "DWordValue" @ 2.0,
        /// For `QWord`.
        qword_value: Option<u64> = "QWordValue" @ 2.0,
        /// The number of a type that has no name here.
        custom_type: Option<u32> = "CustomType" @ 2.0,
    }

    /// Whether the registry of a running container is flushed to its disk.
    ///
    /// Since schema 2.1.
    RegistryFlushState = "RegistryFlushState" {
        enabled: Option<bool> = "Enabled" @ 2.1,
    }
}

words! {
    /// The hive that a key is in.
    ///
    /// Part of [`RegistryKey`]. Since schema 2.0.
    RegistryHive = "RegistryHive" {
        System = "System" @ 2.0,
        Software = "Software" @ 2.0,
        Security = "Security" @ 2.0,
        Sam = "Sam" @ 2.0,
    }

    /// The type of a registry value.
    ///
    /// Part of [`RegistryValue`]. Since schema 2.0.
    RegistryValueType = "RegistryValueType" {
        None = "None" @ 2.0,
        String = "String" @ 2.0,
        ExpandedString = "ExpandedString" @ 2.0,
        MultiString = "MultiString" @ 2.0,
        Binary = "Binary" @ 2.0,
        DWord = "DWord" @ 2.0,
        QWord = "QWord" @ 2.0,
        CustomType = "CustomType" @ 2.0,
    }
}
