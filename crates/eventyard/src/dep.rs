//! Dependencies: what handlers need besides their event.

use std::{
    any::{Any, TypeId, type_name},
    collections::HashMap,
    fmt, ops,
    sync::Arc,
};

/// A dependency as a handler's parameter: a shared `T` that the application was
/// [given](crate::Eventyard::provide).
pub struct Dep<T: ?Sized>(Arc<T>);

impl<T: ?Sized> Dep<T> {
    /// The shared value itself.
    #[must_use]
    pub fn into_arc(self) -> Arc<T> {
        self.0
    }
}

impl<T: ?Sized> ops::Deref for Dep<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized> Clone for Dep<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Dep<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Everything that was provided, by type.
#[derive(Default, Clone)]
pub(crate) struct Deps {
    values: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
}

impl Deps {
    pub(crate) fn insert<T: ?Sized + Send + Sync + 'static>(&mut self, value: Arc<T>) {
        self.values.insert(TypeId::of::<Arc<T>>(), Arc::new(value));
    }

    pub(crate) fn get<T: ?Sized + Send + Sync + 'static>(&self) -> Option<Dep<T>> {
        let value = self.values.get(&TypeId::of::<Arc<T>>())?;
        value.downcast_ref::<Arc<T>>().cloned().map(Dep)
    }

    pub(crate) fn has(&self, need: &Need) -> bool {
        self.values.contains_key(&need.key)
    }
}

/// A dependency that some handler needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    key: TypeId,
    /// The type's name, for people.
    pub type_name: &'static str,
}

impl Need {
    pub(crate) fn of<T: ?Sized + Send + Sync + 'static>() -> Self {
        Self { key: TypeId::of::<Arc<T>>(), type_name: type_name::<T>() }
    }
}
