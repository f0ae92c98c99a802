//! What carries the bytes of a connection: a socket, or two pipes within the process.
//!
//! An enum and no trait: what is carried over TCP pays for the other one with a comparison.

use std::fmt;
use std::io::{ErrorKind, IoSlice, IoSliceMut, Read};
#[cfg(target_os = "linux")]
use std::net::IpAddr;
use std::net::{Shutdown, SocketAddr};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{BufMut, BytesMut};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_util::io::poll_read_buf;

use super::pipe::Pipe;

/// Both directions, before a connection has them.
pub(crate) enum Stream {
    Tcp(TcpStream),
    InProcess { sent: Pipe, received: Pipe },
}

/// Where the other end is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RemoteAddr {
    Tcp(SocketAddr),
    InProcess,
}

/// The half that writes, and shuts both down.
pub(super) enum Socket {
    Tcp(OwnedWriteHalf),
    InProcess { sent: Pipe, received: Pipe },
}

/// The half that reads.
pub(crate) enum Reader {
    Tcp(OwnedReadHalf),
    InProcess(Pipe),
}

impl Stream {
    /// Two ends of one connection within the process.
    pub(super) fn pair() -> (Self, Self) {
        let (one, other) = (Pipe::default(), Pipe::default());
        let mine = Self::InProcess {
            sent: one.clone(),
            received: other.clone(),
        };
        let yours = Self::InProcess {
            sent: other,
            received: one,
        };
        (mine, yours)
    }

    pub(super) fn split(self) -> (Reader, Socket) {
        match self {
            Self::Tcp(stream) => {
                tune(&stream);
                let (reader, writer) = stream.into_split();
                (Reader::Tcp(reader), Socket::Tcp(writer))
            }
            Self::InProcess { sent, received } => (
                Reader::InProcess(received.clone()),
                Socket::InProcess { sent, received },
            ),
        }
    }
}

/// Sets up a socket. What can not be set stays as it is: all of it works otherwise, too.
fn tune(stream: &TcpStream) {
    // Frames are gathered here; waiting for more in the kernel would only add latency.
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    if let (Ok(local), Ok(remote)) = (stream.local_addr(), stream.peer_addr())
        && is_same_host(local.ip(), remote.ip())
    {
        // BBR measures the path, and puts sending off by timers. Memory is no path.
        let _ = socket2::SockRef::from(stream).set_tcp_congestion(b"reno");
    }
}

#[cfg(target_os = "linux")]
fn is_same_host(local: IpAddr, remote: IpAddr) -> bool {
    local == remote || remote.to_canonical().is_loopback()
}

impl Reader {
    /// Reads at least a byte into what `buffer` has left, and at most `limit`; zero at the end.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut BytesMut,
        limit: usize,
    ) -> Poll<std::io::Result<usize>> {
        match self {
            Self::Tcp(reader) => poll_read_buf(Pin::new(reader), cx, &mut buffer.limit(limit)),
            Self::InProcess(received) => {
                // As a socket does: whoever finds bytes again and again lets others have their turn.
                ready!(pin!(tokio::task::consume_budget()).poll(cx));
                received.poll_read(cx, buffer, limit).map(Ok)
            }
        }
    }

    /// Reads at least a byte into `slices`, one after the other; zero at the end.
    pub(super) fn poll_read_vectored(
        &mut self,
        cx: &mut Context<'_>,
        slices: &mut [IoSliceMut<'_>],
    ) -> Poll<std::io::Result<usize>> {
        match self {
            Self::Tcp(reader) => poll_read_vectored(reader.as_ref(), cx, slices),
            Self::InProcess(received) => {
                ready!(pin!(tokio::task::consume_budget()).poll(cx));
                received.poll_read_vectored(cx, slices).map(Ok)
            }
        }
    }
}

fn poll_read_vectored(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    slices: &mut [IoSliceMut<'_>],
) -> Poll<std::io::Result<usize>> {
    let room: usize = slices.iter().map(|slice| slice.len()).sum();
    loop {
        ready!(stream.poll_read_ready(cx))?;
        let mut come = 0;
        let outcome = stream.try_io(Interest::READABLE, || {
            come = (&*socket2::SockRef::from(stream)).read_vectored(slices)?;
            // Whatever comes after a read that did not fill its place is told of anew. To ask for it at once would be
            // a system call for nothing.
            if cfg!(unix) && (1..room).contains(&come) {
                return Err(ErrorKind::WouldBlock.into());
            }
            Ok(())
        });
        match outcome {
            Err(error) if error.kind() != ErrorKind::WouldBlock => return Poll::Ready(Err(error)),
            Err(_) if come == 0 => {}
            _ => return Poll::Ready(Ok(come)),
        }
    }
}

impl Socket {
    /// Writes what it takes now; `WouldBlock` when that is nothing.
    pub(super) fn try_write(&self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Tcp(writer) => writer.try_write(bytes),
            Self::InProcess { sent, .. } => sent.try_write(&[IoSlice::new(bytes)]),
        }
    }

    /// The same with bytes that lie apart.
    pub(super) fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> std::io::Result<usize> {
        match self {
            Self::Tcp(writer) => writer.try_write_vectored(slices),
            Self::InProcess { sent, .. } => sent.try_write(slices),
        }
    }

    /// Ready once it takes bytes, or fails. Only one task may wait.
    pub(super) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self {
            Self::Tcp(writer) => writer.as_ref().poll_write_ready(cx),
            Self::InProcess { sent, .. } => sent.poll_writable(cx).map(Ok),
        }
    }

    pub(super) fn shut_down(&self, how: Shutdown) -> std::io::Result<()> {
        match self {
            Self::Tcp(writer) => socket2::SockRef::from(writer.as_ref()).shutdown(how),
            Self::InProcess { sent, received } => {
                if how != Shutdown::Read {
                    sent.end();
                }
                if how != Shutdown::Write {
                    received.stop_reading();
                }
                Ok(())
            }
        }
    }
}

// Sockets close themselves.
impl Drop for Socket {
    fn drop(&mut self) {
        if matches!(self, Self::InProcess { .. }) {
            let _ = self.shut_down(Shutdown::Both);
        }
    }
}

impl RemoteAddr {
    /// The address of the socket, if there is one.
    pub(crate) fn socket(self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(addr) => Some(addr),
            Self::InProcess => None,
        }
    }
}

impl fmt::Display for RemoteAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(addr) => addr.fmt(f),
            Self::InProcess => f.write_str("this process"),
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn within_the_host_nothing_is_put_off_by_the_measure_of_a_path() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (one, other) = tokio::join!(TcpStream::connect(addr), listener.accept());
        for stream in [one.unwrap(), other.unwrap().0] {
            let (_reader, socket) = Stream::Tcp(stream).split();
            let Socket::Tcp(writer) = &socket else {
                panic!("a socket");
            };
            let socket = socket2::SockRef::from(writer.as_ref());
            assert!(socket.tcp_congestion().unwrap().starts_with(b"reno"));
            assert!(socket.tcp_nodelay().unwrap());
        }
    }

    #[test]
    fn the_same_host_is_one_that_is_reached_at_an_address_of_ones_own() {
        let is_same = |local: &str, remote: &str| {
            is_same_host(local.parse().unwrap(), remote.parse().unwrap())
        };
        assert!(is_same("127.0.0.1", "127.0.0.2"));
        assert!(is_same("::1", "::1"));
        assert!(is_same("::ffff:127.0.0.1", "::ffff:127.0.0.1"));
        assert!(is_same("10.0.0.7", "10.0.0.7"));
        assert!(!is_same("10.0.0.7", "10.0.0.8"));
        assert!(!is_same("fe80::1", "fe80::2"));
    }
}
