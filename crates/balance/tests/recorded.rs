//! Replays what a real HAProxy 2.6 chose (tests/conformance/balance_oracle/recorded.txt, where record.py
//! says what the lines mean): every recorded key, turn and connection must find the same server.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic)] // This whole file is a test.

use std::fs;
use std::net::IpAddr;
use std::sync::Arc;

use isthmus_balance::hash::Function;
use isthmus_balance::{
    Algorithm, Balancer, HashType, Key, Limits, Method, Server, ServerSettings, State, Weight,
};

const RECORD: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/conformance/balance_oracle/recorded.txt"
);
const NOW: u64 = 1_000;

#[derive(Default)]
struct Case<'a> {
    balance: &'a str,
    hash_type: HashType,
    factor: u32,
    allbackups: bool,
    fullconn: u32,
    servers: Vec<Arc<Server>>,
    seen: Vec<Vec<&'a str>>,
}

impl<'a> Case<'a> {
    fn parse(block: &'a str) -> Self {
        let mut case = Self::default();
        for line in block.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            match words[0] {
                "balance" => case.balance = words[1],
                "hash-type" => case.hash_type = hash_type(&words[1..]),
                "hash-balance-factor" => case.factor = words[1].parse().unwrap(),
                "fullconn" => case.fullconn = words[1].parse().unwrap(),
                "option" => case.allbackups = words[1] == "allbackups",
                "server" => case.servers.push(Arc::new(server(&words[1..]))),
                _ => case.seen.push(words),
            }
        }
        case
    }

    fn balancer(&self) -> Balancer {
        let algorithm = match self.balance {
            "roundrobin" => Algorithm::RoundRobin,
            "static-rr" => Algorithm::StaticRoundRobin,
            "leastconn" => Algorithm::LeastConn,
            "first" => Algorithm::First,
            _ => Algorithm::Hash {
                hash_type: self.hash_type,
                factor: self.factor,
            },
        };
        Balancer::new(
            algorithm,
            self.servers.clone(),
            self.allbackups,
            self.fullconn,
        )
    }
}

fn hash_type(words: &[&str]) -> HashType {
    let method = if words[0] == "consistent" {
        Method::Consistent
    } else {
        Method::MapBased
    };
    let function = words.get(1).map(|name| match *name {
        "sdbm" => Function::Sdbm,
        "djb2" => Function::Djb2,
        "wt6" => Function::Wt6,
        "crc32" => Function::Crc32,
        other => panic!("function {other}"),
    });
    HashType::new(method, function, words.contains(&"avalanche"))
}

fn server(words: &[&str]) -> Server {
    let number = |at: usize| words[at].parse::<u32>().unwrap();
    let server = Server::new(ServerSettings {
        id: number(0),
        weight: Weight::new(words[1].parse().unwrap()).unwrap(),
        backup: words[5] == "backup",
        limits: Limits {
            maxconn: number(2),
            minconn: number(3),
            maxqueue: number(4),
        },
        slowstart: 0,
    });
    if words[5] == "disabled" {
        server.set_state(State::Maint, NOW);
    }
    server
}

/// The identifier of the server that is picked; 0 for none.
fn pick(balancer: &Balancer, key: Option<Key<'_>>) -> (usize, u32) {
    let chosen = balancer.pick(key, 0, None, NOW).unwrap_or(usize::MAX);
    (
        chosen,
        balancer
            .servers()
            .get(chosen)
            .map_or(0, |server| server.id()),
    )
}

fn replay_key(balancer: &Balancer, kind: &str, value: &str) -> u32 {
    let bytes: Vec<u8> = match kind {
        "bytes" => (0..value.len() / 2)
            .map(|at| u8::from_str_radix(&value[at * 2..at * 2 + 2], 16).unwrap())
            .collect(),
        _ => Vec::new(),
    };
    let key = match kind {
        "bytes" => Key::Bytes(&bytes),
        "int" => Key::Integer(value.parse().unwrap()),
        _ => Key::Source(value.parse::<IpAddr>().unwrap()),
    };
    pick(balancer, Some(key)).1
}

fn replay_turns(balancer: &Balancer, count: usize) -> Vec<u32> {
    let turn = |_| {
        let (at, id) = pick(balancer, None);
        balancer.connected(at);
        balancer.disconnected(at);
        id
    };
    (0..count).map(turn).collect()
}

fn replay_held(balancer: &Balancer, key: &str, events: &[&str]) -> Vec<String> {
    let key = key.parse().ok().map(Key::Integer);
    let mut clients = Vec::new();
    let replay = |event: &&str| {
        if let Some(client) = event.strip_prefix('-') {
            balancer.disconnected(clients[client.parse::<usize>().unwrap()]);
            return (*event).to_string();
        }
        let (at, id) = pick(balancer, key);
        balancer.connected(at);
        clients.push(at);
        format!("+{id}")
    };
    events.iter().map(replay).collect()
}

/// Replays all cases' lines of one kind; gives how many there were and what differed.
fn replay(kind: &str) -> (usize, Vec<String>) {
    let record = fs::read_to_string(RECORD).unwrap();
    let (mut count, mut different) = (0, Vec::new());
    for block in record.split("\n\n") {
        let case = Case::parse(block);
        let balancer = case.balancer();
        for words in case.seen.iter().filter(|words| words[0] == kind) {
            count += 1;
            let same = match kind {
                "key" => replay_key(&balancer, words[1], words[2]).to_string() == words[3],
                "turns" => {
                    let turns = replay_turns(&balancer, words.len() - 1);
                    turns
                        .iter()
                        .map(u32::to_string)
                        .eq(words[1..].iter().copied())
                }
                _ => replay_held(&balancer, words[1], &words[2..]) == words[2..],
            };
            if !same {
                let head: Vec<&str> = block.lines().filter(|l| !l.starts_with("key")).collect();
                different.push(format!("{}\n  {}", head.join("\n  "), words.join(" ")));
            }
        }
    }
    (count, different)
}

#[track_caller]
fn assert_replays(kind: &str, at_least: usize) {
    let (count, different) = replay(kind);
    let shown = different
        .iter()
        .take(3)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n\n");
    assert!(
        different.is_empty(),
        "{} of {count} differ:\n{shown}",
        different.len()
    );
    assert!(
        count >= at_least,
        "only {count} lines of {kind} in the record"
    );
}

#[test]
fn every_key_finds_the_server_that_haproxy_chose() {
    assert_replays("key", 7_600);
}

#[test]
fn requests_without_a_key_take_turns_in_haproxys_order() {
    assert_replays("turns", 70);
}

#[test]
fn open_connections_and_limits_steer_requests_as_in_haproxy() {
    assert_replays("held", 40);
}
