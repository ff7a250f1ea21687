//! Keys of documents: safe whatever a user's id looks like, and in the order of time where that is wanted.

use aws_lc_rs::digest;
use eventyard::model::{JobId, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Error;

/// What stays as it is in a part of a key.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'@');
/// The longest part of a key, in bytes: stores have limits, and a listing repeats its keys.
const MAX_PART_BYTES: usize = 300;
/// The longest user id, in characters.
pub const MAX_USER_ID_CHARS: usize = 256;

/// One part of a key: the text with everything escaped that could be taken for a separator, or a
/// fingerprint of it when that becomes too long.
pub(crate) fn part(text: &str) -> String {
    let escaped = utf8_percent_encode(text, ESCAPED).to_string();
    if escaped.len() > MAX_PART_BYTES { format!("~{}", fingerprint(text)) } else { escaped }
}

/// The key of something of a user's; `id` is a part already.
pub(crate) fn of_user(user: &str, id: &str) -> String {
    format!("{}{id}", all_of_user(user))
}

/// What the keys of everything of a user's begin with.
pub(crate) fn all_of_user(user: &str) -> String {
    format!("{}/", part(user))
}

/// An id for what a job makes: the same however often the job runs, and rising with time.
///
/// A job id that is a UUID of version 7 begins with its time and is taken as it is; others are put behind
/// the time at which the job was added, written in the same way.
pub(crate) fn in_time(added: Timestamp, job: &JobId) -> String {
    let is_v7 = uuid::Uuid::try_parse(job.as_str())
        .is_ok_and(|id| id.get_version_num() == 7 && id.hyphenated().to_string() == job.as_str());
    if is_v7 {
        return job.to_string();
    }
    format!("{}-{}", first_at(added), part(job.as_str()))
}

/// What is not larger than any id made at `time` or later, and larger than all made before.
pub(crate) fn first_at(time: Timestamp) -> String {
    let ms = time.as_millis();
    format!("{:08x}-{:04x}", ms >> 16, ms & 0xffff)
}

/// The id in a key, with or without a user before it.
pub(crate) fn id(key: &str) -> &str {
    key.rsplit_once('/').map_or(key, |(_, id)| id)
}

/// A short name for a text that must not be told: the first half of its SHA-256.
pub(crate) fn fingerprint(text: &str) -> String {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Refuses what cannot be a user's id.
pub(crate) fn check_user(user: &str) -> Result<(), Error> {
    if user.is_empty() {
        return Err(Error::invalid("userId", "is empty; give it at least one character"));
    }
    let chars = user.chars().count();
    if chars > MAX_USER_ID_CHARS {
        let problem = format!("has {chars} characters; at most {MAX_USER_ID_CHARS} are allowed");
        return Err(Error::invalid("userId", problem));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_keys_are_no_other_users() {
        for (user, expected) in [
            ("u-1", "u-1/"),
            ("a/b", "a%2Fb/"),
            ("a%2Fb", "a%252Fb/"),
            ("../x", "..%2Fx/"),
            ("grüße\n", "gr%C3%BC%C3%9Fe%0A/"),
            ("~", "%7E/"),
            (&"ü".repeat(100), "~83af2e24c464bea3ce77f43643ef76b5/"),
        ] {
            assert_eq!(all_of_user(user), expected, "{user:?}");
        }
    }

    #[test]
    fn ids_rise_with_time() {
        let id = |ms, job: &str| in_time(Timestamp::from_millis(ms), &JobId::new(job).unwrap());
        let v7 = "019b75f3-9000-7abc-8def-0123456789ab";
        assert_eq!(id(0, v7), v7);
        assert_eq!(id(0x019b_75f3_9000, "order/7"), "019b75f3-9000-order%2F7");
        assert_eq!(
            id(0x019b_75f3_9000, &v7.to_uppercase()),
            format!("019b75f3-9000-{}", v7.to_uppercase())
        );
        let first = first_at(Timestamp::from_millis(0x019b_75f3_9000));
        assert!(id(0x019b_75f3_8fff, "z") < first && *first < *v7);
        assert!(id(0, v7) < id(0x019b_75f3_9001, "a"));
    }

    #[test]
    fn fingerprints_tell_nothing() {
        assert_eq!(fingerprint("abc"), "ba7816bf8f01cfea414140de5dae2223");
    }

    #[test]
    fn user_ids_have_limits() {
        for (user, ok) in
            [("u", true), ("", false), (&*"ü".repeat(256), true), (&*"u".repeat(257), false)]
        {
            assert_eq!(check_user(user).is_ok(), ok, "{user:?}");
        }
    }
}
