//! TLS to a memcached (`memcache_tls_*`).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;

/// How a memcached is known, and we to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// The authorities to trust, in PEM (`memcache_tls_cafile`); those of the system where there is none.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate, in PEM (`memcache_tls_certfile`).
    pub cert_file: Option<PathBuf>,
    /// Its key, in PEM (`memcache_tls_keyfile`); may be in the same file.
    pub key_file: Option<PathBuf>,
}

impl Tls {
    /// What rustls needs to know.
    ///
    /// # Errors
    /// A sentence for the operator: a certificate or key cannot be read, or is of no use.
    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let useless = |error: rustls::Error| format!("There can be no TLS to memcached: {error}.");
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(useless)?;
        let builder = match &self.ca_file {
            None => builder.with_platform_verifier().map_err(useless)?,
            Some(file) => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(certificates(file)?);
                if roots.is_empty() {
                    return Err(format!("There is no usable certificate in {}.", file.display()));
                }
                builder.with_root_certificates(roots)
            }
        };
        let config = match &self.cert_file {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let key_file = self.key_file.as_ref().unwrap_or(file);
                let key = PrivateKeyDer::from_pem_file(key_file).map_err(|error| {
                    format!("There is no private key in {}: {error}.", key_file.display())
                })?;
                builder.with_client_auth_cert(certificates(file)?, key).map_err(useless)?
            }
        };
        Ok(Arc::new(config))
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    match found {
        Ok(found) if found.is_empty() => Err(format!("There is no certificate in {}.", file.display())),
        Ok(found) => Ok(found),
        Err(error) => Err(format!("Cannot read {}: {error}.", file.display())),
    }
}
