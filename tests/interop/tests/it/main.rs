//! Our runtime and our router with the peers that are deployed.

mod by_name;
mod checks;
mod connections;
mod direct;
mod hyperbahn_clients;
mod load;
mod ours;
mod pair;
mod peers;
mod ring;
mod router;
mod thrift_files;
mod typed;
