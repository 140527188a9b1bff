//! The seam to Python: converts, detaches the interpreter, maps errors; decides nothing.
//! Documents cross it as JSON; `src/isthmus/engine/_native.pyi` describes it to Python.

// Everything public here is Python's, whose documentation is the stub's.
#![forbid(unsafe_code)]

mod call;
mod question;

use std::collections::HashMap;
use std::os::fd::IntoRawFd;
use std::time::Duration;

use isthmus_engine::{CheckHandshake, CheckProgress};
use parking_lot::Mutex;
use pyo3::exceptions::{PyLookupError, PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyList};

use crate::call::Call;
use crate::question::Question;

fn json<'py, T: serde::Serialize>(py: Python<'py>, value: &T) -> PyResult<Bound<'py, PyBytes>> {
    let text = serde_json::to_vec(value).map_err(|e| PyValueError::new_err(e.to_string()))?;
    Ok(PyBytes::new(py, &text))
}

/// A running engine.
#[pyclass(frozen)]
struct Engine(isthmus_engine::Engine);

#[pymethods]
impl Engine {
    #[new]
    fn new(threads: usize) -> PyResult<Self> {
        Ok(Self(isthmus_engine::Engine::start(threads)?))
    }

    #[pyo3(signature = (plan, files = None))]
    fn apply<'py>(
        &self,
        py: Python<'py>,
        plan: &[u8],
        files: Option<HashMap<String, PyBackedBytes>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let files = files.unwrap_or_default();
        let report = py
            .detach(|| {
                let texts = files.iter().map(|(digest, text)| (digest.clone(), &**text));
                let plan = isthmus_plan::Plan::read(plan)?;
                Ok::<_, String>(self.0.apply(&plan, &texts.collect()))
            })
            .map_err(PyValueError::new_err)?;
        json(py, &report)
    }

    fn renew<'py>(&self, py: Python<'py>, plan: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let report = py
            .detach(|| Ok::<_, String>(self.0.renew(&isthmus_plan::Plan::read(plan)?)))
            .map_err(PyValueError::new_err)?;
        json(py, &report)
    }

    fn command(&self, py: Python<'_>, command: &[u8]) -> PyResult<()> {
        let command =
            serde_json::from_slice(command).map_err(|e| PyValueError::new_err(e.to_string()))?;
        py.detach(|| self.0.command(&command))
            .map_err(PyLookupError::new_err)
    }

    fn lists<'py>(&self, py: Python<'py>, request: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let request =
            serde_json::from_slice(request).map_err(|e| PyValueError::new_err(e.to_string()))?;
        let answer = py.detach(|| self.0.lists(&request));
        json(py, &answer)
    }

    fn tables<'py>(&self, py: Python<'py>, request: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let request =
            serde_json::from_slice(request).map_err(|e| PyValueError::new_err(e.to_string()))?;
        let answer = py.detach(|| self.0.tables(&request));
        json(py, &answer)
    }

    fn variable<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyBytes>> {
        let value = py.detach(|| self.0.variable(name));
        json(py, &value)
    }

    fn snapshot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let snapshot = py.detach(|| self.0.snapshot());
        json(py, &snapshot)
    }

    fn sessions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let sessions = py.detach(|| self.0.sessions());
        json(py, &sessions)
    }

    fn caches<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let caches = py.detach(|| self.0.caches());
        json(py, &caches)
    }

    fn events<'py>(&self, py: Python<'py>, timeout_ms: u64) -> PyResult<Bound<'py, PyBytes>> {
        let events = py.detach(|| self.0.events(Duration::from_millis(timeout_ms)));
        json(py, &events)
    }

    fn calls<'py>(&self, py: Python<'py>, timeout_ms: u64) -> PyResult<Option<Bound<'py, PyList>>> {
        let Some(notices) = py.detach(|| self.0.calls(Duration::from_millis(timeout_ms))) else {
            return Ok(None);
        };
        let list = PyList::empty(py);
        for notice in notices {
            match notice {
                isthmus_engine::Notice::Call(call) => list.append(Call(call).into_pyobject(py)?)?,
                isthmus_engine::Notice::Question(question) => {
                    list.append(Question(question).into_pyobject(py)?)?;
                }
                isthmus_engine::Notice::Changed(number) => list.append(number)?,
            }
        }
        Ok(Some(list))
    }

    fn socket(&self, py: Python<'_>, namespace: &str, family: i32, kind: i32) -> PyResult<i32> {
        py.detach(|| self.0.socket(namespace, family, kind))
            .map(IntoRawFd::into_raw_fd)
            .map_err(|error| match error.raw_os_error() {
                Some(number) => PyOSError::new_err((number, error.to_string())),
                None => PyOSError::new_err(error.to_string()),
            })
    }

    #[pyo3(signature = (backend, server, sni = None))]
    fn check_handshake(
        &self,
        py: Python<'_>,
        backend: &str,
        server: &str,
        sni: Option<&str>,
    ) -> PyResult<Handshake> {
        py.detach(|| self.0.check_handshake(backend, server, sni))
            .map(|made| Handshake(Mutex::new(made)))
            .map_err(PyLookupError::new_err)
    }

    fn stop(&self, py: Python<'_>, graceful: bool) {
        py.detach(|| self.0.stop(graceful));
    }
}

/// The TLS of a health check.
#[pyclass(frozen)]
struct Handshake(Mutex<CheckHandshake>);

#[pymethods]
impl Handshake {
    fn advance<'py>(
        &self,
        py: Python<'py>,
        received: &[u8],
    ) -> (Bound<'py, PyBytes>, &'static str) {
        let mut out = Vec::new();
        let progress = py.detach(|| self.0.lock().advance(received, &mut out));
        let word = match progress {
            CheckProgress::Waits => "waits",
            CheckProgress::Done => "done",
            CheckProgress::Failed => "failed",
            CheckProgress::Misnamed => "misnamed",
        };
        (PyBytes::new(py, &out), word)
    }

    fn close<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let mut out = Vec::new();
        py.detach(|| self.0.lock().close(&mut out));
        PyBytes::new(py, &out)
    }
}

/// The fetches, converters and log aliases that the engine evaluates.
#[pyfunction]
fn vocabulary(py: Python<'_>) -> PyResult<Bound<'_, PyBytes>> {
    json(py, &isthmus_engine::vocabulary())
}

/// What is wrong with the text of a pattern file for a use of it.
#[pyfunction]
fn check_list<'py>(py: Python<'py>, text: &[u8], check: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let check = serde_json::from_slice(check).map_err(|e| PyValueError::new_err(e.to_string()))?;
    let wrong = py.detach(|| isthmus_engine::check_list(text, &check));
    json(py, &wrong)
}

/// What is wrong with a regular expression.
#[pyfunction]
fn check_regex(pattern: &[u8]) -> Option<String> {
    isthmus_engine::check_regex(pattern).err()
}

/// What is wrong with the TLS of a plan, and what its certificates say.
#[pyfunction]
fn check_tls<'py>(py: Python<'py>, plan: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let found = py.detach(|| isthmus_plan::Plan::read(plan).map(|plan| isthmus_tls::check(&plan)));
    json(py, &found.map_err(PyValueError::new_err)?)
}

/// A plan that answers questions about connections that are only described.
#[pyclass(frozen)]
struct Explainer(isthmus_engine::Explainer);

#[pymethods]
impl Explainer {
    #[new]
    fn new(py: Python<'_>, plan: &[u8], files: HashMap<String, PyBackedBytes>) -> PyResult<Self> {
        py.detach(|| {
            let texts = files.iter().map(|(digest, text)| (digest.clone(), &**text));
            let plan = isthmus_plan::Plan::read(plan)?;
            let wrong = |errors: Vec<(String, String)>| {
                let told = errors
                    .iter()
                    .map(|(origin, text)| format!("{origin}: {text}"));
                told.collect::<Vec<_>>().join("\n")
            };
            isthmus_engine::Explainer::new(plan, &texts.collect()).map_err(wrong)
        })
        .map(Self)
        .map_err(PyValueError::new_err)
    }

    fn ask<'py>(&self, py: Python<'py>, question: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let question =
            serde_json::from_slice(question).map_err(|e| PyValueError::new_err(e.to_string()))?;
        let answer = py.detach(|| self.0.ask(&question));
        json(py, &answer.map_err(PyValueError::new_err)?)
    }
}

/// What the certificates of a PEM file say of themselves.
#[pyfunction]
fn describe_certificates<'py>(py: Python<'py>, pem: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    json(py, &isthmus_engine::describe_certificates(pem))
}

/// What the revocation lists of a PEM file say of themselves.
#[pyfunction]
fn describe_revocations<'py>(py: Python<'py>, pem: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    json(py, &isthmus_engine::describe_revocations(pem))
}

/// The native module `isthmus.engine._native`.
#[pymodule]
mod _native {
    #[pymodule_export]
    use super::{
        Call, Engine, Explainer, Handshake, Question, check_list, check_regex, check_tls,
        describe_certificates, describe_revocations, vocabulary,
    };
}
