//! What members and operators ask, as handlers that pass it on to the driver.

use bytes::Bytes;
use hyperbahn_swim::{Endpoint, LOOKUP, STATS};
use tchannel_rt::{Channel, HandlerError, HandlerResult, Reply};
use tokio::sync::{mpsc, oneshot};

use super::SERVICE;
use super::driver::{Asked, Command};
use super::transport::NO_HEADERS;

/// Registers a handler for each endpoint.
pub(super) fn register(channel: &Channel, commands: &mpsc::Sender<Command>) {
    let service = channel.service(SERVICE);
    let member = Endpoint::PATHS.map(|(path, endpoint)| (path, Asked::Member(endpoint)));
    let owner = [(LOOKUP, Asked::Lookup), (STATS, Asked::Stats)];
    for (path, asked) in member.into_iter().chain(owner) {
        let commands = commands.clone();
        service.raw(path, move |request| {
            let commands = commands.clone();
            async move { serve(&commands, asked, request.arg3).await }
        });
    }
}

async fn serve(commands: &mpsc::Sender<Command>, asked: Asked, body: Bytes) -> HandlerResult {
    let ended = || HandlerError::declined("the member has ended");
    let (answer, response) = oneshot::channel();
    let serve = Command::Serve {
        asked,
        body,
        answer,
    };
    commands.send(serve).await.map_err(|_| ended())?;
    let response = response.await.map_err(|_| ended())?;
    Ok(match response.ok {
        true => Reply::ok(NO_HEADERS, response.body),
        false => Reply::application_error(NO_HEADERS, response.body),
    })
}
