//! Networks: a plan, carried out step by step.

use std::fmt;
use std::net::Ipv4Addr;
use std::pin::pin;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use wcow_hcs_schema::hns::HnsNetwork;
use wcow_host::{
    Clock, Host, HostControl, HostError, NetworkService, Precaution, SwitchService, SwitchType,
    VmSwitch,
};
use wcow_network::{Driver, HostNetworking, LostNetwork, NetworkSpec, NetworkStep};
use wcow_ntmeta::{FileTime, Guid};

use crate::known::Kept;
use crate::locks::Held;
use crate::records::{Files, Folder};
use crate::{Action, Engine, EngineError, Kind, containers::is_valid_name, locks, precautions};

/// A network as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkSummary {
    /// Its name.
    pub name: String,
    /// What kind it is.
    pub driver: Driver,
    /// Its subnet, where it has one of its own.
    pub subnet: Option<Ipv4Net>,
    /// Its gateway, where one was asked for.
    pub gateway: Option<Ipv4Addr>,
    /// What it is on the host.
    pub backing: NetworkBacking,
    /// True if this program made it, false if it was there on the host.
    pub ours: bool,
    /// False if the host says that it is not there any more. From Windows Server 2019 on a restart loses NAT networks: one of
    /// ours is made again, with its name and subnet, when a container needs it.
    pub present: bool,
}

/// What a network is on the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkBacking {
    /// A virtual switch, and behind a NAT switch a NAT object.
    Switch {
        /// The switch's name.
        switch: String,
        /// The NAT object's name.
        nat: Option<String>,
    },
    /// A network of the Host Network Service.
    Hns {
        /// Its id.
        id: Guid,
    },
}

impl fmt::Display for NetworkBacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch { switch, nat: None } => write!(f, "switch {switch:?}"),
            Self::Switch {
                switch,
                nat: Some(nat),
            } => write!(f, "switch {switch:?} or NAT {nat:?}"),
            Self::Hns { id } => write!(f, "network {id}"),
        }
    }
}

/// What the engine keeps of a network.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct NetworkRecord {
    name: String,
    driver: Driver,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subnet: Option<Ipv4Net>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gateway: Option<Ipv4Addr>,
    backing: NetworkBacking,
    /// It is about to be made: `backing` is a plan.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unfinished: bool,
    /// When it was begun to be made.
    #[serde(default)]
    began: FileTime,
    /// Which start of the host that was.
    #[serde(default)]
    boot: Guid,
}

/// What a diagnosis needs to know of a network's record.
pub(crate) struct LookedNetwork {
    pub(crate) name: String,
    pub(crate) backing: NetworkBacking,
    pub(crate) unfinished: bool,
    /// It is made again when a container needs it.
    pub(crate) made_again: bool,
}

impl NetworkRecord {
    fn summary(self, present: bool) -> NetworkSummary {
        NetworkSummary {
            name: self.name,
            driver: self.driver,
            subnet: self.subnet,
            gateway: self.gateway,
            backing: self.backing,
            ours: true,
            present,
        }
    }
}

impl<H: Host> Engine<H> {
    /// Makes a network. When a step fails, the steps before it are taken back.
    ///
    /// # Errors
    /// [`EngineError::Exists`], [`EngineError::Busy`], [`EngineError::Plan`] for a request that can work nowhere,
    /// [`EngineError::Host`] with the host's refusal.
    pub async fn create_network(&self, spec: &NetworkSpec) -> Result<NetworkSummary, EngineError> {
        if !is_valid_name(&spec.name) {
            return Err(EngineError::BadName {
                kind: Kind::Network,
                name: spec.name.clone(),
            });
        }
        let make = pin!(async {
            // Records are files of a host whose file names have no case.
            if let Some(taken) = self
                .recorded_networks()
                .await?
                .into_iter()
                .find(|network| network.name.eq_ignore_ascii_case(&spec.name))
            {
                if !taken.unfinished {
                    return Err(EngineError::Exists {
                        kind: Kind::Network,
                        name: taken.name.clone(),
                    });
                }
                // Whoever began it is gone, or this command could not have locked it.
                self.check_in_flight(Kind::Network, &taken.name, taken.began, taken.boot)
                    .await?;
                self.take_network_back(&taken, precautions::RECOVER_NETWORK)
                    .await?;
            }
            self.make_network(spec).await
        });
        self.locked((Kind::Network, &spec.name), make).await
    }

    /// All networks: ours, and those that are on the host without us.
    ///
    /// # Errors
    /// [`EngineError::Host`], [`EngineError::Record`].
    pub async fn networks(&self) -> Result<Vec<NetworkSummary>, EngineError> {
        let recorded = self.settled_networks().await?;
        let host = self.host_networks().await;
        let mut networks: Vec<NetworkSummary> = recorded
            .into_iter()
            .map(|network| {
                let present = host.has(&network.backing);
                network.into_inner().summary(present)
            })
            .collect();
        for switch in host.switches.iter().flatten() {
            let known = |network: &NetworkSummary| matches!(&network.backing, NetworkBacking::Switch { switch: name, .. } if *name == switch.name);
            if !networks.iter().any(known) {
                networks.push(NetworkSummary {
                    name: switch.name.clone(),
                    driver: match switch.kind {
                        SwitchType::Private => Driver::Private,
                        SwitchType::Internal => Driver::Internal,
                        SwitchType::External => Driver::External,
                        SwitchType::Nat => Driver::Nat,
                    },
                    subnet: switch.nat_subnet,
                    backing: NetworkBacking::Switch {
                        switch: switch.name.clone(),
                        nat: None,
                    },
                    gateway: None,
                    ours: false,
                    present: true,
                });
            }
        }
        for network in host.hns.iter().flatten() {
            let Ok(id) = network.id.parse::<Guid>() else {
                continue;
            };
            if !networks
                .iter()
                .any(|known| known.backing == NetworkBacking::Hns { id })
            {
                let Ok(driver) = network.kind.to_lowercase().parse::<Driver>() else {
                    continue;
                };
                networks.push(NetworkSummary {
                    name: network.name.clone(),
                    driver,
                    subnet: network
                        .subnets
                        .first()
                        .and_then(|subnet| subnet.address_prefix.parse().ok()),
                    backing: NetworkBacking::Hns { id },
                    gateway: None,
                    ours: false,
                    present: true,
                });
            }
        }
        networks.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(networks)
    }

    /// One network, by name.
    ///
    /// # Errors
    /// [`EngineError::NotFound`].
    pub async fn network(&self, name: &str) -> Result<NetworkSummary, EngineError> {
        // One of ours says itself where it is; to list switches takes a real host a second.
        if let Some(record) = self
            .read_record::<NetworkRecord>(&files(name))
            .await?
            .filter(|record| record.name == name && !record.unfinished)
        {
            let present = self.has_backing(&record.backing).await;
            return Ok(record.summary(present));
        }
        let mut networks = self.networks().await?;
        match networks.iter().position(|network| network.name == name) {
            Some(position) => Ok(networks.swap_remove(position)),
            None => Err(EngineError::NotFound {
                kind: Kind::Network,
                name: name.to_owned(),
                existing: networks.into_iter().map(|network| network.name).collect(),
            }),
        }
    }

    /// Removes a network, and what it is on the host.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::InUse`], [`EngineError::Busy`], [`EngineError::Host`].
    pub async fn remove_network(&self, name: &str) -> Result<(), EngineError> {
        self.locked(
            (Kind::Network, name),
            pin!(self.remove_locked_network(name)),
        )
        .await
    }

    async fn remove_locked_network(&self, name: &str) -> Result<(), EngineError> {
        if let Some(record) = self
            .read_record::<NetworkRecord>(&files(name))
            .await?
            .filter(|record| record.unfinished)
        {
            self.check_in_flight(Kind::Network, name, record.began, record.boot)
                .await?;
        }
        let network = self.network(name).await?;
        let users = self.containers_on(name).await?;
        if !users.is_empty() {
            return Err(EngineError::InUse {
                kind: Kind::Network,
                name: name.to_owned(),
                by: format!("container {}", users.join(", ")),
            });
        }
        let doing = format!("remove network {name:?}");
        self.remove_whole(name, &network.backing, network.ours, &doing)
            .await?;
        self.tell_of(Kind::Network, name, Action::Removed).await;
        Ok(())
    }

    /// Removes what a network is on the host, and its record if it is ours. What is gone already is done. The caller has it locked.
    async fn remove_whole(
        &self,
        name: &str,
        backing: &NetworkBacking,
        ours: bool,
        doing: &str,
    ) -> Result<(), EngineError> {
        let failed = |error| EngineError::host(doing, error);
        match backing {
            // The switch first: it is what can be refused, and then nothing has changed.
            NetworkBacking::Switch { switch, .. } => {
                let switches = self.host.switches();
                let listed = switches.switches().await.map_err(failed)?;
                if listed.iter().any(|known| known.name == *switch) {
                    switches.remove_switch(switch).await.map_err(failed)?;
                }
            }
            NetworkBacking::Hns { id } => match self.host.network().delete_network(*id).await {
                Err(error) if error.is_win32(0x490) => {}
                answer => answer.map_err(failed)?,
            },
        }
        if ours {
            self.give_up(name, backing, doing).await?;
        }
        Ok(())
    }

    /// Removes the record of a network, and before it the NAT that it has, unless another network of ours has it too.
    async fn give_up(
        &self,
        name: &str,
        backing: &NetworkBacking,
        doing: &str,
    ) -> Result<(), EngineError> {
        let NetworkBacking::Switch { nat: Some(nat), .. } = backing else {
            return self.remove_record(&files(name)).await;
        };
        // Nobody else with this NAT may look who has it before the record is gone.
        let held = self.lock_nat(nat, name).await?;
        let given_up = async {
            if !self.is_shared(nat, name).await? {
                let removed = self.remove_nat(nat).await;
                removed.map_err(|error| EngineError::host(doing, error))?;
            }
            self.remove_record(&files(name)).await
        }
        .await;
        self.unlock(held).await;
        given_up
    }

    /// Locks a NAT for a network of this name.
    async fn lock_nat(&self, nat: &str, network: &str) -> Result<Held, EngineError> {
        // No network can have this name.
        let all = format!("nat-{nat}-");
        let held = self.lock(Kind::Network, &all, locks::LONG_PATIENCE).await;
        held.map_err(|error| match error {
            EngineError::Busy { kind, .. } => EngineError::Busy {
                kind,
                name: network.to_owned(),
            },
            error => error,
        })
    }

    async fn remove_nat(&self, nat: &str) -> Result<(), HostError> {
        let switches = self.host.switches();
        let nats = match switches.nats().await {
            // A host without the module has no NAT.
            Err(error) if error.is_command_missing() => Vec::new(),
            answer => answer?,
        };
        if nats.iter().any(|known| known.name == nat) {
            match switches.remove_nat(nat).await {
                // What somebody asked for who has died since may take effect late.
                Err(error) if error.is_object_missing() => {}
                answer => answer?,
            }
        }
        Ok(())
    }

    /// A network that a container is to be connected to: as it is on the host now. A NAT network of ours that the host lost is
    /// made again. The caller has it locked.
    ///
    /// # Errors
    /// As for [`network`](Self::network) and [`create_network`](Self::create_network); [`EngineError::NetworkGone`].
    pub(crate) async fn network_in_use(&self, name: &str) -> Result<NetworkSummary, EngineError> {
        let recorded = self.read_record::<NetworkRecord>(&files(name)).await?;
        if let Some(record) = recorded.filter(|record| record.unfinished) {
            // Whoever began it is gone, or this command could not have locked it. What will be taken back carries no container.
            self.check_in_flight(Kind::Network, name, record.began, record.boot)
                .await?;
            self.take_network_back(&record, precautions::RECOVER_NETWORK)
                .await?;
        }
        let network = self.network(name).await?;
        if network.present {
            return Ok(network);
        }
        let id = match network.backing {
            NetworkBacking::Hns { id }
                if is_made_again(network.driver, &network.backing)
                    && !self.host.ignores(precautions::RECOVER_LOST_NETWORK) =>
            {
                id
            }
            _ => return Err(EngineError::NetworkGone { name: network.name }),
        };
        let again = NetworkSpec {
            name: network.name.clone(),
            driver: network.driver,
            subnet: network.subnet,
            gateway: network.gateway,
            adapter: None,
        };
        // It gets the id that its record tells, so that the record stays true whatever becomes of the call.
        let mut steps = self.plan_steps(&again).await?;
        for step in &mut steps {
            if let NetworkStep::HnsCreate(network) = step {
                network.id = id.to_string();
            }
            self.do_step(step)
                .await
                .map_err(|error| EngineError::host(creating(&again), error))?;
        }
        Ok(NetworkSummary {
            present: true,
            ..network
        })
    }

    /// Plans a network, makes it, and keeps a record of it, which is written before anything is made and says so. Nothing is left
    /// of a network that has none. The caller has it locked.
    async fn make_network(&self, spec: &NetworkSpec) -> Result<NetworkSummary, EngineError> {
        let mut steps = self.plan_steps(spec).await?;
        // From here until the record says so, nobody who has the same NAT may give it up.
        let nat = steps.iter().find_map(|step| match step {
            NetworkStep::NewNat(nat) => Some(nat.name.clone()),
            _ => None,
        });
        let held = match nat {
            Some(nat) => Some(self.lock_nat(&nat, &spec.name).await?),
            None => None,
        };
        let recorded = self.begin_network(spec, &mut steps).await;
        if let Some(held) = held {
            self.unlock(held).await;
        }
        let mut record = recorded?;
        let mut done: Option<&NetworkStep> = None;
        for step in &steps {
            match self.do_step(step).await {
                Ok(subnet) => {
                    record.subnet = subnet.or(record.subnet);
                    // Another one of its name was there when it was planned, and has gone since: this one is ours.
                    if let (NetworkStep::NewNat(new), NetworkBacking::Switch { nat, .. }) =
                        (step, &mut record.backing)
                    {
                        *nat = Some(new.name.clone());
                    }
                }
                Err(error) => {
                    // What was refused at once has left nothing, but for a NAT that was left to it; an answer that was lost may have.
                    let left_behind = if done.is_some() || error.is_ambiguous() {
                        self.take_network_back(&record, precautions::ROLLBACK_NETWORK)
                            .await
                            .is_err()
                    } else {
                        self.give_up(&record.name, &record.backing, "give its NAT up")
                            .await
                            .is_err()
                    };
                    return Err(EngineError::Host {
                        doing: creating(spec),
                        error: Box::new(error),
                        left_behind: if left_behind {
                            vec![record.backing.to_string()]
                        } else {
                            Vec::new()
                        },
                    });
                }
            }
            done = Some(step);
        }
        record.unfinished = false;
        let written = match self.write_network(&record).await {
            Ok(written) => written,
            Err(error) => {
                // The next command that comes upon the unfinished record tries again.
                let _ = self
                    .take_network_back(&record, precautions::ROLLBACK_NETWORK)
                    .await;
                return Err(error);
            }
        };
        self.tell_of(Kind::Network, &record.name, Action::Created)
            .await;
        self.keep_written(written, record.clone());
        Ok(record.summary(true))
    }

    /// Writes the record of a network of which nothing is made yet.
    async fn begin_network(
        &self,
        spec: &NetworkSpec,
        steps: &mut [NetworkStep],
    ) -> Result<NetworkRecord, EngineError> {
        let record = NetworkRecord {
            name: spec.name.clone(),
            driver: spec.driver,
            subnet: spec.subnet,
            gateway: spec.gateway,
            backing: self.planned_backing(spec, steps).await?,
            unfinished: true,
            began: self.host.clock().now(),
            boot: self.info().await?.boot_id,
        };
        match self.write_network(&record).await {
            Ok(_) => Ok(record),
            Err(error) => {
                // It may be in its place all the same, and nothing is behind it.
                let _ = self.remove_record(&files(&record.name)).await;
                Err(error)
            }
        }
    }

    /// Whether another network of ours, be it whole or on its way, has a NAT of this name too, or asks for it: on hosts before the Host
    /// Network Service all ask for the same one. It stays until the last of them is removed.
    async fn is_shared(&self, nat: &str, network: &str) -> Result<bool, EngineError> {
        Ok(self.recorded_networks().await?.iter().any(|other| {
            other.name != network
                && matches!(&other.backing, NetworkBacking::Switch { nat: Some(name), .. } if name == nat)
        }))
    }

    /// The calls that make a network on this host.
    async fn plan_steps(&self, spec: &NetworkSpec) -> Result<Vec<NetworkStep>, EngineError> {
        let (known, listed) = self.host_networking().await?;
        let lost = self.recorded_networks().await?.into_iter();
        let lost = lost
            .filter(|network| {
                network.name != spec.name
                    && is_made_again(network.driver, &network.backing)
                    && !listed.has(&network.backing)
            })
            .filter_map(|network| {
                let name = network.name.clone();
                network.subnet.map(|subnet| LostNetwork { name, subnet })
            })
            .collect();
        let host = HostNetworking { lost, ..known };
        let plan = wcow_network::plan(spec, &host).map_err(|error| EngineError::Plan {
            name: spec.name.clone(),
            error,
        })?;
        Ok(plan.steps)
    }

    /// What a network will be on the host. Where somebody else has a NAT of that name, ours will be refused, and nothing is to be taken
    /// back; where a network of ours has it, that one may be about to give it up. A network of the Host Network Service gets an id
    /// here, in its step too. The caller has the NAT locked.
    async fn planned_backing(
        &self,
        spec: &NetworkSpec,
        steps: &mut [NetworkStep],
    ) -> Result<NetworkBacking, EngineError> {
        let mut backing = NetworkBacking::Switch {
            switch: spec.name.clone(),
            nat: None,
        };
        for step in steps {
            match (step, &mut backing) {
                (NetworkStep::NewSwitch(new), NetworkBacking::Switch { switch, .. }) => {
                    switch.clone_from(&new.name);
                }
                (NetworkStep::NewNat(new), NetworkBacking::Switch { nat, .. }) => {
                    let nats = self.host.switches().nats().await.unwrap_or_default();
                    let is_free = nats.iter().all(|known| known.name != new.name);
                    *nat = (is_free || self.is_shared(&new.name, &spec.name).await?)
                        .then(|| new.name.clone());
                }
                (NetworkStep::HnsCreate(network), backing) => {
                    let id = self
                        .host
                        .control()
                        .new_guid()
                        .await
                        .map_err(|error| EngineError::host("make an id", error))?;
                    network.id = id.to_string();
                    *backing = NetworkBacking::Hns { id };
                }
                (_, NetworkBacking::Hns { .. }) => {}
            }
        }
        Ok(backing)
    }

    /// Removes what a creation made, and its record. The caller has the network locked, and says for which reason it is done.
    async fn take_network_back(
        &self,
        record: &NetworkRecord,
        precaution: Precaution,
    ) -> Result<(), EngineError> {
        if self.host.ignores(precaution) {
            return Ok(());
        }
        let doing = format!("take network {:?} back", record.name);
        self.remove_whole(&record.name, &record.backing, true, &doing)
            .await
    }

    async fn write_network(&self, record: &NetworkRecord) -> Result<Vec<u8>, EngineError> {
        self.write_record(&files(&record.name), record).await
    }

    /// The records, after what is left of creations that were cut off was taken back. One that somebody still is at, or that
    /// cannot be taken back, stays in the list.
    async fn settled_networks(&self) -> Result<Vec<Kept<NetworkRecord>>, EngineError> {
        let records = self.recorded_networks().await?;
        let mut changed = false;
        for record in records.iter().filter(|record| record.unfinished) {
            if self.is_in_flight(record.began, record.boot).await? {
                continue;
            }
            let Some(held) = self.try_lock(Kind::Network, &record.name).await? else {
                continue;
            };
            let now: Result<Option<NetworkRecord>, _> =
                self.read_record(&files(&record.name)).await;
            if let Ok(Some(record)) = &now
                && record.unfinished
            {
                // What cannot be taken back stays in the list, and removing it says why.
                let _ = self
                    .take_network_back(record, precautions::RECOVER_NETWORK)
                    .await;
            }
            self.unlock(held).await;
            now?;
            changed = true;
        }
        if changed {
            self.recorded_networks().await
        } else {
            Ok(records)
        }
    }

    /// What is recorded of networks, as it is, and what is wrong with records that cannot be read. Nothing is taken back.
    pub(crate) async fn look_at_networks(
        &self,
    ) -> Result<(Vec<LookedNetwork>, Vec<EngineError>), HostError> {
        let (records, bad) = self.peek_records::<NetworkRecord>(Folder::Networks).await?;
        let networks = records.into_iter().map(|record| LookedNetwork {
            made_again: is_made_again(record.driver, &record.backing),
            name: record.name,
            backing: record.backing,
            unfinished: record.unfinished,
        });
        Ok((networks.collect(), bad))
    }

    async fn recorded_networks(&self) -> Result<Vec<Kept<NetworkRecord>>, EngineError> {
        self.read_records(Folder::Networks).await
    }

    /// What the planner needs to know. A list that this host cannot give (its cmdlet or service is missing) is empty: the step
    /// that needs it will get the host's own answer.
    async fn host_networking(&self) -> Result<(HostNetworking, HostNetworks), EngineError> {
        let modules = self
            .host
            .control()
            .modules()
            .await
            .map_err(|error| EngineError::host("list the PowerShell modules", error))?;
        let listed = self.host_networks().await;
        let switches = self.host.switches();
        let known = HostNetworking {
            info: self.info().await?,
            modules,
            adapters: switches.adapters().await.unwrap_or_default(),
            switches: listed.switches.clone().unwrap_or_default(),
            nats: switches.nats().await.unwrap_or_default(),
            hns: listed.hns.clone().unwrap_or_default(),
            lost: Vec::new(),
        };
        Ok((known, listed))
    }

    /// The networks that are on the host.
    async fn host_networks(&self) -> HostNetworks {
        HostNetworks {
            switches: self.host.switches().switches().await.ok(),
            hns: self.host.network().networks().await.ok(),
        }
    }

    /// False if the host says that a network is not there; a host that does not say may have it.
    async fn has_backing(&self, backing: &NetworkBacking) -> bool {
        let mut listed = HostNetworks::default();
        match backing {
            NetworkBacking::Switch { .. } => {
                listed.switches = self.host.switches().switches().await.ok();
            }
            NetworkBacking::Hns { .. } => listed.hns = self.host.network().networks().await.ok(),
        }
        listed.has(backing)
    }

    /// Makes one call; gives the subnet that the host chose.
    async fn do_step(&self, step: &NetworkStep) -> Result<Option<Ipv4Net>, HostError> {
        match step {
            NetworkStep::NewSwitch(switch) => {
                Ok(self.host.switches().new_switch(switch).await?.nat_subnet)
            }
            NetworkStep::NewNat(nat) => self.host.switches().new_nat(nat).await.map(|_| None),
            NetworkStep::HnsCreate(network) => {
                let network = self.host.network().create_network(network).await?;
                Ok(network
                    .subnets
                    .first()
                    .and_then(|subnet| subnet.address_prefix.parse().ok()))
            }
        }
    }
}

/// Whether a network that the host has lost is made again when a container needs it: NAT networks of the Host Network Service, which
/// a restart takes away.
fn is_made_again(driver: Driver, backing: &NetworkBacking) -> bool {
    driver == Driver::Nat && matches!(backing, NetworkBacking::Hns { .. })
}

fn creating(spec: &NetworkSpec) -> String {
    format!("create network {:?}", spec.name)
}

/// The networks that are on the host; none of a list that it did not give.
#[derive(Default)]
struct HostNetworks {
    switches: Option<Vec<VmSwitch>>,
    hns: Option<Vec<HnsNetwork>>,
}

impl HostNetworks {
    /// False if the host gave the list, and this is not in it.
    fn has(&self, backing: &NetworkBacking) -> bool {
        match backing {
            NetworkBacking::Switch { switch, .. } => self
                .switches
                .as_ref()
                .is_none_or(|listed| listed.iter().any(|known| known.name == *switch)),
            NetworkBacking::Hns { id } => self
                .hns
                .as_ref()
                .is_none_or(|listed| listed.iter().any(|known| known.id.parse() == Ok(*id))),
        }
    }
}

/// Where the record of a network is kept.
fn files(name: &str) -> Files {
    Files::new(Folder::Networks, name, name)
}
