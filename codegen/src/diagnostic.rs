//! Complaints: where, what was found, what was expected. Drawn as rustc draws them.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Element, Level, Renderer, Snippet};

/// The texts that are compiled together; a [`Span`] points into one of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    files: Vec<Source>,
}

/// One file.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// As the user wrote it, for people.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Sources {
    pub(crate) fn add(&mut self, path: String, text: String) -> SourceId {
        self.files.push(Source { path, text });
        SourceId(self.files.len() - 1)
    }

    pub(crate) fn get(&self, id: SourceId) -> &Source {
        &self.files[id.0]
    }
}

/// Which of the [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SourceId(pub(crate) usize);

/// A range of bytes in one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) source: SourceId,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    /// From the start of this one to the end of `last`.
    pub(crate) fn to(self, last: Self) -> Self {
        Self {
            end: last.end.max(self.end),
            ..self
        }
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// One complaint.
#[derive(Clone, Debug)]
pub(crate) struct Diagnostic {
    title: String,
    span: Option<Span>,
    label: String,
    context: Vec<(Span, String)>,
    help: Option<String>,
}

impl Diagnostic {
    /// `title` says what is wrong; `label` stands at the caret and says what was expected.
    pub(crate) fn new(span: Span, title: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            span: Some(span),
            label: label.into(),
            context: Vec::new(),
            help: None,
        }
    }

    /// A complaint about no place in particular, such as a file that is not there.
    pub(crate) fn without_place(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            span: None,
            label: String::new(),
            context: Vec::new(),
            help: None,
        }
    }

    /// Another place that explains this one.
    pub(crate) fn context(mut self, span: Span, label: impl Into<String>) -> Self {
        // What the caret points at needs no second mark.
        if self.span != Some(span) && self.context.iter().all(|(other, _)| *other != span) {
            self.context.push((span, label.into()));
        }
        self
    }

    /// What to do about it.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn render(&self, sources: &Sources, renderer: &Renderer) -> String {
        let mut group = Level::ERROR
            .primary_title(&self.title)
            .elements(Vec::<Element<'_>>::new());
        if let Some(span) = self.span {
            group = group.element(self.snippet(span, sources));
            for (other, label) in self
                .context
                .iter()
                .filter(|(at, _)| at.source != span.source)
            {
                let mark = AnnotationKind::Context.span(other.range()).label(label);
                group = group.element(page(*other, sources).annotation(mark));
            }
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help));
        }
        renderer.render(&[group]).to_string()
    }

    fn snippet<'a>(
        &'a self,
        span: Span,
        sources: &'a Sources,
    ) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let mark = AnnotationKind::Primary
            .span(span.range())
            .label(&self.label);
        let mut snippet = page(span, sources).annotation(mark);
        for (other, label) in self
            .context
            .iter()
            .filter(|(at, _)| at.source == span.source)
        {
            let mark = AnnotationKind::Context.span(other.range()).label(label);
            snippet = snippet.annotation(mark);
        }
        snippet
    }
}

fn page<'a>(span: Span, sources: &'a Sources) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let source = sources.get(span.source);
    Snippet::source(&source.text).path(&source.path)
}

/// Why no code was generated: every complaint of the run, drawn for people.
///
/// `Debug` is the same text, so that a build script may return this from `main`.
#[derive(Clone, PartialEq, Eq)]
pub struct Errors {
    text: String,
    count: usize,
}

impl Errors {
    pub(crate) fn render(diagnostics: &[Diagnostic], sources: &Sources) -> Self {
        let renderer = Renderer::plain();
        let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
        sorted.sort_by_key(|it| it.span.map(|span| (span.source.0, span.start)));
        let shown = sorted.into_iter().take(MAX_SHOWN);
        let mut text = shown
            .map(|diagnostic| diagnostic.render(sources, &renderer))
            .collect::<Vec<_>>()
            .join("\n\n");
        if diagnostics.len() > MAX_SHOWN {
            text += &format!(
                "\n\n{} more errors are not shown",
                diagnostics.len() - MAX_SHOWN
            );
        }
        let count = diagnostics.len();
        Self { text, count }
    }

    pub(crate) fn plain(title: impl Into<String>) -> Self {
        Self::render(&[Diagnostic::without_place(title)], &Sources::default())
    }

    /// How many complaints there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the Thrift file can not be compiled\n{}", self.text)
    }
}

impl std::error::Error for Errors {}

/// Complaints that are drawn; a file that is no Thrift at all would fill the screen.
const MAX_SHOWN: usize = 30;
