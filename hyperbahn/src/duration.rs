//! Lengths of time as people write them: `400s`, `500ms`, `5m`, `1h`.

use std::time::Duration;

/// What [`parse`] takes, for messages.
pub const SHAPE: &str = "a whole number with a unit: ms, s, m or h, such as 500ms or 30s";

/// The duration that `text` stands for; `None` when it is not [shaped](SHAPE) so.
pub fn parse(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let seconds = |each: u64| Some(Duration::from_secs(number.checked_mul(each)?));
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => seconds(1),
        "m" => seconds(60),
        "h" => seconds(3600),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit_make_a_duration() {
        for (text, ms) in [
            ("0ms", 0),
            ("500ms", 500),
            ("400s", 400_000),
            ("5m", 300_000),
            ("1h", 3_600_000),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "s",
            "5",
            "-1s",
            "1.5s",
            "5 s",
            "5S",
            "5d",
            "1s500ms",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
