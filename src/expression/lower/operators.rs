//! Operators: which types go together, and what to write when they do not.

use cel::common::ast::{CallExpr, IdedExpr, operators};

use super::super::catalogue::Type;
use super::super::check::{Problem, WRONG_TYPE};
use super::super::term::{Binary, Term};
use super::{Lowering, Typed};

impl Lowering<'_> {
    /// Lowers a call that stands for an operator.
    pub(super) fn operator(&mut self, expression: &IdedExpr, call: &CallExpr) -> Typed {
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_NOT, [of]) => {
                let of = self.truth(of);
                Typed::new(Term::Not(Box::new(of)), Type::Truth)
            }
            (operators::NEGATE, [of]) => self.negate(of),
            (operators::LOGICAL_AND, [left, right]) => {
                let parts = [self.truth(left), self.truth(right)];
                Typed::new(Term::And(Box::new(parts)), Type::Truth)
            }
            (operators::LOGICAL_OR, [left, right]) => {
                let parts = [self.truth(left), self.truth(right)];
                Typed::new(Term::Or(Box::new(parts)), Type::Truth)
            }
            (operators::CONDITIONAL, [condition, then, otherwise]) => {
                let condition = self.truth(condition);
                let (then, otherwise) = (self.value(then), self.value(otherwise));
                let parts = [condition, then.term, otherwise.term];
                Typed::new(Term::If(Box::new(parts)), then.kind.join(otherwise.kind))
            }
            (operators::INDEX, [of, key]) => self.index(of, key),
            (sign, [left, right]) => match binary(sign) {
                Some((sign, written)) => self.binary(expression, sign, written, left, right),
                None => self.unused(expression, "this operator is not used here"),
            },
            _ => self.unused(expression, "this operator is not used here"),
        }
    }

    /// Lowers something that must be true or false.
    pub(super) fn truth(&mut self, expression: &IdedExpr) -> Term {
        let typed = self.value(expression);
        if !matches!(typed.kind, Type::Truth | Type::Unknown) {
            self.problems.push(Problem {
                code: WRONG_TYPE,
                range: self.places.span(expression),
                message: "a condition must be true or false".to_owned(),
                label: format!("this is {}", typed.kind),
                help: Some("compare it, for example with ==".to_owned()),
            });
        }
        typed.term
    }

    fn negate(&mut self, expression: &IdedExpr) -> Typed {
        let of = self.value(expression);
        if !matches!(of.kind, Type::Int | Type::Double | Type::Unknown) {
            self.problems.push(Problem {
                code: WRONG_TYPE,
                range: self.places.span(expression),
                message: "only a number can have a minus".to_owned(),
                label: format!("this is {}", of.kind),
                help: None,
            });
            return Typed::unknown();
        }
        Typed::new(Term::Negate(Box::new(of.term)), of.kind)
    }

    fn index(&mut self, of: &IdedExpr, key: &IdedExpr) -> Typed {
        let literal = literal_text(key);
        let owner = match literal {
            Some(text) => self.owner(of, text),
            None => self.value(of),
        };
        let place = self.value(key);
        let result = match owner.kind {
            Type::List(element) if matches!(place.kind, Type::Int | Type::Unknown) => *element,
            Type::Map(known, value) if known.can_equal(&place.kind) => *value,
            Type::Unknown => return Typed::unknown(),
            kind => return self.no_index(of, key, &kind, &place.kind),
        };
        Typed::new(Term::Index(Box::new([owner.term, place.term])), result)
    }

    fn no_index(&mut self, of: &IdedExpr, key: &IdedExpr, kind: &Type, place: &Type) -> Typed {
        let name = self.places.span(of);
        let name = self.places.text(&name);
        let (range, label, help) = match kind {
            Type::List(_) => (self.places.span(key), format!("this is {place}"), "a whole number"),
            Type::Map(..) => (self.places.span(key), format!("this is {place}"), "text"),
            _ => (self.places.span(of), format!("this is {kind}"), "a list or a map before it"),
        };
        self.problems.push(Problem {
            code: WRONG_TYPE,
            range,
            message: format!("`{name}` cannot be looked up in this way"),
            label,
            help: Some(format!("[ ] wants {help}")),
        });
        Typed::unknown()
    }

    fn binary(
        &mut self,
        expression: &IdedExpr,
        sign: Binary,
        written: &str,
        left: &IdedExpr,
        right: &IdedExpr,
    ) -> Typed {
        let (first, second) = (self.value(left), self.value(right));
        let result = match sign {
            Binary::Equal | Binary::NotEqual => {
                first.kind.can_equal(&second.kind).then_some(Type::Truth)
            }
            Binary::In => may_contain(&second.kind, &first.kind).then_some(Type::Truth),
            Binary::Less | Binary::LessOrEqual | Binary::Greater | Binary::GreaterOrEqual => {
                has_order(&first.kind, &second.kind).then_some(Type::Truth)
            }
            _ => sum(sign, &first.kind, &second.kind),
        };
        if let Some(result) = result {
            let parts = Box::new([first.term, second.term]);
            return Typed::new(Term::Binary(sign, parts), result);
        }
        let problem = match sign {
            Binary::Equal | Binary::NotEqual => {
                self.never_equal(left, &first.kind, right, &second.kind)
            }
            Binary::In => self.nothing_in(left, right, &first.kind, &second.kind),
            _ => self.no_sum(expression, written, &first.kind, &second.kind),
        };
        self.problems.push(problem);
        // The answer of a comparison is true or false, however wrong its sides are.
        if matches!(
            sign,
            Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Remainder
        ) {
            return Typed::unknown();
        }
        Typed::new(Term::Literal(super::super::value::Value::Null), Type::Truth)
    }

    fn never_equal(
        &self,
        left: &IdedExpr,
        first: &Type,
        right: &IdedExpr,
        second: &Type,
    ) -> Problem {
        let text = |side: &IdedExpr| {
            let range = self.places.span(side);
            self.places.text(&range)
        };
        let (range, label, help) = match (first, second) {
            (Type::List(element), item) if element.can_equal(item) => (
                left,
                format!("this is {first}"),
                Some(format!("write {} in {}", text(right), text(left))),
            ),
            (item, Type::List(element)) if element.can_equal(item) => (
                right,
                format!("this is {second}"),
                Some(format!("write {} in {}", text(left), text(right))),
            ),
            (Type::Null, _) => (right, "this is never null".to_owned(), absence(text(right))),
            (_, Type::Null) => (left, "this is never null".to_owned(), absence(text(left))),
            _ => (right, format!("this is {second}"), None),
        };
        Problem {
            code: WRONG_TYPE,
            range: self.places.span(range),
            message: format!("{first} never equals {second}"),
            label,
            help,
        }
    }

    fn nothing_in(
        &self,
        left: &IdedExpr,
        right: &IdedExpr,
        first: &Type,
        second: &Type,
    ) -> Problem {
        let range = self.places.span(right);
        let item = self.places.span(left);
        let (of, item_text) = (self.places.text(&range), self.places.text(&item));
        if let Type::List(element) | Type::Map(element, _) = second {
            return Problem {
                code: WRONG_TYPE,
                message: format!("`{of}` never contains {first}"),
                label: format!("this is {first}, and `{of}` holds {element}"),
                range: item,
                help: None,
            };
        }
        let is_text = *first == Type::Text && *second == Type::Text;
        Problem {
            code: WRONG_TYPE,
            message: "`in` looks into a list or a map".to_owned(),
            label: format!("this is {second}"),
            help: is_text.then(|| format!("write {of}.contains({item_text})")),
            range,
        }
    }

    fn no_sum(&self, expression: &IdedExpr, sign: &str, first: &Type, second: &Type) -> Problem {
        let help = match (first, second) {
            (Type::Text, other) | (other, Type::Text) if other.is_number() && sign == "+" => {
                Some("string(number) makes text of a number".to_owned())
            }
            (left, right) if left.is_number() && right.is_number() => {
                Some("convert one side: int(), uint() or double()".to_owned())
            }
            _ => None,
        };
        Problem {
            code: WRONG_TYPE,
            range: self.places.span(expression),
            message: format!("`{sign}` does not go with these two"),
            label: format!("{first} {sign} {second}"),
            help,
        }
    }
}

fn absence(name: &str) -> Option<String> {
    name.contains('.').then(|| format!("ask if it is there: has({name})"))
}

/// The text of a literal text.
pub(super) fn literal_text(expression: &IdedExpr) -> Option<&str> {
    use cel::common::ast::{Expr, LiteralValue};
    match &expression.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

fn binary(name: &str) -> Option<(Binary, &'static str)> {
    Some(match name {
        operators::ADD => (Binary::Add, "+"),
        operators::SUBSTRACT => (Binary::Subtract, "-"),
        operators::MULTIPLY => (Binary::Multiply, "*"),
        operators::DIVIDE => (Binary::Divide, "/"),
        operators::MODULO => (Binary::Remainder, "%"),
        operators::EQUALS => (Binary::Equal, "=="),
        operators::NOT_EQUALS => (Binary::NotEqual, "!="),
        operators::LESS => (Binary::Less, "<"),
        operators::LESS_EQUALS => (Binary::LessOrEqual, "<="),
        operators::GREATER => (Binary::Greater, ">"),
        operators::GREATER_EQUALS => (Binary::GreaterOrEqual, ">="),
        operators::IN => (Binary::In, "in"),
        _ => return None,
    })
}

fn may_contain(within: &Type, item: &Type) -> bool {
    match within {
        Type::List(element) => element.can_equal(item),
        Type::Map(key, _) => key.can_equal(item),
        Type::Unknown => true,
        _ => false,
    }
}

fn has_order(left: &Type, right: &Type) -> bool {
    match (left, right) {
        (Type::Unknown, _) | (_, Type::Unknown) => true,
        (Type::Text | Type::Timestamp | Type::Duration, _) => left == right,
        _ => left.is_number() && right.is_number(),
    }
}

/// The type of a sum, if there is one.
fn sum(sign: Binary, left: &Type, right: &Type) -> Option<Type> {
    use Type::{Double, Duration, Int, List, Text, Timestamp, Uint, Unknown};
    Some(match (left, sign, right) {
        (Unknown, ..) | (.., Unknown) => Unknown,
        (Int, _, Int) => Int,
        (Uint, _, Uint) => Uint,
        (Double, Binary::Remainder, Double) => return None,
        (Double, _, Double) => Double,
        (Text, Binary::Add, Text) => Text,
        (List(_), Binary::Add, List(_)) => left.clone().join(right.clone()),
        (Duration, Binary::Add | Binary::Subtract, Duration)
        | (Timestamp, Binary::Subtract, Timestamp) => Duration,
        (Timestamp, Binary::Add | Binary::Subtract, Duration)
        | (Duration, Binary::Add, Timestamp) => Timestamp,
        _ => return None,
    })
}
