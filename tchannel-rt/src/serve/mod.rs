//! A service from start to end in one expression: listen, tell the routers, drain when told to stop.

mod offer;
mod serving;
mod signals;

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

pub use offer::Offer;
pub use serving::{Ended, Serving, Why};
use signals::Signals;

use crate::channel::Channel;
use crate::error::ChannelError;
use crate::hyperbahn::Routers;
use crate::layer::HandlerLayer;

/// Time for withdrawing and for calls in flight, unless told otherwise: a little less than orchestrators commonly
/// leave between SIGTERM and SIGKILL.
const DRAIN_LIMIT: Duration = Duration::from_secs(25);

/// Serves `service` under `name` until the process is told to stop.
///
/// Awaited, it listens, finds the routers, keeps `name` advertised there, and publishes what can be called. On
/// SIGTERM and on Ctrl-C it withdraws, finishes the calls in flight, and ends with their count; a second signal
/// ends it at once. From the first await on, these signals no longer end the process by themselves. That no router
/// is there yet is no error: it is told as a `tracing` warning, and tried again.
///
/// ```no_run
/// # use tchannel_rt::{ChannelError, HandlerError, Incoming, Service};
/// # #[tokio::main]
/// # async fn main() -> Result<(), ChannelError> {
/// let greeter = |it: &Service| {
///     it.json("hello", async |call: Incoming<String>| {
///         Ok::<_, HandlerError>(format!("Hello, {}!", call.body))
///     });
/// };
/// tchannel_rt::serve("greeter", greeter).listen("0.0.0.0:4040").await?;
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// [`ChannelError`] when the address can not be listened on, the list of routers can not be read, or signals can
/// not be watched.
pub fn serve(name: impl Into<String>, service: impl Offer) -> Serve {
    let serve = Serve {
        name: name.into(),
        services: Vec::new(),
        listen: "0.0.0.0:0".to_owned(),
        announce: None,
        routers: Some(Routers::Environment),
        drain_limit: DRAIN_LIMIT,
        layers: Vec::new(),
        channel: None,
        on_ready: None,
    };
    let name = serve.name.clone();
    serve.also(name, service)
}

/// A service about to be served; see [`serve`].
#[must_use = "nothing is served until it is awaited or started"]
pub struct Serve {
    name: String,
    services: Vec<(String, PutOn)>,
    listen: String,
    announce: Option<String>,
    routers: Option<Routers>,
    drain_limit: Duration,
    layers: Vec<LayOn>,
    channel: Option<Channel>,
    on_ready: Option<Tell>,
}

type LayOn = Box<dyn FnOnce(&Channel) + Send>;
type PutOn = Box<dyn FnOnce(&crate::Service) + Send>;
type Tell = Box<dyn FnOnce(&Serving) + Send>;

impl Serve {
    /// Where to listen. Default `0.0.0.0:0`: all addresses, a port of the system's choice.
    pub fn listen(mut self, addr: impl Into<String>) -> Self {
        self.listen = addr.into();
        self
    }

    /// The host:port that peers and routers are told, where it differs from the one listened on, such as behind
    /// a port mapping. Default: the address listened on, or behind a wildcard that of each connection.
    pub fn announce(mut self, host_port: impl Into<String>) -> Self {
        self.announce = Some(host_port.into());
        self
    }

    /// Which routers to advertise at. Default [`Routers::Environment`].
    pub fn routers(mut self, routers: Routers) -> Self {
        self.routers = Some(routers);
        self
    }

    /// Advertises nowhere: callers must know the address.
    pub fn without_routers(mut self) -> Self {
        self.routers = None;
        self
    }

    /// Serves another interface under the same name, or another name beside it. Each name is advertised.
    pub fn also(mut self, name: impl Into<String>, service: impl Offer) -> Self {
        let put = Box::new(move |on: &crate::Service| service.put(on));
        self.services.push((name.into(), put));
        self
    }

    /// Puts a layer around all that is served, inside those that are there. See [`layer`](crate::layer).
    pub fn layer(mut self, layer: impl HandlerLayer) -> Self {
        let lay = Box::new(move |on: &Channel| on.layer(layer));
        self.layers.push(lay);
        self
    }

    /// Serves on this channel, such as one that the service itself makes calls with, or that has limits of its
    /// own. Default: a new one that has the name of the service.
    pub fn channel(mut self, channel: &Channel) -> Self {
        self.channel = Some(channel.clone());
        self
    }

    /// How long withdrawing and the calls in flight may take once it is told to stop, all together. Default 25 s;
    /// zero cuts everything off.
    pub fn drain_limit(mut self, limit: Duration) -> Self {
        self.drain_limit = limit;
        self
    }

    /// Is called once it listens, whether or not a router has taken the advertisement.
    pub fn on_ready(mut self, tell: impl FnOnce(&Serving) + Send + 'static) -> Self {
        self.on_ready = Some(Box::new(tell));
        self
    }

    /// Listens and advertises, and leaves it to the caller when to stop: no signal is watched. For tests, and
    /// for programs that do more than serve.
    ///
    /// # Errors
    ///
    /// As [`serve`], but for signals.
    pub async fn start(self) -> Result<Serving, ChannelError> {
        let channel = self.channel.unwrap_or_else(|| Channel::new(&self.name));
        for lay in self.layers {
            lay(&channel);
        }
        let mut names: Vec<&str> = Vec::new();
        let (services, puts): (Vec<String>, Vec<PutOn>) = self.services.into_iter().unzip();
        for (name, put) in services.iter().zip(puts) {
            put(&channel.service(name));
            if !names.contains(&&**name) {
                names.push(name);
            }
        }
        if let Some(host_port) = self.announce {
            channel.announce(host_port)?;
        }
        let addr = channel.listen(&self.listen).await?;
        let advertisement = match self.routers {
            Some(routers) => Some(channel.advertise(routers, &names)?),
            None => None,
        };
        tracing::info!(%addr, services = ?names, "serving");
        let serving = Serving::new(channel, addr, advertisement, self.drain_limit);
        if let Some(tell) = self.on_ready {
            tell(&serving);
        }
        Ok(serving)
    }
}

impl IntoFuture for Serve {
    type Output = Result<Ended, ChannelError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async {
            // Before anybody knows the address: a signal must not find us unprepared from then on.
            let signals = Signals::watch()?;
            let serving = self.start().await?;
            Ok(serving.until(signals).await)
        })
    }
}

impl std::fmt::Debug for Serve {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serve")
            .field("name", &self.name)
            .field("listen", &self.listen)
            .finish_non_exhaustive()
    }
}
