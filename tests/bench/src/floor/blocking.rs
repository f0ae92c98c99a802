//! The floor with blocking sockets and a thread for each.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Instant;

use super::{CHUNK, Caller, Echoer, PREFIX};
use crate::load::Window;
use crate::options::Load;
use crate::report::{Report, Tally};

/// Echoes whatever comes from whoever comes.
///
/// # Errors
///
/// When nobody can be accepted any more.
pub fn serve(listener: &TcpListener) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept()?;
        std::thread::spawn(move || echo(stream));
    }
}

fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut echoer = Echoer::new();
    loop {
        let read = stream.read(echoer.room())?;
        if read == 0 {
            return Ok(());
        }
        stream.write_all(echoer.answer(read))?;
    }
}

/// Loads the server at `addr`.
///
/// # Errors
///
/// When the server is not there, or goes.
pub fn load(addr: &str, load: &Load, mark: impl Fn(&'static str)) -> std::io::Result<Report> {
    let window = Window::of(load);
    let share = load.inflight / load.conns;
    let callers: Vec<_> = (0..load.conns)
        .map(|_| {
            let (addr, payload) = (addr.to_owned(), load.payload);
            std::thread::spawn(move || call(&addr, payload, share, window))
        })
        .collect();
    wait_for(window.start);
    mark("START");
    wait_for(window.stop);
    mark("STOP");
    let mut whole = Tally::default();
    for caller in callers {
        whole.add(caller.join().expect("a caller does not panic")?);
    }
    Ok(whole.report(load, load.duration))
}

fn call(addr: &str, payload: usize, inflight: usize, window: Window) -> std::io::Result<Tally> {
    let stream = TcpStream::connect(addr)?;
    stream.set_nodelay(true)?;
    let mut caller = Caller::new(payload, inflight, window);
    let mut writer = Writer::new(&stream, &caller)?;
    let mut reader = stream;
    let mut chunk = vec![0; CHUNK.max(PREFIX + payload)];
    writer.write(caller.first(payload))?;
    while !window.is_over(Instant::now()) {
        let read = reader.read(&mut chunk)?;
        if read == 0 {
            break;
        }
        writer.write(caller.next(payload, read))?;
    }
    Ok(caller.tally)
}

/// Writes where it is asked to, or in a thread when both ends could come to wait for the other to read.
enum Writer {
    Here(TcpStream),
    Apart(SyncSender<usize>),
}

impl Writer {
    fn new(stream: &TcpStream, caller: &Caller) -> std::io::Result<Self> {
        let mut stream = stream.try_clone()?;
        if caller.message.len() <= FITS_IN_SOCKETS {
            return Ok(Self::Here(stream));
        }
        let message = caller.message.clone();
        let (sender, counts) = sync_channel::<usize>(WRITES_WAITING);
        std::thread::spawn(move || {
            while let Ok(bytes) = counts.recv() {
                if stream.write_all(&message[..bytes]).is_err() {
                    return;
                }
            }
        });
        Ok(Self::Apart(sender))
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            _ if bytes.is_empty() => Ok(()),
            Self::Here(stream) => stream.write_all(bytes),
            Self::Apart(sender) => sender
                .send(bytes.len())
                .map_err(|_| std::io::ErrorKind::BrokenPipe.into()),
        }
    }
}

const FITS_IN_SOCKETS: usize = 64 * 1024;
const WRITES_WAITING: usize = 64 * 1024;

fn wait_for(until: Instant) {
    std::thread::park_timeout(until.saturating_duration_since(Instant::now()));
    while Instant::now() < until {
        std::thread::park_timeout(until - Instant::now());
    }
}
