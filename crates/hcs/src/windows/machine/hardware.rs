//! Processors, memory, and whether virtual machines can run.
#![expect(unsafe_code, reason = "foreign functions")]

use std::io;
use std::mem::size_of;

use windows_sys::Win32::System::SystemInformation::{GlobalMemoryStatusEx, MEMORYSTATUSEX};
use windows_sys::Win32::System::Threading::{GetActiveProcessorCount, IsProcessorFeaturePresent};

use super::check_bool;

const ALL_PROCESSOR_GROUPS: u16 = 0xFFFF;
/// `PF_VIRT_FIRMWARE_ENABLED`: the processor can, the firmware lets it, and no hypervisor below this Windows hides it.
const VIRTUALIZATION_ENABLED: u32 = 21;

/// What the machine can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hardware {
    /// Logical processors, of all groups.
    pub processors: u32,
    /// Memory that Windows can use, in bytes.
    pub memory_bytes: u64,
    /// Whether virtual machines can run: the processors offer it, or this Windows is the one that Hyper-V's virtual machines hang on.
    pub virtualization: bool,
}

/// What the machine can do.
///
/// # Errors
/// Windows does not tell the size of its memory.
pub fn hardware() -> io::Result<Hardware> {
    let mut memory = MEMORYSTATUSEX {
        dwLength: u32::try_from(size_of::<MEMORYSTATUSEX>()).unwrap_or(0),
        ..Default::default()
    };
    // SAFETY: the structure says how large it is.
    check_bool(unsafe { GlobalMemoryStatusEx(&raw mut memory) })?;
    // SAFETY: takes and returns a number.
    let processors = unsafe { GetActiveProcessorCount(ALL_PROCESSOR_GROUPS) };
    // SAFETY: takes and returns a number.
    let offered = unsafe { IsProcessorFeaturePresent(VIRTUALIZATION_ENABLED) } != 0;
    Ok(Hardware {
        processors,
        memory_bytes: memory.ullTotalPhys,
        virtualization: offered || is_root_partition(),
    })
}

/// Whether this Windows runs on Hyper-V and may create virtual machines there. It does not see the processor's own extensions then.
///
/// Hypervisor Top Level Functional Specification, "Feature and Interface Discovery": leaf 1 ECX bit 31 says that there is a hypervisor,
/// leaf 0x40000001 EAX is `Hv#1`, leaf 0x40000003 EBX bit 0 is the privilege to create partitions.
#[cfg(target_arch = "x86_64")]
fn is_root_partition() -> bool {
    use std::arch::x86_64::{__cpuid, CpuidResult};

    const HV_1: u32 = 0x3123_7648;
    // Later versions of Rust have the function as a safe one; both are this.
    let instruction: unsafe fn(u32) -> CpuidResult = __cpuid;
    // SAFETY: every x86-64 processor has the instruction.
    let leaf = |number: u32| unsafe { instruction(number) };
    leaf(1).ecx & 1 << 31 != 0
        && leaf(0x4000_0000).eax >= 0x4000_0003
        && leaf(0x4000_0001).eax == HV_1
        && leaf(0x4000_0003).ebx & 1 != 0
}

/// Other processors have no such question.
#[cfg(not(target_arch = "x86_64"))]
fn is_root_partition() -> bool {
    false
}
