//! Which known name an unknown one may have meant.

/// Those of `known` that are near to `name`, nearest first.
pub(super) fn names<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = plain(name);
    let allowed = (wanted.len() / 3).max(1);
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .map(|known| (distance(&plain(known), &wanted), known))
        .filter(|(distance, _)| *distance <= allowed && *distance < wanted.len())
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().map(|(_, name)| name).collect()
}

/// `, did you mean "key"?`, or which names there are.
pub(super) fn hint<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    if let Some(near) = names(name, known.clone()).first() {
        return format!("did you mean {near:?}?");
    }
    let shown: Vec<&str> = known.clone().take(SHOWN_MAX).collect();
    let more = if known.count() > SHOWN_MAX {
        ", .."
    } else {
        ""
    };
    match shown[..] {
        [] => "none is expected".to_owned(),
        [one] => format!("expected {one}"),
        _ => format!("expected one of {}{more}", shown.join(", ")),
    }
}

/// Names differ in letter case and underscores more often than in letters.
fn plain(name: &str) -> Vec<char> {
    let letters = name.chars().filter(|c| *c != '_' && *c != ':');
    letters
        .flat_map(char::to_lowercase)
        .take(NAME_CHARS)
        .collect()
}

/// How many letters have to change, or to trade places with the next, to make one word of the other.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut table = vec![vec![0; other.len() + 1]; one.len() + 1];
    for i in 0..=one.len() {
        for j in 0..=other.len() {
            table[i][j] = match (i, j) {
                (0, added) => added,
                (removed, 0) => removed,
                _ => {
                    let changed = table[i - 1][j - 1] + usize::from(one[i - 1] != other[j - 1]);
                    let best = changed.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                    let is_trade =
                        i > 1 && j > 1 && one[i - 2] == other[j - 1] && one[i - 1] == other[j - 2];
                    match is_trade {
                        true => best.min(table[i - 2][j - 2] + 1),
                        false => best,
                    }
                }
            };
        }
    }
    table[one.len()][other.len()]
}

/// Letters of a name that are looked at.
const NAME_CHARS: usize = 100;

/// Names that a complaint lists.
const SHOWN_MAX: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: &[&str]) {
        let known = ["key", "value", "user_id", "KeyValue::get", "KeyValue::put"];
        assert_eq!(names(name, known), expected);
    }

    #[test]
    fn a_slip_of_the_keyboard_is_near() {
        check("kye", &["key"]);
        check("kay", &["key"]);
        check("vlaue", &["value"]);
        check("valu", &["value"]);
        check("userId", &["user_id"]);
        check("keyvalue::get", &["KeyValue::get", "KeyValue::put"]);
        check("colour", &[]);
        check("k", &[]);
    }
}
