//! What is exported, as a table of the same form as the one that `wcow-hcs` calls by. Tests hold both together, on every system; on
//! Windows the forwarding DLLs are made from it.

pub use wcow_hcs::Dll;

/// A function that this library has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Export {
    /// The DLL that programs expect it in.
    pub dll: Dll,
    /// The name that it has there.
    pub name: &'static str,
    /// The name that this library exports it by: two DLLs have functions of the same name.
    pub symbol: &'static str,
    /// Types of its parameters in order.
    pub parameters: &'static [&'static str],
    /// What it returns.
    pub returns: &'static str,
}

/// Every function, by DLL.
pub const TABLES: &[&[Export]] = &[
    crate::v1::EXPORTS,
    crate::v1::layers::EXPORTS,
    crate::v1::hns::EXPORTS,
    crate::v2::EXPORTS,
    crate::v2::operation::EXPORTS,
    crate::storage::EXPORTS,
    crate::network::EXPORTS,
    crate::network::guest::EXPORTS,
];

/// The functions of the four DLLs that this library does not have, with the reason. A program that asks for one finds no such function,
/// as on a host that is too old.
pub const ABSENT: &[(&str, &str)] = &[
    ("LiveMigration", "the simulator has no live migration"),
    (
        "HcsGetProcessorCompatibilityFromSavedState",
        "the simulator writes no saved states",
    ),
    (
        "HcsGetOperationProperties",
        "the newest hosts only; what it tells is not public",
    ),
    (
        "HcnQueryEndpointStats",
        "its signature is public, its query and its answer are not; and the simulator counts no traffic of endpoints",
    ),
    (
        "HcnQueryEndpointAddresses",
        "its signature is public, its query and its answer are not",
    ),
    (
        "HcsSetupBaseOSVolume",
        "the simulator has no volumes but those of scratch layers",
    ),
    (
        "LegacyWritableLayer",
        "the simulator has no writable layers in the form of the first generation that are mounted as volumes",
    ),
    (
        "CreateLayer",
        "layers of this kind are obsolete, and the simulator has none",
    ),
];

/// Functions of one DLL: a row of the table for each, and the export. The body runs where a panic ends as E_UNEXPECTED.
macro_rules! exports {
    ($dll:ident; $(
        $(#[$doc:meta])*
        $symbol:literal fn $name:ident($($parameter:ident: $type:ty),* $(,)?) -> $returns:ty $body:block
    )*) => {
        /// These functions, as rows.
        pub const EXPORTS: &[$crate::exports::Export] = &[
            $( $crate::exports::Export {
                dll: $crate::exports::Dll::$dll,
                name: stringify!($name),
                symbol: $symbol,
                parameters: &[$(stringify!($type)),*],
                returns: stringify!($returns),
            }, )*
        ];

        $(
            $(#[$doc])*
            ///
            /// # Safety
            /// Pointers are null or good for what the function reads and writes; functions that are registered may be called until
            /// their registration ends.
            #[unsafe(export_name = $symbol)]
            pub unsafe extern "system" fn $name($($parameter: $type),*) -> $returns {
                $crate::guard::guarded(stringify!($name), || $body)
            }
        )*
    };
}

pub(crate) use exports;
