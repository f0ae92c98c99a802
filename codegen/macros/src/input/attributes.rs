//! Attributes that users write beside ours.

use syn::{Attribute, Expr, Lit, Meta};

/// The text of doc comments, without the blank that most lines begin with; `None` when there are none.
pub(super) fn docs(attributes: &[Attribute]) -> Option<String> {
    let lines: Vec<String> = attributes.iter().filter_map(line).collect();
    let text = lines.join("\n");
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(meta) = &attribute.meta else {
        return None;
    };
    let Expr::Lit(value) = &meta.value else {
        return None;
    };
    match &value.lit {
        Lit::Str(text) if is_docs(attribute) => {
            let text = text.value();
            Some(text.strip_prefix(' ').unwrap_or(&text).to_owned())
        }
        _ => None,
    }
}

pub(super) fn is_docs(attribute: &Attribute) -> bool {
    attribute.path().is_ident("doc")
}

/// Whether callers should see it as implementors do.
pub(super) fn is_for_clients(attribute: &Attribute) -> bool {
    is_docs(attribute) || attribute.path().is_ident("deprecated")
}
