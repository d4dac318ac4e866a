//! Codes of the Host Compute Network service about networks and endpoints of the host.

super::table! {
    0x803B_0001 "The network that is named does not exist."
        "It was deleted, or it was a NAT network and the host was restarted."
        "List the networks and create it again.";
    0x803B_0002 "The endpoint that is named does not exist."
        "It was deleted with its container or its network."
        "Create the endpoint again.";
    0x803B_0003 "What lies below the network is not there."
        "The network is layered on one that was deleted."
        "Delete it, create the lower network, then create it again.";
    0x803B_0004 "The virtual switch of the network is not there."
        "Somebody removed the switch below the service."
        "Delete the network and create it again.";
    0x803B_0005 "The network has no subnet for this endpoint."
        "The network was created without a subnet, or the endpoint names another one."
        "Give the network a subnet.";
    0x803B_0006 "No adapter of the host fits the network."
        "A transparent or overlay network needs a physical adapter that is up and free."
        "Name a free adapter, or remove the switch or network that holds it.";
    0x803B_0007 "The port on the virtual switch is not there."
        "The container or the virtual machine behind it went away."
        "Delete the endpoint and create it again.";
    0x803B_0008 "A policy is missing that the object needs."
        "The document lacks it, or it was removed before."
        "Create the object with the policy.";
    0x803B_0009 "A setting of the virtual filtering platform is missing."
        "The extension on the switch is off or was replaced."
        "Enable the extension, and restart the service hns.";
    0x803B_000A "The description of the network is not valid."
        "A required value is missing, or prefix and gateway do not go together."
        "Check type, subnet and gateway.";
    0x803B_000B "There is no such type of network."
        "The type is misspelled, or this build does not know it."
        "Use nat, transparent, l2bridge, overlay, internal, private or ics.";
    0x803B_000C "The description of the endpoint is not valid."
        "A required value is missing or out of range."
        "Check addresses and policies of the endpoint.";
    0x803B_000D "The description of a policy is not valid."
        "A value is missing or out of range, for example a protocol that is neither TCP nor UDP."
        "Check the policy against the reference.";
    0x803B_000E "This kind of policy does not belong on this kind of object."
        "The type is misspelled, or made for networks and put on an endpoint."
        "Put it where it belongs.";
    0x803B_000F "A remote endpoint cannot be used like this."
        "It stands for a container on another host and takes no part here."
        "Do it on the host of that endpoint.";
    0x803B_0010 "A network of this name exists."
        "Somebody made it before: another program, or an earlier attempt."
        "Use it, remove it, or choose another name.";
    0x803B_0011 "A network of this name exists in this layer."
        "Somebody made it before."
        "Use it, remove it, or choose another name.";
    0x803B_0012 "The object has this policy already."
        "It was applied twice."
        "Remove the old one first, or leave it.";
    0x803B_0013 "The port is taken."
        "Another endpoint publishes the same port by the same protocol."
        "Publish another port, or remove that container.";
    0x803B_0014 "The endpoint is connected already."
        "Another container has it, or a crash left it connected. The second start of a virtual machine meets it too."
        "Delete the endpoint and create it again; id and address may stay the same.";
    0x803B_0015 "The service does not do this."
        "The build is too old for the request, or the object is of the wrong kind."
        "Look at the version of the service (GET /globals/version).";
    0x803B_0016 "On this network ports cannot be published."
        "Port mappings exist on NAT networks only."
        "Use a NAT network, or the address of the container itself.";
    0x803B_0017 "The object is degraded, and only deleting it is left."
        "Something below it went away: an adapter, a switch, a container."
        "Delete it and create it again.";
    0x803B_0018 "Several networks share the switch, so it cannot be changed."
        "Networks on the same adapter use one switch."
        "Remove the other networks first.";
    0x803B_0019 "Something that should be a GUID is none."
        "An id has braces missing, a wrong length, or is a name."
        "Pass the id in the form that the service gave out.";
    0x803B_001A "The service could not read or write its part of the registry."
        "The registry is damaged, or a policy keeps the service out."
        "Restart the service hns; restore the registry if it stays.";
    0x803B_001B "The document is no valid JSON for this call."
        "A syntax error, or a number where a text stands: flags must be numbers."
        "Check the document.";
    0x803B_001C "The document refers to something that it does not have."
        "A reference of the document is misspelled."
        "Correct the reference.";
    0x803B_001D "Endpoints are not to be shared."
        "A second container was to use the endpoint of the first, and the network forbids it."
        "Give each container an endpoint of its own.";
    0x803B_001E "The address lies in no subnet of the network."
        "It is misspelled, or of another network."
        "Choose an address of the subnet, or none.";
    0x803B_001F "The switch has no such extension."
        "Its id is misspelled, or its product was removed."
        "List the extensions of the switch.";
    0x803B_0020 "The network service is about to stop."
        "Somebody restarts hns, or the host goes down."
        "Try again when it is up.";
    0x803B_002A "Internet Connection Sharing is turned off."
        "The service SharedAccess is disabled, mostly by policy; networks of type ICS need it."
        "Allow SharedAccess to start, or use a NAT network.";
    0x803B_002B "The endpoint is in a network namespace already."
        "It was added twice, or belongs to another container."
        "Remove it from the other namespace first.";
    0x803B_002C "Something still refers to the object."
        "A network has endpoints, or an endpoint a container."
        "Remove those first.";
    0x803B_002D "A published port needs a port of the container, and 0 is none."
        "The internal port was left out."
        "Name the port that the program in the container listens on.";
    0x803B_002E "The container could not be connected to its namespace."
        "The compute system is not running or is ending."
        "Try again when it runs.";
    0x803B_002F "The address is not valid or is kept by the network."
        "The first address belongs to the gateway, the last is the broadcast address."
        "Choose another address, or none.";
    0x803B_0030 "The prefix is not valid."
        "Its length is out of range, or bits behind it are set."
        "Write it as a network address and a length, such as 172.20.0.0/16.";
    0x803B_0031 "A call came for an object that is torn down."
        "It was deleted while the call was under way."
        "List the objects, and create it again if it is still wanted.";
    0x803B_0032 "The description of a subnet is not valid."
        "Prefix or gateway is missing, or the gateway lies outside."
        "Check prefix and gateway.";
    0x803B_0033 "The description of an IP subnet is not valid."
        "It lies outside the subnet that it belongs to."
        "Choose a part of the subnet.";
    0x803B_0034 "The endpoint must be connected for this."
        "Its container is not running."
        "Start the container first.";
    0x803B_0035 "The endpoint must be one of this host."
        "It is a remote endpoint."
        "Do it on the host of that endpoint.";
    0x803B_0036 "A second set of interface parameters was given."
        "An endpoint takes one policy of this kind."
        "Put everything into one policy.";
    0x803B_0037 "This host has no virtual filtering platform for this type of network."
        "Overlay networks need it, and the edition or its configuration does not have it."
        "Use a NAT or transparent network, or another host.";
}
