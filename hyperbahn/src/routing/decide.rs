//! Call and view in, route out. No I/O and no clock.

use super::view::{OwnService, View};
use crate::refusal::Refusal;

/// What a call request says about where it should go; an absent header is an empty text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Call<'a> {
    /// The service that was called.
    pub service: &'a str,
    /// Who calls: the `cn` header.
    pub caller: &'a str,
    /// The service to go to instead: the `rd` header.
    pub delegate: &'a str,
    /// What the call is about: the `sk` header. Calls with the same one go to the same instance.
    pub shard_key: &'a str,
}

/// From where a call reached this router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From whoever made it.
    Caller,
    /// From a router that took this one for an exit. It is never passed on to another router, whatever
    /// either of them thinks, so no call passes more than two and none runs in circles.
    Router,
}

impl<'a> Call<'a> {
    /// The service to go to: the routing delegate if there is one, else the service.
    pub fn target(&self) -> &'a str {
        match self.delegate {
            "" => self.service,
            delegate => delegate,
        }
    }
}

/// Where a call goes; `I` stands for the instances of a service.
#[derive(Debug, PartialEq, Eq)]
pub enum Route<I> {
    /// To this router's own endpoints.
    Own(OwnService),
    /// To one of these instances; there is at least one.
    Instances(I),
    /// To another router, an exit of the target.
    Exits,
    /// To the exit that its shard key names, which may be this router.
    Shard,
    /// Nowhere.
    Refuse(Refusal),
}

/// Decides where `call` goes. `instances` finds those of a service, if it has any, and is asked once at most: it may
/// look into the services of `view` or into what was made from them. `origin` is asked only if that matters, which
/// it does not for a service with instances here.
///
/// Messages begin with the words that deployed callers look for and go on with the particulars.
/// Source: spec/hyperbahn/routing.md, "answers".
pub fn decide<I>(
    call: &Call<'_>,
    view: &View,
    instances: impl FnOnce(&str) -> Option<I>,
    origin: impl FnOnce() -> Origin,
) -> Route<I> {
    let next = call.target();
    if next.is_empty() {
        return Route::Refuse(unnamed_service(call, view));
    }
    if call.caller.is_empty() {
        return Route::Refuse(unnamed_caller(call, view));
    }
    match OwnService::of(next) {
        Some(own) if own.name() == call.service => return Route::Own(own),
        Some(own) => return Route::Refuse(delegated_to_router(own, call, view)),
        None => {}
    }
    let is_sharded = !call.shard_key.is_empty();
    let instances = match instances(next) {
        Some(instances) if !is_sharded => return Route::Instances(instances),
        instances => instances,
    };
    if origin() == Origin::Caller && view.mesh.has_other_exits(next) {
        return match is_sharded {
            true => Route::Shard,
            false => Route::Exits,
        };
    }
    match instances {
        Some(instances) => Route::Instances(instances),
        None => Route::Refuse(nobody_offers(call, view)),
    }
}

fn unnamed_service(call: &Call<'_>, view: &View) -> Refusal {
    let router = view.router();
    Refusal::bad_request(format!(
        "failed to read serviceName: the call from {:?} names no service; refused by router {router}",
        call.caller
    ))
}

fn unnamed_caller(call: &Call<'_>, view: &View) -> Refusal {
    let router = view.router();
    Refusal::bad_request(format!(
        "missing cn header: a call to {:?} must name its caller; refused by router {router}",
        call.service
    ))
}

// An instance must serve the called name itself, and a router serves no name but its own.
fn delegated_to_router(own: OwnService, call: &Call<'_>, view: &View) -> Refusal {
    let router = view.router();
    Refusal::bad_request(format!(
        "routing delegate {:?} of {:?} is router {router} itself, which does not serve {:?}",
        own.name(),
        call.service,
        call.service
    ))
}

fn nobody_offers(call: &Call<'_>, view: &View) -> Refusal {
    let router = view.router();
    let named = match call.delegate {
        "" => format!("{:?}", call.service),
        delegate => format!("{delegate:?} (routing delegate of {:?})", call.service),
    };
    Refusal::declined(format!(
        "no peer available for request: no instance of {named} is registered at router {router}"
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;
    use std::time::Instant;

    use hyperbahn_ring::{Ring, Server};

    use super::*;
    use crate::host_port::HostPort;
    use crate::registry::{Offer, Registry, RegistryConfig};
    use crate::routing::{ExitConfig, Mesh};

    const ROUTER: &str = "127.0.0.1:21300";

    const INSTANCE: &str = "10.0.0.1:4040";

    /// A view in which `keyvalue` has one instance, of a router by itself.
    fn view() -> View {
        let me = HostPort::parse(ROUTER).unwrap();
        view_of(Mesh::alone(me, ExitConfig::default()))
    }

    /// The same in a mesh of three.
    fn view_among_others() -> View {
        let me = HostPort::parse(ROUTER).unwrap();
        let routers = [ROUTER, "127.0.0.1:21301", "127.0.0.1:21302"].map(Server::new);
        let ring = Ring::from_servers(routers);
        let mesh = Mesh::alone(me, ExitConfig::default());
        view_of(mesh.with_ring(Instant::now(), ring, BTreeSet::new()))
    }

    fn view_of(mesh: Mesh) -> View {
        let mut registry = Registry::new(RegistryConfig::default());
        let offer = Offer {
            name: "keyvalue".into(),
            instance: HostPort::parse(INSTANCE).unwrap(),
        };
        registry.advertise(Instant::now(), &[offer]).unwrap();
        View {
            services: registry.services(),
            mesh: Arc::new(mesh),
        }
    }

    #[track_caller]
    fn check(service: &str, caller: &str, delegate: &str, expected: &str) {
        let call = Call {
            service,
            caller,
            delegate,
            ..Call::default()
        };
        assert_eq!(shown(&call, &view(), Origin::Caller), expected);
    }

    fn shown(call: &Call<'_>, view: &View, origin: Origin) -> String {
        let instances = |name: &str| view.services.instances(name);
        match decide(call, view, instances, || origin) {
            Route::Own(own) => format!("own {}", own.name()),
            Route::Instances(instances) => format!("one of {instances:?}"),
            Route::Exits => "exits".to_owned(),
            Route::Shard => "shard".to_owned(),
            Route::Refuse(refusal) => refusal.to_string(),
        }
    }

    #[track_caller]
    fn check_among_others(service: &str, shard_key: &str, origin: Origin, expected: &str) {
        let call = Call {
            service,
            caller: "web",
            delegate: "",
            shard_key,
        };
        let shown = shown(&call, &view_among_others(), origin);
        assert!(shown.starts_with(expected), "{shown}");
    }

    #[test]
    fn what_is_not_known_here_goes_to_an_exit() {
        check_among_others("demo", "", Origin::Caller, "exits");
        check_among_others("keyvalue", "", Origin::Caller, "one of");
    }

    #[test]
    fn what_another_router_sends_is_never_passed_on() {
        check_among_others("demo", "", Origin::Router, "declined: no peer available");
        check_among_others(
            "demo",
            "user-7",
            Origin::Router,
            "declined: no peer available",
        );
        check_among_others("keyvalue", "user-7", Origin::Router, "one of");
    }

    #[test]
    fn a_shard_key_goes_by_its_exit_whether_the_service_is_known_here_or_not() {
        check_among_others("demo", "user-7", Origin::Caller, "shard");
        check_among_others("keyvalue", "user-7", Origin::Caller, "shard");
    }

    #[test]
    fn a_registered_service_goes_to_its_instances() {
        check("keyvalue", "web", "", "one of [\"10.0.0.1:4040\"]");
    }

    #[test]
    fn a_routing_delegate_wins_over_the_service() {
        check(
            "tcollector",
            "web",
            "keyvalue",
            "one of [\"10.0.0.1:4040\"]",
        );
        check("hyperbahn", "web", "keyvalue", "one of [\"10.0.0.1:4040\"]");
    }

    #[test]
    fn own_services_stay_here() {
        check("hyperbahn", "web", "", "own hyperbahn");
        check("autobahn", "web", "", "own autobahn");
        check("tchannel", "web", "", "own tchannel");
    }

    #[test]
    fn a_router_is_no_delegate_for_others() {
        check(
            "keyvalue",
            "web",
            "hyperbahn",
            "bad-request: routing delegate \"hyperbahn\" of \"keyvalue\" is router \
             127.0.0.1:21300 itself, which does not serve \"keyvalue\"",
        );
        check("hyperbahn", "web", "hyperbahn", "own hyperbahn");
    }

    #[test]
    fn an_unknown_service_is_declined_by_name_and_router() {
        check(
            "demo",
            "web",
            "",
            "declined: no peer available for request: \
             no instance of \"demo\" is registered at router 127.0.0.1:21300",
        );
    }

    #[test]
    fn an_unknown_delegate_is_named_beside_the_service() {
        check(
            "keyvalue",
            "web",
            "shadow",
            "declined: no peer available for request: no instance of \"shadow\" \
             (routing delegate of \"keyvalue\") is registered at router 127.0.0.1:21300",
        );
    }

    #[test]
    fn a_call_without_a_caller_is_a_bad_request() {
        for service in ["keyvalue", "nosuch", "hyperbahn"] {
            check(
                service,
                "",
                "",
                &format!(
                    "bad-request: missing cn header: a call to \"{service}\" must name its caller; \
                     refused by router 127.0.0.1:21300"
                ),
            );
        }
    }

    #[test]
    fn a_call_without_a_service_is_a_bad_request() {
        check(
            "",
            "web",
            "",
            "bad-request: failed to read serviceName: the call from \"web\" names no service; \
             refused by router 127.0.0.1:21300",
        );
    }

    #[test]
    fn a_name_that_only_resembles_a_service_is_unknown() {
        for service in ["Keyvalue", "keyvalue ", "hyperbahn2"] {
            let call = Call {
                service,
                caller: "web",
                ..Call::default()
            };
            let shown = shown(&call, &view(), Origin::Caller);
            assert!(shown.starts_with("declined: no peer available"), "{shown}");
        }
    }
}
