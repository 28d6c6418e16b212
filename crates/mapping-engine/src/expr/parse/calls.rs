//! Calls: functions, methods, patterns and macros with their values.

use std::ops::Range;

use super::{Fold, Node, Parse, Parser, Part, problem};
use crate::expr::MACROS_MAX;
use crate::expr::call::{Function, Signature};
use crate::expr::token::Token;
use crate::flow::Ty;
use crate::problem::suggest;
use crate::steps::pattern::Pattern;

const FOLDS: [(&str, Fold); 5] = [
    ("all", Fold::All),
    ("exists", Fold::Exists),
    ("exists_one", Fold::ExistsOne),
    ("filter", Fold::Filter),
    ("map", Fold::Map),
];

impl Parser<'_> {
    /// The parts up to the closing mark, and where that ends.
    pub(super) fn arguments(&mut self, close: &str) -> Parse<(Vec<Part>, usize)> {
        let mut parts = Vec::new();
        let mut span = self.span();
        if self.take_mark(close) {
            return Ok((parts, span.end));
        }
        loop {
            parts.push(self.whole(Self::expression)?);
            span = self.span();
            if self.take_mark(close) {
                return Ok((parts, span.end));
            }
            self.expect(",")?;
        }
    }

    pub(super) fn function(&mut self, name: &str, span: Range<usize>) -> Parse<Part> {
        let (parts, end) = self.arguments(")")?;
        self.call(name, parts, span, end)
    }

    pub(super) fn method(&mut self, target: Part, name: &str, span: Range<usize>) -> Parse<Part> {
        if let Some((_, fold)) = FOLDS.iter().find(|(known, _)| *known == name) {
            return self.fold(*fold, target, span);
        }
        let (mut parts, end) = self.arguments(")")?;
        if name == "matches" {
            return self.matches(target, parts, span);
        }
        parts.insert(0, target);
        self.call(name, parts, span, end)
    }

    fn call(&mut self, name: &str, parts: Vec<Part>, span: Range<usize>, end: usize) -> Parse<Part> {
        let Some(Signature { function, takes, optional, gives, .. }) = Signature::find(name) else {
            return Err(problem(
                span,
                format!("there is no function `{name}`"),
                suggest(name, Signature::names(), "use one of the reference's"),
            ));
        };
        let count = parts.len();
        let many = *function == Function::Coalesce;
        if count < takes.len() || (count > takes.len() + optional.len() && !many) {
            return Err(problem(
                span,
                format!("`{name}` does not take {count} value(s)"),
                format!("write `{}`", Signature::example(name)),
            ));
        }
        for (part, kinds) in parts.iter().zip(takes.iter().chain(optional.iter())) {
            self.wants(part, kinds, &format!("in `{name}`"))?;
        }
        let gives = if many { parts.first().map_or(Ty::Any, |part| part.kind) } else { *gives };
        let gives = if many && parts.iter().any(|part| part.kind != gives) { Ty::Any } else { gives };
        let start = parts.first().map_or(span.start, |part| part.span.start.min(span.start));
        let nodes = parts.into_iter().map(|part| part.node).collect();
        self.part(Node::Call(*function, nodes), gives, start..end)
    }

    /// A pattern is compiled once, so it has to be in the file.
    fn matches(&mut self, target: Part, mut parts: Vec<Part>, span: Range<usize>) -> Parse<Part> {
        self.wants(&target, &[Ty::Text], "before `.matches`")?;
        let pattern = match (parts.pop(), parts.is_empty()) {
            (Some(Part { node: Node::Constant(value), span, .. }), true) if value.as_text().is_some() => {
                let pattern = value.as_text().unwrap_or_default();
                Pattern::compile(pattern).map_err(|reason| {
                    problem(span, format!("not a regular expression: {reason}"), "correct the pattern")
                })?
            }
            _ => {
                return Err(problem(
                    span,
                    "`matches` takes one pattern in quotes",
                    "write `name.matches(r'^[A-Z]+$')`",
                ));
            }
        };
        let span = target.span.start..span.end;
        self.part(Node::Matches(Box::new(target.node), Box::new(pattern)), Ty::Bool, span)
    }

    /// `list.exists(item, condition)` and its kin.
    fn fold(&mut self, fold: Fold, target: Part, span: Range<usize>) -> Parse<Part> {
        self.wants(&target, &[Ty::List], "before a macro")?;
        if self.locals.len() >= MACROS_MAX {
            return Err(problem(
                span,
                "macros are nested more than twice",
                "split the expression into several fields",
            ));
        }
        let name = match self.peek().clone() {
            Token::Name(name) => name,
            _ => {
                return Err(problem(
                    self.span(),
                    "a macro begins with a name for the item",
                    "write `list.exists(item, …)`",
                ));
            }
        };
        self.at += 1;
        self.expect(",")?;
        self.locals.push(name);
        let body = self.whole(Self::expression)?;
        self.locals.pop();
        let end = self.expect(")")?.end;
        if fold != Fold::Map {
            self.wants(&body, &[Ty::Bool], "as a macro's condition")?;
        }
        let kind = if matches!(fold, Fold::Filter | Fold::Map) { Ty::List } else { Ty::Bool };
        let span = target.span.start..end;
        self.part(Node::Fold(fold, Box::new([target.node, body.node])), kind, span)
    }
}
