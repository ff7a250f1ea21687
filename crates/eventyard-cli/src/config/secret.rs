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
        let secrets: Vec<_> = secrets_in(&masked).collect();
        // From the last, so that the others stay where they are.
        for (from, to) in secrets.into_iter().rev() {
            masked.replace_range(from..to, MASK);
        }
        masked
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

/// A line of a configuration file with `*` for each byte of its secrets. What stands behind no key of the line may be a
/// part of a secret that began above it, and is hidden too.
pub(crate) fn mask_line(line: &str) -> String {
    let is_header = line.starts_with('[') && !line.contains(['"', '\'']);
    let is_continued = !line.contains('=') && !is_header;
    let mut masked = line.to_owned();
    let mut hide = |from: usize, to: usize| masked.replace_range(from..to, &"*".repeat(to - from));
    // Whether the last key names a secret, and the same outside of the inline tables that are open.
    let (mut is_secret, mut outside) = (None, Vec::new());
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        let mut next = at + c.len_utf8();
        match c {
            '"' | '\'' => {
                let end = string_end(line, at);
                next = (end + 1).min(line.len());
                let is_key = line[next..].trim_start().starts_with(['=', '.']);
                if !is_key && is_secret != Some(false) {
                    hide(at + 1, end);
                } else if !is_key {
                    for (from, to) in secrets_in(&line[at + 1..end]) {
                        hide(at + 1 + from, at + 1 + to);
                    }
                }
            }
            '=' => is_secret = Some(is_secret_key(&line[..at])),
            '{' => outside.push(is_secret.take()),
            '}' => is_secret = outside.pop().flatten(),
            ',' if !outside.is_empty() => is_secret = None,
            '#' => break,
            c if c.is_alphanumeric() && (is_continued || is_secret == Some(true)) => hide(at, next),
            _ => {}
        }
        at = next;
    }
    masked
}

/// Where the string ends that begins at `start`: at its closing quote, or at the end of the line.
fn string_end(line: &str, start: usize) -> usize {
    let quote = line.as_bytes()[start];
    let mut is_escaped = false;
    for (n, byte) in line.bytes().enumerate().skip(start + 1) {
        if byte == quote && !is_escaped {
            return n;
        }
        is_escaped = quote == b'"' && byte == b'\\' && !is_escaped;
    }
    line.trim_end().len().max(start + 1)
}

/// Whether a text ends with a key whose value is a secret.
fn is_secret_key(text: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let key = text.trim_end().trim_end_matches(['"', '\'']);
    SECRET_KEYS.contains(&key.rsplit(|c| !is_word(c)).next().unwrap_or_default())
}

/// Where the secrets are in the address of a server: its password, and the one parameter that is one.
fn secrets_in(url: &str) -> impl Iterator<Item = (usize, usize)> {
    const PARAMETER: &str = "sentinel-password=";
    let at = url.find(PARAMETER);
    let parameter = at.map(|at| {
        let from = at + PARAMETER.len();
        (from, url[from..].find('&').map_or(url.len(), |end| from + end))
    });
    password_in(&url[..at.unwrap_or(url.len())]).into_iter().chain(parameter)
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
            (
                "redis+sentinel://:word@h/m?sentinel-password=a@b",
                "redis+sentinel://:********@h/m?sentinel-password=********",
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
            ("password = \"it's \\\" me\"", "password = \"**********\""),
            (
                "smtp = { host = \"h\", password = \"p\" }",
                "smtp = { host = \"h\", password = \"*\" }",
            ),
            (
                "tokens = [{ token = \"a\", role = \"admn\" }, \"b\"]",
                "tokens = [{ token = \"*\", role = \"admn\" }, \"*\"]",
            ),
            ("  \"a\", \"b\",\n", "  \"*\", \"*\",\n"),
            (
                "  \"a\", { token = \"b\", role = \"r\" }]",
                "  \"*\", { token = \"*\", role = \"r\" }]",
            ),
            ("password = 123", "password = ***"),
            ("a word of a long text", "* **** ** * **** ****"),
            ("host = \"mail.example.com\"", "host = \"mail.example.com\""),
            ("= \"", "= \""),
            ("", ""),
        ] {
            assert_eq!(mask_line(line), shown);
        }
    }
}
