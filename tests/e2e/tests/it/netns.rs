//! Hosts on a network that can be cut in two: network namespaces of one machine.
//!
//! ```text
//!   host 1, 2, 3 ── left bridge ── wire ── right bridge ── host 4, 5
//! ```
//!
//! A host is a namespace with an address of its own; both bridges are in a further one. Everything is inside,
//! so that it is gone when the namespaces are.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::process::Command;

use rustix::thread::LinkNameSpaceType;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// How many hosts there are, and how many of them to the left.
pub(crate) const HOSTS: usize = 5;
pub(crate) const LEFT: usize = 3;

/// Makes the lack of rights a failure.
const REQUIRED: &str = "E2E_NETNS_REQUIRED";

/// The namespaces; removed when dropped.
pub(crate) struct Network {
    prefix: String,
}

impl Network {
    /// Makes one, with the wire whole. `None`, said aloud, where this process has not the right.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let network = Self {
            prefix: format!("e2e-{}-{name}", std::process::id()),
        };
        let Err(missing) = network.build() else {
            return Some(network);
        };
        let is_required = std::env::var(REQUIRED).is_ok_and(|value| value == "1");
        assert!(!is_required, "{REQUIRED} is set, but {missing}");
        // Not println, which shows nothing of a test that passes.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED {name}: {missing}. It needs root, the tool ip, and a kernel with network namespaces, \
             veth and bridges"
        );
        None
    }

    /// Drops every packet from one side to the other, in silence.
    pub(crate) fn cut(&self) {
        self.set_wire("down");
    }

    /// Makes the wire whole again.
    pub(crate) fn join(&self) {
        self.set_wire("up");
    }

    /// The namespace of a host, numbered from 1.
    pub(crate) fn namespace(&self, host: usize) -> String {
        format!("{}-{host}", self.prefix)
    }

    /// The address of a host.
    pub(crate) fn ip(host: usize) -> String {
        format!("10.77.0.{host}")
    }

    /// A thread of this process on a host.
    pub(crate) async fn enter(&self, host: usize) -> Site {
        let path = format!("/run/netns/{}", self.namespace(host));
        let (sender, handle) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        std::thread::spawn(move || {
            let namespace = File::open(path).expect("it was made");
            let kind = Some(LinkNameSpaceType::Network);
            rustix::thread::move_into_link_name_space(namespace.as_fd(), kind)
                .expect("whoever may make a namespace may enter it");
            let runtime = Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("a thread can have one");
            let _ = sender.send(runtime.handle().clone());
            let _: Result<(), _> = runtime.block_on(stopped);
        });
        Site {
            handle: handle.await.expect("the thread has begun"),
            _stop: stop,
        }
    }

    fn build(&self) -> Result<(), String> {
        let switch = self.switch();
        ip(&format!("netns add {switch}"))?;
        for bridge in ["left", "right"] {
            ip(&format!("-n {switch} link add {bridge} type bridge"))?;
            ip(&format!("-n {switch} link set {bridge} up"))?;
        }
        ip(&format!(
            "-n {switch} link add wire-left type veth peer name wire-right"
        ))?;
        ip(&format!("-n {switch} link set wire-left master left up"))?;
        ip(&format!("-n {switch} link set wire-right master right up"))?;
        for host in 1..=HOSTS {
            self.build_host(host)?;
        }
        Ok(())
    }

    fn build_host(&self, host: usize) -> Result<(), String> {
        let (switch, namespace) = (self.switch(), self.namespace(host));
        let bridge = if host <= LEFT { "left" } else { "right" };
        let address = Self::ip(host);
        ip(&format!("netns add {namespace}"))?;
        ip(&format!(
            "-n {namespace} link add eth0 type veth peer name host-{host} netns {switch}"
        ))?;
        ip(&format!(
            "-n {switch} link set host-{host} master {bridge} up"
        ))?;
        ip(&format!("-n {namespace} address add {address}/24 dev eth0"))?;
        ip(&format!("-n {namespace} link set eth0 up"))?;
        ip(&format!("-n {namespace} link set lo up"))
    }

    fn switch(&self) -> String {
        format!("{}-switch", self.prefix)
    }

    fn set_wire(&self, state: &str) {
        let switch = self.switch();
        ip(&format!("-n {switch} link set wire-left {state}")).expect("the wire is there");
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let hosts = (1..=HOSTS).map(|host| self.namespace(host));
        for namespace in hosts.chain([self.switch()]) {
            // What was not made can not be removed.
            let _ = ip(&format!("netns delete {namespace}"));
        }
    }
}

/// A thread on a host, with a runtime whose sockets are there.
pub(crate) struct Site {
    handle: Handle,
    _stop: oneshot::Sender<()>,
}

impl Site {
    /// Runs `work` there.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let done = self.handle.spawn(work).await;
        done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }
}

fn ip(arguments: &str) -> Result<(), String> {
    let output = Command::new("ip").args(arguments.split(' ')).output();
    let output = output.map_err(|error| format!("`ip` can not be run: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("`ip {arguments}` failed: {}", said.trim()))
        }
    }
}
