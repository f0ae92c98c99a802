//! From the router that an instance talks to, to all exits of the services it names.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc};

use super::neighbours::{Neighbours, Relay};
use super::registrar::Registrations;
use crate::host_port::HostPort;
use crate::quorum::{Needed, Quorum};
use crate::refusal::Refusal;
use crate::registry::{Handed, Offer};
use crate::routing::Mesh;

/// How long an instance waits for its answer at most; deployed ones give up after 500 ms.
const PATIENCE: Duration = Duration::from_millis(350);

/// Attempts to tell an exit, and the wait between them.
const ATTEMPTS: usize = 3;
const BETWEEN: Duration = Duration::from_secs(1);

/// Exits being told again at a time; beyond that, one that was not reached waits for the next ad.
const RETRYING: usize = 1024;

/// Tells exits. Cheap to clone.
#[derive(Clone)]
pub(super) struct FanOut {
    registrations: Registrations,
    neighbours: Neighbours,
    retrying: Arc<Semaphore>,
}

type Told = (HostPort, Vec<String>, Result<(), String>);

impl FanOut {
    pub(super) fn new(registrations: Registrations, neighbours: Neighbours) -> Self {
        Self {
            registrations,
            neighbours,
            retrying: Arc::new(Semaphore::new(RETRYING)),
        }
    }

    /// Has all exits take `offers` in, and says how many exits there are. Returns once most have; the rest
    /// are told in the background.
    ///
    /// # Errors
    ///
    /// What the exits said, when a name was taken by none of them.
    pub(super) async fn advertise(
        &self,
        mesh: &Mesh,
        caller: &str,
        offers: Vec<Offer>,
    ) -> Result<usize, Refusal> {
        let exits = exits_of(&offers, |name| mesh.exits(name));
        let quorum = Quorum::new(&exits, mesh, Needed::Most);
        let (count, quorum) = self
            .tell(mesh.me(), Relay::Ad, caller, &exits, offers, quorum)
            .await?;
        match quorum.untaken() {
            None => Ok(count),
            Some((name, reason)) => Err(Refusal::declined(format!(
                "no exit of {name:?} took the advertisement at router {}: {reason}",
                mesh.me()
            ))),
        }
    }

    /// Has all exits, and those that were until recently, forget `offers`. Says how many there are.
    ///
    /// # Errors
    ///
    /// Declined when this router is stopping.
    pub(super) async fn unadvertise(
        &self,
        mesh: &Mesh,
        caller: &str,
        offers: Vec<Offer>,
    ) -> Result<usize, Refusal> {
        let exits = exits_of(&offers, |name| mesh.exits_and_former(name));
        let quorum = Quorum::new(&exits, mesh, Needed::All);
        let told = self.tell(mesh.me(), Relay::Unad, caller, &exits, offers, quorum);
        told.await.map(|(count, _)| count)
    }

    async fn tell(
        &self,
        me: &HostPort,
        relay: Relay,
        caller: &str,
        exits: &BTreeMap<String, Vec<HostPort>>,
        offers: Vec<Offer>,
        mut quorum: Quorum,
    ) -> Result<(usize, Quorum), Refusal> {
        let mut by_exit = by_exit(exits, &offers);
        let count = by_exit.len();
        let (told, mut answers) = mpsc::channel(count.max(1));
        let mine = by_exit.remove(me);
        for (exit, offers) in by_exit {
            self.tell_one(exit, relay, caller.to_owned(), offers, told.clone());
        }
        drop(told);
        if let Some(offers) = mine {
            let names = names_of(&offers);
            let answer = match relay {
                Relay::Ad => self.registrations.advertise(offers).await,
                Relay::Unad => self.registrations.unadvertise(offers).await,
            };
            // What can never succeed is the same everywhere.
            if let Err(refusal) = &answer
                && refusal.is_permanent()
            {
                return Err(refusal.clone());
            }
            quorum.handle_answer(me, names, answer.map_err(|refusal| refusal.message));
        }
        let settle = async {
            while !quorum.is_settled()
                && let Some((exit, names, answer)) = answers.recv().await
            {
                quorum.handle_answer(&exit, names, answer);
            }
        };
        // Too late for some: they are told all the same.
        let _ = tokio::time::timeout(PATIENCE, settle).await;
        Ok((count, quorum))
    }

    /// Tells one exit, again if it could not be reached. Only the first attempt is reported.
    fn tell_one(
        &self,
        exit: HostPort,
        relay: Relay,
        caller: String,
        offers: Vec<Offer>,
        told: mpsc::Sender<Told>,
    ) {
        let Self {
            neighbours,
            retrying,
            ..
        } = self.clone();
        tokio::spawn(async move {
            let asked = Instant::now();
            let mut outcome = neighbours.relay(&exit, relay, &caller, &offers).await;
            let answer = outcome.as_ref().copied().map_err(ToString::to_string);
            // Whoever asked may have gone on without waiting for this exit.
            let _ = told.send((exit.clone(), names_of(&offers), answer)).await;
            drop(told);
            for _ in 1..ATTEMPTS {
                let permit = match &outcome {
                    Err(error) if error.is_passing() => retrying.try_acquire(),
                    _ => break,
                };
                let Ok(_permit) = permit else { break };
                tokio::time::sleep(BETWEEN).await;
                outcome = match relay {
                    // By its age, since the instance may have withdrawn it meanwhile.
                    Relay::Ad => {
                        let handed = aged(&offers, asked.elapsed());
                        neighbours.hand_over(&exit, &handed).await
                    }
                    Relay::Unad => neighbours.relay(&exit, relay, &caller, &offers).await,
                };
            }
            if let Err(error) = outcome {
                tracing::warn!(%exit, %error, ?relay, "an exit was not told");
            }
        });
    }
}

fn aged(offers: &[Offer], age: Duration) -> Vec<Handed> {
    let handed = offers.iter().cloned();
    handed.map(|offer| Handed { offer, age }).collect()
}

fn names_of(offers: &[Offer]) -> Vec<String> {
    offers.iter().map(|offer| offer.name.clone()).collect()
}

fn exits_of(
    offers: &[Offer],
    exits: impl Fn(&str) -> Vec<HostPort>,
) -> BTreeMap<String, Vec<HostPort>> {
    let names = offers.iter().map(|offer| &offer.name);
    names.map(|name| (name.clone(), exits(name))).collect()
}

fn by_exit(
    exits: &BTreeMap<String, Vec<HostPort>>,
    offers: &[Offer],
) -> BTreeMap<HostPort, Vec<Offer>> {
    let mut by_exit: BTreeMap<HostPort, Vec<Offer>> = BTreeMap::new();
    for offer in offers {
        for exit in exits.get(&offer.name).into_iter().flatten() {
            by_exit.entry(exit.clone()).or_default().push(offer.clone());
        }
    }
    by_exit
}
