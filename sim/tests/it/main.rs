//! What a simulated host does, seen through the traits of `wcow-host`.

#[cfg(test)]
mod check;
#[cfg(test)]
mod client;
#[cfg(test)]
mod compute;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod containers;
#[cfg(test)]
mod deadline;
#[cfg(test)]
mod disk_access;
#[cfg(test)]
mod durable;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod exchange;
#[cfg(test)]
mod executor;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod files;
#[cfg(test)]
mod first_test;
#[cfg(test)]
mod guest;
#[cfg(test)]
mod hcn;
#[cfg(test)]
mod hns;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod machines;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod model;
#[cfg(test)]
mod modify;
#[cfg(test)]
mod power;
#[cfg(test)]
mod power_steps;
#[cfg(test)]
mod precautions;
#[cfg(test)]
mod profiles;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod services;
#[cfg(test)]
mod snapshot;
#[cfg(test)]
mod support;
#[cfg(test)]
mod switches;
#[cfg(test)]
mod trees;
#[cfg(test)]
mod troubles;
#[cfg(test)]
mod worlds;
