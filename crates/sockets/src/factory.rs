//! A socket factory: a thread that entered a namespace once and stays there, and makes sockets
//! for everybody. It keeps a stock ahead of need, so that a connection into the namespace costs
//! its worker no setns(2). The stock grows with demand and is given back when demand ends.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::Result;
use crate::connect::tcp_socket;
use crate::namespace::{Identity, NamespaceFile};

/// Sockets made ahead at first, and at most, for each address family.
const STOCK: (usize, usize) = (4, 128);
/// After this long without demand the stock is closed: 1,000 idle namespaces hold no descriptors.
const IDLE: Duration = Duration::from_secs(2);

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Stock {
    ready: Vec<OwnedFd>,
    /// How many to keep ready; 0 until somebody asks.
    target: usize,
}

#[derive(Default)]
struct Bench {
    jobs: VecDeque<Job>,
    stocks: [Stock; 2],
    created: u64,
    woken: bool,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    bench: Mutex<Bench>,
    wake: Condvar,
}

/// The handle of a factory. Dropping it ends the thread.
pub struct Factory {
    shared: Arc<Shared>,
    identity: Identity,
}

impl Factory {
    /// Starts a thread inside the namespace.
    ///
    /// # Errors
    /// The thread can't be started, or may not enter the namespace.
    pub fn start(name: &str, namespace: NamespaceFile) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = shared.clone();
        let identity = namespace.identity();
        let (entered, wait) = mpsc::channel();
        std::thread::Builder::new()
            .name(format!("netns {name}"))
            // A thousand namespaces are a thousand of these; it calls nothing deep.
            .stack_size(64 * 1024)
            .spawn(move || {
                let outcome = namespace.enter();
                drop(namespace);
                let failed = outcome.is_err();
                if entered.send(outcome).is_ok() && !failed {
                    run(&theirs);
                }
            })?;
        wait.recv()
            .map_err(|_| std::io::Error::other("the factory's thread ended"))??;
        Ok(Self { shared, identity })
    }

    /// Which namespace it stands in.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// A non-blocking TCP socket of the target's family, from stock where there is some.
    ///
    /// # Errors
    /// Out of descriptors.
    pub fn tcp_socket(&self, target: &SocketAddr) -> Result<OwnedFd> {
        let ipv6 = target.is_ipv6();
        let mut bench = self.shared.bench.lock();
        let [stock4, stock6] = &mut bench.stocks;
        let stock = if ipv6 { stock6 } else { stock4 };
        let taken = stock.ready.pop();
        if taken.is_none() {
            stock.target = (stock.target * 2).clamp(STOCK.0, STOCK.1);
        }
        let low = stock.ready.len() * 2 < stock.target;
        if low && !bench.woken {
            bench.woken = true;
            self.shared.wake.notify_one();
        }
        drop(bench);
        match taken {
            Some(socket) => Ok(socket),
            None => self.run(move || tcp_socket(ipv6))?,
        }
    }

    /// Runs something inside the namespace and waits for what it gives.
    ///
    /// # Errors
    /// The factory's thread has ended.
    pub fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let (give, wait) = mpsc::sync_channel(1);
        let mut bench = self.shared.bench.lock();
        bench.jobs.push_back(Box::new(move || {
            let _ = give.send(job());
        }));
        bench.woken = true;
        drop(bench);
        self.shared.wake.notify_one();
        wait.recv()
            .map_err(|_| std::io::Error::other("the namespace's thread has ended"))
    }

    /// Sockets made so far, and sockets kept ready.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        let bench = self.shared.bench.lock();
        (
            bench.created,
            bench.stocks.iter().map(|s| s.ready.len() as u64).sum(),
        )
    }
}

impl Drop for Factory {
    fn drop(&mut self) {
        self.shared.bench.lock().closed = true;
        self.shared.wake.notify_one();
    }
}

/// The thread's life: jobs first, then the stock, then sleep.
fn run(shared: &Shared) {
    let mut bench = shared.bench.lock();
    while !bench.closed {
        if let Some(job) = bench.jobs.pop_front() {
            parking_lot::MutexGuard::unlocked(&mut bench, job);
            continue;
        }
        bench.woken = false;
        restock(&mut bench);
        if bench.woken || !bench.jobs.is_empty() || bench.closed {
            continue;
        }
        if bench.stocks.iter().all(|s| s.target == 0) {
            shared.wake.wait(&mut bench);
        } else if shared.wake.wait_for(&mut bench, IDLE).timed_out() && !bench.woken {
            bench.stocks = Default::default();
        }
    }
}

/// Fills each stock up to its target: a batch at a time, made without the lock, so that workers
/// that take sockets meanwhile neither wait nor are woken for each one.
fn restock(bench: &mut parking_lot::MutexGuard<'_, Bench>) {
    for (index, ipv6) in [(0, false), (1, true)] {
        let missing = bench
            .stocks
            .get(index)
            .map_or(0, |s| s.target.saturating_sub(s.ready.len()));
        if missing == 0 || !bench.jobs.is_empty() {
            continue;
        }
        // Out of descriptors: whoever needs one will be told by the direct way.
        let make = || {
            (0..missing)
                .map_while(|_| tcp_socket(ipv6).ok())
                .collect::<Vec<_>>()
        };
        let batch = parking_lot::MutexGuard::unlocked(bench, make);
        bench.created += batch.len() as u64;
        if let Some(stock) = bench.stocks.get_mut(index) {
            stock.ready.extend(batch);
        }
    }
}
