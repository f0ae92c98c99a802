//! SRV records: a name such as `_tchannel._tcp.routers.example` stands for hosts and their ports.
//!
//! The system resolves names to addresses and nothing more, and a whole resolver is many times the size of
//! this one question to the name servers that the system uses.

mod message;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use message::{Reading, Target};

/// Whether an entry is a name with SRV records: it begins with an underscore and has no port.
pub(super) fn is_name(entry: &str) -> bool {
    entry.starts_with('_') && !entry.contains(':')
}

/// The hosts and ports that a name stands for, as `host:port`.
///
/// # Errors
///
/// What went wrong at the last name server.
pub(super) async fn look_up(name: &str) -> Result<Vec<String>, String> {
    let config = tokio::fs::read_to_string("/etc/resolv.conf").await;
    ask(name, &name_servers(&config.unwrap_or_default())).await
}

/// The name servers of a `resolv.conf`; by convention the machine itself if there are none.
fn name_servers(config: &str) -> Vec<SocketAddr> {
    let server = |line: &str| {
        let address = line.trim().strip_prefix("nameserver")?.trim();
        Some(SocketAddr::new(address.parse().ok()?, PORT))
    };
    let servers: Vec<SocketAddr> = config.lines().filter_map(server).collect();
    match servers.is_empty() {
        true => vec![(Ipv4Addr::LOCALHOST, PORT).into()],
        false => servers,
    }
}

/// Asks one server after the other until one has an answer.
async fn ask(name: &str, servers: &[SocketAddr]) -> Result<Vec<String>, String> {
    let id = fastrand::u16(..);
    let query = message::query(id, name).ok_or("no name has parts like these")?;
    let mut problem = String::new();
    for server in servers {
        let exchange = tokio::time::timeout(PATIENCE, exchange(*server, &query, id));
        problem = match exchange.await {
            Ok(Ok(Ok(targets))) => return Ok(targets.iter().map(ToString::to_string).collect()),
            Ok(Ok(Err(refusal))) => format!("name server {server} answered {refusal}"),
            Ok(Err(error)) => format!("name server {server}: {error}"),
            Err(_) => format!("name server {server} is silent"),
        };
    }
    Err(problem)
}

type Targets = Result<Vec<Target>, String>;

async fn exchange(server: SocketAddr, query: &[u8], id: u16) -> std::io::Result<Targets> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    // From now on nobody else is heard.
    socket.connect(server).await?;
    socket.send(query).await?;
    let mut datagram = [0; DATAGRAM_BYTES];
    loop {
        let length = socket.recv(&mut datagram).await?;
        match message::read(&datagram[..length], id) {
            Reading::NotOurs => {}
            Reading::Truncated => return exchange_whole(server, query, id).await,
            Reading::Answer(targets) => return Ok(targets),
        }
    }
}

/// The same over TCP, where no answer is too long.
async fn exchange_whole(server: SocketAddr, query: &[u8], id: u16) -> std::io::Result<Targets> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(query.len()).expect("a name is short");
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(query).await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    Ok(match message::read(&answer, id) {
        Reading::Answer(targets) => targets,
        Reading::NotOurs | Reading::Truncated => Err("something else".to_owned()),
    })
}

/// Where name servers listen.
const PORT: u16 = 53;

/// Time for one name server.
const PATIENCE: Duration = Duration::from_secs(2);

/// Longest answer over UDP.
const DATAGRAM_BYTES: usize = 512;

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::message::tests::{NAME, answer, truncated};
    use super::*;

    /// A name server on a free port, and the same port for TCP.
    async fn server() -> (UdpSocket, TcpListener, SocketAddr) {
        loop {
            let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let address = udp.local_addr().unwrap();
            if let Ok(tcp) = TcpListener::bind(address).await {
                return (udp, tcp, address);
            }
        }
    }

    async fn hear(udp: &UdpSocket) -> (u16, SocketAddr) {
        let mut query = [0; DATAGRAM_BYTES];
        let (_, from) = udp.recv_from(&mut query).await.unwrap();
        (u16::from_be_bytes([query[0], query[1]]), from)
    }

    #[test]
    fn names_with_an_underscore_and_without_a_port_have_srv_records() {
        assert!(is_name("_tchannel._tcp.routers.example"));
        assert!(!is_name("_odd.example:4040") && !is_name("routers.example:4040"));
    }

    #[test]
    fn name_servers_are_those_of_the_system() {
        let config = "# us\nnameserver 10.0.0.2\nsearch example\nnameserver ::1\nnameserver x\n";
        let expected = ["10.0.0.2:53", "[::1]:53"].map(|server| server.parse().unwrap());
        assert_eq!(name_servers(config), expected);
        assert_eq!(name_servers(""), ["127.0.0.1:53".parse().unwrap()]);
    }

    #[tokio::test]
    async fn a_server_that_knows_is_believed_and_answers_to_others_are_not() {
        let (udp, _tcp, address) = server().await;
        let serve = async {
            let (id, from) = hear(&udp).await;
            for id in [id.wrapping_add(1), id] {
                udp.send_to(&answer(id), from).await.unwrap();
            }
        };
        let servers = [address];
        let (found, ()) = tokio::join!(ask(NAME, &servers), serve);
        let expected = ["one.routers.example:4040", "two.routers.example:4041"];
        assert_eq!(found.unwrap(), expected);
    }

    #[tokio::test]
    async fn an_answer_that_does_not_fit_is_fetched_whole() {
        let (udp, tcp, address) = server().await;
        let serve = async {
            let (id, from) = hear(&udp).await;
            udp.send_to(&truncated(id), from).await.unwrap();
            let (mut stream, _) = tcp.accept().await.unwrap();
            let mut query = vec![0; usize::from(stream.read_u16().await.unwrap())];
            stream.read_exact(&mut query).await.unwrap();
            let answer = answer(id);
            stream.write_u16(answer.len() as u16).await.unwrap();
            stream.write_all(&answer).await.unwrap();
        };
        let servers = [address];
        let (found, ()) = tokio::join!(ask(NAME, &servers), serve);
        assert_eq!(found.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn after_a_server_that_fails_the_next_is_asked_and_the_last_one_is_named() {
        let (first, _tcp, first_address) = server().await;
        let (second, _tcp, second_address) = server().await;
        let serve = async {
            for (udp, code) in [(&first, 2), (&second, 3)] {
                let (id, from) = hear(udp).await;
                let mut refusal = answer(id);
                refusal[3] |= code;
                udp.send_to(&refusal, from).await.unwrap();
            }
        };
        let servers = [first_address, second_address];
        let (found, ()) = tokio::join!(ask(NAME, &servers), serve);
        let expected = format!("name server {second_address} answered that there is no such name");
        assert_eq!(found, Err(expected));
    }
}
