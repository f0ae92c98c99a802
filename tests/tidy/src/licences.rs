//! Everything we build with has a licence that `deny.toml` accepts.

use serde_json::Value;
use toml::Table;

use crate::Complaints;
use crate::tree::{SourceFile, find};

/// Complains about packages whose licence is not accepted, whichever alternative is taken.
pub fn are_accepted(metadata: &Value, files: &[SourceFile]) -> Complaints {
    let accepted = accepted(files);
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages
        .filter_map(|package| {
            let (name, licence) = (&package["name"], package["license"].as_str());
            let licence = licence.unwrap_or("no licence");
            (!is_met(licence, &accepted)).then(|| {
                format!(
                    "{name} is under {licence}, which deny.toml does not accept: do without it, or \
                     add the licence there with a reason"
                )
            })
        })
        .collect()
}

fn accepted(files: &[SourceFile]) -> Vec<String> {
    let text = find(files, "deny.toml").map_or("", |file| &file.text);
    let deny = text.parse::<Table>().unwrap_or_default();
    let list = deny
        .get("licenses")
        .and_then(|licences| licences.get("allow")?.as_array());
    list.into_iter()
        .flatten()
        .filter_map(|licence| licence.as_str().map(str::to_owned))
        .collect()
}

/// Whether a licence expression can be met. `AND` binds before `OR`; old manifests write `/` for `OR`.
fn is_met(expression: &str, accepted: &[String]) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = &words[..];
    any(&mut rest, accepted) && rest.is_empty()
}

fn any(rest: &mut &[&str], accepted: &[String]) -> bool {
    let mut met = all(rest, accepted);
    while let ["OR", after @ ..] = *rest {
        *rest = after;
        met |= all(rest, accepted);
    }
    met
}

fn all(rest: &mut &[&str], accepted: &[String]) -> bool {
    let mut met = one(rest, accepted);
    while let ["AND", after @ ..] = *rest {
        *rest = after;
        met &= one(rest, accepted);
    }
    met
}

fn one(rest: &mut &[&str], accepted: &[String]) -> bool {
    match *rest {
        ["(", after @ ..] => {
            *rest = after;
            let met = any(rest, accepted);
            *rest = rest.strip_prefix(&[")"]).unwrap_or(&["unbalanced"]);
            met
        }
        [licence, "WITH", exception, after @ ..] => {
            *rest = after;
            let licence = format!("{licence} WITH {exception}");
            accepted.contains(&licence)
        }
        [licence, after @ ..] => {
            *rest = after;
            accepted.iter().any(|accepted| accepted == licence)
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::are_accepted;
    use crate::tree::SourceFile;

    #[track_caller]
    fn complaints(licence: Option<&str>) -> usize {
        let deny = "[licenses]\nallow = [\"MIT\", \"Unicode-3.0\"]\n";
        let metadata = json!({"packages": [{"name": "a", "license": licence}]});
        are_accepted(&metadata, &[SourceFile::new("deny.toml", deny)]).len()
    }

    #[test]
    fn one_accepted_alternative_is_enough() {
        for licence in [
            "MIT",
            "MIT OR Apache-2.0",
            "GPL-3.0/MIT",
            "(GPL-3.0 OR MIT) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR MIT",
        ] {
            assert_eq!(complaints(Some(licence)), 0, "{licence}");
        }
    }

    #[test]
    fn every_part_of_an_alternative_must_be_accepted() {
        for licence in [
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "GPL-3.0 OR MIT AND BSD-3-Clause",
            "(MIT",
        ] {
            assert_eq!(complaints(Some(licence)), 1, "{licence}");
        }
        assert_eq!(complaints(None), 1);
    }
}
