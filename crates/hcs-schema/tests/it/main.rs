//! Documents as services and clients of their time wrote them, read and written again.

#[cfg(test)]
mod base64;
#[cfg(test)]
mod facts;
#[cfg(test)]
mod hcn;
#[cfg(test)]
mod kinds;
#[cfg(test)]
mod modify;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod results;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod schema1;
#[cfg(test)]
mod unknown;
#[cfg(test)]
mod versions;
