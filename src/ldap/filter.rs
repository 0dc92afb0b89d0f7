//! Search filters (RFC 4511 §4.5.1.7), read once and asked of every entry.
//!
//! An attribute that an entry does not bear is not there, whether or not anybody ever heard of it: clients
//! ask for absent attributes of other servers, and mean "unless it says so".

use ldap3_proto::proto::{LdapFilter, LdapMatchingRuleAssertion, LdapSubstringFilter};

use super::directory::Directory;
use super::entry::{View, holds};
use super::tree::{Place, Tree, tree_of};
use crate::model::dn::Dn;
use crate::store::fold;

/// Parts of a filter, at most: a client that asks for more wants something else.
const MOST: usize = 512;
/// How deep parts may stand in each other.
const DEEPEST: usize = 32;

/// Matching rules of Active Directory: a chain of groups, and bits of a number.
const IN_CHAIN: &str = "1.2.840.113556.1.4.1941";
const ALL_BITS: &str = "1.2.840.113556.1.4.803";
const ANY_BIT: &str = "1.2.840.113556.1.4.804";
/// RFC 4517 §4.2.11.
const IGNORING_CASE: [&str; 3] = ["2.5.13.2", "caseignorematch", "caseignoreia5match"];

/// Attributes whose values are names of entries.
const NAMES: [&str; 5] = ["member", "uniquemember", "memberof", "entrydn", "distinguishedname"];

/// A filter, ready to be asked.
#[derive(Debug)]
pub enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    Present(String),
    Equal {
        name: String,
        key: String,
    },
    /// A name of an entry: it is compared as what it leads to.
    Leads {
        name: String,
        to: Option<Place>,
    },
    Part {
        name: String,
        initial: String,
        any: Vec<String>,
        last: String,
    },
    AtLeast {
        name: String,
        key: String,
    },
    AtMost {
        name: String,
        key: String,
    },
    Bits {
        name: String,
        mask: i64,
        all: bool,
    },
    /// A rule that is not known: neither true nor false.
    Undefined,
}

/// A filter that is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMuch;

/// What a filter is read for: names in it lead somewhere.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    pub trees: &'a [Tree<'a>],
    pub directory: &'a Directory,
}

impl Reader<'_> {
    /// # Errors
    /// If the filter has too many parts, or too deep ones.
    pub fn read(&self, filter: &LdapFilter) -> Result<Filter, TooMuch> {
        self.part(filter, 0, &mut 0)
    }

    fn part(
        &self,
        filter: &LdapFilter,
        depth: usize,
        count: &mut usize,
    ) -> Result<Filter, TooMuch> {
        *count += 1;
        if *count > MOST || depth > DEEPEST {
            return Err(TooMuch);
        }
        let mut all = |parts: &[LdapFilter]| {
            parts.iter().map(|part| self.part(part, depth + 1, count)).collect::<Result<_, _>>()
        };
        Ok(match filter {
            LdapFilter::And(parts) => Filter::All(all(parts)?),
            LdapFilter::Or(parts) => Filter::Any(all(parts)?),
            LdapFilter::Not(part) => Filter::Not(Box::new(self.part(part, depth + 1, count)?)),
            LdapFilter::Present(name) => Filter::Present(plain(name)),
            LdapFilter::Equality(name, value) | LdapFilter::Approx(name, value) => {
                self.equal(name, value)
            }
            // Names have no parts and no order (RFC 4517 §4.2.15).
            LdapFilter::Substring(name, _)
            | LdapFilter::GreaterOrEqual(name, _)
            | LdapFilter::LessOrEqual(name, _)
                if NAMES.contains(&plain(name).as_str()) =>
            {
                Filter::Undefined
            }
            LdapFilter::Substring(name, parts) => substring(name, parts),
            LdapFilter::GreaterOrEqual(name, value) => {
                Filter::AtLeast { name: plain(name), key: fold(value) }
            }
            LdapFilter::LessOrEqual(name, value) => {
                Filter::AtMost { name: plain(name), key: fold(value) }
            }
            LdapFilter::Extensible(assertion) => self.by_rule(assertion),
        })
    }

    fn equal(&self, name: &str, value: &str) -> Filter {
        let name = plain(name);
        match NAMES.contains(&name.as_str()) {
            true => Filter::Leads { to: self.leads(value), name },
            false => Filter::Equal { key: fold(value), name },
        }
    }

    /// Where a name leads, in whichever tree it stands.
    fn leads(&self, value: &str) -> Option<Place> {
        let dn = Dn::parse(value).ok()?;
        tree_of(self.trees, &dn)?.place(self.directory, &dn)
    }

    fn by_rule(&self, assertion: &LdapMatchingRuleAssertion) -> Filter {
        let Some(name) = &assertion.type_ else { return Filter::Undefined };
        let value = &assertion.match_value;
        let rule = assertion.matching_rule.as_deref().map(str::to_ascii_lowercase);
        match rule.as_deref() {
            // Groups in groups count everywhere here.
            None | Some(IN_CHAIN) => self.equal(name, value),
            Some(rule) if IGNORING_CASE.contains(&rule) => self.equal(name, value),
            Some(rule @ (ALL_BITS | ANY_BIT)) => match value.trim().parse() {
                Ok(mask) => Filter::Bits { name: plain(name), mask, all: rule == ALL_BITS },
                Err(_) => Filter::Undefined,
            },
            Some(_) => Filter::Undefined,
        }
    }
}

impl Filter {
    /// Whether it holds of an entry; `None` if that cannot be said.
    #[must_use]
    pub fn holds(&self, view: View<'_>, place: Place) -> Option<bool> {
        match self {
            Self::All(parts) => settle(parts, false, |part| part.holds(view, place)),
            Self::Any(parts) => settle(parts, true, |part| part.holds(view, place)),
            Self::Not(part) => part.holds(view, place).map(|holds| !holds),
            Self::Present(name) => Some(!view.look(place, name)?.is_empty()),
            Self::Equal { name, key } => {
                Some(view.look(place, name)?.iter().any(|value| is_same(value, key)))
            }
            Self::Leads { name, to } => Some(to.is_some_and(|to| leads(view, place, name, to))),
            Self::Part { name, initial, any, last } => Some(
                view.look(place, name)?
                    .iter()
                    .any(|value| has_parts(&fold(value), initial, any, last)),
            ),
            Self::AtLeast { name, key } => {
                Some(view.look(place, name)?.iter().any(|value| compare(value, key).is_ge()))
            }
            Self::AtMost { name, key } => {
                Some(view.look(place, name)?.iter().any(|value| compare(value, key).is_le()))
            }
            Self::Bits { name, mask, all } => Some(view.look(place, name)?.iter().any(|value| {
                let number = value.parse::<i64>().unwrap_or_default();
                if *all { number & mask == *mask } else { number & mask != 0 }
            })),
            Self::Undefined => None,
        }
    }
}

/// One `decisive` part decides; else an undefined one leaves it open.
fn settle(
    parts: &[Filter],
    decisive: bool,
    holds: impl Fn(&Filter) -> Option<bool>,
) -> Option<bool> {
    let mut open = false;
    for part in parts {
        match holds(part) {
            Some(holds) if holds == decisive => return Some(decisive),
            Some(_) => {}
            None => open = true,
        }
    }
    (!open).then_some(!decisive)
}

/// Whether an entry is in the group, has the member, or is what a name leads to.
fn leads(view: View<'_>, place: Place, name: &str, to: Place) -> bool {
    let directory = view.directory;
    match (name, place, to) {
        ("entrydn" | "distinguishedname", _, _) => place == to,
        ("memberof", Place::Person(at), Place::Group(group)) => {
            directory.people.get(at).is_some_and(|it| holds(&it.groups, group))
        }
        ("memberof", Place::Group(at), Place::Group(group)) => {
            directory.groups.get(at).is_some_and(|it| holds(&it.within, group))
        }
        ("member" | "uniquemember", Place::Group(group), Place::Person(at)) => {
            view.sees(to) && directory.people.get(at).is_some_and(|it| holds(&it.groups, group))
        }
        _ => false,
    }
}

fn substring(name: &str, parts: &LdapSubstringFilter) -> Filter {
    let text = |part: &Option<String>| part.as_deref().map(unspaced).unwrap_or_default();
    Filter::Part {
        name: plain(name),
        initial: text(&parts.initial),
        any: parts.any.iter().map(|part| unspaced(part)).collect(),
        last: text(&parts.final_),
    }
}

/// A part of a value as it is compared. Blanks at its ends count.
fn unspaced(part: &str) -> String {
    let (folded, trimmed) = (fold(part), part.trim());
    let before = part.len() - part.trim_start().len();
    match trimmed.is_empty() {
        true => part.to_owned(),
        false => format!("{}{folded}{}", &part[..before], &part[before + trimmed.len()..]),
    }
}

fn has_parts(value: &str, initial: &str, any: &[String], last: &str) -> bool {
    let Some(mut rest) = value.strip_prefix(initial) else { return false };
    for part in any {
        match rest.find(part.as_str()) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn is_same(value: &str, key: &str) -> bool {
    match value.is_ascii() && key.is_ascii() {
        true => value.trim().eq_ignore_ascii_case(key),
        false => fold(value) == key,
    }
}

/// Numbers by their size, everything else by its letters.
fn compare(value: &str, key: &str) -> std::cmp::Ordering {
    match (value.parse::<i64>(), key.parse::<i64>()) {
        (Ok(value), Ok(key)) => value.cmp(&key),
        _ => fold(value).as_str().cmp(key),
    }
}

/// The name of an attribute as it is compared, without options such as `;binary`.
#[must_use]
pub fn plain(name: &str) -> String {
    let name = name.split(';').next().unwrap_or_default();
    match name.to_ascii_lowercase().as_str() {
        // RFC 4519: other names of the same.
        "userid" => "uid".to_owned(),
        "commonname" => "cn".to_owned(),
        "surname" => "sn".to_owned(),
        "rfc822mailbox" => "mail".to_owned(),
        "organizationalunitname" => "ou".to_owned(),
        other => other.to_owned(),
    }
}
