//! The code that changes the store inside Redis: each call is atomic with respect to every other client.
//!
//! It is one library of functions, loaded once, where the server has those (Redis 7). Older servers get it as scripts,
//! which are made ready anew with each call.

use std::sync::LazyLock;

use redis::{Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value, aio::ConnectionLike};

/// The parts of the code, in the order in which one needs the other.
const PARTS: [&str; 24] = [
    include_str!("lua/context.lua"),
    include_str!("lua/later.lua"),
    include_str!("lua/journal.lua"),
    include_str!("lua/rate.lua"),
    include_str!("lua/lane.lua"),
    include_str!("lua/place.lua"),
    include_str!("lua/job.lua"),
    include_str!("lua/finish.lua"),
    include_str!("lua/duplicate.lua"),
    include_str!("lua/flow.lua"),
    include_str!("lua/lease.lua"),
    include_str!("lua/record.lua"),
    include_str!("lua/upkeep.lua"),
    include_str!("lua/settle.lua"),
    include_str!("lua/envelope.lua"),
    include_str!("lua/steer.lua"),
    include_str!("lua/steer_queue.lua"),
    include_str!("lua/commit.lua"),
    include_str!("lua/plain.lua"),
    include_str!("lua/claim.lua"),
    include_str!("lua/work.lua"),
    include_str!("lua/renew.lua"),
    include_str!("lua/maintain.lua"),
    include_str!("lua/iterate.lua"),
];

static LIBRARY: LazyLock<Library> = LazyLock::new(Library::compose);

/// What the code can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// Applies commits and leases jobs.
    Work,
    /// Makes leases hold longer.
    Renew,
    /// Does what time asks for.
    Maintain,
    /// Adds the next job of a scheduler of BullMQ's.
    Iterate,
}

impl Script {
    const ALL: [Self; 4] = [Self::Work, Self::Renew, Self::Maintain, Self::Iterate];

    const fn name(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Renew => "renew",
            Self::Maintain => "maintain",
            Self::Iterate => "iterate",
        }
    }
}

struct Library {
    /// What tells this version of the code from others.
    name: String,
    code: String,
    /// The same for servers without functions: a script for each verb.
    scripts: [redis::Script; Script::ALL.len()],
}

impl Library {
    fn compose() -> Self {
        let parts = PARTS.join("\n");
        let name = format!("eventyard_{}", &redis::Script::new(&parts).get_hash()[..16]);
        let mut code = format!("#!lua name={name}\n{parts}\n");
        for script in Script::ALL {
            let verb = script.name();
            code.push_str(&format!(
                "redis.register_function('{name}_{verb}', function(keys, args)\n\
                 begin(args[1])\n\
                 return verbs.{verb}()\n\
                 end)\n"
            ));
        }
        let scripts = Script::ALL.map(|script| {
            let verb = script.name();
            redis::Script::new(&format!("{parts}\nbegin(ARGV[1])\nreturn verbs.{verb}()\n"))
        });
        Self { name, code, scripts }
    }
}

/// How a server runs the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runs {
    /// As functions of a library that it has loaded.
    Functions,
    /// As scripts.
    Scripts,
}

/// A call. `key` tells a cluster where it runs.
pub(crate) fn call(script: Script, runs: Runs, key: &str, argument: &[u8]) -> Cmd {
    let mut call = match runs {
        Runs::Functions => {
            let mut call = redis::cmd("FCALL");
            call.arg(format!("{}_{}", LIBRARY.name, script.name()));
            call
        }
        Runs::Scripts => {
            let mut call = redis::cmd("EVALSHA");
            call.arg(LIBRARY.scripts[script as usize].get_hash());
            call
        }
    };
    call.arg(1).arg(key).arg(argument);
    call
}

/// Makes a server know the code; tells how it runs it, which is as scripts where it has no functions or lets us load
/// none. It is to be asked before the first call: an old server answers that with bytes of the argument, which are not
/// text, and no connection survives that.
pub(crate) async fn load(connection: &mut impl ConnectionLike) -> RedisResult<Runs> {
    let mut load = redis::cmd("FUNCTION");
    load.arg("LOAD").arg("REPLACE").arg(&LIBRARY.code);
    match connection.req_packed_command(&load).await.and_then(Value::extract_error) {
        Ok(_) => return Ok(Runs::Functions),
        Err(error) if has_no_functions(&error) => {}
        Err(error) => return Err(error),
    }
    for script in &LIBRARY.scripts {
        script.prepare_invoke().load_async(connection).await?;
    }
    Ok(Runs::Scripts)
}

/// Whether an answer says that the server knows the code no more.
pub(crate) fn is_unknown(answer: &Value) -> bool {
    let Value::ServerError(error) = answer else { return false };
    error.kind() == Some(ServerErrorKind::NoScript)
        || error.details().is_some_and(|details| details.contains("Function not found"))
}

fn has_no_functions(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::NoPerm) => true,
        ErrorKind::Server(ServerErrorKind::ResponseError) => {
            error.to_string().contains("unknown command")
        }
        _ => false,
    }
}
