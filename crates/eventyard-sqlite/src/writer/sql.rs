//! Statements that leave a trace: what a group of requests changes is also noted for the redo log.

use std::{cell::RefCell, rc::Rc};

use rusqlite::{
    Connection, MappedRows, Params, PrepFlags, Row, Rows, Statement, ToSql, types::ToSqlOutput,
};

use crate::redo::Notes;

/// Where the statements of one connection note what they change; absent when nobody reads it.
pub(super) type Trace = Option<Rc<RefCell<Notes>>>;

/// One prepared statement.
#[derive(Debug)]
pub(super) struct Sql<'c> {
    statement: Statement<'c>,
    /// What the redo log calls it.
    code: u32,
    trace: Trace,
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "values are tuples, as rusqlite's own calls take them"
)]
impl<'c> Sql<'c> {
    pub(super) fn prepare(
        conn: &'c Connection,
        sql: &str,
        code: u32,
        trace: &Trace,
    ) -> rusqlite::Result<Self> {
        // "Persistent" keeps it out of the small pool of memory that running statements share.
        let flags = PrepFlags::SQLITE_PREPARE_PERSISTENT;
        let statement = conn.prepare_with_flags(sql, flags)?;
        Ok(Self { statement, code, trace: trace.clone() })
    }

    /// Changes rows, and notes it.
    pub(super) fn execute(&mut self, values: impl Values) -> rusqlite::Result<usize> {
        self.bind(&values)?;
        self.statement.raw_execute()
    }

    /// Notes a change of rows without making it: whoever looks at the rows has it made, or undone, before.
    pub(super) fn note(&self, values: &impl Values) -> rusqlite::Result<()> {
        let Some(trace) = &self.trace else { return Ok(()) };
        let mut notes = trace.borrow_mut();
        notes.begin(self.code);
        values.each(|_, value| notes.value(&value))
    }

    /// Changes rows, notes it, and reads the one row that comes of it.
    pub(super) fn change<T>(
        &mut self,
        values: impl Values,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.bind(&values)?;
        let mut rows = self.statement.raw_query();
        let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let value = read(row)?;
        // The change is whole when there are no more rows.
        while rows.next()?.is_some() {}
        Ok(value)
    }

    /// Changes rows without a note: for what is no part of a group, or was noted before.
    pub(super) fn execute_unnoted(&mut self, values: impl Values) -> rusqlite::Result<usize> {
        values.each(|n, value| self.statement.raw_bind_parameter(n, value))?;
        self.statement.raw_execute()
    }

    pub(super) fn query(&mut self, params: impl Params) -> rusqlite::Result<Rows<'_>> {
        self.statement.query(params)
    }

    pub(super) fn query_map<T, F: FnMut(&Row<'_>) -> rusqlite::Result<T>>(
        &mut self,
        params: impl Params,
        read: F,
    ) -> rusqlite::Result<MappedRows<'_, F>> {
        self.statement.query_map(params, read)
    }

    pub(super) fn query_row<T>(
        &mut self,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.statement.query_row(params, read)
    }

    pub(super) fn exists(&mut self, params: impl Params) -> rusqlite::Result<bool> {
        self.statement.exists(params)
    }

    fn bind(&mut self, values: &impl Values) -> rusqlite::Result<()> {
        let Some(trace) = &self.trace else {
            return values.each(|n, value| self.statement.raw_bind_parameter(n, value));
        };
        let mut notes = trace.borrow_mut();
        notes.begin(self.code);
        values.each(|n, value| {
            notes.value(&value)?;
            self.statement.raw_bind_parameter(n, value)
        })
    }
}

/// What a statement is given: a tuple of values.
pub(super) trait Values {
    /// Hands out each value with its number, which begins at 1.
    fn each(
        &self,
        take: impl FnMut(usize, ToSqlOutput<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()>;
}

macro_rules! values {
    ($($name:ident)*) => {
        impl<$($name: ToSql),*> Values for ($($name,)*) {
            #[allow(non_snake_case, unused_mut, unused_variables, unused_assignments)]
            fn each(
                &self,
                mut take: impl FnMut(usize, ToSqlOutput<'_>) -> rusqlite::Result<()>,
            ) -> rusqlite::Result<()> {
                let ($($name,)*) = self;
                let mut n = 0;
                $(n += 1; take(n, $name.to_sql()?)?;)*
                Ok(())
            }
        }
    };
}

values!();
values!(A);
values!(A B);
values!(A B C);
values!(A B C D);
values!(A B C D E);
values!(A B C D E F);
values!(A B C D E F G);
values!(A B C D E F G H);
values!(A B C D E F G H I);
values!(A B C D E F G H I J);
values!(A B C D E F G H I J K L M N);
