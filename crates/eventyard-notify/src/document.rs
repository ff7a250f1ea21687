//! Documents with a type: read, listed, written.

use std::marker::PhantomData;

use eventyard::{
    Yard,
    model::{
        Commit, CommitError, Document, Inspect, Page, PageAsk, Write, inspect::DocumentFilter,
    },
};
use serde::{Serialize, de::DeserializeOwned};

use crate::Error;

/// How often a change is tried again when others change the same document.
pub(crate) const TRIES: usize = 5;

/// A collection of documents that are all a `T`.
pub(crate) struct Collection<T> {
    pub(crate) name: &'static str,
    of: PhantomData<fn() -> T>,
}

/// A document as it was read.
#[derive(Debug)]
pub(crate) struct Stored<T> {
    pub(crate) key: String,
    pub(crate) value: T,
    pub(crate) version: u64,
}

impl<T: Serialize + DeserializeOwned> Collection<T> {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, of: PhantomData }
    }

    /// One document.
    pub(crate) async fn get(
        &self,
        inspect: &dyn Inspect,
        key: &str,
    ) -> Result<Option<Stored<T>>, Error> {
        let document = inspect.document(self.name, key).await?;
        document.map(|document| self.decode(document)).transpose()
    }

    /// A page of the documents whose keys begin with `prefix`, the last key first.
    pub(crate) async fn newest(
        &self,
        inspect: &dyn Inspect,
        prefix: String,
        page: PageAsk,
    ) -> Result<Page<Stored<T>>, Error> {
        let filter =
            DocumentFilter { collection: self.name.to_owned(), prefix, newest_first: true };
        let Page { items, next } = inspect.documents(filter, page).await?;
        let items =
            items.into_iter().map(|document| self.decode(document)).collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    fn decode(&self, document: Document) -> Result<Stored<T>, Error> {
        let Document { key, value, version, .. } = document;
        match serde_json::from_slice(&value) {
            Ok(value) => Ok(Stored { key, value, version }),
            Err(source) => Err(Error::Damaged { collection: self.name.to_owned(), key, source }),
        }
    }

    /// The write that puts a document.
    pub(crate) fn put(&self, key: &str, value: &T, expected: Option<u64>) -> Result<Write, Error> {
        let value = serde_json::to_vec(value).map_err(|source| eventyard::Error::Encode {
            what: format!("the document {}/{key}", self.name),
            source,
        })?;
        Ok(Write::Put {
            collection: self.name.to_owned(),
            key: key.to_owned(),
            value: value.into(),
            expected,
        })
    }

    /// The write that removes a document.
    pub(crate) fn delete(&self, key: &str) -> Write {
        Write::Delete { collection: self.name.to_owned(), key: key.to_owned() }
    }
}

/// Applies writes; false when another changed one of the documents first.
pub(crate) async fn apply(yard: &Yard, writes: Vec<Write>) -> Result<bool, Error> {
    match yard.commit(Commit::of(writes)).await {
        Ok(_) => Ok(true),
        Err(eventyard::Error::Commit(CommitError::VersionConflict { .. })) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The values of a page.
pub(crate) fn values<T>(page: Page<Stored<T>>) -> Page<T> {
    Page { items: page.items.into_iter().map(|stored| stored.value).collect(), next: page.next }
}
