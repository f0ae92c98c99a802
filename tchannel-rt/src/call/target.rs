//! Whom a call is for, in one text: `service::method`.

/// Service and method: what stands before the first `::`, and all that stands behind it.
pub(crate) fn split_target(target: &str) -> (&str, &str) {
    // Byte by byte: these are short, and a searcher takes longer to set up than to search.
    let end = target.as_bytes().windows(2).position(|two| two == b"::");
    match end {
        Some(end) => (&target[..end], &target[end + 2..]),
        None => (target, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::split_target;

    #[test]
    fn the_first_two_colons_part_service_and_method() {
        assert_eq!(split_target("a::B::c"), ("a", "B::c"));
        assert_eq!(split_target("a:b::c"), ("a:b", "c"));
        assert_eq!(split_target("\u{e9}::\u{e8}"), ("\u{e9}", "\u{e8}"));
        assert_eq!(split_target("a"), ("a", ""));
        assert_eq!(split_target(""), ("", ""));
    }
}
