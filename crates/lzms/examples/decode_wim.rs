//! Decodes every LZMS chunk of a WIM file and says how fast: `decode_wim FILE [ROUNDS]`.

#[path = "../tests/it/wim.rs"]
mod wim;

use std::error::Error;
use std::time::Instant;

use wcow_lzms::Decoder;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: decode_wim FILE [ROUNDS]")?;
    let rounds: u32 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let file = std::fs::read(path)?;
    let resources = wim::resources(&file);
    let chunks: Vec<_> = resources
        .iter()
        .flat_map(|resource| &resource.chunks)
        .filter(|chunk| chunk.stored != chunk.size)
        .collect();
    let largest = chunks.iter().map(|chunk| chunk.size).max().unwrap_or(0);
    let mut output = vec![0; largest];
    let mut decoder = Decoder::new();
    for _ in 0..rounds {
        let start = Instant::now();
        let mut bytes = 0;
        for chunk in &chunks {
            let input = file.get(chunk.start..chunk.start + chunk.stored);
            let output = output.get_mut(..chunk.size).ok_or("no output")?;
            decoder.decode(input.ok_or("a chunk beyond the end")?, output)?;
            bytes += output.len();
        }
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{} chunks, {bytes} bytes, {:.1} MB/s",
            chunks.len(),
            bytes as f64 / seconds / 1e6
        );
    }
    Ok(())
}
