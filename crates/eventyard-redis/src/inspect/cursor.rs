//! Cursors: the listing that they belong to, and the place after which the page begins.

use eventyard_core::{
    JobState, PageAsk, StoreError,
    inspect::{read_text_place, text_place},
};
use serde::{Deserialize, Serialize};

/// A job's place in its listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The queue.
    pub(super) queue: String,
    /// The key, in the listing of those that wait; empty for jobs without one.
    pub(super) key: String,
    /// Its score, or in a list its number.
    pub(super) number: String,
    /// The job.
    pub(super) id: String,
    /// How many jobs were before it in a list.
    pub(super) index: usize,
}

pub(super) fn of_jobs(page: &PageAsk, state: JobState) -> Result<Option<Place>, StoreError> {
    page.place(state.as_str(), |text| {
        let parts: [String; 5] = serde_json::from_str(&read_text_place(text)?).ok()?;
        let [queue, key, number, id, index] = parts;
        // It becomes an argument of commands.
        let digits = number.strip_prefix(['n', 't']).unwrap_or(&number);
        let is_number = digits.is_empty() || digits.parse::<f64>().is_ok_and(|n| !n.is_nan());
        let index = index.parse::<u32>().ok()? as usize;
        is_number.then_some(Place { queue, key, number, id, index })
    })
}

pub(super) fn to_job(state: JobState, place: &Place) -> String {
    let Place { queue, key, number, id, index } = place;
    let text = serde_json::json!([queue, key, number, id, index.to_string()]).to_string();
    format!("{state}.{}", text_place(&text))
}

pub(super) fn of_children(page: &PageAsk) -> Result<Option<usize>, StoreError> {
    page.place("child", |text| text.parse().ok())
}

pub(super) fn to_child(index: usize) -> String {
    format!("child.{index}")
}

pub(super) fn of_keys(page: &PageAsk) -> Result<Option<String>, StoreError> {
    page.place("key", read_text_place)
}

pub(super) fn to_key(key: &str) -> String {
    format!("key.{}", text_place(key))
}

pub(super) fn of_events(page: &PageAsk) -> Result<Option<i64>, StoreError> {
    page.place("event", |text| text.parse().ok())
}

pub(super) fn to_event(number: i64) -> String {
    format!("event.{number}")
}

pub(super) fn of_documents(page: &PageAsk) -> Result<Option<String>, StoreError> {
    page.place("document", read_text_place)
}

pub(super) fn to_document(key: &str) -> String {
    format!("document.{}", text_place(key))
}

#[cfg(test)]
mod tests {
    use eventyard_core::StoreErrorKind;

    use super::*;

    fn ask(cursor: &str) -> PageAsk {
        PageAsk { limit: 1, cursor: Some(cursor.to_owned()) }
    }

    #[test]
    fn places_survive() {
        for number in ["n5", "n-7", "t1700000000000", "1700000000000.25", "+inf", ""] {
            let text = |text: &str| text.to_owned();
            let place = Place {
                queue: text("q"),
                key: text("ü\"."),
                number: text(number),
                id: text("a.b"),
                index: 7,
            };
            let cursor = to_job(JobState::Waiting, &place);
            assert_eq!(of_jobs(&ask(&cursor), JobState::Waiting).unwrap(), Some(place));
            assert!(of_jobs(&ask(&cursor), JobState::Failed).is_err(), "of another listing");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let check = |cursor: &str| {
            let error = of_jobs(&ask(cursor), JobState::Failed).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Unsupported, "{cursor}");
            assert!(error.to_string().contains("cursor"), "{error}");
        };
        ["", "0", "failed", "failed.", "failed.!", "failed.\u{1f980}"].into_iter().for_each(check);
        for text in
            ["[]", r#"["q","","nan","",""]"#, r#"["q","","(5","a","0"]"#, r#"["","","1","","-1"]"#]
        {
            check(&format!("failed.{}", text_place(text)));
        }
        assert!(of_children(&ask("child.x")).is_err());
        assert!(of_keys(&ask("key.!")).is_err());
        assert!(of_events(&ask("document.YQ")).is_err());
        assert!(of_documents(&ask("event.5")).is_err());
    }
}
