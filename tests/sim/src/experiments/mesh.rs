//! Routers that hold registrations: what each needs and says, and how long it takes until all is in place again when
//! one of them dies.

use std::time::Duration;

use super::{SECOND, Settings, Table, seconds};
use crate::report::{cpu_seconds, number, percentile, rss_kib};
use crate::{Found, Nanos, Routers};

pub(super) fn run(settings: &Settings) -> Table {
    let (began, rss) = (cpu_seconds(), rss_kib());
    let mut mesh = Routers::formed(settings.size, settings.registrations, settings.seed);
    // All have advertised by then.
    mesh.run(70 * SECOND);
    let per_router = (rss_kib() - rss) / settings.size as f64;

    let mut table = Table::new(["", "ours", "worst", "goal"]);
    let mut row = |name: &str, ours: &str| table.row([&name, &ours, &"", &""]);
    row("KiB of RAM a router", &number(per_router, 0));
    quiet(&mut mesh, settings, &mut row);
    let cost = mesh.cost(10, CALLS);
    row("µs of CPU a call, exits unknown", &number(cost.entry_us, 2));
    row("µs of CPU a call at its exit", &number(cost.exit_us, 2));

    for (what, refuses) in [("process killed", true), ("host silent", false)] {
        let deaths: Vec<_> = (0..settings.runs.div_ceil(2))
            .map(|_| die(&mut mesh, refuses))
            .collect();
        let mut row = |name: &str, digits, goal: &str, get: &dyn Fn(&Death) -> f64| {
            let mut values: Vec<_> = deaths.iter().map(get).collect();
            let [middle, worst] = [0.5, 1.0].map(|share| percentile(&mut values, share));
            let name = format!("{what}: {name}");
            table.row([
                &name,
                &number(middle, digits),
                &number(worst, digits),
                &goal,
            ]);
        };
        row("s until the first router knows", 2, "", &|death| {
            death.first
        });
        row("s until all know", 2, "", &|death| death.last);
        row("s until all registrations are in place", 2, "", &|death| {
            death.whole
        });
        row("registrations handed over", 0, "", &|death| {
            death.handed_over
        });
        row(
            "calls in 1,000 that turn to another exit",
            1,
            "",
            &|death| death.turned,
        );
        row("calls in 1,000 that find nobody", 1, "0", &|death| {
            death.lost
        });
    }
    let mut row = |name: &str, ours: &str| table.row([&name, &ours, &"", &""]);
    row("CPU seconds, all", &number(cpu_seconds() - began, 1));
    row("trace", &format!("{:016x}", mesh.world.trace));
    table
}

/// Counts what is sent while nothing but renewals happens.
fn quiet(mesh: &mut Routers, settings: &Settings, row: &mut dyn FnMut(&str, &str)) {
    let (members, told) = (mesh.world.traffic(), mesh.told);
    mesh.run(settings.time);
    let router_seconds = settings.size as f64 * settings.time.as_secs_f64();
    let rate = |after: u64, before: u64| number((after - before) as f64 / router_seconds, 1);
    let after = mesh.world.traffic();
    row("messages/s a router, membership", &rate(after.0, members.0));
    row("bytes/s a router, membership", &rate(after.1, members.1));
    let after = mesh.told;
    row(
        "messages/s a router, renewals",
        &rate(after.messages, told.messages),
    );
    row("bytes/s a router, renewals", &rate(after.bytes, told.bytes));
}

/// What came of one; times in seconds since then, never if it took longer than [`LIMIT`].
struct Death {
    first: f64,
    last: f64,
    whole: f64,
    handed_over: f64,
    turned: f64,
    lost: f64,
}

fn die(mesh: &mut Routers, refuses: bool) -> Death {
    mesh.run(10 * SECOND);
    let (began, told) = (mesh.world.now(), mesh.told);
    let victim = mesh.kill_one(refuses);
    let mut found = Found::default();
    let mut whole = f64::INFINITY;
    while mesh.world.now() - began < LIMIT {
        mesh.find(SAMPLE, &mut found);
        mesh.run(LOOK);
        if mesh.is_whole() {
            whole = seconds(mesh.world.now() - began);
            break;
        }
    }
    let verdict = mesh.world.observer.verdict(victim).expect("it was killed");
    let in_thousand = |count: u64| count as f64 * 1e3 / found.calls as f64;
    Death {
        first: verdict
            .first
            .map_or(f64::INFINITY, |first| seconds(first - began)),
        last: seconds(verdict.last - began),
        whole,
        handed_over: (mesh.told.handed_over - told.handed_over) as f64,
        turned: in_thousand(found.turned),
        lost: in_thousand(found.lost),
    }
}

const LIMIT: Nanos = 60 * crate::SECOND;
const LOOK: Duration = Duration::from_millis(100);
/// Calls each time that the mesh is looked at.
const SAMPLE: u64 = 200;
/// Calls to see what one costs.
const CALLS: usize = 50_000;
