//! What the way from the engine to Microsoft's DLLs costs: calls made through [`wcow_winhost::WinHost`], and the same made directly.
//!
//! It needs DLLs that answer at once: the stand-ins of `wcow-hcs`, which the chore compiles for it and puts into a Wine prefix.
//!
//! ```text
//! cargo xtask windows --overhead
//! ```
//!
//! Directly means: the exported function, its answer read and freed; an operation of version 2 is waited for on the calling thread, an
//! exit by a callback. Through the host means: the trait, awaited as the engine does, with everything between, documents read
//! and written included.

#[cfg(not(windows))]
fn main() {
    println!(
        "there is something to measure on Windows only; `cargo xtask windows --overhead` runs this under Wine"
    );
}

#[cfg(windows)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    rounds::run()
}

#[cfg(windows)]
#[path = "calls/direct.rs"]
mod direct;

#[cfg(windows)]
mod rounds {
    use std::error::Error;
    use std::time::{Duration, Instant};

    use wcow_hcs_schema::schema1::ContainerConfig;
    use wcow_host::{
        ComputeApi, ComputeService, CreateDocument, Host, HostError, LayerStorage, NetworkService,
        SystemId,
    };
    use wcow_ntmeta::HostPath;
    use wcow_winhost::{CallLimits, WinHost, block_on};

    use crate::direct::{self, First, Second, Text};

    const ROUNDS: usize = 45;
    /// How often in a round.
    const TIMES: u32 = 300;

    type Outcome = Result<(), Box<dyn Error>>;

    pub(super) fn run() -> Outcome {
        let hosts = [ComputeApi::V1, ComputeApi::V2]
            .map(|api| WinHost::through(api, CallLimits::default()));
        let [first, second] = &hosts;
        let id = SystemId("overhead".to_owned());
        let folder = HostPath::parse(r"C:\layer")?;
        let document = CreateDocument::Schema1(ContainerConfig {
            system_type: "Container".to_owned(),
            ..ContainerConfig::default()
        });
        let configuration = match &document {
            CreateDocument::Schema1(config) => serde_json::to_string(config)?,
            _ => String::new(),
        };
        let wide = Text::new;
        let (all, name) = (wide("{}"), wide("overhead"));
        let (get, networks, nothing) = (wide("GET"), wide("/networks/"), wide(""));
        let (layer, configuration) = (wide(r"C:\layer"), wide(&configuration));
        let bare_1 = First::open(&name)?;
        let bare_2 = Second::open(&name)?;
        let open_1 = block_on(first.compute().open(&id))?;
        let open_2 = block_on(second.compute().open(&id))?;

        println!("microseconds a call; {ROUNDS} rounds of {TIMES} in turns\n");
        println!(
            "| calls | directly, best | median | through the host, best | median | added, best | median |"
        );
        println!("|---|---|---|---|---|---|---|");
        let mut worst = Duration::ZERO;
        let mut measure =
            |what: &str,
             calls,
             bare: &mut dyn FnMut() -> Outcome,
             through: &mut dyn FnMut() -> Result<Duration, HostError>| {
                let added = compare(what, calls, bare, through)?;
                worst = worst.max(added);
                Ok::<(), Box<dyn Error>>(())
            };
        measure(
            "v1: enumerate",
            1,
            &mut || Ok(direct::enumerate(&all)?),
            &mut || round(async || first.compute().enumerate().await.map(drop)),
        )?;
        measure(
            "v1: properties",
            1,
            &mut || Ok(bare_1.properties(&all)?),
            &mut || round(async || first.compute().properties(open_1, &[]).await.map(drop)),
        )?;
        measure(
            "v2: properties, an operation",
            1,
            &mut || Ok(bare_2.properties(&all)?),
            &mut || round(async || second.compute().properties(open_2, &[]).await.map(drop)),
        )?;
        measure(
            "v1: create, terminate, close",
            3,
            &mut || Ok(First::live(&name, &configuration)?),
            &mut || round(async || live(first, &id, &document).await),
        )?;
        measure(
            "v2: create, terminate, close",
            3,
            &mut || Ok(Second::live(&name, &configuration)?),
            &mut || round(async || live(second, &id, &document).await),
        )?;
        measure(
            "HNS: networks",
            1,
            &mut || Ok(direct::hns(&get, &networks, &nothing)?),
            &mut || round(async || first.network().networks().await.map(drop)),
        )?;
        measure(
            "LayerExists",
            1,
            &mut || Ok(direct::layer_exists(&layer)?),
            &mut || round(async || first.layers().exists(&folder).await.map(drop)),
        )?;
        println!("\nmost that a call has added, median: {}", micros(worst, 1));
        block_on(first.compute().close(open_1))?;
        block_on(second.compute().close(open_2))?;
        Ok(())
    }

    /// A life of a system: three calls.
    async fn live(
        host: &WinHost,
        id: &SystemId,
        document: &CreateDocument,
    ) -> Result<(), HostError> {
        let system = host.compute().create(id, document).await?;
        host.compute().terminate(system).await?;
        host.compute().close(system).await
    }

    /// A round through the host: one command of the engine with many calls in it, run to its end on this thread.
    fn round(mut call: impl AsyncFnMut() -> Result<(), HostError>) -> Result<Duration, HostError> {
        block_on(async {
            let start = Instant::now();
            for _ in 0..TIMES {
                call().await?;
            }
            Ok(start.elapsed())
        })
    }

    /// Rounds in turns, printed as a row; what a call has added in the median round.
    fn compare(
        what: &str,
        calls: u32,
        bare: &mut dyn FnMut() -> Outcome,
        through: &mut dyn FnMut() -> Result<Duration, HostError>,
    ) -> Result<Duration, Box<dyn Error>> {
        let (mut direct, mut host, mut added) = (Vec::new(), Vec::new(), Vec::new());
        // One that is not counted: threads start, functions are looked up.
        for count in 0..=ROUNDS {
            let start = Instant::now();
            for _ in 0..TIMES {
                bare()?;
            }
            let without = start.elapsed();
            let with = through()?;
            if count > 0 {
                direct.push(without);
                host.push(with);
                added.push(with.saturating_sub(without));
            }
        }
        let each = TIMES.saturating_mul(calls);
        let [(low, middle), (host_low, host_middle), (_, added)] =
            [direct, host, added].map(best_and_median);
        println!(
            "| {what} | {} | {} | {} | {} | {} | {} |",
            micros(low, each),
            micros(middle, each),
            micros(host_low, each),
            micros(host_middle, each),
            micros(host_low.saturating_sub(low), each),
            micros(added, each)
        );
        Ok(added / each)
    }

    fn best_and_median(mut rounds: Vec<Duration>) -> (Duration, Duration) {
        rounds.sort_unstable();
        let at = |index: usize| rounds.get(index).copied().unwrap_or_default();
        (at(0), at(rounds.len() / 2))
    }

    fn micros(time: Duration, calls: u32) -> String {
        format!("{:.1}", time.as_secs_f64() * 1e6 / f64::from(calls))
    }
}
