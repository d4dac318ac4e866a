//! What the programs and tables of Windows say, as values. Plain code, on every system.
//!
//! No title of a column and no sentence is looked at: they are in the language of that Windows. Where something cannot be what it
//! should be, such as a table without its line of dashes, the answer is none and not an empty list.

mod events;
mod network;
mod servicing;
mod storage;
mod tables;

pub use events::{TimedQuery, events, newest_first};
pub use network::{RawRoute, interfaces, main_address, routes};
pub use servicing::{
    dism_table, feature, feature_state, is_plain_name, packages, sort_features, windows_name,
};
pub use storage::{find_on_path, scratch_of};
pub use tables::{filter_drivers, port_ranges};
