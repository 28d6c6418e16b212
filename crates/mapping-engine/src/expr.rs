//! Expressions in filters and computed values: the grammar of CEL, checked and bounded before the first record.
//!
//! The grammar, its operators, macros and string functions are those of the Common Expression Language. Three things
//! are our own, because mappings need them: all numbers are exact decimals; an empty value is the empty text where
//! text is asked, false where a truth is asked, and keeps a calculation empty; and every evaluation has a budget.
//! Nothing here reads a clock, draws a random number or repeats without an end, so the same record gives the same
//! answer, in a time that the record's size bounds.

mod budget;
mod call;
mod eval;
mod parse;
mod token;

#[cfg(test)]
mod tests;

use std::ops::Range;

use sync_types::Value;

use crate::flow::{Failure, Ty};
use budget::Budget;
use eval::Scope;
use parse::Node;

/// Longest expression, in bytes.
const TEXT_MAX: usize = 4_096;
/// How deep brackets, calls and choices may be nested.
const DEPTH_MAX: usize = 24;
/// Most operators, names, literals and calls in one expression.
const NODES_MAX: usize = 512;
/// How deep macros such as `exists` may be nested in one another.
const MACROS_MAX: usize = 2;

/// Why a text is no usable expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExprProblem {
    /// The place in the expression, in bytes.
    pub(crate) span: Range<usize>,
    pub(crate) reason: String,
    pub(crate) remedy: String,
}

/// A checked expression.
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    root: Node,
    kind: Ty,
    reads: Vec<String>,
}

impl Expression {
    /// Parses and checks an expression. `kind_of` tells what a path holds, or `None` for one that does not exist.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub(crate) fn compile(
        text: &str,
        kind_of: &dyn Fn(&str) -> Option<Ty>,
    ) -> Result<Expression, ExprProblem> {
        let parse::Parsed { node, kind, reads } = parse::parse(text, kind_of)?;
        Ok(Expression { root: node, kind, reads })
    }

    /// As [`Expression::compile`], for a condition.
    ///
    /// # Errors
    /// As there, and an expression that cannot give a truth value.
    pub(crate) fn compile_condition(
        text: &str,
        kind_of: &dyn Fn(&str) -> Option<Ty>,
    ) -> Result<Expression, ExprProblem> {
        let expression = Expression::compile(text, kind_of)?;
        if matches!(expression.kind, Ty::Bool | Ty::Any) {
            return Ok(expression);
        }
        Err(ExprProblem {
            span: 0..text.len(),
            reason: format!("a condition is true or false, but this gives {}", expression.kind.name()),
            remedy: String::from("compare it with something, such as `… == \"active\"`"),
        })
    }

    /// What the expression gives, as far as it is known.
    pub(crate) fn kind(&self) -> Ty {
        self.kind
    }

    /// The paths that the expression reads, each once; [`Expression::eval_value`] asks for them by place.
    pub(crate) fn reads(&self) -> &[String] {
        &self.reads
    }

    /// The value for a record, whose values are asked for by their place in [`Expression::reads`].
    ///
    /// # Errors
    /// A value of a kind that an operator does not take, a division by zero, a number out of range, or more work than
    /// the budget allows. Never with a value.
    pub(crate) fn eval_value<'r>(&'r self, read: &dyn Fn(usize) -> &'r Value) -> Result<Value, Failure> {
        let mut scope = Scope { read, locals: Vec::new(), budget: Budget::new() };
        scope.eval(&self.root).map(std::borrow::Cow::into_owned)
    }

    /// The truth of a condition; empty is false.
    ///
    /// # Errors
    /// As [`Expression::eval_value`], and a value that is neither true nor false.
    pub(crate) fn eval_bool<'r>(&'r self, read: &dyn Fn(usize) -> &'r Value) -> Result<bool, Failure> {
        let mut scope = Scope { read, locals: Vec::new(), budget: Budget::new() };
        let value = scope.eval(&self.root)?;
        eval::truth(&value)
    }
}
