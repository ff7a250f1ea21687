//! Job options as text. Most jobs share their options with the job before them, so both ways remember the last ones.

use std::{collections::HashMap, sync::Arc};

use eventyard_core::JobOptions;

/// How many options each way remembers.
const REMEMBERED: usize = 64;

/// Writes options as JSON.
#[derive(Debug, Default)]
pub(crate) struct OptionsWriter {
    /// The text of options that were written before. Holding them keeps their address from being used again.
    last: Vec<(Arc<JobOptions>, Option<Arc<str>>)>,
}

impl OptionsWriter {
    /// The options as JSON; absent when they are the defaults.
    pub(crate) fn text(&mut self, options: &Arc<JobOptions>) -> Option<Arc<str>> {
        if let Some((_, text)) = self.last.iter().find(|(known, _)| Arc::ptr_eq(known, options)) {
            return text.clone();
        }
        let text = (**options != JobOptions::default()).then(|| {
            serde_json::to_string(options).expect("options are plain numbers and text").into()
        });
        // Options that nobody else holds will not be seen again.
        if Arc::strong_count(options) > 1 {
            if self.last.len() == REMEMBERED {
                self.last.clear();
            }
            self.last.push((options.clone(), text.clone()));
        }
        text
    }
}

/// Reads options back.
#[derive(Debug, Default)]
pub(crate) struct OptionsReader {
    defaults: Arc<JobOptions>,
    known: HashMap<Box<str>, Arc<JobOptions>>,
}

impl OptionsReader {
    /// The options with this text; the same text gives the same options.
    ///
    /// A text that this version cannot read counts as the defaults: one such job must not stop its queue.
    pub(crate) fn read(&mut self, text: Option<&str>) -> Arc<JobOptions> {
        let Some(text) = text else { return self.defaults.clone() };
        if let Some(options) = self.known.get(text) {
            return options.clone();
        }
        let options = match serde_json::from_str(text) {
            Ok(options) => Arc::new(options),
            Err(error) => {
                tracing::error!(%error, "a job's options cannot be read; its queue's code runs it with the defaults");
                self.defaults.clone()
            }
        };
        if self.known.len() == REMEMBERED {
            self.known.clear();
        }
        self.known.insert(text.into(), options.clone());
        options
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_survive_the_round_trip_and_are_shared() {
        let (mut writer, mut reader) = (OptionsWriter::default(), OptionsReader::default());
        assert_eq!(writer.text(&Arc::default()), None);
        assert_eq!(*reader.read(None), JobOptions::default());

        let options = Arc::new(JobOptions { attempts: Some(5), ..JobOptions::default() });
        let _elsewhere = options.clone();
        let text = writer.text(&options).unwrap();
        assert!(Arc::ptr_eq(&text, &writer.text(&options).unwrap()));
        let read = reader.read(Some(&text));
        assert_eq!(read, options);
        assert!(Arc::ptr_eq(&read, &reader.read(Some(&text))));
    }

    #[test]
    fn options_of_another_version_do_not_stop_a_queue() {
        assert_eq!(
            *OptionsReader::default().read(Some(r#"{"fromTheFuture":1}"#)),
            JobOptions::default()
        );
    }
}
