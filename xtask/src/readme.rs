//! The README's two commands, read from the README, so that what it promises is what is run.

/// What a newcomer is told to type.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Commands {
    /// Shows the product.
    pub(crate) demo: String,
    /// Runs the tests.
    pub(crate) test: String,
}

/// Finds the two commands. Each stands alone in a fenced block right below its mark:
///
/// ````text
/// <!-- command: test -->
/// ```sh
/// cargo test
/// ```
/// ````
pub(crate) fn commands(readme: &str) -> Result<Commands, String> {
    Ok(Commands { demo: command(readme, "demo")?, test: command(readme, "test")? })
}

fn command(readme: &str, name: &str) -> Result<String, String> {
    let mark = format!("<!-- command: {name} -->");
    let mut places = readme.match_indices(&mark);
    let (Some((at, _)), None) = (places.next(), places.next()) else {
        return Err(format!("README.md: `{mark}` must stand in it exactly once"));
    };
    let mut lines = readme[at..].lines().skip(1);
    match (lines.next(), lines.next(), lines.next()) {
        (Some("```sh"), Some(command), Some("```")) if command.starts_with("cargo ") => {
            Ok(command.to_owned())
        }
        _ => Err(format!("README.md: below `{mark}` a ```sh block of one cargo command must follow")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# Kit\n<!-- command: demo -->\n```sh\ncargo run -- demo\n```\n\n\
                        <!-- command: test -->\n```sh\ncargo test\n```\n";

    #[test]
    fn both_commands_are_found() {
        let expected = Commands { demo: "cargo run -- demo".to_owned(), test: "cargo test".to_owned() };
        assert_eq!(commands(GOOD), Ok(expected));
    }

    #[test]
    fn a_missing_doubled_or_longer_block_is_refused() {
        for bad in [
            GOOD.replace("command: test", "command: tests"),
            GOOD.repeat(2),
            GOOD.replace("cargo test\n", "cargo test\ncargo doc\n"),
            GOOD.replace("cargo test\n", "make\n"),
            GOOD.replace("```sh", "```"),
            String::new(),
        ] {
            assert!(commands(&bad).is_err(), "{bad}");
        }
    }
}
