//! The least a relay can do: bytes from one socket to another, both ways, as many as there are.

use std::io::ErrorKind;

use tokio::net::{TcpListener, TcpStream};

use super::CHUNK;

/// Passes on all that comes, to a connection of its own to `to`.
///
/// # Errors
///
/// When nobody can be accepted any more.
pub async fn serve(listener: TcpListener, to: String) -> std::io::Result<()> {
    loop {
        let (caller, _) = listener.accept().await?;
        let to = to.clone();
        tokio::spawn(async move {
            let callee = TcpStream::connect(to).await?;
            caller.set_nodelay(true)?;
            callee.set_nodelay(true)?;
            tokio::select! {
                end = pass_on(&caller, &callee) => end,
                end = pass_on(&callee, &caller) => end,
            }
        });
    }
}

async fn pass_on(from: &TcpStream, to: &TcpStream) -> std::io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        from.readable().await?;
        let read = match from.try_read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        };
        let mut bytes = &chunk[..read];
        while !bytes.is_empty() {
            match to.try_write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => to.writable().await?,
                Err(error) => return Err(error),
            }
        }
    }
}
