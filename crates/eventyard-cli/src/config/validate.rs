//! What types cannot say about a configuration.

mod transports;

use std::collections::BTreeSet;

use eventyard::{QueueLimits, queue::MAX_CONCURRENCY, route::Pattern};
use eventyard_admin::Masks;
use eventyard_core::{QueueName, options};
use eventyard_notify::mail::{self, Sender};

use super::{Config, Problem, Queue, Rule, Schedule, StoreUrl, TimeSpan, path::Path, tree::Node};

/// Tells everything that is wrong with a configuration that was made from `tree`.
pub(super) fn validate(config: &Config, tree: &Node) -> Vec<Problem> {
    let mut check = Check { tree, problems: Vec::new() };
    check.server(config);
    check.store(config);
    check.limits(config);
    for (name, queue) in &config.queues {
        check.queue(name, queue);
    }
    let queues: BTreeSet<&str> = config.queues.keys().map(String::as_str).collect();
    for (n, rule) in config.routes.rules.iter().enumerate() {
        check.rule(n, rule, &queues);
    }
    for (name, schedule) in &config.schedules {
        check.schedule(name, schedule, config);
    }
    check.transports(config);
    check.channels(config);
    check.dashboard(config);
    check.realtime(config);
    check.log(config);
    check.problems
}

struct Check<'a> {
    tree: &'a Node,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn require(&mut self, holds: bool, path: &Path, problem: &str, help: &str) {
        if !holds {
            self.tell(path, problem, Some(help));
        }
    }

    fn tell(&mut self, path: &Path, problem: &str, help: Option<&str>) {
        let problem = Problem::of(format!("{path} {problem}"), self.tree.nearest(path));
        self.problems.push(match help {
            Some(help) => problem.advise(help),
            None => problem,
        });
    }

    fn server(&mut self, config: &Config) {
        let listen = config.server.listen;
        self.require(
            listen.ip().is_loopback() || !config.auth.tokens.is_empty(),
            &Path::of(["server", "listen"]),
            &format!("is {listen}, which others can reach, but auth.tokens is empty"),
            "add a token to auth.tokens (or EVENTYARD_AUTH__TOKENS), or listen on 127.0.0.1",
        );
        for (n, token) in config.auth.tokens.iter().enumerate() {
            let text = token.secret().reveal();
            self.require(
                !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic()),
                &Path::of(["auth", "tokens"]).index(n),
                "is empty, or holds a space or a character that is not ASCII",
                "use letters and digits, such as what `openssl rand -hex 32` prints",
            );
        }
        let source = &config.events.source;
        self.require(
            !source.trim().is_empty(),
            &Path::of(["events", "source"]),
            "is empty",
            "name the service, as in events.source = \"booking\"",
        );
    }

    fn store(&mut self, config: &Config) {
        let url = config.store.url.as_ref();
        let Some(Err(error)) = url.map(|url| StoreUrl::parse(url.reveal())) else { return };
        self.tell(&Path::of(["store", "url"]), &format!("is not understood: {error}"), None);
    }

    fn limits(&mut self, config: &Config) {
        let limits = &config.limits;
        for (name, value, least) in [
            ("body-bytes", limits.body_bytes, 1024),
            ("batch", limits.batch, 1),
            ("depth", limits.depth, 1),
            ("header-bytes", limits.header_bytes, 1024),
        ] {
            let problem = format!("is {value}");
            let help = format!("use {least} or more");
            self.require(value >= least, &Path::of(["limits", name]), &problem, &help);
        }
    }

    fn dashboard(&mut self, config: &Config) {
        for (n, path) in config.dashboard.mask.iter().enumerate() {
            if let Err(error) = Masks::new([path.as_str()]) {
                let place = Path::of(["dashboard", "mask"]).index(n);
                self.tell(&place, "leads nowhere", Some(&error.to_string()));
            }
        }
    }

    fn queue(&mut self, name: &str, queue: &Queue) {
        let path = Path::of(["queues", name]);
        if let Err(error) = QueueName::new(name) {
            self.tell(&path, "is no name for a queue", Some(&error.to_string()));
        }
        let mut range = |key: &Path, value: u64, least: u64, most: u64| {
            let problem = format!("is {value}");
            let help = format!("use {least} to {most}");
            self.require((least..=most).contains(&value), key, &problem, &help);
        };
        range(&path.key("attempts"), queue.attempts.into(), 1, options::MAX_ATTEMPTS.into());
        range(&path.key("concurrency"), queue.concurrency as u64, 1, MAX_CONCURRENCY as u64);
        range(&path.key("priority"), queue.priority.into(), 0, options::MAX_PRIORITY.into());
        self.require(
            queue.lease >= TimeSpan::secs(1),
            &path.key("lease"),
            &format!("is {}", queue.lease),
            "use \"1s\" or more",
        );
        self.require(
            queue.timeout != Some(TimeSpan::millis(0)),
            &path.key("timeout"),
            "is 0",
            "use \"1ms\" or more, or leave it out",
        );
        self.require(
            (0.0..=1.0).contains(&queue.backoff.jitter),
            &path.key("backoff").key("jitter"),
            &format!("is {}", queue.backoff.jitter),
            "use 0 (no randomness) to 1 (all of each wait is random)",
        );
        let limits = queue.limits.as_ref().map(QueueLimits::from);
        if let Some(Err(fault)) = limits.map(|limits| limits.validate()) {
            // What the engine tells includes the remedy.
            self.tell(&limit(&path.key("limits"), &fault.field), &fault.problem, None);
        }
    }

    fn rule(&mut self, n: usize, rule: &Rule, queues: &BTreeSet<&str>) {
        let path = Path::of(["routes", "rules"]).index(n);
        self.require(
            rule.kind.is_some() != rule.headers.is_some(),
            &path,
            "must have either `type` or `headers`",
            "give the event type or a pattern, as in type = \"booking.*\"; or headers = { name = \"value\" }",
        );
        if let Some(Err(error)) = rule.kind.as_ref().map(Pattern::new) {
            self.tell(&path.key("type"), "is no pattern", Some(&error.to_string()));
        }
        self.require(
            rule.headers.as_ref().is_none_or(|headers| !headers.is_empty()),
            &path.key("headers"),
            "is empty",
            "name at least one header with its value",
        );
        self.require(
            rule.matching.is_none() || rule.headers.is_some(),
            &path.key("match"),
            "belongs to `headers`, which this rule does not have",
            "leave it out",
        );
        self.is_declared(&path.key("queue"), &rule.queue, queues.iter().copied());
    }

    fn is_declared<'q>(
        &mut self,
        path: &Path,
        queue: &str,
        queues: impl IntoIterator<Item = &'q str> + Clone,
    ) {
        self.require(
            queues.clone().into_iter().any(|declared| declared == queue),
            path,
            &format!("is `{queue}`, which is not declared"),
            &match super::key::nearest(queue, queues) {
                Some(nearest) => format!("did you mean `{nearest}`? or declare [queues.{queue}]"),
                None => format!("declare [queues.{queue}]"),
            },
        );
    }

    fn schedule(&mut self, name: &str, schedule: &Schedule, config: &Config) {
        let path = Path::of(["schedules", name]);
        let queues = config.queues.keys().map(String::as_str);
        self.is_declared(&path.key("queue"), &schedule.queue, queues);
        let Some(declared) = schedule.declare(name) else {
            let help = "give cron = \"0 3 * * *\", or every = \"10m\"";
            return self.tell(&path, "must have either `cron` or `every`", Some(help));
        };
        let defaults = config.queues.get(&schedule.queue).map(Queue::job_options);
        let Err(fault) = declared.validate(&defaults.unwrap_or_default()) else { return };
        let key = match fault.field.as_str() {
            "name" => path,
            "job.name" => path.key("job"),
            field => path.key(&kebab(field.rsplit('.').next().unwrap_or(field))),
        };
        let zones: Vec<String> = eventyard::schedule::time_zones().collect();
        let nearest = schedule
            .time_zone
            .as_deref()
            .filter(|_| fault.field == "timeZone" && schedule.cron.is_some())
            .and_then(|zone| super::key::nearest(zone, zones.iter().map(String::as_str)));
        let help = nearest.map(|nearest| format!("did you mean `{nearest}`?"));
        // What the engine tells includes the remedy.
        self.tell(&key, &fault.problem, help.as_deref());
    }

    fn channels(&mut self, config: &Config) {
        let channels = &config.channels;
        if let Some(Err(error)) = channels.from.as_deref().map(str::parse::<Sender>) {
            let help = "use an address, with a name or without: \"Parking <no-reply@example.com>\"";
            let problem = format!("is no sender: {}", error.problem);
            self.tell(&Path::of(["channels", "from"]), &problem, Some(help));
        }
        self.require(
            channels.smtp.is_some() || channels.mailbox.enabled || !config.notifies(),
            &Path::of(["notifications", "enabled"]),
            "is true, but there is no channel for mails",
            "configure channels.smtp, or set channels.mailbox.enabled = true",
        );
        let Some(smtp) = &channels.smtp else { return };
        let path = Path::of(["channels", "smtp"]);
        self.require(
            channels.from.is_some(),
            &path,
            "has no sender to send mails as",
            "set channels.from, as in \"Parking <no-reply@example.com>\"",
        );
        self.require(
            smtp.username.is_some() == smtp.password.is_some(),
            &path,
            "has only one of username and password",
            "give both, or neither",
        );
        self.require(
            !channels.mailbox.enabled,
            &Path::of(["channels", "mailbox", "enabled"]),
            "keeps mails that channels.smtp is there to send",
            "leave out one of the two",
        );
        if let Err(error) = mail::Smtp::new(smtp.options()) {
            let (key, problem) = (kebab(error.field), error.problem);
            // What the mail crate tells includes the remedy.
            self.tell(&path.key(&key), &problem, None);
        }
    }

    fn realtime(&mut self, config: &Config) {
        if !config.realtime.is_on() {
            return;
        }
        if let Err(error) = crate::realtime::address(config) {
            self.tell(
                &Path::of(["realtime", "relay", "url"]),
                &format!("is not understood: {error}"),
                None,
            );
        }
        let Err(error) = config.realtime.options() else { return };
        let mut path = Path::of(["realtime"]);
        for part in error.key.split('.') {
            let (name, place) = part.split_once('[').unwrap_or((part, ""));
            path = path.key(name);
            if let Ok(place) = place.trim_end_matches(']').parse() {
                path = path.index(place);
            }
        }
        // What the library tells includes the remedy.
        self.tell(&path, &error.problem, None);
    }

    fn log(&mut self, config: &Config) {
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&config.log.filter) {
            let help =
                "use a level such as \"info\", or levels by part such as \"warn,eventyard=debug\"";
            self.tell(
                &Path::of(["log", "filter"]),
                &format!("is not understood: {error}"),
                Some(help),
            );
        }
    }
}

/// The way to a limit that the engine names.
fn limit(limits: &Path, field: &str) -> Path {
    let below = |path: Path, part: &str| path.key(&kebab(part));
    match field.strip_prefix("keys.weights.") {
        Some(key) => limits.key("keys").key("weights").key(key),
        None => field.split('.').fold(limits.clone(), below),
    }
}

/// A name as the configuration writes it.
fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            kebab.push('-');
        }
        kebab.push(c.to_ascii_lowercase());
    }
    kebab
}
