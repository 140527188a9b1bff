//! stub
use std::sync::Arc;
/// x
pub struct Hello<'a> { /// x
 pub sni: Option<&'a str>, /// x
 pub signature_schemes: &'a [u16], /// x
 pub cipher_suites: &'a [u16] }
/// x
pub struct Chosen { /// x
 pub config: Arc<rustls::ServerConfig>, /// x
 pub entry: usize }
/// x
pub enum Refusal { /// x
 UnknownName }
/// x
pub struct Acceptor;
impl Acceptor { /// x
 pub fn choose(&self, _h: &Hello<'_>) -> Result<Chosen, Refusal> { Err(Refusal::UnknownName) } }
/// x
pub struct Connector;
impl Connector { /// x
 pub fn config(&self) -> Arc<rustls::ClientConfig> { unimplemented!() }
 /// x
 pub fn server_name(&self, _s: Option<&str>, _a: std::net::IpAddr) -> Result<rustls::pki_types::ServerName<'static>, ()> { Err(()) } }
