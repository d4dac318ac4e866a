//! Processes in compute systems.

// Written by `cargo xtask schema`, from `data/schema2.json` and `data/schema2.words`.

use std::collections::BTreeMap;

use crate::wire::{document, words};

document! {
    /// What a process is created from.
    ///
    /// Since schema 2.0.
    ProcessParameters = "ProcessParameters" {
        /// The program; absent to take it from the command line.
        application_name: Option<String> = "ApplicationName" @ 2.0,
        /// The whole command line, for Windows.
        command_line: Option<String> = "CommandLine" @ 2.0,
        /// The arguments one by one, for Linux.
        command_args: Vec<String> = "CommandArgs" @ 2.0,
        /// User to run as; absent for the default of the container.
        user: Option<String> = "User" @ 2.0,
        /// Working directory in the container.
        working_directory: Option<String> = "WorkingDirectory" @ 2.0,
        /// Variables on top of those of the container.
        environment: BTreeMap<String, String> = "Environment" @ 2.0,
        /// Whether the process runs with fewer rights than its user has.
        restricted_token: Option<bool> = "RestrictedToken" @ 2.0,
        /// A console: standard error goes into standard output, and there is no pipe for it.
        emulate_console: Option<bool> = "EmulateConsole" @ 2.0,
        /// Asks for a standard input pipe.
        create_std_in_pipe: Option<bool> = "CreateStdInPipe" @ 2.0,
        /// Asks for a standard output pipe.
        create_std_out_pipe: Option<bool> = "CreateStdOutPipe" @ 2.0,
        /// Asks for a standard error pipe.
        create_std_err_pipe: Option<bool> = "CreateStdErrPipe" @ 2.0,
        /// Rows, then columns.
        console_size: Option<[u16; 2]> = "ConsoleSize" @ 2.0,
        /// Whether a session of the user that is there already is used.
        use_existing_login: Option<bool> = "UseExistingLogin" @ 2.0,
        /// Whether the old console host is used.
        use_legacy_console: Option<bool> = "UseLegacyConsole" @ 2.0,
    }

    /// What is known of a process.
    ///
    /// Since schema 2.1.
    ProcessStatus = "ProcessStatus" {
        /// Its process id in the container.
        process_id: Option<u32> = "ProcessId" @ 2.1,
        /// True once it has ended.
        exited: Option<bool> = "Exited" @ 2.1,
        /// Its exit code, once it has ended.
        exit_code: Option<u32> = "ExitCode" @ 2.1,
        /// HRESULT of the wait for it; not 0 means that the exit code cannot be trusted.
        last_wait_result: Option<i32> = "LastWaitResult" @ 2.1,
    }

    /// A change to a running process.
    ///
    /// Since schema 2.0.
    ProcessModifyRequest = "ProcessModifyRequest" {
        /// Which of the other two is meant.
        operation: Option<ModifyOperation> = "Operation" @ 2.0,
        console_size: Option<ConsoleSize> = "ConsoleSize" @ 2.0,
        close_handle: Option<CloseHandle> = "CloseHandle" @ 2.0,
    }

    /// The size of a console, in characters.
    ///
    /// Part of [`ProcessModifyRequest`]. Since schema 2.0.
    ConsoleSize = "ConsoleSize" {
        height: Option<u16> = "Height" @ 2.0,
        width: Option<u16> = "Width" @ 2.0,
    }

    /// Which of the pipes of a process is closed.
    ///
    /// Part of [`ProcessModifyRequest`]. Since schema 2.0.
    CloseHandle = "CloseHandle" {
        handle: Option<StdHandle> = "Handle" @ 2.0,
    }

    /// A signal to a process. Hosts before build 17763 have none.
    ///
    /// Since schema 2.1.
    SignalProcessOptions = "SignalProcessOptions" {
        signal: Option<ProcessSignal> = "Signal" @ 2.1,
    }
}

words! {
    /// What is changed in a running process.
    ///
    /// Part of [`ProcessModifyRequest`]. Since schema 2.0.
    ModifyOperation = "ModifyOperation" {
        ConsoleSize = "ConsoleSize" @ 2.0,
        CloseHandle = "CloseHandle" @ 2.0,
    }

    /// A pipe of a process.
    ///
    /// Part of [`CloseHandle`]. Since schema 2.0.
    StdHandle = "StdHandle" {
        StdIn = "StdIn" @ 2.0,
        StdOut = "StdOut" @ 2.0,
        StdErr = "StdErr" @ 2.0,
        All = "All" @ 2.1,
    }

    /// A console event that is sent as a signal.
    ///
    /// Part of [`SignalProcessOptions`]. Since schema 2.1.
    ProcessSignal = "ProcessSignal" {
        CtrlC = "CtrlC" @ 2.1,
        CtrlBreak = "CtrlBreak" @ 2.1,
        CtrlClose = "CtrlClose" @ 2.1,
        CtrlLogOff = "CtrlLogOff" @ 2.1,
        CtrlShutdown = "CtrlShutdown" @ 2.1,
    }
}
