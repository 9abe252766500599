use meta_wire::Success;
use serde_json::Value;

use super::{Graph, Result};

impl Graph {
    /// A number's settings: calling, identity checks, storage.
    pub async fn settings(&self, phone: &str) -> Result<Value> {
        self.call(self.get(&[phone, "settings"])).await
    }

    pub async fn change_settings(&self, phone: &str, change: &Value) -> Result<Success> {
        self.call(self.post(&[phone, "settings"]).json(change)).await
    }
}
