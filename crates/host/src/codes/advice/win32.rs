//! Win32 errors, as HRESULTs of facility 7, with what they mean on a container host.

super::table! {
    0x8007_0001 "The device does not know the request."
        "When layers are mounted: a file-system filter of another product, mostly a cloud storage client."
        "Uninstall or update that product and restart the host.";
    0x8007_0002 "A file is not there."
        "When a program is started: it is not in the image, or its quotes are wrong. Otherwise a disk or a file of a layer is missing."
        "Check the name; look with a listing what the image has.";
    0x8007_0003 "A folder on the way to a file is not there."
        "A layer was moved, deleted or never finished, or a mapped folder does not exist on the host."
        "Install the image again; check the paths that the container maps.";
    0x8007_0005 "The caller may not do this."
        "The user is no administrator, a file of the image lost its access rights, or a disk lacks the access of virtual machines."
        "Run elevated; which of the causes it is depends on the call.";
    0x8007_0006 "The handle leads nowhere."
        "The service or the host was restarted since it was opened, or it was closed."
        "Open the object again by its id.";
    0x8007_000D "Data are not in the form they should be in."
        "A damaged file, or a document of another version."
        "Get the file from its source again.";
    0x8007_0011 "A file cannot be renamed across volumes."
        "Store and work folder lie on different volumes."
        "Keep both on one volume.";
    0x8007_0015 "A disk is not ready yet."
        "Layers are mounted at the same time on Windows Server 2019."
        "Try again after 100 ms, one layer at a time.";
    0x8007_0020 "Somebody else has the file or the disk open."
        "The disk of the container is attached elsewhere, a scanner reads it, or, when an endpoint is created, a program of the host listens on the published port."
        "Find who has it (handle.exe, netstat), end that, or restart the host.";
    0x8007_0032 "The host does not do this."
        "This build or edition lacks it, or the container was not made for it."
        "Look what the build offers.";
    0x8007_0034 "A name or port is there twice."
        "Technical Preview 4 says it when a published port is taken."
        "Publish another port.";
    0x8007_0037 "The device is gone."
        "The scratch layer is not attached: not yet, or not any more since a restart."
        "Activate the layer first; when taking it down, go on.";
    0x8007_0050 "The file exists."
        "An earlier attempt left it behind."
        "Remove it, or choose another name.";
    0x8007_0057 "A value of the call is not valid."
        "For networks: the NAT prefix overlaps one that is there. For layers: the scratch disk is too large for the build."
        "Look at Get-NetNat and at the size of the disk; otherwise check the call.";
    0x8007_0070 "The disk is full."
        "Images, containers and left-over temporary folders take space."
        "Remove what is no longer used.";
    0x8007_007B "The name is none that Windows takes."
        "Forbidden characters, or a path of a layer that ordinary calls do not take."
        "Check the name; delete layers by DestroyLayer only.";
    0x8007_007E "A DLL is not there."
        "The compute service is not installed: the feature Containers is off."
        "Enable the feature (Nano Server: add the package) and restart the host.";
    0x8007_007F "The DLL lacks this function."
        "The build is too old for the call, for example for the Host Network Service."
        "Use what this build has.";
    0x8007_0091 "The folder is not empty."
        "Something was written into it meanwhile."
        "Remove what is in it first.";
    0x8007_00B7 "It exists already."
        "An earlier attempt with the same id left its layer behind."
        "Destroy the old layer, or use another id.";
    0x8007_00DF "The file is larger than may be."
        "The file system or a quota limits it."
        "Keep it smaller, or on an NTFS volume.";
    0x8007_00E8 "The other end of the pipe is closing."
        "The program ended or closed its input."
        "Nothing is wrong if it was done; else look at its exit code.";
    0x8007_010B "The working directory is not valid."
        "It does not exist in the container, or is a file."
        "Create it in the image, or name another one.";
    0x8007_012F "The file is being deleted and still open."
        "A switch, disk or file was deleted while something held it."
        "Wait until it is let go; for switches restart the service hns.";
    0x8007_02C2 "The image is for another machine or edition."
        "A technical preview compares build and edition of the image with itself at start."
        "Use an image of the edition and build of the host.";
    0x8007_02E4 "The caller is not elevated."
        "Packages and features are looked at or changed from a prompt without administrator rights."
        "Run elevated.";
    0x8007_03F1 "A registry hive is damaged."
        "A base image with empty or foreign hives."
        "Get the base image from its source.";
    0x8007_03F8 "A registry hive could not be read or written."
        "The boot configuration (BCD) of the image's utility VM is no registry hive."
        "Take the base image from its original source.";
    0x8007_0424 "There is no such service."
        "The feature that brings it is off."
        "Enable the feature and restart the host.";
    0x8007_0422 "The service cannot be started."
        "Its start type is Disabled, by hand or by a policy; for virtual machine services also: the feature behind it is off."
        "Set its start type to Manual or Automatic and start it; for a service of Hyper-V, enable the feature.";
    0x8007_0426 "The service is not running."
        "hns or vmcompute was stopped or crashed."
        "Start it, and look into the event log why it stopped.";
    0x8007_042B "The process was ended from outside."
        "It is the exit code of a process that was killed with its container."
        "Nothing, if that was meant.";
    0x8007_045B "The host is going down."
        "Somebody restarts it."
        "Try again when it is up.";
    0x8007_045D "A disk returns errors."
        "A failing disk, cable or driver."
        "Look into the System event log and check the disk.";
    0x8007_048F "A disk is not connected."
        "It went away, or has not arrived, while layers were mounted at the same time."
        "Try again after 100 ms, one layer at a time.";
    0x8007_0490 "What was asked for is not there."
        "A network, an endpoint or a process of this id; when a network is created, IPv6 or an adapter of the host."
        "List what there is; turn IPv6 on.";
    0x8007_0522 "A right of the caller is missing."
        "Attaching disks and processing layers need SeManageVolumePrivilege."
        "Run elevated.";
    0x8007_052E "Nobody of that name can be logged on without a password."
        "A program in a container runs as ContainerAdministrator, ContainerUser or a local user of the image; NT AUTHORITY\\SYSTEM is refused too."
        "Leave the user out, or give one of these.";
    0x8007_05AF "There is no memory left for it."
        "The programs of the container have committed as much as its limit allows, or the host is out of memory."
        "Give the container a higher limit, or run less in it.";
    0x8007_05B4 "It took too long."
        "Nothing answers in the container, too few processors, or slow storage."
        "Use an image made for containers; lower the load; try again.";
    0x8007_06BA "The service cannot be reached."
        "It is stopped, or the host is down."
        "Start the service, or wait for the host.";
    0x8007_06BE "The connection to the service broke during the call."
        "The service crashed or the host went down. Whether the call took effect is not known."
        "Look what there is, then give the call again.";
    0x8007_06BF "The connection to the service broke before the call."
        "The service crashed or is restarting. The call had no effect."
        "Give the call again.";
    0x8007_06D9 "A service is not registered where it should be."
        "The firewall service MpsSvc is off, and networks need it."
        "Start MpsSvc.";
    0x8007_1392 "It exists already."
        "A NetNat, an adapter or an endpoint was left behind by a crash or an upgrade."
        "Remove what was left, and restart the service hns.";
}
