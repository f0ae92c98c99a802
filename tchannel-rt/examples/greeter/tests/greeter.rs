//! The service and its client in one process, without sockets: all else is as between machines.

use example_greeter::{Greeter, GreeterClient, Polite, Refusal};
use futures::{StreamExt, stream};
use tchannel_rt::{MethodError, in_process};

fn greeter() -> GreeterClient {
    GreeterClient::with(in_process(Polite.into_service()))
}

#[tokio::test]
async fn people_are_greeted_in_their_language() {
    let greeter = greeter();
    assert_eq!(greeter.hello("Ada", None).await.unwrap(), "Hello, Ada!");
    let german = Some("German".to_owned());
    assert_eq!(greeter.hello("Ada", german).await.unwrap(), "Hallo, Ada!");
}

#[tokio::test]
async fn a_language_that_is_not_spoken_is_named() {
    let error = greeter().hello("Ada", Some("Latin".to_owned())).await;
    let Err(MethodError::Exception(Refusal::Foreign { language })) = error else {
        panic!("another answer: {error:?}");
    };
    assert_eq!(language, "Latin");
}

#[tokio::test]
async fn everybody_who_comes_is_welcome() {
    let names = stream::iter(["Ada", "Grace"].map(str::to_owned));
    let welcomes = greeter().welcome(names).await.unwrap();
    let welcomes: Vec<String> = welcomes.map(Result::unwrap).collect().await;
    assert_eq!(welcomes, ["Welcome, Ada!", "Welcome, Grace!"]);
}
