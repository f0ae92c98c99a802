//! The own services as handlers: what was asked is read, done and answered.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use tchannel_proto::header_key;
use tchannel_rt::{Channel, HandlerError, HandlerResult, Remote, Reply, Request};

use super::registrar::Advertiser;
use super::router::Router;
use crate::control::{self, Answer, Command, Link, PeerLinks};
use crate::host_port::HostPort;
use crate::refusal::Refusal;
use crate::routing::OwnService;

/// Registers a handler for each own service.
pub(super) fn register(channel: &Arc<Channel>, router: &Router, advertiser: &Advertiser) {
    for own in OwnService::ALL {
        let endpoints = Endpoints {
            own,
            router: router.clone(),
            advertiser: advertiser.clone(),
            channel: Arc::downgrade(channel),
        };
        channel.service(own.name()).catch_all(move |request| {
            let endpoints = endpoints.clone();
            async move { endpoints.serve(&request).await }
        });
    }
}

/// The endpoints of one own service.
#[derive(Clone)]
struct Endpoints {
    own: OwnService,
    router: Router,
    advertiser: Advertiser,
    // The channel holds the handlers, which must not hold the channel.
    channel: Weak<Channel>,
}

impl Endpoints {
    async fn serve(&self, request: &Request) -> HandlerResult {
        let answer = match read(self.own, request) {
            Ok(command) => self.answer(command).await.unwrap_or_else(Answer::from),
            Err(answer) => answer,
        };
        reply(answer)
    }

    async fn answer(&self, command: Command) -> Result<Answer, Refusal> {
        match command {
            Command::Ad(offers) => {
                let count = exits(offers.len());
                self.advertiser.advertise(offers).await?;
                Ok(control::advertised(count))
            }
            Command::Unad(offers) => {
                let count = exits(offers.len());
                self.advertiser.unadvertise(offers).await?;
                Ok(control::advertised(count))
            }
            Command::RelayAd(offers) => {
                self.advertiser.advertise(offers).await?;
                Ok(control::relayed())
            }
            Command::RelayUnad(offers) => {
                self.advertiser.unadvertise(offers).await?;
                Ok(control::relayed())
            }
            question => self.look_up(&question),
        }
    }

    fn look_up(&self, question: &Command) -> Result<Answer, Refusal> {
        let moment = self.router.current()?;
        let links = match question {
            Command::Connections(_) | Command::ExitConnections(_) => self.links(),
            _ => HashMap::new(),
        };
        let links_of =
            |instance: &HostPort| links.get(instance.as_str()).cloned().unwrap_or_default();
        let answer = control::answer(question, &moment.view, links_of);
        Ok(answer.expect("ads are not questions"))
    }

    /// Who is connected, by the address it announced and, where this node dialled, by that one too.
    fn links(&self) -> HashMap<String, PeerLinks> {
        let mut links: HashMap<String, PeerLinks> = HashMap::new();
        let remotes = self.channel.upgrade().map(|channel| channel.all_remotes());
        for remote in remotes.into_iter().flatten() {
            let link = link(&remote);
            let announced = link.host_port.clone();
            if remote.is_outbound {
                let dialled = remote.addr.to_string();
                links.entry(dialled).or_default().outgoing = Some(link.clone());
                links.entry(announced).or_default().outgoing = Some(link);
            } else {
                links.entry(announced).or_default().incoming = Some(link);
            }
        }
        links
    }
}

/// With one router, it is the only exit of every service.
fn exits(offers: usize) -> usize {
    offers.min(1)
}

fn read(own: OwnService, request: &Request) -> Result<Command, Answer> {
    control::read(&control::Request {
        service: own,
        endpoint: &request.endpoint,
        scheme: request.headers.get(header_key::ARG_SCHEME),
        body: &request.arg3,
        announced: &request.remote().peer.host_port,
    })
}

fn reply(answer: Answer) -> HandlerResult {
    match answer {
        Answer::Ok(body) => Ok(Reply::ok(body.arg2, body.arg3)),
        Answer::NotOk(body) => Ok(Reply::application_error(body.arg2, body.arg3)),
        Answer::Refused(Refusal { code, message }) => Err(HandlerError::new(code, message)),
    }
}

fn link(remote: &Remote) -> Link {
    let peer = &remote.peer;
    let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Link {
        host_port: peer.host_port.to_string(),
        process_name: peer.process_name.to_string(),
        tchannel_language: said(&peer.language),
        tchannel_language_version: said(&peer.language_version),
        tchannel_version: said(&peer.version),
    }
}
