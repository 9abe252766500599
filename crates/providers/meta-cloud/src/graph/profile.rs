use meta_wire::Success;
use meta_wire::profile::{Profile, Update};

use super::{Graph, Result};

const FIELDS: &str = "about,address,description,email,profile_picture_url,websites,vertical";

impl Graph {
    /// What customers see of a number.
    pub async fn profile(&self, phone: &str) -> Result<Profile> {
        self.only(&[phone, "whatsapp_business_profile"], &[("fields", FIELDS)]).await
    }

    pub async fn change_profile(&self, phone: &str, update: &Update) -> Result<Success> {
        self.call(self.post(&[phone, "whatsapp_business_profile"]).json(update)).await
    }
}
