use meta_wire::Success;
use meta_wire::waba::{Subscribe, SubscribedApp, Waba};

use super::{Graph, Result};

const FIELDS: &str = "id,name,currency,timezone_id,country,status,account_review_status,business_verification_status,\
                      message_template_namespace,ownership_type";

impl Graph {
    pub async fn waba(&self, id: &str) -> Result<Waba> {
        self.call(self.get(&[id]).query(&[("fields", FIELDS)])).await
    }

    /// The apps that get an account's pushes.
    pub async fn subscribed_apps(&self, waba: &str) -> Result<Vec<SubscribedApp>> {
        self.list(&[waba, "subscribed_apps"], &[]).await
    }

    /// Has an account's pushes come to the token's app; without an override, to the app's own address.
    pub async fn subscribe(&self, waba: &str, target: Option<&Subscribe>) -> Result<Success> {
        let request = self.post(&[waba, "subscribed_apps"]);
        let request = match target {
            Some(target) => request.json(target),
            None => request,
        };
        self.call(request).await
    }

    pub async fn unsubscribe(&self, waba: &str) -> Result<Success> {
        self.call(self.delete(&[waba, "subscribed_apps"])).await
    }
}
