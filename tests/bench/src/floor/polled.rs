//! The floor with tokio: `try_read` and `try_write` in one task for each connection.

use std::io::ErrorKind;
use std::time::Instant;

use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{CHUNK, Caller, Echoer, PREFIX};
use crate::load::Window;
use crate::options::Load;
use crate::report::{Report, Tally};

/// Echoes whatever comes from whoever comes.
///
/// # Errors
///
/// When nobody can be accepted any more.
pub async fn serve(listener: TcpListener) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(echo(stream));
    }
}

async fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut echoer = Echoer::new();
    loop {
        stream.readable().await?;
        match stream.try_read(echoer.room()) {
            Ok(0) => return Ok(()),
            Ok(read) => write_all(&mut stream, echoer.answer(read)).await?,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

async fn write_all(stream: &mut TcpStream, mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        match stream.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return stream.write_all(bytes).await;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Loads the server at `addr`.
///
/// # Errors
///
/// When the server is not there, or goes.
pub async fn load(addr: &str, load: &Load, mark: impl Fn(&'static str)) -> std::io::Result<Report> {
    let window = Window::of(load);
    let mut callers = JoinSet::new();
    for _ in 0..load.conns {
        let share = load.inflight / load.conns;
        callers.spawn(call(addr.to_owned(), load.payload, share, window));
    }
    tokio::time::sleep_until(window.start.into()).await;
    mark("START");
    tokio::time::sleep_until(window.stop.into()).await;
    mark("STOP");
    let mut whole = Tally::default();
    while let Some(caller) = callers.join_next().await {
        whole.add(caller.expect("a caller does not panic")?);
    }
    Ok(whole.report(load, load.duration))
}

async fn call(
    addr: String,
    payload: usize,
    inflight: usize,
    window: Window,
) -> std::io::Result<Tally> {
    let stream = TcpStream::connect(addr).await?;
    stream.set_nodelay(true)?;
    let mut caller = Caller::new(payload, inflight, window);
    let mut chunk = vec![0; CHUNK.max(PREFIX + payload)];
    let mut due = caller.first(payload).len();
    // Where in its message the next byte to be written stands.
    let mut at = 0;
    while !window.is_over(Instant::now()) {
        while due > 0 {
            let end = caller.message.len().min(at + due);
            match stream.try_write(&caller.message[at..end]) {
                Ok(written) => {
                    due -= written;
                    at = (at + written) % (PREFIX + payload);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        let interest = if due > 0 {
            Interest::READABLE | Interest::WRITABLE
        } else {
            Interest::READABLE
        };
        stream.ready(interest).await?;
        match stream.try_read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => due += caller.next(payload, read).len(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(caller.tally)
}
