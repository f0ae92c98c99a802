//! What a subscriber of `tracing` sees of calls.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tchannel_rt::{Channel, HandlerError, Reply};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};

use crate::support::{LONG, listen, once, soon};

/// Notes every span of this crate: `+name fields` when it begins, ` name fields` when fields follow.
#[derive(Clone, Default)]
struct Notebook(Arc<Mutex<Notes>>);

#[derive(Default)]
struct Notes {
    lines: Vec<String>,
    names: Vec<&'static str>,
}

impl Notebook {
    fn lines(&self) -> Vec<String> {
        self.0.lock().expect("no test panics here").lines.clone()
    }
}

impl Subscriber for Notebook {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span()
            && metadata.target() == "tchannel_rt"
            && *metadata.level() == Level::DEBUG
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut notes = self.0.lock().expect("no test panics here");
        let name = span.metadata().name();
        let mut line = format!("+{name}");
        span.record(&mut Fields(&mut line));
        notes.lines.push(line);
        notes.names.push(name);
        Id::from_u64(notes.names.len() as u64)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut notes = self.0.lock().expect("no test panics here");
        let mut line = format!(" {}", notes.names[span.into_u64() as usize - 1]);
        values.record(&mut Fields(&mut line));
        notes.lines.push(line);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Appends ` name=value`.
struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push_str(&format!(" {}={value:?}", field.name()));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push_str(&format!(" {}={value}", field.name()));
    }
}

/// A notebook that notes what this thread does.
///
/// While `tracing` knows of one subscriber alone, the thread that comes to a span first decides for all whether
/// it is wanted; so there is another one, which notes nothing.
fn note() -> (Notebook, impl Sized) {
    let notebook = Notebook::default();
    let another = Dispatch::new(Notebook::default());
    let noting = tracing::subscriber::set_default(notebook.clone());
    (notebook, (noting, another))
}

async fn server() -> (Channel, String) {
    let server = Channel::new("svc");
    server
        .service("svc")
        .raw("ok", |_| async { Ok(Reply::default()) })
        .raw("no", |_| async { Ok(Reply::application_error("", "")) })
        .raw("busy", |_| async { Err(HandlerError::busy("no room")) })
        .stream("stream", |request| async move {
            request.respond.ok()?.finish().await?;
            Ok(())
        });
    let addr = listen(&server).await;
    (server, addr)
}

#[tokio::test]
async fn every_call_has_a_span_at_either_end() {
    let (notebook, _noting) = note();
    let (_server, addr) = server().await;
    let client = Channel::new("test");
    let mut expected = Vec::new();
    for (method, code) in [("ok", "ok"), ("no", "application-error"), ("busy", "busy")] {
        let target = format!("svc::{method}");
        let _ = once(client.call(&target).peer(&addr)).send("", "").await;
        expected.extend([
            format!("+call service=svc endpoint={method}"),
            format!("+serve service=svc endpoint={method} caller=test"),
            format!(" call peer={addr}"),
            " call attempts=1".to_owned(),
            format!(" call code={code}"),
        ]);
    }
    assert_eq!(notebook.lines(), expected);
}

#[tokio::test]
async fn the_span_of_a_stream_ends_with_the_stream() {
    let (notebook, _noting) = note();
    let (_server, addr) = server().await;
    let client = Channel::new("test");
    let call = client.call("svc::stream").peer(&addr).ttl(LONG);
    let (request, pending) = call.stream().await.unwrap();
    request.finish().await.unwrap();
    let mut args = soon(pending.response()).await.unwrap().args;
    assert!(soon(args.next_chunk()).await.unwrap().is_none());
    assert!(!notebook.lines().contains(&" call code=ok".to_owned()));
    drop(args);
    assert_eq!(
        notebook.lines(),
        [
            "+call service=svc endpoint=stream".to_owned(),
            format!(" call peer={addr}"),
            "+serve service=svc endpoint=stream caller=test".to_owned(),
            " call code=ok".to_owned(),
        ]
    );
}
