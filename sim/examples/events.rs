//! How many calls a second the simulator itself manages, and how many events: what the fingerprint covers and the trace keeps, which of
//! a call are two, that it takes effect and that it is answered.
//!
//! ```sh
//! cargo run --release -p wcow-sim --example events
//! ```
//!
//! Every run has its fingerprint. With a trace, every event is also kept as structured data and handed out, a thousand calls at a
//! time.

use std::error::Error;

use wcow_host::{Clock, FileSystem, Host};
use wcow_ntmeta::{FileTime, HostPath};
use wcow_sim::{Profile, Sim, SimHost};

/// Calls of one measurement.
const CALLS: u32 = 2_000_000;
/// Calls between two looks at the trace.
const BATCH: u32 = 1_000;
/// Clients, where there are many.
const CLIENTS: u32 = 50;

/// What a client asks for.
#[derive(Clone, Copy)]
enum Call {
    /// To be woken a microsecond later.
    Sleep,
    /// What there is at the end of a path of four names.
    Look,
}

#[expect(
    clippy::disallowed_types,
    reason = "this measures the simulator from outside"
)]
fn main() -> Result<(), Box<dyn Error>> {
    for (what, call) in [("sleep", Call::Sleep), ("look at a file", Call::Look)] {
        for clients in [1, CLIENTS] {
            let mut events = 0;
            for traced in [true, false] {
                let start = std::time::Instant::now();
                let (fingerprint, records) = run(call, clients, traced)?;
                let seconds = start.elapsed().as_secs_f64();
                // The same run has the same events, whoever looks.
                events = records.max(events);
                println!(
                    "{what:14}  clients {clients:2}  {:8}  {:9.0} calls a second  {:9.0} events a second  {fingerprint}",
                    if traced { "traced" } else { "no trace" },
                    f64::from(CALLS) / seconds,
                    f64::from(events) / seconds,
                );
            }
        }
    }
    Ok(())
}

/// The fingerprint, and the number of records of the trace.
fn run(call: Call, clients: u32, traced: bool) -> Result<(String, u32), Box<dyn Error>> {
    let sim = Sim::new(Profile::core_tp3(), 1);
    let path = HostPath::parse(r"C:\ProgramData\Images\one\metadata.json")?;
    if let Some(folder) = path.parent() {
        let host = sim.client();
        sim.run(async { host.files().create_dir_all(&folder).await })??;
    }
    if traced {
        sim.start_trace();
    }
    let mut records = 0;
    let host = sim.client();
    let others: Vec<SimHost> = (1..clients).map(|_| sim.client()).collect();
    for _ in 0..CALLS / BATCH {
        let each = BATCH / clients;
        let tasks: Vec<_> = others
            .iter()
            .map(|host| {
                let (host, path) = (host.clone(), path.clone());
                sim.spawn(async move { ask(&host, &path, call, each).await.is_ok() })
            })
            .collect();
        let done = sim.run(async {
            ask(&host, &path, call, each).await?;
            let mut all = true;
            for task in tasks {
                all &= task.await;
            }
            Ok::<_, wcow_host::HostError>(all)
        })??;
        if !done {
            return Err("a call failed".into());
        }
        // What is kept is looked at, so that nothing of it can be left out.
        let kept = sim.take_trace();
        let kept = kept.iter().filter(|record| record.time > FileTime::ZERO);
        records += u32::try_from(kept.count())?;
    }
    Ok((sim.fingerprint(), records))
}

async fn ask(
    host: &SimHost,
    path: &HostPath,
    call: Call,
    times: u32,
) -> Result<(), wcow_host::HostError> {
    for _ in 0..times {
        match call {
            Call::Sleep => {
                let now = host.clock().now().ticks();
                host.clock()
                    .sleep_until(FileTime::from_ticks(now + 10))
                    .await;
            }
            Call::Look => {
                host.files().metadata(path).await?;
            }
        }
    }
    Ok(())
}
