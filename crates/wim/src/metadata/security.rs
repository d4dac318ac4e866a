//! Security data: the descriptors of an image, by number.
//!
//! u32 length of all of it, u32 count, a u64 length per descriptor, then the descriptors back to back, then zeros up to a
//! multiple of 8. Some writers store the length without the padding, and a length below 8 stands for 8: an empty table.

use wcow_ntmeta::SecurityDescriptor;

use crate::bytes::{round_up_8, u32_at, u64_at};
use crate::error::Warnings;
use crate::{Part, number::as_u64};

use super::tree::Fault;

/// The descriptors, and where the root directory begins behind them.
pub(super) struct SecurityData {
    pub(super) descriptors: Vec<Option<SecurityDescriptor>>,
    pub(super) end: usize,
}

pub(super) fn parse(
    data: &[u8],
    part: Part,
    warnings: &mut Warnings,
) -> Result<SecurityData, Fault> {
    let (Some(total), Some(count)) = (u32_at(data, 0), u32_at(data, 4)) else {
        return Err(Fault::new(0, || {
            format!(
                "expected security data of at least 8 bytes, found {} bytes",
                data.len()
            )
        }));
    };
    let rounded = round_up_8(u64::from(total.max(8))).and_then(|end| usize::try_from(end).ok());
    let end = rounded.filter(|end| *end <= data.len()).ok_or_else(|| {
        Fault::new(0, || {
            format!(
                "expected at most {} bytes of security data, found {total}",
                data.len()
            )
        })
    })?;
    let table_end = usize::try_from(count)
        .ok()
        .and_then(|count| count.checked_mul(8)?.checked_add(8))
        .filter(|at| *at <= end);
    let Some(mut at) = table_end else {
        return Err(Fault::new(4, || {
            format!(
                "expected a number of security descriptors that {end} bytes can hold, found {count}"
            )
        }));
    };
    let lengths = data.get(8..at).unwrap_or_default().as_chunks::<8>().0;
    let mut descriptors = Vec::with_capacity(lengths.len());
    for (index, length) in lengths.iter().enumerate() {
        let length = u64_at(length, 0).and_then(|length| usize::try_from(length).ok());
        let next = length.and_then(|length| at.checked_add(length)).filter(|next| *next <= end).ok_or_else(|| {
            Fault::new(as_u64(8 + index * 8), || {
                let found = length.map_or_else(|| "more".to_owned(), |length| length.to_string());
                format!("expected security descriptor {index} to have at most {} bytes, found {found}", end - at)
            })
        })?;
        let bytes = data.get(at..next).unwrap_or_default();
        descriptors.push(if bytes.is_empty() {
            None
        } else {
            match SecurityDescriptor::parse(bytes.to_vec()) {
                Ok(descriptor) => Some(descriptor),
                Err(error) => {
                    warnings.push(part, as_u64(at), || {
                        format!("security descriptor {index} is left out: {error}")
                    });
                    None
                }
            }
        });
        at = next;
    }
    Ok(SecurityData { descriptors, end })
}
