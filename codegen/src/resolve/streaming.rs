//! The annotation `streaming` of a method: which of its sides is a stream of values.

use super::Resolver;
use crate::ast::{self, Annotation, Streaming};
use crate::diagnostic::Diagnostic;

impl Resolver<'_> {
    pub(super) fn streaming(&mut self, method: &ast::Method) -> Streaming {
        let mut found = method
            .annotations
            .iter()
            .filter(|annotation| annotation.name.text == "streaming");
        let Some(annotation) = found.next() else {
            return Streaming::No;
        };
        if let Some(again) = found.next() {
            let title = format!("`{}` is told twice what it streams", method.name.text);
            let error = Diagnostic::new(again.name.span, title, "expected one `streaming`");
            self.complain(error.context(annotation.name.span, "the first is here"));
        }
        let Some(streaming) = self.which(annotation) else {
            return Streaming::No;
        };
        if streaming.request() {
            self.check_streamed_request(method, annotation);
        }
        if streaming.response() && method.returns.is_none() {
            let title = format!(
                "`{}` returns nothing that it could stream",
                method.name.text
            );
            let error = Diagnostic::new(
                method.name.span,
                title,
                "expected the type of each value in place of `void`",
            );
            self.complain(error.context(annotation.name.span, "because of this"));
        }
        streaming
    }

    fn which(&mut self, annotation: &Annotation) -> Option<Streaming> {
        let text = annotation.value.as_ref().map(|value| value.text.as_str());
        match text {
            Some("request") => return Some(Streaming::Request),
            Some("response") => return Some(Streaming::Response),
            Some("both") => return Some(Streaming::Both),
            _ => {}
        }
        let at = annotation.value.as_ref().unwrap_or(&annotation.name);
        let title = match text {
            Some(text) => format!("{text:?} is no side of a method"),
            None => "`streaming` does not say what is streamed".to_owned(),
        };
        self.complain(Diagnostic::new(at.span, title, EXPECTED));
        None
    }

    /// A chunk holds one value, so there is room for one argument.
    fn check_streamed_request(&mut self, method: &ast::Method, annotation: &Annotation) {
        let name = &method.name;
        let error = match &method.arguments[..] {
            [_] => return,
            [] => Diagnostic::new(
                name.span,
                format!("`{}` has no argument that it could stream", name.text),
                "expected one argument, of the type of each value",
            ),
            [_, second, ..] => Diagnostic::new(
                second.name.span,
                format!("`{}` has more arguments than a stream can carry", name.text),
                "expected one argument, of the type of each value",
            )
            .help("put them into a struct, or send what comes once as application headers"),
        };
        self.complain(error.context(annotation.name.span, "because of this"));
    }
}

const EXPECTED: &str = "expected \"request\", \"response\" or \"both\"";
