//! Networks and endpoints of the Host Network Service.

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU8, Ordering};

use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork, NatPolicy, Policy, Subnet};
use wcow_host::codes::{hcn, win32};
use wcow_host::{Code, Host, HostError, NetworkService, era};
use wcow_ntmeta::{Guid, Hresult};

use crate::answer::{Ruled, Stop, refused};
use crate::stage::{Unlike, build, ensure, must};

/// This build does not see that a published port is taken.
const PORTS_UNCHECKED: u32 = 16299;

/// The networks that a rule makes.
pub(crate) struct Wire<'a, H: Host> {
    host: &'a H,
    fresh: &'a dyn Fn() -> String,
    made: RefCell<Vec<Guid>>,
}

impl<'a, H: Host> Wire<'a, H> {
    pub(crate) fn new(host: &'a H, fresh: &'a dyn Fn() -> String) -> Self {
        Self {
            host,
            fresh,
            made: RefCell::new(Vec::new()),
        }
    }

    fn service(&self) -> &'a H::Network {
        self.host.network()
    }

    /// A network of that type, of a name that nothing else has, without subnets.
    fn plain(&self, kind: &str) -> HnsNetwork {
        HnsNetwork {
            name: (self.fresh)(),
            kind: kind.to_owned(),
            ..HnsNetwork::default()
        }
    }

    /// A network of containers and host, with a subnet that no other rule has.
    fn internal(&self) -> HnsNetwork {
        static LAST: AtomicU8 = AtomicU8::new(0);
        let number = LAST.fetch_add(1, Ordering::SeqCst);
        HnsNetwork {
            subnets: vec![Subnet {
                address_prefix: format!("10.231.{number}.0/24"),
                gateway_address: format!("10.231.{number}.1"),
                ..Subnet::default()
            }],
            ..self.plain("internal")
        }
    }

    async fn create(&self, wanted: &HnsNetwork) -> Result<HnsNetwork, HostError> {
        let network = self.service().create_network(wanted).await?;
        self.made.borrow_mut().extend(id(&network.id).ok());
        Ok(network)
    }

    /// A network of the host.
    async fn network(&self, wanted: &HnsNetwork) -> Result<HnsNetwork, Unlike> {
        must("create_network", self.create(wanted).await)
    }

    /// A network whose ports can be published.
    async fn nat(&self) -> Result<HnsNetwork, Stop> {
        match self.create(&self.plain("nat")).await {
            // A host of 2016 has one prefix, and somebody may have it.
            Err(HostError {
                code: Code::Hresult(win32::INVALID_PARAMETER),
                ..
            }) => Err(Stop::Skipped("the host has its one NAT already".to_owned())),
            created => Ok(must("create_network", created)?),
        }
    }

    async fn connect(&self, wanted: &HnsEndpoint) -> Result<HnsEndpoint, HostError> {
        self.service().create_endpoint(wanted).await
    }

    async fn endpoint(&self, network: &HnsNetwork) -> Result<HnsEndpoint, Unlike> {
        must("create_endpoint", self.connect(&on(network)).await)
    }

    /// Takes away the networks that the rule made, with what is on them. What is gone already is no matter.
    pub(crate) async fn clear(self) {
        let service = self.host.network();
        let made = self.made.into_inner();
        for endpoint in service.endpoints().await.unwrap_or_default() {
            if id(&endpoint.virtual_network).is_ok_and(|network| made.contains(&network))
                && let Ok(id) = id(&endpoint.id)
            {
                let _ = service.delete_endpoint(id).await;
            }
        }
        for network in made.into_iter().rev() {
            let _ = service.delete_network(network).await;
        }
    }
}

/// An endpoint on a network.
fn on(network: &HnsNetwork) -> HnsEndpoint {
    HnsEndpoint {
        virtual_network: network.id.clone(),
        ..HnsEndpoint::default()
    }
}

fn publishing(network: &HnsNetwork, internal_port: u16, external_port: u16) -> HnsEndpoint {
    let port = NatPolicy {
        protocol: "TCP".to_owned(),
        internal_port,
        external_port,
        ..NatPolicy::default()
    };
    HnsEndpoint {
        policies: vec![Policy::Nat(port)],
        ..on(network)
    }
}

fn id(text: &str) -> Result<Guid, Unlike> {
    let id = text.parse();
    id.map_err(|_| format!("expected a GUID as the id of an object, found {text:?}"))
}

/// The address of an endpoint.
fn address(endpoint: &HnsEndpoint) -> Result<Ipv4Addr, Unlike> {
    let text = &endpoint.ip_address;
    text.parse()
        .map_err(|_| format!("expected an address, found {text:?}"))
}

/// An id that no object has.
fn nobody() -> Guid {
    Guid::from_u128(0x5763_6f77_0000_4000_8000_0000_0000_0003)
}

/// That networks are there to be tried.
async fn service<H: Host>(wire: &Wire<'_, H>) -> Ruled {
    if era::has_hns(build(wire.host).await?) {
        Ok(())
    } else {
        Err(Stop::Skipped(
            "the host has no Host Network Service".to_owned(),
        ))
    }
}

pub(crate) async fn service_came_with_its_build<H: Host>(wire: &Wire<'_, H>) -> Ruled {
    let answer = wire.service().networks().await.map(drop);
    if era::has_hns(build(wire.host).await?) {
        return Ok(must("networks", answer)?);
    }
    refused("networks", answer, &[win32::PROC_NOT_FOUND])?;
    let answer = wire.create(&wire.plain("nat")).await;
    Ok(refused("create_network", answer, &[win32::PROC_NOT_FOUND])?)
}

pub(crate) async fn network_is_listed<H: Host>(wire: &Wire<'_, H>) -> Ruled {
    service(wire).await?;
    let made = wire.network(&wire.internal()).await?;
    let id = id(&made.id)?;
    let listed = must("networks", wire.service().networks().await)?;
    let found: Vec<&HnsNetwork> = listed.iter().filter(|one| one.id == made.id).collect();
    ensure(
        found.len() == 1 && found.iter().all(|one| one.name == made.name),
        || format!("expected {made:?} once in the list, found {found:?}"),
    )?;
    must("delete_network", wire.service().delete_network(id).await)?;
    let listed = must("networks", wire.service().networks().await)?;
    Ok(ensure(
        listed.iter().all(|one| one.name != made.name),
        || "expected a deleted network to be gone from the list".to_owned(),
    )?)
}

pub(crate) async fn network_name_is_taken_once<H: Host>(wire: &Wire<'_, H>) -> Ruled {
    service(wire).await?;
    let wanted = wire.internal();
    wire.network(&wanted).await?;
    let again = wire.create(&wanted).await;
    Ok(refused(
        "create_network",
        again,
        &[hcn::NETWORK_ALREADY_EXISTS],
    )?)
}

pub(crate) async fn network_is_deleted_once<H: Host>(wire: &Wire<'_, H>) -> Ruled {
    service(wire).await?;
    let made = wire.network(&wire.internal()).await?;
    let id = id(&made.id)?;
    must("delete_network", wire.service().delete_network(id).await)?;
    let again = wire.service().delete_network(id).await;
    Ok(refused("delete_network", again, &[win32::NOT_FOUND])?)
}

pub(crate) async fn network_in_use<H: Host>(wire: &Wire<'_, H>) -> Ruled {
    service(wire).await?;
    let network = wire.network(&wire.internal()).await?;
    let endpoint = wire.endpoint(&network).await?;
    let answer = wire.service().delete_network(id(&network.id)?).await;
    if answer.is_err() {
        refused("delete_network", answer, &[hcn::ENTITY_HAS_REFERENCES])?;
        let deleted = wire.service().delete_endpoint(id(&endpoint.id)?).await;
        must("delete_endpoint", deleted)?;
        let answer = wire.service().delete_network(id(&network.id)?).await;
        return Ok(must("delete_network", answer)?);
    }
    // Older services take the endpoints with it.
    let left = must("endpoints", wire.service().endpoints().await)?;
    Ok(ensure(
        left.iter().all(|one| one.id != endpoint.id),
        || "expected the endpoint to go with its network".to_owned(),
    )?)
}

pub(crate) async fn network_type_must_exist<H: Host>(wire: &Wire<'_, H>) -> Ruled {
    service(wire).await?;
    for kind in ["", "no such type"] {
        let answer = wire.create(&wire.plain(kind)).await;
        refused("create_network", answer, &[hcn::INVALID_NETWORK_TYPE])?;
    }
    Ok(())
}

pub(crate) async fn network_type_in_any_case<H: Host>(wire: &Wire<'_, H>) -> Ruled {
    service(wire).await?;
    let wanted = HnsNetwork {
        kind: "InTernal".to_owned(),
        ..wire.internal()
    };
    let made = wire.network(&wanted).await?;
    Ok(ensure(made.kind.eq_ignore_ascii_case("internal"), || {
        format!("expected an internal network, found {:?}", made.kind)
    })?)
}

pub(crate) async fn network_needs_its_adapter<H: Host>(wire: &Wire<'_, H>) -> Ruled {
    service(wire).await?;
    let wanted = HnsNetwork {
        network_adapter_name: "no such adapter".to_owned(),
        ..wire.plain("transparent")
    };
    let answer = wire.create(&wanted).await;
    Ok(refused(
        "create_network",
        answer,
        &[hcn::ADAPTER_NOT_FOUND],
    )?)
}

pub(crate) async fn network_prefix_must_be_one<H: Host>(wire: &Wire<'_, H>) -> Ruled {
    service(wire).await?;
    let mut wanted = wire.internal();
    for subnet in &mut wanted.subnets {
        subnet.address_prefix = "10.231.0.0/33".to_owned();
    }
    let answer = wire.create(&wanted).await;
    let codes = [hcn::INVALID_PREFIX, hcn::INVALID_IP];
    Ok(refused("create_network", answer, &codes)?)
}

pub(crate) async fn nat_chooses_its_subnet<H: Host>(wire: &Wire<'_, H>) -> Ruled {
    service(wire).await?;
    let network = wire.nat().await?;
    let subnet = network.subnets.first();
    Ok(ensure(
        subnet.is_some_and(|subnet| !subnet.address_prefix.is_empty()),
        || format!("expected a subnet that the service chose, found {network:?}"),
    )?)
}

pub(crate) async fn endpoint_needs_its_network<H: Host>(wire: &Wire<'_, H>) -> Ruled {
    service(wire).await?;
    let nowhere = HnsNetwork {
        id: nobody().to_string(),
        ..HnsNetwork::default()
    };
    let answer = wire.connect(&on(&nowhere)).await;
    Ok(refused(
        "create_endpoint",
        answer,
        &[hcn::NETWORK_NOT_FOUND],
    )?)
}

pub(crate) async fn endpoint_names_its_network_by_id<H: Host>(wire: &Wire<'_, H>) -> Ruled {
    service(wire).await?;
    let nonsense = HnsNetwork {
        id: "no id".to_owned(),
        ..HnsNetwork::default()
    };
    let answer = wire.connect(&on(&nonsense)).await;
    let codes = [hcn::GUID_CONVERSION_FAILURE, hcn::NETWORK_NOT_FOUND];
    Ok(refused("create_endpoint", answer, &codes)?)
}

pub(crate) async fn endpoints_have_addresses<H: Host>(wire: &Wire<'_, H>) -> Ruled {
    service(wire).await?;
    let network = wire.network(&wire.internal()).await?;
    let one = wire.endpoint(&network).await?;
    let two = wire.endpoint(&network).await?;
    let gateway = network.subnets.first().map(|one| &*one.gateway_address);
    let (first, second) = (address(&one)?, address(&two)?);
    let gateway: Option<Ipv4Addr> = gateway.and_then(|gateway| gateway.parse().ok());
    let within = |address: Ipv4Addr| {
        let [a, b, c, _] = address.octets();
        gateway.is_some_and(|gateway| gateway.octets().starts_with(&[a, b, c]))
    };
    ensure(
        first != second && [first, second].into_iter().all(within),
        || format!("expected two addresses beside {gateway:?}, found {first} and {second}"),
    )?;
    ensure(gateway != Some(first) && gateway != Some(second), || {
        format!("expected the gateway's address for itself, found {first} and {second}")
    })?;
    ensure(one.mac_address != two.mac_address, || {
        format!(
            "expected two MAC addresses, found {} twice",
            one.mac_address
        )
    })?;
    Ok(ensure(one.mac_address.starts_with("00-15-5D-"), || {
        format!(
            "expected a MAC address of the pool, found {}",
            one.mac_address
        )
    })?)
}

pub(crate) async fn endpoint_has_the_address_it_wants<H: Host>(wire: &Wire<'_, H>) -> Ruled {
    service(wire).await?;
    let network = wire.network(&wire.internal()).await?;
    let probe = wire.endpoint(&network).await?;
    let [a, b, c, _] = address(&probe)?.octets();
    let wanted = HnsEndpoint {
        ip_address: Ipv4Addr::new(a, b, c, 77).to_string(),
        ..on(&network)
    };
    let made = must("create_endpoint", wire.connect(&wanted).await)?;
    ensure(made.ip_address == wanted.ip_address, || {
        format!("expected {}, found {}", wanted.ip_address, made.ip_address)
    })?;
    let outside = HnsEndpoint {
        ip_address: "192.0.2.7".to_owned(),
        ..on(&network)
    };
    let answer = wire.connect(&outside).await;
    Ok(refused("create_endpoint", answer, &[hcn::INVALID_IP])?)
}

pub(crate) async fn address_is_taken_once<H: Host>(wire: &Wire<'_, H>) -> Ruled {
    service(wire).await?;
    let network = wire.network(&wire.internal()).await?;
    let first = wire.endpoint(&network).await?;
    let wanted = HnsEndpoint {
        ip_address: first.ip_address,
        ..on(&network)
    };
    let answer = wire.connect(&wanted).await;
    let codes: [Hresult; 2] = [hcn::ADDR_INVALID_OR_RESERVED, win32::OBJECT_ALREADY_EXISTS];
    Ok(refused("create_endpoint", answer, &codes)?)
}

pub(crate) async fn endpoint_names_repeat<H: Host>(wire: &Wire<'_, H>) -> Ruled {
    service(wire).await?;
    let network = wire.network(&wire.internal()).await?;
    let wanted = HnsEndpoint {
        name: "the same".to_owned(),
        ..on(&network)
    };
    let one = must("create_endpoint", wire.connect(&wanted).await)?;
    let two = must("create_endpoint", wire.connect(&wanted).await)?;
    Ok(ensure(one.id != two.id, || {
        format!("expected two endpoints, found {} twice", one.id)
    })?)
}

pub(crate) async fn endpoint_is_deleted_once<H: Host>(wire: &Wire<'_, H>) -> Ruled {
    service(wire).await?;
    let network = wire.network(&wire.internal()).await?;
    let endpoint = wire.endpoint(&network).await?;
    let id = id(&endpoint.id)?;
    let listed = must("endpoints", wire.service().endpoints().await)?;
    ensure(listed.iter().any(|one| one.id == endpoint.id), || {
        "expected the endpoint in the list".to_owned()
    })?;
    must("delete_endpoint", wire.service().delete_endpoint(id).await)?;
    let again = wire.service().delete_endpoint(id).await;
    Ok(refused("delete_endpoint", again, &[win32::NOT_FOUND])?)
}

pub(crate) async fn published_port_is_taken_once<H: Host>(wire: &Wire<'_, H>) -> Ruled {
    service(wire).await?;
    if build(wire.host).await? == PORTS_UNCHECKED {
        return Err(Stop::Skipped("this build does not see it".to_owned()));
    }
    let network = wire.nat().await?;
    let first = wire.connect(&publishing(&network, 80, 47_631)).await;
    must("create_endpoint", first)?;
    let second = wire.connect(&publishing(&network, 81, 47_631)).await;
    let codes = [hcn::PORT_ALREADY_EXISTS, win32::SHARING_VIOLATION];
    Ok(refused("create_endpoint", second, &codes)?)
}

pub(crate) async fn published_port_must_exist<H: Host>(wire: &Wire<'_, H>) -> Ruled {
    service(wire).await?;
    let network = wire.nat().await?;
    let answer = wire.connect(&publishing(&network, 0, 47_632)).await;
    let codes = [hcn::INVALID_INTERNAL_PORT];
    Ok(refused("create_endpoint", answer, &codes)?)
}

pub(crate) async fn ports_are_published_on_nat<H: Host>(wire: &Wire<'_, H>) -> Ruled {
    service(wire).await?;
    let network = wire.network(&wire.internal()).await?;
    let answer = wire.connect(&publishing(&network, 80, 47_633)).await;
    if answer.is_ok() {
        // Services of some generations leave such a policy alone.
        return Ok(());
    }
    let codes = [hcn::MAPPING_NOT_SUPPORTED];
    Ok(refused("create_endpoint", answer, &codes)?)
}
