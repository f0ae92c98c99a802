//! Our runtime behind the same contract as the peer programs: the same service, the same client.

mod client;
mod record;
mod service;

pub(crate) use client::OurClient;
pub(crate) use record::Record;
pub(crate) use service::{advertise, advertise_to, offer_never, serve};
