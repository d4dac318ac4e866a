//! Features of processors, as virtual machines are given or need them.

// Written by `cargo xtask schema`, from `data/schema2.json` and `data/schema2.words`.

use crate::wire::{document, words};

document! {
    /// The features that a virtual machine sees.
    ///
    /// Part of [`VirtualMachineProcessor`](crate::schema2::VirtualMachineProcessor). Since schema 2.5.
    ProcessorFeatureSet = "ProcessorFeatureSet" {
        processor_features: Vec<ProcessorFeature> = "ProcessorFeatures" @ 2.5,
        xsave_processor_features: Vec<XsaveProcessorFeature> = "XsaveProcessorFeatures" @ 2.5,
        processor_feature_set_mode: Option<ProcessorFeatureSetMode> = "ProcessorFeatureSetMode" @ 2.5,
    }

    /// What the processors of a host can do.
    ///
    /// Since schema 2.5.
    ProcessorCapabilitiesInfo = "ProcessorCapabilitiesInfo" {
        processor_features: Vec<ProcessorFeature> = "ProcessorFeatures" @ 2.5,
        xsave_processor_features: Vec<XsaveProcessorFeature> = "XsaveProcessorFeatures" @ 2.5,
        cache_line_flush_size: Option<u64> = "CacheLineFlushSize" @ 2.5,
        implemented_physical_address_bits: Option<u64> = "ImplementedPhysicalAddressBits" @ 2.5,
        non_architectural_core_sharing: Option<NonArchitecturalCoreSharing> = "NonArchitecturalCoreSharing" @ 2.5,
    }
}

words! {
    /// What happens when the host lacks a feature that is asked for.
    ///
    /// Part of [`ProcessorFeatureSet`]. Since schema 2.5.
    ProcessorFeatureSetMode = "ProcessorFeatureSetMode" {
        Strict = "Strict" @ 2.5,
        Permissive = "Permissive" @ 2.5,
    }

    /// A feature of a processor, x86-64 or Arm.
    ///
    /// Part of [`ProcessorCapabilitiesInfo`], [`ProcessorFeatureSet`],
    /// [`VmProcessorRequirements`](crate::schema2::VmProcessorRequirements). Since schema 2.5.
    ProcessorFeature = "ProcessorFeature" {
        Sse3 = "Sse3" @ 2.5,
        LahfSahf = "LahfSahf" @ 2.5,
        Ssse3 = "Ssse3" @ 2.5,
        Sse4_1 = "Sse4_1" @ 2.5,
        Sse4_2 = "Sse4_2" @ 2.5,
        Sse4A = "Sse4A" @ 2.5,
        Xop = "Xop" @ 2.5,
        Popcnt = "Popcnt" @ 2.5,
        Cmpxchg16B = "Cmpxchg16B" @ 2.5,
        Altmovcr8 = "Altmovcr8" @ 2.5,
        Lzcnt = "Lzcnt" @ 2.5,
        Misalignsse = "Misalignsse" @ 2.5,
        MmxExt = "MmxExt" @ 2.5,
        Amd3Dnow = "Amd3Dnow" @ 2.5,
        ExtAmd3Dnow = "ExtAmd3Dnow" @ 2.5,
        Page1Gb = "Page1Gb" @ 2.5,
        AmdAes = "AmdAes" @ 2.5,
        Pclmulqdq = "Pclmulqdq" @ 2.5,
        Pcid = "Pcid" @ 2.5,
        Fma4 = "Fma4" @ 2.5,
        F16c = "F16C" @ 2.5,
        Rdrand = "Rdrand" @ 2.5,
        Rdwrfsgs = "Rdwrfsgs" @ 2.5,
        Smep = "Smep" @ 2.5,
        EnhancedFastString = "EnhancedFastString" @ 2.5,
        Bmi1 = "Bmi1" @ 2.5,
        Bmi2 = "Bmi2" @ 2.5,
        Movbe = "Movbe" @ 2.5,
        Npiep1 = "Npiep1" @ 2.5,
        DepX87FpuSave = "DepX87FpuSave" @ 2.5,
        Rdseed = "Rdseed" @ 2.5,
        Adx = "Adx" @ 2.5,
        IntelPrefetch = "IntelPrefetch" @ 2.5,
        Smap = "Smap" @ 2.5,
        Hle = "Hle" @ 2.5,
        Rtm = "Rtm" @ 2.5,
        Rdtscp = "Rdtscp" @ 2.5,
        Clflushopt = "Clflushopt" @ 2.5,
        Clwb = "Clwb" @ 2.5,
        Sha = "Sha" @ 2.5,
        X87PointersSaved = "X87PointersSaved" @ 2.5,
        Invpcid = "Invpcid" @ 2.5,
        Ibrs = "Ibrs" @ 2.5,
        Stibp = "Stibp" @ 2.5,
        Ibpb = "Ibpb" @ 2.5,
        UnrestrictedGuest = "UnrestrictedGuest" @ 2.5,
        Mdd = "Mdd" @ 2.5,
        FastShortRepMov = "FastShortRepMov" @ 2.5,
        L1DCacheFlush = "L1DCacheFlush" @ 2.5,
        RdclNo = "RdclNo" @ 2.5,
        IbrsAll = "IbrsAll" @ 2.5,
        SkipL1Df = "SkipL1Df" @ 2.5,
        SsbNo = "SsbNo" @ 2.5,
        RsbaNo = "RsbaNo" @ 2.5,
        VirtSpecCtrl = "VirtSpecCtrl" @ 2.5,
        Rdpid = "Rdpid" @ 2.5,
        Umip = "Umip" @ 2.5,
        MbsNo = "MbsNo" @ 2.5,
        MbClear = "MbClear" @ 2.5,
        TaaNo = "TaaNo" @ 2.5,
        TsxCtrl = "TsxCtrl" @ 2.5,
        AcountMcount = "AcountMcount" @ 2.5,
        TscInvariant = "TscInvariant" @ 2.5,
        Clzero = "Clzero" @ 2.5,
        Rdpru = "Rdpru" @ 2.5,
        La57 = "La57" @ 2.5,
        Mbec = "Mbec" @ 2.5,
        NestedVirt = "NestedVirt" @ 2.5,
        Psfd = "Psfd" @ 2.5,
        CetSs = "CetSs" @ 2.5,
        CetIbt = "CetIbt" @ 2.5,
        VmxExceptionInject = "VmxExceptionInject" @ 2.5,
        UmwaitTpause = "UmwaitTpause" @ 2.5,
        Movdiri = "Movdiri" @ 2.5,
        Movdir64b = "Movdir64b" @ 2.5,
        Cldemote = "Cldemote" @ 2.5,
        Serialize = "Serialize" @ 2.5,
        TscDeadlineTmr = "TscDeadlineTmr" @ 2.5,
        TscAdjust = "TscAdjust" @ 2.5,
        FZLRepMovsb = "FZLRepMovsb" @ 2.5,
        FSRepStosb = "FSRepStosb" @ 2.5,
        FSRepCmpsb = "FSRepCmpsb" @ 2.5,
        SentinelAmd = "SentinelAmd" @ 2.5,
        Asid16 = "Asid16" @ 2.5,
        TGran16 = "TGran16" @ 2.5,
        TGran64 = "TGran64" @ 2.5,
        Haf = "Haf" @ 2.5,
        Hdbs = "Hdbs" @ 2.5,
        Pan = "Pan" @ 2.5,
        AtS1E1 = "AtS1E1" @ 2.5,
        Uao = "Uao" @ 2.5,
        El0Aarch32 = "El0Aarch32" @ 2.5,
        Fp = "Fp" @ 2.5,
        FpHp = "FpHp" @ 2.5,
        AdvSimd = "AdvSimd" @ 2.5,
        AdvSimdHp = "AdvSimdHp" @ 2.5,
        GicV3V4 = "GicV3V4" @ 2.5,
        PmuV3 = "PmuV3" @ 2.5,
        PmuV3ArmV81 = "PmuV3ArmV81" @ 2.5,
        PmuV3ArmV84 = "PmuV3ArmV84" @ 2.5,
        ArmAes = "ArmAes" @ 2.5,
        PolyMul = "PolyMul" @ 2.5,
        Sha1 = "Sha1" @ 2.5,
        Sha256 = "Sha256" @ 2.5,
        Sha512 = "Sha512" @ 2.5,
        Crc32 = "Crc32" @ 2.5,
        Atomic = "Atomic" @ 2.5,
        Rdm = "Rdm" @ 2.5,
        Sha3 = "Sha3" @ 2.5,
        Sm3 = "Sm3" @ 2.5,
        Sm4 = "Sm4" @ 2.5,
        Dp = "Dp" @ 2.5,
        Fhm = "Fhm" @ 2.5,
        DcCvap = "DcCvap" @ 2.5,
        DcCvadp = "DcCvadp" @ 2.5,
        ApaBase = "ApaBase" @ 2.5,
        ApaEp = "ApaEp" @ 2.5,
        ApaEp2 = "ApaEp2" @ 2.5,
        ApaEp2Fp = "ApaEp2Fp" @ 2.5,
        ApaEp2Fpc = "ApaEp2Fpc" @ 2.5,
        Jscvt = "Jscvt" @ 2.5,
        Fcma = "Fcma" @ 2.5,
        RcpcV83 = "RcpcV83" @ 2.5,
        RcpcV84 = "RcpcV84" @ 2.5,
        Gpa = "Gpa" @ 2.5,
        L1ipPipt = "L1ipPipt" @ 2.5,
        DzPermitted = "DzPermitted" @ 2.5,
        SentinelArm = "SentinelArm" @ 2.5,
    }

    /// A feature of an x86-64 processor that has state of its own.
    ///
    /// Part of [`ProcessorCapabilitiesInfo`], [`ProcessorFeatureSet`],
    /// [`VmProcessorRequirements`](crate::schema2::VmProcessorRequirements). Since schema 2.5.
    XsaveProcessorFeature = "XsaveProcessorFeature" {
        Xsave = "Xsave" @ 2.5,
        XsaveOpt = "Xsave_Opt" @ 2.5,
        Avx = "Avx" @ 2.5,
        Avx2 = "Avx2" @ 2.5,
        Fma = "Fma" @ 2.5,
        Mpx = "Mpx" @ 2.5,
        Avx512 = "Avx512" @ 2.5,
        Avx512Dq = "Avx512Dq" @ 2.5,
        Avx512Cd = "Avx512Cd" @ 2.5,
        Avx512Bw = "Avx512Bw" @ 2.5,
        Avx512Vl = "Avx512Vl" @ 2.5,
        XsaveComp = "Xsave_Comp" @ 2.5,
        XsaveSupervisor = "Xsave_Supervisor" @ 2.5,
        Xcr1 = "Xcr1" @ 2.5,
        Avx512Bitalg = "Avx512_Bitalg" @ 2.5,
        Avx512Ifma = "AVX512_Ifma" @ 2.5,
        Avx512Vbmi = "Avx512_Vbmi" @ 2.5,
        Avx512Vbmi2 = "Avx512_Vbmi2" @ 2.5,
        Avx512Vnni = "Avx512_Vnni" @ 2.5,
        Gfni = "Gfni" @ 2.5,
        Vaes = "Vaes" @ 2.5,
        Avx512Vpopcntdq = "Avx512_Vpopcntdq" @ 2.5,
        Vpclmulqdq = "Vpclmulqdq" @ 2.5,
        Avx512Bf16 = "Avx512_Bf16" @ 2.5,
        Avx512Vp2Intersect = "Avx512_Vp2Intersect" @ 2.5,
        Avx512Fp16 = "Avx512Fp16" @ 2.5,
        Xfd = "Xfd" @ 2.5,
        AmxTile = "AmxTile" @ 2.5,
        AmxBf16 = "AmxBf16" @ 2.5,
        AmxInt8 = "AmxInt8" @ 2.5,
        AvxVnni = "AvxVnni" @ 2.5,
        SentinelAmdXsave = "SentinelAmdXsave" @ 2.5,
    }

    /// Whether virtual processors that seem to be apart may share a core.
    ///
    /// Part of [`ProcessorCapabilitiesInfo`], [`VmProcessorRequirements`](crate::schema2::VmProcessorRequirements).
    /// Since schema 2.5.
    NonArchitecturalCoreSharing = "NonArchitecturalCoreSharing" {
        Unreported = "Unreported" @ 2.5,
        Off = "Off" @ 2.5,
        On = "On" @ 2.5,
    }
}
