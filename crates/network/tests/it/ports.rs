//! Port mappings and who has them.

use proptest::prelude::*;
use wcow_hcs_schema::hns::{HnsEndpoint, NatPolicy, Policy};
use wcow_host::{StaticMapping, TransportProtocol};
use wcow_network::{PortMapping, PublishedPorts};

fn mapping(text: &str) -> PortMapping {
    text.parse().unwrap()
}

#[test]
fn mappings_are_read_as_docker_writes_them() {
    let tcp = PortMapping {
        external: 8080,
        internal: 80,
        protocol: TransportProtocol::Tcp,
    };
    assert_eq!(mapping("8080:80"), tcp);
    assert_eq!(mapping("8080:80/tcp"), tcp);
    assert_eq!(mapping("8080:80/TCP"), tcp);
    assert_eq!(mapping("53:53/udp").protocol, TransportProtocol::Udp);
    assert_eq!(mapping("65535:1").external, 65535);
}

#[test]
fn what_is_no_mapping_is_refused_with_the_text() {
    for text in [
        "",
        ":",
        "80",
        "80:",
        ":80",
        "0:80",
        "80:0",
        "65536:80",
        "80:65536",
        "+80:80",
        "-1:80",
        " 80:80",
        "80:80/",
        "80:80/sctp",
        "80:80:80",
        "80:80/tcp/udp",
        "1.2.3.4:80:80",
    ] {
        let error = text.parse::<PortMapping>().unwrap_err();
        assert_eq!(error.found, text);
    }
}

#[test]
fn a_port_is_published_once_per_protocol() {
    let mut ports = PublishedPorts::new();
    ports
        .publish(&mapping("80:8080"), "container \"web\"")
        .unwrap();
    ports
        .publish(&mapping("80:8080/udp"), "container \"dns\"")
        .unwrap();
    let error = ports
        .publish(&mapping("80:9090"), "container \"other\"")
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "port 80/tcp of the host is already published by container \"web\""
    );
    ports.check(&[mapping("81:80"), mapping("82:80")]).unwrap();
    let error = ports
        .check(&[mapping("81:80"), mapping("81:90")])
        .unwrap_err();
    assert_eq!(error.by, "mapping 81:80/tcp");
}

#[test]
fn what_the_host_publishes_is_taken() {
    let web = mapping("8080:80");
    let request = web.static_mapping("ContainerNAT", "172.16.0.2".parse().unwrap());
    assert_eq!((request.external_port, request.internal_port), (8080, 80));
    let ports = PublishedPorts::new().with_static_mappings(&[StaticMapping {
        id: 3,
        mapping: request,
    }]);
    let error = ports.check(&[mapping("8080:90")]).unwrap_err();
    assert_eq!(
        error.by,
        "static mapping 3 of NAT \"ContainerNAT\", for 172.16.0.2"
    );
    ports
        .check(&[mapping("8080:80/udp"), mapping("80:8080")])
        .unwrap();

    assert_eq!(
        web.nat_policy(),
        Policy::Nat(NatPolicy {
            protocol: "TCP".to_owned(),
            internal_port: 80,
            external_port: 8080,
            ..NatPolicy::default()
        })
    );
    let endpoint = HnsEndpoint {
        name: "web".to_owned(),
        policies: vec![Policy::Other(Default::default()), web.nat_policy()],
        ..HnsEndpoint::default()
    };
    let ports = PublishedPorts::new().with_endpoints(&[endpoint]);
    assert_eq!(ports.check(&[web]).unwrap_err().by, "endpoint \"web\"");
}

proptest! {
    #[test]
    fn every_mapping_reads_back(external in 1_u16.., internal in 1_u16.., udp: bool) {
        let protocol = if udp { TransportProtocol::Udp } else { TransportProtocol::Tcp };
        let mapping = PortMapping { external, internal, protocol };
        prop_assert_eq!(mapping.to_string().parse(), Ok(mapping));
        prop_assert_eq!(PortMapping::try_from(String::from(mapping)), Ok(mapping));
    }

    #[test]
    fn whatever_is_accepted_means_what_it_says(text in "[0-9]{0,6}:[0-9]{0,6}(/(tcp|udp|TCP|x))?") {
        if let Ok(mapping) = text.parse::<PortMapping>() {
            prop_assert!(mapping.external != 0 && mapping.internal != 0);
            prop_assert_eq!(mapping.to_string().parse(), Ok(mapping));
        }
    }
}
