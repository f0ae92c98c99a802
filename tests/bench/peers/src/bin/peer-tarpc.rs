//! tarpc as something to be measured.

fn main() -> bench_peers::Outcome {
    bench_peers::main::<bench_peers::tarpc_echo::Tarpc>()
}
