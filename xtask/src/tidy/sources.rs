//! What every text file, and every Rust file, must look like.

/// What must not stand in a line, and why. Split in two so that this file does not report itself.
const FORBIDDEN: &[(&str, &str, &str)] = &[
    ("#[ign", "ore", "a test that is not run proves nothing; assert today's behaviour, or gate it aloud"),
    ("FIX", "ME", "finish it, or say in plain words what is missing"),
    ("XX", "X:", "finish it, or say in plain words what is missing"),
    ("/ro", "ot/", "a path of one machine"),
    ("/ho", "me/", "a path of one machine"),
    ("/Us", "ers/", "a path of one machine"),
    ("/wo", "rk/", "a path of one machine"),
    ("<<<<", "<<< ", "a merge was left half done"),
];

/// Problems of the file at `path` (relative to the root, `/` between parts), each with its place.
pub(super) fn problems(path: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if path.ends_with(".rs") && !path.contains("/fixtures/") && !text.starts_with("//! ") {
        problems.push(format!("{path}:1: must open with a `//!` sentence that says what the file is for"));
    }
    for (line, number) in text.lines().zip(1..) {
        for (head, tail, why) in FORBIDDEN {
            if line.match_indices(head).any(|(at, _)| line[at + head.len()..].starts_with(tail)) {
                problems.push(format!("{path}:{number}: `{head}{tail}`: {why}"));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rust_file_opens_with_a_sentence_unless_it_is_a_fixture() {
        assert_eq!(problems("crates/a/src/b.rs", "//! What b is for.\n"), Vec::<String>::new());
        assert_eq!(problems("crates/a/src/b.rs", "use std::fs;\n").len(), 1);
        assert_eq!(problems("crates/a/src/b.rs", "").len(), 1);
        assert_eq!(problems("crates/a/tests/fixtures/b.rs", "fn main() {}\n"), Vec::<String>::new());
        assert_eq!(problems("docs/b.md", "# Title\n"), Vec::<String>::new());
    }

    #[test]
    fn each_forbidden_word_is_found_with_its_line() {
        for (head, tail, why) in FORBIDDEN {
            let found = problems("docs/b.md", &format!("fine\nhere {head}{tail}x\n"));
            assert_eq!(found, [format!("docs/b.md:2: `{head}{tail}`: {why}")]);
        }
    }
}
