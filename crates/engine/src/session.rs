//! A session: one client's connection, from accept to close. What it holds while it idles is
//! kept small; what few sessions need stands in [`Notes`].

use std::cell::{Cell, OnceCell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use isthmus_balance::Ticket;
use isthmus_sample::{Scope, Side, TlsFacts, Variables};
use isthmus_sockets::{Interest, Peer};
use isthmus_tls::Trust;

use crate::asking::Asking;
use crate::choose::WaitsAt;
use crate::flow::Flow;
use crate::h2::Mux;
use crate::http::Stream;
use crate::inspect::Walked;
use crate::local::{LocalBackend, LocalFrontend, LocalListener, LocalServer};
use crate::marking::Marking;
use crate::namespace::Namespace;
use crate::slab::Key;
use crate::sticking::ToStore;
use crate::tracking::Tracking;
use crate::transport::Transport;
use crate::variables::Charge;

/// Where a session stands.
///
/// ```text
/// Header ─▶ ClientTls ─▶ Inspect ─▶ InspectBackend ─▶ Choose ─▶ Depart ─▶ Connecting ─▶ ServerTls ─▶ Forwarding ─▶ closed
///                                        │  ▲       ▲ ▲           │
///                                        ▼  │       │ └─ Pausing ◀┤ (a second before a retry)
///                                       Queued ─────┘             │
///                                           └─── redispatch ──────┘
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The PROXY header is awaited.
    Header,
    /// The TLS handshake with the client is under way.
    ClientTls,
    /// Content rules of the frontend wait for bytes.
    Inspect,
    /// Content rules of the backend wait for bytes.
    InspectBackend,
    /// A server is to be chosen.
    Choose,
    /// A server's slot is awaited.
    Queued,
    /// The chosen server is to be connected to.
    Depart,
    /// connect(2) is under way.
    Connecting,
    /// Another session's connection is in the making, which takes this one's request, too (HTTP/2).
    Joining,
    /// The TLS handshake with the server is under way.
    ServerTls,
    /// A failed connect is tried again in a moment.
    Pausing,
    /// Bytes flow.
    Forwarding,
    /// A request is awaited (HTTP mode).
    Request,
    /// Rules of the frontend look at the request.
    Judge,
    /// Rules of the backend look at the request.
    JudgeBackend,
    /// Request and response are on their way.
    Exchange,
    /// Streams have sessions of their own, and this one reads and writes for them (HTTP/2).
    Mux,
    /// A service answers (HTTP mode).
    Serving,
    /// All is said; what the client still sends is thrown away (HTTP mode).
    Lingering,
}

impl Phase {
    /// The word for `show sess`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::ClientTls => "handshake",
            Self::Inspect | Self::InspectBackend | Self::Judge | Self::JudgeBackend => "rules",
            Self::Choose | Self::Queued => "queue",
            Self::Depart | Self::Connecting | Self::Joining | Self::ServerTls | Self::Pausing => {
                "connect"
            }
            Self::Forwarding | Self::Exchange | Self::Mux => "forward",
            Self::Request => "request",
            Self::Serving => "service",
            Self::Lingering => "close",
        }
    }
}

/// Why a session ended: the first two characters of the termination state (manual 8.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ending {
    /// Who ended it.
    pub(crate) cause: u8,
    /// In which phase.
    pub(crate) phase: u8,
}

impl Ending {
    pub(crate) const NORMAL: Self = Self {
        cause: b'-',
        phase: b'-',
    };
}

/// Moments of a session, engine milliseconds; `None` where it was not reached.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Moments {
    pub(crate) accepted: u64,
    /// The PROXY header was read (`%Th`).
    pub(crate) handshaken: u64,
    /// A server or its queue was first asked for.
    pub(crate) asked: Option<u64>,
    /// The queue was left.
    pub(crate) unqueued: Option<u64>,
    /// The server connection stood.
    pub(crate) connected: Option<u64>,
}

/// One client's connection and all that belongs to it.
pub(crate) struct Session {
    pub(crate) key: Key,
    pub(crate) id: u64,
    pub(crate) phase: Phase,
    pub(crate) client: Transport,
    pub(crate) server: Option<Transport>,
    pub(crate) peer: Peer,
    pub(crate) frontend: Rc<LocalFrontend>,
    pub(crate) listener: Rc<LocalListener>,
    pub(crate) backend: Option<Rc<LocalBackend>>,
    pub(crate) chosen: Option<Rc<LocalServer>>,
    /// A slot of the chosen server is held.
    pub(crate) holds_slot: bool,
    /// Client to server.
    pub(crate) up: Flow,
    /// Server to client.
    pub(crate) down: Flow,
    pub(crate) moments: Moments,
    /// When a byte last moved on the client's side, and on the server's.
    pub(crate) client_active: u64,
    pub(crate) server_active: u64,
    /// When the present phase began.
    pub(crate) phase_began: u64,
    /// The timer that is set in the wheel; `u64::MAX` for none.
    pub(crate) armed: u64,
    pub(crate) retries: u32,
    pub(crate) redispatched: bool,
    pub(crate) ending: Option<Ending>,
    /// What the poller watches of each end.
    pub(crate) client_watch: Option<Interest>,
    pub(crate) server_watch: Option<Interest>,
    /// The poller reported a failure of one end.
    pub(crate) client_failed: bool,
    pub(crate) server_failed: bool,
    /// The next choice of a server is a redispatch, to be counted if it is another one.
    pub(crate) redispatching: bool,
    /// A cookie, a rule or a table led to the server that is tried.
    pub(crate) led: bool,
    /// The server of the last attempt refused: should the next one be the same, after a pause.
    pub(crate) pauses: bool,
    /// The time of the present phase is over.
    pub(crate) timed_out: bool,
    /// The server is gone: what it sent is still passed on, then the session ends.
    pub(crate) dying: bool,
    /// It passed the rules at accept and counts as a session.
    pub(crate) counted: bool,
    /// It began in TCP mode and has become HTTP.
    pub(crate) switched: bool,
    /// Where in its rule set the session waits (HTTP mode).
    pub(crate) next_rule: usize,
    /// How far content rules were walked (TCP mode).
    pub(crate) walked: Walked,
    pub(crate) waits_at: WaitsAt,
    /// The client's source namespace, if it is a named one.
    pub(crate) source_namespace: Option<Arc<Namespace>>,
    /// The level at which it is logged, where a rule changed it; `Some(None)` is not at all.
    pub(crate) log_level: Option<Option<u8>>,
    pub(crate) notes: OnceCell<Box<Notes>>,
    /// What is known of the client's TLS, where anybody asks; shared by all that flows over it.
    pub(crate) tls: Option<Rc<TlsFacts>>,
    /// The same of a server connection that is gone or failed.
    pub(crate) past_server_tls: Option<Arc<TlsFacts>>,
    /// The exchange that is under way (HTTP mode).
    pub(crate) http: Option<Box<Stream>>,
    /// The server connection's own identity (HTTP mode).
    pub(crate) link: Option<Key>,
    /// Exchanges that are over.
    pub(crate) exchanges: u32,
    /// Entries of stick tables that rules track.
    pub(crate) tracking: Option<Box<Tracking>>,
    /// The streams over its connection (HTTP/2); the session itself has no exchanges then.
    pub(crate) mux: Option<Box<Mux>>,
}

/// What few sessions need; made when first needed. Evaluations only borrow the session, so what
/// they change stands in cells.
#[derive(Default)]
pub(crate) struct Notes {
    /// Source and destination as a PROXY header gave them.
    pub(crate) proxy_source: Cell<Option<SocketAddr>>,
    pub(crate) proxy_destination: Cell<Option<SocketAddr>>,
    /// Source and destination as a rule set them.
    pub(crate) source: Cell<Option<SocketAddr>>,
    pub(crate) destination: Cell<Option<SocketAddr>>,
    pub(crate) received_proxy: Cell<bool>,
    /// The TLVs of the PROXY header.
    pub(crate) tlvs: OnceCell<Vec<u8>>,
    /// HAProxy's number and text of the client connection's error (`fc_err`).
    pub(crate) error: Cell<u8>,
    pub(crate) error_text: Cell<&'static str>,
    /// Where the server connection went, where that is not the server's own address.
    pub(crate) server_address: Cell<Option<SocketAddr>>,
    /// The name that the server connection is asked for (`sni`).
    pub(crate) server_name: RefCell<Option<String>>,
    /// What rules want the server connection to bear, and how often it may be tried again.
    pub(crate) marking: Cell<Marking>,
    pub(crate) retries: Cell<Option<u32>>,
    /// What the variables count for in the process, where that is limited.
    pub(crate) charge: OnceCell<Charge>,
    /// The rule or the moment that a log line is written for just now.
    pub(crate) log_origin: Cell<Option<&'static str>>,
    /// Where a server connection came from that this session has no more.
    pub(crate) server_source: Cell<Option<SocketAddr>>,
    /// What is known of the client's TLS before its handshake is over.
    pub(crate) client_tls: RefCell<TlsFacts>,
    /// Whom the client is asked for certificates of, where rules ask which it was.
    pub(crate) client_trust: RefCell<Option<Arc<Trust>>>,
    /// How many waited in the queues when this one joined (`%sq`, `%bq`).
    pub(crate) server_queue: Cell<i64>,
    pub(crate) backend_queue: Cell<i64>,
    pub(crate) ticket: Cell<Option<Ticket>>,
    pub(crate) unique_id: OnceCell<Vec<u8>>,
    pub(crate) captures: RefCell<Vec<Option<Vec<u8>>>>,
    /// The same of responses (HTTP mode).
    pub(crate) response_captures: RefCell<Vec<Option<Vec<u8>>>>,
    /// Variables of the scopes sess, txn, req, res.
    pub(crate) variables: RefCell<[Variables; 4]>,
    /// The server that failed last, to be avoided.
    pub(crate) failed: Cell<Option<usize>>,
    /// Keys of which stick tables are to remember the server.
    pub(crate) to_store: RefCell<Vec<ToStore>>,
    /// Bytes of the PROXY header that was received.
    pub(crate) header_bytes: Cell<usize>,
    /// The question whose answer a rule waits for (`do-resolve`).
    pub(crate) asking: RefCell<Option<Asking>>,
    /// Connections to servers that wait for this session's next request alone (HTTP mode).
    pub(crate) own_links: RefCell<Vec<Key>>,
    /// A server wants its client to come back to it (HTTP mode).
    pub(crate) prefers_last: Cell<bool>,
    /// The backend that was chosen before the connection became HTTP, for its first request.
    pub(crate) chosen_backend: Cell<Option<usize>>,
    /// It became HTTP/1, and does not go on as HTTP/2.
    pub(crate) h1_only: Cell<bool>,
}

impl Notes {
    /// Where the variables of a scope stand.
    pub(crate) fn scope(scope: Scope) -> Option<usize> {
        match scope {
            Scope::Sess => Some(0),
            Scope::Txn => Some(1),
            Scope::Req => Some(2),
            Scope::Res => Some(3),
            Scope::Proc | Scope::Check => None,
        }
    }

    /// Keeps a value in a capture slot.
    pub(crate) fn capture(&self, side: Side, slot: usize, value: &[u8]) {
        let mut captures = match side {
            Side::Request => self.captures.borrow_mut(),
            Side::Response => self.response_captures.borrow_mut(),
        };
        if captures.len() <= slot {
            captures.resize(slot + 1, None);
        }
        if let Some(place) = captures.get_mut(slot) {
            *place = Some(value.to_vec());
        }
    }
}

impl Session {
    /// A session that begins now: its key and number, its client's end.
    pub(crate) fn new(
        (key, id): (Key, u64),
        client: Transport,
        peer: Peer,
        listener: &Rc<LocalListener>,
        now: u64,
    ) -> Self {
        Self {
            key,
            id,
            phase: listener.frontend.shared.first_phase(),
            client,
            server: None,
            peer,
            source_namespace: listener.shared.namespace.clone(),
            listener: listener.clone(),
            frontend: listener.frontend.clone(),
            backend: None,
            chosen: None,
            holds_slot: false,
            // Clients speak first as a rule: what they sent is looked for before it is announced.
            up: Flow {
                readable: true,
                ..Flow::default()
            },
            down: Flow {
                writable: true,
                // Inherited from the listening socket.
                nodelay: true,
                ..Flow::default()
            },
            moments: Moments {
                accepted: now,
                handshaken: now,
                ..Moments::default()
            },
            client_active: now,
            server_active: now,
            phase_began: now,
            armed: u64::MAX,
            retries: 0,
            redispatched: false,
            ending: None,
            client_watch: None,
            server_watch: None,
            client_failed: false,
            server_failed: false,
            redispatching: false,
            led: false,
            pauses: false,
            timed_out: false,
            dying: false,
            counted: false,
            switched: false,
            next_rule: 0,
            walked: Walked::default(),
            waits_at: WaitsAt::default(),
            log_level: None,
            notes: OnceCell::new(),
            tls: None,
            past_server_tls: None,
            http: None,
            link: None,
            exchanges: 0,
            tracking: None,
            mux: None,
        }
    }

    /// The session of a stream over this one's connection.
    pub(crate) fn for_stream(&self, names: (Key, u64), client: Transport, now: u64) -> Self {
        let mut stream = Self::new(names, client, self.peer, &self.listener, now);
        stream.tracking = self.shared_tracking();
        stream.tls.clone_from(&self.tls);
        if let Some(notes) = self.notes.get() {
            let own = stream.notes();
            own.proxy_source.set(notes.proxy_source.get());
            own.proxy_destination.set(notes.proxy_destination.get());
            own.received_proxy.set(notes.received_proxy.get());
            if let Some(tlvs) = notes.tlvs.get() {
                let _ = own.tlvs.set(tlvs.clone());
            }
            let variables = notes.variables.borrow();
            if let (Some(from), Some(to)) =
                (variables.first(), own.variables.borrow_mut().first_mut())
            {
                to.clone_from(from);
            }
        }
        Self {
            source_namespace: self.source_namespace.clone(),
            log_level: self.log_level,
            // `http-reuse safe` asks whether the connection has been served before.
            exchanges: self.exchanges.saturating_sub(1),
            counted: true,
            switched: self.switched,
            phase: Phase::Request,
            ..stream
        }
    }

    /// Keeps a value in a capture slot of the frontend, cut to its length. False: there is none.
    pub(crate) fn keep(&self, side: Side, slot: usize, value: &[u8]) -> bool {
        let plan = &self.frontend.shared.plan;
        let length = match side {
            Side::Request => plan.captures.get(slot),
            Side::Response => plan.http.as_ref().and_then(|h| h.response_slots.get(slot)),
        };
        let Some(&length) = length else {
            return false;
        };
        let value = value.get(..length).unwrap_or(value);
        self.notes().capture(side, slot, value);
        true
    }

    /// What few sessions need, made when first needed.
    pub(crate) fn notes(&self) -> &Notes {
        self.notes.get_or_init(Box::default)
    }

    /// The client's address, as a PROXY header or a rule may have set it.
    pub(crate) fn source(&self) -> Option<SocketAddr> {
        let noted = self
            .notes
            .get()
            .and_then(|notes| notes.source.get().or(notes.proxy_source.get()));
        noted.or_else(|| self.peer.inet())
    }

    /// The address that the client connected to, as a PROXY header or a rule may have set it.
    pub(crate) fn destination(&self) -> Option<SocketAddr> {
        let noted = self
            .notes
            .get()
            .and_then(|notes| notes.destination.get().or(notes.proxy_destination.get()));
        noted.or_else(|| isthmus_sockets::local_name(&self.client).inet())
    }

    /// The namespace in which the chosen server is connected; `None` is the default one.
    pub(crate) fn server_namespace(&self) -> Option<Arc<Namespace>> {
        let server = &self.chosen.as_ref()?.shared;
        match server.plan.namespace {
            isthmus_plan::ServerNamespace::Default => None,
            isthmus_plan::ServerNamespace::Fixed { .. } => server.namespace.clone(),
            isthmus_plan::ServerNamespace::Client => self.source_namespace.clone(),
        }
    }

    /// Notes the first reason for the end; later ones are its consequences.
    pub(crate) fn end(&mut self, cause: u8, phase: u8) {
        self.ending.get_or_insert(Ending { cause, phase });
    }
}
