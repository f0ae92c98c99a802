//! Asks to be greeted, wherever that is done: `NAME [LANGUAGE]`.
#![expect(clippy::print_stdout, reason = "an example talks to people")]

use std::error::Error;

use example_greeter::{GreeterClient, Refusal};
use tchannel_rt::{Channel, MethodError};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let channel = Channel::new("greeter-client");
    channel.routers().add("127.0.0.1:21300");
    let greeter = GreeterClient::new(&channel);

    let mut args = std::env::args().skip(1);
    let name = args.next().ok_or("expected `NAME [LANGUAGE]`")?;
    match greeter.hello(name, args.next()).await {
        Ok(greeting) => println!("{greeting}"),
        Err(MethodError::Exception(Refusal::Foreign { language })) => {
            println!("Nobody there speaks {language}.");
        }
        Err(other) => return Err(other.into()),
    }
    Ok(())
}
