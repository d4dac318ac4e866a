//! Win32 errors as HRESULTs of facility 7, as far as container hosts answer with them.
//!
//! Names: the SDK header `winerror.h`. Texts: the system's message table, as threads about containers quote them.

use super::Row;

macro_rules! win32 {
    ($($low:literal $name:ident, $text:literal;)*) => {
        /// The constants.
        pub mod names {
            use wcow_ntmeta::Hresult;
            $(
                #[doc = concat!("`ERROR_", stringify!($name), "`")]
                pub const $name: Hresult = Hresult(0x8007_0000 | $low);
            )*
        }

        pub(super) const ROWS: &[Row] =
            &[$(Row { code: 0x8007_0000 | $low, name: concat!("ERROR_", stringify!($name)), text: Some($text) },)*];
    };
}

win32! {
    0x0001 INVALID_FUNCTION, "Incorrect function.";
    0x0002 FILE_NOT_FOUND, "The system cannot find the file specified.";
    0x0003 PATH_NOT_FOUND, "The system cannot find the path specified.";
    0x0005 ACCESS_DENIED, "Access is denied.";
    0x0006 INVALID_HANDLE, "The handle is invalid.";
    0x000D INVALID_DATA, "The data is invalid.";
    0x0011 NOT_SAME_DEVICE, "The system cannot move the file to a different disk drive.";
    0x0015 NOT_READY, "The device is not ready.";
    0x0020 SHARING_VIOLATION, "The process cannot access the file because it is being used by another process.";
    0x0032 NOT_SUPPORTED, "The request is not supported.";
    0x0034 DUP_NAME, "You were not connected because a duplicate name exists on the network. If joining a domain, go to System in Control Panel to change the computer name and try again. If joining a workgroup, choose another workgroup name.";
    0x0037 DEV_NOT_EXIST, "The specified network resource or device is no longer available.";
    0x0050 FILE_EXISTS, "The file exists.";
    0x0057 INVALID_PARAMETER, "The parameter is incorrect.";
    0x0070 DISK_FULL, "There is not enough space on the disk.";
    0x007B INVALID_NAME, "The filename, directory name, or volume label syntax is incorrect.";
    0x007E MOD_NOT_FOUND, "The specified module could not be found.";
    0x007F PROC_NOT_FOUND, "The specified procedure could not be found.";
    0x0091 DIR_NOT_EMPTY, "The directory is not empty.";
    0x00B7 ALREADY_EXISTS, "Cannot create a file when that file already exists.";
    0x00DF FILE_TOO_LARGE, "The file size exceeds the limit allowed and cannot be saved.";
    0x00E8 NO_DATA, "The pipe is being closed.";
    0x010B DIRECTORY, "The directory name is invalid.";
    0x012F DELETE_PENDING, "The file cannot be opened because it is in the process of being deleted.";
    0x02C2 IMAGE_MACHINE_TYPE_MISMATCH, "{Machine Type Mismatch} The image file %hs is valid, but is for a machine type other than the current machine. Select OK to continue, or CANCEL to fail the DLL load.";
    0x02E4 ELEVATION_REQUIRED, "The requested operation requires elevation.";
    0x03F1 BADDB, "The configuration registry database is corrupt.";
    0x03F8 REGISTRY_IO_FAILED, "An I/O operation initiated by the registry failed unrecoverably. The registry could not read in, or write out, or flush, one of the files that contain the system's image of the registry.";
    0x0422 SERVICE_DISABLED, "The service cannot be started, either because it is disabled or because it has no enabled devices associated with it.";
    0x0424 SERVICE_DOES_NOT_EXIST, "The specified service does not exist as an installed service.";
    0x0426 SERVICE_NOT_ACTIVE, "The service has not been started.";
    0x042B PROCESS_ABORTED, "The process terminated unexpectedly.";
    0x045B SHUTDOWN_IN_PROGRESS, "A system shutdown is in progress.";
    0x045D IO_DEVICE, "The request could not be performed because of an I/O device error.";
    0x048F DEVICE_NOT_CONNECTED, "The device is not connected.";
    0x0490 NOT_FOUND, "Element not found.";
    0x0522 PRIVILEGE_NOT_HELD, "A required privilege is not held by the client.";
    0x052E LOGON_FAILURE, "The user name or password is incorrect.";
    0x05AF COMMITMENT_LIMIT, "The paging file is too small for this operation to complete.";
    0x05B4 TIMEOUT, "This operation returned because the timeout period expired.";
    0x06BA RPC_S_SERVER_UNAVAILABLE, "The RPC server is unavailable.";
    0x06BE RPC_S_CALL_FAILED, "The remote procedure call failed.";
    0x06BF RPC_S_CALL_FAILED_DNE, "The remote procedure call failed and did not execute.";
    0x06D9 EPT_S_NOT_REGISTERED, "There are no more endpoints available from the endpoint mapper.";
    0x1392 OBJECT_ALREADY_EXISTS, "The object already exists.";
}
