//! Inherited methods are implemented once, and called under the child's name.

use tchannel_rt::{Channel, Client, MethodError};
use test_codegen::elsewhere::elsewhere::{Elsewhere, ElsewhereClient};
use test_codegen::elsewhere::shared::{
    Base, BaseClient, BaseWhoamiThrows, Caller, Priority, Refused,
};

struct Desk;

impl Base for Desk {
    async fn ping(&self) -> Result<(), MethodError> {
        Ok(())
    }

    async fn whoami(&self, caller: Caller) -> Result<Caller, MethodError<BaseWhoamiThrows>> {
        if caller.id == 0 {
            return Err(Refused {
                why: "no id".into(),
                priority: Priority::High,
            }
            .into());
        }
        Ok(caller)
    }
}

impl Elsewhere for Desk {
    async fn ask(&self, id: i64) -> Result<Priority, MethodError> {
        Ok(Priority::from(
            i32::try_from(id).map_err(MethodError::unexpected)?,
        ))
    }
}

#[tokio::test]
async fn a_parent_that_others_extend_can_be_served_by_itself() {
    let server = Channel::new("desk");
    server.service("desk").serve(Base::into_service(Desk));
    let addr = server.listen("127.0.0.1:0").await.unwrap();
    let target = Client::new(&Channel::new("caller"), "desk").peer(addr.to_string());
    BaseClient::with(target.clone()).ping().await.unwrap();
    let childs = ElsewhereClient::with(target).ping().await.unwrap_err();
    assert!(childs.to_string().contains("no such endpoint"), "{childs}");
}

#[tokio::test]
async fn a_child_answers_for_its_parent_under_its_own_name_only() {
    let server = Channel::new("desk");
    server.service("desk").serve(Desk.into_service());
    let addr = server.listen("127.0.0.1:0").await.unwrap();
    let target = Client::new(&Channel::new("caller"), "desk").peer(addr.to_string());
    let client = ElsewhereClient::with(target.clone());

    client.ping().await.unwrap();
    assert_eq!(client.ask(16).await.unwrap(), Priority::High);
    let caller = Caller {
        id: 1,
        ..Caller::default()
    };
    assert_eq!(client.whoami(caller.clone()).await.unwrap(), caller);
    let thrown = client.whoami(Caller::default()).await.unwrap_err();
    assert!(
        matches!(thrown, MethodError::Exception(BaseWhoamiThrows::Refused(_))),
        "{thrown}"
    );

    let parents = BaseClient::with(target).ping().await.unwrap_err();
    assert!(
        parents.to_string().contains("no such endpoint"),
        "{parents}"
    );
}
