//! `has` and the loops: `list.exists(variable, condition)` and its kin.

use cel::common::ast::{CallExpr, Expr, IdedExpr};

use super::super::catalogue::{Context, Type};
use super::super::check::{BAD_EXPRESSION, Problem, WRONG_TYPE};
use super::super::term::{LOOPS_DEEP, Loop, LoopKind, Term};
use super::super::value::Value;
use super::{Lowering, Typed};

impl Lowering<'_> {
    /// Lowers `has(value.field)`.
    pub(super) fn has(&mut self, expression: &IdedExpr, call: &CallExpr) -> Typed {
        let ([of], None) = (call.args.as_slice(), &call.target) else {
            let name = self.places.name(expression);
            return self.misused(name, "has", "has() takes one field");
        };
        let Expr::Select(select) = &of.expr else {
            let range = self.places.span(of);
            return self.misused(range, "has", "this is no field");
        };
        let owner = self.owner(&select.operand, &select.field);
        let term = match owner.kind {
            Type::Object(object) => match self.find_field(of, object, &select.field) {
                Some(field) => Term::HasField(field),
                None => return Typed::new(Term::Literal(Value::Null), Type::Truth),
            },
            Type::Map(key, _) if key.can_equal(&Type::Text) => {
                let key = Term::Literal(Value::Text(select.field.clone().into()));
                Term::HasKey(Box::new([owner.term, key]))
            }
            Type::Unknown => Term::Literal(Value::Null),
            kind => self.no_fields(of, select, &kind).term,
        };
        Typed::new(term, Type::Truth)
    }

    fn misused(&mut self, range: std::ops::Range<usize>, name: &str, label: &str) -> Typed {
        let example = match (name, self.context) {
            ("has", Context::Invariant) => "for example has(app.category)",
            ("has", _) => "for example has(user.email), or 'key' in user.attributes",
            (_, Context::Invariant) => "for example app.hosts.exists(host, host.endsWith('.lan'))",
            _ => "for example user.groups.exists(name, name.startsWith('team-'))",
        };
        self.problems.push(Problem {
            code: BAD_EXPRESSION,
            range,
            message: format!("`{name}` is not used in this way"),
            label: label.to_owned(),
            help: Some(example.to_owned()),
        });
        Typed::unknown()
    }

    /// Lowers a loop.
    pub(super) fn each(&mut self, expression: &IdedExpr, call: &CallExpr) -> Typed {
        let name = call.func_name.as_str();
        let place = self.places.name(expression);
        let (kind, when, body) = match (loop_kind(name), call.args.as_slice()) {
            (Some(LoopKind::Map), [_, when, body]) => (LoopKind::Map, Some(when), body),
            (Some(kind), [_, body]) => (kind, None, body),
            _ => return self.misused(place, name, "it takes a variable and an expression"),
        };
        let (Some(target), Some(variable)) = (&call.target, call.args.first()) else {
            return self.misused(place, name, "it is called on a list");
        };
        let Expr::Ident(local) = &variable.expr else {
            let range = self.places.span(variable);
            return self.misused(range, name, "the name of a variable stands here");
        };
        if self.scope.len() == LOOPS_DEEP {
            return self.too_deep(place);
        }
        let over = self.value(target);
        let Some(element) = self.element(target, name, &over.kind) else {
            return Typed::unknown();
        };
        let depth = self.scope.len();
        self.scope.push((local.clone(), element.clone()));
        let when = when.map(|when| self.truth(when));
        let body = match kind {
            LoopKind::Map => self.value(body),
            _ => Typed::new(self.truth(body), Type::Truth),
        };
        self.scope.pop();
        let result = match kind {
            LoopKind::Map => Type::list(body.kind),
            LoopKind::Filter => Type::list(element),
            _ => Type::Truth,
        };
        let each = Loop { kind, over: over.term, depth, when, body: body.term };
        Typed::new(Term::Loop(Box::new(each)), result)
    }

    fn too_deep(&mut self, range: std::ops::Range<usize>) -> Typed {
        self.problems.push(Problem {
            code: BAD_EXPRESSION,
            range,
            message: "loops nest too deeply".to_owned(),
            label: format!("more than {LOOPS_DEEP} within each other"),
            help: Some("split it into several policies".to_owned()),
        });
        Typed::unknown()
    }

    /// What a loop's variable is, or a problem if there is nothing to loop over.
    fn element(&mut self, target: &IdedExpr, name: &str, over: &Type) -> Option<Type> {
        match over {
            Type::List(element) => Some((**element).clone()),
            Type::Map(key, _) => Some((**key).clone()),
            Type::Unknown => Some(Type::Unknown),
            other => {
                self.problems.push(Problem {
                    code: WRONG_TYPE,
                    range: self.places.span(target),
                    message: format!("`{name}` goes through a list or the keys of a map"),
                    label: format!("this is {other}"),
                    help: None,
                });
                None
            }
        }
    }
}

fn loop_kind(name: &str) -> Option<LoopKind> {
    match name {
        "all" => Some(LoopKind::All),
        "exists" => Some(LoopKind::Exists),
        "exists_one" | "existsOne" => Some(LoopKind::ExistsOne),
        "filter" => Some(LoopKind::Filter),
        "map" => Some(LoopKind::Map),
        _ => None,
    }
}
