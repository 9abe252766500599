//! The key that encrypts secrets at rest: given in `HERMOD_SECRET_KEY`, or kept in the data directory.

use std::io::Write;
use std::path::{Path, PathBuf};

use store::SecretKey;

/// A key of 32 bytes in base64.
const VARIABLE: &str = "HERMOD_SECRET_KEY";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0} does not hold 32 bytes in base64")]
    Unreadable(String),
    #[error("this database was made with a secret key: give it in {VARIABLE} or as {0}")]
    Missing(PathBuf),
    #[error("the secret key in {0} cannot be used")]
    File(PathBuf, #[source] std::io::Error),
}

/// Finds the key. A new one is made only when `may_make`: never for a database that has encrypted rows.
pub fn find(data_dir: &Path, may_make: bool) -> Result<SecretKey, Error> {
    if let Some(text) = variable() {
        return SecretKey::parse(&text).ok_or_else(|| Error::Unreadable(VARIABLE.into()));
    }
    let path = data_dir.join("secret.key");
    match std::fs::read_to_string(&path) {
        Ok(text) => SecretKey::parse(&text).ok_or_else(|| Error::Unreadable(path.display().to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && may_make => make(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Error::Missing(path)),
        Err(error) => Err(Error::File(path, error)),
    }
}

#[expect(clippy::disallowed_methods, reason = "a secret does not belong among the settings, which are printed")]
fn variable() -> Option<String> {
    std::env::var(VARIABLE).ok().filter(|text| !text.is_empty())
}

fn make(path: PathBuf) -> Result<SecretKey, Error> {
    let key = SecretKey::generate();
    write_private(&path, &format!("{}\n", key.to_base64())).map_err(|error| Error::File(path, error))?;
    Ok(key)
}

/// Writes a file that only its owner can read, whole or not at all.
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let fresh = path.with_extension("new");
    let _ = std::fs::remove_file(&fresh);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)?;
    if let Some(parent) = path.parent() {
        std::fs::File::open(parent)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_never_where_it_may_not() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(find(dir.path(), false), Err(Error::Missing(_))));
        let key = find(dir.path(), true).unwrap();
        assert_eq!(find(dir.path(), false).unwrap().to_base64(), key.to_base64());
        let mode = std::fs::metadata(dir.path().join("secret.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(dir.path().join("secret.key"), "short").unwrap();
        assert!(matches!(find(dir.path(), true), Err(Error::Unreadable(_))));
    }
}
