//! One replica on one socket: the routes of its app, the headers of every response, and its end.

use std::{future::Future, io, sync::Arc};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::{self, Next},
    response::Response,
    serve::ListenerExt,
};
use tokio::net::TcpListener;

use super::{
    answer::{self, Audience},
    api::{self, Api},
    page::{self, Site},
};
use crate::model::{App, Sessions};

/// The header by which every response, errors included, names its server.
const SERVED_BY: HeaderName = HeaderName::from_static("x-served-by");

/// The largest body that is read. A login form is tiny: a larger body is no login.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// Serves `app` as `hostname` until `stop` completes; then takes no new connection, lets requests in flight finish,
/// closes idle connections, and returns the sessions that are lost with this server. The API has no sessions.
///
/// # Errors
///
/// Fails when `hostname` cannot stand in a header, or the listener fails.
pub async fn serve(
    app: App,
    hostname: String,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<Sessions> {
    match app {
        App::Page => {
            let site = Arc::new(Site::new(hostname.clone())?);
            serve_routes(page::routes(Arc::clone(&site)), &hostname, listener, stop).await?;
            Ok(site.census())
        }
        App::Api => {
            serve_routes(api::routes(Arc::new(Api::new(hostname.clone()))), &hostname, listener, stop).await?;
            Ok(Sessions::default())
        }
    }
}

async fn serve_routes(
    routes: Router,
    hostname: &str,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let served_by = HeaderValue::from_str(hostname)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, format!("hostname {hostname:?} fits no header")))?;
    let app = routes
        .fallback(answer::not_found)
        .method_not_allowed_fallback(answer::method_not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        // outermost, so that it also sees the error responses of the routes
        .layer(middleware::from_fn_with_state(served_by, finish));
    // answers are small and connections are kept: waiting to fill a TCP segment only delays an answer
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, app).with_graceful_shutdown(stop).await
}

/// Gives every response, errors included, its final form and the headers that all responses have.
async fn finish(State(served_by): State<HeaderValue>, request: Request, next: Next) -> Response {
    let audience = Audience::of_request(request.uri(), request.headers());
    let mut response = answer::spell_out(next.run(request).await, audience);
    response.headers_mut().insert(SERVED_BY, served_by);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
