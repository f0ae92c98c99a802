//! A service from a trait and its client, over loopback: results, errors of every kind, headers, options.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::{Stream, StreamExt, stream};
use serde_json::json;
use tchannel_rt::retry::Retry;
use tchannel_rt::{
    CallContext, Channel, ChannelConfig, Client, ErrorCode, Exchange, MethodError, Reply, Request,
    RetryAdvice, StreamError, Streaming,
};
use test_codegen::traits::greeter::{Greeter, GreeterClient, Opaque, Person, Refusal};
use tokio::sync::mpsc;

#[derive(Default)]
pub(crate) struct Polite {
    greeted: Mutex<Vec<String>>,
    /// What the last caller would wait.
    ttl: Mutex<Option<Duration>>,
}

/// Somebody who greets; clones share.
#[derive(Clone, Default)]
pub(crate) struct Server(Arc<Polite>);

impl Greeter for Server {
    async fn hello(&self, name: String) -> Result<String, Refusal> {
        let deadline = CallContext::current().map(|context| context.deadline());
        *self.0.ttl.lock().unwrap() = deadline.map(|at| at.duration_since(Instant::now()));
        if let Some(exchange) = Exchange::current() {
            let language = exchange.request_headers().get("language");
            exchange.respond_header("in", language.unwrap_or("English"));
        }
        match name.as_str() {
            "nobody" => Err(Refusal::Unknown { name }),
            "panic" => panic!("of fright"),
            _ => {
                self.0.greeted.lock().unwrap().push(name.clone());
                Ok(format!("Hello, {name}!"))
            }
        }
    }

    async fn meet(
        &self,
        person: Person,
        times: Option<u32>,
    ) -> Result<Person, MethodError<Refusal>> {
        match times {
            None => Ok(person),
            Some(0) => Err(MethodError::Exception(Refusal::Asleep)),
            Some(_) => Err(MethodError::busy("once is enough")),
        }
    }

    async fn count(&self) -> u64 {
        self.0.greeted.lock().unwrap().len() as u64
    }

    async fn forget(&self) {
        self.0.greeted.lock().unwrap().clear();
    }

    async fn fail(&self, how: String) -> Result<(), MethodError> {
        Err(match how.as_str() {
            "busy" => MethodError::busy(how),
            "declined" => MethodError::declined(how),
            "bad" => MethodError::bad_request(how),
            _ => MethodError::unexpected(how),
        })
    }

    async fn opaque(&self, it: Opaque, names: BTreeMap<String, Vec<Person>>) -> Opaque {
        Opaque(it.0 + names.values().map(Vec::len).sum::<usize>() as u32)
    }

    fn words(&self, text: String) -> impl Stream<Item = String> {
        self.0.greeted.lock().unwrap().push(text.clone());
        let words: Vec<_> = text.split(' ').map(str::to_owned).collect();
        stream::iter(words)
    }

    async fn letters(
        &self,
        word: String,
    ) -> Result<impl Stream<Item = Result<char, StreamError>>, Refusal> {
        if word.is_empty() {
            return Err(Refusal::Asleep);
        }
        let letters: Vec<_> = word
            .chars()
            .map(|letter| match letter {
                '?' => Err(StreamError::unexpected("no letter")),
                _ => Ok(letter),
            })
            .collect();
        // It borrows from the server, which outlives it.
        Ok(stream::iter(letters).inspect(|_| drop(self.0.greeted.lock().unwrap())))
    }

    async fn gather(&self, mut people: Streaming<Person>) -> Result<u32, MethodError<Refusal>> {
        let mut count = 0;
        while let Some(person) = people.message().await? {
            if person.name.is_empty() {
                return Err(MethodError::Exception(Refusal::Asleep));
            }
            count += 1;
        }
        Ok(count)
    }

    fn echo(&self, words: Streaming<String>) -> impl Stream<Item = Result<String, StreamError>> {
        words.map(|word| word.map(|word| word.to_uppercase()))
    }
}

/// A channel that serves, what it serves, and a client of it.
async fn served() -> (Channel, Server, GreeterClient) {
    let channel = Channel::new("greeter");
    let server = Server::default();
    channel
        .service("greeter")
        .serve(server.clone().into_service());
    let addr = channel.listen("127.0.0.1:0").await.unwrap();
    let target = Client::new(&Channel::new("caller"), "greeter").peer(addr.to_string());
    (channel, server, GreeterClient::with(target))
}

fn ada() -> Person {
    Person {
        name: "Ada".to_owned(),
        title: None,
    }
}

#[tokio::test]
async fn methods_are_called_with_values_and_give_values() {
    let (_channel, _server, client) = served().await;
    assert_eq!(client.hello("Ada").await.unwrap(), "Hello, Ada!");
    assert_eq!(client.count().await.unwrap(), 1);
    client.forget().await.unwrap();
    assert_eq!(client.count().await.unwrap(), 0);
    assert_eq!(client.meet(ada(), None).await.unwrap(), ada());
    let names = BTreeMap::from([("A".to_owned(), vec![ada(), ada()])]);
    assert_eq!(client.opaque(Opaque(1), names).await.unwrap(), Opaque(3));
}

#[tokio::test]
async fn an_error_of_the_application_arrives_as_itself() {
    let (_channel, _server, client) = served().await;
    let error = client.hello("nobody").await.unwrap_err();
    assert_eq!(
        (error.code(), error.retry_advice()),
        (None, RetryAdvice::Never)
    );
    let unknown = Refusal::Unknown {
        name: "nobody".to_owned(),
    };
    assert!(
        matches!(&error, MethodError::Exception(own) if *own == unknown),
        "{error}"
    );
    let asleep = client.meet(ada(), Some(0)).await.unwrap_err();
    assert!(
        matches!(asleep, MethodError::Exception(Refusal::Asleep)),
        "{asleep}"
    );
}

#[tokio::test]
async fn a_server_may_answer_with_any_system_error() {
    let (_channel, _server, client) = served().await;
    for (how, code) in [
        ("busy", ErrorCode::Busy),
        ("declined", ErrorCode::Declined),
        ("bad", ErrorCode::BadRequest),
        ("otherwise", ErrorCode::UnexpectedError),
    ] {
        let error = client.fail(how).await.unwrap_err();
        assert_eq!(
            (error.code(), error.retry_advice()),
            (Some(code), code.retry_advice())
        );
        assert!(
            matches!(&error, MethodError::System(system) if system.message == how),
            "{error}"
        );
    }
    let busy = client.meet(ada(), Some(1)).await.unwrap_err();
    assert_eq!(busy.code(), Some(ErrorCode::Busy));
    let panicked = client.hello("panic").await.unwrap_err();
    assert_eq!(panicked.code(), Some(ErrorCode::UnexpectedError));
}

#[tokio::test]
async fn a_service_that_nobody_offers_is_a_transport_error() {
    let error = GreeterClient::new(&Channel::new("caller"))
        .count()
        .await
        .unwrap_err();
    assert!(matches!(error, MethodError::Transport(_)), "{error:?}");
    assert!(error.to_string().contains("\"greeter\""), "{error}");
}

#[tokio::test]
async fn headers_travel_both_ways() {
    let (_channel, _server, client) = served().await;
    let call = client.hello("Ada").header("language", "German");
    let (greeting, headers) = call.with_headers().await.unwrap();
    assert_eq!(greeting, "Hello, Ada!");
    assert_eq!(headers.get("in"), Some("German"));
    let (_, headers) = client.hello("Ada").with_headers().await.unwrap();
    assert_eq!(headers.get("in"), Some("English"));
}

#[tokio::test]
async fn a_ttl_of_the_trait_holds_unless_the_caller_has_another() {
    let (channel, server, client) = served().await;
    let last = || server.0.ttl.lock().unwrap().take().unwrap();
    client.hello("Ada").await.unwrap();
    assert!(last() > ChannelConfig::default().default_ttl);
    let short = Duration::from_secs(20);
    client.hello("Ada").ttl(short).await.unwrap();
    assert!(last() <= short);
    let addr = channel.local_addr().unwrap().to_string();
    let patient = Client::new(&Channel::new("caller"), "greeter")
        .peer(addr)
        .ttl(short);
    GreeterClient::with(patient).hello("Ada").await.unwrap();
    assert!(last() <= short);
}

/// A server that knows no types: it notes what comes, and answers the same to all.
async fn bare(ok: bool, arg3: &'static [u8]) -> (Channel, GreeterClient, mpsc::Receiver<Request>) {
    let channel = Channel::new("greeter");
    let (requests, received) = mpsc::channel(10);
    channel.service("greeter").catch_all(move |request| {
        let requests = requests.clone();
        async move {
            requests.send(request).await?;
            Ok(match ok {
                true => Reply::ok("", arg3),
                false => Reply::application_error("", arg3),
            })
        }
    });
    let addr = channel.listen("127.0.0.1:0").await.unwrap();
    let target = Client::new(&Channel::new("caller"), "greeter").peer(addr.to_string());
    (channel, GreeterClient::with(target), received)
}

#[tokio::test]
async fn a_request_is_a_map_by_name_and_the_response_is_the_value() {
    let (_channel, client, mut received) = bare(true, b"\xa2Hi").await;
    assert_eq!(client.hello("Ada").await.unwrap(), "Hi");
    let request = received.recv().await.unwrap();
    assert_eq!(request.endpoint(), "hello");
    assert_eq!(request.arg_scheme(), "msgpack");
    assert_eq!(
        (&request.arg2[..], &request.arg3[..]),
        (&b"\x80"[..], &b"\x81\xa4name\xa3Ada"[..])
    );
    let (_channel, client, mut received) = bare(true, b"\xc0").await;
    client.forget().await.unwrap();
    let request = received.recv().await.unwrap();
    assert_eq!(
        (request.endpoint(), &request.arg3[..]),
        ("forget", &b"\x80"[..])
    );
    client.fail("").await.unwrap();
    assert_eq!(received.recv().await.unwrap().endpoint(), "fail.for-sure");
}

#[tokio::test]
async fn only_methods_that_say_so_may_run_twice() {
    let (_channel, client, mut received) = bare(true, b"\xa0").await;
    client.hello("Ada").await.unwrap();
    let idempotent = received.recv().await.unwrap();
    let _ = client.count().await;
    let other = received.recv().await.unwrap();
    let flags = |request: &Request| request.headers().get("re").map(ToString::to_string);
    assert_ne!(flags(&idempotent), flags(&other));
    let again = client.count().idempotent();
    let _ = again.await;
    assert_eq!(flags(&idempotent), flags(&received.recv().await.unwrap()));
    let cautious = client
        .hello("Ada")
        .configure(|call| call.retry(Retry::default()));
    cautious.await.unwrap();
    assert_eq!(flags(&other), flags(&received.recv().await.unwrap()));
}

#[tokio::test]
async fn an_answer_that_can_not_be_read_is_no_success() {
    let (_channel, client, _received) = bare(true, b"\x01").await;
    let error = client.hello("Ada").await.unwrap_err();
    assert!(matches!(&error, MethodError::Malformed(_)), "{error}");
    assert_eq!(error.retry_advice(), RetryAdvice::Never);
    let (_channel, client, _received) = bare(false, b"\xa5other").await;
    let error = client.hello("Ada").await.unwrap_err();
    assert!(matches!(&error, MethodError::Malformed(_)), "{error}");
    let error = client.count().await.unwrap_err();
    assert!(matches!(&error, MethodError::Undeclared), "{error}");
}

#[tokio::test]
async fn calls_that_do_not_fit_are_refused_in_words() {
    let (channel, _server, _client) = served().await;
    let addr = channel.local_addr().unwrap().to_string();
    let caller = Channel::new("caller");
    let hello = || caller.call("greeter::hello").peer(&addr);
    let error = hello().msgpack(&json!({})).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::BadRequest);
    assert!(
        error.message().contains("missing argument `name`"),
        "{error}"
    );
    let error = hello().json(&json!({"name": "Ada"})).await.unwrap_err();
    assert!(
        error.message().contains("takes arg scheme msgpack"),
        "{error}"
    );
    let unknown = caller.call("greeter::Greeter::hello").peer(&addr);
    let error = unknown.msgpack(&json!({"name": "Ada"})).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::BadRequest);
    let answer = hello()
        .msgpack(&json!({"name": "Ada", "more": [1]}))
        .await
        .unwrap();
    assert_eq!(answer.decode::<String>().unwrap(), "Hello, Ada!");
}

#[tokio::test]
async fn a_method_gives_a_stream() {
    let (_channel, server, client) = served().await;
    let words = client.words("one two three").await.unwrap();
    let words: Vec<String> = words.map(Result::unwrap).collect().await;
    assert_eq!(words, ["one", "two", "three"]);
    assert_eq!(*server.0.greeted.lock().unwrap(), ["one two three"]);
}

#[tokio::test]
async fn a_stream_may_fail_before_it_begins_and_half_way() {
    let (_channel, _server, client) = served().await;
    let error = client.letters("").await.unwrap_err();
    assert!(
        matches!(error, MethodError::Exception(Refusal::Asleep)),
        "{error}"
    );
    let mut letters = client.letters("ab?c").await.unwrap();
    assert_eq!(letters.message().await.unwrap(), Some('a'));
    assert_eq!(letters.message().await.unwrap(), Some('b'));
    let error = letters.message().await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::UnexpectedError));
    assert!(error.to_string().contains("no letter"), "{error}");
}

#[tokio::test]
async fn a_method_takes_a_stream() {
    let (_channel, _server, client) = served().await;
    let people = || stream::iter([ada(), ada()]);
    assert_eq!(client.gather(people()).await.unwrap(), 2);
    let error = client
        .gather(people().chain(stream::iter([Person::default()])))
        .await;
    let error = error.unwrap_err();
    assert!(
        matches!(error, MethodError::Exception(Refusal::Asleep)),
        "{error}"
    );
}

#[tokio::test]
async fn a_method_takes_and_gives_a_stream_at_once() {
    let (_channel, _server, client) = served().await;
    let (words, more) = mpsc::channel::<String>(1);
    let said = stream::unfold(more, |mut more| async { Some((more.recv().await?, more)) });
    words.send("one".to_owned()).await.unwrap();
    let mut echo = client.echo(said).await.unwrap();
    assert_eq!(echo.message().await.unwrap().unwrap(), "ONE");
    words.send("two".to_owned()).await.unwrap();
    assert_eq!(echo.message().await.unwrap().unwrap(), "TWO");
    drop(words);
    assert_eq!(echo.message().await.unwrap(), None);
}
