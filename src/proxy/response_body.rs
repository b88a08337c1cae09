//! The body of a response on its way to the client, counted on its way.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use hyper::{
    body::{Body, Frame, Incoming, SizeHint},
    client::conn::http1::SendRequest,
};

use super::{record::Record, request_body::RequestBody, upstream::InFlightRequest};

/// The body of a response on its way to the client. When it is dropped, sent or not, its request is over: the
/// connection to the replica becomes idle and waits for another request, the replica has one request less in flight,
/// and the event goes out.
pub struct ResponseBody {
    content: Content,
    record: Record,
}

enum Content {
    /// The proxy's own answer.
    Own(Bytes),
    /// The answer of a replica.
    Forwarded { body: Incoming, connection: Option<SendRequest<RequestBody>>, in_flight: InFlightRequest },
}

impl ResponseBody {
    /// A body with the proxy's own answer.
    pub fn own(content: &'static str, record: Record) -> Self {
        ResponseBody { content: Content::Own(Bytes::from_static(content.as_bytes())), record }
    }

    /// A body without content and without a record, for a request that another task continues.
    pub fn empty() -> Self {
        ResponseBody { content: Content::Own(Bytes::new()), record: Record::none() }
    }

    /// A body with the answer of a replica. Its connection serves again once the answer is read.
    pub fn forwarded(
        body: Incoming,
        connection: SendRequest<RequestBody>,
        in_flight: InFlightRequest,
        record: Record,
    ) -> Self {
        ResponseBody { content: Content::Forwarded { body, connection: Some(connection), in_flight }, record }
    }

    /// Returns the connection to the replica's pool. To be called at the end of the body, when the connection may serve again.
    fn return_connection(&mut self) {
        if let Content::Forwarded { connection, in_flight, .. } = &mut self.content
            && let Some(connection) = connection.take()
        {
            in_flight.upstream().store_idle(self.record.worker(), connection);
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let frame = match &mut this.content {
            Content::Own(bytes) if !bytes.has_remaining() => None,
            Content::Own(bytes) => Some(Ok(Frame::data(std::mem::take(bytes)))),
            Content::Forwarded { body, .. } => match Pin::new(body).poll_frame(cx) {
                Poll::Ready(frame) => frame,
                Poll::Pending => return Poll::Pending,
            },
        };
        match &frame {
            Some(Ok(frame)) if frame.is_data() => this.record.count(frame.data_ref().map_or(0, Bytes::len)),
            Some(Err(_)) => {}
            // nothing comes after trailers
            Some(Ok(_)) | None => this.return_connection(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Own(bytes) => bytes.is_empty(),
            Content::Forwarded { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Own(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Forwarded { body, .. } => body.size_hint(),
        }
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        // a body whose length is known is not polled to its very end
        if self.is_end_stream() {
            self.return_connection();
        }
    }
}
