//! A name whose address a rule asks for, as Python holds it.

use std::net::IpAddr;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// A question about a name.
#[pyclass(frozen)]
pub struct Question(pub isthmus_engine::Question);

#[pymethods]
impl Question {
    #[getter]
    fn number(&self) -> u64 {
        self.0.number()
    }

    fn request<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        crate::json(py, self.0.request())
    }

    fn gone(&self) -> bool {
        self.0.is_gone()
    }

    #[pyo3(signature = (address))]
    fn answer(&self, address: Option<&str>) -> PyResult<()> {
        let address = address.map(str::parse::<IpAddr>).transpose();
        self.0
            .answer(address.map_err(|e| PyValueError::new_err(e.to_string()))?);
        Ok(())
    }
}
