//! The x86 filter: operands of x86 code that are relative to their place, made relative again.
//!
//! The encoder added the instruction's position to operands of calls, jumps and loads. It did so only where code is likely: where
//! two operands of the same target stood less than 64 KiB apart not long ago. There is no flag: the filter runs over every
//! compressed chunk of a WIM.

use alloc::boxed::Box;
use alloc::vec;

/// Nothing from here on to the end is an opcode.
const TAIL: usize = 16;

/// Bytes that are looked at together.
const BLOCK: usize = 16;

/// Chunks up to this size are not filtered.
const SMALL: usize = 17;

/// How far apart two uses of a target may be to show that there is code.
const TARGET_WINDOW: u32 = 65535;

/// How far behind such a place operands are translated; less for calls, whose opcode is a single byte.
const CODE_WINDOW: u32 = 1023;
const CALL_WINDOW: u32 = 511;

/// The place of `last_code` before a chunk, as a distance to its start.
const NO_CODE: u32 = 1024;

/// The filter's memory. It is made once; [`X86Filter::undo`] starts over in it without clearing it.
#[derive(Clone)]
pub(crate) struct X86Filter {
    /// For the low 16 bits of a target: where its last use ended, plus the `base` of that time.
    last_uses: Box<[u32; 1 << 16]>,
    /// What is added to positions, so that uses in earlier chunks are far away.
    base: u32,
}

/// What stands at a position.
enum Found {
    /// An opcode of that many bytes, with an operand of four; and how near code must be.
    Operand(usize, u32),
    /// Five bytes to skip.
    Jump,
    Nothing,
}

impl X86Filter {
    pub(crate) fn new() -> Self {
        let last_uses = vec![0; 1 << 16].into_boxed_slice();
        Self {
            last_uses: last_uses
                .try_into()
                .unwrap_or_else(|_| Box::new([0; 1 << 16])),
            base: TARGET_WINDOW + 1,
        }
    }

    /// Undoes the filter on a whole chunk.
    pub(crate) fn undo(&mut self, chunk: &mut [u8]) {
        if chunk.len() <= SMALL {
            return;
        }
        let base = self.start(chunk.len());
        let end = chunk.len() - TAIL;
        let mut last_code = base - NO_CODE;
        // Bytes before this are done with, or part of an operand.
        let mut position = 1;
        let mut start = 0;
        while let Some(words) = candidates(chunk, start) {
            for (word, mut marks) in words.into_iter().enumerate() {
                while marks != 0 {
                    let found = start + 8 * word + (marks.trailing_zeros() / 8) as usize;
                    marks &= marks - 1;
                    if found < position {
                        continue;
                    }
                    if found >= end {
                        break;
                    }
                    let (opcode, window) = match what(chunk, found) {
                        Found::Operand(opcode, window) => (opcode, window),
                        Found::Jump => {
                            position = found + 5;
                            continue;
                        }
                        Found::Nothing => continue,
                    };
                    let Some(operand) = chunk
                        .get_mut(found + opcode..)
                        .and_then(|bytes| bytes.first_chunk_mut::<4>())
                    else {
                        break;
                    };
                    let here = found as u32;
                    let mut value = u32::from_le_bytes(*operand);
                    if base + here - last_code <= window {
                        value = value.wrapping_sub(here);
                        *operand = value.to_le_bytes();
                    }
                    let target = value.wrapping_add(here) as u16;
                    let last_byte = base + here + opcode as u32 + 3;
                    let last_use = &mut self.last_uses[usize::from(target)];
                    if last_byte - *last_use <= TARGET_WINDOW {
                        last_code = last_byte;
                    }
                    *last_use = last_byte;
                    position = found + opcode + 4;
                }
            }
            start += BLOCK;
        }
    }

    /// Returns the base for a chunk of `size` bytes and sets the next one.
    fn start(&mut self, size: usize) -> u32 {
        let next = |base: u32| {
            u32::try_from(size)
                .ok()?
                .checked_add(TARGET_WINDOW + 1)?
                .checked_add(base)
        };
        let base = self.base;
        if let Some(next) = next(base) {
            self.base = next;
            return base;
        }
        self.last_uses.fill(0);
        self.base = TARGET_WINDOW + 1;
        let base = self.base;
        self.base = next(base).unwrap_or(base);
        base
    }
}

/// What the bytes at `position` are, which is [`TAIL`] bytes or more before the end.
fn what(chunk: &[u8], position: usize) -> Found {
    let Some(&bytes) = chunk
        .get(position..)
        .and_then(|bytes| bytes.first_chunk::<3>())
    else {
        return Found::Nothing;
    };
    match bytes {
        [0xE8, ..] => Found::Operand(1, CALL_WINDOW),
        [0xE9, ..] => Found::Jump,
        [0x48 | 0x4C, 0x8D, mode] if mode & 0x07 == 0x05 => Found::Operand(3, CODE_WINDOW),
        [0x48, 0x8B, 0x05 | 0x0D] => Found::Operand(3, CODE_WINDOW),
        [0xFF, 0x15, _] => Found::Operand(2, CODE_WINDOW),
        [0xF0, 0x83, 0x05] => Found::Operand(3, CODE_WINDOW),
        _ => Found::Nothing,
    }
}

/// Marks those of the [`BLOCK`] bytes from `start` on that can be opcodes. None if the chunk ends before or right behind them.
///
/// The loop is free of branches and tables so that it becomes vector code.
#[inline(always)]
fn candidates(chunk: &[u8], start: usize) -> Option<[u64; BLOCK / 8]> {
    let bytes = chunk.get(start..)?.first_chunk::<{ BLOCK + 1 }>()?;
    let mut marks = [0; BLOCK];
    for (place, mark) in marks.iter_mut().enumerate() {
        let byte = bytes[place];
        let next = bytes[place + 1];
        let call = byte & 0xFE == 0xE8;
        let load = (byte & 0xFB == 0x48) & ((next == 0x8D) | (next == 0x8B));
        let indirect = (byte == 0xFF) & (next == 0x15);
        let locked = (byte == 0xF0) & (next == 0x83);
        *mark = u8::from(call | load | indirect | locked);
    }
    let mut words = [0; BLOCK / 8];
    for (word, marks) in words.iter_mut().zip(marks.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*marks);
    }
    Some(words)
}
