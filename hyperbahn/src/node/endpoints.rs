//! The own services as handlers: what was asked is read, done and answered.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};

use futures::future::join_all;
use serde_json::{Value, json};
use tchannel_proto::header_key;
use tchannel_rt::{Channel, HandlerError, HandlerResult, Remote, Reply, Request};

use super::fan_out::FanOut;
use super::neighbours::{NeighbourError, Neighbours};
use super::registrar::Registrations;
use super::router::{Moment, Router};
use crate::control::{self, Answer, Command, Link, PeerLinks, Relayed};
use crate::host_port::HostPort;
use crate::membership::Membership;
use crate::refusal::Refusal;
use crate::routing::OwnService;

/// What the endpoints act on and look at.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) router: Router,
    pub(super) registrations: Registrations,
    pub(super) fan_out: FanOut,
    pub(super) neighbours: Neighbours,
    pub(super) membership: Membership,
    // The channel holds the handlers, which must not hold the channel.
    pub(super) channel: Weak<Channel>,
}

/// Registers a handler for each own service but the membership's, which has its own.
pub(super) fn register(channel: &Arc<Channel>, parts: &Parts) {
    for own in OwnService::ALL {
        if own == OwnService::Ringpop {
            continue;
        }
        let endpoints = Endpoints {
            own,
            parts: parts.clone(),
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
    parts: Parts,
}

impl Endpoints {
    async fn serve(&self, request: &Request) -> HandlerResult {
        let answer = match read(self.own, request) {
            Ok(command) => {
                let answer = self.parts.answer(command, request).await;
                answer.unwrap_or_else(Answer::from)
            }
            Err(answer) => answer,
        };
        reply(answer)
    }
}

impl Parts {
    async fn answer(&self, command: Command, request: &Request) -> Result<Answer, Refusal> {
        let moment = self.router.current()?;
        let mesh = &moment.view.mesh;
        match command {
            Command::Ad(offers) => {
                self.router.check_open()?;
                let told = self.fan_out.advertise(mesh, caller(request), offers);
                told.await.map(control::advertised)
            }
            Command::Unad(offers) => {
                self.router.check_open()?;
                let told = self.fan_out.unadvertise(mesh, caller(request), offers);
                told.await.map(control::advertised)
            }
            Command::RelayAd(Relayed { fresh, handed }) => {
                if !fresh.is_empty() {
                    self.registrations.advertise(fresh).await?;
                }
                if !handed.is_empty() {
                    self.registrations.take_over(handed).await?;
                }
                Ok(control::relayed())
            }
            Command::RelayUnad(offers) => {
                self.registrations.unadvertise(offers).await?;
                Ok(control::relayed())
            }
            Command::TakeOver(newcomer) => self.hand_over_to(&newcomer).await,
            Command::Discover(service) => self.discover(&moment, service, request).await,
            Command::Connections(service) => {
                let body = json!({"serviceName": service});
                let exits = mesh.exits(&service);
                let said = self.ask_all(exits, "exit_connections_v1", &body, |_| {
                    self.look_up(&Command::ExitConnections(service.clone()), &moment)
                });
                Ok(control::connections_by_exit(said.await))
            }
            Command::Services => {
                let said = self.ask_all(mesh.routers(), "exit_services_v1", &json!(null), |_| {
                    self.look_up(&Command::ExitServices, &moment)
                });
                Ok(control::services_by_exit(said.await))
            }
            Command::Members => Ok(control::members(&self.membership.current().members)),
            question => Ok(self.look_up(&question, &moment)),
        }
    }

    /// Answers what this router knows by itself.
    fn look_up(&self, question: &Command, moment: &Moment) -> Answer {
        let links = match question {
            Command::ExitConnections(_) => self.links(),
            _ => HashMap::new(),
        };
        let links_of =
            |instance: &HostPort| links.get(instance.as_str()).cloned().unwrap_or_default();
        let answer = control::answer(question, &moment.view, links_of);
        answer.expect("only questions about this router get here")
    }

    async fn hand_over_to(&self, newcomer: &HostPort) -> Result<Answer, Refusal> {
        let handed = self.registrations.for_newcomer(newcomer.clone()).await?;
        let count = handed.len();
        match self.neighbours.hand_over(newcomer, &handed).await {
            Ok(()) => Ok(control::taken_over(count)),
            Err(error) => Err(Refusal::declined(format!(
                "could not hand {count} registrations over to {newcomer}: {error}"
            ))),
        }
    }

    /// The instances, from an exit if this router is none.
    async fn discover(
        &self,
        moment: &Moment,
        service: String,
        request: &Request,
    ) -> Result<Answer, Refusal> {
        let view = &moment.view;
        let is_here = view.services.instances(&service).is_some() || service.is_empty();
        if is_here || !view.mesh.has_other_exits(&service) {
            return Ok(self.look_up(&Command::DiscoverHere(service), moment));
        }
        let exits = moment.lists.exits.to_ask(&service);
        let said = self.neighbours.discover(&exits, request.arg3.clone()).await;
        let said = said.map_err(|error| {
            Refusal::declined(format!(
                "no exit of {service:?} told its instances to router {}: {error}",
                view.router()
            ))
        })?;
        Ok(control::passed_on(said.is_ok(), said.arg3))
    }

    /// Asks routers the same question at once; this one by `here`.
    async fn ask_all<T: serde::de::DeserializeOwned>(
        &self,
        routers: Vec<HostPort>,
        endpoint: &str,
        body: &Value,
        here: impl Fn(&HostPort) -> Answer,
    ) -> BTreeMap<HostPort, Result<T, String>> {
        let said = routers.into_iter().map(|router| {
            let here = &here;
            async move {
                let is_me = router == *self.membership.address();
                let said = match is_me {
                    true => control::read_back(&here(&router)),
                    false => self
                        .neighbours
                        .question(&router, endpoint, body)
                        .await
                        .map_err(|error: NeighbourError| error.to_string()),
                };
                (router, said)
            }
        });
        join_all(said).await.into_iter().collect()
    }

    /// Who is connected, by the address it announced and, where this node dialled, by that one too.
    fn links(&self) -> HashMap<String, PeerLinks> {
        let mut links: HashMap<String, PeerLinks> = HashMap::new();
        let remotes = self.channel.upgrade().map(|channel| channel.all_remotes());
        for remote in remotes.into_iter().flatten() {
            let link = link(&remote);
            let announced = link.host_port.clone();
            if remote.is_outbound {
                if let Some(dialled) = remote.addr {
                    let dialled = links.entry(dialled.to_string()).or_default();
                    dialled.outgoing = Some(link.clone());
                }
                links.entry(announced).or_default().outgoing = Some(link);
            } else {
                links.entry(announced).or_default().incoming = Some(link);
            }
        }
        links
    }
}

/// On whose behalf exits are told.
fn caller(request: &Request) -> &str {
    let caller = request.headers().get(header_key::CALLER_NAME);
    caller.map_or("hyperbahn", |caller| caller)
}

fn read(own: OwnService, request: &Request) -> Result<Command, Answer> {
    control::read(&control::Request {
        service: own,
        endpoint: request.endpoint(),
        scheme: request.headers().get(header_key::ARG_SCHEME),
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
