//! A request for a service, as Python holds it.

use std::time::Duration;

use isthmus_engine::{CallBody, Gone, Refused};
use pyo3::exceptions::{PyBrokenPipeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

/// A request that waits for a service's answer.
#[pyclass(frozen)]
pub struct Call(pub isthmus_engine::Call);

fn gone(_: Gone) -> PyErr {
    PyBrokenPipeError::new_err("nobody waits for the answer any more")
}

fn refused(refused: Refused) -> PyErr {
    match refused {
        Refused::Gone => gone(Gone),
        Refused::Bad(why) => PyValueError::new_err(why),
    }
}

#[pymethods]
impl Call {
    #[getter]
    fn number(&self) -> u64 {
        self.0.number()
    }

    fn request<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        crate::json(py, self.0.request())
    }

    fn begin(&self) -> bool {
        self.0.begin()
    }

    fn watch(&self) {
        self.0.watch();
    }

    fn seen(&self) {
        self.0.seen();
    }

    fn gone(&self) -> bool {
        self.0.is_gone()
    }

    fn read<'py>(
        &self,
        py: Python<'py>,
        most: usize,
        timeout_ms: u64,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let patience = Duration::from_millis(timeout_ms);
        match py.detach(|| self.0.read(most, patience)).map_err(gone)? {
            CallBody::Bytes(bytes) => Ok(Some(PyBytes::new(py, &bytes))),
            CallBody::Later => Ok(None),
            CallBody::End => Ok(Some(PyBytes::new(py, b""))),
        }
    }

    fn start(&self, py: Python<'_>, head: &[u8]) -> PyResult<()> {
        let head =
            serde_json::from_slice(head).map_err(|e| PyValueError::new_err(e.to_string()))?;
        py.detach(|| self.0.start(&head)).map_err(refused)
    }

    fn write(
        &self,
        py: Python<'_>,
        data: PyBackedBytes,
        offset: usize,
        timeout_ms: u64,
    ) -> PyResult<usize> {
        let patience = Duration::from_millis(timeout_ms);
        let bytes: &[u8] = &data;
        let rest = bytes.get(offset..).unwrap_or_default();
        py.detach(|| self.0.write(rest, patience)).map_err(refused)
    }

    fn finish(&self, py: Python<'_>) {
        py.detach(|| self.0.finish());
    }

    fn fail(&self, py: Python<'_>) {
        py.detach(|| self.0.fail());
    }
}
