//! Networks: a plan, carried out step by step.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use wcow_host::{Host, HostControl, HostError, NetworkService, SwitchService, SwitchType};
use wcow_network::{Driver, HostNetworking, NetworkPlan, NetworkSpec, NetworkStep};
use wcow_ntmeta::Guid;

use crate::records::Folder;
use crate::{Engine, EngineError, Kind, containers::is_valid_name};

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

/// What the engine keeps of a network.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct NetworkRecord {
    name: String,
    driver: Driver,
    subnet: Option<Ipv4Net>,
    #[serde(default)]
    gateway: Option<Ipv4Addr>,
    backing: NetworkBacking,
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
        let make = async {
            // Records are files of a host whose file names have no case.
            if let Some(taken) = self
                .recorded_networks()
                .await?
                .into_iter()
                .find(|network| network.name.eq_ignore_ascii_case(&spec.name))
            {
                return Err(EngineError::Exists {
                    kind: Kind::Network,
                    name: taken.name,
                });
            }
            self.make_network(spec).await
        };
        self.locked(&[(Kind::Network, &spec.name)], make).await
    }

    /// All networks: ours, and those that are on the host without us.
    ///
    /// # Errors
    /// [`EngineError::Host`], [`EngineError::Record`].
    pub async fn networks(&self) -> Result<Vec<NetworkSummary>, EngineError> {
        let host = self.host_networking().await?;
        let mut networks: Vec<NetworkSummary> = self
            .recorded_networks()
            .await?
            .into_iter()
            .map(|network| {
                let present = host.has(&network.backing);
                network.summary(present)
            })
            .collect();
        let host = host.known;
        for switch in &host.switches {
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
        for network in &host.hns {
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
        self.locked(&[(Kind::Network, name)], self.remove_locked_network(name))
            .await
    }

    async fn remove_locked_network(&self, name: &str) -> Result<(), EngineError> {
        let network = self.network(name).await?;
        let users = self.containers_on(name).await?;
        if !users.is_empty() {
            return Err(EngineError::InUse {
                kind: Kind::Network,
                name: name.to_owned(),
                by: format!("container {}", users.join(", ")),
            });
        }
        let removed = async {
            match &network.backing {
                // The switch first: it is what can be refused, and then nothing has changed. What is gone already is done.
                NetworkBacking::Switch { switch, nat } => {
                    let switches = self.host.switches();
                    let listed = switches.switches().await?;
                    if listed.iter().any(|known| known.name == *switch) {
                        switches.remove_switch(switch).await?;
                    }
                    if let Some(nat) = nat
                        && switches
                            .nats()
                            .await?
                            .iter()
                            .any(|known| known.name == *nat)
                    {
                        switches.remove_nat(nat).await?;
                    }
                    Ok(())
                }
                NetworkBacking::Hns { id } => match self.host.network().delete_network(*id).await {
                    Err(error) if error.is_win32(0x490) => Ok(()),
                    answer => answer,
                },
            }
        };
        removed
            .await
            .map_err(|error| EngineError::host(format!("remove network {name:?}"), error))?;
        if network.ours {
            self.remove_record(Folder::Networks, name).await?;
        }
        Ok(())
    }

    /// A network that a container is to be connected to: as it is on the host now. A NAT network of ours that the host lost is
    /// made again. The caller has it locked.
    ///
    /// # Errors
    /// As for [`network`](Self::network) and [`create_network`](Self::create_network); [`EngineError::NetworkGone`].
    pub(crate) async fn network_in_use(&self, name: &str) -> Result<NetworkSummary, EngineError> {
        let network = self.network(name).await?;
        if network.present {
            return Ok(network);
        }
        if network.driver != Driver::Nat || !matches!(network.backing, NetworkBacking::Hns { .. }) {
            return Err(EngineError::NetworkGone { name: network.name });
        }
        let again = NetworkSpec {
            name: network.name,
            driver: network.driver,
            subnet: network.subnet,
            gateway: network.gateway,
            adapter: None,
        };
        self.make_network(&again).await
    }

    /// Plans a network, makes it, and keeps a record of it. Nothing is left of one that has none.
    async fn make_network(&self, spec: &NetworkSpec) -> Result<NetworkSummary, EngineError> {
        let host = self.host_networking().await?.known;
        let plan = wcow_network::plan(spec, &host).map_err(|error| EngineError::Plan {
            name: spec.name.clone(),
            error,
        })?;
        let (network, made) = self.carry_out(spec, &plan).await?;
        match self
            .write_record(Folder::Networks, &network.name, &network.name, &network)
            .await
        {
            Ok(()) => Ok(network.summary(true)),
            Err(EngineError::Host { doing, error, .. }) => Err(EngineError::Host {
                doing,
                error,
                left_behind: self.take_back(made).await,
            }),
            Err(error) => {
                self.take_back(made).await;
                Err(error)
            }
        }
    }

    async fn recorded_networks(&self) -> Result<Vec<NetworkRecord>, EngineError> {
        self.read_records(Folder::Networks).await
    }

    /// What the planner needs to know. A list that this host cannot give (its cmdlet or service is missing) is empty: the step
    /// that needs it will get the host's own answer.
    async fn host_networking(&self) -> Result<Networking, EngineError> {
        let modules = self
            .host
            .control()
            .modules()
            .await
            .map_err(|error| EngineError::host("list the PowerShell modules", error))?;
        let switches = self.host.switches();
        let listed = switches.switches().await;
        let hns = self.host.network().networks().await;
        Ok(Networking {
            switches_listed: listed.is_ok(),
            hns_listed: hns.is_ok(),
            known: HostNetworking {
                info: self.info().await?,
                modules,
                adapters: switches.adapters().await.unwrap_or_default(),
                switches: listed.unwrap_or_default(),
                nats: switches.nats().await.unwrap_or_default(),
                hns: hns.unwrap_or_default(),
            },
        })
    }

    async fn carry_out(
        &self,
        spec: &NetworkSpec,
        plan: &NetworkPlan,
    ) -> Result<(NetworkRecord, Made), EngineError> {
        let mut made = Made::default();
        for step in &plan.steps {
            if let Err(error) = self.do_step(step, &mut made).await {
                let left_behind = self.take_back(made).await;
                return Err(EngineError::Host {
                    doing: format!("create network {:?}", spec.name),
                    error: Box::new(error),
                    left_behind,
                });
            }
        }
        let backing = match (made.hns, &made.switch) {
            (Some(id), _) => NetworkBacking::Hns { id },
            (None, switch) => NetworkBacking::Switch {
                switch: switch.clone().unwrap_or_else(|| spec.name.clone()),
                nat: made.nat.clone(),
            },
        };
        let network = NetworkRecord {
            name: spec.name.clone(),
            driver: spec.driver,
            subnet: made.subnet.or(spec.subnet),
            gateway: spec.gateway,
            backing,
        };
        Ok((network, made))
    }

    async fn do_step(&self, step: &NetworkStep, made: &mut Made) -> Result<(), HostError> {
        match step {
            NetworkStep::NewSwitch(switch) => {
                let switch = self.host.switches().new_switch(switch).await?;
                made.subnet = switch.nat_subnet;
                made.switch = Some(switch.name);
            }
            NetworkStep::NewNat(nat) => {
                let nat = self.host.switches().new_nat(nat).await?;
                made.nat = Some(nat.name);
            }
            NetworkStep::HnsCreate(network) => {
                let network = self.host.network().create_network(network).await?;
                made.subnet = network
                    .subnets
                    .first()
                    .and_then(|subnet| subnet.address_prefix.parse().ok());
                made.hns = network.id.parse().ok();
            }
        }
        Ok(())
    }

    async fn take_back(&self, made: Made) -> Vec<String> {
        let mut left_behind = Vec::new();
        if let Some(id) = made.hns
            && self.host.network().delete_network(id).await.is_err()
        {
            left_behind.push(format!("network {id}"));
        }
        if let Some(nat) = made.nat
            && self.host.switches().remove_nat(&nat).await.is_err()
        {
            left_behind.push(format!("NAT {nat:?}"));
        }
        if let Some(switch) = made.switch
            && self.host.switches().remove_switch(&switch).await.is_err()
        {
            left_behind.push(format!("switch {switch:?}"));
        }
        left_behind
    }
}

/// What the host says of its networking, and which of its lists it gave.
struct Networking {
    known: HostNetworking,
    switches_listed: bool,
    hns_listed: bool,
}

impl Networking {
    /// False if the host gave the list, and this is not in it.
    fn has(&self, backing: &NetworkBacking) -> bool {
        match backing {
            NetworkBacking::Switch { switch, .. } => {
                let mut switches = self.known.switches.iter();
                !self.switches_listed || switches.any(|known| known.name == *switch)
            }
            NetworkBacking::Hns { id } => {
                let mut networks = self.known.hns.iter();
                !self.hns_listed || networks.any(|known| known.id.parse() == Ok(*id))
            }
        }
    }
}

/// What the steps so far have made.
#[derive(Default)]
struct Made {
    switch: Option<String>,
    nat: Option<String>,
    hns: Option<Guid>,
    subnet: Option<Ipv4Net>,
}
