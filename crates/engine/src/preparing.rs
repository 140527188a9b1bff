//! A plan made ready: compiled, its namespaces entered, its listeners open. What runs is not
//! changed by that, so that a plan that fails can simply be dropped.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use isthmus_plan::{Plan, ServerNamespace};

use crate::compile::{Errors, compile};
use crate::control::listeners;
use crate::generation::{Frontend, Generation, OpenListener};
use crate::opening;
use crate::patterns::Files;
use crate::registry::Registry;

/// Compiles a plan, enters its namespaces and opens its listeners, but for those of `current` that
/// fit.
///
/// # Errors
/// Everything that is in the way, with the `file:line` it belongs to.
pub(crate) fn prepare(
    (plan, files): (&Plan, &Files<'_>),
    registry: &mut Registry,
    current: Option<&Generation>,
    number: u64,
    workers: usize,
) -> Result<Generation, Errors> {
    let generation = compile(plan, files, registry, (current, number))?;
    if let Some(current) = current {
        keep_operators_word(current, &generation);
    }
    let mut errors = Errors::new();
    for (index, namespace) in generation.namespaces.iter().enumerate() {
        namespace.look();
        let optional = plan.namespaces.get(index).is_some_and(|n| n.optional);
        if namespace.factory().is_none() && !optional {
            errors.push((first_user(plan, index), namespace.error()));
        }
    }
    let mut open_already: Vec<Arc<OpenListener>> = current
        .into_iter()
        .flat_map(listeners)
        .filter_map(|listener| listener.open.load_full())
        .collect();
    for frontend in generation.frontends.iter().filter(|f| f.listens()) {
        for listener in &frontend.listeners {
            let namespace = listener.namespace.as_ref();
            if namespace.is_some_and(|namespace| namespace.factory().is_none()) {
                continue;
            }
            let open = &mut open_already;
            match opening::open(&generation, frontend, listener, open, workers) {
                Ok(open) => listener.open.store(Some(open)),
                Err(error) => errors.push((listener.plan.origin.clone(), error)),
            }
        }
    }
    if errors.is_empty() {
        Ok(generation)
    } else {
        Err(errors)
    }
}

/// Limits of the process and the frontends, as operators have changed them, stay where two plans say
/// the same of them, and a frontend that was paused or shut down stays so.
fn keep_operators_word(before: &Generation, after: &Generation) {
    let keep = |old: &AtomicU64, new: &AtomicU64| new.store(old.load(Relaxed), Relaxed);
    let (old, new) = (&before.global, &after.global);
    if old.maxconn == new.maxconn {
        keep(&before.maxconn, &after.maxconn);
    }
    if old.maxconnrate == new.maxconnrate {
        keep(&before.rates.connections, &after.rates.connections);
    }
    if old.maxsessrate == new.maxsessrate {
        keep(&before.rates.sessions, &after.rates.sessions);
    }
    if old.http.compression_rate == new.http.compression_rate {
        keep(&before.rates.compression, &after.rates.compression);
    }
    if old.maxsslrate == new.maxsslrate {
        keep(&before.rates.tls, &after.rates.tls);
    }
    let known: HashMap<&str, &Arc<Frontend>> = before
        .frontends
        .iter()
        .map(|frontend| (frontend.plan.name.as_str(), frontend))
        .collect();
    for frontend in &after.frontends {
        let Some(earlier) = known.get(frontend.plan.name.as_str()) else {
            continue;
        };
        // Where a frontend has no limit of its own, the process's is meant.
        let inherits = frontend.plan.maxconn == 0 && old.maxconn != new.maxconn;
        if earlier.plan.maxconn == frontend.plan.maxconn && !inherits {
            keep(&earlier.maxconn, &frontend.maxconn);
        }
        frontend.gate.store(earlier.gate.load(Relaxed), Relaxed);
    }
}

/// The `file:line` that first asks for a namespace, else its name.
fn first_user(plan: &Plan, namespace: usize) -> String {
    let mut binds = plan.frontends.iter().flat_map(|f| &f.binds);
    if let Some(bind) = binds.find(|bind| bind.namespace == Some(namespace)) {
        return bind.origin.clone();
    }
    let fixed = ServerNamespace::Fixed { namespace };
    let mut servers = plan.backends.iter().flat_map(|b| &b.servers);
    if let Some(server) = servers.find(|server| server.namespace == fixed) {
        return server.origin.clone();
    }
    let named = plan.namespaces.get(namespace);
    named
        .map(|n| format!("namespace {}", n.name))
        .unwrap_or_default()
}
