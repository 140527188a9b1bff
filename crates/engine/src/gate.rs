//! Opening and closing frontends that run: `enable`, `disable`, `shutdown frontend` and their listeners.
//! Runs on the callers' threads, as all of `Control`.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use isthmus_plan::command::FrontendState;

use crate::control::Control;
use crate::generation::{Frontend, Generation};
use crate::mailbox::Message;
use crate::opening;

impl Control {
    /// Opens or closes the listeners of a frontend; its sessions go on.
    ///
    /// # Errors
    /// It says which listener cannot be opened; all of them stay closed then.
    pub(crate) fn set_frontend_state(
        &self,
        generation: &Generation,
        name: &str,
        state: FrontendState,
    ) -> Result<(), String> {
        let frontend = crate::operating::frontend(generation, name)?;
        if frontend.state() == FrontendState::Shut {
            return Err(format!("Frontend '{name}' was shut down."));
        }
        if self.process.stopping.load(Relaxed) {
            return Err("the engine is stopping".to_owned());
        }
        frontend.gate.store(state as u8, Relaxed);
        if state == FrontendState::Open {
            let opened = self.open_again(generation, frontend);
            if opened.is_err() {
                frontend.gate.store(FrontendState::Paused as u8, Relaxed);
                close(frontend);
            }
            self.tell(|| Message::Listeners);
            return opened;
        }
        close(frontend);
        self.tell(|| Message::Listeners);
        Ok(())
    }

    /// Opens what is closed, but for listeners that wait for their namespace.
    fn open_again(&self, generation: &Generation, frontend: &Arc<Frontend>) -> Result<(), String> {
        let workers = self.mailboxes.len();
        for listener in &frontend.listeners {
            let namespace = listener.namespace.as_ref();
            let absent = namespace.is_some_and(|namespace| namespace.factory().is_none());
            if absent || listener.open.load().is_some() {
                continue;
            }
            let open = opening::open(generation, frontend, listener, &mut Vec::new(), workers);
            let open = open.map_err(|error| format!("[{}] : {error}", listener.plan.origin))?;
            listener.open.store(Some(open));
        }
        Ok(())
    }
}

fn close(frontend: &Frontend) {
    for listener in &frontend.listeners {
        listener.open.store(None);
    }
}
