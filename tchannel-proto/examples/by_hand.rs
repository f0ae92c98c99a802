//! A call over `std::net` and nothing else: what a runtime does for you, done by hand.
//!
//! ```text
//! cargo run -p tchannel-proto --example by_hand
//! ```
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "an example owns its socket and clock"
)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Instant;

use bytes::Buf;
use tchannel_proto::{
    Body, CallHead, ChecksumType, Connection, ConnectionConfig, Decoder, Event, Identity, Outbox,
    ResponseCode, ResponseHead, SendHeaders, Tracing, Ttl,
};

fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let addr = listener.local_addr()?;
    let server = std::thread::spawn(move || serve_one_call(listener.accept()?.0));

    let config = ConnectionConfig::new(Identity::ephemeral("by-hand"));
    let mut end = End::new(
        TcpStream::connect(addr)?,
        Connection::connect(Instant::now(), config),
    );
    end.wait_for(|event| matches!(event, Event::Ready).then_some(()))?;
    let head = CallHead {
        service: "greeter",
        arg1: b"hello",
        ttl: Ttl::from_millis(1000).expect("a second is not zero"),
        tracing: Tracing::default(),
        headers: SendHeaders {
            arg_scheme: "raw",
            caller_name: Some("by-hand"),
            ..SendHeaders::default()
        },
        checksum_type: ChecksumType::Crc32c,
        streaming: false,
    };
    let mut body = Body::whole("", "Ada");
    end.connection
        .call(Instant::now(), &head, &mut body)
        .map_err(std::io::Error::other)?;
    let answer = end.wait_for(|event| match event {
        Event::Response(response) => Some(response.body.arg3),
        _ => None,
    })?;
    println!("{}", String::from_utf8_lossy(&answer));
    server.join().expect("the server does not panic")
}

fn serve_one_call(socket: TcpStream) -> std::io::Result<()> {
    let config = ConnectionConfig::new(Identity::listening("127.0.0.1:1", "by-hand"));
    let mut end = End::new(socket, Connection::accept(Instant::now(), config));
    let call = end.wait_for(|event| {
        if let Event::Call(call) = event {
            Some(call)
        } else {
            None
        }
    })?;
    let greeting = format!("Hello, {}!", String::from_utf8_lossy(&call.body.arg3));
    let head = ResponseHead {
        code: ResponseCode::OK,
        arg_scheme: "raw",
        streaming: false,
    };
    end.connection
        .respond(call.key, &head, &mut Body::whole("", greeting))
        .map_err(std::io::Error::other)?;
    end.write()
}

struct End {
    socket: TcpStream,
    connection: Connection,
    decoder: Decoder,
    outbox: Outbox,
}

impl End {
    fn new(socket: TcpStream, connection: Connection) -> Self {
        Self {
            socket,
            connection,
            decoder: Decoder::new(),
            outbox: Outbox::new(),
        }
    }

    fn wait_for<T>(&mut self, wanted: impl Fn(Event) -> Option<T>) -> std::io::Result<T> {
        loop {
            self.write()?;
            let mut chunk = [0; 4096];
            let count = self.socket.read(&mut chunk)?;
            if count == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            self.decoder.buffer_mut().extend_from_slice(&chunk[..count]);
            while let Some(frame) = self.decoder.next_frame().map_err(std::io::Error::other)? {
                self.connection
                    .handle_frame(Instant::now(), frame)
                    .map_err(std::io::Error::other)?;
            }
            while let Some(event) = self.connection.poll_event() {
                if let Some(found) = wanted(event) {
                    self.write()?;
                    return Ok(found);
                }
            }
        }
    }

    fn write(&mut self) -> std::io::Result<()> {
        while self.connection.poll_transmit(&mut self.outbox) {
            while self.outbox.has_remaining() {
                let count = self.socket.write(self.outbox.chunk())?;
                self.outbox.advance(count);
            }
        }
        Ok(())
    }
}
