//! Plans container networks: switches, NAT, addresses and port mappings, and what each needs of a host
#![forbid(unsafe_code)]
