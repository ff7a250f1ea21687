//! Walking through JSON along paths.

use serde_json::Value;

use super::MASK;

/// One part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The member of this name.
    Name(String),
    /// Any one member.
    Any,
    /// Any number of members, none included.
    Deep,
}

impl Step {
    /// The parts of a path, if it is one.
    pub(super) fn path(text: &str) -> Option<Vec<Self>> {
        let part = |part: &str| match part {
            "" => None,
            "*" => Some(Self::Any),
            "**" => Some(Self::Deep),
            name => Some(Self::Name(name.to_owned())),
        };
        let path: Option<Vec<_>> = text.split('.').map(part).collect();
        path.filter(|path| path.last() != Some(&Self::Deep))
    }
}

/// Masks what the paths lead to; whether there was any of it.
pub(super) fn mask(value: &mut Value, paths: &[&[Step]]) -> bool {
    let members = match value {
        Value::Array(items) => {
            return items.iter_mut().fold(false, |any, item| mask(item, paths) | any);
        }
        Value::Object(members) => members,
        _ => return false,
    };
    let mut any = false;
    for (name, member) in members {
        let mut rest = Vec::new();
        for path in paths {
            after(path, name, &mut rest);
        }
        if rest.iter().any(|path| path.is_empty()) {
            *member = MASK.into();
            any = true;
        } else if !rest.is_empty() {
            any |= mask(member, &rest);
        }
    }
    any
}

/// What is left of a path after a member of this name.
fn after<'a>(path: &'a [Step], name: &str, rest: &mut Vec<&'a [Step]>) {
    let Some((step, further)) = path.split_first() else { return };
    match step {
        Step::Name(own) if own.eq_ignore_ascii_case(name) => rest.push(further),
        Step::Name(_) => {}
        Step::Any => rest.push(further),
        Step::Deep => {
            rest.push(path);
            after(further, name, rest);
        }
    }
}

/// Puts the original's value wherever the mask stands.
pub(super) fn restore(value: &mut Value, original: &Value) {
    match (value, original) {
        (Value::Object(members), Value::Object(originals)) => {
            for (name, member) in members {
                if let Some(original) = originals.get(name) {
                    restore(member, original);
                }
            }
        }
        (Value::Array(items), Value::Array(originals)) => {
            for (item, original) in items.iter_mut().zip(originals) {
                restore(item, original);
            }
        }
        (value, original) if value == MASK => *value = original.clone(),
        _ => {}
    }
}
