//! The derives of Eventyard; use them through the crate `eventyard`.

mod event;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Implements `eventyard::Event` for a struct or an enum.
///
/// `#[event("booking.created")]` names the event's type. Options after it: `version = 2` sets the version of
/// the shape of its data, `schema` has its `JsonSchema` checked whenever such an event is published.
#[proc_macro_derive(Event, attributes(event))]
pub fn derive_event(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    event::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
