//! Codes of the network service inside a guest (`GCN_E_...`).

super::table! {
    0x803B_0021 "The network module inside the guest is missing."
        "The image is older than the host expects."
        "Use an image of the host's build.";
    0x803B_0022 "Nothing inside the guest handles the request."
        "The guest is older than the request."
        "Use an image of the host's build.";
    0x803B_0023 "The guest does not do this."
        "The guest is older than the request."
        "Use an image of the host's build.";
    0x803B_0024 "The settings of the network could not be written inside the container."
        "The container is ending, or its registry is damaged."
        "Start the container again.";
    0x803B_0025 "The network adapter did not appear inside the guest in time."
        "The host is busy, or its virtual switch is in trouble."
        "Start the container again; restart the service hns if it stays.";
    0x803B_0026 "The network adapter is not inside the guest."
        "It was removed while it was configured."
        "Start the container again.";
    0x803B_0027 "The network compartment is not inside the guest."
        "It went away with the container it was made for."
        "Start the container again.";
    0x803B_0028 "The network interface is not inside the guest."
        "The adapter is there, but the network stack did not bind to it."
        "Start the container again.";
    0x803B_0029 "The guest has its default namespace already."
        "It was created twice."
        "Use the one that is there.";
}
