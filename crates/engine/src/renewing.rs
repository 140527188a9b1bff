//! Certificates, authorities and revocation lists that are replaced while running, without a new
//! generation: bind and server lines get new acceptors and connectors, all of them or none.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use isthmus_plan::Plan;
use isthmus_plan::report::ApplyReport;
use isthmus_plan::tls::ServerTls;
use isthmus_sample::Certificates;
use isthmus_tls::{Acceptor, Connector, Store, TlsError};

use crate::compile::{Errors, certificates};
use crate::control::Control;
use crate::generation::{Generation, Listener, Server};

/// What the lines of the plan in force have, by the names that the next plan knows them by.
#[derive(Default)]
pub(crate) struct Earlier {
    acceptors: HashMap<(String, u32), Arc<Acceptor>>,
    connectors: HashMap<(String, String), Arc<Connector>>,
}

impl Earlier {
    /// Those of a generation.
    pub(crate) fn of(generation: &Generation) -> Self {
        let mut found = Self::default();
        for frontend in &generation.frontends {
            for listener in &frontend.listeners {
                if let Some(acceptor) = &listener.acceptor {
                    let key = (frontend.plan.name.clone(), listener.plan.id);
                    found.acceptors.insert(key, acceptor.load_full());
                }
            }
        }
        for backend in &generation.backends {
            for server in &backend.servers {
                if let Some(connector) = &server.connector {
                    let key = (backend.plan.name.clone(), server.plan.name.clone());
                    found.connectors.insert(key, connector.load_full());
                }
            }
        }
        found
    }

    /// That of a bind line.
    pub(crate) fn acceptor(&self, frontend: &str, bind: u32) -> Option<&Arc<Acceptor>> {
        self.acceptors.get(&(frontend.to_owned(), bind))
    }

    /// That of a server line.
    pub(crate) fn connector(&self, backend: &str, server: &str) -> Option<&Arc<Connector>> {
        self.connectors
            .get(&(backend.to_owned(), server.to_owned()))
    }
}

/// What a plan's lines are to get, before anything is changed.
#[derive(Default)]
struct Renewed<'g> {
    acceptors: Vec<(&'g Listener, Arc<Acceptor>)>,
    connectors: Vec<(&'g ArcSwap<Connector>, Arc<Connector>)>,
    errors: Errors,
}

impl Control {
    /// Puts the TLS of a plan in force, whose lines are those of the plan in force.
    pub(crate) fn renew(&self, plan: &Plan) -> ApplyReport {
        let Some(generation) = self.current() else {
            return failed(0, String::new(), "no plan is in force".to_owned());
        };
        let number = generation.number;
        // No other plan may come into force between the comparison and the change.
        let errors = self.undisturbed(|| match renewed(&generation, plan) {
            Ok(found) => {
                for (listener, acceptor) in found.acceptors {
                    if let Some(place) = &listener.acceptor {
                        place.store(acceptor);
                    }
                }
                for (place, connector) in found.connectors {
                    place.store(connector);
                }
                let tokens = Certificates::new(&plan.tls);
                generation.jose.certificates.store(Arc::new(tokens));
                Errors::new()
            }
            Err(errors) => errors,
        });
        ApplyReport {
            generation: number,
            errors,
            ..ApplyReport::default()
        }
    }
}

fn failed(generation: u64, place: String, message: String) -> ApplyReport {
    ApplyReport {
        generation,
        errors: vec![(place, message)],
        ..ApplyReport::default()
    }
}

fn renewed<'g>(generation: &'g Generation, plan: &Plan) -> Result<Renewed<'g>, Errors> {
    let store = certificates(&plan.tls)?;
    let mut found = Renewed::default();
    let frontends = generation.frontends.iter();
    for frontend in frontends {
        let own = plan.frontends.iter().find(|f| f.name == frontend.plan.name);
        for listener in &frontend.listeners {
            let Some(place) = &listener.acceptor else {
                continue;
            };
            let binds = own.map_or(&[][..], |own| &own.binds).iter();
            let mut binds = binds.filter(|bind| bind.id == listener.plan.id);
            if let Some(line) = binds.find_map(|bind| bind.tls.as_deref()) {
                let made = Acceptor::renewed(line, &store, Some(&place.load_full()));
                found.keep(&listener.plan.origin, made, |found, made| {
                    found.acceptors.push((listener, made));
                });
            } else {
                found.lost(&listener.plan.origin);
            }
        }
    }
    for backend in &generation.backends {
        let own = plan.backends.iter().find(|b| b.name == backend.plan.name);
        for server in &backend.servers {
            let mut servers = own.map_or(&[][..], |own| &own.servers).iter();
            let line = servers.find(|each| each.name == server.plan.name);
            let of_traffic = line.and_then(|line| line.tls.as_deref());
            let of_checks = line.and_then(|line| line.check_tls.as_deref());
            found.connect(server, server.connector.as_ref(), of_traffic, &store);
            found.connect(server, server.check_connector.as_ref(), of_checks, &store);
        }
    }
    match found.errors.is_empty() {
        true => Ok(found),
        false => Err(found.errors),
    }
}

impl<'g> Renewed<'g> {
    /// What a server line's connections, or its checks, are to get.
    fn connect(
        &mut self,
        server: &Server,
        place: Option<&'g ArcSwap<Connector>>,
        line: Option<&ServerTls>,
        store: &Store,
    ) {
        let Some(place) = place else {
            return;
        };
        let Some(line) = line else {
            return self.lost(&server.plan.origin);
        };
        let made = Connector::renewed(line, store, Some(&place.load_full()));
        self.keep(&server.plan.origin, made, |found, made| {
            found.connectors.push((place, made));
        });
    }

    fn keep<T>(
        &mut self,
        origin: &str,
        made: Result<Arc<T>, TlsError>,
        keep: impl FnOnce(&mut Self, Arc<T>),
    ) {
        match made {
            Ok(made) => keep(self, made),
            Err(error) => self.errors.push((origin.to_owned(), error.to_string())),
        }
    }

    /// The plan has no such line: it is not one of the plan in force with other files.
    fn lost(&mut self, origin: &str) {
        let message = "the line is not in the plan, or has no TLS there".to_owned();
        self.errors.push((origin.to_owned(), message));
    }
}
