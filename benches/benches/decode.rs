//! Times the XPRESS or LZX decoder on the chunks of the WIM file that `WCOW_BENCH_WIM` names.

use std::env;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wcow_benches::chunks::{Chunks, Codec};

criterion_group!(benches, decode);
criterion_main!(benches);

fn decode(criterion: &mut Criterion) {
    let Some(path) = env::var_os("WCOW_BENCH_WIM") else {
        println!("skipped: WCOW_BENCH_WIM does not name a WIM file");
        return;
    };
    let chunks = match Chunks::read(Path::new(&path)) {
        Ok(Some(chunks)) => chunks,
        Ok(None) => {
            println!("skipped: the file is not compressed");
            return;
        }
        Err(error) => {
            println!("skipped: {error:#}");
            return;
        }
    };
    let name = match chunks.codec {
        Codec::Xpress => "xpress",
        Codec::Lzx(_) => "lzx",
    };
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10);
    group.throughput(Throughput::Bytes(chunks.total_size()));
    group.bench_function(format!("{}-byte chunks", chunks.chunk_size), |bencher| {
        bencher.iter(|| chunks.decode_all())
    });
    group.finish();
}
