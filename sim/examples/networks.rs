//! A tool that manages networks: two of its processes want the same one at the same time.
//!
//! `cargo run --package wcow-sim --example networks` runs it as it was and as it is now, in many orders of the same calls.

use ipnet::Ipv4Net;
use wcow_host::codes::win32;
use wcow_host::{
    Clock, FileLock, FileSystem, Host, HostError, NewNetNat, NewVmSwitch, SwitchService, SwitchType,
};
use wcow_ntmeta::{FileTime, HostPath};
use wcow_sim::{Check, Profile, Sim, SimHost};

/// Ticks of 100 ns in a tenth of a second.
const TENTH: u64 = 1_000_000;

// The tool.

/// As it was: looks, and then makes what is missing. In between somebody else may do the same.
async fn ensure<H: Host>(host: &H, name: &str, subnet: Ipv4Net) -> Result<(), HostError> {
    let switches = host.switches();
    let there = switches.switches().await?;
    if there.iter().all(|switch| switch.name != name) {
        let wanted = NewVmSwitch {
            name: name.to_owned(),
            kind: SwitchType::Internal,
            adapter: None,
            nat_subnet: None,
        };
        switches.new_switch(&wanted).await?;
    }
    let there = switches.nats().await?;
    if there.iter().all(|nat| nat.internal_prefix != subnet) {
        let wanted = NewNetNat {
            name: name.to_owned(),
            internal_prefix: subnet,
        };
        switches.new_nat(&wanted).await?;
    }
    Ok(())
}

/// As it is now: one at a time.
async fn ensure_alone<H: Host>(host: &H, name: &str, subnet: Ipv4Net) -> Result<(), HostError> {
    let lock = lock(host).await?;
    let ensured = ensure(host, name, subnet).await;
    host.files().unlock(lock).await?;
    ensured
}

/// Waits for its turn. A process that ends gives its lock back, however it ends.
async fn lock<H: Host>(host: &H) -> Result<FileLock, HostError> {
    let file = HostPath::root("C:").join("networks.lock");
    loop {
        match host.files().lock(&file).await {
            Err(error) if error.hresult() == Some(win32::SHARING_VIOLATION) => {
                let clock = host.clock();
                let soon = clock.now().ticks().saturating_add(TENTH);
                clock.sleep_until(FileTime::from_ticks(soon)).await;
            }
            answer => return answer,
        }
    }
}

// The test.

/// Two processes ask for the same network. Both succeed, and there is one.
async fn there_is_one<T>(sim: Sim, tool: fn(SimHost) -> T) -> Result<(), String>
where
    T: Future<Output = Result<(), HostError>> + Send + 'static,
{
    let other = sim.spawn(tool(sim.client()));
    let ours = tool(sim.client()).await;
    let theirs = other.await;
    let switches = sim.client().switches().switches().await;
    let switches = switches.map_err(|error| error.to_string())?;
    let count = switches
        .iter()
        .filter(|switch| switch.name == "lab")
        .count();
    if count != 1 {
        return Err(format!("{count} switches are called lab"));
    }
    ours.and(theirs).map_err(|error| error.to_string())
}

fn subnet() -> Ipv4Net {
    Ipv4Net::new_assert([172, 16, 0, 0].into(), 24)
}

pub(crate) fn main() -> Result<(), String> {
    let check = Check::new(Profile::server_2022()).any_order();
    let was = async |sim| {
        there_is_one(
            sim,
            |host| async move { ensure(&host, "lab", subnet()).await },
        )
        .await
    };
    let found = check.try_run(was).err().ok_or("the race was not found")?;
    println!("as it was: {found}");
    println!(
        "to repeat: WCOW_SEED={} cargo run --package wcow-sim --example networks",
        found.seed
    );
    let is = async |sim| {
        there_is_one(sim, |host| async move {
            ensure_alone(&host, "lab", subnet()).await
        })
        .await
    };
    check
        .try_run(is)
        .map_err(|found| format!("as it is now: {found}"))?;
    println!("as it is now: one network, in whatever order");
    Ok(())
}
