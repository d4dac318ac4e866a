//! What is called: every function as its DLL has it.
//!
//! A function is one row, written as the headers write it. From the row come, on every system, the entry in the table; on Windows,
//! an unsafe function that looks the export up when it is first called, and a check of the signature against the declaration in
//! windows-sys where that has one. The check is a constant without a name: the compiler compares the types, and no code refers to
//! the import, so nothing is linked.

#[cfg(windows)]
pub use lookup::{address, is_there};

#[cfg(windows)]
pub(crate) mod lookup;

use crate::error::Dll;

/// A function of a DLL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Export {
    /// The DLL that has it.
    pub dll: Dll,
    /// The name it is exported by.
    pub name: &'static str,
    /// Its parameters in order: name and type.
    pub parameters: &'static [(&'static str, &'static str)],
    /// What it returns.
    pub returns: &'static str,
    /// Whether its signature is held to windows-sys when this crate is compiled for Windows.
    pub checked: bool,
}

/// Every function that this crate can call, by DLL.
pub const TABLES: &[&[Export]] = &[
    vmcompute::EXPORTS,
    computecore::EXPORTS,
    computestorage::EXPORTS,
    computenetwork::EXPORTS,
    virtdisk::EXPORTS,
    combase::EXPORTS,
];

/// The row of this function, if there is one.
pub fn find(dll: Dll, name: &str) -> Option<&'static Export> {
    let mut rows = TABLES.iter().copied().flatten();
    rows.find(|export| export.dll == dll && export.name == name)
}

/// One DLL: the rows that windows-sys declares, and those that it does not.
macro_rules! exports {
    (
        $dll:ident;
        $(declared in $($sys:ident)::+ {
            $( fn $name:ident($($parameter:ident: $type:ty),* $(,)?) -> $returns:ty; )*
        })?
        undeclared {
            $( fn $later:ident($($later_parameter:ident: $later_type:ty),* $(,)?) -> $later_returns:ty; )*
        }
    ) => {
        /// The DLL of these functions.
        pub const DLL: $crate::Dll = $crate::Dll::$dll;

        /// The functions, as rows.
        pub const EXPORTS: &[$crate::raw::Export] = &[
            $($( $crate::raw::Export {
                dll: DLL,
                name: stringify!($name),
                parameters: &[$((stringify!($parameter), stringify!($type))),*],
                returns: stringify!($returns),
                checked: true,
            }, )*)?
            $( $crate::raw::Export {
                dll: DLL,
                name: stringify!($later),
                parameters: &[$((stringify!($later_parameter), stringify!($later_type))),*],
                returns: stringify!($later_returns),
                checked: false,
            }, )*
        ];

        $($( exports!(@function $name($($parameter: $type),*) -> $returns); )*)?
        $( exports!(@function $later($($later_parameter: $later_type),*) -> $later_returns); )*

        $(#[cfg(windows)]
        const _: () = {
            use $($sys)::+ as sys;
            $( const _: unsafe extern "system" fn($($type),*) -> $returns = sys::$name; )*
        };)?
    };
    (@function $name:ident($($parameter:ident: $type:ty),*) -> $returns:ty) => {
        #[doc = concat!("Calls `", stringify!($name), "`; `Ok` is what it returned, whatever that says.")]
        ///
        /// # Errors
        /// The DLL or the function is not there. Nothing was called.
        ///
        /// # Safety
        /// What the function asks of its caller: handles that are open, pointers that are good for what it reads and writes.
        #[cfg(windows)]
        pub unsafe fn $name($($parameter: $type),*) -> Result<$returns, $crate::Error> {
            static SLOT: $crate::raw::lookup::Slot =
                $crate::raw::lookup::Slot::new(DLL, stringify!($name), concat!(stringify!($name), "\0"));
            let address = SLOT.address()?.as_ptr();
            // SAFETY: the address is that of the export of this name, whose signature this is: by windows-sys, or by the sources
            // that `tests/it/signatures.rs` names. The DLL stays loaded, because nothing in this crate ever frees one.
            let function = unsafe {
                std::mem::transmute::<
                    *mut std::ffi::c_void,
                    unsafe extern "system" fn($($type),*) -> $returns,
                >(address)
            };
            // SAFETY: the caller vouches for the arguments.
            Ok(unsafe { function($($parameter),*) })
        }
    };
}

#[cfg_attr(
    windows,
    expect(
        unsafe_code,
        non_snake_case,
        reason = "foreign functions, by their names"
    )
)]
pub mod combase;
#[cfg_attr(
    windows,
    expect(
        unsafe_code,
        non_snake_case,
        reason = "foreign functions, by their names"
    )
)]
pub mod computecore;
#[cfg_attr(
    windows,
    expect(
        unsafe_code,
        non_snake_case,
        reason = "foreign functions, by their names"
    )
)]
pub mod computenetwork;
#[cfg_attr(
    windows,
    expect(
        unsafe_code,
        non_snake_case,
        reason = "foreign functions, by their names"
    )
)]
pub mod computestorage;
#[cfg_attr(
    windows,
    expect(
        unsafe_code,
        non_snake_case,
        clippy::too_many_arguments,
        reason = "foreign functions, by their names"
    )
)]
pub mod virtdisk;
#[cfg_attr(
    windows,
    expect(
        unsafe_code,
        non_snake_case,
        reason = "foreign functions, by their names"
    )
)]
pub mod vmcompute;
