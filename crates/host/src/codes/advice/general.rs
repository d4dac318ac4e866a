//! General HRESULTs and NTSTATUS codes.

super::table! {
    0x8000_FFFF "Something happened that the host has no word for."
        "On technical previews: the host was not restarted since it got the container package."
        "Restart the host and try again.";
    0x8000_4005 "It failed, and nothing says why."
        "Mostly the network service after something below it failed."
        "Restart the service hns; create the network anew.";
    0x8000_4001 "The host does not do this yet."
        "The call exists and has no code behind it, for example HcsCancelOperation."
        "Do without it.";
    0x800F_080C "Windows knows no feature of this name."
        "It is misspelled, or the edition does not have it."
        "List the features; on Nano Server add a package instead.";
    0x8004_1010 "A management class is not there."
        "A component of Windows is only partly installed: the cmdlets are there, what is behind them is not."
        "Enable the feature completely and restart the host.";
    0xC000_0005 "A program touched memory that is not its own, and was ended."
        "A fault in the program."
        "Update it; a crash dump shows where.";
    0xC000_007B "A program or a DLL of it is not made for this machine."
        "A 32-bit DLL in a 64-bit program, a damaged file, or an image of another processor."
        "Take the files for the processor of the image.";
    0xC000_012D "There was no memory left for the program."
        "The programs of the container have committed as much as its limit allows, or the host is out of memory."
        "Give the container a higher limit, or run less in it.";
    0xC000_0135 "A DLL that the program needs is not in the container."
        "Small images lack many DLLs; a run-time library was not copied."
        "Use a larger base image, or add the DLL.";
    0xC000_0139 "A DLL lacks a function that the program needs."
        "The program was made for a newer Windows, or for a larger image."
        "Use an image of a newer build, or a larger one.";
    0xC000_013A "The program was ended by Ctrl+C, or by the shutdown of its container."
        "Somebody stopped it."
        "Nothing, if that was meant.";
    0xC000_0142 "A DLL could not initialise, so the program ended before it began."
        "The session has no desktop heap left, or the program needs a desktop that the image lacks."
        "Start fewer programs at once, use another account, or a larger image.";
    0xC000_0409 "A program found its own stack damaged and ended itself."
        "A fault in the program. When it is vmcompute.exe, the compute service crashed."
        "Update the program, or Windows.";
}
