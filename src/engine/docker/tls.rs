//! The Docker Engine's API over TLS, as contexts describe it.
//!
//! The client's own TLS knows no engine whose certificate is not looked at, and none without a certificate authority of
//! its own; a context may name both.

use std::{fs, path::Path, sync::Arc};

use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker as Api};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{
    connect::ANSWER,
    endpoint::{Endpoint, Tls, Verify, host_of},
    error::{DockerError, one_line},
    wire,
};

/// A client of the engine at `address`.
pub(super) fn open(endpoint: &Endpoint, address: &str, tls: &Tls) -> Result<Api, DockerError> {
    let refused = |cause: String| DockerError::Tls { endpoint: endpoint.name.clone(), cause: one_line(&cause) };
    let connector = TlsConnector::from(Arc::new(config(tls).map_err(refused)?));
    let host = host_of(address).to_owned();
    let server = ServerName::try_from(host).map_err(|error| refused(error.to_string()))?;
    let place: Arc<str> = address.into();
    let transport = move |request: BollardRequest| {
        let (connector, server, place) = (connector.clone(), server.clone(), place.clone());
        async move {
            let stream = connector.connect(server, TcpStream::connect(&*place).await?).await?;
            wire::send(request, &place, stream, ()).await
        }
    };
    Api::connect_with_custom_transport(transport, Some(format!("https://{address}")), ANSWER, API_DEFAULT_VERSION)
        .map_err(|error| DockerError::of(&endpoint.name, &error))
}

fn config(tls: &Tls) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone());
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    let builder = match tls.verify {
        Verify::Strictly => builder.with_root_certificates(roots(tls.ca.as_deref())?),
        Verify::Skipped => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider.clone())))
        }
    };
    match &tls.identity {
        Some((certificate, key)) => {
            let chain = certificates(certificate)?;
            let key = PrivateKeyDer::from_pem_file(key).map_err(|error| format!("{}: {error}", key.display()))?;
            builder.with_client_auth_cert(chain, key).map_err(|error| error.to_string())
        }
        None => Ok(builder.with_no_client_auth()),
    }
}

/// Those that this machine trusts, and the context's own.
fn roots(ca: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    // what of the machine's cannot be read is not trusted, which shows where it matters
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(ca) = ca {
        for certificate in certificates(ca)? {
            roots.add(certificate).map_err(|error| format!("{}: {error}", ca.display()))?;
        }
    }
    Ok(roots)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match parsed {
        Ok(certificates) if certificates.is_empty() => Err(format!("{} holds no certificate", file.display())),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(format!("{}: {error}", file.display())),
    }
}

/// Takes any certificate; that the engine holds its key is still asked for.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
