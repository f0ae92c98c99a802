//! Writing to the terminal, or to whatever stands in its place.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use super::exit::Exit;

/// One line for whoever reads standard output. Nobody may be left to read it; that is no error.
pub(crate) fn line(text: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// One line beside the output, or several.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{}", printable(&text.to_string()));
}

// Messages and names come from anybody, and a terminal obeys control characters.
fn printable(text: &str) -> String {
    let shown = text.chars().map(|c| match c {
        '\n' => c.to_string(),
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    });
    shown.collect()
}

/// Bytes as they are; on a terminal, the line is ended.
pub(crate) fn bytes(bytes: &[u8]) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(bytes);
    if stdout.is_terminal() && !bytes.ends_with(b"\n") {
        let _ = stdout.write_all(b"\n");
    }
    let _ = stdout.flush();
}

/// Says why the tool cannot go on.
pub(crate) fn fail(reason: impl Display) -> Exit {
    note(format_args!("hyperbahn: {reason}"));
    Exit::Tool
}

/// Says what is wrong with the command line.
pub(crate) fn refuse(reason: impl Display) -> Exit {
    note(format_args!("hyperbahn: {reason}"));
    Exit::Usage
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_cannot_command_the_terminal() {
        assert_eq!(printable("a\nb\u{1b}[2J\u{9b}ü"), "a\nb\\u{1b}[2J\\u{9b}ü");
    }
}
