//! Plans, predictions, addresses and ports; and whether a simulated host answers as predicted.

#[cfg(test)]
mod addresses;
#[cfg(test)]
mod on_host;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod ports;
