//! Names, images, networks and containers of one host: what the command line calls
#![forbid(unsafe_code)]
