//! From cel's tree to typed terms, collecting problems.
//!
//! A mistake is reported once: what contains it has an unknown type, which fits everywhere.

use cel::common::ast::{Expr, IdedExpr, LiteralValue, MapExpr, SelectExpr};

use super::catalogue::{Context, Field, Object, Type, Variable, Want};
use super::check::{BAD_EXPRESSION, Problem, UNKNOWN_FIELD, WRONG_TYPE, nearest, unwanted};
use super::places::Places;
use super::program::Reads;
use super::term::Term;
use super::value::Value;

mod calls;
mod loops;
mod operators;

/// A term and what it gives.
pub(super) struct Typed {
    pub term: Term,
    pub kind: Type,
}

impl Typed {
    fn new(term: Term, kind: Type) -> Self {
        Self { term, kind }
    }

    /// What stands where a mistake was reported.
    fn unknown() -> Self {
        Self::new(Term::Literal(Value::Null), Type::Unknown)
    }
}

pub(super) struct Lowering<'t> {
    context: Context,
    places: Places<'t>,
    /// The variables of the loops around, outermost first.
    scope: Vec<(String, Type)>,
    problems: Vec<Problem>,
    reads: Reads,
}

impl<'t> Lowering<'t> {
    pub(super) fn new(context: Context, places: Places<'t>) -> Self {
        let (scope, problems) = (Vec::new(), Vec::new());
        Self { context, places, scope, problems, reads: Reads::default() }
    }

    pub(super) fn finish(self) -> (Vec<Problem>, Reads) {
        (self.problems, self.reads)
    }

    /// Compares the type of the whole with what its place needs.
    pub(super) fn result(&mut self, root: &IdedExpr, kind: &Type, want: Want) {
        let Some((label, help)) = unwanted(kind, want) else {
            return;
        };
        let message = match want {
            Want::Truth => "this expression must be true or false",
            Want::Text => "this expression must give text",
            Want::Any => "this expression cannot be written as JSON",
        };
        self.problems.push(Problem {
            code: WRONG_TYPE,
            range: self.places.span(root),
            message: message.to_owned(),
            label,
            help: Some(help.to_owned()),
        });
    }

    /// Lowers something that must be a value.
    pub(super) fn value(&mut self, expression: &IdedExpr) -> Typed {
        let typed = self.any(expression);
        let Type::Object(object) = typed.kind else {
            return typed;
        };
        let name = object.name();
        self.problems.push(Problem {
            code: WRONG_TYPE,
            range: self.places.span(expression),
            message: format!("`{name}` is not a value by itself"),
            label: "name one of its fields".to_owned(),
            help: Some(self.fields(object)),
        });
        Typed::unknown()
    }

    fn any(&mut self, expression: &IdedExpr) -> Typed {
        match &expression.expr {
            Expr::Ident(name) => self.variable(expression, name.trim_start_matches('.')),
            Expr::Literal(literal) => self.literal(expression, literal),
            Expr::Select(select) => self.field(expression, select),
            Expr::Call(call) => self.call(expression, call),
            Expr::List(list) => self.list(&list.elements),
            Expr::Map(map) => self.map(map),
            Expr::Struct(_) => self.unused(expression, "messages are not used here"),
            Expr::Comprehension(_) | Expr::Unspecified => {
                self.unused(expression, "this is not used here")
            }
        }
    }

    fn unused(&mut self, expression: &IdedExpr, label: &str) -> Typed {
        self.problems.push(Problem {
            code: BAD_EXPRESSION,
            range: self.places.span(expression),
            message: "this part of CEL is not available".to_owned(),
            label: label.to_owned(),
            help: Some(self.context.summary().to_owned()),
        });
        Typed::unknown()
    }

    fn literal(&mut self, expression: &IdedExpr, literal: &LiteralValue) -> Typed {
        let (value, kind) = match literal {
            LiteralValue::Boolean(truth) => (Value::Truth(*truth.inner()), Type::Truth),
            LiteralValue::Int(number) => (Value::Int(*number.inner()), Type::Int),
            LiteralValue::UInt(number) => (Value::Uint(*number.inner()), Type::Uint),
            LiteralValue::Double(number) => (Value::Double(*number.inner()), Type::Double),
            LiteralValue::String(text) => (Value::Text(text.inner().to_owned().into()), Type::Text),
            LiteralValue::Null => (Value::Null, Type::Null),
            LiteralValue::Bytes(_) => {
                return self.unused(expression, "remove the b: text is enough");
            }
        };
        Typed::new(Term::Literal(value), kind)
    }

    fn variable(&mut self, expression: &IdedExpr, name: &str) -> Typed {
        if let Some(depth) = self.scope.iter().rposition(|(known, _)| known == name) {
            let kind = self.scope.get(depth).map_or(Type::Unknown, |(_, kind)| kind.clone());
            return Typed::new(Term::Local(depth), kind);
        }
        let known = self.context.variables();
        match known.iter().find(|(known, _)| *known == name) {
            Some((_, Variable::Field(field))) => self.read(*field),
            Some((_, Variable::Object(object))) => {
                Typed::new(Term::Literal(Value::Null), Type::Object(*object))
            }
            None => self.unknown_variable(expression, name),
        }
    }

    fn unknown_variable(&mut self, expression: &IdedExpr, name: &str) -> Typed {
        let known = self.context.variables().iter().map(|(known, _)| *known);
        let names: Vec<&str> = known.collect();
        let locals = self.scope.iter().map(|(local, _)| local.as_str());
        let meant = nearest(name, names.iter().copied().chain(locals)).map(str::to_owned);
        let elsewhere = is_known_elsewhere(name);
        self.problems.push(Problem {
            code: UNKNOWN_FIELD,
            range: self.places.span(expression),
            message: format!("unknown variable `{name}`"),
            label: match meant {
                Some(meant) => format!("did you mean `{meant}`?"),
                None if elsewhere => "not available here".to_owned(),
                None => "not known here; text stands in quotes".to_owned(),
            },
            help: Some(format!("available: {}", names.join(", "))),
        });
        Typed::unknown()
    }

    /// Notes that `field` is read.
    fn read(&mut self, field: Field) -> Typed {
        match field {
            Field::Path => self.reads.path = true,
            Field::Attributes => self.reads.any_attribute = true,
            _ => {}
        }
        Typed::new(Term::Field(field), field.type_of())
    }

    fn fields(&self, object: Object) -> String {
        let names: Vec<&str> = self.context.fields(object).iter().map(|(name, _)| *name).collect();
        format!("{} has: {}", object.name(), names.join(", "))
    }

    fn field(&mut self, expression: &IdedExpr, select: &SelectExpr) -> Typed {
        let of = self.owner(&select.operand, &select.field);
        match of.kind {
            Type::Object(object) => match self.find_field(expression, object, &select.field) {
                Some(field) => self.read(field),
                None => Typed::unknown(),
            },
            Type::Map(key, value) if key.can_equal(&Type::Text) => {
                let key = Term::Literal(Value::Text(select.field.clone().into()));
                Typed::new(Term::Index(Box::new([of.term, key])), *value)
            }
            Type::Unknown => Typed::unknown(),
            kind => self.no_fields(expression, select, &kind),
        }
    }

    /// The left side of a field or key. A literal key of `user.attributes` is all that is read then.
    fn owner(&mut self, operand: &IdedExpr, key: &str) -> Typed {
        let before = self.reads.any_attribute;
        let of = self.any(operand);
        if matches!(of.term, Term::Field(Field::Attributes)) {
            self.reads.any_attribute = before;
            if !self.reads.attributes.iter().any(|known| known == key) {
                self.reads.attributes.push(key.to_owned());
            }
        }
        of
    }

    fn find_field(&mut self, expression: &IdedExpr, object: Object, name: &str) -> Option<Field> {
        let known = self.context.fields(object);
        if let Some((_, field)) = known.iter().find(|(known, _)| *known == name) {
            return Some(*field);
        }
        let label = nearest(name, known.iter().map(|(known, _)| *known))
            .map_or("not known here".to_owned(), |meant| format!("did you mean `{meant}`?"));
        self.problems.push(Problem {
            code: UNKNOWN_FIELD,
            range: self.places.name(expression),
            message: format!("`{}` has no field `{name}`", object.name()),
            label,
            help: Some(self.fields(object)),
        });
        None
    }

    fn no_fields(&mut self, expression: &IdedExpr, select: &SelectExpr, kind: &Type) -> Typed {
        let of = self.places.span(&select.operand);
        let of = self.places.text(&of);
        self.problems.push(Problem {
            code: UNKNOWN_FIELD,
            range: self.places.name(expression),
            message: format!("`{of}` has no field `{}`", select.field),
            label: format!("`{of}` is {kind}"),
            help: None,
        });
        Typed::unknown()
    }

    fn list(&mut self, elements: &[IdedExpr]) -> Typed {
        let mut terms = Vec::with_capacity(elements.len());
        let mut kind = Type::Unknown;
        for element in elements {
            let typed = self.value(element);
            kind = kind.join(typed.kind);
            terms.push(typed.term);
        }
        Typed::new(constant_list(terms), Type::list(kind))
    }

    fn map(&mut self, map: &MapExpr) -> Typed {
        let mut terms = Vec::with_capacity(map.entries.len());
        let (mut keys, mut values) = (Type::Unknown, Type::Unknown);
        for entry in &map.entries {
            let cel::common::ast::EntryExpr::MapEntry(pair) = &entry.expr else {
                continue;
            };
            let key = self.value(&pair.key);
            let value = self.value(&pair.value);
            self.key(&pair.key, &key.kind);
            keys = keys.join(key.kind);
            values = values.join(value.kind);
            terms.push((key.term, value.term));
        }
        Typed::new(Term::Map(terms), Type::Map(Box::new(keys), Box::new(values)))
    }

    fn key(&mut self, expression: &IdedExpr, kind: &Type) {
        if matches!(kind, Type::Text | Type::Truth | Type::Int | Type::Uint | Type::Unknown) {
            return;
        }
        self.problems.push(Problem {
            code: WRONG_TYPE,
            range: self.places.span(expression),
            message: "this cannot be a key".to_owned(),
            label: format!("this is {kind}"),
            help: Some("keys are text, whole numbers, true or false".to_owned()),
        });
    }
}

fn is_known_elsewhere(name: &str) -> bool {
    Context::Policy.variables().iter().any(|(known, _)| *known == name)
}

/// A list of constants is made once, not each time it is asked.
fn constant_list(terms: Vec<Term>) -> Term {
    if !terms.iter().all(|term| matches!(term, Term::Literal(_))) {
        return Term::List(terms);
    }
    let values = terms.into_iter().filter_map(|term| match term {
        Term::Literal(value) => Some(value),
        _ => None,
    });
    Term::Literal(Value::List(super::value::List::Owned(values.collect())))
}
