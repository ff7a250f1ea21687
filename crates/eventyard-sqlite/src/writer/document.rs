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
        let found = self.document_version(&collection, &key)?;
        let actual = found.unwrap_or(0);
        if let Some(expected) = expected
            && i64::try_from(expected) != Ok(actual)
        {
            let actual = actual.unsigned_abs();
            return Err(CommitError::VersionConflict { collection, key, expected, actual }.into());
        }
        let before = match found {
            Some(version) => version,
            None => read_version(self.sql.lost_version.query((&*collection,))?)?.unwrap_or(0),
        };
        let version = before + 1;
        self.sql.put_document.execute((collection, key, version, &**value))?;
        Ok(Effect::Version(version.unsigned_abs()))
    }

    /// Removes a document, if it exists.
    pub(super) fn delete_document(&mut self, collection: &str, key: &str) -> rusqlite::Result<()> {
        if let Some(version) = self.document_version(collection, key)? {
            self.sql.delete_document.execute((collection, key))?;
            self.sql.lose_version.execute((collection, version))?;
        }
        Ok(())
    }

    fn document_version(&mut self, collection: &str, key: &str) -> rusqlite::Result<Option<i64>> {
        read_version(self.sql.document_version.query((collection, key))?)
    }
}

fn read_version(mut rows: rusqlite::Rows<'_>) -> rusqlite::Result<Option<i64>> {
    rows.next()?.map(|row| row.get(0)).transpose()
}
