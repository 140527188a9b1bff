//! Variables of scope `proc`: they belong to the process and outlive plans.

use isthmus_sample::{Sample, Variables};
use parking_lot::Mutex;

/// The process's variables.
#[derive(Default)]
pub(crate) struct ProcVariables(Mutex<Variables>);

impl ProcVariables {
    pub(crate) fn get(&self, id: u32) -> Option<Sample<'static>> {
        self.0.lock().get(id).cloned()
    }

    pub(crate) fn set(&self, id: u32, value: Option<Sample<'static>>) {
        self.0.lock().set(id, value);
    }
}
