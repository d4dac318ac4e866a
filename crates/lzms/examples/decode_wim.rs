//! Decodes the LZMS resources of a WIM file, checks their hashes, and says how fast decoding was: `decode_wim FILE [ROUNDS]`.

#[path = "../tests/it/wim.rs"]
mod wim;

use std::error::Error;
use std::time::{Duration, Instant};

use wcow_lzms::Decoder;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: decode_wim FILE [ROUNDS]")?;
    let rounds: u32 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let file = std::fs::read(path)?;
    let resources = wim::resources(&file);
    let mut decoder = Decoder::new();
    let mut contents = Vec::new();
    for _ in 0..rounds {
        let mut time = Duration::ZERO;
        let (mut chunks, mut bytes) = (0, 0);
        for resource in &resources {
            let start = Instant::now();
            chunks += resource.decode(&file, &mut decoder, &mut contents)?;
            time += start.elapsed();
            bytes += contents.len();
            if !resource.is_sound(&contents) {
                return Err("a resource does not have its hash".into());
            }
        }
        let rate = bytes as f64 / time.as_secs_f64() / 1e6;
        println!("{chunks} chunks, {bytes} bytes, {rate:.1} MB/s");
    }
    Ok(())
}
