//! The documents in tests/golden, written by Python, are read here and written back with nothing
//! lost, added or renamed. tests/unit/plan/test_golden.py is the twin.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on should stop"
)]

use isthmus_plan::question::NameQuestion;
use isthmus_plan::{CacheFacts, ListAnswer, ListCheck, ListRequest, Plan};

use isthmus_plan::command::Command;
use isthmus_plan::explain::{Explained, Question};
use isthmus_plan::report::{ApplyReport, Event, SessionFacts, Snapshot};
use isthmus_plan::service::{ServiceHead, ServiceRequest};
use isthmus_plan::tls_facts::TlsFacts;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

fn golden(name: &str) -> String {
    let path = format!(
        "{}/../../tests/golden/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn comes_back_the_same<T: Serialize + DeserializeOwned>(name: &str) {
    let text = golden(name);
    let document: T = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
    let written = serde_json::to_value(&document).unwrap();
    let read: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(written, read, "{name}");
}

#[test]
fn a_plan_that_python_wrote_comes_back_the_same() {
    comes_back_the_same::<Plan>("plan");
    assert!(Plan::read(golden("plan").as_bytes()).is_ok());
}

#[test]
fn commands_that_python_wrote_come_back_the_same() {
    comes_back_the_same::<Vec<Command>>("commands");
}

#[test]
fn questions_about_lists_and_their_answers_come_back_the_same() {
    comes_back_the_same::<Vec<ListRequest>>("list_requests");
    comes_back_the_same::<Vec<ListAnswer>>("list_answers");
    comes_back_the_same::<Vec<ListCheck>>("list_checks");
}

#[test]
fn what_services_are_asked_and_say_comes_back_the_same() {
    comes_back_the_same::<Vec<ServiceRequest>>("service_requests");
    comes_back_the_same::<Vec<ServiceHead>>("service_heads");
}

#[test]
fn questions_about_names_come_back_the_same() {
    comes_back_the_same::<Vec<NameQuestion>>("name_questions");
}

#[test]
fn reports_have_the_fields_that_python_reads() {
    comes_back_the_same::<Snapshot>("snapshot");
    comes_back_the_same::<Vec<SessionFacts>>("sessions");
    comes_back_the_same::<Vec<CacheFacts>>("caches");
    comes_back_the_same::<Vec<Event>>("events");
    comes_back_the_same::<ApplyReport>("apply");
    comes_back_the_same::<TlsFacts>("tls_facts");
}

#[test]
fn questions_about_described_connections_and_their_answers_come_back_the_same() {
    comes_back_the_same::<Vec<Question>>("questions");
    comes_back_the_same::<Vec<Explained>>("explained");
}
