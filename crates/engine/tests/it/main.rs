//! The engine on simulated hosts.

#[cfg(test)]
mod conditions;
#[cfg(test)]
mod containers;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod either;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod isolated;
#[cfg(test)]
mod many;
#[cfg(test)]
mod networks;
#[cfg(test)]
mod options;
#[cfg(test)]
mod power;
#[cfg(test)]
mod pruned;
#[cfg(test)]
mod records;
#[cfg(test)]
mod running;
#[cfg(test)]
mod supervised;
#[cfg(test)]
mod support;
#[cfg(test)]
mod together;
#[cfg(test)]
mod usage;
