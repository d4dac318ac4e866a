//! Ping-pong in turmoil: one datagram there, one back, over and over. Messages take one tick, the least that there is.

use std::time::{Duration, Instant};

use turmoil::net::UdpSocket;
use wcow_peers::{print, rounds};

fn main() {
    let rounds = rounds();
    let tick = Duration::from_millis(1);
    let mut sim = turmoil::Builder::new()
        .simulation_duration(Duration::MAX)
        .tick_duration(tick)
        .min_message_latency(tick)
        .max_message_latency(tick)
        .rng_seed(1)
        .build();
    sim.host("server", || async {
        let socket = UdpSocket::bind("0.0.0.0:9").await?;
        let mut bytes = [0; 8];
        loop {
            let (len, from) = socket.recv_from(&mut bytes).await?;
            socket.send_to(&bytes[..len], from).await?;
        }
    });
    sim.client("client", async move {
        let socket = UdpSocket::bind("0.0.0.0:9").await?;
        let mut bytes = [0; 8];
        for round in 0..rounds {
            socket
                .send_to(&u64::from(round).to_le_bytes(), ("server", 9))
                .await?;
            socket.recv_from(&mut bytes).await?;
        }
        Ok(())
    });
    let begin = Instant::now();
    sim.run().expect("nothing fails here");
    print("turmoil", rounds, begin);
}
