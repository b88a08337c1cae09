//! One replica on one socket: the routes of its app, what every response carries, and the end.

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
use crate::model::App;

/// By this header every response names its server, whatever else it says.
const SERVED_BY: HeaderName = HeaderName::from_static("x-served-by");

/// A login form is tiny; what is larger is no login.
const LARGEST_BODY: usize = 16 * 1024;

/// What a replica leaves behind when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Served {
    /// Sessions alive at the end, which are lost with their server. The API has none.
    pub sessions: usize,
    /// How many of them were logged in.
    pub logged_in: usize,
}

/// Serves `app` as `hostname` until `stop` completes; then takes no new connection, lets requests in flight finish,
/// closes idle connections, and returns.
///
/// # Errors
///
/// When `hostname` cannot stand in a header, or the listener fails.
pub async fn serve(
    app: App,
    hostname: String,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<Served> {
    match app {
        App::Page => {
            let site = Arc::new(Site::new(hostname.clone())?);
            run(page::routes(Arc::clone(&site)), &hostname, listener, stop).await?;
            Ok(site.census())
        }
        App::Api => {
            run(api::routes(Arc::new(Api::new(hostname.clone()))), &hostname, listener, stop).await?;
            Ok(Served::default())
        }
    }
}

async fn run(
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
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        // outermost, so that it also sees what the routes themselves refuse
        .layer(middleware::from_fn_with_state(served_by, finish));
    // small answers on connections that are kept: waiting to fill a segment only delays them
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, app).with_graceful_shutdown(stop).await
}

/// Gives every response, refusals included, its form and the headers that all of them have.
async fn finish(State(served_by): State<HeaderValue>, request: Request, next: Next) -> Response {
    let audience = Audience::of(request.uri(), request.headers());
    let mut response = answer::spell_out(next.run(request).await, audience);
    response.headers_mut().insert(SERVED_BY, served_by);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
