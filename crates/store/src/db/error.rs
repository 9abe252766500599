use std::sync::Arc;

/// What can go wrong with the database. Cheap to clone: one failed commit is told to everyone in it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be reached or written to now; trying again later may help.
    #[error("the database is not available")]
    Unavailable(#[source] Source),
    /// A unique constraint refused the row, or a table is there already; the text names the constraint or its columns.
    #[error("already exists: {0}")]
    Exists(String),
    /// Another row that is needed is gone.
    #[error("a referenced row does not exist")]
    Dangling,
    /// What this was to be written under has passed to somebody else.
    #[error("the session's lease is not held any more")]
    LeaseLost,
    /// The transaction lost a race and may be run again.
    #[error("the transaction was interrupted by another")]
    Contended(#[source] Source),
    #[error("a stored value cannot be read: {0}")]
    Corrupt(String),
    #[error("{0}")]
    Unsupported(&'static str),
    /// The schema or the key does not fit this program.
    #[error("{0}")]
    Refused(String),
    #[error("the database refused a statement")]
    Database(#[source] Source),
}

pub(super) type Source = Arc<dyn std::error::Error + Send + Sync>;

impl Error {
    pub fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt(what.into())
    }

    /// The transaction is to be run again.
    pub fn contended(why: &'static str) -> Self {
        Self::Contended(Arc::new(std::io::Error::other(why)))
    }

    /// Whether the caller may be told to come back.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Contended(_))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        use rusqlite::ffi;
        let rusqlite::Error::SqliteFailure(failure, message) = &error else {
            return Self::Database(Arc::new(error));
        };
        match (failure.code, failure.extended_code) {
            (Code::ConstraintViolation, ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => Self::Dangling,
            (Code::ConstraintViolation, ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => {
                Self::Exists(message.clone().unwrap_or_default())
            }
            (
                Code::DatabaseBusy
                | Code::DatabaseLocked
                | Code::DiskFull
                | Code::SystemIoFailure
                | Code::ReadOnly
                | Code::CannotOpen,
                _,
            ) => Self::Unavailable(Arc::new(error)),
            _ => Self::Database(Arc::new(error)),
        }
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        use tokio_postgres::error::SqlState;
        let Some(db) = error.as_db_error() else {
            let source = std::error::Error::source(&error);
            return match error.is_closed() || source.is_some_and(|source| source.is::<std::io::Error>()) {
                true => Self::Unavailable(Arc::new(error)),
                false => Self::Database(Arc::new(error)),
            };
        };
        let code = db.code();
        // A table that two make at once is refused by whichever of PostgreSQL's catalogues knows it first.
        if [SqlState::UNIQUE_VIOLATION, SqlState::DUPLICATE_TABLE, SqlState::DUPLICATE_OBJECT].contains(code) {
            return Self::Exists(db.constraint().unwrap_or_default().to_owned());
        }
        if *code == SqlState::FOREIGN_KEY_VIOLATION {
            return Self::Dangling;
        }
        if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED {
            return Self::Contended(Arc::new(error));
        }
        // Classes 08 (connection), 53 (resources), 57 (operator intervention), 58 (system), 25006 (read only).
        let class = &code.code()[..2];
        if matches!(class, "08" | "53" | "57" | "58") || code.code() == "25006" {
            return Self::Unavailable(Arc::new(error));
        }
        Self::Database(Arc::new(error))
    }
}

impl From<deadpool_postgres::PoolError> for Error {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        Self::Unavailable(Arc::new(error))
    }
}
