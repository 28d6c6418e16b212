//! Regular expressions whose work is bounded: a search is linear in the text, but by a factor that the pattern has, so
//! the larger the pattern, the shorter the texts that it is looked for in.

use std::borrow::Cow;

use crate::flow::Failure;

/// Sizes of compiled patterns that are told apart, in bytes, as powers of two. A greater pattern is refused.
const SIZES: [u32; 5] = [12, 14, 16, 18, 20];

/// The greatest product of a pattern's size and a text's length, as a power of two: well below a second.
const WORK: u32 = 32;

/// Longest text that even a small pattern is looked for in, as a power of two: 1 MiB.
const TEXT: u32 = 20;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    regex: regex::Regex,
    /// Its size, rounded up to one of [`SIZES`].
    size: u32,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// What is wrong with it, or that it is too large.
    pub(crate) fn compile(pattern: &str) -> Result<Pattern, String> {
        let build = |size: u32| regex::RegexBuilder::new(pattern).size_limit(1 << size).build();
        let mut problem = String::new();
        for size in SIZES {
            match build(size) {
                Ok(regex) => return Ok(Pattern { regex, size }),
                Err(regex::Error::CompiledTooBig(_)) => problem = String::from("it is too large"),
                Err(error) => {
                    let text = error.to_string();
                    return Err(text.lines().last().unwrap_or_default().trim().to_owned());
                }
            }
        }
        Err(problem)
    }

    /// Longest text that the pattern is looked for in, in bytes.
    fn text_max(&self) -> usize {
        1 << (WORK - self.size).min(TEXT)
    }

    /// How many bytes of a text of a small pattern a search for this one in so many bytes is worth.
    pub(crate) fn work(&self, bytes: usize) -> usize {
        bytes << (self.size - SIZES[0])
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The first group of the first match, or the whole match of a pattern without groups.
    pub(crate) fn extract<'a>(&self, text: Cow<'a, str>) -> Result<Cow<'a, str>, Failure> {
        let max = self.text_max();
        if text.len() > max {
            return Err(Failure::new(
                "too-long",
                format!(
                    "the value is longer than {max} bytes, which is too long for this pattern of `extract`"
                ),
                "shorten it at the source, point at a part of it with `pointer`, or make the pattern smaller: \
                 `[0-9]` is smaller than `\\d`, and a count such as `{1000}` is large",
            ));
        }
        let found = self.regex.captures(&text).and_then(|groups| groups.get(1).or_else(|| groups.get(0)));
        match found {
            Some(found) => Ok(Cow::Owned(found.as_str().to_owned())),
            None => Err(Failure::new(
                "no-match",
                "the value does not have the pattern that `extract` looks for",
                "correct the value at the source, or widen the pattern",
            )),
        }
    }
}
