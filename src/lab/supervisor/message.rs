//! Messages of the control API: the queries, and the body of an error response.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use crate::lab::ChangeError;

/// The answer to a request that the lab does not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlError {
    pub kind: ControlErrorKind,
    /// The reason, in one line.
    pub error: String,
    /// The advice to the user, where there is one.
    pub hint: Option<String>,
    /// The log or the output that explains the error in several lines.
    #[serde(default)]
    pub detail: Option<String>,
}

/// The side that a control error blames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ControlErrorKind {
    /// The request asks for something that cannot be.
    Usage,
    /// The machine, or a program on it, does not allow the request.
    Environment,
}

/// The query of `/v1/log`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LogQuery {
    /// The service whose requests are wanted; events of the lab itself are always among the entries.
    pub service: Option<String>,
    /// True if the answer goes on with new entries as they come.
    #[serde(default)]
    pub follow: bool,
    /// The time before which requests are left out.
    pub since: Option<jiff::Timestamp>,
}

/// The query of `/v1/route`: the request whose service is wanted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RouteQuery {
    /// The request's `Host` header.
    pub host: String,
    pub path: String,
}

impl From<&ChangeError> for ControlErrorKind {
    fn from(error: &ChangeError) -> Self {
        match error {
            ChangeError::Plan(_) => ControlErrorKind::Usage,
            ChangeError::Start(_)
            | ChangeError::NotReady(_)
            | ChangeError::Proxy(_)
            | ChangeError::Docker(_)
            | ChangeError::Compose(_)
            | ChangeError::ComposeFile(_)
            | ChangeError::LabFile(_)
            | ChangeError::Listen(_)
            | ChangeError::Lock(_)
            | ChangeError::Foreign(_)
            | ChangeError::Remote { .. }
            | ChangeError::Removed(_)
            | ChangeError::Stopping => ControlErrorKind::Environment,
        }
    }
}

impl From<ChangeError> for ControlError {
    fn from(error: ChangeError) -> Self {
        ControlError { kind: (&error).into(), error: error.to_string(), hint: error.hint(), detail: error.detail() }
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let status = match self.kind {
            ControlErrorKind::Usage => StatusCode::BAD_REQUEST,
            ControlErrorKind::Environment => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(self)).into_response()
    }
}
