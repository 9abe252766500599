use meta_wire::Success;
use meta_wire::phone::{Register, RequestCode, VerifyCode};
use serde_json::json;

use super::{Graph, Result};

impl Graph {
    /// Has Meta call or write to a number, to show that it is ours.
    pub async fn request_code(&self, phone: &str, request: &RequestCode) -> Result<Success> {
        self.call(self.post(&[phone, "request_code"]).json(request)).await
    }

    /// Tells Meta what it said.
    pub async fn verify_code(&self, phone: &str, code: &VerifyCode) -> Result<Success> {
        self.call(self.post(&[phone, "verify_code"]).json(code)).await
    }

    /// Connects a number. With [`Graph::deregister`] at most ten times in 72 hours.
    pub async fn register(&self, phone: &str, register: &Register) -> Result<Success> {
        self.call(self.post(&[phone, "register"]).json(register)).await
    }

    pub async fn deregister(&self, phone: &str) -> Result<Success> {
        self.call(self.post(&[phone, "deregister"]).json(&json!({}))).await
    }
}
