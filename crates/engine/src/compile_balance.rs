//! How a backend chooses among its servers, in the balancer's terms.

use isthmus_balance::{Algorithm, HashType, Method, hash};
use isthmus_plan as plan;

use crate::generation::HashKey;
use crate::http::RequestPart;
use crate::rules::Compiler;

/// The algorithm, and what of a request it goes by.
pub(crate) fn algorithm(
    from: &plan::Algorithm,
    backend: &str,
    compiler: &mut Compiler<'_>,
) -> (Algorithm, HashKey) {
    match from {
        plan::Algorithm::Roundrobin {} => (Algorithm::RoundRobin, HashKey::Nothing),
        plan::Algorithm::StaticRr {} => (Algorithm::StaticRoundRobin, HashKey::Nothing),
        plan::Algorithm::Leastconn {} => (Algorithm::LeastConn, HashKey::Nothing),
        plan::Algorithm::First {} => (Algorithm::First, HashKey::Nothing),
        plan::Algorithm::Random { draws } => (
            Algorithm::Random {
                draws: *draws,
                factor: 0,
            },
            HashKey::Nothing,
        ),
        plan::Algorithm::Source { hash } => (hash_algorithm(hash), HashKey::Source),
        plan::Algorithm::Hash { expression, hash } => {
            let key = compiler
                .expression(backend, expression)
                .map_or(HashKey::Nothing, HashKey::Expression);
            (hash_algorithm(hash), key)
        }
        plan::Algorithm::Uri { hash, .. }
        | plan::Algorithm::UrlParam { hash, .. }
        | plan::Algorithm::Header { hash, .. } => {
            let key = RequestPart::of(from).map_or(HashKey::Nothing, HashKey::Part);
            (hash_algorithm(hash), key)
        }
        plan::Algorithm::RdpCookie { name, hash } => {
            let expression = plan::Expression {
                fetch: plan::Call {
                    name: "req.rdp_cookie".to_owned(),
                    args: vec![plan::Arg::Str {
                        value: name.clone(),
                    }],
                },
                converters: Vec::new(),
            };
            let key = compiler
                .expression(backend, &expression)
                .map_or(HashKey::Nothing, HashKey::Expression);
            (hash_algorithm(hash), key)
        }
    }
}

fn hash_algorithm(from: &plan::Hash) -> Algorithm {
    let function = match from.function {
        plan::HashFunction::Sdbm => hash::Function::Sdbm,
        plan::HashFunction::Djb2 => hash::Function::Djb2,
        plan::HashFunction::Wt6 => hash::Function::Wt6,
        plan::HashFunction::Crc32 => hash::Function::Crc32,
        plan::HashFunction::None => hash::Function::None,
    };
    let method = match from.kind {
        plan::HashKind::MapBased => Method::MapBased,
        plan::HashKind::Consistent => Method::Consistent,
    };
    let hash_type = HashType {
        method,
        function,
        avalanche: from.avalanche,
    };
    Algorithm::Hash {
        hash_type,
        factor: from.balance_factor,
    }
}
