//! `prompt`: a form as the flow declares it.

use std::collections::BTreeMap;

use axum::body::Body;
use http::Response;
use regex::Regex;

use super::{Answer, Run, action};
use crate::blueprint::flow::{Field, FieldKind, Purpose};
use crate::flow::new_password;
use crate::mail::letter;
use crate::model::user_name;
use crate::pages::set_password;
use crate::store::StoreError;
use crate::web::form::Form;
use crate::web::templates::{Prompt, PromptField, PromptKind, PromptOption, PromptProblem};

/// A longer line is nobody's name or address (RFC 5321 §4.5.3.1.3).
const LONGEST: usize = 254;

/// What is wrong, by the name of the field.
#[derive(Default)]
struct Problems {
    fields: BTreeMap<String, PromptProblem>,
    password: Vec<new_password::Problem>,
}

impl Problems {
    fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.password.is_empty()
    }
}

pub fn ask(run: &Run<'_>, fields: &[Field]) -> Response<Body> {
    let mut problems = Problems::default();
    if run.attempt.progress.filled.taken {
        let names = fields.iter().filter(|field| field.kind == FieldKind::Username);
        problems.fields =
            names.map(|each| (each.name.value.clone(), PromptProblem::Taken)).collect();
    }
    show(run, fields, &problems)
}

fn show(run: &Run<'_>, fields: &[Field], problems: &Problems) -> Response<Body> {
    let flow = &run.attempt.flow;
    let rules = run.visit.runtime.blueprint.settings.password;
    let page = Prompt {
        title: run.visit.title(flow, None),
        fields: fields.iter().filter_map(|field| shown(run, field, problems)).collect(),
        min_length: u32::try_from(rules.min_length).unwrap_or(u32::MAX),
        cancel: run.cancel(),
        action: action(run.visit),
    };
    run.ask(&page, !problems.is_empty())
}

/// What a field is called. Those that every installation has speak the visitor's language.
fn label(run: &Run<'_>, field: &Field) -> String {
    let is_builtin = run.attempt.flow.is_builtin();
    let key = format!("field.{}", field.name.value);
    let own = is_builtin.then(|| run.visit.say(&key, None)).flatten();
    own.or_else(|| field.label.clone()).unwrap_or_else(|| field.name.value.clone())
}

/// A field as the page shows it; hidden ones are nobody's to see.
fn shown(run: &Run<'_>, field: &Field, problems: &Problems) -> Option<PromptField> {
    let filled = &run.attempt.progress.filled;
    let kind = kind(field.kind)?;
    let option = |(value, label): &(String, String)| PromptOption {
        value: value.clone(),
        label: label.clone(),
    };
    let password = match kind {
        PromptKind::NewPassword => problems.password.as_slice(),
        _ => &[],
    };
    Some(PromptField {
        name: field.name.value.clone(),
        kind,
        label: label(run, field),
        value: filled
            .get(field)
            .map(str::to_owned)
            .or_else(|| run.default(field))
            .unwrap_or_default(),
        required: field.required,
        fixed: filled.is_fixed(field),
        options: field.options.iter().map(option).collect(),
        problem: problems.fields.get(&field.name.value).copied(),
        password_problems: password.iter().map(|each| set_password::shown(*each)).collect(),
    })
}

fn kind(kind: FieldKind) -> Option<PromptKind> {
    Some(match kind {
        FieldKind::Username => PromptKind::Username,
        FieldKind::Text => PromptKind::Text,
        FieldKind::Email => PromptKind::Email,
        FieldKind::NewPassword => PromptKind::NewPassword,
        FieldKind::Checkbox => PromptKind::Checkbox,
        FieldKind::Choice => PromptKind::Choice,
        FieldKind::Hidden => return None,
    })
}

/// A form was filled in. Hidden and fixed fields take nothing from it (`security.md` R11): a hidden one
/// has its default.
pub async fn answer(mut run: Run<'_>, fields: &[Field], form: &Form) -> Answer {
    let mut problems = Problems::default();
    run.attempt.progress.filled.taken = false;
    let mut hidden: BTreeMap<&str, String> = fields
        .iter()
        .filter(|field| field.kind == FieldKind::Hidden)
        .filter_map(|field| Some((field.name.value.as_str(), run.default(field)?)))
        .collect();
    for field in fields {
        let filled = &mut run.attempt.progress.filled;
        if field.kind == FieldKind::NewPassword || filled.is_fixed(field) {
            continue;
        }
        if field.kind == FieldKind::Hidden {
            if let Some(default) = hidden.remove(field.name.value.as_str()) {
                filled.set(field, &default);
            }
            continue;
        }
        let given = form.text(&field.name.value);
        match wrong(field, given) {
            Some(problem) => {
                problems.fields.insert(field.name.value.clone(), problem);
            }
            None => filled.set(field, given),
        }
    }
    names(&run, fields, &mut problems).await?;
    let password = fields.iter().find(|field| field.kind == FieldKind::NewPassword);
    let hash = match password {
        Some(field) => new_hash(&run, field, form, &mut problems).await?,
        None => None,
    };
    if !problems.is_empty() {
        return Ok(show(&run, fields, &problems));
    }
    let progress = &mut run.attempt.progress;
    // Only the address that was verified is.
    if progress.verified.is_some() && progress.verified != progress.filled.email {
        (progress.verified, progress.mailed) = (None, None);
    }
    progress.filled.password = hash.or_else(|| progress.filled.password.take());
    progress.advance();
    run.save_and_turn().await
}

/// What is wrong with what was typed into a field.
fn wrong(field: &Field, given: &str) -> Option<PromptProblem> {
    if given.is_empty() {
        let problem = match field.kind {
            FieldKind::Checkbox => PromptProblem::Unticked,
            _ => PromptProblem::Missing,
        };
        return field.required.then_some(problem);
    }
    if given.len() > LONGEST {
        return Some(PromptProblem::TooLong);
    }
    let bad = match field.kind {
        FieldKind::Username if !user_name::is_valid(given) => PromptProblem::BadUsername,
        FieldKind::Email if letter::address(given).is_none() => PromptProblem::BadEmail,
        FieldKind::Choice if !offers(field, given) => PromptProblem::NotOffered,
        _ if given.chars().any(char::is_control) => PromptProblem::Pattern,
        _ if !fits(field, given) => PromptProblem::Pattern,
        _ => return None,
    };
    Some(bad)
}

fn offers(field: &Field, given: &str) -> bool {
    field.options.iter().any(|(value, _)| value == given)
}

/// A pattern matches the whole value. `check` saw that it compiles.
fn fits(field: &Field, given: &str) -> bool {
    let Some(pattern) = &field.pattern else { return true };
    Regex::new(&format!("^(?:{})$", pattern.value)).is_ok_and(|regex| regex.is_match(given))
}

/// A new account's name is nobody else's, nor somebody's address: who types it signs in by it.
async fn names(run: &Run<'_>, fields: &[Field], problems: &mut Problems) -> Result<(), StoreError> {
    let Some(field) = fields.iter().find(|field| field.kind == FieldKind::Username) else {
        return Ok(());
    };
    let filled = &run.attempt.progress.filled;
    let enrolls = run.attempt.flow.purpose == Purpose::Enrollment;
    let Some(name) = filled.username.as_deref().filter(|_| enrolls) else { return Ok(()) };
    let is_own = |email: &String| crate::store::fold(email) == crate::store::fold(name);
    let problem = if name.contains('@') && !filled.email.as_ref().is_some_and(is_own) {
        Some(PromptProblem::BadUsername)
    } else {
        let found = run.visit.server.store.read().await?.find_user_by_username(name).await?;
        found.map(|_| PromptProblem::Taken)
    };
    if let Some(problem) = problem {
        problems.fields.entry(field.name.value.clone()).or_insert(problem);
    }
    Ok(())
}

/// The hash of the new password, if one was given and is good. Nothing is hashed for a form that is
/// asked for again.
async fn new_hash(
    run: &Run<'_>,
    field: &Field,
    form: &Form,
    problems: &mut Problems,
) -> Result<Option<String>, super::Trouble> {
    let given = form.secret("new-password");
    if given.reveal().is_empty() && !field.required {
        return Ok(None);
    }
    let filled = &run.attempt.progress.filled;
    let typed = [&filled.username, &filled.email, &run.attempt.progress.login];
    let mut names: Vec<&str> = typed.into_iter().flatten().map(String::as_str).collect();
    names.extend(filled.fields.get("name").map(String::as_str));
    problems.password = set_password::judge(run.visit, form, &names).await?;
    if !problems.is_empty() {
        return Ok(None);
    }
    let server = run.visit.server;
    let hash = server.hasher.hash(&given, &server.rng).await?;
    Ok(Some(hash.reveal().to_owned()))
}
