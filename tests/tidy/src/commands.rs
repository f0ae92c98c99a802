//! The two commands a stranger types are the ones that continuous integration proves.

use crate::Complaints;
use crate::tree::{SourceFile, find};

/// What the README tells a stranger to type, in this order.
pub const COMMANDS: [&str; 2] = [
    "cargo run --release -p hyperbahn -- dev",
    "cargo test --workspace",
];

/// Complains when README.md, CONTRIBUTING.md and .ci/run part ways.
pub fn check(files: &[SourceFile]) -> Complaints {
    let mut complaints = Vec::new();
    for command in COMMANDS {
        require(files, "README.md", command, &mut complaints);
        require(files, ".ci/run", command, &mut complaints);
    }
    require(files, "CONTRIBUTING.md", COMMANDS[1], &mut complaints);
    complaints
}

fn require(files: &[SourceFile], path: &str, command: &str, complaints: &mut Complaints) {
    let found = find(files, path).is_some_and(|file| has_command(&file.text, command));
    if !found {
        complaints.push(format!(
            "{path} does not say `{command}`: write it there word for word, or change it everywhere \
             and in tests/tidy/src/commands.rs"
        ));
    }
}

/// Whether a line ends with the command, or a table or a sentence quotes it.
fn has_command(text: &str, command: &str) -> bool {
    let quoted = format!("`{command}`");
    text.lines().any(|line| {
        let code = line.trim().trim_end_matches(" &");
        (code.ends_with(command) && !code.starts_with('#')) || line.contains(&quoted)
    })
}

#[cfg(test)]
mod tests {
    use super::{COMMANDS, check};
    use crate::tree::SourceFile;

    fn project(readme: &str, ci: &str, contributing: &str) -> [SourceFile; 3] {
        [
            SourceFile::new("README.md", readme),
            SourceFile::new(".ci/run", ci),
            SourceFile::new("CONTRIBUTING.md", contributing),
        ]
    }

    #[test]
    fn the_same_words_everywhere_pass() {
        let both = COMMANDS.join("\n");
        let files = project(&both, &both, "| `cargo test --workspace` | all |");
        assert_eq!(check(&files), Vec::<String>::new());
    }

    #[test]
    fn a_command_with_other_flags_is_another_command() {
        let both = COMMANDS.join("\n");
        let other = both.replace("--workspace", "--workspace --all-features");
        assert_eq!(check(&project(&both, &other, &both)).len(), 1);
        assert_eq!(check(&project(&other, &both, &both)).len(), 1);
    }

    #[test]
    fn a_missing_file_is_refused() {
        assert_eq!(check(&[]).len(), 5);
    }
}
