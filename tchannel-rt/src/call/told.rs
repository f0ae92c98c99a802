//! What a call was told besides its args, owned: layers may keep it longer than the call borrows.

use tchannel_proto::ChecksumType;

use super::Call;
use crate::peer::PeerList;

#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) arg_scheme: String,
    pub(crate) other_headers: Vec<(String, String)>,
    pub(crate) peer: Option<String>,
    via: Option<PeerList>,
    caller_name: Option<String>,
    shard_key: Option<String>,
    routing_delegate: Option<String>,
    failure_domain: Option<String>,
    checksum_type: ChecksumType,
}

impl Told {
    pub(crate) fn nothing_but(arg_scheme: &str) -> Self {
        Self {
            arg_scheme: arg_scheme.to_owned(),
            other_headers: Vec::new(),
            peer: None,
            via: None,
            caller_name: None,
            shard_key: None,
            routing_delegate: None,
            failure_domain: None,
            checksum_type: ChecksumType::default(),
        }
    }
}

impl<'a> Call<'a> {
    pub(crate) fn told(&self) -> Told {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let seldom = self.seldom();
        Told {
            arg_scheme: self.arg_scheme.to_owned(),
            other_headers: seldom.other_headers.iter().map(owned).collect(),
            peer: self.peer.map(str::to_owned),
            via: self.via.cloned(),
            caller_name: seldom.caller_name.map(str::to_owned),
            shard_key: self.shard_key.map(str::to_owned),
            routing_delegate: seldom.routing_delegate.map(str::to_owned),
            failure_domain: seldom.failure_domain.map(str::to_owned),
            checksum_type: self.checksum_type,
        }
    }

    /// Tells this call all that another was told.
    pub(crate) fn retell(mut self, told: &'a Told) -> Self {
        self.arg_scheme = &told.arg_scheme;
        self.peer = told.peer.as_deref();
        self.via = told.via.as_ref();
        self.shard_key = told.shard_key.as_deref();
        self.checksum_type = told.checksum_type;
        let headers = told.other_headers.iter();
        let seldom = self.seldom_mut();
        seldom.other_headers = headers.map(|(key, value)| (&**key, &**value)).collect();
        seldom.caller_name = told.caller_name.as_deref();
        seldom.routing_delegate = told.routing_delegate.as_deref();
        seldom.failure_domain = told.failure_domain.as_deref();
        self
    }
}
