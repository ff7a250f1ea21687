//! Whole numbers, however they are written: JSON does not tell `5.0` from `5`, and some languages write the former.

use std::{fmt, ops::RangeInclusive};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::{Code, Problem};

/// The largest number up to which every whole number has its own floating point number.
pub(crate) const MAX_SAFE: u64 = (1 << 53) - 1;

/// Checks a number of a body against its range.
pub(crate) fn check<T: Copy + PartialOrd + fmt::Display>(
    field: &'static str,
    value: T,
    range: &RangeInclusive<T>,
) -> Result<(), Problem> {
    if range.contains(&value) {
        return Ok(());
    }
    let what = format!("is {value}; use {} to {}", range.start(), range.end());
    Err(Problem::of(Code::INVALID_BODY, format!("`{field}` {what}")).field(field, what))
}

/// Around any part of a deserialisation: turns whole floating point numbers into integers on their way in.
pub(super) struct Whole<T>(pub(super) T);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Whole<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Whole(from))
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Whole<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.0.next_value_seed(Whole(seed))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Whole<A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, A::Error> {
        self.0.next_element_seed(Whole(seed))
    }
}

macro_rules! visit {
    ($($method:ident($value:ty)),* $(,)?) => {
        $(fn $method<E: Error>(self, value: $value) -> Result<V::Value, E> {
            self.0.$method(value)
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Whole<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<V::Value, E> {
        if number.fract() != 0.0 || number.abs() > MAX_SAFE as f64 {
            self.0.visit_f64(number)
        } else if number < 0.0 {
            self.0.visit_i64(number as i64)
        } else {
            self.0.visit_u64(number as u64)
        }
    }

    visit! {
        visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_str(&str), visit_string(String),
        visit_borrowed_str(&'de str),
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Whole(from))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Whole(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Whole(members))
    }
}

macro_rules! integers {
    ($($method:ident),*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.deserialize_any(Whole(visitor))
        })*
    };
}

macro_rules! as_they_are {
    ($($method:ident($($name:ident: $value:ty),*)),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, $($name: $value,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method($($name,)* visitor)
        })*
    };
}

macro_rules! with_parts {
    ($($method:ident($($name:ident: $value:ty),*)),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, $($name: $value,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method($($name,)* Whole(visitor))
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Whole<D> {
    type Error = D::Error;

    integers! {
        deserialize_i8, deserialize_i16, deserialize_i32, deserialize_i64,
        deserialize_u8, deserialize_u16, deserialize_u32, deserialize_u64
    }

    with_parts! {
        deserialize_any(), deserialize_option(), deserialize_seq(), deserialize_map(),
        deserialize_tuple(len: usize),
    }

    // Serde would also take a list of a struct's fields for it.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Whole(visitor))
    }

    // A raw JSON value hides behind `deserialize_newtype_struct`: it must come through untouched.
    as_they_are! {
        deserialize_bool(), deserialize_f32(), deserialize_f64(), deserialize_char(),
        deserialize_str(), deserialize_string(), deserialize_bytes(), deserialize_byte_buf(),
        deserialize_unit(), deserialize_identifier(), deserialize_ignored_any(),
        deserialize_unit_struct(name: &'static str), deserialize_newtype_struct(name: &'static str),
        deserialize_tuple_struct(name: &'static str, len: usize),
        deserialize_enum(name: &'static str, variants: &'static [&'static str]),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::value::RawValue;

    use super::super::Object;
    use eventyard::model::JobOptions;

    #[derive(Debug, Deserialize)]
    struct Body {
        n: Option<u32>,
        raw: Option<Box<RawValue>>,
        list: Option<Vec<i64>>,
        opts: Option<JobOptions>,
    }

    fn read(json: &str) -> Result<Body, String> {
        let read: Result<Object<Body>, _> = serde_json::from_str(json);
        read.map(|Object(body)| body).map_err(|error| error.to_string())
    }

    #[test]
    fn whole_numbers_are_integers() {
        assert_eq!(read(r#"{"n":5.0}"#).unwrap().n, Some(5));
        assert_eq!(read(r#"{"n":5e2}"#).unwrap().n, Some(500));
        assert_eq!(read(r#"{"list":[1.0,-2.0]}"#).unwrap().list, Some(vec![1, -2]));
        assert_eq!(read(r#"{"raw":[5.0]}"#).unwrap().raw.unwrap().get(), "[5.0]");
        let options = read(
            r#"{"opts":{"attempts":3.0,"backoff":{"type":"fixed","delay":1e3,"jitter":1.0}}}"#,
        );
        let options = options.unwrap().opts.unwrap();
        assert_eq!((options.attempts, options.backoff.unwrap().delay.as_millis()), (Some(3), 1000));
    }

    #[test]
    fn parts_that_are_structs_are_objects_too() {
        assert!(read(r#"{"opts":{"parent":{"queue":"q","id":"p"}}}"#).is_ok());
        let error = read(r#"{"opts":{"parent":["q","p"]}}"#).unwrap_err();
        assert!(error.contains("invalid type: sequence"), "{error}");
    }

    #[test]
    fn other_numbers_are_not() {
        for (json, complaint) in [
            (r#"{"n":5.5}"#, "invalid type: floating point `5.5`, expected u32"),
            (r#"{"n":-5.0}"#, "invalid value: integer `-5`, expected u32"),
            (r#"{"n":1e10}"#, "invalid value: integer `10000000000`, expected u32"),
            (r#"{"n":1e300}"#, "expected u32"),
            (r#"{"n":"5"}"#, "invalid type: string \"5\", expected u32"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(complaint), "{json}: {error}");
        }
    }
}
