//! What rules say of the packets of a connection, and of how often it is tried: `set-fc-mark`,
//! `set-bc-mark`, `set-fc-tos`, `set-bc-tos`, `set-retries`.

use isthmus_sample::{Compiled, Kind, Sample};

use crate::session::Session;
use crate::turn::Turn;
use crate::view::View;

/// Retries at most (manual, `set-retries`).
const MOST_RETRIES: i64 = 100;

/// Whose packets are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Towards {
    Client,
    Server,
}

impl Towards {
    pub(crate) fn of(server: bool) -> Self {
        if server { Self::Server } else { Self::Client }
    }
}

/// What the packets of a server connection bear, where rules said so. It is set before the
/// connection is made and stays, so that no request with other words may go over it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Marking {
    /// The netfilter mark.
    pub(crate) mark: Option<u32>,
    /// The DS field, the whole byte.
    pub(crate) tos: Option<u8>,
}

impl Session {
    /// What the server connection of this request is to bear.
    pub(crate) fn marking(&self) -> Marking {
        self.notes
            .get()
            .map_or_else(Marking::default, |notes| notes.marking.get())
    }

    /// A value that is no number, or none at all, changes nothing; of a number the lower 32 bits
    /// count.
    pub(crate) fn set_mark(&self, towards: Towards, value: &Compiled, turn: &Turn) {
        let Some(number) = integer(value, &View::new(self, turn)) else {
            return;
        };
        let mark = u32::try_from(number & i64::from(u32::MAX)).unwrap_or_default();
        match towards {
            // Without the capability the connection goes unmarked, as with HAProxy.
            Towards::Client => {
                let _ = isthmus_sockets::set_mark(&self.client, mark);
            }
            Towards::Server => {
                let marking = &self.notes().marking;
                marking.set(Marking {
                    mark: Some(mark),
                    ..marking.get()
                });
            }
        }
    }

    /// As `set_mark`; of a number the lower 8 bits count.
    pub(crate) fn set_tos(&self, towards: Towards, value: &Compiled, turn: &Turn) {
        let Some(number) = integer(value, &View::new(self, turn)) else {
            return;
        };
        let tos = u8::try_from(number & i64::from(u8::MAX)).unwrap_or_default();
        match towards {
            Towards::Client => isthmus_sockets::set_tos(&self.client, tos),
            Towards::Server => {
                let marking = &self.notes().marking;
                marking.set(Marking {
                    tos: Some(tos),
                    ..marking.get()
                });
            }
        }
    }

    /// A value beyond 0..=100, or none at all, leaves the backend's `retries`.
    pub(crate) fn set_retries(&self, value: &Compiled, turn: &Turn) {
        let number = integer(value, &View::new(self, turn));
        let fits = number.filter(|number| (0..=MOST_RETRIES).contains(number));
        if let Some(retries) = fits.and_then(|number| u32::try_from(number).ok()) {
            self.notes().retries.set(Some(retries));
        }
    }

    /// How often this stream may be tried again: what a rule said, or else `retries` of its backend.
    pub(crate) fn most_retries(&self) -> u32 {
        let said = self.notes.get().and_then(|notes| notes.retries.get());
        let backend = self.backend.as_ref();
        said.unwrap_or_else(|| backend.map_or(0, |backend| backend.shared.plan.retries))
    }
}

fn integer(value: &Compiled, view: &View<'_>) -> Option<i64> {
    match value.value_as(view, Kind::Int) {
        Some(Sample::Int(number)) => Some(number),
        _ => None,
    }
}
