//! How many stories a second: a story is about 150 calls, among them four trees of 150 KB.
//!
//! `cargo run --release -p wcow-sim --example throughput` prints stories per second of processor time.

use std::error::Error;

use wcow_host::{
    FileSystem, Host, HostControl, NewVmSwitch, Precaution, SwitchService, SwitchType, WriteMode,
};
use wcow_ntmeta::{FileAttributes, HostPath, WideName};
use wcow_sim::{Profile, Sim};
use wcow_tree::{Entry, EntryId, Extra, Stream, StreamEnd, StreamKind, StreamRef, Times, TreeSink};

const STORIES: u32 = 500;

#[expect(
    clippy::disallowed_types,
    reason = "this measures the simulator from outside"
)]
fn main() -> Result<(), Box<dyn Error>> {
    let start = std::time::Instant::now();
    let mut fingerprint = String::new();
    for seed in 0..STORIES {
        fingerprint = story(u64::from(seed))?;
    }
    let rate = f64::from(STORIES) / start.elapsed().as_secs_f64();
    println!("{rate:.0} stories per second, the last with fingerprint {fingerprint}");
    Ok(())
}

fn story(seed: u64) -> Result<String, Box<dyn Error>> {
    let sim = Sim::new(Profile::core_tp3(), seed);
    let host = sim.client();
    let contents: Vec<u8> = (0..3000_u32)
        .map(|index| (index.wrapping_mul(31) >> 3) as u8)
        .collect();
    sim.run(async {
        let files = host.files();
        files
            .create_dir_all(&HostPath::parse(r"C:\ProgramData\Images")?)
            .await?;
        for image in 0..4 {
            let root = HostPath::parse(&format!(r"C:\ProgramData\Images\{image}"))?;
            let mut tree = files.create_tree(&root).await?;
            tree.entry(&entry(0, None))?;
            for id in 1..=50 {
                tree.entry(&entry(id, Some(3000)))?;
                tree.open_stream(StreamRef {
                    entry: EntryId(id),
                    index: 0,
                })?;
                let mut contents = contents.clone();
                contents[..4].copy_from_slice(&(id * 4 + image).to_le_bytes());
                tree.write(&contents)?;
                tree.close_stream(StreamEnd::Complete)?;
            }
            files
                .finish_tree(tree, Precaution::new("sync-image"))
                .await?;
            let listed = files.list(&root).await?;
            for entry in listed.iter().take(20) {
                files
                    .read(&root.join(&entry.name.to_string()), 1 << 20)
                    .await?;
            }
            let meta = root.join("metadata.json");
            files.write(&meta, b"{}", WriteMode::CreateNew).await?;
            files
                .sync_file(&meta, Precaution::new("sync-image"))
                .await?;
            files.rename(&meta, &root.join("moved.json")).await?;
        }
        for name in 0..10 {
            let name = name.to_string();
            let switch = NewVmSwitch {
                name,
                kind: SwitchType::Internal,
                adapter: None,
                nat_subnet: None,
            };
            host.switches().new_switch(&switch).await?;
            host.switches().switches().await?;
            host.control().info().await?;
        }
        host.control().reboot().await?;
        Ok::<_, Box<dyn Error>>(())
    })??;
    Ok(sim.fingerprint())
}

fn entry(id: u32, len: Option<u64>) -> Entry {
    let attributes = if len.is_some() {
        FileAttributes::ARCHIVE
    } else {
        FileAttributes::DIRECTORY
    };
    Entry {
        id: EntryId(id),
        parent: len.map(|_| EntryId(0)),
        name: if len.is_some() {
            format!("file{id}").into()
        } else {
            WideName::new()
        },
        short_name: WideName::new(),
        attributes,
        times: Times::default(),
        security: None,
        reparse: None,
        link_to: None,
        streams: len
            .map(|len| Stream {
                name: WideName::new(),
                kind: StreamKind::Data,
                len,
                digest: None,
            })
            .into_iter()
            .collect(),
        extra: Extra::default(),
    }
}
