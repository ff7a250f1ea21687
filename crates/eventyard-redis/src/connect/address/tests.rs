//! What an address may look like, and what it says when it does not.

use super::*;

#[test]
fn addresses_are_read() {
    let check = |text: &str, shown: &str, user: Option<&str>, password: Option<&str>| {
        let address: Address = text.parse().unwrap();
        assert_eq!(address.to_string(), shown, "{text}");
        assert_eq!(address.account.user.as_deref(), user, "{text}");
        assert_eq!(address.account.password.as_deref(), password, "{text}");
    };
    check("redis://localhost", "redis://localhost:6379/0", None, None);
    check("redis://h:7000/3?prefix=x", "redis://h:7000/3", None, None);
    check("rediss://:s%40c@h", "rediss://h:6379/0", None, Some("s@c"));
    check("redis://u:p:q@h/", "redis://h:6379/0", Some("u"), Some("p:q"));
    check("redis://:a@b@h/", "redis://h:6379/0", None, Some("a@b"));
    check("redis://[::1]:7000", "redis://[::1]:7000/0", None, None);
    let sentinel = "redis+sentinel://u:p@a:1,b/main/2";
    check(sentinel, "redis+sentinel://a:1,b:26379/main/2", Some("u"), Some("p"));
    check("rediss+cluster://a:1,b:2", "rediss+cluster://a:1,b:2", None, None);
}

#[test]
fn parameters_are_kept_for_their_readers() {
    let text = "redis+sentinel://h/m?prefix=a%20b&sentinel-password=s&x=";
    let address: Address = text.parse().unwrap();
    let parameters: Vec<_> = address.parameters().iter().collect();
    assert_eq!(parameters, [(&"prefix".into(), &"a b".into()), (&"x".into(), &String::new())]);
    assert_eq!(address.sentinel_account.password.as_deref(), Some("s"));
}

#[test]
fn errors_say_what_is_wrong_and_keep_secrets() {
    let check = |text: &str, part: &str| {
        let error = text.parse::<Address>().unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
        assert!(!error.contains("secret"), "{text}: {error}");
    };
    check("localhost:6379", "no scheme");
    check("http://localhost", "`http`");
    check("redis+ring://localhost", "`redis+ring`");
    check("redis://", "names no host");
    check("redis://:secret", "names no host");
    check("redis://user:secret", "port");
    check("redis://user:sec/ret@h", "percent-encoded");
    check("redis://user:secret?@h", "percent-encoded");
    check("redis://user@h", "without a password");
    check("redis://h:0", "port");
    check("redis://h:70000", "port");
    check("redis://h/one", "`one`");
    check("redis://h/1/2", "more parts");
    check("redis://a,b", "several hosts");
    check("redis+sentinel://h", "names no master");
    check("redis+cluster://h/1", "database 0 alone");
    check("redis://[::1:7", "bracket");
    check("redis://h?tls-ca=/ca.pem", "rediss");
    check("redis://h?sentinel-password=secret", "Sentinel");
}

#[test]
fn what_is_shown_has_no_password() {
    let address: Address = "redis://u:secret@h?sentinel=1".parse().unwrap();
    assert!(!format!("{address} {address:?}").contains("secret"));
}
