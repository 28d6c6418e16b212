//! The words of an expression.

use std::ops::Range;

use rust_decimal::Decimal;

use super::ExprProblem;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Name(String),
    Text(String),
    Number(Decimal),
    /// An operator or bracket.
    Mark(&'static str),
    End,
}

/// Longer marks stand before their beginnings.
const MARKS: [&str; 24] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ",", ".", "(", ")",
    "[", "]", "{", "}",
];

/// Splits an expression into tokens, the last of which is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, ExprProblem> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(first) = rest.chars().next() else { break };
        let end = match first {
            c if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '/' if rest.starts_with("//") => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            '0'..='9' => {
                let (token, length) = number(rest).ok_or_else(|| ExprProblem {
                    span: at..at + run(rest, |c| c.is_ascii_alphanumeric() || c == '.'),
                    reason: String::from("not a number"),
                    remedy: String::from(
                        "write it in digits, such as `12` or `0.19`, with at most 28 of them",
                    ),
                })?;
                found.push((token, at..at + length));
                at + length
            }
            '"' | '\'' => {
                let (value, length) = quoted(rest, first, false).map_err(|problem| shifted(problem, at))?;
                found.push((Token::Text(value), at..at + length));
                at + length
            }
            'r' | 'R' if rest.get(1..).is_some_and(|rest| rest.starts_with(['"', '\''])) => {
                let tail = rest.get(1..).unwrap_or_default();
                let quote = tail.chars().next().unwrap_or('"');
                let (value, length) =
                    quoted(tail, quote, true).map_err(|problem| shifted(problem, at + 1))?;
                found.push((Token::Text(value), at..at + 1 + length));
                at + 1 + length
            }
            c if c.is_alphabetic() || c == '_' => {
                let length = run(rest, |c| c.is_alphanumeric() || c == '_');
                found.push((Token::Name(rest.get(..length).unwrap_or_default().to_owned()), at..at + length));
                at + length
            }
            other => match MARKS.iter().find(|mark| rest.starts_with(**mark)) {
                Some(mark) => {
                    found.push((Token::Mark(mark), at..at + mark.len()));
                    at + mark.len()
                }
                None => {
                    return Err(ExprProblem {
                        span: at..at + other.len_utf8(),
                        reason: format!("`{}` has no meaning in an expression", other.escape_default()),
                        remedy: String::from(match other {
                            '=' => "write `==` to compare",
                            '&' => "write `&&` for `and`",
                            '|' => "write `||` for `or`",
                            _ => "remove it, or put it into quotes",
                        }),
                    });
                }
            },
        };
        at = end;
    }
    found.push((Token::End, text.len()..text.len()));
    Ok(found)
}

fn shifted(problem: ExprProblem, by: usize) -> ExprProblem {
    ExprProblem { span: problem.span.start + by..problem.span.end + by, ..problem }
}

/// How many bytes at the beginning belong together.
fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

fn number(text: &str) -> Option<(Token, usize)> {
    let digits = |text: &str| run(text, |c| c.is_ascii_digit());
    let mut length = digits(text);
    if let Some(fraction) = text.get(length..).and_then(|rest| rest.strip_prefix('.')) {
        let count = digits(fraction);
        if count > 0 {
            length += 1 + count;
        }
    }
    let rest = text.get(length..).unwrap_or_default();
    if rest.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        return None;
    }
    let value = Decimal::from_str_exact(text.get(..length)?).ok()?;
    Some((Token::Number(value), length))
}

/// A text in quotes and its length with them.
fn quoted(text: &str, quote: char, raw: bool) -> Result<(String, usize), ExprProblem> {
    let problem = |span: Range<usize>, reason: &str, remedy: &str| ExprProblem {
        span,
        reason: reason.to_owned(),
        remedy: remedy.to_owned(),
    };
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Ok((value, at + c.len_utf8())),
            '\\' if !raw => {
                let escaped = chars.next();
                let c = match escaped.map(|(_, c)| c) {
                    Some('n') => '\n',
                    Some('r') => '\r',
                    Some('t') => '\t',
                    Some(c @ ('\\' | '"' | '\'' | '`' | '?')) => c,
                    Some('u') => {
                        let code: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                        let c = u32::from_str_radix(&code, 16)
                            .ok()
                            .filter(|_| code.len() == 4)
                            .and_then(char::from_u32);
                        c.ok_or_else(|| {
                            problem(
                                at..at + 2,
                                "not a character's code",
                                "write four digits, such as `\\u00e4`",
                            )
                        })?
                    }
                    _ => {
                        return Err(problem(
                            at..at + 1,
                            "unknown escape in a text",
                            "write `\\\\` for a backslash, or put `r` before the quotes",
                        ));
                    }
                };
                value.push(c);
            }
            c => value.push(c),
        }
    }
    Err(problem(0..1, "the text has no end", "close it with the same kind of quote"))
}
