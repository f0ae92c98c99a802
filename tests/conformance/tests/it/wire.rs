//! Sockets with somebody of ours at the other end.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tchannel_proto::{Decoder, Frame, MessageId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::peer::short;
use crate::value;

/// The id of a ping that ends each exchange: whatever is to come has come before its answer.
const LAST_PING: u32 = 0x0bad_cafe;

/// The end that dialled, sending what it is told to; what comes back is kept in the short form of the vectors.
pub(crate) struct Wire {
    socket: TcpStream,
    decoder: Decoder,
    got: Vec<String>,
}

impl Wire {
    /// Connects, and says nothing yet.
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        Self {
            socket: TcpStream::connect(addr).await.expect("somebody listens"),
            decoder: Decoder::new(),
            got: Vec::new(),
        }
    }

    /// Sends `bytes`. The other end may have closed before it has read them.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _ = self.socket.write_all(bytes).await;
    }

    /// Reads until `count` frames have come in all, or the other end has closed.
    pub(crate) async fn read(&mut self, count: usize) {
        while self.got.len() < count && self.next().await {}
    }

    /// All that came, and whether the connection is open, as `reply` and `connection`: first as many replies
    /// as `ours` has, then whatever else there is.
    pub(crate) async fn finish(mut self, ours: &Value) -> Value {
        self.read(ours["reply"].as_array().expect("replies").len())
            .await;
        if ours["connection"] == "open" {
            let ping = json!({"type": "ping req", "id": LAST_PING});
            self.send(&value::write(&ping)).await;
        }
        while self.next().await {}
        let is_open = self.has_last_pong();
        self.got.truncate(self.got.len() - usize::from(is_open));
        json!({"reply": self.got, "connection": if is_open { "open" } else { "closed" }})
    }

    fn has_last_pong(&self) -> bool {
        self.got.last() == Some(&format!("ping res id {LAST_PING}"))
    }

    /// Reads one more frame. `false` when the other end has closed, or has answered the last ping.
    async fn next(&mut self) -> bool {
        if self.has_last_pong() {
            return false;
        }
        loop {
            if let Some(frame) = self.decoder.next_frame().expect("frames of our own") {
                self.got.push(short(frame.as_bytes()));
                return true;
            }
            let read = self.socket.read_buf(self.decoder.buffer_mut()).await;
            if read.is_err() || read.is_ok_and(|count| count == 0) {
                return false;
            }
        }
    }
}

/// The end that was dialled, saying what it is told to.
pub(crate) struct Server {
    socket: Option<TcpStream>,
    decoder: Decoder,
}

impl Server {
    /// Waits for somebody to connect.
    pub(crate) async fn accept(listener: &TcpListener) -> Self {
        let (socket, _) = listener.accept().await.expect("somebody who connects");
        Self {
            socket: Some(socket),
            decoder: Decoder::new(),
        }
    }

    /// Closes the socket.
    pub(crate) fn close(&mut self) {
        self.socket = None;
    }

    /// The next frame, unless the other end has closed.
    pub(crate) async fn read(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.decoder.next_frame().expect("frames of our own") {
                return Some(frame);
            }
            let socket = self.socket.as_mut()?;
            let count = socket.read_buf(self.decoder.buffer_mut()).await.ok()?;
            if count == 0 {
                return None;
            }
        }
    }

    /// Sends `bytes`, with `id` where the recording has the id of the call.
    pub(crate) async fn write(&mut self, bytes: &[u8], id: Option<MessageId>) {
        let mut frame = value::frame(bytes);
        if let Some(id) = id
            && frame.id() == MessageId(2)
        {
            frame.set_id(id);
        }
        if let Some(socket) = &mut self.socket {
            // The other end may have given up already.
            let _ = socket.write_all(frame.as_bytes()).await;
        }
    }
}
