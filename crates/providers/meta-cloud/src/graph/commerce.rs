use meta_wire::Success;
use meta_wire::commerce::Settings;

use super::{Graph, Result};

impl Graph {
    /// A number's shop settings.
    pub async fn commerce_settings(&self, phone: &str) -> Result<Settings> {
        self.only(&[phone, "whatsapp_commerce_settings"], &[]).await
    }

    /// Changes what is given.
    pub async fn change_commerce_settings(&self, phone: &str, settings: &Settings) -> Result<Success> {
        let given =
            [("is_cart_enabled", settings.is_cart_enabled), ("is_catalog_visible", settings.is_catalog_visible)];
        let query: Vec<_> = given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        self.call(self.post(&[phone, "whatsapp_commerce_settings"]).query(&query)).await
    }
}
