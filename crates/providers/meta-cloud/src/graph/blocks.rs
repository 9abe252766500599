use http::Method;
use meta_wire::block::{Answer, Blocked, Request, User};

use super::{Error, Graph, Result, answer};

/// Some of the users were refused; the answer says which.
const PARTLY: i64 = 139_100;

impl Graph {
    /// Whom a number does not hear.
    pub async fn blocked(&self, phone: &str) -> Result<Vec<Blocked>> {
        self.list(&[phone, "block_users"], &[]).await
    }

    /// Only users who wrote within 24 hours can be blocked. Look for `failed_users` in the answer.
    pub async fn block(&self, phone: &str, users: Vec<User>) -> Result<Answer> {
        self.change_blocks(Method::POST, phone, users).await
    }

    pub async fn unblock(&self, phone: &str, users: Vec<User>) -> Result<Answer> {
        self.change_blocks(Method::DELETE, phone, users).await
    }

    async fn change_blocks(&self, method: Method, phone: &str, users: Vec<User>) -> Result<Answer> {
        let messaging_product = "whatsapp".to_owned();
        let body = Request { messaging_product, block_users: users, ..Request::default() };
        match self.call(self.request(method, &[phone, "block_users"]).json(&body)).await {
            Err(Error::Refused { status, error, body }) if error.code == PARTLY => match answer::parse::<Answer>(&body)
            {
                Ok(answer) if answer.block_users.is_some() => Ok(answer),
                _ => Err(Error::Refused { status, error, body }),
            },
            outcome => outcome,
        }
    }
}
