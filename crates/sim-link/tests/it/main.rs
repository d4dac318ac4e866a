//! Worlds called from several threads, and over the socket.

mod served;
mod support;
mod world;
