//! Evaluates an expression's tree for one record.

use std::borrow::Cow;
use std::cmp::Ordering;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use sync_types::Value;

use super::budget::Budget;
use super::call::{self, items, number, text};
use super::parse::{Fold, Node, Operator, Order};
use crate::flow::Failure;

/// What names mean during one evaluation.
pub(super) struct Scope<'e, 'r> {
    pub(super) read: &'e dyn Fn(usize) -> &'r Value,
    pub(super) locals: Vec<Value>,
    pub(super) budget: Budget,
}

type Outcome<'r> = Result<Cow<'r, Value>, Failure>;

/// Empty is false.
pub(super) fn truth(value: &Value) -> Result<bool, Failure> {
    match value {
        Value::Null => Ok(false),
        Value::Bool(value) => Ok(*value),
        other => Err(bad(format!("a condition is true or false, but this value is {}", other.kind_name()))),
    }
}

fn bad(reason: impl Into<Cow<'static, str>>) -> Failure {
    Failure::new(
        "bad-expression-value",
        reason,
        "correct the value at the source, or guard it with `has(…)` or a comparison",
    )
}

fn owned<'r>(value: Value) -> Outcome<'r> {
    Ok(Cow::Owned(value))
}

impl<'r> Scope<'_, 'r> {
    /// The depth of the recursion is bounded by the parser.
    pub(super) fn eval(&mut self, node: &'r Node) -> Outcome<'r> {
        self.budget.step()?;
        match node {
            Node::Constant(value) => Ok(Cow::Borrowed(value)),
            Node::Path(place) => Ok(Cow::Borrowed((self.read)(*place))),
            Node::Local(place) => {
                let value = self.locals.get(*place).cloned().unwrap_or(Value::Null);
                self.pay_for(&value)?;
                owned(value)
            }
            Node::Select(target, name) => {
                let target = self.eval(target)?;
                Ok(inside(target, |value| match value {
                    Value::Object(entries) => {
                        entries.iter().find(|(key, _)| key == name).map(|(_, value)| value)
                    }
                    _ => None,
                }))
            }
            Node::Index(parts) => {
                let [target, place] = &**parts;
                let target = self.eval(target)?;
                let place = self.eval(place)?;
                self.pay_for(&target)?;
                Ok(inside(target, |value| match (value, &*place) {
                    (Value::List(items), Value::Number(place)) => items.get(place.to_usize()?),
                    (Value::Object(entries), Value::Text(name)) => {
                        entries.iter().find(|(key, _)| **key == **name).map(|(_, value)| value)
                    }
                    _ => None,
                }))
            }
            Node::List(nodes) => {
                let values = nodes
                    .iter()
                    .map(|node| Ok(self.eval(node)?.into_owned()))
                    .collect::<Result<_, Failure>>()?;
                owned(Value::List(values))
            }
            Node::Not(node) => owned(Value::Bool(!truth(&*self.eval(node)?)?)),
            Node::Negate(node) => {
                owned(number(&*self.eval(node)?)?.map_or(Value::Null, |value| Value::Number(-value)))
            }
            Node::And(nodes) => self.any_is(nodes, false).map(|found| Cow::Owned(Value::Bool(!found))),
            Node::Or(nodes) => self.any_is(nodes, true).map(|found| Cow::Owned(Value::Bool(found))),
            Node::If(parts) => {
                let [condition, yes, no] = &**parts;
                if truth(&*self.eval(condition)?)? { self.eval(yes) } else { self.eval(no) }
            }
            Node::Compare(order, parts) => {
                let [left, right] = &**parts;
                let (left, right) = (self.eval(left)?, self.eval(right)?);
                self.pay_for(&left)?;
                owned(Value::Bool(compare(*order, &left, &right)?))
            }
            Node::In(parts) => {
                let [item, list] = &**parts;
                let (item, list) = (self.eval(item)?, self.eval(list)?);
                self.pay_for(&list)?;
                owned(Value::Bool(items(&list)?.contains(&*item)))
            }
            Node::Arithmetic(operator, parts) => {
                let [left, right] = &**parts;
                let (left, right) = (self.eval(left)?, self.eval(right)?);
                owned(self.arithmetic(*operator, &left, &right)?)
            }
            Node::Call(function, nodes) => {
                let values = nodes.iter().map(|node| self.eval(node)).collect::<Result<Vec<_>, Failure>>()?;
                owned(call::run(*function, &values, &mut self.budget)?)
            }
            Node::Matches(target, pattern) => {
                let value = self.eval(target)?;
                let value = text(&value)?;
                self.budget.bytes(pattern.work(value.len()).saturating_mul(4))?;
                owned(Value::Bool(pattern.is_match(value)))
            }
            Node::Fold(fold, parts) => {
                let [list, body] = &**parts;
                let list = self.eval(list)?;
                self.fold(*fold, &list, body)
            }
        }
    }

    /// What copying or comparing a value costs.
    fn pay_for(&mut self, value: &Value) -> Result<(), Failure> {
        match value {
            Value::Text(text) => self.budget.bytes(text.len()),
            Value::List(items) => items.iter().try_for_each(|item| self.pay_for(item)),
            Value::Object(entries) => entries.iter().try_for_each(|(_, value)| self.pay_for(value)),
            _ => self.budget.step(),
        }
    }

    fn any_is(&mut self, nodes: &'r [Node], wanted: bool) -> Result<bool, Failure> {
        for node in nodes {
            if truth(&*self.eval(node)?)? == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn arithmetic(&mut self, operator: Operator, left: &Value, right: &Value) -> Result<Value, Failure> {
        match (operator, left, right) {
            (Operator::Add, Value::Text(_), _) | (Operator::Add, _, Value::Text(_)) => {
                let (left, right) = (text(left)?, text(right)?);
                self.budget.bytes(left.len() + right.len())?;
                return Ok(Value::text([left, right].concat()));
            }
            (Operator::Add, Value::List(_), _) | (Operator::Add, _, Value::List(_)) => {
                self.pay_for(left)?;
                self.pay_for(right)?;
                return Ok(Value::List([items(left)?, items(right)?].concat()));
            }
            _ => {}
        }
        let (Some(left), Some(right)) = (number(left)?, number(right)?) else { return Ok(Value::Null) };
        let result = match operator {
            Operator::Add => left.checked_add(right),
            Operator::Subtract => left.checked_sub(right),
            Operator::Multiply => left.checked_mul(right),
            Operator::Divide | Operator::Remainder if right.is_zero() => {
                return Err(bad("a division by zero"));
            }
            Operator::Divide => left.checked_div(right),
            Operator::Remainder => left.checked_rem(right),
        };
        result.map(Value::Number).ok_or_else(|| bad("a number is too great to be exact"))
    }

    fn fold(&mut self, fold: Fold, list: &Value, body: &'r Node) -> Outcome<'r> {
        let mut kept = Vec::new();
        let mut count = 0_usize;
        let all = items(list)?;
        for item in all {
            self.pay_for(item)?;
            self.locals.push(item.clone());
            let outcome = self.eval(body);
            self.locals.pop();
            let outcome = outcome?;
            if fold == Fold::Map {
                self.pay_for(&outcome)?;
                kept.push(outcome.into_owned());
                continue;
            }
            let holds = truth(&outcome)?;
            count += usize::from(holds);
            match fold {
                Fold::All if !holds => return owned(Value::Bool(false)),
                Fold::Exists if holds => return owned(Value::Bool(true)),
                Fold::Filter if holds => kept.push(item.clone()),
                _ => {}
            }
        }
        owned(match fold {
            Fold::All => Value::Bool(true),
            Fold::Exists => Value::Bool(false),
            Fold::ExistsOne => Value::Bool(count == 1),
            Fold::Filter | Fold::Map => Value::List(kept),
        })
    }
}

/// A part of a value, borrowed where the value is; what is not there is empty.
fn inside<'r>(value: Cow<'r, Value>, pick: impl FnOnce(&Value) -> Option<&Value>) -> Cow<'r, Value> {
    match value {
        Cow::Borrowed(value) => pick(value).map_or(Cow::Owned(Value::Null), Cow::Borrowed),
        Cow::Owned(value) => Cow::Owned(pick(&value).cloned().unwrap_or(Value::Null)),
    }
}

/// Different kinds are unequal and have no order; empty has no order, so every comparison by order with it is false.
fn compare(order: Order, left: &Value, right: &Value) -> Result<bool, Failure> {
    match order {
        Order::Equal => return Ok(left == right),
        Order::Unequal => return Ok(left != right),
        _ => {}
    }
    let ordering = match (left, right) {
        (Value::Null, _) | (_, Value::Null) => return Ok(false),
        (Value::Number(left), Value::Number(right)) => Decimal::cmp(left, right),
        (Value::Text(left), Value::Text(right)) => left.cmp(right),
        (Value::Date(left), Value::Date(right)) => left.cmp(right),
        (Value::DateTime(left), Value::DateTime(right)) => left.cmp(right),
        (left, right) => {
            return Err(bad(format!("{} and {} have no common order", left.kind_name(), right.kind_name())));
        }
    };
    Ok(match order {
        Order::Less => ordering == Ordering::Less,
        Order::LessOrEqual => ordering != Ordering::Greater,
        Order::Greater => ordering == Ordering::Greater,
        Order::GreaterOrEqual => ordering != Ordering::Less,
        Order::Equal => ordering == Ordering::Equal,
        Order::Unequal => ordering != Ordering::Equal,
    })
}
