use meta_wire::Success;
use meta_wire::phone::{Created, Preverified};
use meta_wire::waba::Waba;
use serde_json::json;

use super::{Graph, Result};

const FIELDS: &str =
    "id,phone_number,code_verification_status,code_verification_time,verification_expiry_time,owner_business";

/// Numbers of a business that are verified before anybody takes them over. Codes are asked for and given as for other numbers.
impl Graph {
    /// Whose an account is.
    pub async fn owner(&self, waba: &str) -> Result<Waba> {
        self.call(self.get(&[waba]).query(&[("fields", "id,owner_business_info")])).await
    }

    pub async fn preverified_numbers(&self, business: &str) -> Result<Vec<Preverified>> {
        self.list(&[business, "preverified_numbers"], &[("fields", FIELDS)]).await
    }

    pub async fn preverified_number(&self, id: &str) -> Result<Preverified> {
        self.call(self.get(&[id]).query(&[("fields", FIELDS)])).await
    }

    /// `number`: E.164 with `+`.
    pub async fn add_preverified_number(&self, business: &str, number: &str) -> Result<Created> {
        self.call(self.post(&[business, "add_phone_numbers"]).json(&json!({ "phone_number": number }))).await
    }

    pub async fn delete_preverified_number(&self, id: &str) -> Result<Success> {
        self.call(self.delete(&[id])).await
    }
}
