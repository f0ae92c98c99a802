//! The registry on a clock that moves when told.

use super::*;

const A: &str = "10.0.0.1:4040";
const B: &str = "10.0.0.2:4040";

/// A registry, its clock, and addresses by their text.
struct Bench {
    registry: Registry,
    now: Instant,
}

impl Bench {
    fn new(config: RegistryConfig) -> Self {
        Self {
            registry: Registry::new(config),
            now: Instant::now(),
        }
    }

    fn advertise(&mut self, instance: &str, names: &[&str]) -> Result<(), AdvertiseError> {
        self.registry.advertise(self.now, &offers(instance, names))
    }

    fn unadvertise(&mut self, instance: &str, names: &[&str]) -> usize {
        self.registry
            .unadvertise(self.now, &offers(instance, names))
    }

    fn hand(&mut self, instance: &str, name: &str, age: u64) -> usize {
        let [offer] = <[Offer; 1]>::try_from(offers(instance, &[name])).unwrap();
        let age = Duration::from_secs(age);
        self.registry
            .take_over(self.now, &[Handed { offer, age }])
            .unwrap()
    }

    fn pass(&mut self, seconds: u64) -> Vec<String> {
        self.now += Duration::from_secs(seconds);
        let expired = self.registry.handle_timeout(self.now);
        let shown = expired
            .iter()
            .map(|gone| format!("{}@{}", gone.name, gone.instance));
        shown.collect()
    }

    #[track_caller]
    fn changes(&mut self, expected: &str) {
        let (_, mut changed) = self.registry.changed_services();
        changed.sort_unstable();
        assert_eq!(changed.join(" "), expected);
    }

    /// `name=address,address; …`
    #[track_caller]
    fn holds(&mut self, expected: &str) {
        let services = self.registry.services();
        let shown: Vec<_> = services
            .iter()
            .map(|(name, instances)| {
                let addresses: Vec<_> = instances.iter().map(HostPort::as_str).collect();
                format!("{name}={}", addresses.join(","))
            })
            .collect();
        assert_eq!(shown.join("; "), expected);
    }
}

fn offers(instance: &str, names: &[&str]) -> Vec<Offer> {
    let offer = |name: &&str| Offer {
        name: (*name).to_owned(),
        instance: at(instance),
    };
    names.iter().map(offer).collect()
}

fn at(text: &str) -> HostPort {
    HostPort::parse(text).unwrap()
}

#[test]
fn an_advertised_name_lists_its_instances_in_order() {
    let mut bench = Bench::new(RegistryConfig::default());
    bench.advertise(B, &["keyvalue"]).unwrap();
    bench.advertise(A, &["keyvalue", "other"]).unwrap();
    bench.holds("keyvalue=10.0.0.1:4040,10.0.0.2:4040; other=10.0.0.1:4040");
}

#[test]
fn every_instance_of_a_service_is_listed_with_all_its_names() {
    let mut bench = Bench::new(RegistryConfig::default());
    bench.advertise(A, &["keyvalue", "other"]).unwrap();
    bench.advertise(B, &["keyvalue"]).unwrap();
    let services = bench.registry.services();
    let beside: Vec<_> = services.names_beside("keyvalue").into_iter().collect();
    assert_eq!(
        beside,
        [
            (&at(A), vec!["keyvalue", "other"]),
            (&at(B), vec!["keyvalue"])
        ]
    );
    assert!(services.names_beside("nosuch").is_empty());
}

#[test]
fn unadvertising_one_name_leaves_the_other_names_of_that_address() {
    let mut bench = Bench::new(RegistryConfig::default());
    bench.advertise(A, &["keyvalue", "other"]).unwrap();
    assert_eq!(bench.unadvertise(A, &["keyvalue", "never-seen"]), 1);
    bench.holds("other=10.0.0.1:4040");
}

#[test]
fn unadvertising_touches_no_other_address() {
    let mut bench = Bench::new(RegistryConfig::default());
    bench.advertise(A, &["keyvalue"]).unwrap();
    assert_eq!(bench.unadvertise(B, &["keyvalue"]), 0);
    bench.holds("keyvalue=10.0.0.1:4040");
}

#[test]
fn a_name_nobody_offers_takes_no_memory() {
    let mut bench = Bench::new(RegistryConfig::default());
    bench.advertise(A, &["keyvalue"]).unwrap();
    bench.unadvertise(A, &["keyvalue"]);
    assert!(bench.registry.services.is_empty());
    assert!(bench.registry.due.is_empty());
    assert_eq!(bench.registry.registrations, 0);
    bench.holds("");
}

#[test]
fn an_instance_silent_for_the_expiry_is_forgotten_on_the_second() {
    let mut bench = Bench::new(RegistryConfig::default());
    bench.advertise(A, &["keyvalue"]).unwrap();
    assert_eq!(bench.pass(399), [] as [String; 0]);
    bench.holds("keyvalue=10.0.0.1:4040");
    assert_eq!(bench.pass(1), ["keyvalue@10.0.0.1:4040"]);
    bench.holds("");
    assert_eq!(bench.registry.poll_timeout(), None);
}

#[test]
fn a_renewal_puts_expiry_off_for_the_names_it_carries_only() {
    let mut bench = Bench::new(RegistryConfig::default());
    bench.advertise(A, &["keyvalue", "other"]).unwrap();
    bench.pass(185);
    bench.advertise(A, &["keyvalue"]).unwrap();
    assert_eq!(bench.pass(215), ["other@10.0.0.1:4040"]);
    bench.holds("keyvalue=10.0.0.1:4040");
    assert_eq!(bench.pass(185), ["keyvalue@10.0.0.1:4040"]);
}

#[test]
fn without_expiry_nothing_is_ever_due() {
    let mut bench = Bench::new(RegistryConfig {
        expiry: None,
        ..RegistryConfig::default()
    });
    bench.advertise(A, &["keyvalue"]).unwrap();
    assert_eq!(bench.registry.poll_timeout(), None);
    assert_eq!(bench.pass(u64::from(u32::MAX)), [] as [String; 0]);
    bench.holds("keyvalue=10.0.0.1:4040");
}

#[test]
fn the_view_is_the_same_value_until_something_appears_or_goes() {
    let mut bench = Bench::new(RegistryConfig::default());
    bench.advertise(A, &["keyvalue"]).unwrap();
    let before = bench.registry.services();
    bench.pass(60);
    bench.advertise(A, &["keyvalue"]).unwrap();
    assert!(Arc::ptr_eq(&before, &bench.registry.services()));
    bench.advertise(B, &["keyvalue"]).unwrap();
    assert!(!Arc::ptr_eq(&before, &bench.registry.services()));
    assert_eq!(before.instances("keyvalue").unwrap().len(), 1);
}

#[test]
fn instances_of_untouched_services_are_shared_between_views() {
    let mut bench = Bench::new(RegistryConfig::default());
    bench.advertise(A, &["keyvalue"]).unwrap();
    let before = bench.registry.services();
    bench.advertise(A, &["other"]).unwrap();
    let after = bench.registry.services();
    assert!(Arc::ptr_eq(
        before.instances("keyvalue").unwrap(),
        after.instances("keyvalue").unwrap()
    ));
}

#[test]
fn a_change_is_told_by_the_names_it_concerns() {
    let mut bench = Bench::new(RegistryConfig::default());
    bench.advertise(A, &["keyvalue", "other"]).unwrap();
    bench.holds("keyvalue=10.0.0.1:4040; other=10.0.0.1:4040");
    bench.changes("keyvalue other");
    bench.advertise(A, &["keyvalue"]).unwrap();
    bench.changes("");
    bench.advertise(B, &["other"]).unwrap();
    bench.changes("other");
    bench.unadvertise(A, &["keyvalue"]);
    bench.changes("keyvalue");
    bench.advertise(A, &["brief"]).unwrap();
    bench.unadvertise(A, &["brief"]);
    bench.changes("brief");
    bench.pass(400);
    bench.changes("other");
    bench.holds("");
}

#[test]
fn a_refused_advertisement_leaves_nothing_behind() {
    let mut bench = Bench::new(RegistryConfig::default());
    let long = "n".repeat(256);
    let refused = bench.advertise(A, &["fine", &long]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!(
            "service name \"{}…\" has 256 bytes: the most is 255",
            "n".repeat(40)
        )
    );
    bench.holds("");
}

#[test]
fn every_bound_refuses_by_naming_the_value() {
    let tight = RegistryConfig {
        max_services: 2,
        max_instances_per_service: 2,
        max_registrations: 3,
        max_names_per_ad: 3,
        ..RegistryConfig::default()
    };
    let mut bench = Bench::new(tight);
    check(
        bench.advertise(A, &["a", "b", "c", "d"]),
        "4 services in one advertisement: the most is 3, send several",
    );
    check(
        bench.advertise(A, &["a", "b", "c"]),
        "no room for service \"c\": 2 services are registered already",
    );
    bench.advertise(A, &["a", "b"]).unwrap();
    bench.advertise(B, &["a"]).unwrap();
    check(
        bench.advertise("10.0.0.3:1", &["a"]),
        "no room for another instance of \"a\": 2 are registered already",
    );
    check(
        bench.advertise(B, &["b"]),
        "no room for an instance of \"b\": 3 registrations are held already",
    );
    check(
        bench.advertise(B, &[""]),
        "a service name is empty: give it 1 to 255 bytes",
    );
}

#[test]
fn a_full_registry_still_renews_what_it_holds() {
    let mut bench = Bench::new(RegistryConfig {
        max_services: 1,
        max_instances_per_service: 1,
        max_registrations: 1,
        ..RegistryConfig::default()
    });
    bench.advertise(A, &["a"]).unwrap();
    bench.pass(300);
    bench.advertise(A, &["a", "a"]).unwrap();
    assert_eq!(bench.pass(300), [] as [String; 0]);
}

#[test]
fn what_is_handed_over_runs_out_when_it_would_have_where_it_came_from() {
    let mut bench = Bench::new(RegistryConfig::default());
    assert_eq!(bench.hand(A, "a", 300), 1);
    assert_eq!(bench.pass(99), [] as [String; 0]);
    assert_eq!(bench.pass(1), ["a@10.0.0.1:4040"]);
    assert_eq!(bench.hand(A, "a", 400), 0);
    bench.holds("");
}

#[test]
fn a_direct_advertisement_outlives_an_older_one_that_is_handed_over() {
    let mut bench = Bench::new(RegistryConfig::default());
    bench.advertise(A, &["a"]).unwrap();
    bench.hand(A, "a", 399);
    assert_eq!(bench.pass(399), [] as [String; 0]);
    let held = bench.registry.held(bench.now, "a");
    assert_eq!(held[0].age, Duration::from_secs(399));
    assert!(bench.registry.held(bench.now, "b").is_empty());
}

#[test]
fn what_was_withdrawn_comes_back_only_from_the_instance_itself() {
    let mut bench = Bench::new(RegistryConfig::default());
    bench.advertise(A, &["a"]).unwrap();
    bench.unadvertise(A, &["a"]);
    bench.hand(A, "a", 0);
    bench.holds("");
    bench.pass(9);
    bench.hand(A, "a", 0);
    bench.holds("");
    bench.advertise(A, &["a"]).unwrap();
    bench.holds("a=10.0.0.1:4040");
    bench.unadvertise(A, &["a"]);
    bench.pass(10);
    bench.hand(A, "a", 0);
    bench.holds("a=10.0.0.1:4040");
}

#[test]
fn withdrawals_are_remembered_within_bounds() {
    let mut bench = Bench::new(RegistryConfig {
        max_registrations: 3,
        ..RegistryConfig::default()
    });
    for port in 1..100 {
        bench.unadvertise(&format!("10.0.0.1:{port}"), &["a"]);
    }
    bench.hand("10.0.0.1:99", "a", 0);
    bench.holds("");
    bench.hand("10.0.0.1:96", "a", 0);
    bench.holds("a=10.0.0.1:96");
}

#[test]
fn a_released_service_leaves_nothing_behind_and_can_come_back() {
    let mut bench = Bench::new(RegistryConfig::default());
    bench.advertise(A, &["a", "b"]).unwrap();
    bench.advertise(B, &["a"]).unwrap();
    bench.registry.release("a");
    bench.holds("b=10.0.0.1:4040");
    assert_eq!(bench.registry.names().collect::<Vec<_>>(), ["b"]);
    bench.hand(B, "a", 0);
    bench.holds("a=10.0.0.2:4040; b=10.0.0.1:4040");
}

#[test]
fn only_a_refusal_that_time_can_heal_is_worth_repeating() {
    assert!(AdvertiseError::EmptyName.is_permanent());
    let full = AdvertiseError::TooManyServices {
        name: "a".into(),
        limit: 1,
    };
    assert!(!full.is_permanent());
}

#[track_caller]
fn check(refused: Result<(), AdvertiseError>, expected: &str) {
    assert_eq!(
        refused.map_err(|error| error.to_string()),
        Err(expected.to_owned())
    );
}
