//! Writing documents.

use bytes::Bytes;
use eventyard_core::{CommitError, Effect};

use super::{Writer, apply::Refused};

impl Writer<'_> {
    /// Writes a document, if it has the expected version.
    pub(super) fn put_document(
        &mut self,
        collection: String,
        key: String,
        value: &Bytes,
        expected: Option<u64>,
    ) -> Result<Effect, Refused> {
        let actual = self.document_version(&collection, &key)?;
        if let Some(expected) = expected
            && i64::try_from(expected) != Ok(actual)
        {
            let actual = actual.unsigned_abs();
            return Err(CommitError::VersionConflict { collection, key, expected, actual }.into());
        }
        let version = actual + 1;
        self.sql.put_document.execute((collection, key, version, &**value))?;
        Ok(Effect::Version(version.unsigned_abs()))
    }

    /// Removes a document, if it exists.
    pub(super) fn delete_document(&mut self, collection: &str, key: &str) -> rusqlite::Result<()> {
        self.sql.delete_document.execute((collection, key))?;
        Ok(())
    }

    fn document_version(&mut self, collection: &str, key: &str) -> rusqlite::Result<i64> {
        let mut rows = self.sql.document_version.query((collection, key))?;
        rows.next()?.map_or(Ok(0), |row| row.get(0))
    }
}
