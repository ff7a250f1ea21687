//! Events as they are shown: CloudEvents 1.0 in JSON, read and written by the engine's own type.

use std::{borrow::Cow, collections::BTreeMap};

use bytes::Bytes;
use eventyard::model::Event;
use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use crate::request::{EventText, Text};

/// The attributes of an event, without its data.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Attributes(Event);

impl Attributes {
    pub(crate) fn of(event: Event) -> Self {
        Self(Event { data: Bytes::new(), ..event })
    }
}

/// An event in the JSON format of CloudEvents 1.0.
///
/// Attributes of other names, in lower-case letters and digits, are extensions. One that is null counts as left out.
#[derive(ToSchema)]
#[schema(example = json!({
    "specversion": "1.0", "id": "e-1", "source": "shop", "type": "booking.created",
    "data": {"bookingId": "b-1", "userId": "u-1", "userEmail": "ada@example.com"}
}))]
#[expect(dead_code, reason = "only describes what the engine reads and writes")]
pub(crate) struct CloudEvent {
    /// The version of CloudEvents.
    #[schema(pattern = "^1\\.0$", example = "1.0")]
    specversion: String,
    /// Unique in the log; publishing the same id again changes nothing.
    id: EventText,
    /// Who says so.
    source: Text,
    /// What kind of thing happened.
    r#type: Text,
    /// When it happened.
    #[schema(format = DateTime)]
    time: Option<String>,
    /// What it happened to.
    subject: Option<Text>,
    /// The media type of the data; JSON when absent.
    datacontenttype: Option<String>,
    /// Where the schema of the data is.
    dataschema: Option<String>,
    /// Shared by all events of one story.
    correlationid: Option<Text>,
    /// The id of the event whose handler published this one.
    causationid: Option<Text>,
    /// The version of the shape of the data; 1 when absent.
    #[schema(minimum = 0, maximum = 4_294_967_295_u32)]
    dataversion: Option<u64>,
    /// The data, when it is JSON. Not together with `data_base64`.
    #[schema(value_type = Value, required = false)]
    data: Option<serde_json::Value>,
    /// The data in Base64, when it is not JSON.
    #[schema(value_type = String, required = false, format = Byte)]
    data_base64: Option<String>,
    #[serde(flatten)]
    extensions: BTreeMap<String, Extension>,
}

/// The value of an attribute that users add.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(as = EventExtension)]
#[expect(dead_code, reason = "only describes what the engine reads and writes")]
pub(crate) enum Extension {
    Text(String),
    Number(i64),
    Truth(bool),
    /// Counts as left out.
    Absent,
}

impl PartialSchema for Attributes {
    fn schema() -> RefOr<Schema> {
        let mut schema = CloudEvent::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.description =
                Some("The attributes of an event in CloudEvents 1.0, without its data.".to_owned());
            for data in ["data", "data_base64"] {
                object.properties.remove(data);
            }
        }
        schema
    }
}

impl ToSchema for Attributes {
    fn name() -> Cow<'static, str> {
        "EventAttributes".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        CloudEvent::schemas(schemas);
    }
}
