//! Asking Redis: scripts by their hash, and commands together.

use std::sync::LazyLock;

use eventyard_core::{StoreError, StoreErrorKind};
use redis::{Cmd, ErrorKind, FromRedisValue, Pipeline, ServerErrorKind, ToRedisArgs, Value};

use super::Reader;
use crate::connect::Error;

/// A script that only reads.
#[derive(Debug)]
pub(super) struct Question {
    text: &'static str,
    hash: String,
}

/// The jobs of a queue in a state.
pub(super) static PAGE: LazyLock<Question> =
    LazyLock::new(|| Question::of(include_str!("../lua/inspect_page.lua")));
/// Jobs with where they stand.
pub(super) static JOBS: LazyLock<Question> =
    LazyLock::new(|| Question::of(include_str!("../lua/inspect_jobs.lua")));

impl Question {
    fn of(text: &'static str) -> Self {
        Self { text, hash: redis::Script::new(text).get_hash().to_owned() }
    }
}

impl Reader {
    /// Asks a script; `key` tells a cluster where.
    pub(super) async fn ask<A: ToRedisArgs, T: FromRedisValue>(
        &self,
        question: &Question,
        key: &str,
        arguments: &[A],
    ) -> Result<T, StoreError> {
        let call = |verb, script: &str| {
            let mut call = redis::cmd(verb);
            call.arg(script).arg(1).arg(key);
            arguments.iter().for_each(|argument| {
                call.arg(argument);
            });
            call
        };
        let mut connection = self.connection.clone();
        let answer = match call("EVALSHA", &question.hash).query_async(&mut connection).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                call("EVAL", question.text).query_async(&mut connection).await
            }
            answer => answer,
        };
        answer.map_err(store_error)
    }

    /// Asks one command.
    pub(super) async fn get<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        command.query_async(&mut self.connection.clone()).await.map_err(store_error)
    }

    /// Asks commands together; one answer for each. In a transaction if the pipeline says so.
    pub(super) async fn get_all<T: FromRedisValue>(
        &self,
        commands: &Pipeline,
    ) -> Result<T, StoreError> {
        commands.query_async(&mut self.connection.clone()).await.map_err(store_error)
    }
}

/// What went wrong, in the words of the port.
fn store_error(error: redis::RedisError) -> StoreError {
    Error::from(error).into()
}

/// An answer that does not fit the question.
pub(super) fn read<T: FromRedisValue>(value: Value) -> Result<T, StoreError> {
    T::from_redis_value(value).map_err(|error| {
        let message = "redis gave an answer that does not fit the question";
        StoreError::new(StoreErrorKind::Corrupt, message).because(error)
    })
}
