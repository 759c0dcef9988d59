//! Keystone over TLS.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use front::outbound;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::json;

use super::fake::{Fake, member};
use super::house::{authenticate, refusal, with};

/// A certificate authority, and the directory of its files.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: tempfile::TempDir,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer, directory: tempfile::tempdir().unwrap() }
    }

    pub fn sign(&self) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    pub fn certificate(&self) -> PathBuf {
        self.file("ca.pem", &self.issuer.pem())
    }

    /// The configuration of a server with a certificate of this authority; with `mutual` it demands one of its clients.
    pub fn server(&self, mutual: bool) -> Arc<ServerConfig> {
        let (certificate, key) = self.sign();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if mutual {
            let mut roots = RootCertStore::empty();
            roots.add(self.issuer.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Arc::new(builder.with_single_cert(vec![certificate.der().clone()], key).unwrap())
    }

    /// A fake Keystone with that configuration.
    fn keystone(&self, mutual: bool) -> Fake {
        let fake = Fake::start_tls(self.server(mutual));
        fake.keystone.knows("good", member("ann", json!({})));
        fake
    }
}

/// Whether the service can validate a token with these TLS settings.
fn works(fake: &Fake, http: outbound::Settings) -> bool {
    let outcome = authenticate(&with(fake, |settings| settings.login.http = http), "good");
    if outcome.is_err() {
        assert_eq!(refusal(outcome), 503);
        return false;
    }
    true
}

#[test]
fn only_the_configured_authority_is_trusted() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let fake = authority.keystone(false);
    let trusting = |ca_file| outbound::Settings { ca_file, ..outbound::Settings::default() };
    assert!(works(&fake, trusting(Some(authority.certificate()))));
    assert!(!works(&fake, trusting(Some(stranger.certificate()))));
    assert!(!works(&fake, trusting(None)), "not among the system's authorities");
    assert!(works(&fake, outbound::Settings { insecure: true, ..trusting(None) }));
}

#[test]
fn a_client_certificate_is_sent_if_configured() {
    let authority = Authority::new();
    let fake = authority.keystone(true);
    let (certificate, key) = authority.sign();
    let trusting =
        outbound::Settings { ca_file: Some(authority.certificate()), ..outbound::Settings::default() };
    assert!(!works(&fake, trusting.clone()));
    let cert_file = Some(authority.file("cert.pem", &certificate.pem()));
    let key_file = Some(authority.file("key.pem", &key.serialize_pem()));
    assert!(works(&fake, outbound::Settings { cert_file, key_file, ..trusting.clone() }));
    let one_file = authority.file("both.pem", &(certificate.pem() + &key.serialize_pem()));
    assert!(works(&fake, outbound::Settings { cert_file: Some(one_file), ..trusting }));
}

#[test]
fn unusable_files_are_named() {
    let authority = Authority::new();
    let broken = |http: outbound::Settings| outbound::Client::new(&http).unwrap_err();
    let empty = authority.file("empty.pem", "");
    let missing = authority.directory.path().join("missing.pem");
    for file in [&empty, &missing] {
        let http = outbound::Settings { ca_file: Some(file.clone()), ..outbound::Settings::default() };
        assert!(broken(http).contains(file.to_str().unwrap()));
        let http = outbound::Settings {
            cert_file: Some(authority.certificate()),
            key_file: Some(file.clone()),
            ..outbound::Settings::default()
        };
        assert!(broken(http).contains(file.to_str().unwrap()));
    }
}
