//! What a token says, and whether it holds now: without I/O.

use std::time::Duration;

use eventyard::model::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Identity, Policy};
use crate::{message::check_name, refusal::Refusal};

/// The claims of a token whose signature is right.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Claims(pub(super) Map<String, Value>);

impl Claims {
    /// Who holds the token, if the policy accepts it now.
    pub(super) fn identity(&self, policy: &Policy, now: Timestamp) -> Result<Identity, Refusal> {
        let until =
            self.time("exp")?.ok_or_else(|| refuse("the token has no `exp`; it must end"))?;
        if now.since(Timestamp::default()) >= until.since(Timestamp::default()) + policy.leeway {
            return Err(refuse(format!("the token ended at {until}")));
        }
        if let Some(from) = self.time("nbf")?
            && from > now + policy.leeway
        {
            return Err(refuse(format!("the token holds from {from} on")));
        }
        if let Some(issuer) = &policy.issuer
            && self.0.get("iss").and_then(Value::as_str) != Some(issuer)
        {
            return Err(refuse("the token is of another issuer"));
        }
        if !policy.audience.is_empty() && !self.is_for(&policy.audience) {
            return Err(refuse("the token is for another audience"));
        }
        Ok(Identity {
            user: self.user()?.into(),
            until: until + policy.leeway,
            rooms: self.rooms(&policy.rooms_claim)?,
        })
    }

    /// An instant in seconds, which may have a fraction.
    fn time(&self, claim: &str) -> Result<Option<Timestamp>, Refusal> {
        let Some(value) = self.0.get(claim) else { return Ok(None) };
        let secs = value
            .as_f64()
            .filter(|secs| secs.is_finite() && *secs >= 0.0)
            .ok_or_else(|| refuse(format!("the token's `{claim}` is no time")))?;
        // Times beyond what can be counted are as good as never.
        let since = Duration::try_from_secs_f64(secs).unwrap_or(Duration::from_secs(1 << 40));
        Ok(Some(Timestamp::default() + since))
    }

    fn is_for(&self, audience: &[String]) -> bool {
        let accepted = |value: &Value| {
            value.as_str().is_some_and(|text| audience.iter().any(|accepted| accepted == text))
        };
        match self.0.get("aud") {
            Some(Value::Array(several)) => several.iter().any(accepted),
            Some(one) => accepted(one),
            None => false,
        }
    }

    fn user(&self) -> Result<String, Refusal> {
        let given = |claim: &str| self.0.get(claim).filter(|value| !value.is_null());
        let (claim, value) = match (given("userId"), given("sub")) {
            (Some(value), _) => ("userId", value),
            (None, Some(value)) => ("sub", value),
            (None, None) => {
                return Err(refuse("the token names nobody; it must have `userId` or `sub`"));
            }
        };
        let user = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) if !number.is_f64() => number.to_string(),
            _ => return Err(refuse(format!("the token's `{claim}` is neither text nor a number"))),
        };
        match check_name(claim, &user) {
            Ok(()) => Ok(user),
            Err(error) => Err(refuse(format!("the token's `{claim}` {}", error.problem))),
        }
    }

    fn rooms(&self, claim: &str) -> Result<Vec<String>, Refusal> {
        let not_a_list = || refuse(format!("the token's `{claim}` is no list of texts"));
        match self.0.get(claim) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(rooms)) => rooms
                .iter()
                .map(|room| room.as_str().map(str::to_owned).ok_or_else(not_a_list))
                .collect(),
            Some(_) => Err(not_a_list()),
        }
    }
}

fn refuse(detail: impl Into<String>) -> Refusal {
    Refusal::unauthenticated(detail)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_000_000;

    fn check(change: fn(&mut Policy), claims: Value, expected: Result<&str, &str>) {
        let mut policy = Policy::secret("s");
        change(&mut policy);
        let Value::Object(claims) = claims else { panic!("claims are an object") };
        let text = format!("{claims:?}");
        let identity = Claims(claims).identity(&policy, Timestamp::from_millis(NOW * 1000));
        match (identity, expected) {
            (Ok(identity), Ok(user)) => assert_eq!(&*identity.user, user, "{text}"),
            (Err(refusal), Err(why)) => assert!(refusal.to_string().contains(why), "{refusal}"),
            (got, expected) => panic!("{text}: {got:?}, not {expected:?}"),
        }
    }

    #[test]
    fn a_token_holds_for_its_time() {
        let usual = |_: &mut Policy| {};
        let lenient = |policy: &mut Policy| policy.leeway = Duration::from_secs(10);
        check(usual, json!({"sub": "u", "exp": NOW + 1}), Ok("u"));
        check(usual, json!({"sub": "u", "exp": NOW}), Err("the token ended at"));
        check(usual, json!({"sub": "u", "exp": NOW as f64 + 0.5}), Ok("u"));
        check(lenient, json!({"sub": "u", "exp": NOW - 9}), Ok("u"));
        check(lenient, json!({"sub": "u", "exp": NOW - 10}), Err("the token ended at"));
        check(usual, json!({"sub": "u", "exp": 1e300}), Ok("u"));
        check(usual, json!({"sub": "u"}), Err("no `exp`"));
        for exp in [json!("soon"), json!(-1), json!(null), json!([1])] {
            check(usual, json!({"sub": "u", "exp": exp}), Err("`exp` is no time"));
        }
        check(usual, json!({"sub": "u", "exp": NOW + 9, "nbf": NOW}), Ok("u"));
        check(usual, json!({"sub": "u", "exp": NOW + 9, "nbf": NOW + 1}), Err("holds from"));
        check(lenient, json!({"sub": "u", "exp": NOW + 9, "nbf": NOW + 10}), Ok("u"));
    }

    #[test]
    fn a_token_names_somebody() {
        let named = |claims: Value, expected| {
            let mut claims = claims;
            claims["exp"] = json!(NOW + 1);
            check(|_| {}, claims, expected);
        };
        named(json!({"userId": "u", "sub": "s"}), Ok("u"));
        named(json!({"userId": 7}), Ok("7"));
        named(json!({"userId": null, "sub": "s"}), Ok("s"));
        named(json!({}), Err("names nobody"));
        named(json!({"userId": ""}), Err("`userId` is empty"));
        named(json!({"userId": {"a": 1}, "sub": "s"}), Err("neither text nor a number"));
        named(json!({"sub": "x".repeat(257)}), Err("`sub` has 257 bytes"));
        named(json!({"sub": "s", "rooms": ["a", "b"]}), Ok("s"));
        named(json!({"sub": "s", "rooms": "a"}), Err("`rooms` is no list"));
        named(json!({"sub": "s", "rooms": [1]}), Err("`rooms` is no list"));
    }
}
