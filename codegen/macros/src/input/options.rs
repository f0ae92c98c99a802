//! What `#[service(..)]` and `#[method(..)]` say.

use std::time::Duration;

use syn::meta::ParseNestedMeta;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, LitStr, Path};

/// `#[service(..)]`.
#[derive(Default)]
pub(crate) struct ServiceOptions {
    pub(crate) scheme: Scheme,
    pub(crate) name: Option<String>,
    /// Where `tchannel_rt` is, if it is not under that name.
    pub(crate) runtime: Option<Path>,
}

/// How values are encoded.
#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) enum Scheme {
    #[default]
    Msgpack,
    Json,
}

impl Parse for ServiceOptions {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut options = Self::default();
        let mut scheme = None;
        let each = syn::meta::parser(|meta| {
            match key(&meta).as_str() {
                "msgpack" => once(&meta, &mut scheme, Scheme::Msgpack, "one scheme is enough"),
                "json" => once(&meta, &mut scheme, Scheme::Json, "one scheme is enough"),
                "name" => {
                    let name = name(&meta)?;
                    once(&meta, &mut options.name, name, TWICE)
                }
                "crate" => {
                    let path = text(&meta, "a::path")?.parse_with(Path::parse_mod_style)?;
                    once(&meta, &mut options.runtime, path, TWICE)
                }
                other => Err(meta.error(format!(
                    "`{other}` is no option of a service: there are `json`, `msgpack`, `name = \"..\"` and \
                     `crate = \"..\"`"
                ))),
            }
        });
        each_option(input, each)?;
        options.scheme = scheme.unwrap_or_default();
        Ok(options)
    }
}

/// `#[method(..)]`.
#[derive(Default)]
pub(crate) struct MethodOptions {
    pub(crate) name: Option<String>,
    pub(crate) idempotent: Option<()>,
    pub(crate) ttl: Option<Duration>,
}

impl MethodOptions {
    /// Takes what is ours out of `attributes`.
    pub(super) fn take(attributes: &mut Vec<Attribute>) -> syn::Result<Self> {
        let mut options = Self::default();
        let ours = attributes.extract_if(.., |attribute| attribute.path().is_ident("method"));
        for attribute in ours {
            attribute.parse_nested_meta(|meta| options.read(&meta))?;
        }
        Ok(options)
    }

    fn read(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        match key(meta).as_str() {
            "idempotent" => once(meta, &mut self.idempotent, (), TWICE),
            "ttl" => {
                let ttl = duration(&text(meta, "200ms")?)?;
                once(meta, &mut self.ttl, ttl, TWICE)
            }
            "name" => {
                let name = name(meta)?;
                once(meta, &mut self.name, name, TWICE)
            }
            other => Err(meta.error(format!(
                "`{other}` is no option of a method: there are `idempotent`, `ttl = \"200ms\"` and `name = \"..\"`"
            ))),
        }
    }
}

const TWICE: &str = "once is enough";

fn each_option(
    input: ParseStream<'_>,
    parser: impl syn::parse::Parser<Output = ()>,
) -> syn::Result<()> {
    let options: proc_macro2::TokenStream = input.parse()?;
    parser.parse2(options)
}

fn key(meta: &ParseNestedMeta<'_>) -> String {
    meta.path
        .get_ident()
        .map_or_else(|| "this".to_owned(), ToString::to_string)
}

fn once<T>(
    meta: &ParseNestedMeta<'_>,
    slot: &mut Option<T>,
    value: T,
    complaint: &str,
) -> syn::Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(meta.error(complaint)),
    }
}

/// The text after the `=`.
fn text(meta: &ParseNestedMeta<'_>, example: &str) -> syn::Result<LitStr> {
    let literal = meta.value().and_then(|value| value.parse());
    literal.map_err(|_| meta.error(format!("write `{} = {example:?}`", key(meta))))
}

fn name(meta: &ParseNestedMeta<'_>) -> syn::Result<String> {
    let literal = text(meta, "..")?;
    let name = literal.value();
    if name.is_empty() {
        return Err(syn::Error::new(
            literal.span(),
            "a name has at least one letter",
        ));
    }
    if name.starts_with("Meta::") {
        let text = format!("{name:?} is taken: every service answers the methods of `Meta` itself");
        return Err(syn::Error::new(literal.span(), text));
    }
    Ok(name)
}

/// Whole milliseconds or seconds.
fn duration(literal: &LitStr) -> syn::Result<Duration> {
    let text = literal.value();
    let unit_ms = |text: &str| {
        let (number, unit_ms) = match text.strip_suffix("ms") {
            Some(number) => (number, 1),
            None => (text.strip_suffix('s')?, 1000),
        };
        let ttl_ms = number.trim().parse::<u32>().ok()?.checked_mul(unit_ms)?;
        (ttl_ms > 0).then(|| Duration::from_millis(ttl_ms.into()))
    };
    unit_ms(&text).ok_or_else(|| {
        let text = format!("{text:?} is no time: write whole units, such as \"200ms\" or \"2s\"");
        syn::Error::new(literal.span(), text)
    })
}
