use meta_wire::Success;
use meta_wire::phone::{Create, Created, Phone, Update};

use super::{Graph, Result};

const FIELDS: &str = "id,display_phone_number,verified_name,status,quality_rating,code_verification_status,name_status,\
                      platform_type,account_mode,throughput,is_pin_enabled,whatsapp_business_manager_messaging_limit,\
                      messaging_limit_tier";

impl Graph {
    /// All numbers of an account.
    pub async fn phones(&self, waba: &str) -> Result<Vec<Phone>> {
        self.list(&[waba, "phone_numbers"], &[("fields", FIELDS)]).await
    }

    pub async fn phone(&self, id: &str) -> Result<Phone> {
        self.call(self.get(&[id]).query(&[("fields", FIELDS)])).await
    }

    /// Adds a number to an account; it must be verified and registered before it can send.
    pub async fn add_phone(&self, waba: &str, phone: &Create) -> Result<Created> {
        self.call(self.post(&[waba, "phone_numbers"]).json(phone)).await
    }

    pub async fn update_phone(&self, id: &str, update: &Update) -> Result<Success> {
        self.call(self.post(&[id]).json(update)).await
    }
}
