//! What a router holds in RAM: alone, with idle connections, with registrations.

use super::crowd::Crowd;
use super::process::Process;
use super::relay::{ENDS, RELAY, router};
use super::spread::short;
use super::table::Table;
use super::{Error, Settings};

/// Connections of the largest crowd: a router takes 10,000, and others want some.
pub const MANY: usize = 9_900;
/// Names each of them advertises there.
const NAMES: usize = 10;

/// Starts a router for each crowd and looks at its memory.
///
/// # Errors
///
/// When a router or a crowd does not start.
pub fn measure(settings: &Settings) -> Result<Table, Error> {
    let mut table = Table::new(
        "memory of one router",
        &["with", "RSS MiB", "KiB a connection beyond the first row"],
    );
    let idle = rss_mib(settings, None)?;
    table.row(["nothing".to_owned(), short(idle), String::new()]);
    for (connections, names) in [(1_000, 0), (MANY, 0), (MANY, NAMES)] {
        let crowd = Crowd {
            connections,
            names,
            services: 10_000,
        };
        let rss = rss_mib(settings, Some(crowd))?;
        let title = match names {
            0 => format!("{connections} idle connections"),
            _ => format!(
                "{connections} connections, {} registrations",
                connections * names
            ),
        };
        let each = (rss - idle) * 1024.0 / connections as f64;
        table.row([title, short(rss), short(each)]);
    }
    Ok(table)
}

fn rss_mib(settings: &Settings, crowd: Option<Crowd>) -> Result<f64, Error> {
    let (router, address) = Process::serve(RELAY, &router(settings, &[]))?;
    let crowd = crowd.map(|crowd| crowd.join(settings, &address, ENDS));
    let _crowd = crowd.transpose()?;
    Ok(router.usage().rss_kib as f64 / 1024.0)
}
