//! tonic's client and server for one method that takes bytes and gives bytes.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let echo = Method::builder()
        .name("echo")
        .route_name("Echo")
        .input_type("crate::tonic_echo::Payload")
        .output_type("crate::tonic_echo::Payload")
        .codec_path("tonic_prost::ProstCodec")
        .build();
    let bench = Service::builder()
        .name("Bench")
        .package("bench")
        .method(echo)
        .build();
    Builder::new().compile(&[bench]);
}
