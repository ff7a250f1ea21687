//! `#[derive(Event)]`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Attribute, DeriveInput, Error, LitInt, LitStr, Result, Token, parse::ParseStream};

/// What `#[event(…)]` says.
struct Attributes {
    kind: LitStr,
    version: Option<LitInt>,
    schema: bool,
}

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let Attributes { kind, version, schema } = attributes(input)?;
    if let Some(generic) = input.generics.params.first() {
        return Err(Error::new_spanned(
            generic,
            "an event has one type of data; remove the generics",
        ));
    }
    let name = &input.ident;
    let version = version.map(|version| quote! { const VERSION: u32 = #version; });
    let schema = schema.then(|| {
        quote! {
            fn schema() -> ::core::option::Option<::eventyard::__private::Value> {
                ::core::option::Option::Some(::eventyard::__private::schema_of::<Self>())
            }
        }
    });
    Ok(quote! {
        impl ::eventyard::Event for #name {
            const TYPE: &'static str = #kind;
            #version
            #schema
        }
    })
}

fn attributes(input: &DeriveInput) -> Result<Attributes> {
    let mut found = input.attrs.iter().filter(|attribute| attribute.path().is_ident("event"));
    let Some(attribute) = found.next() else {
        let message = "name the event's type: #[event(\"booking.created\")]";
        return Err(Error::new(Span::call_site(), message));
    };
    if let Some(second) = found.next() {
        return Err(Error::new_spanned(second, "the event's type is named already"));
    }
    parse(attribute)
}

fn parse(attribute: &Attribute) -> Result<Attributes> {
    attribute.parse_args_with(|input: ParseStream<'_>| {
        let kind: LitStr = input.parse().map_err(|error| {
            Error::new(
                error.span(),
                "expected the event's type as a string: #[event(\"booking.created\")]",
            )
        })?;
        check_type(&kind)?;
        let (mut version, mut schema) = (None, false);
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            let option: syn::Ident = input.parse()?;
            match option.to_string().as_str() {
                "version" => {
                    input.parse::<Token![=]>()?;
                    let number: LitInt = input.parse()?;
                    if number.base10_parse::<u32>()? == 0 {
                        return Err(Error::new(number.span(), "versions begin at 1"));
                    }
                    version = Some(number);
                }
                "schema" => schema = true,
                other => {
                    let message =
                        format!("unknown option `{other}`; there are `version = N` and `schema`");
                    return Err(Error::new(option.span(), message));
                }
            }
        }
        Ok(Attributes { kind, version, schema })
    })
}

fn check_type(kind: &LitStr) -> Result<()> {
    let word = |word: &str| {
        !word.is_empty()
            && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
    };
    if kind.value().split('.').all(word) {
        return Ok(());
    }
    let message = "an event's type is words of letters, digits, `_` and `-`, separated by dots: `booking.created`";
    Err(Error::new(kind.span(), message))
}
