use meta_wire::waba::TokenInfo;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{Graph, Result};

impl Graph {
    /// What a token may do. Asked under the app's own token.
    pub async fn debug_token(
        &self,
        app_id: &str,
        app_secret: &SecretString,
        token: &SecretString,
    ) -> Result<TokenInfo> {
        #[derive(Deserialize)]
        struct Answer {
            data: TokenInfo,
        }
        let asker = self.with_token(app_token(app_id, app_secret));
        let request = asker.get(&["debug_token"]).query(&[("input_token", token.expose_secret())]);
        Ok(asker.call::<Answer>(request).await?.data)
    }
}

fn app_token(app_id: &str, app_secret: &SecretString) -> SecretString {
    format!("{app_id}|{}", app_secret.expose_secret()).into()
}
