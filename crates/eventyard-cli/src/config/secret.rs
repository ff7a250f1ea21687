//! Values that are never shown.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

/// What is shown in the place of a secret.
pub(crate) const MASK: &str = "********";

/// A text that is shown nowhere: not in logs, not by `config check`.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Secret(String);

impl Secret {
    /// The text itself.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(MASK)
    }
}

/// The address of a server, whose password is shown nowhere.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct ServerUrl(String);

impl ServerUrl {
    /// The address with its password.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// The address with a mask in the place of the password.
    fn masked(&self) -> String {
        let mut masked = self.0.clone();
        if let Some((from, to)) = password_in(&masked) {
            masked.replace_range(from..to, MASK);
        }
        // The one parameter of a server's address that is a secret.
        match masked.split_once("sentinel-password=") {
            Some((before, rest)) => {
                let after = rest.find('&').map_or("", |end| &rest[end..]);
                format!("{before}sentinel-password={MASK}{after}")
            }
            None => masked,
        }
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl Serialize for ServerUrl {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.masked())
    }
}

/// The keys whose values are secrets, as the last part of a key is written.
const SECRET_KEYS: [&str; 4] = ["password", "secret", "token", "tokens"];

/// A line of a configuration file with `*` for each byte of its secrets.
pub(crate) fn mask_line(line: &str) -> String {
    let (key, value) = line.split_at(line.find('=').unwrap_or(0));
    let key = key.trim().rsplit('.').next().unwrap_or_default().trim_matches(['"', '\'']);
    let is_secret = SECRET_KEYS.contains(&key);
    let mut hidden: Vec<(usize, usize)> = Vec::new();
    let start = line.len() - value.len();
    // Inside of quotes: all of a secret, and of an address its password.
    let mut quotes = value.match_indices(['"', '\'']).map(|(at, _)| start + at);
    while let Some(open) = quotes.next() {
        let close = quotes.next().unwrap_or(line.trim_end().len());
        let text = &line[open + 1..close.max(open + 1)];
        if is_secret {
            hidden.push((open + 1, close));
        } else if let Some((password, end)) = password_in(text) {
            hidden.push((open + 1 + password, open + 1 + end));
        }
        if let Some(parameter) = text.find("sentinel-password=") {
            let from = open + 1 + parameter + "sentinel-password=".len();
            let end = line[from..close].find('&').map_or(close, |end| from + end);
            hidden.push((from, end));
        }
    }
    let mut masked = line.to_owned();
    for (from, to) in hidden {
        masked.replace_range(from..to, &"*".repeat(to - from));
    }
    masked
}

/// Where the password of a server's address is.
fn password_in(url: &str) -> Option<(usize, usize)> {
    let account = url.find("://")? + 3;
    let end = url.rfind('@').filter(|end| *end > account)?;
    let colon = account + url[account..end].find(':')?;
    Some((colon + 1, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_servers_are_masked() {
        for (url, shown) in [
            ("sqlite://a/b.db", "sqlite://a/b.db"),
            ("redis://h:1/0", "redis://h:1/0"),
            ("redis://:word@h", "redis://:********@h"),
            (
                "redis+sentinel://h/m?sentinel-password=word&prefix=x",
                "redis+sentinel://h/m?sentinel-password=********&prefix=x",
            ),
            ("redis://ada:w@rd@h:1/2?prefix=x", "redis://ada:********@h:1/2?prefix=x"),
        ] {
            assert_eq!(format!("{:?}", ServerUrl(url.to_owned())), shown);
        }
    }

    #[test]
    fn lines_keep_their_length() {
        for (line, shown) in [
            ("jwt.secret = 'a b' # why", "jwt.secret = '***' # why"),
            ("\"password\" = \"\u{fc}\"\n", "\"password\" = \"**\"\n"),
            ("tokens = [\"ab\", \"c\"]", "tokens = [\"**\", \"*\"]"),
            ("url = \"redis://u:p@h\"", "url = \"redis://u:*@h\""),
            (
                "url = \"redis+sentinel://h/m?sentinel-password=ab&x=1\"",
                "url = \"redis+sentinel://h/m?sentinel-password=**&x=1\"",
            ),
            ("token = \"never closed", "token = \"************"),
            ("[channels.smtp]\n", "[channels.smtp]\n"),
            ("host = \"mail.example.com\"", "host = \"mail.example.com\""),
            ("= \"", "= \""),
            ("", ""),
        ] {
            assert_eq!(mask_line(line), shown);
        }
    }
}
