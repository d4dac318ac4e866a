//! Ping-pong in madsim: one message there, one back, over and over.

#[cfg(not(madsim))]
fn main() {
    panic!("run this where .cargo/config.toml is: cd benches/peers");
}

#[cfg(madsim)]
fn main() {
    use std::net::SocketAddr;
    use std::time::Instant;

    use madsim::net::Endpoint;
    use madsim::runtime::Runtime;
    use wcow_peers::{print, rounds};

    const TAG: u64 = 1;
    let rounds = rounds();
    let server: SocketAddr = "10.0.0.1:9".parse().expect("an address");
    let client: SocketAddr = "10.0.0.2:9".parse().expect("an address");
    let runtime = Runtime::with_seed_and_config(1, madsim::Config::default());
    let serving = runtime.create_node().name("server").ip(server.ip()).build();
    let asking = runtime.create_node().name("client").ip(client.ip()).build();
    serving.spawn(async move {
        let endpoint = Endpoint::bind(server).await.expect("a free port");
        let mut bytes = [0; 8];
        loop {
            let (len, from) = endpoint
                .recv_from(TAG, &mut bytes)
                .await
                .expect("a message");
            endpoint
                .send_to(from, TAG, &bytes[..len])
                .await
                .expect("a client");
        }
    });
    let asked = asking.spawn(async move {
        madsim::time::sleep(std::time::Duration::from_secs(1)).await;
        let endpoint = Endpoint::bind(client).await.expect("a free port");
        let mut bytes = [0; 8];
        for round in 0..rounds {
            endpoint
                .send_to(server, TAG, &u64::from(round).to_le_bytes())
                .await
                .expect("a server");
            endpoint
                .recv_from(TAG, &mut bytes)
                .await
                .expect("a message");
        }
    });
    let begin = Instant::now();
    runtime.block_on(asked).expect("nothing fails here");
    print("madsim", rounds, begin);
}
