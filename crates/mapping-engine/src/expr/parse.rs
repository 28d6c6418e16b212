//! The grammar: tokens to a tree whose kinds fit together.

mod calls;

use std::ops::Range;

use sync_types::Value;

use super::call::Function;
use super::token::{Token, tokens};
use super::{DEPTH_MAX, ExprProblem, NODES_MAX, TEXT_MAX};
use crate::flow::Ty;
use crate::steps::pattern::Pattern;

/// A part of an expression.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Constant(Value),
    /// A path of the record, by its place among those that are read.
    Path(usize),
    /// The item of a macro, by how many macros stand around its name.
    Local(usize),
    Select(Box<Node>, Box<str>),
    Index(Box<[Node; 2]>),
    List(Vec<Node>),
    Not(Box<Node>),
    Negate(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    If(Box<[Node; 3]>),
    Compare(Order, Box<[Node; 2]>),
    In(Box<[Node; 2]>),
    Arithmetic(Operator, Box<[Node; 2]>),
    Call(Function, Vec<Node>),
    Matches(Box<Node>, Box<Pattern>),
    Fold(Fold, Box<[Node; 2]>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// The macros: what is made of a list's items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fold {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

pub(super) struct Parsed {
    pub(super) node: Node,
    pub(super) kind: Ty,
    pub(super) reads: Vec<String>,
}

/// A part with what it gives and where it stands.
struct Part {
    node: Node,
    kind: Ty,
    span: Range<usize>,
    /// The dotted name, as long as the part is nothing else.
    path: Option<String>,
}

struct Parser<'a> {
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    depth: usize,
    nodes: usize,
    locals: Vec<String>,
    reads: Vec<String>,
    kind_of: &'a dyn Fn(&str) -> Option<Ty>,
}

type Parse<T> = Result<T, ExprProblem>;

pub(super) fn parse(text: &str, kind_of: &dyn Fn(&str) -> Option<Ty>) -> Parse<Parsed> {
    if text.len() > TEXT_MAX {
        return Err(problem(
            0..text.len(),
            "the expression is longer than 4,096 bytes",
            "split it into several fields",
        ));
    }
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        depth: 0,
        nodes: 0,
        locals: Vec::new(),
        reads: Vec::new(),
        kind_of,
    };
    let part = parser.expression()?;
    let part = parser.resolve(part)?;
    match parser.peek() {
        Token::End => Ok(Parsed { node: part.node, kind: part.kind, reads: parser.reads }),
        _ => Err(problem(
            parser.span(),
            "the expression goes on after its end",
            "put an operator between the two parts",
        )),
    }
}

fn problem(span: Range<usize>, reason: impl Into<String>, remedy: impl Into<String>) -> ExprProblem {
    ExprProblem { span, reason: reason.into(), remedy: remedy.into() }
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    fn span(&self) -> Range<usize> {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(0..0, |(_, span)| span.clone())
    }

    fn take_mark(&mut self, mark: &str) -> bool {
        let found = matches!(self.peek(), Token::Mark(found) if *found == mark);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, mark: &str) -> Parse<Range<usize>> {
        let span = self.span();
        if self.take_mark(mark) {
            return Ok(span);
        }
        Err(problem(span, format!("here `{mark}` is missing"), format!("add `{mark}`")))
    }

    /// One of the marks, if it comes next.
    fn one_of<T: Copy>(&mut self, marks: &[(&str, T)]) -> Option<T> {
        let (_, found) = marks
            .iter()
            .copied()
            .find(|(mark, _)| matches!(self.peek(), Token::Mark(next) if next == mark))?;
        self.at += 1;
        Some(found)
    }

    fn part(&mut self, node: Node, kind: Ty, span: Range<usize>) -> Parse<Part> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(problem(
                span,
                "the expression has more than 512 parts",
                "split it into several fields",
            ));
        }
        Ok(Part { node, kind, span, path: None })
    }

    /// Turns a dotted name into the path it is.
    fn resolve(&mut self, part: Part) -> Parse<Part> {
        let Some(path) = &part.path else { return Ok(part) };
        let Some(kind) = (self.kind_of)(path) else {
            return Err(problem(
                part.span,
                format!("the source has no column `{path}`"),
                "name a column of the link's collection; one with odd characters is written `record[\"its name\"]`",
            ));
        };
        let place = match self.reads.iter().position(|read| read == path) {
            Some(place) => place,
            None => {
                self.reads.push(path.clone());
                self.reads.len() - 1
            }
        };
        Ok(Part { node: Node::Path(place), kind, span: part.span, path: None })
    }

    fn whole(&mut self, parse: impl FnOnce(&mut Self) -> Parse<Part>) -> Parse<Part> {
        let part = parse(self)?;
        self.resolve(part)
    }

    fn expression(&mut self) -> Parse<Part> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(problem(
                self.span(),
                "the expression is nested more than 24 deep",
                "split it into several fields",
            ));
        }
        let part = self.choice()?;
        self.depth -= 1;
        Ok(part)
    }

    fn choice(&mut self) -> Parse<Part> {
        let condition = self.any()?;
        if !self.take_mark("?") {
            return Ok(condition);
        }
        let condition = self.resolve(condition)?;
        self.wants(&condition, &[Ty::Bool], "before `?`")?;
        let yes = self.whole(Self::any)?;
        self.expect(":")?;
        let no = self.whole(Self::expression)?;
        let kind = if yes.kind == no.kind { yes.kind } else { Ty::Any };
        let span = condition.span.start..no.span.end;
        self.part(Node::If(Box::new([condition.node, yes.node, no.node])), kind, span)
    }

    fn any(&mut self) -> Parse<Part> {
        self.chain("||", Self::every, Node::Or)
    }

    fn every(&mut self) -> Parse<Part> {
        self.chain("&&", Self::relation, Node::And)
    }

    /// Conditions with one mark between them, kept side by side so that long lists are not deep.
    fn chain(
        &mut self,
        mark: &str,
        next: fn(&mut Self) -> Parse<Part>,
        make: fn(Vec<Node>) -> Node,
    ) -> Parse<Part> {
        let first = next(self)?;
        if !matches!(self.peek(), Token::Mark(found) if *found == mark) {
            return Ok(first);
        }
        let first = self.resolve(first)?;
        self.wants(&first, &[Ty::Bool], mark)?;
        let mut span = first.span;
        let mut nodes = vec![first.node];
        while self.take_mark(mark) {
            let part = self.whole(next)?;
            self.wants(&part, &[Ty::Bool], mark)?;
            span.end = part.span.end;
            nodes.push(part.node);
        }
        self.part(make(nodes), Ty::Bool, span)
    }

    fn relation(&mut self) -> Parse<Part> {
        let orders = [
            ("==", Order::Equal),
            ("!=", Order::Unequal),
            ("<=", Order::LessOrEqual),
            ("<", Order::Less),
            (">=", Order::GreaterOrEqual),
            (">", Order::Greater),
        ];
        let left = self.sum()?;
        if let Some(order) = self.one_of(&orders) {
            let left = self.resolve(left)?;
            let right = self.whole(Self::sum)?;
            let span = left.span.start..right.span.end;
            comparable(&left, &right, order)?;
            let part = self.part(Node::Compare(order, Box::new([left.node, right.node])), Ty::Bool, span)?;
            return self.no_second_comparison(part);
        }
        if matches!(self.peek(), Token::Name(name) if name == "in") {
            self.at += 1;
            let left = self.resolve(left)?;
            let right = self.whole(Self::sum)?;
            self.wants(&right, &[Ty::List], "after `in`")?;
            let span = left.span.start..right.span.end;
            let part = self.part(Node::In(Box::new([left.node, right.node])), Ty::Bool, span)?;
            return self.no_second_comparison(part);
        }
        Ok(left)
    }

    fn no_second_comparison(&self, part: Part) -> Parse<Part> {
        match self.peek() {
            Token::Mark("==" | "!=" | "<" | "<=" | ">" | ">=") => Err(problem(
                self.span(),
                "a comparison cannot be compared again",
                "join comparisons with `&&`, such as `1 <= x && x <= 9`",
            )),
            _ => Ok(part),
        }
    }

    fn sum(&mut self) -> Parse<Part> {
        self.arithmetic(&[("+", Operator::Add), ("-", Operator::Subtract)], Self::product)
    }

    fn product(&mut self) -> Parse<Part> {
        let marks = [("*", Operator::Multiply), ("/", Operator::Divide), ("%", Operator::Remainder)];
        self.arithmetic(&marks, Self::unary)
    }

    fn arithmetic(&mut self, marks: &[(&str, Operator)], next: fn(&mut Self) -> Parse<Part>) -> Parse<Part> {
        let mut left = next(self)?;
        let mut length = 0;
        while let Some(operator) = self.one_of(marks) {
            length += 1;
            if length > 64 {
                return Err(problem(
                    self.span(),
                    "more than 64 parts in one calculation",
                    "split it into several fields",
                ));
            }
            left = self.resolve(left)?;
            let right = self.whole(next)?;
            let both = if left.kind == Ty::Any { right.kind } else { left.kind };
            let takes: &[Ty] = match operator {
                Operator::Add => &[Ty::Number, Ty::Text, Ty::List],
                _ => &[Ty::Number],
            };
            for part in [&left, &right] {
                self.wants(part, takes, "in a calculation")?;
            }
            if left.kind != Ty::Any && right.kind != Ty::Any && left.kind != right.kind {
                return Err(problem(
                    right.span,
                    format!("{} cannot be added to {}", right.kind.name(), left.kind.name()),
                    "bring both to one kind with `string(…)` or `number(…)`",
                ));
            }
            let kind = if operator == Operator::Add { both } else { Ty::Number };
            let span = left.span.start..right.span.end;
            left = self.part(Node::Arithmetic(operator, Box::new([left.node, right.node])), kind, span)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parse<Part> {
        let start = self.span();
        for (mark, takes, make) in
            [("!", Ty::Bool, Node::Not as fn(Box<Node>) -> Node), ("-", Ty::Number, Node::Negate)]
        {
            if self.take_mark(mark) {
                self.depth += 1;
                if self.depth > DEPTH_MAX {
                    return Err(problem(
                        start,
                        "the expression is nested more than 24 deep",
                        "write fewer marks",
                    ));
                }
                let part = self.whole(Self::unary)?;
                self.depth -= 1;
                self.wants(&part, &[takes], mark)?;
                return self.part(make(Box::new(part.node)), takes, start.start..part.span.end);
            }
        }
        self.member()
    }

    fn member(&mut self) -> Parse<Part> {
        let mut part = self.primary()?;
        let mut length = 0;
        loop {
            length += 1;
            if length > 32 {
                return Err(problem(
                    self.span(),
                    "more than 32 parts in one path",
                    "split it into several fields",
                ));
            }
            if self.take_mark(".") {
                let span = self.span();
                let Token::Name(name) = self.peek().clone() else {
                    return Err(problem(
                        span,
                        "after `.` a name is missing",
                        "add the name of a field or function",
                    ));
                };
                self.at += 1;
                if self.take_mark("(") {
                    let target = self.resolve(part)?;
                    part = self.method(target, &name, span)?;
                } else if let Some(path) = &mut part.path {
                    path.push('.');
                    path.push_str(&name);
                    part.span.end = span.end;
                } else {
                    let whole = part.span.start..span.end;
                    self.wants(&part, &[], "before `.`")?;
                    part = self.part(Node::Select(Box::new(part.node), name.into()), Ty::Any, whole)?;
                }
            } else if self.take_mark("[") {
                part = self.index(part)?;
            } else {
                return Ok(part);
            }
        }
    }

    fn index(&mut self, target: Part) -> Parse<Part> {
        if target.path.as_deref() == Some("record")
            && let Token::Text(name) = self.peek().clone()
        {
            self.at += 1;
            let end = self.expect("]")?.end;
            return Ok(Part { path: Some(name), span: target.span.start..end, ..target });
        }
        let target = self.resolve(target)?;
        self.wants(&target, &[Ty::List], "before `[`")?;
        let place = self.whole(Self::expression)?;
        self.wants(&place, &[Ty::Number, Ty::Text], "in `[…]`")?;
        let end = self.expect("]")?.end;
        let span = target.span.start..end;
        self.part(Node::Index(Box::new([target.node, place.node])), Ty::Any, span)
    }

    fn primary(&mut self) -> Parse<Part> {
        let span = self.span();
        let token = self.peek().clone();
        self.at += 1;
        match token {
            Token::Number(value) => self.part(Node::Constant(Value::Number(value)), Ty::Number, span),
            Token::Text(value) => self.part(Node::Constant(Value::text(value)), Ty::Text, span),
            Token::Name(name) => match name.as_str() {
                "true" | "false" => self.part(Node::Constant(Value::Bool(name == "true")), Ty::Bool, span),
                "null" => self.part(Node::Constant(Value::Null), Ty::Any, span),
                _ if self.take_mark("(") => self.function(&name, span),
                _ => {
                    let local = self.locals.iter().rposition(|local| *local == name);
                    match local {
                        Some(place) => self.part(Node::Local(place), Ty::Any, span),
                        None => {
                            let part = self.part(Node::Constant(Value::Null), Ty::Any, span)?;
                            Ok(Part { path: Some(name), ..part })
                        }
                    }
                }
            },
            Token::Mark("(") => {
                let part = self.whole(Self::expression)?;
                let end = self.expect(")")?.end;
                Ok(Part { span: span.start..end, ..part })
            }
            Token::Mark("[") => {
                let (parts, end) = self.arguments("]")?;
                let nodes = parts.into_iter().map(|part| part.node).collect();
                self.part(Node::List(nodes), Ty::List, span.start..end)
            }
            Token::Mark("{") => {
                Err(problem(span, "maps cannot be built here", "use a picklist or a lookup table"))
            }
            Token::Mark(mark) => Err(problem(span, format!("a value is missing before `{mark}`"), "add it")),
            Token::End => {
                Err(problem(span, "a value is missing at the end", "add it, or remove the last operator"))
            }
        }
    }

    /// Refuses a part that cannot be of the kinds that are taken here. What is not known is decided record by record.
    fn wants(&self, part: &Part, kinds: &[Ty], place: &str) -> Parse<()> {
        if part.kind == Ty::Any || kinds.contains(&part.kind) || kinds.contains(&Ty::Any) {
            return Ok(());
        }
        let wanted = match kinds {
            [] => String::from("nested data"),
            kinds => kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(" or "),
        };
        let remedy = match kinds.first() {
            Some(Ty::Number) => "convert it with `number(…)`",
            Some(Ty::Text) => "convert it with `string(…)`",
            Some(Ty::Bool) => "compare it with something, such as `… == \"active\"`",
            Some(Ty::Date) => "convert it with `date(…)`",
            Some(Ty::DateTime) => "convert it with `timestamp(…)`",
            _ => "name another column",
        };
        Err(problem(
            part.span.clone(),
            format!("{place}: {wanted} is wanted, but this is {}", part.kind.name()),
            remedy,
        ))
    }
}

/// Refuses comparisons that no record can pass.
fn comparable(left: &Part, right: &Part, order: Order) -> Parse<()> {
    let ordered = !matches!(order, Order::Equal | Order::Unequal);
    let span = left.span.start..right.span.end;
    for part in [left, right] {
        if ordered && matches!(part.kind, Ty::List | Ty::Bool) {
            return Err(problem(
                part.span.clone(),
                format!("{} has no order", part.kind.name()),
                "compare with `==`",
            ));
        }
    }
    if left.kind == Ty::Any || right.kind == Ty::Any || left.kind == right.kind {
        return Ok(());
    }
    let remedy = match (left.kind, right.kind) {
        (Ty::Date, _) | (_, Ty::Date) => "write days as `date(\"2026-01-31\")`",
        (Ty::DateTime, _) | (_, Ty::DateTime) => "write moments as `timestamp(\"2026-01-31T12:00:00Z\")`",
        (Ty::Number, _) | (_, Ty::Number) => {
            "convert the text with `number(…)`, or put the number into quotes"
        }
        _ => "bring both to one kind",
    };
    Err(problem(span, format!("{} is compared with {}", left.kind.name(), right.kind.name()), remedy))
}
