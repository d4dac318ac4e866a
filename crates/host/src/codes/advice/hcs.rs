//! Codes of the Host Compute Service, in the spelling of version 2.

super::table! {
    0x8037_0100 "The container or virtual machine ended while it was being started."
        "Its first processes crashed, or somebody stopped it before it was up."
        "Start it once more; if it ends again, install the base image anew and look into the Hyper-V-Compute event log.";
    0x8037_0101 "Image and host do not fit together."
        "Process isolation shares the kernel, so the builds must agree; since Windows Server 2016 they are compared when the container is created."
        "Use the image of the host's build, or Hyper-V isolation.";
    0x8037_0102 "The virtual machine of the container needs a feature that is not there."
        "Hyper-V is off, or the host is itself a virtual machine without nested virtualisation."
        "Enable Hyper-V and nested virtualisation, or run the container process-isolated.";
    0x8037_0103 "The request was accepted and goes on; a notification will tell the outcome."
        "Every create, start, stop and terminate of version 1 answers so. It is no failure, though some clients report it."
        "Wait for the notification.";
    0x8037_0104 "The client does not take its notifications, and the service keeps no more of them."
        "A callback blocks, or the client registers and never returns."
        "Let the callback return at once and do the work elsewhere.";
    0x8037_0105 "The container is not in a state in which this can be done."
        "It was started twice, a program was to be run before its start, or it is about to end."
        "Look at its state, wait until it is the right one, and try again.";
    0x8037_0106 "The container or virtual machine ended by itself."
        "A damaged base layer, too little memory, or a crash of its first processes."
        "Look into the Hyper-V-Compute event log, give it more memory, and install the base image anew.";
    0x8037_0107 "Somebody ended the container by force."
        "A terminate call, mostly of the client itself after a timeout."
        "Nothing is wrong if that was meant; otherwise look who stopped it.";
    0x8037_0108 "The host could not connect to what answers inside."
        "The virtual machine stopped at once, or its agent is of another build."
        "Use an image of the host's build and start again.";
    0x8037_0109 "What should answer inside did not do so in time."
        "The image has no container service, the virtual machine hangs while it starts, or the host is short of memory."
        "Use an image made for containers; free memory; start it once more.";
    0x8037_010A "The connection to the container broke."
        "Its worker process or its virtual machine died."
        "Start the container again, and look into the event log for the crash.";
    0x8037_010B "One side got a message that it does not know."
        "Host and guest are of builds that are far apart, or the client asked for something that this kind of container does not have."
        "Bring image and host closer together.";
    0x8037_010C "Host and guest have no version of their protocol in common."
        "The image is much older or newer than the host."
        "Use an image of the host's build.";
    0x8037_010D "The document of the call cannot be read."
        "It is no JSON, a value is not valid, or it is in a form of another generation of Windows."
        "Let the program that wrote it target this build; the result document names the place.";
    0x8037_010E "No container of this id exists."
        "It has ended: since Windows Server 2016 a container is gone once it has stopped. Or it never was."
        "Create it again; its disk is still there.";
    0x8037_010F "A container of this id exists already."
        "It runs, or it was left over when its manager crashed."
        "Terminate the old one, then create it again.";
    0x8037_0110 "The container has stopped already."
        "It ended in the moment in which it was asked for something."
        "To stop it, nothing is left to do; for anything else, start it again.";
    0x8037_0111 "Host and guest misunderstood each other."
        "A damaged or foreign agent inside, or a fault in one of the two."
        "Start the container again; update host and image if it stays.";
    0x8037_0112 "A layer of the image has a form that the host does not know."
        "The layer was made by a newer build, or it was damaged."
        "Pull the image again, or use one for this build.";
    0x8037_0113 "The image is a preview for members of the Insider program."
        "The base image is an Insider build and the host is not enrolled."
        "Enrol the host, or use a released image.";
    0x8037_0114 "The compute service cannot start because a feature is missing."
        "Containers, Hyper-V or the virtual machine platform is off, or the host was not restarted since it was turned on."
        "Enable the feature and restart the host.";
    0x8037_0115 "The result of an operation was asked for that was never begun."
        "A fault in the client: no call was made with the operation."
        "Make the call first.";
    0x8037_0116 "The operation is in use by another call."
        "A fault in the client: one operation serves one call at a time."
        "Make an operation for each call.";
    0x8037_0117 "The operation is not over yet."
        "Its result was asked for too early."
        "Wait for it (HcsWaitForOperationResult), or ask later.";
    0x8037_0118 "The operation was not over within the time that the client gave it."
        "The host is busy, or the service hangs. The operation goes on."
        "Wait longer; look what became of it before it is given again.";
    0x8037_0119 "Two kinds of callback were asked for that exclude each other."
        "A fault in the client: a callback of the system takes operations already, or the other way round."
        "Use one of the two.";
    0x8037_011A "There was no memory for the answer."
        "The host is out of memory."
        "Free memory and ask again.";
    0x8037_011B "The user may not manage containers."
        "The caller is neither an administrator nor a member of Hyper-V Administrators. Older builds say 0x80070005."
        "Run elevated, or join the group and log on again.";
    0x8037_011C "The guest reported that it cannot go on."
        "Its kernel crashed, or it ran out of memory."
        "Look for a crash dump, give it more memory, start it again.";
    0x8037_011D "There are no process handles to give out."
        "They were asked for of an operation that made no process, or a second time."
        "Ask once, and only of the operation that created the process.";
    0x8037_011E "The compute service went away while the call was under way."
        "The service vmcompute crashed or was restarted."
        "Open the container again; if it is gone, start it again.";
    0x8037_011F "The process has ended already."
        "It ended by itself before it was signalled or killed."
        "Nothing is left to do; read its exit code.";
    0x8037_0120 "The container was not made for this operation."
        "What it needs was not in the document that the container was created from."
        "Create the container with it.";
    0x8037_0121 "The operation was cancelled before."
        "It was cancelled twice."
        "Nothing is left to do.";
}
