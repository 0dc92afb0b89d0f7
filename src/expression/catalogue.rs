//! What an expression may name: variables, fields, functions and their types.
//!
//! The one table for checking, did-you-mean and the printed reference.

use std::fmt;

/// Where an expression stands, which decides what it can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// A condition of an access rule: `user`, `request`, `app`, `now`.
    Policy,
    /// A claim or a header: `user` and `app`.
    Claim,
    /// A condition on what another provider says: `user` is whom it names.
    Source,
    /// A statement about every app: `app` with its fields.
    Invariant,
}

/// What the place of the expression needs as its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Want {
    Truth,
    Text,
    /// Anything that can be written as JSON.
    Any,
}

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    Null,
    Truth,
    Int,
    Uint,
    Double,
    Text,
    Timestamp,
    Duration,
    List(Box<Type>),
    Map(Box<Type>, Box<Type>),
    /// A variable with fields, which is no value by itself.
    Object(Object),
    /// One of several types, known only when it runs.
    Mixed,
    /// A mistake was reported here already, or the list is empty.
    Unknown,
}

/// A variable with fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    User,
    Request,
    App,
}

/// One thing that the facts hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Username,
    Name,
    Email,
    Groups,
    Attributes,
    Mfa,
    Host,
    Path,
    Method,
    ClientIp,
    Slug,
    Title,
    Category,
    Hidden,
    Hosts,
    Requires,
    Bypasses,
    Now,
}

/// What a variable stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variable {
    Object(Object),
    Field(Field),
}

const USER: &[(&str, Field)] = &[
    ("username", Field::Username),
    ("name", Field::Name),
    ("email", Field::Email),
    ("groups", Field::Groups),
    ("attributes", Field::Attributes),
    ("mfa", Field::Mfa),
];
const REQUEST: &[(&str, Field)] = &[
    ("host", Field::Host),
    ("path", Field::Path),
    ("method", Field::Method),
    ("client_ip", Field::ClientIp),
];
const APP: &[(&str, Field)] = &[("slug", Field::Slug)];
const WHOLE_APP: &[(&str, Field)] = &[
    ("slug", Field::Slug),
    ("title", Field::Title),
    ("category", Field::Category),
    ("hidden", Field::Hidden),
    ("hosts", Field::Hosts),
    ("requires", Field::Requires),
    ("bypasses", Field::Bypasses),
];

impl Context {
    /// The variables that can be named here.
    #[must_use]
    pub fn variables(self) -> &'static [(&'static str, Variable)] {
        match self {
            Self::Policy => &[
                ("user", Variable::Object(Object::User)),
                ("request", Variable::Object(Object::Request)),
                ("app", Variable::Object(Object::App)),
                ("now", Variable::Field(Field::Now)),
            ],
            Self::Claim => {
                &[("user", Variable::Object(Object::User)), ("app", Variable::Object(Object::App))]
            }
            Self::Source => &[("user", Variable::Object(Object::User))],
            Self::Invariant => &[("app", Variable::Object(Object::App))],
        }
    }

    /// The fields that `object` has here.
    #[must_use]
    pub fn fields(self, object: Object) -> &'static [(&'static str, Field)] {
        match (object, self) {
            (Object::User, _) => USER,
            (Object::Request, _) => REQUEST,
            (Object::App, Self::Invariant) => WHOLE_APP,
            (Object::App, _) => APP,
        }
    }

    /// What can be written here, in one line.
    #[must_use]
    pub fn summary(self) -> &'static str {
        match self {
            Self::Policy => "expressions are CEL: user.*, request.*, app.slug, now",
            Self::Claim => "expressions are CEL: user.*, app.slug",
            Self::Source => "expressions are CEL: user.*, as the source says it",
            Self::Invariant => "expressions are CEL: app.*",
        }
    }
}

impl Field {
    /// The type of what it holds.
    #[must_use]
    pub fn type_of(self) -> Type {
        match self {
            Self::Groups | Self::Mfa | Self::Hosts | Self::Requires | Self::Bypasses => {
                Type::list(Type::Text)
            }
            Self::Attributes => Type::Map(Box::new(Type::Text), Box::new(Type::list(Type::Text))),
            Self::Hidden => Type::Truth,
            Self::Now => Type::Timestamp,
            _ => Type::Text,
        }
    }

    /// How it is written.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Username => "user.username",
            Self::Name => "user.name",
            Self::Email => "user.email",
            Self::Groups => "user.groups",
            Self::Attributes => "user.attributes",
            Self::Mfa => "user.mfa",
            Self::Host => "request.host",
            Self::Path => "request.path",
            Self::Method => "request.method",
            Self::ClientIp => "request.client_ip",
            Self::Slug => "app.slug",
            Self::Title => "app.title",
            Self::Category => "app.category",
            Self::Hidden => "app.hidden",
            Self::Hosts => "app.hosts",
            Self::Requires => "app.requires",
            Self::Bypasses => "app.bypasses",
            Self::Now => "now",
        }
    }
}

impl Object {
    /// How it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Request => "request",
            Self::App => "app",
        }
    }
}

impl Type {
    /// A list of `element`.
    #[must_use]
    pub fn list(element: Self) -> Self {
        Self::List(Box::new(element))
    }

    /// Whether it counts.
    #[must_use]
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Uint | Self::Double)
    }

    /// The type of a place that holds either.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, known) | (known, Self::Unknown) => known,
            (Self::List(left), Self::List(right)) => Self::list(left.join(*right)),
            (Self::Map(key, value), Self::Map(other_key, other_value)) => {
                Self::Map(Box::new(key.join(*other_key)), Box::new(value.join(*other_value)))
            }
            (left, right) if left == right => left,
            _ => Self::Mixed,
        }
    }

    /// Whether asking if they are equal can make sense.
    #[must_use]
    pub fn can_equal(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unknown | Self::Mixed, _) | (_, Self::Unknown | Self::Mixed) => true,
            (Self::List(left), Self::List(right)) => left.can_equal(right),
            (Self::Map(key, value), Self::Map(other_key, other_value)) => {
                key.can_equal(other_key) && value.can_equal(other_value)
            }
            (left, right) => left == right || (left.is_number() && right.is_number()),
        }
    }
}

impl fmt::Display for Type {
    /// In plain words: "text", "a list of text".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Truth => "true or false",
            Self::Int => "a whole number",
            Self::Uint => "an unsigned number",
            Self::Double => "a decimal number",
            Self::Text => "text",
            Self::Timestamp => "a moment",
            Self::Duration => "a span of time",
            Self::List(element) if **element == Self::Text => "a list of text",
            Self::List(_) => "a list",
            Self::Map(..) => "a map",
            Self::Object(_) => "a group of fields",
            Self::Mixed => "of no single kind",
            Self::Unknown => "unknown",
        })
    }
}

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `name(value)`
    Global,
    /// `value.name()`
    Method,
}

/// What a function does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    Matches,
    Join,
    LowerAscii,
    UpperAscii,
    ToInt,
    ToUint,
    ToDouble,
    ToText,
    ToTimestamp,
    ToDuration,
    /// Part of a moment, in UTC or in the zone of the second argument.
    Part(Part),
    /// A whole span of time in a unit.
    Total(Unit),
}

/// A part of a moment on the calendar or the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    FullYear,
    /// January is 0.
    Month,
    /// The first is 0.
    DayOfMonth,
    /// The first is 1.
    Date,
    /// Sunday is 0.
    DayOfWeek,
    /// The first of January is 0.
    DayOfYear,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

/// A unit of a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

/// The kind of an argument or result, as the table of functions writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Int,
    Uint,
    Double,
    Truth,
    Text,
    Timestamp,
    Duration,
    Texts,
    List,
    Map,
}

impl Kind {
    /// Whether a value of `given` fits.
    #[must_use]
    pub fn accepts(self, given: &Type) -> bool {
        match (self, given) {
            (_, Type::Unknown) | (Self::List, Type::List(_)) | (Self::Map, Type::Map(..)) => true,
            (Self::Texts, Type::List(element)) => Self::Text.accepts(element),
            _ => *given == self.type_of(),
        }
    }

    /// The type it names.
    #[must_use]
    pub fn type_of(self) -> Type {
        match self {
            Self::Int => Type::Int,
            Self::Uint => Type::Uint,
            Self::Double => Type::Double,
            Self::Truth => Type::Truth,
            Self::Text => Type::Text,
            Self::Timestamp => Type::Timestamp,
            Self::Duration => Type::Duration,
            Self::Texts => Type::list(Type::Text),
            Self::List => Type::list(Type::Unknown),
            Self::Map => Type::Map(Box::new(Type::Unknown), Box::new(Type::Unknown)),
        }
    }
}

/// One way to call a function.
#[derive(Clone, Copy, Debug)]
pub struct Overload {
    pub name: &'static str,
    pub style: Style,
    /// The value it is called on comes first.
    pub takes: &'static [Kind],
    pub gives: Kind,
    pub function: Function,
}

/// The loops: `list.name(variable, expression)`.
pub const LOOPS: &[&str] = &["all", "exists", "exists_one", "existsOne", "filter", "map"];

/// Whether `name` is a function, a loop or `has`.
#[must_use]
pub fn is_function(name: &str) -> bool {
    function_names().any(|known| known == name)
}

/// Every name that can be called.
pub fn function_names() -> impl Iterator<Item = &'static str> {
    let overloads = FUNCTIONS.iter().map(|overload| overload.name);
    overloads.chain(LOOPS.iter().copied()).chain(["has"])
}

const fn method(
    name: &'static str,
    takes: &'static [Kind],
    gives: Kind,
    function: Function,
) -> Overload {
    Overload { name, style: Style::Method, takes, gives, function }
}

const fn global(
    name: &'static str,
    takes: &'static [Kind],
    gives: Kind,
    function: Function,
) -> Overload {
    Overload { name, style: Style::Global, takes, gives, function }
}

const fn part(name: &'static str, part: Part) -> Overload {
    method(name, &[Kind::Timestamp], Kind::Int, Function::Part(part))
}

const fn part_in_zone(name: &'static str, part: Part) -> Overload {
    method(name, &[Kind::Timestamp, Kind::Text], Kind::Int, Function::Part(part))
}

const fn total(name: &'static str, unit: Unit) -> Overload {
    method(name, &[Kind::Duration], Kind::Int, Function::Total(unit))
}

/// Every way to call every function.
pub const FUNCTIONS: &[Overload] = &[
    global("size", &[Kind::Text], Kind::Int, Function::Size),
    global("size", &[Kind::List], Kind::Int, Function::Size),
    global("size", &[Kind::Map], Kind::Int, Function::Size),
    method("size", &[Kind::Text], Kind::Int, Function::Size),
    method("size", &[Kind::List], Kind::Int, Function::Size),
    method("size", &[Kind::Map], Kind::Int, Function::Size),
    method("contains", &[Kind::Text, Kind::Text], Kind::Truth, Function::Contains),
    method("startsWith", &[Kind::Text, Kind::Text], Kind::Truth, Function::StartsWith),
    method("endsWith", &[Kind::Text, Kind::Text], Kind::Truth, Function::EndsWith),
    method("matches", &[Kind::Text, Kind::Text], Kind::Truth, Function::Matches),
    global("matches", &[Kind::Text, Kind::Text], Kind::Truth, Function::Matches),
    method("join", &[Kind::Texts], Kind::Text, Function::Join),
    method("join", &[Kind::Texts, Kind::Text], Kind::Text, Function::Join),
    method("lowerAscii", &[Kind::Text], Kind::Text, Function::LowerAscii),
    method("upperAscii", &[Kind::Text], Kind::Text, Function::UpperAscii),
    global("int", &[Kind::Int], Kind::Int, Function::ToInt),
    global("int", &[Kind::Uint], Kind::Int, Function::ToInt),
    global("int", &[Kind::Double], Kind::Int, Function::ToInt),
    global("int", &[Kind::Text], Kind::Int, Function::ToInt),
    global("int", &[Kind::Timestamp], Kind::Int, Function::ToInt),
    global("uint", &[Kind::Uint], Kind::Uint, Function::ToUint),
    global("uint", &[Kind::Int], Kind::Uint, Function::ToUint),
    global("uint", &[Kind::Double], Kind::Uint, Function::ToUint),
    global("uint", &[Kind::Text], Kind::Uint, Function::ToUint),
    global("double", &[Kind::Double], Kind::Double, Function::ToDouble),
    global("double", &[Kind::Int], Kind::Double, Function::ToDouble),
    global("double", &[Kind::Uint], Kind::Double, Function::ToDouble),
    global("double", &[Kind::Text], Kind::Double, Function::ToDouble),
    global("string", &[Kind::Text], Kind::Text, Function::ToText),
    global("string", &[Kind::Truth], Kind::Text, Function::ToText),
    global("string", &[Kind::Int], Kind::Text, Function::ToText),
    global("string", &[Kind::Uint], Kind::Text, Function::ToText),
    global("string", &[Kind::Double], Kind::Text, Function::ToText),
    global("string", &[Kind::Timestamp], Kind::Text, Function::ToText),
    global("string", &[Kind::Duration], Kind::Text, Function::ToText),
    global("timestamp", &[Kind::Text], Kind::Timestamp, Function::ToTimestamp),
    global("timestamp", &[Kind::Int], Kind::Timestamp, Function::ToTimestamp),
    global("timestamp", &[Kind::Timestamp], Kind::Timestamp, Function::ToTimestamp),
    global("duration", &[Kind::Text], Kind::Duration, Function::ToDuration),
    global("duration", &[Kind::Duration], Kind::Duration, Function::ToDuration),
    part("getFullYear", Part::FullYear),
    part_in_zone("getFullYear", Part::FullYear),
    part("getMonth", Part::Month),
    part_in_zone("getMonth", Part::Month),
    part("getDayOfMonth", Part::DayOfMonth),
    part_in_zone("getDayOfMonth", Part::DayOfMonth),
    part("getDate", Part::Date),
    part_in_zone("getDate", Part::Date),
    part("getDayOfWeek", Part::DayOfWeek),
    part_in_zone("getDayOfWeek", Part::DayOfWeek),
    part("getDayOfYear", Part::DayOfYear),
    part_in_zone("getDayOfYear", Part::DayOfYear),
    part("getHours", Part::Hours),
    part_in_zone("getHours", Part::Hours),
    total("getHours", Unit::Hours),
    part("getMinutes", Part::Minutes),
    part_in_zone("getMinutes", Part::Minutes),
    total("getMinutes", Unit::Minutes),
    part("getSeconds", Part::Seconds),
    part_in_zone("getSeconds", Part::Seconds),
    total("getSeconds", Unit::Seconds),
    part("getMilliseconds", Part::Milliseconds),
    part_in_zone("getMilliseconds", Part::Milliseconds),
    total("getMilliseconds", Unit::Milliseconds),
];
