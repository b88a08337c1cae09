//! The Docker Engine's API over TLS, as contexts describe it.
//!
//! The TLS of bollard, the client library, cannot skip the check of the engine's certificate, and requires the file of a
//! certificate authority. A context may ask for the one and leave out the other.

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

use crate::engine::text::one_line;

use super::{
    endpoint::{CertificateCheck, Endpoint, Tls, host_of},
    error::DockerError,
    http::{RESPONSE_TIMEOUT_SECONDS, send_request},
};

/// Opens a client of the engine at `address`.
pub(super) fn open(endpoint: &Endpoint, address: &str, tls: &Tls) -> Result<Api, DockerError> {
    let refused = |cause: String| DockerError::Tls { endpoint: endpoint.name.clone(), cause: one_line(&cause) };
    let connector = TlsConnector::from(Arc::new(config(tls).map_err(refused)?));
    let host = host_of(address).to_owned();
    let server = ServerName::try_from(host).map_err(|error| refused(error.to_string()))?;
    let authority: Arc<str> = address.into();
    let transport = move |request: BollardRequest| {
        let (connector, server, authority) = (connector.clone(), server.clone(), authority.clone());
        async move {
            let stream = connector.connect(server, TcpStream::connect(&*authority).await?).await?;
            send_request(request, &authority, stream, ()).await
        }
    };
    Api::connect_with_custom_transport(
        transport,
        Some(format!("https://{address}")),
        RESPONSE_TIMEOUT_SECONDS,
        API_DEFAULT_VERSION,
    )
    .map_err(|error| DockerError::from_api(&endpoint.name, &error))
}

fn config(tls: &Tls) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone());
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    let builder = match tls.verify {
        CertificateCheck::Full => builder.with_root_certificates(roots(tls.ca.as_deref())?),
        CertificateCheck::Skip => {
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

/// The certificate authorities that this machine trusts, and the context's own.
fn roots(ca: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    // a certificate of this machine that cannot be read is not trusted; that shows where it matters
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

/// Accepts any certificate. The engine must still prove that it holds the key.
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
