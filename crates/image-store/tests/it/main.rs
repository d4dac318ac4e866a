//! The image store on a simulated host.

#[cfg(test)]
mod crash;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod install;
#[cfg(test)]
mod power;
#[cfg(test)]
mod support;
#[cfg(test)]
mod using;
