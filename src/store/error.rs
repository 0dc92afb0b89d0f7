//! What can go wrong with the store, in the words of whoever has to put it right.
//!
//! Texts name the place, the reason and the remedy. They never hold a value from a row, a
//! statement or a password.

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "the store {place} cannot be reached: {reason}; see that it runs and that its address, name and rights are correct"
    )]
    Unreachable { place: String, reason: String },
    #[error(
        "there is no store at {place}: name the one that the server uses with --state, or make one with `doorward serve`"
    )]
    Missing { place: String },
    #[error("the store {place} is busy: {reason}; try again in a moment")]
    Busy { place: String, reason: String },
    #[error("the store {place} has no room left: make room on its disk")]
    Full { place: String },
    #[error("the store {place} is damaged: {reason}; restore it from a backup")]
    Damaged { place: String, reason: String },
    #[error(
        "row {id} of table {table} makes no sense in column {column}: it was edited by hand or is damaged; put the column right or restore a backup"
    )]
    Corrupt { table: &'static str, id: String, column: &'static str },
    #[error("table {table} already holds a row with the same {columns}")]
    Conflict { table: String, columns: String },
    #[error(
        "the store {place} was written by a newer version (schema {found}, this version knows {known}): run that version, or restore a backup made before the upgrade"
    )]
    Newer { place: String, found: i64, known: i64 },
    #[error(
        "the store {place} was set up by another text of migration {migration}: run the version that made it"
    )]
    Altered { place: String, migration: String },
    #[error(
        "there is a store at {place} already: a backup is restored where there is none; move it away first"
    )]
    NotEmpty { place: String },
    #[error("a text for the store holds a NUL character: remove it")]
    Nul,
    #[error("a value for the store has no JSON form: {0}")]
    NoJson(String),
    #[error("the transaction had failed before: begin a new one")]
    Spoiled,
    #[error("the store {place} refused: {reason}")]
    Other { place: String, reason: String },
}

/// What the store answers.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

impl StoreError {
    /// Whether the same request may succeed a moment later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Busy { .. })
    }

    pub(super) fn unreachable(place: &str, reason: impl Into<String>) -> Self {
        Self::Unreachable { place: place.to_owned(), reason: reason.into() }
    }

    pub(super) fn busy(place: &str, reason: impl Into<String>) -> Self {
        Self::Busy { place: place.to_owned(), reason: reason.into() }
    }

    pub(super) fn other(place: &str, reason: impl Into<String>) -> Self {
        Self::Other { place: place.to_owned(), reason: reason.into() }
    }
}
